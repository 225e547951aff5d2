// @ts-check
/** The keyboard in a table: j k ↑ ↓ Home End PageUp PageDown, Enter opens, x selects, Esc leaves the selection. */
import { isEditing } from "../core/focus.js";
import { ROW_HEIGHT, selection } from "./table-state.js";

/** Keys that a table takes, also when the focus is nowhere. */
export const TABLE_KEYS = new Set(["j", "k", "ArrowDown", "ArrowUp", "Home", "End", "PageDown", "PageUp", "Enter", "x", "Escape"]);

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 * @param {import("./table-state.js").TableState} state
 */
export function keyDown(options, state) {
  const page = () => Math.max(1, Math.floor(state.height / ROW_HEIGHT) - 2);
  return (/** @type {KeyboardEvent | CustomEvent<string>} */ event) => {
    const isKey = event instanceof KeyboardEvent;
    const key = isKey ? event.key : event.detail;
    if (isKey && (event.ctrlKey || event.metaKey || event.altKey || isEditing(event.target))) return;
    const isOnRow = !isKey || (event.target instanceof Element && event.target.matches("tr, .table-scroll"));
    if (!act(key, isOnRow)) return;
    event.preventDefault();
    event.stopPropagation();
  };

  /** @param {string} key @param {boolean} isOnRow a link in a row has its own Enter @returns {boolean} was it for us? */
  function act(key, isOnRow) {
    if (key === "j" || key === "ArrowDown") state.move(1);
    else if (key === "k" || key === "ArrowUp") state.move(-1);
    else if (key === "PageDown") state.move(page());
    else if (key === "PageUp") state.move(-page());
    else if (key === "Home") state.focus(0);
    else if (key === "End") state.focus(state.ids.length - 1);
    else if (key === "Escape" && selection(options.ctx).size) selection(options.ctx).clear();
    else if (key === "Enter" && isOnRow && options.onOpen) {
      const row = options.rows.find((one) => options.rowId(one) === state.active);
      if (!row) return false;
      options.onOpen(row);
    } else if (key === "x" && options.selectable && state.active !== null) {
      const chosen = selection(options.ctx);
      if (!chosen.delete(state.active)) chosen.add(state.active);
    } else return false;
    options.ctx.update();
    return true;
  }
}
