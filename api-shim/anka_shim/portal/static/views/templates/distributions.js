// @ts-check
/** Requests to bring templates to Macs, or to remove them: a card each, with what every Mac does. */
import { button } from "../../components/button.js";
import { phaseChip, chip } from "../../components/chip.js";
import { confirm } from "../../components/dialog.js";
import { filterBar } from "../../components/filter-bar.js";
import { progress } from "../../components/graphs.js";
import { looks } from "../../components/looks.js";
import { link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { count } from "../../core/format.js";
import { matches } from "../../core/filters.js";
import { html, nothing, repeat } from "../../core/html.js";
import { groupName, nodeName, templateTitle } from "../instances/names.js";
import { openDistribute } from "./distribute-dialog.js";
import { entryState, inOrder, isOpen, latestFirst, summary } from "./progress.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").DistributionRow} Distribution */

const CARDS = 20;
const LINES = 8;

/** @param {Context} ctx @param {Distribution} row */
function titleOf(ctx, row) {
  const template = ctx.store.get("templates", row.template.id);
  return template ? templateTitle(template) : (row.template.name ?? row.template.id ?? "");
}

/** @type {import("../../core/types").View} */
export default {
  name: "distributions",
  path: "distributions",
  title: () => "Distributions",
  right: "registry_distribute_status",
  letter: "d",
  nav: { section: "Templates", order: 30, icon: "nodes", badge: (ctx) => ctx.store.rows("distributions").filter(isOpen).length || null },
  aliases: ["distribute-templates"],
  render(ctx) {
    const { query } = ctx.route;
    const found = latestFirst(ctx.store.rows("distributions")).filter((row) =>
      (query["state"] !== "open" || isOpen(row)) &&
      (query["state"] !== "ended" || !isOpen(row)) &&
      matches([titleOf(ctx, row), row.template.tag, row.id, row.requestedBy, ...(row.nodes ?? []).map(({ node }) => nodeName(ctx, node))].join("\n"), query["q"]));
    const shown = query["all"] ? found : found.slice(0, CARDS);
    return html`
      ${filterBar(ctx, {
        placeholder: "Search template, Mac",
        fields: [{ key: "state", label: "State", options: ["open", "ended"] }],
        extra: button({ label: "Distribute", ctx, icon: "plus", right: "registry_distribute", primary: true, run: () => openDistribute(ctx) }),
      })}
      ${looks({
        state: ctx.store.state("distributions"), what: "distributions", isEmpty: found.length === 0,
        empty: query["q"] || query["state"]
          ? { title: "No request matches these filters." }
          : { title: "No distribution requests.", hint: "Distribute a template, and its Macs need not pull when an instance starts." },
        content: () => html`<div class="cards distributions">${repeat(shown, (row) => row.id, (row) => card(ctx, row))}</div>
          ${found.length > shown.length
            ? button({ label: `See all ${count(found.length, "request")}`, ctx, run: () => ctx.setQuery({ all: "1" }) }) : nothing}`,
      })}`;
  },
  same: (ctx) => ({
    kubectl: ["kubectl get templatedistributions"],
    curl: [ctx.api.curl("GET", "/api/v1/registry/vm/distribute")],
  }),
};

/** @param {Context} ctx @param {Distribution} row */
function card(ctx, row) {
  const sums = summary(row);
  const lines = inOrder(row);
  /** @type {Set<string>} */
  const opened = (ctx.local["opened"] ??= new Set());
  const shown = opened.has(row.id) ? lines : lines.slice(0, LINES);
  const isRemoval = row.action === "Remove";
  return html`<article class="card" data-id=${row.id} aria-label="${isRemoval ? "Removal" : "Distribution"} of ${titleOf(ctx, row)}">
    <header class="row"><h2>${isRemoval ? "Remove " : nothing}${titleOf(ctx, row)} ${row.template.tag ?? (isRemoval ? "" : "latest")}</h2>
      ${row.cancelled && row.phase !== "Cancelled" ? chip("off", "Cancelled") : phaseChip(row.phase)}</header>
    <p class="dim">${time(row.created, ctx)}${row.group ? html`, group ${groupName(ctx, row.group)}` : nothing}${row.requestedBy ? `, requested by ${row.requestedBy}` : nothing}</p>
    ${progress({ label: `${sums.done} of ${sums.all} done`, percent: sums.percent })}
    <p>${sums.done} of ${count(sums.all, "Mac")} done${sums.running ? `, ${sums.running} at work` : ""}${sums.waiting ? `, ${sums.waiting} waiting` : ""}${sums.failed ? html`, <strong class="bad-text">${sums.failed} failed</strong>` : nothing}</p>
    <ul class="macs">${shown.map((entry) => macLine(ctx, entry))}</ul>
    ${lines.length > shown.length
      ? button({ label: `All ${count(lines.length, "Mac")}`, ctx, quiet: true, run: () => { opened.add(row.id); ctx.update(); } }) : nothing}
    ${isOpen(row) ? html`<div class="actions">${button({ label: "Cancel distribution", ctx, right: "registry_distribute", danger: true, run: () => askCancel(ctx, row) })}</div>` : nothing}
  </article>`;
}

/** @param {Context} ctx @param {NonNullable<Distribution["nodes"]>[number]} entry */
function macLine(ctx, entry) {
  const state = entryState(entry);
  return html`<li>${link("nodes", entry.node, nodeName(ctx, entry.node))}
    ${state === "done" ? chip("ok", "done") : state === "failed" ? chip("bad", "failed")
      : state === "waiting" ? chip("wait", "waiting") : progress({ label: nodeName(ctx, entry.node), percent: entry.percent ?? 0 })}
    ${entry.message ? html`<small class=${state === "failed" ? "bad-text" : "dim"}>${entry.message}</small>` : nothing}</li>`;
}

/** @param {Context} ctx @param {Distribution} row */
function askCancel(ctx, row) {
  const sums = summary(row);
  confirm(ctx, {
    title: `Cancel ${titleOf(ctx, row)}?`,
    text: `${count(sums.running + sums.waiting, "Mac")} that ${sums.running + sums.waiting === 1 ? "has" : "have"} not finished stop. What is done stays.`,
    degree: 2,
    action: "Cancel distribution",
    run: () =>
      void ctx.tasks.run({
        title: "Cancel distribution",
        rows: [{ id: row.id, label: titleOf(ctx, row) }],
        each: async ({ id }) => {
          await ctx.api.call("DELETE", "/api/v1/registry/vm/distribute", { id });
          return "cancelled";
        },
      }),
  });
}
