// @ts-check
/**
 * What a table remembers between two drawings: where it is scrolled, and which row has the focus.
 *
 * @typedef {import("../core/types").Context} Context
 */
import { scrollTo, visibleWindow } from "../core/window.js";

export const ROW_HEIGHT = 36;

export class TableState {
  /** @param {() => void} update */
  constructor(update) {
    this.update = update;
    this.scrollTop = 0;
    this.height = 600;
    /** @type {string | null} id of the row that the keyboard is on */
    this.active = null;
    /** @type {string | null} the row at the upper edge, which stays there when rows come above it */
    this.top = null;
    /** @type {string[]} */
    this.ids = [];
    /** What makes another list of it; then it starts at its top. */
    this.key = "";
    /** @type {HTMLElement | null} */
    this.scroller = null;
    /** @type {ResizeObserver | null} */
    this.observer = null;
    this.isColumnsOpen = false;
    this.attach = (/** @type {Element | undefined} */ element) => this.#attach(element);
  }

  /** @param {Element | undefined} element */
  #attach(element) {
    if (element === this.scroller) return;
    this.observer?.disconnect();
    this.scroller = element instanceof HTMLElement ? element : null;
    const scroller = this.scroller;
    if (!scroller) return;
    this.#scrollAfterDrawing();
    scroller.addEventListener("scroll", () => this.#scrolled(scroller.scrollTop), { passive: true });
    this.observer = new ResizeObserver(() => {
      if (Math.abs(scroller.clientHeight - this.height) < 1) return;
      this.height = scroller.clientHeight;
      this.update();
    });
    this.observer.observe(scroller);
  }

  /** @param {number} top */
  #scrolled(top) {
    const before = this.window();
    this.scrollTop = top;
    this.top = this.ids[Math.floor(top / ROW_HEIGHT)] ?? null;
    const now = this.window();
    if (before.start !== now.start || before.end !== now.end) this.update();
  }

  window() {
    return visibleWindow({
      total: this.ids.length, rowHeight: ROW_HEIGHT, scrollTop: this.scrollTop, height: this.height,
    });
  }

  /** The rows of the next drawing. @param {string[]} ids @param {string} key */
  show(ids, key) {
    const isSame = key === this.key;
    const before = this.scrollTop;
    if (!isSame) this.scrollTop = 0;
    else if (this.top !== null && before >= ROW_HEIGHT && ids !== this.ids) {
      const index = ids.indexOf(this.top);
      if (index >= 0) this.scrollTop = index * ROW_HEIGHT + (before % ROW_HEIGHT);
    }
    this.ids = ids;
    this.key = key;
    this.scrollTop = Math.max(0, Math.min(this.scrollTop, ids.length * ROW_HEIGHT));
    if (this.scrollTop !== before) this.#scrollAfterDrawing();
  }

  #scrollAfterDrawing() {
    const wanted = this.scrollTop;
    queueMicrotask(() => {
      if (this.scroller && this.scrollTop === wanted) this.scroller.scrollTop = wanted;
    });
  }

  /** Puts the keyboard on a row. @param {number} index */
  focus(index) {
    const id = this.ids[Math.max(0, Math.min(index, this.ids.length - 1))];
    if (id === undefined) return;
    this.active = id;
    const at = this.ids.indexOf(id);
    const height = Math.max(ROW_HEIGHT, this.height - ROW_HEIGHT); // the head covers a row
    const top = scrollTo({ index: at, rowHeight: ROW_HEIGHT, scrollTop: this.scrollTop, height });
    if (top !== null) {
      this.scrollTop = Math.max(0, top);
      this.top = this.ids[Math.floor(this.scrollTop / ROW_HEIGHT)] ?? null;
      if (this.scroller) this.scroller.scrollTop = this.scrollTop;
    }
    this.update();
    // The row may stand in the document only after the next drawing.
    requestAnimationFrame(() => requestAnimationFrame(() => this.#focusRow(id)));
  }

  /** @param {string} id */
  #focusRow(id) {
    const row = this.scroller?.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
    if (row instanceof HTMLElement && this.active === id) row.focus({ preventScroll: true });
  }

  /** @param {number} by */
  move(by) {
    const at = this.active === null ? -1 : this.ids.indexOf(this.active);
    this.focus(at < 0 ? Math.floor(this.scrollTop / ROW_HEIGHT) + (by > 0 ? 0 : by) : at + by);
  }
}

/** @param {Context} ctx @param {string} id @returns {TableState} */
export function tableState(ctx, id) {
  const tables = (ctx.local["tables"] ??= {});
  return (tables[id] ??= new TableState(ctx.update));
}

/** Ids of the chosen rows. @param {Context} ctx @returns {Set<string>} */
export function selection(ctx) {
  return (ctx.local["selected"] ??= new Set());
}
