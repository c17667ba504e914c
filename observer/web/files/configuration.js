// What the cluster agreed to live by, and how it was agreed.

import {el} from "./dom.js";
import {count, date, known, span} from "./format.js";
import {Table} from "./table.js";

const tone_of_status = {pending: "warning", accepted: "good", rejected: "critical", expired: "unknown"};

const key_columns = [
  {name: "Key", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {
    name: "Value",
    value: (row) => ({text: row.value, tone: row.value === row.initial ? undefined : "good"}),
    kind: "number",
  },
  {name: "Initially", value: (row) => row.initial, kind: "number", narrow: false},
  {
    name: "By",
    value: (row) =>
      known(row.proposal) ? {text: `proposal ${row.proposal}`, title: date(row.since)} : "nobody has voted",
    sort: (row) => row.proposal,
  },
  {name: "May be", value: (row) => row.bounds, kind: "long", narrow: false},
  {name: "What it is", value: (row) => row.meaning, kind: "long", narrow: false},
];
function votes(row) {
  const said = row.votes.map(
    ({voter, yes, person, reason}) =>
      `${voter} ${yes ? "yes" : "no"}${person ? " (a person)" : ""}${reason ? `: ${reason}` : ""}`,
  );
  return [
    ...said,
    row.waiting.length
      ? `not yet: ${row.waiting.slice(0, 12).join(", ")}${row.waiting.length > 12 ? " and others" : ""}`
      : "",
  ]
    .filter(Boolean)
    .join("; ");
}
const proposal_columns = (now) => [
  {name: "No.", value: (row) => row.key, sort: (row) => row.id, kind: "number"},
  {
    name: "Proposed",
    value: (row) => ({
      text: row.type === "config_change" ? `${row.subject} = ${row.value}` : `${row.value} ${row.subject}`,
    }),
    sort: (row) => row.subject,
    kind: "code",
  },
  {
    name: "Status",
    value: (row) => ({text: row.status, tone: tone_of_status[row.status]}),
    sort: (row) => row.status,
  },
  {
    name: "Yes",
    value: (row) => ({
      text: `${count(row.yes)} of ${count(row.eligible)}`,
      part: row.eligible ? row.yes / row.eligible : 0,
    }),
    sort: (row) => row.yes,
    kind: "number",
  },
  {name: "No", value: (row) => count(row.no), sort: (row) => row.no, kind: "number"},
  {name: "Votes", value: votes, kind: "long", narrow: false},
  {name: "By", value: (row) => row.by, sort: (row) => row.by, kind: "code", narrow: false},
  {
    name: "When",
    value: (row) => ({
      text:
        row.status === "pending"
          ? `${span(now() - row.proposed)} ago, ${span(row.deadline - now())} left`
          : date(row.decided ?? row.proposed),
    }),
    sort: (row) => row.proposed,
    narrow: false,
  },
];

export function configuration() {
  let time = 0;
  const forbidden = el("p", {class: "note"});
  const keys = new Table({
    label: "Configuration",
    columns: key_columns,
    empty: "The leader has not told the configuration yet.",
  });
  const proposals = new Table({
    label: "Proposals",
    columns: proposal_columns(() => time),
    empty: "Nothing has been proposed: cidbus config propose KEY VALUE does.",
    sort: {column: 0, down: true},
  });
  return {
    elements: [
      el("section", {class: "part"}, el("h3", {}, "In force"), keys.all, forbidden),
      el("section", {class: "part"}, el("h3", {}, "Proposals and votes, the newest first"), proposals.all),
    ],
    update(state, filter) {
      time = state.time;
      keys.update(state.rows("config"), filter);
      const names = state.rows("forbidden").map((row) => row.key);
      forbidden.hidden = names.length === 0;
      forbidden.textContent = `Forbidden the cluster: ${names.join(", ")}.`;
      proposals.update(state.rows("proposals"), filter);
    },
  };
}
