// Columns that several views show.

import {clock, count, dash, known, size, span} from "./format.js";

export const tone_of_health = {healthy: "good", unknown: "unknown", warning: "warning", critical: "critical"};
export const tone_of_state = {
  completed: "good",
  failed: "critical",
  timeout: "critical",
  cancelled: "unknown",
  pending: "warning",
};

// Of its machine, as it says itself.
const share = (name, title, key) => ({
  name,
  value: (row) =>
    known(row[key]) ? {text: `${row[key]} %`, title, part: Math.min(1, row[key] / 100)} : {text: dash, title},
  sort: (row) => row[key],
  kind: "number",
});
const health_column = {
  name: "Health",
  value: (row) => ({text: row.health, tone: tone_of_health[row.health]}),
  sort: (row) => row.health,
};
const machine_columns = [
  share("CPU", "of its machine's processors, in use by anybody", "cpu"),
  share("Memory", "of its machine, in use by anybody", "memory"),
];

export const broker_columns = [
  {name: "Broker", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {
    name: "State",
    value: (row) => ({
      text: row.state,
      tone: {leader: "good", unreachable: "critical", electing: "warning"}[row.state],
    }),
    sort: (row) => row.state,
  },
  health_column,
  {name: "Epoch", value: (row) => count(row.epoch), sort: (row) => row.epoch, kind: "number"},
  {name: "Journal", value: (row) => count(row.last), sort: (row) => row.last, kind: "number"},
  {
    name: "Lag",
    value: (row) => ({text: count(row.lag), title: "records of the leader that are not on its disk"}),
    sort: (row) => row.lag,
    kind: "number",
  },
  {
    name: "Committed",
    value: (row) => count(row.commit),
    sort: (row) => row.commit,
    kind: "number",
    narrow: false,
  },
  ...machine_columns,
  {
    name: "Priority",
    value: (row) => count(row.priority),
    sort: (row) => row.priority,
    kind: "number",
    narrow: false,
  },
  {
    name: "Configuration",
    value: (row) => count(row.config_version),
    sort: (row) => row.config_version,
    kind: "number",
    narrow: false,
  },
  {name: "Address", value: (row) => row.address, kind: "code", narrow: false},
];

function heard(row, now) {
  if (!("heard" in row)) return {text: "now"};
  return row.heard === null
    ? {text: "never", tone: "warning"}
    : {text: `${span(now - row.heard)} ago`, tone: "warning"};
}
const busy = (row) =>
  known(row.slots)
    ? {text: `${row.busy} of ${row.slots}`, part: row.slots ? Math.min(1, row.busy / row.slots) : 0}
    : dash;

const with_machine = (state) => (row) => ({...row, ...state.row("machines", row.key)});

export function broker_rows(state) {
  return state.rows("brokers").map(with_machine(state));
}
// Brokers have a table of their own, by their own word.
export function members(state) {
  return state
    .rows("nodes")
    .filter((node) => node.role !== "master")
    .map(with_machine(state));
}

// `now` is a function, since rows are drawn again and again.
export function node_columns(now) {
  return [
    {name: "Node", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
    {name: "Role", value: (row) => row.role, sort: (row) => row.role},
    {
      name: "State",
      value: (row) => ({
        text: row.state,
        tone: {dead: "critical", suspect: "warning", left: "unknown"}[row.state],
      }),
      sort: (row) => row.state,
    },
    health_column,
    {name: "Slots busy", value: busy, sort: (row) => row.busy, kind: "number"},
    ...machine_columns,
    {
      name: "Process",
      value: (row) => ({text: size(row.resident), title: "memory of the process"}),
      sort: (row) => row.resident,
      kind: "number",
      narrow: false,
    },
    {
      name: "Blocks",
      value: (row) => count(row.blocks),
      sort: (row) => row.blocks,
      kind: "number",
      narrow: false,
    },
    {name: "Stored", value: (row) => size(row.block_bytes), sort: (row) => row.block_bytes, kind: "number"},
    {
      name: "Room",
      value: (row) => size(row.disk_free),
      sort: (row) => row.disk_free,
      kind: "number",
      narrow: false,
    },
    {name: "Heard", value: (row) => heard(row, now()), sort: (row) => row.heard ?? Infinity, narrow: false},
    {
      name: "Up",
      value: (row) =>
        known(row.joined)
          ? {text: span(now() - row.joined), title: `since ${new Date(row.joined).toLocaleString()}`}
          : dash,
      sort: (row) => row.joined,
      kind: "number",
    },
  ];
}

export const type_columns = [
  {name: "Task type", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  ...[
    ["pending", "Queued"],
    ["completed", "Completed"],
    ["failed", "Failed"],
    ["timeout", "Timed out"],
    ["cancelled", "Cancelled"],
  ].map(([state, name]) => ({
    name,
    value: (row) => ({
      text: count(row[state]),
      tone: row[state] && ["failed", "timeout"].includes(state) ? "critical" : undefined,
    }),
    sort: (row) => row[state],
    kind: "number",
    narrow: state === "completed" || state === "failed",
  })),
];

export const alert_columns = [
  {
    name: "Since",
    value: (row) => ({text: clock(row.since), title: new Date(row.since).toLocaleString()}),
    sort: (row) => row.since,
  },
  {
    name: "Level",
    value: (row) => ({text: row.level, tone: row.mark ? "unknown" : row.level}),
    sort: (row) => row.level,
  },
  {name: "Rule", value: (row) => row.rule, sort: (row) => row.rule, kind: "code"},
  {name: "Node", value: (row) => row.node || "cluster", sort: (row) => row.node, kind: "code"},
  {name: "What", value: (row) => row.text + (row.mark ? ` (${row.mark})` : ""), kind: "long"},
];
