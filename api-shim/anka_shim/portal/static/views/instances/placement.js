// @ts-check
/** "Where would it go?": the scheduler's own answer for what the dialog asks for, by the names of the Macs. */
import { button } from "../../components/button.js";
import { chip } from "../../components/chip.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { link } from "../../components/text.js";
import { toQuery } from "./start-request.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./start-request.pure.js").StartForm} StartForm */
/**
 * @typedef {{
 *   answer: {node?: string, name?: string, needsPull?: boolean, reason?: string, message?: string}, ahead?: number,
 *   nodes?: {node: string, name?: string, fits: boolean, why?: string, needsPull?: boolean, running?: number, capacity?: number}[],
 * }} Explanation
 */

/** What is known of it. */
export function placement() {
  return { query: "", isAsking: false, error: "", /** @type {Explanation | null} */ answer: null };
}

/** @param {Context} ctx @param {StartForm} form @param {ReturnType<typeof placement>} state @param {boolean} isComplete */
export function whereItWouldGo(ctx, form, state, isComplete) {
  const query = toQuery(form);
  const isOld = state.answer !== null && state.query !== query;
  return html`<section class="placement" aria-label="Where it would go">
    ${button({
      label: "Where would it go?", ctx, icon: "nodes", right: "list_nodes", disabled: !isComplete || state.isAsking,
      why: state.isAsking ? "The scheduler is asked." : "Fill in the form first.", run: () => void ask(ctx, query, state),
    })}
    <div role="status">
      ${state.error ? html`<p class="form-error">${state.error}</p>` : nothing}
      ${isOld ? html`<p class="dim">The form has changed since: ask again.</p>` : nothing}
      ${state.answer && !isOld ? explanation(state.answer) : nothing}
    </div>
  </section>`;
}

/** @param {Context} ctx @param {string} query @param {ReturnType<typeof placement>} state */
async function ask(ctx, query, state) {
  state.isAsking = true;
  state.error = "";
  ctx.update();
  try {
    state.answer = await ctx.api.call("GET", `/portal/v1/explain?${query}`);
    state.query = query;
  } catch (error) {
    state.answer = null;
    state.error = /** @type {Error} */ (error).message;
  }
  state.isAsking = false;
  ctx.update();
}

/** The answer, and what stands against each Mac. @param {Explanation} explained */
export function explanation({ answer, ahead, nodes = [] }) {
  const inOrder = [...nodes].sort((a, b) => Number(b.fits) - Number(a.fits));
  return html`<p>${answer.node
      ? html`It would start on <strong>${link("nodes", answer.node, answer.name)}</strong>${answer.needsPull ? ", which would pull the template first" : ""}.`
      : html`It would wait: ${answer.message ?? answer.reason}.`}
      ${ahead ? html` ${count(ahead, "instance")} would go before it.` : nothing}</p>
    ${inOrder.length
      ? html`<ul class="verdicts">${inOrder.map(
          (node) => html`<li>${chip(node.fits ? "ok" : "off", node.name ?? node.node)}
            ${node.fits ? (node.needsPull ? "could take it, and would pull the template" : "could take it") : node.why}
            ${node.capacity == null ? nothing : html`<span class="dim">${node.running ?? 0} of ${node.capacity}</span>`}</li>`,
        )}</ul>`
      : nothing}`;
}
