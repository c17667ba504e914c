// The task stream: a lane for each slot that a worker used, a bar for each run; and the same as a table.

import {colour, el, fit_canvas, set_text} from "./dom.js";
import {clock, count, dash, known, span} from "./format.js";
import {tone_of_state, type_columns} from "./columns.js";
import {Table} from "./table.js";

const lane = 11,
  gap = 3,
  left = 96,
  foot = 20,
  least_bar = 2,
  most_lanes = 24;
const windows = [30, 60, 300, 900];

// Every type has its colour for as long as the page is open.
const kinds = new Map();
function kind_of(type) {
  if (!kinds.has(type)) kinds.set(type, kinds.size % 8);
  return kinds.get(type);
}

// Lanes of each worker: a run takes the first that is free. Runs are in the order of their beginnings.
function lay_out(runs) {
  const workers = new Map();
  for (const run of runs) {
    const lanes = workers.get(run.worker) ?? workers.set(run.worker, []).get(run.worker);
    let place = lanes.findIndex((end) => end <= run.from);
    if (place < 0) place = lanes.length < most_lanes ? lanes.push(0) - 1 : most_lanes - 1;
    lanes[place] = run.to;
    run.lane = place;
  }
  return workers;
}

function runs_of(state, from, to) {
  const ended = state
    .log("runs")
    .filter((run) => run.worker && run.ended > from)
    .map((run) => ({...run, from: run.began ?? run.ended, to: run.ended}));
  const running = state
    .rows("running")
    .filter((run) => run.worker)
    .map((run) => ({...run, task: run.key, from: run.began, to, state: "processing"}));
  return [...ended, ...running].sort((a, b) => a.from - b.from);
}

class TaskStream {
  constructor() {
    this.canvas = el("canvas", {role: "img"});
    this.tip = el("div", {class: "tip", hidden: true});
    this.key = el("div", {class: "key"});
    this.element = el("div", {class: "stream"}, this.canvas, this.tip, this.key);
    this.bars = [];
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
  }
  draw(state, seconds) {
    const to = state.time,
      from = to - seconds * 1000,
      runs = runs_of(state, from, to),
      workers = lay_out(runs);
    for (const {key, role, state: member, slots} of state.rows("nodes")) {
      if (role !== "worker" || member !== "alive") continue;
      const lanes = workers.get(key) ?? workers.set(key, []).get(key);
      while (lanes.length < Math.min(most_lanes, slots ?? 1)) lanes.push(0);
    }
    const names = [...workers.keys()].sort(new Intl.Collator("en", {numeric: true}).compare);
    let top = 6;
    const tops = new Map(
      names.map((name) => {
        const at = top;
        top += workers.get(name).length * (lane + 1) + gap * 2;
        return [name, at];
      }),
    );
    const {context, width} = fit_canvas(this.canvas, top + foot);
    const x = (time) => left + ((Math.max(time, from) - from) / (to - from)) * (width - left - 4);
    this.draw_frame(context, width, top, names, tops, workers, from, to, x);
    this.bars = runs.map((run) => {
      const start = x(run.from),
        end = Math.max(x(run.to), start + least_bar);
      return {run, x: start, y: tops.get(run.worker) + run.lane * (lane + 1), width: end - start};
    });
    for (const bar of this.bars) this.draw_bar(context, bar);
    this.label(runs, names, seconds);
  }
  draw_frame(context, width, bottom, names, tops, workers, from, to, x) {
    context.font = "12px system-ui, 'DejaVu Sans', sans-serif";
    context.textBaseline = "middle";
    for (const name of names) {
      context.fillStyle = colour("text");
      context.fillText(name.length > 13 ? `${name.slice(0, 12)}…` : name, 0, tops.get(name) + lane / 2);
      context.fillStyle = colour("line");
      context.fillRect(0, tops.get(name) + workers.get(name).length * (lane + 1) + gap - 1, width, 1);
    }
    const steps = [1, 5, 10, 30, 60, 120, 300],
      step = 1000 * (steps.find((one) => (to - from) / 1000 / one <= Math.max(3, width / 110)) ?? 600);
    context.textAlign = "center";
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      context.fillStyle = colour("line");
      context.fillRect(Math.round(x(at)), 0, 1, bottom);
      context.fillStyle = colour("faint");
      if (x(at) < width - 24) context.fillText(clock(at), x(at), bottom + foot / 2);
    }
    context.textAlign = "left";
  }
  draw_bar(context, {run, x, y, width}) {
    context.fillStyle = colour(`kind-${kind_of(run.type)}`);
    context.globalAlpha = run.state === "processing" ? 0.55 : 1;
    context.fillRect(x, y, width, lane);
    context.globalAlpha = 1;
    if (tone_of_state[run.state] === "critical" || run.state === "pending") {
      context.fillStyle = colour(tone_of_state[run.state]);
      context.fillRect(x, y + lane - 4, Math.max(width, 4), 4);
    }
  }
  label(runs, names, seconds) {
    const types = [...new Set(runs.map((run) => run.type))].sort((a, b) => kind_of(a) - kind_of(b));
    if (this.key.dataset.types !== JSON.stringify(types)) {
      this.key.dataset.types = JSON.stringify(types);
      this.key.replaceChildren(
        ...types.map((type) => {
          const entry = el("span", {}, type);
          entry.style.setProperty("--kind", `var(--kind-${kind_of(type)})`);
          return entry;
        }),
      );
    }
    this.canvas.setAttribute(
      "aria-label",
      `${runs.length} runs on ${names.length} workers in the last ${span(seconds * 1000)}; ` +
        "the table below lists them",
    );
  }
  point(event) {
    const box = this.canvas.getBoundingClientRect(),
      x = event.clientX - box.left,
      y = event.clientY - box.top;
    const hit = this.bars.findLast(
      (bar) => x >= bar.x - 2 && x <= bar.x + bar.width + 2 && y >= bar.y && y <= bar.y + lane,
    );
    this.tip.hidden = !hit;
    if (!hit) return;
    const run = hit.run,
      took =
        run.state === "processing"
          ? `for ${span(run.to - run.from)}`
          : known(run.began)
            ? `took ${span(run.ended - run.began)}`
            : "over before it was told to have begun";
    const again = run.attempts > 1 ? `\nattempt ${run.attempts}` : "";
    set_text(this.tip, `${run.type}  ${run.task}\n${run.state} on ${run.worker}, ${took}${again}`);
    this.tip.style.left = `${Math.min(x + 12, box.width - this.tip.offsetWidth)}px`;
    this.tip.style.top = `${y + 14}px`;
  }
}

