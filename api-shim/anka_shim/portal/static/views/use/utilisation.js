// @ts-check
/** What the cloud has done in the last hour. */

import { button } from "../../components/button.js";
import { meter } from "../../components/graphs.js";
import { looks } from "../../components/looks.js";
import { time } from "../../components/time.js";
import { count, duration, percent } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { tilesOf } from "../fleet/fleet.pure.js";
import { heldNodes, placedByNode } from "../fleet/slots.pure.js";
import { membersOf } from "../group/chain.pure.js";
import { barChart, lineChart } from "./chart.js";
import { latest, seriesCsv, total } from "./history.pure.js";
import { loadHistory } from "./load.js";
import { save } from "./save.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./history.pure.js").History} History */

/** @param {number} seconds */
const words = (seconds) => duration(1000 * seconds);

/** @param {History} history */
function figures({ series, waitSeconds, pullHits }) {
  const [running, capacity] = [latest(series["running"]), latest(series["capacity"])];
  const [started, failed] = [total(series["started"]), total(series["failed"])];
  const pulls = (pullHits?.cached ?? 0) + (pullHits?.pulled ?? 0);
  const all = started + failed;
  return html`<dl class="figures">
    <div class="figure"><dt>Capacity in use</dt><dd class="figure-value">${capacity ? percent((100 * running) / capacity) : "–"}</dd>
      <dd class="figure-words">${running} of ${count(capacity, "slot")}</dd></div>
    <div class="figure"><dt>Started</dt><dd class="figure-value">${started}</dd><dd class="figure-words">in the last hour</dd></div>
    <div class="figure"><dt>Failed</dt><dd class="figure-value ${failed ? "tone-bad" : ""}">${failed}</dd>
      <dd class="figure-words">${all ? `${percent((100 * failed) / all)} of ${all}` : "of none"}</dd></div>
    <div class="figure"><dt>Wait for a Mac</dt><dd class="figure-value">${waitSeconds?.n ? words(waitSeconds.p50) : "–"}<small> median</small></dd>
      <dd class="figure-words">${waitSeconds?.n ? `95 of 100 at most ${words(waitSeconds.p95)}` : "nothing was started"}</dd></div>
    <div class="figure"><dt>Template was there</dt><dd class="figure-value">${pulls ? percent((100 * (pullHits?.cached ?? 0)) / pulls) : "–"}</dd>
      <dd class="figure-words">${pulls ? `${pullHits?.pulled ?? 0} of ${count(pulls, "start")} pulled it first` : "nothing was started"}</dd></div>
  </dl>`;
}

/** @param {Context} ctx @param {History} history */
function tables(ctx, { failures, startSeconds }) {
  const reasons = Object.entries(failures ?? {}).sort((a, b) => b[1] - a[1]);
  const top = Math.max(1, ...reasons.map(([, n]) => n));
  const templates = Object.entries(startSeconds ?? {}).sort((a, b) => b[1].n - a[1].n);
  return html`<div class="cards-wide">
    <section class="card" data-panel="failures"><h2>Failures by reason</h2>${reasons.length
      ? html`<ul class="bar-list">${reasons.map(([reason, n]) => html`<li><a href=${formatHash("instances", { phase: "Error", q: reason })}>${reason}</a>${meter({ label: reason, value: n, max: top, text: String(n), tone: "bad" })}</li>`)}</ul>`
      : html`<p class="dim">None.</p>`}</section>
    <section class="card" data-panel="starts"><h2>Time to start by template</h2>${templates.length
      ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Time to start by template"><table class="plain-table"><thead><tr><th scope="col">Template</th><th scope="col" class="num">Starts</th><th scope="col" class="num">Median</th>
          <th scope="col" class="num">95 of 100 within</th></tr></thead>
          <tbody>${templates.map(([name, { p50, p95, n }]) => html`<tr><td>${ctx.store.get("templates", name)?.name ?? name}</td><td class="num">${n}</td><td class="num">${words(p50)}</td><td class="num">${words(p95)}</td></tr>`)}</tbody></table></div>`
      : html`<p class="dim">Nothing was started.</p>`}</section>
  </div>`;
}

/** What each group has in use now. @param {Context} ctx */
function groups(ctx) {
  const all = [...ctx.store.rows("groups")].sort((a, b) => a.name.localeCompare(b.name));
  if (!all.length) return nothing;
  const nodes = ctx.store.rows("nodes");
  const placed = placedByNode(ctx.store.rows("instances"));
  const held = heldNodes([]);
  return html`<section class="card"><h2>Slots in use by group, now</h2><ul class="bar-list">${all.map((group) => {
    const slots = tilesOf(membersOf(nodes, group.id), placed, held).flatMap((tile) => tile.slots);
    const taken = slots.filter(({ kind }) => kind !== "free").length;
    return html`<li><a href=${formatHash("fleet", { group: group.id })}>${group.name}</a>${meter({ label: group.name, tone: "busy", value: taken, max: slots.length, text: `${taken} of ${slots.length}` })}</li>`;
  })}</ul></section>`;
}

/** @param {Context} ctx @param {History} history */
function content(ctx, history) {
  const { series } = history;
  const times = series["t"] ?? [];
  const line = (/** @type {string} */ key) => series[key] ?? [];
  const grafana = ctx.store.get("cloud", "cloud")?.grafanaUrl;
  return html`<div class="utilisation">
    <div class="button-row">
      <p class="grow dim">As one replica of the server remembers it, since ${time(history.since, ctx)}.</p>
      ${button({ ctx, label: "Download as CSV", icon: "download", run: () => save("anka-utilisation.csv", "text/csv", seriesCsv(history)) })}
      ${grafana && /^https?:\/\//.test(grafana) ? html`<a class="button" href=${grafana} target="_blank" rel="noopener noreferrer">Open Grafana</a>` : nothing}
    </div>
    ${figures(history)}
    ${times.length < 2
      ? html`<p class="look look-empty">The first figures come within a minute.</p>`
      : html`<div class="charts">
          ${lineChart({ title: "VMs", times, lines: [
            { label: "slots", values: line("capacity"), tone: "off", isDashed: true }, { label: "running", values: line("running"), tone: "ok" },
            { label: "waiting", values: line("waiting"), tone: "wait" }] })}
          ${barChart({ title: "Starts", times, lines: [
            { label: "started", values: line("started"), tone: "ok" }, { label: "failed", values: line("failed"), tone: "bad" }] })}
          ${lineChart({ title: "Oldest wait, in seconds", times, lines: [{ label: "oldest wait", values: line("oldestWait"), tone: "warn" }] })}
        </div>`}
    ${tables(ctx, history)} ${groups(ctx)}
    ${grafana ? nothing : html`<p class="hint">For more than an hour: Prometheus reads <code>/metrics</code>, and the chart brings dashboards for Grafana.</p>`}
  </div>`;
}

/** @type {import("../../core/types").View} */
export default {
  name: "utilisation",
  path: "utilisation",
  title: () => "Utilisation",
  right: "list_vms",
  letter: "u",
  nav: { section: "Fleet", order: 50, label: "Utilisation", icon: "chart" },
  same: (ctx) => ({
    kubectl: ["kubectl get ankanodes -o wide"],
    curl: [ctx.api.curl("GET", "/portal/v1/history"), ctx.api.curl("GET", "/api/v1/stats"), ctx.api.curl("GET", "/metrics")],
  }),
  render(ctx) {
    const found = loadHistory(ctx);
    const { value } = found;
    return looks({
      state: found.state,
      what: "the last hour",
      error: found.error,
      content: () => (value ? content(ctx, value) : nothing),
    });
  },
};
