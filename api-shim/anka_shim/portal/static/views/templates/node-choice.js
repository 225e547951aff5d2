// @ts-check
/** Macs to tick, of many: a search, and all or none of what it finds. */
import { button } from "../../components/button.js";
import { count } from "../../core/format.js";
import { matches } from "../../core/filters.js";
import { html, live, nothing } from "../../core/html.js";
import { compare } from "../../core/sort.js";

/** @typedef {import("../../core/types").Context} Context */

/**
 * @param {Context} ctx @param {{nodes: Set<string>, search: string}} form
 * @param {{nodes: import("../../core/types").NodeRow[], note?: (id: string) => string, error?: string | undefined}} options
 */
export function nodeChoice(ctx, form, { nodes, note, error }) {
  const shown = nodes
    .filter((node) => matches(`${node.name}\n${node.id}`, form.search))
    .sort((a, b) => compare(a.name, b.name));
  const setAll = (/** @type {boolean} */ isOn) => {
    for (const node of shown) {
      if (isOn) form.nodes.add(node.id);
      else form.nodes.delete(node.id);
    }
    ctx.update();
  };
  return html`<fieldset class="node-choice"><legend>Macs: ${count(form.nodes.size, "Mac")} chosen</legend>
    <div class="row"><input type="search" aria-label="Search Macs" placeholder="Search Macs" .value=${live(form.search)}
        @input=${(/** @type {Event} */ event) => {
          form.search = /** @type {HTMLInputElement} */ (event.target).value;
          ctx.update();
        }}>
      ${button({ label: "All", ctx, quiet: true, run: () => setAll(true) })}${button({ label: "None", ctx, quiet: true, run: () => setAll(false) })}</div>
    <ul>${shown.map((node) => html`<li><label class="check"><input type="checkbox" .checked=${live(form.nodes.has(node.id))}
        @change=${() => {
          if (!form.nodes.delete(node.id)) form.nodes.add(node.id);
          ctx.update();
        }}><span>${node.name} <small class="dim">${note?.(node.id) ?? ""}</small></span></label></li>`)}</ul>
    ${error ? html`<small class="field-error">${error}</small>` : nothing}
  </fieldset>`;
}
