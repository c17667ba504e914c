// Numbers, sizes and times as people read them. What is not known is a dash.

export const dash = "–";
const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const tenths = new Intl.NumberFormat("en", {minimumFractionDigits: 1, maximumFractionDigits: 1});
const two = (number) => String(number).padStart(2, "0");

export function known(value) {
  return value !== undefined && value !== null;
}
export function count(value) {
  return known(value) ? whole.format(value) : dash;
}
export function rate(value) {
  if (!known(value)) return dash;
  return value < 100 ? tenths.format(value) : whole.format(value);
}
export function size(value) {
  if (!known(value)) return dash;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) {
    value /= 1024;
    ++place;
  }
  return `${place === 0 || value >= 100 ? whole.format(value) : tenths.format(value)} ${units[place]}`;
}
// Of milliseconds.
export function span(value) {
  if (!known(value)) return dash;
  if (value < 1000) return `${Math.round(value)} ms`;
  const seconds = value / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.floor(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}
// Of milliseconds since 1970, in the time of who looks.
export function clock(time, milliseconds = false) {
  if (!known(time)) return dash;
  const at = new Date(time);
  const text = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return milliseconds ? `${text}.${String(at.getMilliseconds()).padStart(3, "0")}` : text;
}
export function date(time) {
  if (!known(time)) return dash;
  const at = new Date(time);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clock(time)}`;
}
// By how the series' name ends.
export function of_series(series, value) {
  if (!known(value)) return dash;
  if (series.endsWith("_bytes")) return size(value);
  if (series.endsWith("_percent")) return `${rate(value)} %`;
  if (series.endsWith("_total")) return `${rate(value)} /s`;
  return Number.isInteger(value) ? count(value) : rate(value);
}
