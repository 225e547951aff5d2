// @ts-check
/** Which tiles are chosen, which one the arrow keys are at, and what is done to those that are chosen. */

import { button } from "../../components/button.js";
import { html, nothing } from "../../core/html.js";
import { RIGHTS, drain, nameThem, resume, updateAgents } from "../node/actions.js";
import { openConfigure } from "../node/configure-dialog.js";
import { openGroups } from "../node/groups-dialog.js";
import { openDistribute } from "../templates/distribute-dialog.js";
import { nextTile } from "./grid.pure.js";
import { isDrained } from "./slots.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/** @param {Context} ctx @returns {Set<string>} */
export const selectedIds = (ctx) => (ctx.local["selected"] ??= new Set());

/** @param {Context} ctx @param {string} id */
export function toggle(ctx, id) {
  const selected = selectedIds(ctx);
  if (!selected.delete(id)) selected.add(id);
  ctx.update();
}

/** @param {Context} ctx @param {KeyboardEvent} event */
export function moveByKey(ctx, event) {
  if (!(event.currentTarget instanceof HTMLElement) || !(event.target instanceof HTMLElement)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLSelectElement) return;
  const links = [...event.currentTarget.querySelectorAll("[data-tile]")];
  const from = links.indexOf(/** @type {Element} */ (event.target.closest(".mac")?.querySelector("[data-tile]")));
  const places = links.map((link) => {
    const { left, top } = /** @type {Element} */ (link.closest(".mac")).getBoundingClientRect();
    return { left: Math.round(left), top: Math.round(top) };
  });
  const next = nextTile(places, from, event.key);
  const link = links[next];
  if (next === from || !(link instanceof HTMLElement)) return;
  event.preventDefault();
  ctx.local["current"] = link.dataset["tile"];
  ctx.update();
  link.focus();
}

/**
 * What can be done to all that are chosen; stands above the map while there are some.
 * @param {Context} ctx
 * @param {readonly NodeRow[]} shown in the order of the screen
 */
export function selectionBar(ctx, shown) {
  const selected = selectedIds(ctx);
  const nodes = shown.filter((node) => selected.has(node.id));
  if (!nodes.length) return nothing;
  const right = RIGHTS.configure;
  const drained = nodes.filter(isDrained);
  const others = nodes.filter((node) => !isDrained(node));
  return html`<div class="selection-bar" role="toolbar" aria-label="What to do with the chosen Macs">
    <strong>${nameThem(nodes)} chosen</strong>
    ${button({ ctx, label: "Drain", right, run: () => void drain(ctx, others), disabled: !others.length, why: "They are draining already." })}
    ${button({ ctx, label: "Resume", right, run: () => void resume(ctx, drained), disabled: !drained.length, why: "None of them is draining." })}
    ${button({ ctx, label: "Groups…", right: RIGHTS.join, run: () => openGroups(ctx, nodes) })}
    ${button({ ctx, label: "Configure…", right, run: () => openConfigure(ctx, nodes) })}
    ${button({ ctx, label: "Distribute…", right: "registry_distribute", run: () => openDistribute(ctx, { nodes: nodes.map(({ id }) => id) }) })}
    ${button({ ctx, label: "Update agents…", right, run: () => updateAgents(ctx, nodes) })}
    ${button({ ctx, label: "All that are shown", quiet: true, run: () => {
      for (const node of shown) selected.add(node.id);
      ctx.update();
    } })}
    ${button({ ctx, label: "None", quiet: true, run: () => {
      selected.clear();
      ctx.update();
    } })}
  </div>`;
}
