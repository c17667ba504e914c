// What is wrong now, what was, and what is looked at.

import {el} from "./dom.js";
import {clock, date} from "./format.js";
import {alert_columns} from "./columns.js";
import {Table} from "./table.js";

const past_columns = [
  {name: "When", value: (row) => ({text: clock(row.time), title: date(row.time)}), sort: (row) => row.time},
  {
    name: "Change",
    value: (row) => ({text: row.change, tone: row.change === "resolved" ? "good" : row.level}),
    sort: (row) => row.change,
  },
  {name: "Level", value: (row) => row.level, sort: (row) => row.level, narrow: false},
  {name: "Rule", value: (row) => row.rule, sort: (row) => row.rule, kind: "code"},
  {name: "Node", value: (row) => row.node || "cluster", sort: (row) => row.node, kind: "code"},
  {name: "What", value: (row) => row.text, kind: "long"},
];
const silence_columns = [
  {name: "Silence", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {name: "Rules", value: (row) => row.rule, kind: "code"},
  {name: "Nodes", value: (row) => row.node, kind: "code"},
  {name: "Until", value: (row) => date(row.until), sort: (row) => row.until},
  {name: "Why", value: (row) => row.reason, kind: "long"},
];
const rule_columns = [
  {name: "Rule", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {name: "Raised when", value: (row) => row.condition, kind: "long"},
  {name: "Because", value: (row) => row.meaning, kind: "long", narrow: false},
  {
    name: "In use",
    value: (row) => (row.enabled ? "yes" : {text: "no", tone: "unknown"}),
    sort: (row) => Number(row.enabled),
  },
];

export function alerts() {
  const tables = {
    raised: new Table({label: "Raised", columns: alert_columns, empty: "No alert is raised."}),
    past: new Table({
      label: "What happened",
      columns: past_columns,
      empty: "Nothing was raised or resolved since the observer came.",
    }),
    silences: new Table({label: "Silences", columns: silence_columns, empty: "Nothing is silenced."}),
    rules: new Table({label: "Rules", columns: rule_columns, empty: "There are no rules."}),
  };
  const titles = {
    raised: "Raised now",
    past: "Raised and resolved, the newest first",
    silences: "Silenced",
    rules: "What is looked at",
  };
  return {
    elements: Object.entries(tables).map(([name, table]) =>
      el("section", {class: "part"}, el("h3", {}, titles[name]), table.all),
    ),
    update(state, filter) {
      tables.raised.update(state.rows("raised"), filter);
      tables.past.update(
        state
          .log("alerts")
          .map((entry, place) => ({...entry, key: `${place} ${entry.time} ${entry.rule}`}))
          .reverse(),
        filter,
      );
      tables.silences.update(state.rows("silences"), filter);
      tables.rules.update(state.rows("rules"), filter);
    },
  };
}
