// @ts-check
/** Instances by state and by template: the old portal's two pies, as bars that can be compared. */

import { phaseTone } from "../../components/chip.js";
import { meter } from "../../components/graphs.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { countBy } from "./breakdown.pure.js";

/** @typedef {import("../../core/types").InstanceRow} InstanceRow */
/** @typedef {import("../../core/types").Tone} Tone */

/**
 * @param {string} title
 * @param {string} key
 * @param {{label: string, value: number}[]} bars
 * @param {(label: string) => Tone} tone
 * @param {(label: string) => string} href
 */
function list(title, key, bars, tone, href) {
  const top = Math.max(1, ...bars.map((bar) => bar.value));
  return html`<section class="card" data-breakdown=${key}><h2>${title}</h2><ul class="bar-list">${bars.map(
    ({ label, value }) => html`<li><a href=${href(label)}>${label}</a>${meter({ label, value, max: top, text: String(value), tone: tone(label) })}</li>`,
  )}</ul></section>`;
}

/** @param {readonly InstanceRow[]} instances */
export function breakdown(instances) {
  if (!instances.length) return nothing;
  const states = countBy(instances, (row) => row.phase, 9);
  const templates = countBy(instances, (row) => row.template.name ?? row.template.id ?? "not known", 8);
  return html`<div class="cards-wide">
    ${list("Instances by state", "states", states, phaseTone, (phase) => formatHash("instances", { phase }))}
    ${list("Instances by template", "templates", templates, () => "busy", (q) => formatHash("instances", { q }))}
  </div>`;
}