const words = {pending: "handed out again", processing: "running"};
const run_columns = [
  {
    name: "When",
    value: (row) => ({text: clock(row.at, true), title: new Date(row.at).toLocaleString()}),
    sort: (row) => row.at,
  },
  {name: "Task", value: (row) => row.task, sort: (row) => row.task, kind: "code"},
  {name: "Type", value: (row) => row.type, sort: (row) => row.type, kind: "code"},
  {
    name: "State",
    value: (row) => ({text: words[row.state] ?? row.state, tone: tone_of_state[row.state]}),
    sort: (row) => row.state,
  },
  {name: "Worker", value: (row) => row.worker || dash, sort: (row) => row.worker, kind: "code"},
  {
    name: "Took",
    value: (row) =>
      known(row.took) ? span(row.took) : {text: dash, title: "it was over before it was told to have begun"},
    sort: (row) => row.took,
    kind: "number",
  },
  {
    name: "Attempt",
    value: (row) => count(row.attempts),
    sort: (row) => row.attempts,
    kind: "number",
    narrow: false,
  },
];

export function tasks() {
  let seconds = windows[1],
    last = null;
  const stream = new TaskStream();
  const note = el("p", {class: "note"});
  const types = new Table({
    label: "Task types",
    columns: type_columns,
    empty: "No task has been seen since the observer came.",
  });
  const list = new Table({
    label: "Runs",
    columns: run_columns,
    empty: "No run has been seen since the observer came.",
    most: 200,
  });
  const choice = el(
    "select",
    {
      "aria-label": "How much time the stream shows",
      onchange: () => {
        seconds = Number(choice.value);
        if (last) stream.draw(last, seconds);
      },
    },
    ...windows.map((one) =>
      el("option", {value: one, selected: one === seconds}, `Last ${span(one * 1000)}`),
    ),
  );
  return {
    tools: [choice],
    elements: [
      stream.element,
      note,
      el("section", {class: "part"}, el("h3", {}, "Task types, since the observer came"), types.all),
      el("section", {class: "part"}, el("h3", {}, "Runs, the newest first"), list.all),
    ],
    update(state, filter) {
      last = state;
      stream.draw(state, seconds);
      const missing = state.left_out("runs"),
        skipped = state.now("rates").skipped;
      set_text(
        note,
        [
          missing ? `${count(missing)} runs were too many to be shown one by one.` : "",
          skipped ? `The leader left ${count(skipped)} single events out.` : "",
        ]
          .join(" ")
          .trim(),
      );
      types.update(state.rows("types"), filter);
      const running = state
        .rows("running")
        .map((run) => ({
          ...run,
          key: `running ${run.key}`,
          task: run.key,
          at: run.began,
          took: state.time - run.began,
          state: "processing",
        }));
      const ended = state
        .log("runs")
        .slice(-1000)
        .reverse()
        .map((run) => ({
          ...run,
          key: `${run.task} ${run.attempts} ${run.state} ${run.ended}`,
          at: run.ended,
          took: known(run.began) ? run.ended - run.began : null,
        }));
      list.update([...running.reverse(), ...ended], filter);
    },
    recolour(state) {
      stream.draw(state, seconds);
    },
  };
}
