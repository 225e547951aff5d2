// @ts-check
/** Deletes templates, or their newest versions: the dialog names what runs on them. */
import { button } from "../../components/button.js";
import { confirm, dialog } from "../../components/dialog.js";
import { checkField, textField } from "../../components/field.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { instanceName, stateWord, tagName } from "../instances/facts.pure.js";
import { templateTitle } from "../instances/names.js";
import { holders, removedBy, runningOn, runningOnTags } from "./usage.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").TemplateRow} Template */

/** @param {import("../../core/types").InstanceRow[]} rows */
function runningLines(rows) {
  return rows.map((row) => html`${instanceName(row)}: ${stateWord(row)}, ${tagName(row)}${row.requestedBy ? `, requested by ${row.requestedBy}` : ""}`);
}

/** @param {Context} ctx @param {Template[]} templates */
export function askDelete(ctx, templates) {
  const form = { fromNodes: false, typed: "" };
  const instances = ctx.store.rows("instances");
  ctx.open((now) => drawDelete(now, templates, instances, form));
}

/**
 * @param {Context} ctx @param {Template[]} templates @param {import("../../core/types").InstanceRow[]} instances
 * @param {{fromNodes: boolean, typed: string}} form
 */
function drawDelete(ctx, templates, instances, form) {
  const what = count(templates.length, "template");
  const right = ctx.can("delete_template_from_nodes");
  const wanted = String(templates.length);
  const isTyped = form.typed.trim() === wanted;
  return dialog({
    title: `Delete ${what}?`,
    onClose: () => ctx.close(),
    body: html`
      <p>All versions are deleted from the registry. This cannot be undone. What runs goes on.</p>
      <ul class="confirm-list" tabindex="0" aria-label="Templates">${templates.map((row) => {
        const running = runningOn(row, instances);
        return html`<li><strong>${templateTitle(row)}</strong> <code>${row.id}</code>, ${count(row.versions?.length ?? 0, "version")}
          ${running.length
            ? html`<p class="bad-text">${count(running.length, "instance")} of it:</p><ul>${runningLines(running).slice(0, 20).map((line) => html`<li>${line}</li>`)}</ul>`
            : html`<span class="dim">nothing runs on it</span>`}</li>`;
      })}</ul>
      ${checkField(ctx, form, "fromNodes", { label: "Remove from nodes", hint: "Also delete the copies on the Macs.", ...(right.ok ? {} : { why: right.why }) })}
      ${textField(ctx, form, "typed", { label: `Type ${wanted} to go on`, autofocus: true })}`,
    actions: html`
      ${button({ label: "Keep as it is", ctx, run: () => ctx.close() })}
      ${button({ label: "Delete", ctx, danger: true, right: "registry_delete", disabled: !isTyped, why: `Type ${wanted} first.`,
        run: () => deleteAll(ctx, templates, form.fromNodes) })}`,
  });
}

/** @param {Context} ctx @param {Template[]} templates @param {boolean} fromNodes */
function deleteAll(ctx, templates, fromNodes) {
  ctx.close();
  ctx.local["selected"]?.clear();
  void ctx.tasks.run({
    title: `Delete ${count(templates.length, "template")}`,
    rows: templates.map((row) => ({ id: row.id, label: templateTitle(row) })),
    each: async ({ id }) => {
      await ctx.api.call("DELETE", `/api/v1/registry/vm?id=${encodeURIComponent(id)}`);
      const holds = templates.some((row) => row.id === id && holders(row).length > 0);
      if (!fromNodes || !holds) return "deleted";
      const asked = await ctx.api.call("DELETE", `/api/v1/registry/vm/remove?id=${encodeURIComponent(id)}`);
      return `deleted; ${count(asked.requests_sent, "Mac")} asked to remove it`;
    },
  });
}

/**
 * A revert removes this version and all newer ones.
 * @param {Context} ctx @param {Template} template @param {NonNullable<Template["versions"]>[number]} version
 */
export function askRevert(ctx, template, version) {
  const removed = removedBy(template, version.number);
  const running = runningOnTags(removed, runningOn(template, ctx.store.rows("instances")));
  const isLast = removed.length === (template.versions ?? []).length;
  confirm(ctx, {
    title: `Revert ${templateTitle(template)}?`,
    text: html`${count(removed.length, "version")} ${removed.length === 1 ? "is" : "are"} deleted from the registry:
      <strong>${removed.map(({ tag, number }) => tag ?? number).join(", ")}</strong>. This cannot be undone.
      ${isLast ? "No version is left then." : nothing}
      ${running.length ? html`<br>${count(running.length, "instance")} of ${removed.length === 1 ? "it" : "them"}:` : "Nothing runs on it."}`,
    list: runningLines(running),
    degree: removed.length > 1 || running.length > 0 ? 3 : 2,
    typed: String(removed.length),
    action: "Revert",
    run: () =>
      void ctx.tasks.run({
        title: `Revert ${templateTitle(template)}`,
        rows: [{ id: template.id, label: version.tag ?? String(version.number) }],
        each: async () => {
          const id = encodeURIComponent(template.id);
          await ctx.api.call("DELETE", `/api/v1/registry/revert?id=${id}&version=${version.number}`);
          return "reverted";
        },
      }),
  });
}
