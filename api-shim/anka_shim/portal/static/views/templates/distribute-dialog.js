// @ts-check
/** "Distribute": what POST /api/v1/registry/vm/distribute takes. */
import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { radioField, selectField } from "../../components/field.js";
import { requestText } from "../../components/request-text.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { groupOptions } from "../instances/names.js";
import { check, toBody, toManifest } from "./distribute-request.pure.js";
import { nodeChoice } from "./node-choice.js";
import { templateFields } from "./template-fields.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./distribute-request.pure.js").DistributeForm & {nodes: Set<string>, search: string}} Form */

/** @param {Context} ctx @param {{template?: string, tag?: string, nodes?: string[], group?: string}} [known] */
export function openDistribute(ctx, { template = "", tag = "", nodes = [], group = "" } = {}) {
  const isByPermission = ctx.session?.features?.resourcePermissions === true;
  /** @type {Form} */
  const form = {
    template, tag, group, nodes: new Set(nodes), search: "", permissionGroup: "",
    where: nodes.length ? "nodes" : group && !isByPermission ? "group" : "all",
  };
  const state = { isTried: false, isSending: false, error: "" };
  ctx.open((now) => draw(now, form, state));
}

/** @param {Context} ctx @param {Form} form @param {{isTried: boolean, isSending: boolean, error: string}} state */
function draw(ctx, form, state) {
  const errors = state.isTried ? check(form) : {};
  const isByPermission = ctx.session?.features?.resourcePermissions === true;
  const nodes = ctx.store.rows("nodes");
  const held = new Map((ctx.store.get("templates", form.template)?.nodes ?? []).map(({ node, tag }) => [node, tag]));
  return dialog({
    title: "Distribute a template",
    wide: true,
    onClose: () => ctx.close(),
    body: html`<div class="form">
      <div class="form-row">
        ${templateFields(ctx, form, { error: errors.template })}
        ${isByPermission
          ? selectField(ctx, form, "permissionGroup", { label: "Permission group", options: [
              { value: "", label: "Choose…" }, ...ctx.store.rows("permissionGroups").map(({ name }) => ({ value: name, label: name })) ] })
          : nothing}
      </div>
      ${radioField(ctx, form, "where", { label: "To", options: [
        { value: "all", label: `all Macs (${nodes.length})` },
        { value: "group", label: "a node group", ...(isByPermission ? { why: "Node groups are off while resource permissions are on." } : {}) },
        { value: "nodes", label: "chosen Macs" },
      ] })}
      ${form.where === "group"
        ? selectField(ctx, form, "group", { label: "Node group", required: true, error: errors.group, options: [{ value: "", label: "Choose…" }, ...groupOptions(ctx)] })
        : nothing}
      ${form.where === "nodes"
        ? nodeChoice(ctx, form, { nodes, error: errors.nodes, note: (id) => (held.has(id) ? `has ${held.get(id) ?? "it"}` : "") })
        : nothing}
      ${requestText(ctx, { manifests: [toManifest(form)], file: "distribution.yaml", method: "POST",
        path: "/api/v1/registry/vm/distribute", body: toBody(form) })}
      ${state.error ? html`<p class="form-error" role="alert">${state.error}</p>` : nothing}
    </div>`,
    actions: html`
      ${button({ label: "Cancel", ctx, run: () => ctx.close() })}
      ${button({ label: state.isSending ? "Distributing…" : "Distribute", ctx, right: "registry_distribute", primary: true,
        disabled: state.isSending, why: "The request is on its way.", run: () => void send(ctx, form, state) })}`,
  });
}

/** @param {Context} ctx @param {Form} form @param {{isTried: boolean, isSending: boolean, error: string}} state */
async function send(ctx, form, state) {
  state.isTried = true;
  state.error = "";
  if (Object.keys(check(form)).length) {
    state.error = "Some fields need a look.";
    ctx.update();
    return;
  }
  state.isSending = true;
  ctx.update();
  try {
    await ctx.api.call("POST", "/api/v1/registry/vm/distribute", toBody(form));
    ctx.close();
    ctx.say(form.where === "nodes" ? `Asked ${count(form.nodes.size, "Mac")} to pull it.` : "The Macs are asked to pull it.");
    ctx.go("#/distributions");
  } catch (error) {
    state.error = /** @type {Error} */ (error).message;
  }
  state.isSending = false;
  ctx.update();
}
