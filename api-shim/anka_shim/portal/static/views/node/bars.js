// @ts-check
/** What is handed out to VMs, and beside it what the Mac uses. */

import { meter } from "../../components/graphs.js";
import { html } from "../../core/html.js";
import { barsOf } from "./node.pure.js";

/**
 * @param {import("../../core/types").NodeRow} node
 * @param {number|null} slots
 * @param {number} taken
 */
export function bars(node, slots, taken) {
  const { allocated, used } = barsOf(node, slots, taken);
  /** @param {string} title @param {import("./node.pure.js").Bar[]} list @param {import("../../core/types").Tone} [tone] handing out all of it is no fault */
  const column = (title, list, tone) => html`<section><h3>${title}</h3><ul class="bar-list">${list.map(
    (bar) => html`<li><span>${bar.label}</span>${meter(tone ? { ...bar, tone } : bar)}</li>`)}</ul></section>`;
  return html`<div class="bars">${column("Handed out to VMs", allocated, "busy")} ${column("Used on the Mac", used)}</div>`;
}
