// Every broker by its own word, and every node by the leader's.

import {el} from "./dom.js";
import {broker_columns, broker_rows, members, node_columns} from "./columns.js";
import {Table} from "./table.js";

export function nodes() {
  let time = 0;
  const brokers = new Table({label: "Brokers", columns: broker_columns, empty: "No broker has answered."});
  const table = new Table({
    label: "Nodes",
    columns: node_columns(() => time),
    empty: "The leader has told of no node yet.",
    sort: {column: 0, down: false},
  });
  return {
    elements: [
      el("section", {class: "part"}, el("h3", {}, "Brokers, each by its own word"), brokers.all),
      el("section", {class: "part"}, el("h3", {}, "Nodes, by the leader's word"), table.all),
    ],
    update(state, filter) {
      time = state.time;
      brokers.update(broker_rows(state), filter);
      table.update(members(state), filter);
    },
  };
}
