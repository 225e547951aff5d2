// @ts-check
/** Where an instance would go now, and what rules out each other Mac, by name. */

import { chip } from "../../components/chip.js";
import { looks } from "../../components/looks.js";
import { link } from "../../components/text.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { groupAssessments } from "./queue.pure.js";

/** @typedef {import("../../core/types").Context} Context */

/**
 * `GET /portal/v1/explain`
 * @typedef {object} Explanation
 * @property {{node?: string, reason?: string, message?: string}} answer
 * @property {number} ahead
 * @property {number} placed
 * @property {{node: string, fits: boolean, why?: string|null, needsPull?: boolean}[]} nodes
 */

/** More Macs than this of one reason are folded. */
const SHOWN = 12;

/** How often the answer is asked for anew, in ms: it costs a round of the scheduler. */
const EVERY = 10_000;

/** @param {Context} ctx @param {string} id */
const macLink = (ctx, id) => link("nodes", id, ctx.store.get("nodes", id)?.name ?? id);

/** @param {Context} ctx @param {string[]} nodes */
function names(ctx, nodes) {
  const [shown, rest] = [nodes.slice(0, SHOWN), nodes.slice(SHOWN)];
  return html`${shown.map((id, i) => html`${i ? ", " : ""}${macLink(ctx, id)}`)}${rest.length
    ? html`<details class="more-names"><summary>${rest.length} more</summary>${rest.map((id, i) => html`${i ? ", " : ""}${macLink(ctx, id)}`)}</details>`
    : nothing}`;
}

/** @param {Context} ctx @param {Explanation} explanation */
function answer(ctx, { answer: found, ahead, placed, nodes }) {
  const queue = ahead ? `${count(ahead, "instance")} ahead of it, of which ${placed} get a Mac now.` : "Nothing is ahead of it.";
  return html`<p data-answer=${found.node ?? found.reason ?? ""}>${found.node
      ? html`${chip("ok", "would start now")} on ${macLink(ctx, found.node)}`
      : html`${chip("wait", found.reason ?? "waits")} ${found.message}`}</p>
    <p class="dim">${queue}</p>
    ${nodes.length
      ? html`<ul class="reasons">${groupAssessments(nodes).map(
          ({ why, fits, nodes: macs }) => html`<li class=${fits ? "fits" : ""}><strong>${why}</strong> (${macs.length}): ${names(ctx, macs)}</li>`)}</ul>`
      : nothing}`;
}

/**
 * @param {Context} ctx
 * @param {Record<string, string>} query `id` of an instance, or the fields of `POST /api/v1/vm`
 */
export function explanationPanel(ctx, query) {
  const words = new URLSearchParams(query).toString();
  const found = ctx.resource(`explain?${words}`, (signal) => ctx.api.call("GET", `/portal/v1/explain?${words}`, undefined, { signal }), { every: EVERY });
  return html`<section class="explanation" aria-label="Where would it go?">${looks({
    state: found.state,
    what: "the answer",
    error: found.error,
    content: () => (found.value ? answer(ctx, found.value) : nothing),
  })}</section>`;
}
