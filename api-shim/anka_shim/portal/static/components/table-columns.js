// @ts-check
/** Which columns a table shows: `cols=name,state` in the address. @typedef {import("../core/types").Context} Context */
import { html } from "../core/html.js";
import { icon } from "./icon.js";

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 * @returns {import("../core/types").Column<R>[]}
 */
export function shownColumns({ columns, ctx }) {
  const wanted = ctx.route.query["cols"];
  if (wanted === undefined) return columns.filter(({ hidden }) => !hidden);
  const keys = new Set(wanted.split(","));
  return columns.filter(({ key, always }) => always || keys.has(key));
}

/**
 * @template R
 * @param {import("../core/types").TableOptions<R>} options
 * @param {import("./table-state.js").TableState} state
 */
export function chooser(options, state) {
  const shown = new Set(shownColumns(options).map(({ key }) => key));
  const change = (/** @type {string} */ key) => {
    if (!shown.delete(key)) shown.add(key);
    const keys = options.columns.filter((column) => shown.has(column.key)).map((column) => column.key);
    options.ctx.setQuery({ cols: keys.join(",") });
  };
  const close = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Escape" || !state.isColumnsOpen) return;
    event.stopPropagation();
    state.isColumnsOpen = false;
    options.ctx.update();
  };
  return html`<details class="chooser" ?open=${state.isColumnsOpen} @keydown=${close} @toggle=${(/** @type {Event} */ event) => {
    state.isColumnsOpen = /** @type {HTMLDetailsElement} */ (event.target).open;
  }}>
    <summary class="button quiet">${icon("columns")}<span>Columns</span></summary>
    <div class="chooser-list">
      ${options.columns.map(
        ({ key, label, always }) => html`<label><input type="checkbox" .checked=${shown.has(key)} ?disabled=${always}
          @change=${() => change(key)}> ${label}</label>`,
      )}
      <button type="button" class="button quiet" @click=${() => options.ctx.setQuery({ cols: null })}>Standard columns</button>
    </div>
  </details>`;
}
