// What the observer told: tables of rows by key, and logs of the newest entries. docs/observer.md names them.

const most_entries = 4000; // of a log that this page keeps
const natural = new Intl.Collator("en", {numeric: true}).compare;
const silence = 5000; // milliseconds: the observer tells something every second

export class State {
  constructor() {
    this.tables = {};
    this.logs = {};
    this.version = 0;
  }
  // The rows of a table, each with its key as `key`, by key.
  rows(table) {
    return [...this.map(table)].map(([key, row]) => ({...row, key})).sort((a, b) => natural(a.key, b.key));
  }
  map(table) {
    return this.tables[table] ?? new Map();
  }
  row(table, key) {
    return this.map(table).get(key);
  }
  now(key) {
    return this.row("now", key);
  }
  get time() {
    return this.now("time");
  }
  // Oldest first; each once.
  log(name) {
    return this.logs[name]?.entries ?? [];
  }
  // Entries that there were since it looks and that this page was not told.
  left_out(name) {
    return (this.logs[name]?.total ?? 0) - (this.logs[name]?.told ?? 0);
  }

  apply({version, whole, tables, logs}) {
    if (whole) {
      this.tables = {};
      this.logs = {};
    }
    for (const [name, rows] of Object.entries(tables)) {
      const table = (this.tables[name] ??= new Map());
      for (const [key, row] of Object.entries(rows)) row === null ? table.delete(key) : table.set(key, row);
    }
    for (const [name, {total, newest}] of Object.entries(logs)) {
      const log = (this.logs[name] ??= {entries: [], total: 0, told: 0});
      log.entries = log.entries.concat(newest).slice(-most_entries);
      log.total = total;
      log.told = whole ? total : log.told + newest.length;
    }
    this.version = version;
  }
}

// Calls take(event) for each that comes, and live(bool, why) when that changes. While the page is not looked
// at, nothing is asked for.
export class Stream {
  constructor(take, live) {
    this.take = take;
    this.live = live;
    this.heard = 0;
    document.addEventListener("visibilitychange", () =>
      document.hidden ? this.close("not looked at") : this.open(),
    );
    setInterval(() => this.look(), 1000);
    this.open();
  }
  open() {
    this.close("connecting");
    this.opened = Date.now();
    this.source = new EventSource("events");
    this.source.onmessage = (message) => {
      this.heard = Date.now();
      this.take(JSON.parse(message.data));
      this.live(true, "live");
    };
    this.source.onerror = () => this.live(false, "the observer does not answer; trying again");
  }
  close(why) {
    this.source?.close();
    this.source = null;
    this.live(false, why);
  }
  // A refused stream is not tried again by the browser, and a connection may hang.
  look() {
    if (document.hidden) return;
    const quiet = Date.now() - Math.max(this.heard, this.opened) > silence;
    if (quiet) this.live(false, "the observer says nothing; trying again");
    if (quiet || !this.source || this.source.readyState === EventSource.CLOSED) this.open();
  }
}
