// Who led when, and what brokers said to each other about it.

import {colour, el, fit_canvas} from "./dom.js";
import {clock, count, date, span} from "./format.js";
import {Table} from "./table.js";

const lane = 16,
  gap = 12,
  left = 72,
  foot = 20;
const apart = 3000; // milliseconds without a word end an election
const tone_of_word = {
  ELECTION: "warning",
  VOTE_REQ: "warning",
  NAY: "critical",
  NO_VOTE: "critical",
  COORDINATOR: "good",
  RESIGN: "critical",
  HANDOVER: "warning",
};

// Offices as far as they were heard; the one in force since the observer came, when its beginning was not.
function offices_of(state) {
  const cluster = state.now("cluster"),
    offices = [];
  for (const said of state.log("elections")) {
    if (said.word === "COORDINATOR" && offices[offices.length - 1]?.epoch !== said.epoch)
      offices.push({broker: said.broker, epoch: said.epoch, from: said.time});
    if (said.word === "RESIGN" && offices.length) offices[offices.length - 1].to ??= said.time;
  }
  if (cluster.leader && !offices.some((office) => office.epoch === cluster.epoch))
    offices.push({
      broker: cluster.leader,
      epoch: cluster.epoch,
      from: offices[offices.length - 1]?.to ?? cluster.since,
      unheard: true,
    });
  // A leader that died said nothing of it: its office ends when the observer lost it.
  const lost = cluster.unbound ?? 0;
  offices.forEach((office, place) => {
    office.to ??= offices[place + 1]?.from ?? (lost > office.from ? lost : undefined);
  });
  return offices;
}

class Timeline {
  constructor() {
    this.canvas = el("canvas", {role: "img"});
    this.element = el("div", {class: "stream"}, this.canvas);
  }
  draw(state) {
    const words = state.log("elections"),
      offices = offices_of(state),
      to = state.time;
    const from = Math.min(
      to - 60000,
      state.now("cluster").since,
      ...words.slice(0, 1).map((said) => said.time),
    );
    const names = [
      ...new Set([
        ...state.rows("brokers").map((row) => row.key),
        ...words.map((said) => said.broker),
        ...offices.map((office) => office.broker),
      ]),
    ]
      .filter(Boolean)
      .sort();
    const bottom = names.length * (lane + gap) + 6,
      {context, width} = fit_canvas(this.canvas, bottom + foot);
    const x = (time) => left + ((time - from) / (to - from)) * (width - left - 6),
      y = (name) => 6 + names.indexOf(name) * (lane + gap);
    context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    context.textBaseline = "middle";
    for (const name of names) {
      context.fillStyle = colour("text");
      context.fillText(name, 0, y(name) + lane / 2);
      context.fillStyle = colour("line");
      context.fillRect(left, y(name) + lane / 2, width - left, 1);
    }
    for (const office of offices) this.draw_office(context, office, x, y(office.broker), to);
    for (const said of words) {
      context.fillStyle = colour(tone_of_word[said.word] ?? "faint");
      context.fillRect(x(said.time) - 1, y(said.broker) - 3, 2, lane + 6);
    }
    this.draw_times(context, width, bottom, from, to, x);
    this.canvas.setAttribute(
      "aria-label",
      `Offices since ${date(from)}: ` +
        offices
          .map(
            (office) =>
              `${office.broker} in epoch ${office.epoch} from ${clock(office.from)}` +
              (office.to ? ` to ${clock(office.to)}` : ""),
          )
          .join("; "),
    );
  }
  draw_office(context, office, x, top, now) {
    const start = x(office.from),
      end = Math.max(x(office.to ?? now), start + 2);
    context.globalAlpha = office.unheard ? 0.55 : 0.9;
    context.fillStyle = colour("accent");
    context.fillRect(start, top, end - start, lane);
    context.globalAlpha = 1;
    context.fillStyle = colour("ground");
    const text = `epoch ${office.epoch}`;
    if (end - start > context.measureText(text).width + 10)
      context.fillText(text, start + 5, top + lane / 2 + 1);
  }
  draw_times(context, width, bottom, from, to, x) {
    context.fillStyle = colour("faint");
    const marks = Math.max(2, Math.floor((width - left) / 150));
    for (let mark = 0; mark <= marks; ++mark) {
      const at = from + ((to - from) * mark) / marks;
      context.textAlign = mark === 0 ? "left" : mark === marks ? "right" : "center";
      context.fillText(to - from > 86400000 ? date(at) : clock(at), x(at), bottom + foot / 2);
    }
    context.textAlign = "left";
  }
}

// With the time since the election began: words that follow each other closely are one.
function told(words) {
  let began = 0,
    before = -Infinity;
  return words.map((said, place) => {
    if (said.time - before > apart) began = said.time;
    before = said.time;
    return {...said, key: `${place} ${said.time} ${said.broker}`, after: said.time - began};
  });
}
const word_columns = [
  {
    name: "When",
    value: (row) => ({text: clock(row.time, true), title: date(row.time)}),
    sort: (row) => row.time,
  },
  {
    name: "Since it began",
    value: (row) => (row.after === 0 ? "began" : `+ ${span(row.after)}`),
    kind: "number",
  },
  {name: "Broker", value: (row) => row.broker, sort: (row) => row.broker, kind: "code"},
  {name: "Says", value: (row) => ({text: row.word, tone: tone_of_word[row.word]}), sort: (row) => row.word},
  {name: "To", value: (row) => row.to || "all", sort: (row) => row.to, kind: "code"},
  {name: "Epoch", value: (row) => count(row.epoch), sort: (row) => row.epoch, kind: "number"},
  {name: "Journal", value: (row) => count(row.last), sort: (row) => row.last, kind: "number", narrow: false},
  {
    name: "Priority",
    value: (row) => (row.priority < 0 ? {text: "unfit", tone: "warning"} : count(row.priority)),
    sort: (row) => row.priority,
    kind: "number",
    narrow: false,
  },
];

export function elections() {
  const timeline = new Timeline();
  const note = el(
    "p",
    {class: "note"},
    "A bar is an office, a stroke a word said. A pale bar began before the observer heard of it.",
  );
  const words = new Table({
    label: "What brokers said",
    columns: word_columns,
    empty: "Since the observer came, no broker has said a word about who leads: there was no election.",
  });
  return {
    elements: [
      timeline.element,
      note,
      el("section", {class: "part"}, el("h3", {}, "What brokers said, the newest first"), words.all),
    ],
    update(state, filter) {
      timeline.draw(state);
      words.update(told(state.log("elections")).reverse(), filter);
    },
    recolour(state) {
      timeline.draw(state);
    },
  };
}
