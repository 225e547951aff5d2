// @ts-check
/** "Remove from Macs": frees their disks; the registry keeps the template. */
import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { templateTitle } from "../instances/names.js";
import { nodeChoice } from "./node-choice.js";
import { holders } from "./usage.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").TemplateRow} Template */

/** @param {Context} ctx @param {Template} template @param {string[]} [chosen] */
export function openRemove(ctx, template, chosen = holders(template)) {
  const form = { nodes: new Set(chosen), search: "" };
  ctx.open((now) => draw(now, template, form));
}

/** @param {Context} ctx @param {Template} template @param {{nodes: Set<string>, search: string}} form */
function draw(ctx, template, form) {
  const held = new Map((template.nodes ?? []).map(({ node, tag }) => [node, tag]));
  const nodes = ctx.store.rows("nodes").filter(({ id }) => held.has(id));
  return dialog({
    title: `Remove ${templateTitle(template)} from Macs?`,
    wide: true,
    onClose: () => ctx.close(),
    body: html`<p>All its tags are deleted there; the registry keeps them, and the next instance pulls again.</p>
      ${template.rules?.length ? html`<p class="banner">A rule of the template keeps it on Macs: those pull it again.</p>` : nothing}
      ${nodeChoice(ctx, form, { nodes, note: (id) => held.get(id) ?? "" })}`,
    actions: html`
      ${button({ label: "Keep as it is", ctx, run: () => ctx.close() })}
      ${button({ label: `Remove from ${count(form.nodes.size, "Mac")}`, ctx, danger: true, right: "delete_template_from_nodes",
        disabled: form.nodes.size === 0, why: "Choose at least one Mac.", run: () => remove(ctx, template, [...form.nodes].sort()) })}`,
  });
}

/** @param {Context} ctx @param {Template} template @param {string[]} nodes */
function remove(ctx, template, nodes) {
  ctx.close();
  void ctx.tasks.run({
    title: `Remove ${templateTitle(template)} from ${count(nodes.length, "Mac")}`,
    rows: [{ id: template.id, label: templateTitle(template) }],
    each: async ({ id }) => {
      const asked = await ctx.api.call("DELETE", "/api/v1/registry/vm/remove", { id, node_ids: nodes });
      return `${count(asked.requests_sent, "Mac")} asked`;
    },
  });
}
