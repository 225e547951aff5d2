// @ts-check
/** States as shape, letter and colour: none of them alone. @typedef {import("../core/types").Tone} Tone */
import { html, ifDefined } from "../core/html.js";

/** @type {Record<Tone, string>} */
const SHAPES = { ok: "●", busy: "◐", wait: "○", warn: "▲", bad: "■", off: "–" };

/** @type {Record<string, Tone>} */
const PHASES = {
  Scheduling: "wait", Pulling: "busy", Started: "ok", Stopping: "busy", Stopped: "off", Terminating: "busy",
  Terminated: "off", Error: "bad", Pushing: "busy", Pending: "wait", Running: "busy", Done: "ok", Succeeded: "ok",
  Failed: "bad", Complete: "ok", Completed: "ok", Cancelled: "off", Saved: "ok",
};

/** @type {Record<string, Tone>} */
const NODES = {
  Active: "ok", Offline: "bad", Drain: "warn", "Drain Mode": "warn", Inactive: "bad", Unhealthy: "bad", Updating: "busy",
};

/** @param {Tone} tone @param {string} text @param {string} [title] */
export function chip(tone, text, title) {
  return html`<span class="chip tone-${tone}" title=${ifDefined(title || undefined)}
    ><span class="shape" aria-hidden="true">${SHAPES[tone]}</span>${text}</span>`;
}

/** @param {string | null | undefined} phase @param {string} [title] */
export function phaseChip(phase, title) {
  return chip(phaseTone(phase), phase ?? "unknown", title);
}

/** @param {string | null | undefined} phase @returns {Tone} */
export function phaseTone(phase) {
  return PHASES[phase ?? ""] ?? "warn";
}

/** @param {string | null | undefined} state @param {string} [title] */
export function nodeChip(state, title) {
  return chip(nodeTone(state), state ?? "Joining", title);
}

/** @param {string | null | undefined} state @returns {Tone} */
export function nodeTone(state) {
  return state == null ? "wait" : (NODES[state] ?? "warn");
}
