// @ts-check
/** A choice that stands in the address, with one option that always holds. */

import { html, live } from "../../core/html.js";

/**
 * @param {import("../../core/types").Context} ctx
 * @param {{key: string, label: string, options: readonly (readonly [string, string])[]}} choice the first option is the
 * default, which the address leaves out
 */
export function picker(ctx, { key, label, options }) {
  const first = options[0]?.[0] ?? "";
  const chosen = ctx.route.query[key] ?? first;
  return html`<label class="choice"><span>${label}</span>
    <select .value=${live(chosen)} @change=${(/** @type {Event} */ event) => {
      const { value } = /** @type {HTMLSelectElement} */ (event.target);
      ctx.setQuery({ [key]: value === first ? null : value });
    }}>${options.map(([value, words]) => html`<option value=${value} ?selected=${value === chosen}>${words}</option>`)}</select></label>`;
}
