// What one wants to know at a glance: is it well, what does it do, and who is there.

import {el, set_attribute, set_text} from "./dom.js";
import {count, rate} from "./format.js";
import {alert_columns, broker_columns, broker_rows, members, node_columns, type_columns} from "./columns.js";
import {live_chart} from "./chart.js";
import {Table} from "./table.js";

// A number with its name, and a line of what it is made of.
class Figure {
  constructor(name) {
    this.value = el("dd", {class: "value"});
    this.detail = el("dd", {class: "detail"});
    this.element = el("div", {class: "figure"}, el("dt", {}, name), this.value, this.detail);
  }
  set(value, detail, tone) {
    set_text(this.value, value);
    set_text(this.detail, detail);
    set_attribute(this.element, "data-tone", tone);
  }
}

export function overview() {
  const figures = {
    in: new Figure("Accepted a second"),
    out: new Figure("Finished a second"),
    waiting: new Figure("Waiting"),
    running: new Figure("Running"),
    failed: new Figure("Failed"),
    workers: new Figure("Workers"),
    brokers: new Figure("Brokers"),
    blocks: new Figure("Blocks"),
  };
  const reasons = el("ul", {class: "reasons"});
  let time = 0;
  const tables = {
    raised: new Table({label: "Alerts", columns: alert_columns, empty: "No alert is raised."}),
    brokers: new Table({label: "Brokers", columns: broker_columns, empty: "No broker has answered."}),
    nodes: new Table({
      label: "Nodes",
      columns: node_columns(() => time),
      empty: "The leader has told of no node yet.",
    }),
    types: new Table({
      label: "Task types",
      columns: type_columns,
      empty: "No task has been seen since the observer came.",
    }),
  };
  const charts = [
    live_chart(
      "Tasks a second",
      ["/tasks_accepted_total", "/tasks_finished_total"],
      ["accepted", "finished"],
    ),
    live_chart("Tasks waiting and running", ["/tasks_pending", "/tasks_processing"], ["waiting", "running"]),
  ];
  const part = (title, table) => el("section", {class: "part"}, el("h3", {}, title), table.all);
  const elements = [
    reasons,
    el("dl", {class: "figures"}, ...Object.values(figures).map((figure) => figure.element)),
    el("div", {class: "charts"}, ...charts.map((chart) => chart.element)),
    part("Alerts", tables.raised),
    part("Brokers", tables.brokers),
    part("Nodes", tables.nodes),
    part("Task types, since the observer came", tables.types),
  ];

  function draw_figures(state) {
    const tasks = state.now("tasks") ?? {},
      rates = state.now("rates"),
      nodes = state.rows("nodes"),
      brokers = state.rows("brokers");
    const workers = nodes.filter((node) => node.role === "worker" && node.state !== "left");
    const alive = workers.filter((node) => node.state === "alive"),
      answering = brokers.filter((broker) => broker.state !== "unreachable");
    const sum = (name) => alive.reduce((total, node) => total + (node[name] ?? 0), 0);
    const again = rates.requeued > 0 ? `${rate(rates.requeued)} handed out again` : "none handed out again";
    figures.in.set(rate(rates.accepted), "over ten seconds");
    figures.out.set(rate(rates.finished), again, rates.requeued > 0 ? "warning" : null);
    figures.waiting.set(count(tasks.pending), "for a worker, a time, or a retry");
    figures.running.set(
      count("processing" in tasks ? tasks.assigned + tasks.processing : null),
      `${sum("busy")} of ${sum("slots")} slots busy`,
    );
    figures.failed.set(
      count("failed" in tasks ? tasks.failed + tasks.timeout : null),
      `${count(tasks.completed)} completed`,
      rates.failed_percent > 0 ? "critical" : null,
    );
    figures.workers.set(
      `${alive.length} of ${workers.length}`,
      workers.length === 0 ? "nobody runs tasks" : "alive",
      alive.length < workers.length || workers.length === 0 ? "warning" : null,
    );
    figures.brokers.set(
      `${answering.length} of ${brokers.length}`,
      brokers.length === 0 ? "none has answered" : `answer; ${Math.floor(brokers.length / 2) + 1} needed`,
      answering.length < brokers.length ? "warning" : null,
    );
    figures.blocks.set(count(state.now("blocks")), "known to the leader");
  }
  const rows_of = {
    nodes: members,
    brokers: broker_rows,
    raised: (state) => state.rows("raised"),
    types: (state) => state.rows("types"),
  };
  return {
    elements,
    update(state, filter) {
      time = state.time;
      const health = state.now("health");
      reasons.hidden = health.reasons.length === 0;
      set_attribute(reasons, "data-tone", health.status);
      if (reasons.dataset.text !== health.reasons.join("\n")) {
        reasons.dataset.text = health.reasons.join("\n");
        reasons.replaceChildren(...health.reasons.map((reason) => el("li", {}, reason)));
      }
      draw_figures(state);
      for (const [name, table] of Object.entries(tables))
        table.update(rows_of[name](state), filter);
      for (const chart of charts) chart.update(state);
    },
    recolour() {
      for (const chart of charts) chart.recolour();
    },
    leave() {
      for (const chart of charts) chart.leave();
    },
  };
}
