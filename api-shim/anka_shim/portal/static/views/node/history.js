// @ts-check
/** The last instances of a Mac with their results, and its use in the last hour: is it sick? */

import { chip, phaseTone } from "../../components/chip.js";
import { sparkline } from "../../components/graphs.js";
import { looks } from "../../components/looks.js";
import { link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { between, count, duration } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { loadNodeHistory } from "./load.js";
import { resultsOf } from "./node.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/** @param {Context} ctx @param {import("./node.pure.js").HistoryEntry} entry */
function line(ctx, entry) {
  const ran = between(entry.startedAt, entry.finishedAt ?? ctx.now);
  const name = ctx.store.get("instances", entry.id) ? link("instances", entry.id, entry.name ?? entry.id) : (entry.name ?? entry.id);
  return html`<tr data-id=${entry.id} class=${entry.result === "Error" ? "failed" : ""}>
    <td>${chip(phaseTone(entry.result), entry.result)}</td><td>${name}</td>
    <td>${entry.template ?? ""}${entry.tag ? `:${entry.tag}` : ""}</td>
    <td>${time(entry.startedAt, ctx)}</td><td class="num">${ran === null ? "" : duration(ran)}</td>
    <td>${entry.reason ? html`<strong>${entry.reason}</strong> ` : nothing}${entry.message ?? ""}</td></tr>`;
}

/** @param {Context} ctx @param {NodeRow} node */
export function lastInstances(ctx, node) {
  const found = loadNodeHistory(ctx, node.id);
  const entries = found.value?.instances ?? [];
  const { failed, reasons } = resultsOf(entries);
  return html`<section class="card" data-panel="history"><h2>Last instances
      ${entries.length ? html`<small>${failed ? `${failed} of ${entries.length} failed: ${reasons.map(([reason, n]) => `${n} ${reason}`).join(", ")}` : `none of ${entries.length} failed`}</small>` : nothing}</h2>
    ${looks({
      state: found.state,
      what: "the history",
      error: found.error,
      isEmpty: !entries.length,
      empty: { title: "Nothing has run here lately.", hint: found.value?.since ? html`The server remembers since ${time(found.value.since, ctx)}.` : "" },
      content: () => html`<div class="scroll-x" tabindex="0" role="region" aria-label="Last instances"><table class="plain-table">
        <thead><tr><th scope="col">Result</th><th scope="col">Instance</th><th scope="col">Template</th><th scope="col">Started</th>
          <th scope="col" class="num">Ran for</th><th scope="col">Why</th></tr></thead>
        <tbody>${entries.map((entry) => line(ctx, entry))}</tbody></table></div>`,
    })}</section>`;
}

/** @param {Context} ctx @param {NodeRow} node */
export function usageLines(ctx, node) {
  const found = loadNodeHistory(ctx, node.id);
  const usage = found.value?.usage ?? [];
  if (usage.length < 2) return html`<p class="dim">No use of the last hour is known yet.</p>`;
  /** @param {string} label @param {1|2|3} column @param {number|undefined} max @param {import("../../core/types").Tone} tone */
  const row = (label, column, max, tone) => {
    const values = usage.map((sample) => sample[column]);
    const now = values[values.length - 1] ?? 0;
    const words = column === 1 ? count(now, "VM") : `${Math.round(now)} %`;
    return html`<li><span>${label}</span>${sparkline({ values, label: `${label} in the last hour, now ${words}`, ...(max ? { max } : {}), tone })}<span class="num">${words}</span></li>`;
  };
  return html`<ul class="spark-list">${row("VMs", 1, node.maxVms, "busy")}${row("CPU", 2, 100, "ok")}${row("RAM", 3, 100, "ok")}</ul>`;
}
