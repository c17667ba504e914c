// The frame around the views: which one is shown, keys, theme, and whether what is shown is live.

import {el, set_attribute, set_text} from "./dom.js";
import {count} from "./format.js";
import {State, Stream} from "./state.js";
import {overview} from "./overview.js";
import {nodes} from "./nodes.js";
import {tasks} from "./tasks.js";
import {content} from "./content.js";
import {elections} from "./elections.js";
import {alerts} from "./alerts.js";
import {configuration} from "./configuration.js";
import {history} from "./history.js";

const views = {overview, nodes, tasks, content, elections, alerts, configuration, history};
const names = Object.keys(views);
const by_id = (id) => document.getElementById(id);
const state = new State();
const filter = el("input", {
  type: "search",
  id: "filter",
  placeholder: "Filter rows",
  "aria-label": "Show only rows that contain",
  autocomplete: "off",
  spellcheck: "false",
  oninput: () => draw(),
});
const pause = el(
  "button",
  {
    type: "button",
    id: "pause",
    "aria-pressed": "false",
    title: "Stand still, and go on (p)",
    onclick: () => toggle_pause(),
  },
  "Pause",
);

let shown = null; // {name, update, key, colours}
let paused = false;
let first_drawn = false;

function draw_tabs() {
  by_id("tabs").replaceChildren(
    ...names.map((name) =>
      el(
        "li",
        {},
        el(
          "a",
          {href: `#${name}`, id: `tab-${name}`},
          name[0].toUpperCase() + name.slice(1),
          el("span", {class: "badge"}),
        ),
      ),
    ),
  );
}

function show() {
  const wanted = location.hash.slice(1);
  if (shown && (shown.name === wanted || !names.includes(wanted))) return; // the link that skips the head
  const name = names.includes(wanted) ? wanted : names[0];
  shown?.leave?.();
  filter.value = "";
  shown = {name, ...views[name]()};
  for (const other of names)
    set_attribute(by_id(`tab-${other}`), "aria-current", other === name ? "page" : null);
  by_id(`tab-${name}`).scrollIntoView({block: "nearest", inline: "nearest"});
  const tools = el(
    "div",
    {class: "tools"},
    el("h2", {}, name[0].toUpperCase() + name.slice(1)),
    ...(shown.tools ?? []),
    ...(shown.has_rows === false ? [] : [filter]),
    pause,
  );
  by_id("view").replaceChildren(tools, ...shown.elements);
  draw();
}

function draw() {
  draw_head();
  if (state.version !== 0) shown.update(state, filter.value.trim());
  if (!first_drawn && state.version !== 0) {
    first_drawn = true;
    performance.mark("first-live"); // what a test reads
  }
}

function draw_head() {
  const cluster = state.now("cluster"),
    health = state.now("health");
  if (!cluster) return;
  set_text(by_id("cluster"), cluster.name || "cidbus");
  const warning = health.status === "healthy" ? "" : `${health.status}: `;
  document.title = `${warning}${cluster.name || "cidbus"} – cidbus`;
  set_text(by_id("health"), health.status);
  set_attribute(by_id("health"), "data-tone", health.status);
  set_attribute(by_id("health"), "title", health.reasons.join("\n") || null);
  set_text(
    by_id("leader"),
    cluster.bound ? `${cluster.leader} leads, epoch ${count(cluster.epoch)}` : "no leader is reached",
  );
  badge("alerts", state.rows("raised").filter((alert) => !alert.mark).length);
  badge("configuration", state.rows("proposals").filter((proposal) => proposal.status === "pending").length);
}
function badge(name, number) {
  set_text(by_id(`tab-${name}`).querySelector(".badge"), number ? ` ${number}` : "");
}

function toggle_pause() {
  paused = !paused;
  set_attribute(pause, "aria-pressed", String(paused));
  set_text(pause, paused ? "Go on" : "Pause");
  document.body.classList.toggle("paused", paused);
  if (!paused) draw();
}

const themes = ["system", "light", "dark"];
function set_theme(theme) {
  document.documentElement.dataset.theme = theme;
  set_text(by_id("theme"), {system: "Auto", light: "Light", dark: "Dark"}[theme]);
  try {
    localStorage.setItem("cidbus-theme", theme);
  } catch {
    /* a browser that keeps nothing */
  }
  shown?.recolour?.(state);
}
function stored_theme() {
  try {
    return themes.find((theme) => theme === localStorage.getItem("cidbus-theme")) ?? "system";
  } catch {
    return "system";
  }
}
function next_theme() {
  set_theme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % themes.length]);
}

function on_key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = ["INPUT", "SELECT"].includes(event.target.tagName);
  if (event.key === "Escape" && event.target === filter) {
    filter.value = "";
    filter.blur();
    draw();
    return;
  }
  if (typing || by_id("keys").open) return;
  const place = Number(event.key) - 1;
  if (names[place]) location.hash = names[place];
  else if (event.key === "/" && filter.isConnected) filter.focus();
  else if (event.key === "p") toggle_pause();
  else if (event.key === "t") next_theme();
  else if (event.key === "?") by_id("keys").showModal();
  else if (!shown.key?.(event.key)) return;
  event.preventDefault();
}

draw_tabs();
set_theme(stored_theme());
by_id("theme").addEventListener("click", next_theme);
by_id("help").addEventListener("click", () => by_id("keys").showModal());
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => shown?.recolour?.(state));
addEventListener("hashchange", show);
addEventListener("keydown", on_key);
addEventListener("resize", () => {
  if (state.version !== 0) shown.update(state, filter.value.trim());
});
show();
new Stream(
  (event) => {
    state.apply(event);
    if (!paused) draw();
  },
  (live, why) => {
    set_text(by_id("live"), live ? "live" : why);
    set_attribute(by_id("live"), "data-live", live ? "yes" : "no");
  },
);
