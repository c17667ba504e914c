// Tables whose rows stay while they change, can be sorted by their headings, and filtered.

import {el, set_attribute, set_text} from "./dom.js";

const natural = new Intl.Collator("en", {numeric: true}).compare;

// columns: [{name, value: (row) => text or {text, tone, title, part}, sort: (row) => number or text, kind}]
//   kind: "number", "code", "long"; narrow: false leaves it out on phones. `part`: 0 to 1, drawn as a bar.
export class Table {
  constructor({label, columns, empty, sort = null, most = 500}) {
    Object.assign(this, {label, columns, empty, most});
    this.order = sort; // {column, down}
    this.lines = new Map();
    this.heads = columns.map((column, place) =>
      el(
        "th",
        {scope: "col", class: this.style(column)},
        column.sort
          ? el("button", {type: "button", onclick: () => this.sort_by(place)}, column.name)
          : column.name,
      ),
    );
    this.body = el("tbody");
    this.note = el("p", {class: "note", hidden: true});
    this.element = el(
      "div",
      {class: "table", tabindex: 0, role: "region", "aria-label": label},
      el(
        "table",
        {},
        el("caption", {class: "unseen"}, label),
        el("thead", {}, el("tr", {}, ...this.heads)),
        this.body,
      ),
    );
    this.all = el("section", {}, this.element, this.note);
  }
  style(column) {
    return [column.kind ?? "", column.narrow === false ? "wide" : ""].join(" ").trim() || null;
  }
  sort_by(place) {
    const down = this.order?.column === place ? !this.order.down : this.columns[place].kind === "number";
    this.order = {column: place, down};
    this.update(this.rows, this.filter);
  }
  // Rows have a `key`.
  update(rows, filter = "") {
    Object.assign(this, {rows, filter});
    let shown = rows.map((row) => ({row, cells: this.columns.map((column) => this.cell(column, row))}));
    const wanted = filter.toLowerCase();
    if (wanted)
      shown = shown.filter(({cells}) => cells.some(({text}) => text.toLowerCase().includes(wanted)));
    if (this.order) shown = this.sorted(shown);
    const held_back = shown.length - this.most;
    shown = shown.slice(0, this.most);
    this.draw(shown);
    this.heads.forEach((head, place) =>
      set_attribute(
        head,
        "aria-sort",
        this.order?.column === place ? (this.order.down ? "descending" : "ascending") : null,
      ),
    );
    this.element.hidden = shown.length === 0;
    this.note.hidden = shown.length !== 0 && held_back <= 0;
    set_text(
      this.note,
      shown.length === 0
        ? wanted
          ? `No row contains “${filter}”.`
          : this.empty
        : `and ${held_back} more; the filter finds them`,
    );
  }
  cell(column, row) {
    const value = column.value(row);
    return typeof value === "string" ? {text: value} : value;
  }
  sorted(shown) {
    const {column, down} = this.order,
      key = this.columns[column].sort;
    const compare = (a, b) => {
      const left = key(a.row),
        right = key(b.row);
      if ((left ?? null) === null || (right ?? null) === null)
        return ((left ?? null) === null) - ((right ?? null) === null);
      const order = typeof left === "number" ? left - right : natural(left, right);
      return down ? -order : order;
    };
    return shown.sort(compare);
  }
  draw(shown) {
    const lines = new Map();
    let before = null;
    for (const {row, cells} of shown) {
      const line =
        this.lines.get(row.key) ??
        el("tr", {}, ...this.columns.map((column) => el("td", {class: this.style(column)})));
      lines.set(row.key, line);
      cells.forEach((cell, place) => this.fill(line.children[place], cell));
      set_attribute(line, "data-tone", row.tone);
      const next = before ? before.nextSibling : this.body.firstChild;
      if (next !== line) this.body.insertBefore(line, next);
      before = line;
    }
    for (const [key, line] of this.lines) if (lines.get(key) !== line) line.remove();
    this.lines = lines;
  }
  fill(place, {text, tone, title, part}) {
    set_text(place, text);
    set_attribute(place, "data-tone", tone);
    set_attribute(place, "title", title);
    set_attribute(place, "data-part", part === undefined ? null : String(part));
    if (part !== undefined) place.style.setProperty("--part", String(part));
  }
}
