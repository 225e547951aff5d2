// @ts-check
/** Sections of the page of one object: conditions, events, YAML. @typedef {import("../core/types").Context} Context */
import { html } from "../core/html.js";
import { chip } from "./chip.js";
import { codeBlock } from "./request-text.js";
import { time } from "./time.js";

/** @param {string} title @param {import("../core/types").Content} content @param {import("../core/types").Content} [actions] */
export function section(title, content, actions) {
  return html`<section class="panel" aria-label=${title}><header class="panel-head"><h2>${title}</h2>${actions ?? ""}</header>${content}</section>`;
}

/**
 * @param {Context} ctx
 * @param {{type: string, status: string, reason?: string, message?: string, lastTransitionTime?: string, since?: string}[]} conditions
 */
export function conditionList(ctx, conditions) {
  if (!conditions.length) return html`<p class="dim">No controller has written any yet.</p>`;
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label="Table of conditions"><table class="plain">
    <thead><tr><th scope="col">Condition</th><th scope="col">Status</th><th scope="col">Reason</th><th scope="col">Since</th><th scope="col">Message</th></tr></thead>
    <tbody>${conditions.map((one) => html`<tr><td>${one.type}</td><td>${chip(toneOf(one), one.status)}</td><td>${one.reason ?? ""}</td>
      <td>${time(one.lastTransitionTime ?? one.since, ctx)}</td><td class="wrap">${one.message ?? ""}</td></tr>`)}</tbody>
  </table></div>`;
}

/** kstatus: Ready should be True; Reconciling and Stalled are there only while something is. @param {{type: string, status: string}} condition */
function toneOf({ type, status }) {
  if (status === "Unknown") return "wait";
  if (type === "Reconciling") return status === "True" ? "busy" : "off";
  if (type === "Stalled") return status === "True" ? "bad" : "off";
  return status === "True" ? "ok" : "warn";
}

/** @param {Context} ctx @param {{at: string, type: string, reason: string, message: string, count?: number, by?: string}[]} events */
export function eventList(ctx, events) {
  if (!events.length) return html`<p class="dim">Kubernetes has no events of it. It keeps them for an hour.</p>`;
  return html`<div class="scroll-x" tabindex="0" role="region" aria-label="Table of events"><table class="plain">
    <thead><tr><th scope="col">When</th><th scope="col">Reason</th><th scope="col">Message</th><th scope="col">By</th></tr></thead>
    <tbody>${events.map((one) => html`<tr><td>${time(one.at, ctx)}</td>
      <td>${chip(one.type === "Warning" ? "warn" : "off", one.reason)}${(one.count ?? 1) > 1 ? html` <span class="dim">× ${one.count}</span>` : ""}</td>
      <td class="wrap">${one.message}</td><td>${one.by ?? ""}</td></tr>`)}</tbody>
  </table></div>`;
}

/** @param {Context} ctx @param {string} yaml */
export function yamlBlock(ctx, yaml) {
  return codeBlock(ctx, yaml, "the YAML");
}
