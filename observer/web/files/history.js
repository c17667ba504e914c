// What was measured, over any time: drag to look closer, or use the keys.

import {el, set_text} from "./dom.js";
import {date} from "./format.js";
import {Chart, ask_history} from "./chart.js";

const hour = 3600;
const lengths = [
  [150, "2 min"],
  [hour, "1 h"],
  [6 * hour, "6 h"],
  [24 * hour, "24 h"],
  [7 * 24 * hour, "7 d"],
  [30 * 24 * hour, "30 d"],
];
const most_lines = 8,
  longest = 160 * 24 * hour,
  shortest = 10;

// Of a node: one line for each node that has it.
const wanted = [
  [
    "Tasks a second",
    ["tasks_accepted_total", "tasks_finished_total", "tasks_requeued_total"],
    ["accepted", "finished", "again"],
  ],
  [
    "Tasks waiting and running",
    ["tasks_pending", "tasks_assigned", "tasks_processing"],
    ["waiting", "handed out", "running"],
  ],
  ["Tasks failed, of those that ended", ["tasks_failed_percent"], ["failed"]],
  ["Nodes", ["nodes_alive", "nodes_lost", "workers_alive"], ["alive", "lost", "workers"]],
  ["Brokers that answer", ["brokers_reachable", "brokers", "leader_present"], ["answer", "of", "leader"]],
  ["Slots busy", "slots_busy"],
  ["Journal: records behind the leader", "journal_lag_records"],
  ["Memory of the process", "resident_bytes"],
  ["Blocks", "blocks"],
  ["Stored", "block_bytes"],
  ["Room for blocks", "disk_free_bytes"],
];

function charts_of(names) {
  const natural = new Intl.Collator("en", {numeric: true}).compare;
  return wanted.flatMap(([title, series, labels]) => {
    if (labels)
      return [
        new Chart(
          title,
          series.map((name, place) => ({series: `/${name}`, label: labels[place]})),
        ),
      ];
    const nodes = names
      .filter((name) => name.series === series && name.node)
      .map((name) => name.node)
      .sort(natural);
    if (nodes.length === 0) return [];
    const title_told = nodes.length > most_lines ? `${title}, ${most_lines} of ${nodes.length} nodes` : title;
    return [
      new Chart(
        title_told,
        nodes.slice(0, most_lines).map((node) => ({series: `${node}/${series}`, label: node})),
      ),
    ];
  });
}

export function history() {
  let length = lengths[0][0],
    end = null; // seconds; an end of null goes on with the clock
  let charts = [],
    now = 0,
    asking = false,
    asked_at = 0,
    gone = false,
    shown = "",
    held = false;
  const said = el("p", {class: "note", role: "status"}),
    place = el("div", {class: "charts"});
  const buttons = lengths.map(([seconds, name]) =>
    el("button", {type: "button", onclick: () => look(seconds, null)}, name),
  );
  // While somebody drags, what is under the pointer stays as it is.
  place.addEventListener("pointerdown", () => {
    held = true;
  });
  const let_go = () => {
    held = false;
  };
  addEventListener("pointerup", let_go);
  const window_of = () => {
    const to = end ?? now + 1;
    return [to - length, to];
  };

  function look(seconds, to) {
    length = Math.min(longest, Math.max(shortest, seconds));
    end = to !== null && to < now ? to : null;
    lengths.forEach(([one], number) =>
      buttons[number].setAttribute("aria-pressed", String(end === null && one === length)),
    );
    asked_at = 0;
    ask();
  }
  async function make_charts() {
    const answer = await fetch("series.json");
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const names = await answer.json(),
      key = JSON.stringify(names);
    if (gone || key === shown) return;
    shown = key;
    for (const chart of charts) chart.leave();
    charts = charts_of(names);
    for (const chart of charts) chart.on_zoom = (from, to) => look(to - from, to);
    place.replaceChildren(...charts.map((chart) => chart.element));
  }
  // A live window is asked for as often as something can have changed in it.
  async function ask() {
    if (asking || gone || now === 0) return;
    asking = true;
    const [from, to] = window_of(),
      first = asked_at === 0;
    asked_at = Date.now();
    try {
      if (first) await make_charts();
      let step = 1;
      for (const chart of charts) {
        const answer = await ask_history(
          from,
          to,
          chart.lines.map((line) => line.series),
        );
        if (gone || held) return;
        step = answer.step;
        chart.set([answer.times, ...answer.series.map((line) => line.values)]);
        chart.plot?.setScale("x", {min: from, max: to});
      }
      set_text(
        said,
        `${date(from * 1000)} to ${end === null ? "now" : date(to * 1000)}, a point ` +
          `${step === 1 ? "a second" : step === 60 ? "a minute" : "an hour"}. ` +
          "Drag in a chart to look closer; + and - do too, arrows move, 0 goes back to now.",
      );
    } catch (error) {
      set_text(said, `No history came: ${error.message}`);
    } finally {
      asking = false;
      if (asked_at === 0) ask(); // somebody looked elsewhere meanwhile
    }
  }
  return {
    has_rows: false,
    tools: buttons,
    elements: [said, place],
    update(state) {
      const began = now === 0;
      now = Math.floor(state.time / 1000);
      if (began) look(length, null);
      else if (end === null && !held && Date.now() - asked_at > (length <= 600 ? 900 : 20000)) ask();
    },
    key(key) {
      const [from, to] = window_of(),
        middle = (from + to) / 2;
      if (key === "+") look(length / 2, end === null ? null : middle + length / 4);
      else if (key === "-") look(length * 2, end === null ? null : middle + length);
      else if (key === "0") look(lengths[0][0], null);
      else if (key === "ArrowLeft") look(length, to - length / 4);
      else if (key === "ArrowRight") look(length, to + length / 4);
      else return false;
      return true;
    },
    recolour() {
      for (const chart of charts) chart.recolour();
    },
    leave() {
      gone = true;
      removeEventListener("pointerup", let_go);
      for (const chart of charts) chart.leave();
    },
  };
}
