// What the cluster holds: who stores how much, and what content is called.

import {el, set_text} from "./dom.js";
import {count, date, size} from "./format.js";
import {Table} from "./table.js";

const share = (row) =>
  row.block_bytes + row.disk_free > 0 ? row.block_bytes / (row.block_bytes + row.disk_free) : 0;
const store_columns = [
  {name: "Node", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {
    name: "State",
    value: (row) => ({text: row.state, tone: {dead: "critical", suspect: "warning"}[row.state]}),
    sort: (row) => row.state,
  },
  {name: "Blocks", value: (row) => count(row.blocks), sort: (row) => row.blocks, kind: "number"},
  {
    name: "Stored",
    value: (row) => ({
      text: size(row.block_bytes),
      part: share(row),
      title: "of what it stores and may still store",
    }),
    sort: (row) => row.block_bytes,
    kind: "number",
  },
  {name: "Room", value: (row) => size(row.disk_free), sort: (row) => row.disk_free, kind: "number"},
  {name: "Blocks served at", value: (row) => row.exchange, kind: "code", narrow: false},
];
const name_columns = [
  {name: "Name", value: (row) => row.key, sort: (row) => row.key, kind: "code"},
  {name: "CID", value: (row) => ({text: row.cid, title: row.cid}), kind: "code"},
  {
    name: "Tags",
    value: (row) =>
      Object.entries(row.tags)
        .map(([key, value]) => `${key}=${value}`)
        .join("  "),
    kind: "long",
  },
  {name: "Named", value: (row) => date(row.named), sort: (row) => row.named, narrow: false},
];

export function content() {
  const sum = el("p", {class: "note"});
  const stores = new Table({
    label: "Nodes that store blocks",
    columns: store_columns,
    empty: "No node that stores blocks is known.",
  });
  const names = new Table({
    label: "Names",
    columns: name_columns,
    empty: "Nothing has a name: cidbus add PATH --name NAME gives one.",
  });
  return {
    elements: [
      sum,
      el("section", {class: "part"}, el("h3", {}, "Where blocks are"), stores.all),
      el("section", {class: "part"}, el("h3", {}, "What content is called"), names.all),
    ],
    update(state, filter) {
      const nodes = state.rows("nodes").filter((node) => "blocks" in node);
      const alive = nodes.filter((node) => node.state === "alive"),
        total = (name) => alive.reduce((all, node) => all + node[name], 0);
      set_text(
        sum,
        `${count(state.now("blocks"))} different blocks are known to the leader; ` +
          `${count(total("blocks"))} copies, ${size(total("block_bytes"))}, lie on ${alive.length} ` +
          `${alive.length === 1 ? "node" : "nodes"} with room for ${size(total("disk_free"))} more.`,
      );
      stores.update(nodes, filter);
      names.update(state.rows("names"), filter);
    },
  };
}
