// @ts-check
/** Shortcuts: `/` search, `?` help, g and a letter for a view, and the keys of the view. */
import { helpDialog } from "../components/help.js";
import { TABLE_KEYS } from "../components/table-keys.js";
import { isEditing } from "./focus.js";
import { formatHash } from "./router.js";

const SEQUENCE_MS = 1500;

/** @param {import("./app.js").App} app */
export function listenToKeys(app) {
  let goUntil = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (app.dialog || app.login.isOpen) return;
    if (isEditing(event.target)) {
      if (event.key === "Escape") /** @type {HTMLElement} */ (event.target).blur();
      return;
    }
    const isGoing = event.timeStamp < goUntil;
    goUntil = 0;
    if (isGoing) {
      const view = app.views.find(({ letter }) => letter === event.key);
      if (view) {
        event.preventDefault();
        app.ctx.go(formatHash(view.path));
      }
      return;
    }
    if (event.key === "g") goUntil = event.timeStamp + SEQUENCE_MS;
    else if (event.key === "?") app.ctx.open((ctx) => helpDialog(ctx, app));
    else if (event.key === "/") {
      const search = document.querySelector("[data-search]");
      if (search instanceof HTMLInputElement) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else {
      const key = app.view?.keys?.[event.key];
      if (key) {
        event.preventDefault();
        key.run(app.ctx);
      } else if (isNowhere(event.target) && TABLE_KEYS.has(event.key)) {
        const table = document.querySelector("main .table-scroll");
        if (!table) return;
        event.preventDefault();
        table.dispatchEvent(new CustomEvent("table-key", { detail: event.key }));
      }
    }
  });
}

/** The focus is on nothing in particular. @param {EventTarget | null} target */
function isNowhere(target) {
  return target === document.body || (target instanceof Element && target.matches("main, .table-scroll"));
}
