// A box that finds one of many by typing: a combobox with a list of what matches (WAI-ARIA Authoring
// Practices, "Editable Combobox With List Autocomplete"). Arrows choose, Enter takes, Escape closes.

import {el, set_attribute, set_text} from "./dom.js";

const most = 100; // options that are shown at once

export class Picker {
  // take(key) is called for the option that was chosen; it may be taken, or given back.
  constructor({label, take}) {
    Object.assign(this, {take, options: [], shown: [], at: 0});
    this.list = el("ul", {
      id: "picker-list",
      role: "listbox",
      "aria-label": label,
      hidden: true,
      onpointerdown: (event) => event.preventDefault(), // the box keeps the focus
    });
    this.note = el("p", {class: "note", role: "status", hidden: true});
    this.input = el("input", {
      type: "search",
      id: "picker",
      role: "combobox",
      placeholder: label,
      "aria-label": label,
      "aria-autocomplete": "list",
      "aria-controls": "picker-list",
      "aria-expanded": "false",
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.open(),
      onclick: () => this.open(),
      onblur: () => this.close(),
      onkeydown: (event) => this.on_key(event),
    });
    this.panel = el("div", {class: "panel", hidden: true}, this.list, this.note);
    this.element = el("div", {class: "picker"}, this.input, this.panel);
  }
  // options: [{key, text, taken}]
  offer(options) {
    this.options = options;
    if (!this.panel.hidden) this.draw();
  }
  focus() {
    this.input.focus();
    this.open();
  }
  open() {
    this.at = 0;
    this.show(true);
    this.draw();
  }
  close() {
    this.show(false);
  }
  show(open) {
    this.panel.hidden = !open;
    this.list.hidden = !open;
    set_attribute(this.input, "aria-expanded", String(open));
    if (!open) set_attribute(this.input, "aria-activedescendant", null);
  }
  // Every word that was typed is somewhere in the option.
  draw() {
    const words = this.input.value.toLowerCase().split(/\s+/);
    const found = this.options.filter(({text}) => words.every((word) => text.toLowerCase().includes(word)));
    this.shown = found.slice(0, most);
    this.at = Math.max(0, Math.min(this.at, this.shown.length - 1));
    this.list.replaceChildren(
      ...this.shown.map((option, place) =>
        el(
          "li",
          {
            id: `picker-${place}`,
            role: "option",
            "aria-selected": String(place === this.at),
            onclick: () => this.choose(place),
          },
          el("span", {class: "tick", "aria-hidden": "true"}, option.taken ? "✓" : ""),
          option.text,
          option.taken ? el("span", {class: "unseen"}, ", shown") : null,
        ),
      ),
    );
    this.note.hidden = found.length > 0 && found.length <= most;
    const more = `and ${found.length - most} more; type more of the name`;
    set_text(this.note, found.length === 0 ? "Nothing is called that." : more);
    this.point();
  }
  point() {
    [...this.list.children].forEach((line, place) =>
      set_attribute(line, "aria-selected", String(place === this.at)),
    );
    set_attribute(this.input, "aria-activedescendant", this.shown.length ? `picker-${this.at}` : null);
    this.list.children[this.at]?.scrollIntoView({block: "nearest"});
  }
  choose(place) {
    if (this.shown[place]) this.take(this.shown[place].key);
  }
  on_key(event) {
    const open = !this.panel.hidden,
      moves = {ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10};
    if (event.key in moves) {
      if (!open) this.open();
      else this.at = Math.max(0, Math.min(this.at + moves[event.key], this.shown.length - 1));
      this.point();
    } else if (event.key === "Enter" && open) this.choose(this.at);
    else if (event.key === "Escape" && open) this.close();
    else if (event.key === "Escape") this.input.blur();
    else return;
    event.preventDefault();
  }
}
