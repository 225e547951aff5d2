// @ts-check
/**
 * The stream of this tab: opens it, resumes it at whatever replica answers, closes it while nobody looks.
 *
 * @typedef {import("./types").Message} Message
 * @typedef {import("./types").Live} Live
 */
import { backoff } from "./backoff.js";
import { KINDS } from "./store.js";

const HIDDEN_MS = 30_000;
/** Three pings are missing. */
const SILENT_MS = 16_000;
const OPEN_MS = 10_000;

export class Connection {
  /**
   * @param {{
   *   url: string,
   *   since: () => Partial<Record<import("./types").Kind, string>>,
   *   onMessage: (message: Message) => void,
   *   onLive: (live: Live, why: string) => void,
   * }} options
   */
  constructor(options) {
    this.options = options;
    /** @type {WebSocket | null} */
    this.socket = null;
    this.failures = 0;
    this.isWanted = false;
    this.timers = { retry: 0, silent: 0, hidden: 0 };
    document.addEventListener("visibilitychange", () => this.#look());
    window.addEventListener("online", () => this.#retryNow());
  }

  start() {
    this.isWanted = true;
    this.failures = 0;
    this.#connect();
  }

  /** @param {Live} live @param {string} why */
  stop(live, why) {
    this.isWanted = false;
    this.#drop();
    this.options.onLive(live, why);
  }

  #look() {
    clearTimeout(this.timers.hidden);
    if (!this.isWanted) return;
    if (document.visibilityState === "hidden") {
      this.timers.hidden = window.setTimeout(() => {
        this.#drop();
        this.options.onLive("off", "This page is hidden.");
      }, HIDDEN_MS);
    } else if (!this.socket) this.#retryNow();
  }

  #retryNow() {
    if (!this.isWanted || this.socket) return;
    this.failures = 0;
    this.#connect();
  }

  #connect() {
    this.#drop();
    const socket = new WebSocket(this.options.url);
    this.socket = socket;
    this.#expect(OPEN_MS);
    socket.addEventListener("open", () => {
      if (this.socket !== socket) return;
      socket.send(JSON.stringify({ type: "open", kinds: KINDS, since: this.options.since() }));
      this.#expect(SILENT_MS);
    });
    socket.addEventListener("message", (event) => {
      if (this.socket !== socket) return;
      this.#expect(SILENT_MS);
      this.#receive(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (this.socket === socket) this.#lost("The connection was lost.");
    });
  }

  /** @param {Message} message */
  #receive(message) {
    if (message.type === "hello") {
      this.failures = 0;
      this.options.onLive("live", "");
    }
    if (message.type === "end") {
      if (message.reason === "session") this.stop("login", message.message ?? "");
      else this.#lost(message.message ?? "The server ended the connection.");
      return;
    }
    this.options.onMessage(message);
  }

  /** @param {number} ms */
  #expect(ms) {
    clearTimeout(this.timers.silent);
    this.timers.silent = window.setTimeout(() => this.#lost("The server does not answer."), ms);
  }

  /** @param {string} why */
  #lost(why) {
    this.#drop();
    if (!this.isWanted) return;
    this.failures += 1;
    this.options.onLive("reconnecting", why);
    this.timers.retry = window.setTimeout(() => this.#connect(), backoff(this.failures, Math.random()));
  }

  #drop() {
    clearTimeout(this.timers.retry);
    clearTimeout(this.timers.silent);
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }
}
