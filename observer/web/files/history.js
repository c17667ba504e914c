// What was measured, over any time: drag to look closer, or use the keys. Any series can be added to the
// usual ones.

import {el, set_text} from "./dom.js";
import {date} from "./format.js";
import {Chart, ask_history} from "./chart.js";
import {Picker} from "./picker.js";

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
  shortest = 10,
  series_looked_for = 5000; // every so many milliseconds while a window is live: nodes come, and say more

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

const picked = new Set(); // what somebody added, for as long as the page is open; keys of offers_of()
const natural = new Intl.Collator("en", {numeric: true}).compare;

// The nodes that have a series, by its name.
function nodes_of(names) {
  const nodes = new Map();
  for (const {node, series} of names) if (node) nodes.set(series, [...(nodes.get(series) ?? []), node]);
  for (const some of nodes.values()) some.sort(natural);
  return nodes;
}

// What a chart shows: its title and its lines.
function of_nodes(title, series, nodes) {
  const left_out = nodes.length > most_lines ? `, ${most_lines} of ${nodes.length} nodes` : "";
  return {
    title: title + left_out,
    lines: nodes.slice(0, most_lines).map((node) => ({series: `${node}/${series}`, label: node})),
  };
}

function usual(names) {
  const nodes = nodes_of(names);
  return wanted.flatMap(([title, series, labels]) => {
    if (!labels) return nodes.has(series) ? [of_nodes(title, series, nodes.get(series))] : [];
    return [{title, lines: series.map((name, place) => ({series: `/${name}`, label: labels[place]}))}];
  });
}

// Every series there is: of all nodes that have it, of each of them, of the cluster.
function offers_of(names) {
  const offers = [...nodes_of(names)]
    .filter(([, nodes]) => nodes.length > 1)
    .map(([series, nodes]) => {
      const text = `${series} of ${nodes.length} nodes`;
      const shows = of_nodes(nodes.length > most_lines ? series : text, series, nodes);
      return {key: `*/${series}`, text, shows};
    });
  for (const {node, series} of names) {
    const text = `${series} of ${node || "the cluster"}`,
      key = `${node}/${series}`;
    offers.push({key, text, shows: {title: text, lines: [{series: key, label: node || "cluster"}]}});
  }
  return offers
    .sort((a, b) => natural(a.text, b.text))
    .map((offer) => ({...offer, taken: picked.has(offer.key)}));
}

export function history() {
  let length = lengths[0][0],
    end = null; // seconds; an end of null goes on with the clock
  let charts = [],
    now = 0,
    asking = false,
    asked_at = 0,
    made_at = 0, // when the names of series were read last
    looked = false, // elsewhere, since the last answer that came whole
    gone = false,
    shown = "",
    held = false;
  const said = el("p", {class: "note", role: "status"}),
    place = el("div", {class: "charts"});
  const buttons = lengths.map(([seconds, name]) =>
    el("button", {type: "button", onclick: () => look(seconds, null)}, name),
  );
  const picker = new Picker({
    label: "Add any series",
    take(key) {
      if (!picked.delete(key)) picked.add(key);
      look(length, end);
    },
  });
  // While somebody drags, what is under the pointer stays as it is. A browser that scrolls or drags something
  // itself takes the pointer away.
  const hold = () => {
    held = true;
  };
  const let_go = () => {
    held = false;
  };
  place.addEventListener("pointerdown", hold);
  addEventListener("pointerup", let_go);
  addEventListener("pointercancel", let_go);
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
    looked = true;
    ask();
  }
  // One that shows the same as before stays as it is, with what is drawn.
  function chart_of({title, lines}, taken_by = null) {
    const key = JSON.stringify([title, lines, taken_by]);
    const chart = charts.find((one) => one.key === key) ?? new Chart(title, lines);
    if (chart.key) return chart;
    chart.key = key;
    chart.on_zoom = (from, to) => look(to - from, to);
    if (taken_by !== null) {
      const label = `Take away ${title}`,
        onclick = () => picker.take(taken_by),
        what = {type: "button", class: "away", "aria-label": label, title: label, onclick};
      chart.element.querySelector("h3").append(el("button", what, "×"));
    }
    return chart;
  }
  // Whether they stand; not while somebody drags.
  async function make_charts() {
    const answer = await fetch("series.json");
    if (!answer.ok) throw new Error((await answer.text()).trim());
    const names = await answer.json(),
      key = JSON.stringify([names, [...picked]]);
    if (gone || held) return false;
    made_at = Date.now();
    if (key === shown) return true;
    shown = key;
    const offers = offers_of(names);
    picker.offer(offers);
    const before = charts;
    charts = [
      ...offers.filter((offer) => offer.taken).map((offer) => chart_of(offer.shows, offer.key)),
      ...usual(names).map((shows) => chart_of(shows)),
    ];
    for (const chart of before) if (!charts.includes(chart)) chart.leave();
    place.replaceChildren(...charts.map((chart) => chart.element));
    return true;
  }
  // Gives how far apart the points are; nothing when it was held up.
  async function draw(from, to) {
    let step = 1;
    for (const chart of charts) {
      const names = chart.lines.map((line) => line.series);
      const answer = await ask_history(from, to, names);
      if (gone || held) return null;
      step = answer.step;
      chart.set([answer.times, ...answer.series.map((line) => line.values)]);
      chart.plot?.setScale("x", {min: from, max: to});
    }
    return step;
  }
  // What somebody looks at comes whole, however often it must be asked for; a live window is asked for as
  // often as something can have changed in it.
  async function ask() {
    if (asking || gone || held || now === 0) return;
    asking = true;
    const [from, to] = window_of(),
      until = end,
      again = looked;
    looked = false;
    asked_at = Date.now();
    let step = null;
    try {
      const due = again || (until === null && Date.now() - made_at > series_looked_for);
      if (!due || (await make_charts())) step = await draw(from, to);
      if (step !== null) tell(from, until, step);
    } catch (error) {
      set_text(said, `No history came: ${error.message}`);
    }
    asking = false;
    const elsewhere = looked;
    looked ||= again && step === null;
    if (elsewhere) ask();
  }
  function tell(from, until, step) {
    set_text(
      said,
      `${date(from * 1000)} to ${until === null ? "now" : date(until * 1000)}, a point ` +
        `${step === 1 ? "a second" : step === 60 ? "a minute" : "an hour"}. ` +
        "Drag in a chart to look closer; + and - do too, arrows move, 0 goes back to now, / finds a series.",
    );
  }
  return {
    has_rows: false,
    tools: [...buttons, picker.element],
    elements: [said, place],
    update(state) {
      const began = now === 0;
      now = Math.floor(state.time / 1000);
      if (began) look(length, null);
      else if (looked || (end === null && Date.now() - asked_at > (length <= 600 ? 900 : 20000))) ask();
    },
    key(key) {
      const [from, to] = window_of(),
        middle = (from + to) / 2;
      if (key === "/") picker.focus();
      else if (key === "+") look(length / 2, end === null ? null : middle + length / 4);
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
      removeEventListener("pointercancel", let_go);
      for (const chart of charts) chart.leave();
    },
  };
}
