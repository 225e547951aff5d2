// @ts-check
/**
 * Puts the parts together: store, connection, routes, and the context that views get.
 *
 * @typedef {import("./types").Context} Context
 * @typedef {import("./types").View} View
 */
import { createApi } from "./api.js";
import { Connection } from "./connection.js";
import { keepFocus } from "./focus.js";
import { render } from "./html.js";
import { Resources } from "./resource.js";
import { judge } from "./rights.js";
import { findRoute, formatHash } from "./router.js";
import { scheduler } from "./schedule.js";
import { CloudStore } from "./store.js";
import { summarize } from "./summary.js";
import { TaskList } from "./tasks.js";

const START = "#/fleet";
const SAID_MS = 5000;
const SUMMARY_SECONDS = 5;

export class App {
  /**
   * @param {{views: View[], shell: (app: App) => import("./types").Content, root: HTMLElement, stream: string}} options
   */
  constructor({ views, shell, root, stream }) {
    this.views = views;
    this.shell = shell;
    this.root = root;
    this.store = new CloudStore();
    this.drawing = scheduler(() => this.#draw());
    this.update = () => this.drawing.hurry();
    this.resources = new Resources(() => this.drawing.request());
    this.tasks = new TaskList(() => this.drawing.request());
    this.api = createApi({ onLoggedOut: () => {
        if (this.session) this.logIn("Your session has ended.");
      } });
    /** @type {import("./types").Session | null} */
    this.session = null;
    /** @type {import("./types").Live} */
    this.live = "connecting";
    this.why = "";
    /** When the last message came, by performance.now(). */
    this.heard = performance.now();
    /** Version that served this page, and one that is newer. */
    this.version = "";
    this.newVersion = "";
    this.replica = "";
    /** Server's clock minus ours, ms. */
    this.ahead = 0;
    this.said = "";
    /** What there is, for screen readers: every five seconds at most. */
    this.summary = "";
    this.ticks = 0;
    this.isNavOpen = false;
    /** @type {((ctx: Context) => import("./types").Content) | null} */
    this.dialog = null;
    /** @type {Element | null} what had the focus before the dialog */
    this.opener = null;
    /** @type {View | null} */
    this.view = null;
    /** @type {Record<string, any>} state of the login page; null: logged in */
    this.login = { isOpen: false, why: "" };
    this.ctx = this.#context();
    this.connection = new Connection({
      url: stream,
      since: () => this.store.since(),
      onMessage: (message) => this.#receive(message),
      onLive: (live, why) => this.#setLive(live, why),
    });
  }

  start() {
    window.addEventListener("hashchange", () => this.#navigate());
    this.#navigate();
    setInterval(() => this.#tick(), 1000);
    void this.enter();
  }

  /** Is somebody logged in? Then open the stream. @param {string} [otherwise] what to say if nobody is */
  async enter(otherwise = "") {
    try {
      this.session = await this.api.call("GET", "/portal/v1/session");
      this.login = { isOpen: false, why: "" };
      this.connection.start();
    } catch (error) {
      const code = /** @type {import("./api.js").ApiError} */ (error).code;
      const words = code === 401 ? otherwise : /** @type {Error} */ (error).message;
      if (this.login.isOpen) this.login.why = words;
      else if (code === 401) this.logIn(words);
      else {
        this.why = words; // it starts, or a proxy before it does
        setTimeout(() => void this.enter(), 2000);
      }
    }
    this.update();
  }

  /** @param {string} why */
  logIn(why) {
    if (this.login.isOpen) return;
    this.session = null;
    this.store.forget();
    this.resources.clear();
    this.dialog = null;
    this.login = { isOpen: true, why };
    this.connection.stop("login", why);
    void this.#findLogins();
  }

  /** A server that does not say which there are gets them all tried. */
  async #findLogins() {
    const { login } = this;
    login["methods"] = await this.api.call("GET", "/portal/v1/login").catch(() => ({}));
    this.update();
  }

  async logOut() {
    try {
      await this.api.call("POST", "/portal/v1/logout", {});
    } catch (error) {
      this.ctx.say(/** @type {Error} */ (error).message);
      return;
    }
    this.logIn("You have logged out.");
  }

  /** @param {import("./types").Live} live @param {string} why */
  #setLive(live, why) {
    this.live = live;
    this.why = why;
    if (live === "login") this.logIn(why || "Your session has ended.");
    if (live === "reconnecting") void this.#checkSession();
    this.update();
  }

  /** A stream that is refused does not say why: perhaps nobody is logged in any more. */
  async #checkSession() {
    await this.api.call("GET", "/portal/v1/session").catch(() => undefined); // 401 leads to the login page by itself
  }

  /** @param {import("./types").Message} message */
  #receive(message) {
    this.heard = performance.now();
    if (message.type === "hello") {
      this.session = message.session;
      this.replica = message.replica ?? "";
      if (!this.version) this.version = message.version;
      this.newVersion = message.version === this.version ? "" : message.version;
    }
    if ((message.type === "hello" || message.type === "ping") && message.time) {
      this.ahead = Date.parse(message.time) - Date.now();
    }
    this.store.apply(message);
    this.drawing.request();
  }

  #tick() {
    this.ctx.now = Date.now() + this.ahead;
    this.ticks += 1;
    if (this.ticks % SUMMARY_SECONDS === 0) this.summary = summarize(this.store);
    const silent = (performance.now() - this.heard) / 1000;
    if (this.live === "reconnecting" || this.live === "off") this.store.age(silent);
    this.drawing.request();
  }

  #navigate() {
    const found = findRoute(this.views, location.hash);
    if (!found) {
      const start = findRoute(this.views, START) ? START : formatHash(this.views[0]?.path ?? "");
      if (location.hash === start) throw new Error("there is no view to start with");
      history.replaceState(null, "", start);
      this.#navigate();
      return;
    }
    const before = this.ctx.route;
    const isSame = before.view === found.route.view && before.path === found.route.path;
    this.ctx.route = found.route;
    if (!isSame || !this.view) {
      this.view?.leave?.(this.ctx);
      this.resources.clear();
      this.ctx.local = {};
      this.view = found.view;
      this.dialog = null;
      this.isNavOpen = false;
      this.view.enter?.(this.ctx);
    }
    this.update();
  }

  #draw() {
    this.ctx.store = this.store;
    this.ctx.session = this.session;
    this.ctx.live = this.live;
    keepFocus(() => render(this.shell(this), this.root));
  }

  /** @returns {Context} */
  #context() {
    return {
      route: { view: "", path: "", params: {}, query: {} },
      store: this.store,
      session: null,
      api: this.api,
      tasks: this.tasks,
      now: Date.now(),
      live: "connecting",
      local: {},
      can: (right) => judge(this.session, right),
      setQuery: (patch) => {
        const { path, query } = this.ctx.route;
        history.replaceState(null, "", formatHash(path, { ...query, ...patch }));
        this.#navigate();
      },
      go: (hash) => {
        location.hash = hash;
      },
      update: this.update,
      open: (dialog) => {
        if (!this.dialog) this.opener = document.activeElement;
        this.dialog = dialog;
        this.update();
      },
      close: () => {
        if (!this.dialog) return;
        this.dialog = null;
        this.#draw();
        if (this.opener instanceof HTMLElement && this.opener.isConnected) this.opener.focus();
        this.opener = null;
      },
      resource: (key, loader, options) => this.resources.get(key, loader, options),
      say: (text) => {
        this.said = text;
        this.update();
        setTimeout(() => {
          if (this.said !== text) return;
          this.said = "";
          this.update();
        }, SAID_MS);
      },
    };
  }
}
