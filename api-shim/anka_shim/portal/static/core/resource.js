// @ts-check
/**
 * What detail endpoints say, loaded once for each key, again after `every` ms, and forgotten with the route.
 *
 * @typedef {{resource: import("./types").Resource<any>, loader: (signal: AbortSignal) => Promise<any>,
 *   every: number, timer: number, stop: AbortController}} Entry
 */
export class Resources {
  /** @param {() => void} update */
  constructor(update) {
    this.update = update;
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
  }

  /**
   * @template T
   * @param {string} key
   * @param {(signal: AbortSignal) => Promise<T>} loader
   * @param {{every?: number}} [options]
   * @returns {import("./types").Resource<T>}
   */
  get(key, loader, { every = 0 } = {}) {
    let entry = this.entries.get(key);
    if (!entry) {
      entry = { resource: { state: "loading" }, loader, every, timer: 0, stop: new AbortController() };
      this.entries.set(key, entry);
      void this.#load(entry);
    }
    entry.loader = loader;
    return entry.resource;
  }

  /** Load again now. @param {string} key */
  refresh(key) {
    const entry = this.entries.get(key);
    if (!entry) return;
    clearTimeout(entry.timer);
    void this.#load(entry);
  }

  /** @param {Entry} entry */
  async #load(entry) {
    try {
      entry.resource = { state: "ready", value: await entry.loader(entry.stop.signal) };
    } catch (error) {
      if (entry.stop.signal.aborted) return;
      const known = entry.resource.value;
      const words = error instanceof Error ? error.message : String(error);
      entry.resource = { state: known === undefined ? "failed" : "stale", value: known, error: words };
    }
    if (entry.stop.signal.aborted) return;
    if (entry.every) entry.timer = window.setTimeout(() => void this.#load(entry), entry.every);
    this.update();
  }

  clear() {
    for (const entry of this.entries.values()) {
      clearTimeout(entry.timer);
      entry.stop.abort();
    }
    this.entries.clear();
  }
}
