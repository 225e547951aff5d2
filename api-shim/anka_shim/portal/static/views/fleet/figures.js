// @ts-check
/** The fleet in figures, on top of the map. */

import { nodeTone } from "../../components/chip.js";
import { meter, stackedBar } from "../../components/graphs.js";
import { between, bytes, count, percent, roughly } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { STATES } from "./fleet.pure.js";
import { isWaiting, oldestOf, waitsSince } from "../queue/queue.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").Content} Content */
/** @typedef {ReturnType<typeof import("./fleet.pure.js").figuresOf>} Figures */

/**
 * @param {string} label
 * @param {Content} value
 * @param {Content} words
 * @param {string} key
 */
const figure = (label, value, words, key) => html`<div class="figure" data-figure=${key}>
  <dt>${label}</dt><dd class="figure-value">${value}</dd><dd class="figure-words">${words}</dd></div>`;

/** @param {Figures} figures */
function states(figures) {
  return html`<span class="figure-list">${STATES.filter(([state]) => figures.states[state]).map(
    ([state, word]) => html`<a class="tone-${nodeTone(word)}" href=${formatHash("fleet", { state })}>${figures.states[state]} ${word}</a>`,
  )}</span>`;
}

/** @param {Figures} figures @param {Context} ctx */
function waiting(figures, ctx) {
  const oldest = oldestOf(ctx.store.rows("instances").filter((row) => isWaiting(row) && !row.never));
  const never = figures.never ? html` <a class="tone-bad" href="#/queue">${count(figures.never, "instance")} can never run</a>` : nothing;
  return html`${oldest ? html`oldest ${roughly(between(waitsSince(oldest), ctx.now) ?? 0)}` : "nothing waits"}${never}`;
}

/** @param {Figures} figures @param {Context} ctx */
function registry(figures, ctx) {
  const known = ctx.store.get("cloud", "cloud")?.registry;
  if (!known?.totalBytes) return figure("Registry", "–", known?.status ?? "not known", "registry");
  const free = known.freeBytes ?? 0;
  const bar = meter({ label: "Registry disk", value: known.totalBytes - free, max: known.totalBytes, text: `of ${bytes(known.totalBytes)}` });
  return figure("Registry disk free", bytes(free), bar, "registry");
}

/**
 * @param {Figures} figures
 * @param {Context} ctx
 */
export function figuresBar(figures, ctx) {
  const { free, freeVcpus, byResource } = figures;
  const macs = Object.values(figures.states).reduce((sum, n) => sum + n, 0);
  const room = byResource ? html`and ${freeVcpus} vCPUs on ${count(byResource, "Mac")} limited by resources` : "more VMs could start now";
  return html`<dl class="figures">
    ${figure("Active Macs", html`${figures.states["Active"] ?? 0}<small> of ${macs}</small>`, states(figures), "active")}
    ${figure("VMs running", figures.running, html`${figures.taken} of ${count(figures.capacity, "slot")} in use${stackedBar({ label: "Slots", max: figures.capacity, parts: [
        { label: "running", value: figures.running, tone: "ok" },
        { label: "starting or ending", value: Math.max(0, figures.taken - figures.running), tone: "busy" },
      ] })}`, "running")}
    ${figure("Slots free now", free, room, "free")}
    ${figure("Waiting", html`<a href="#/queue">${figures.waiting}</a>`, waiting(figures, ctx), "waiting")}
    ${registry(figures, ctx)}
    ${figure("Mean use of Active Macs", html`${percent(figures.cpu)}<small> CPU</small>`, html`${meter({ label: "CPU", value: figures.cpu, max: 100, text: `CPU ${percent(figures.cpu)}` })}
      ${meter({ label: "RAM", value: figures.ram, max: 100, text: `RAM ${percent(figures.ram)}` })}`, "usage")}
  </dl>`;
}
