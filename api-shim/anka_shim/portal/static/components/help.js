// @ts-check
/** @typedef {import("../core/types").Context} Context */
import { html, nothing } from "../core/html.js";
import { dialog } from "./dialog.js";

const EVERYWHERE = [
  ["/", "search"],
  ["?", "this help"],
  ["g, then a letter", "another view"],
  ["j k ↑ ↓", "next or previous row"],
  ["Enter", "open the row"],
  ["x", "select the row"],
  ["Esc", "close, or leave the selection"],
];

/** @param {Context} ctx @param {import("../core/app.js").App} app */
export function helpDialog(ctx, app) {
  const own = Object.entries(app.view?.keys ?? {});
  const letters = app.views.filter(({ letter }) => letter);
  return dialog({
    title: "Keys",
    onClose: () => ctx.close(),
    body: html`<div class="help">
      <section><h3>Everywhere</h3>${list(EVERYWHERE)}</section>
      ${own.length ? html`<section><h3>${app.view?.title(ctx)}</h3>${list(own.map(([key, { title }]) => [key, title]))}</section>` : nothing}
      <section><h3>Views</h3>${list(letters.map((view) => [`g ${view.letter}`, view.nav?.label ?? view.title(ctx)]))}</section>
    </div>`,
  });
}

/** @param {(string | undefined)[][]} keys */
function list(keys) {
  return html`<dl class="keys">${keys.map(([key, text]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${text}</dd></div>`)}</dl>`;
}
