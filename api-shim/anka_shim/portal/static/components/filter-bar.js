// @ts-check
import { html, live, nothing } from "../core/html.js";
import { icon } from "./icon.js";

/**
 * Search and choices, which stand in the address.
 *
 * @param {import("../core/types").Context} ctx
 * @param {{
 *   search?: boolean, placeholder?: string, extra?: import("../core/types").Content,
 *   fields?: {key: string, label: string, options: (string | {value: string, label: string})[]}[],
 * }} options
 */
export function filterBar(ctx, { search = true, placeholder = "Search", fields = [], extra } = {}) {
  const { query } = ctx.route;
  const keys = ["q", ...fields.map(({ key }) => key)];
  const isFiltered = keys.some((key) => query[key]);
  return html`<div class="filter-bar" role="search">
    ${search
      ? html`<label class="search">${icon("search")}<span class="offscreen">${placeholder}</span>
          <input type="search" data-search placeholder=${placeholder} spellcheck="false" autocomplete="off" maxlength="200"
            .value=${live(query["q"] ?? "")} @input=${(/** @type {InputEvent} */ event) =>
              ctx.setQuery({ q: /** @type {HTMLInputElement} */ (event.target).value })}></label>`
      : nothing}
    ${fields.map(
      ({ key, label, options }) => html`<label class="choice"><span>${label}</span>
        <select .value=${live(query[key] ?? "")} @change=${(/** @type {Event} */ event) =>
          ctx.setQuery({ [key]: /** @type {HTMLSelectElement} */ (event.target).value })}>
          <option value="" ?selected=${!query[key]}>all</option>
          ${withChosen(options, query[key]).map(
            ({ value, label: text }) => html`<option value=${value} ?selected=${value === query[key]}>${text}</option>`,
          )}
        </select></label>`,
    )}
    ${isFiltered
      ? html`<button type="button" class="button quiet" @click=${() =>
          ctx.setQuery(Object.fromEntries(keys.map((key) => [key, null])))}>Clear filters</button>`
      : nothing}
    ${extra ?? nothing}
  </div>`;
}

/** A bookmark may choose what no row has now. @param {(string | {value: string, label: string})[]} options @param {string | undefined} chosen */
function withChosen(options, chosen) {
  const all = options.map((option) => (typeof option === "string" ? { value: option, label: option } : option));
  if (chosen && !all.some(({ value }) => value === chosen)) all.push({ value: chosen, label: chosen });
  return all;
}
