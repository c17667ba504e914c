// Charts of what the observer has measured: uPlot draws, /history tells. A chart shows lines of one unit.

import {colour, el, set_text} from "./dom.js";
import {clock, date, of_series} from "./format.js";

const live_seconds = 170; // what an observer keeps to the second in memory
const retry = 2000; // milliseconds

// Names of series are NODE/SERIES; of the cluster, /SERIES.
export async function ask_history(from, to, series) {
  const query = new URLSearchParams({from: Math.floor(from), to: Math.ceil(to)});
  for (const name of series) query.append("series", name);
  const answer = await fetch(`history?${query}`);
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}

export class Chart {
  constructor(title, lines, height = 150) {
    this.lines = lines; // [{series, label}]
    this.height = height;
    this.unit = lines[0]?.series.split("/").pop() ?? "";
    this.legend = el("span", {class: "legend"});
    this.place = el("div", {class: "plot"});
    this.title = el("span", {}, title);
    this.element = el(
      "section",
      {class: "chart", "aria-label": title},
      el("h3", {}, this.title, this.legend),
      this.place,
    );
    this.name = title;
    this.data = [[], ...lines.map(() => [])];
    this.keys = lines.map((line, place) => {
      const value = el("b", {}),
        key = el("span", {}, `${line.label} `, value);
      key.style.setProperty("--kind", `var(--kind-${place % 8})`);
      return {value, key};
    });
    this.legend.append(...this.keys.map(({key}) => key));
    this.width_watch = new ResizeObserver(() => this.plot?.setSize(this.size()));
    this.width_watch.observe(this.place);
  }
  size() {
    return {width: Math.max(200, this.place.clientWidth), height: this.height};
  }
  options() {
    const axis = {
      stroke: colour("faint"),
      grid: {stroke: colour("line"), width: 1},
      ticks: {show: false},
      font: "11px system-ui, sans-serif",
    };
    return {
      ...this.size(),
      legend: {show: false},
      padding: [8, 32, 0, 0],
      cursor: {points: {size: 5}, drag: {x: true, y: false, setScale: false}},
      scales: {
        x: {time: true},
        y: {range: (plot, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? high * 1.08 : 1]},
      },
      axes: [
        {
          ...axis,
          values: [
            [86400, "{MM}-{DD}"],
            [60, "{HH}:{mm}"],
            [1, "{HH}:{mm}:{ss}"],
          ].map(([step, form]) => [step, form, null, null, null, null, null, null, 1]),
          space: 64,
          size: 26,
        },
        {
          ...axis,
          size: 58,
          values: (plot, ticks) =>
            ticks.map((tick) =>
              tick < 1 && tick > 0 && !/percent|total/.test(this.unit)
                ? ""
                : of_series(this.unit, tick).replace(/ \/s$/, ""),
            ),
        },
      ],
      series: [
        {},
        ...this.lines.map((line, place) => ({
          label: line.label,
          stroke: colour(`kind-${place % 8}`),
          width: 1.5,
          points: {show: false},
          spanGaps: false,
        })),
      ],
      hooks: {setSelect: [(plot) => this.select(plot)], setCursor: [(plot) => this.tell(plot.cursor.idx)]},
    };
  }
  select(plot) {
    if (plot.select.width < 4) return;
    const from = plot.posToVal(plot.select.left, "x"),
      to = plot.posToVal(plot.select.left + plot.select.width, "x");
    plot.setSelect({left: 0, top: 0, width: 0, height: 0}, false);
    this.on_zoom?.(from, to);
  }
  set(data) {
    this.data = data;
    if (this.plot) this.plot.setData(data);
    else if (this.place.clientWidth > 0) this.plot = new uPlot(this.options(), data, this.place);
    this.tell(null);
  }
  // The values under the cursor, or the newest.
  tell(place) {
    this.keys.forEach(({value}, line) => {
      const values = this.data[line + 1];
      set_text(
        value,
        of_series(
          this.lines[line].series,
          place === null || place === undefined ? values.findLast((one) => one !== null) : values[place],
        ),
      );
    });
    const at = place === null || place === undefined ? null : this.data[0][place];
    set_text(
      this.title,
      at ? `${this.name}, ${Date.now() / 1000 - at > 86400 ? date(at * 1000) : clock(at * 1000)}` : this.name,
    );
  }
  say(text) {
    this.place.replaceChildren(el("p", {class: "note"}, text));
    this.plot?.destroy();
    this.plot = null;
  }
  recolour() {
    if (!this.plot) return;
    this.plot.destroy();
    this.plot = new uPlot(this.options(), this.data, this.place);
  }
  leave() {
    this.width_watch.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }
}

// The last minutes, going on with every event: asks only for what it does not have.
export function live_chart(title, series, labels) {
  const chart = new Chart(
    title,
    series.map((name, place) => ({series: name, label: labels[place]})),
  );
  let asking = false,
    next = 0;
  const left = chart.leave.bind(chart);
  let gone = false;
  return Object.assign(chart, {
    leave() {
      gone = true;
      left();
    },
    async update(state) {
      const now = Math.floor(state.time / 1000),
        held = chart.data[0];
      if (asking || Date.now() < next) return;
      asking = true;
      try {
        // The newest second may still change, so it is asked for again.
        const from = held.length ? held[held.length - 1] : now - live_seconds;
        const answer = await ask_history(Math.max(from, now - live_seconds), now + 1, series);
        if (gone) return;
        const kept = held.filter((time) => time < answer.from && time > now - live_seconds).length;
        const skip = held.filter((time) => time < answer.from).length - kept;
        chart.set([
          [...held.slice(skip, skip + kept), ...answer.times],
          ...series.map((_, place) => [
            ...chart.data[place + 1].slice(skip, skip + kept),
            ...answer.series[place].values,
          ]),
        ]);
        chart.plot?.setScale("x", {min: now - live_seconds, max: now});
        next = 0;
      } catch {
        next = Date.now() + retry;
      } finally {
        asking = false;
      }
    },
  });
}
