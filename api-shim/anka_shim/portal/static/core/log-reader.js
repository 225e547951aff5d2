// @ts-check
/** Follows a log, or reads the end of it, and keeps its last lines. */
import { readEnvelope } from "./api.js";
import { LineBuffer, LineSplitter } from "./log-lines.js";

export const MAX_LINES = 5000;
const AGAIN_MS = 2000;

export class LogReader {
  /** @param {{url: string, isFollowing: boolean, update: () => void}} options url: of a text; it may never end */
  constructor({ url, isFollowing, update }) {
    this.url = url;
    this.isFollowing = isFollowing;
    this.update = update;
    this.buffer = new LineBuffer(MAX_LINES);
    /** @type {"loading" | "ready" | "failed"} */
    this.state = "loading";
    this.error = "";
    this.isPaused = false;
    /** Lines that came during the pause. @type {string[]} */
    this.waiting = [];
    this.stopping = new AbortController();
    this.timer = 0;
    void this.#read();
  }

  /** @param {boolean} isPaused */
  pause(isPaused) {
    this.isPaused = isPaused;
    if (!isPaused) this.#add([]);
    this.update();
  }

  stop() {
    clearTimeout(this.timer);
    this.stopping.abort();
  }

  async #read() {
    const { signal } = this.stopping;
    try {
      const response = await fetch(this.url, { credentials: "same-origin", cache: "no-store", signal });
      if (!response.ok) readEnvelope(response.status, await response.text());
      // What is read again comes again as a whole.
      this.buffer.clear();
      this.waiting = [];
      this.state = "ready";
      this.error = "";
      const splitter = new LineSplitter();
      const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) this.#add(splitter.add(part.value));
      this.#add(splitter.end());
    } catch (error) {
      if (signal.aborted) return;
      this.error = error instanceof Error ? error.message : String(error);
      if (!this.buffer.lines.length) this.state = "failed";
    }
    // The server ends each stream after a while; a failure may pass.
    if (this.isFollowing && !signal.aborted) this.timer = window.setTimeout(() => void this.#read(), AGAIN_MS);
    this.update();
  }

  /** @param {string[]} lines */
  #add(lines) {
    this.waiting.push(...lines);
    if (this.waiting.length > MAX_LINES) this.waiting.splice(0, this.waiting.length - MAX_LINES);
    if (this.isPaused) return;
    this.buffer.add(this.waiting);
    this.waiting = [];
    this.update();
  }
}
