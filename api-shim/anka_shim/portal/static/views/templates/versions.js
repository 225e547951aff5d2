// @ts-check
/** One template beside the list: its versions, newest first, who holds it, which rules keep it. */
import { button } from "../../components/button.js";
import { details, drawer, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { bytes, count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { groupName, nodeName, templateTitle } from "../instances/names.js";
import { askDelete, askRevert } from "./delete-dialog.js";
import { openDistribute } from "./distribute-dialog.js";
import { openRemove } from "./remove-dialog.js";
import { holders, newestFirst, ruleText, runningOn } from "./usage.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").TemplateRow} Template */

const MACS = 8;

/** @param {Context} ctx @param {Template} row */
export function templateDrawer(ctx, row) {
  return drawer({
    title: templateTitle(row), label: "Template", body: body(ctx, row),
    onClose: () => ctx.go(formatHash("templates", { ...ctx.route.query, open: null })),
  });
}

/** @param {Context} ctx @param {Template} row */
function body(ctx, row) {
  const running = runningOn(row, ctx.store.rows("instances"));
  const macs = holders(row);
  return html`
    ${row.message && row.reason !== "Ready" ? html`<p class="banner">${row.message}</p>` : nothing}
    ${details([
      ["ID", html`<code>${row.id}</code>`],
      ["Name in the registry", row.displayName ? row.name : null],
      ["Arch", row.arch], ["Total size", bytes(row.sizeBytes)],
      ["Last pull", time(row.lastPull, ctx)], ["Last push", time(row.lastPush, ctx)],
      ["Instances", running.length
        ? html`<a href=${formatHash("instances", { template: row.id })}>${count(running.length, "instance")}</a>` : "none"],
      ["On Macs", macs.length ? macList(ctx, row, macs) : "none"],
    ])}
    ${row.rules?.length
      ? html`<h3>Rules</h3><ul>${row.rules.map((rule) => html`<li>${ruleText(rule, (id) => groupName(ctx, id))}</li>`)}</ul>`
      : nothing}
    <h3>Versions</h3>
    <ol class="versions">${newestFirst(row).map((version, i) => versionLine(ctx, row, version, i === 0))}</ol>
    <div class="actions">
      ${button({ label: "Distribute", ctx, icon: "nodes", right: "registry_distribute", run: () => openDistribute(ctx, { template: row.id }) })}
      ${button({ label: "Remove from Macs", ctx, right: "delete_template_from_nodes", danger: true, disabled: macs.length === 0,
        why: "No Mac holds it.", run: () => openRemove(ctx, row) })}
      ${button({ label: "Delete", ctx, icon: "trash", right: "registry_delete", danger: true, run: () => askDelete(ctx, [row]) })}
    </div>`;
}

/** @param {Context} ctx @param {Template} row @param {string[]} macs */
function macList(ctx, row, macs) {
  const more = macs.length - MACS;
  return html`${macs.slice(0, MACS).map((node, i) => html`${i ? ", " : ""}${link("nodes", node, nodeName(ctx, node))}`)}
    ${more > 0 ? html`and <a href=${formatHash("matrix", { q: row.name })}>${more} more</a>` : nothing}`;
}

/** @param {Context} ctx @param {Template} row @param {NonNullable<Template["versions"]>[number]} version @param {boolean} isLatest */
function versionLine(ctx, row, version, isLatest) {
  const tag = version.tag ?? String(version.number);
  return html`<li data-tag=${tag}>
    <p><strong>${tag}</strong>${isLatest ? html` <span class="chip tone-ok">latest</span>` : nothing}
      <span class="dim">${bytes(version.sizeBytes)}</span></p>
    ${version.description ? html`<p>${version.description}</p>` : nothing}
    <p class="dim">Pushed ${time(version.lastPush ?? version.created, ctx)}, pulled ${version.lastPull ? time(version.lastPull, ctx) : "never"}</p>
    <div class="actions">
      ${button({ label: `Distribute ${tag}`, ctx, quiet: true, right: "registry_distribute", run: () => openDistribute(ctx, { template: row.id, tag }) })}
      ${button({ label: `Revert ${tag}`, ctx, quiet: true, danger: true, right: "registry_delete", run: () => askRevert(ctx, row, version) })}
    </div>
  </li>`;
}
