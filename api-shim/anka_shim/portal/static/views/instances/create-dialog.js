// @ts-check
/** "Create instances": what POST /api/v1/vm takes, and where it would go. */
import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { checkField, fileField, selectField, textArea, textField } from "../../components/field.js";
import { requestText } from "../../components/request-text.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { templateFields } from "../templates/template-fields.js";
import { groupOptions, nodeOptions, templateTitle } from "./names.js";
import { placement, whereItWouldGo } from "./placement.js";
import { CONDITIONS, EMPTY, FAIL_HANDLERS, check, toBody, toManifest } from "./start-request.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./start-request.pure.js").StartForm} StartForm */

const CONDITION_WORDS = ["once the VM has an address", "as soon as the VM has booted"];
const HANDLER_WORDS = ["stop the VM", "keep the VM running", "delete the VM"];
const MAX_DOCUMENTS = 100;

/** @param {Context} ctx @param {Partial<StartForm>} [values] */
export function openCreate(ctx, values = {}) {
  const only = ctx.store.rows("templates").length === 1 ? ctx.store.rows("templates")[0] : undefined;
  const form = { ...EMPTY, template: only?.id ?? "", ...values };
  const state = { isTried: false, isSending: false, error: "", placement: placement() };
  ctx.open((now) => draw(now, form, state));
}

/** @typedef {{isTried: boolean, isSending: boolean, error: string, placement: ReturnType<typeof placement>}} State */

/** @param {Context} ctx @param {StartForm} form @param {State} state */
function draw(ctx, form, state) {
  const errors = check(form);
  const shown = state.isTried ? errors : withoutMissing(errors);
  const isComplete = Object.keys(errors).length === 0;
  const body = toBody(form);
  const amount = Number(body["count"]) || 1;
  const template = ctx.store.get("templates", form.template);
  const namespace = ctx.store.get("cloud", "cloud")?.namespace ?? "anka-ci";
  const manifest = toManifest(form, namespace, template && templateTitle(template));
  return dialog({
    title: "Create instances",
    wide: true,
    onClose: () => ctx.close(),
    body: html`<div class="form">
      ${whatFields(ctx, form, shown)}
      ${whereFields(ctx, form)}
      ${nameFields(ctx, form, shown)}
      ${scriptFields(ctx, form, shown)}
      ${resourceFields(ctx, form, shown)}
      ${whereItWouldGo(ctx, form, state.placement, isComplete)}
      ${requestText(ctx, {
        manifests: Array.from({ length: Math.min(amount, MAX_DOCUMENTS) }, () => manifest),
        file: "instances.yaml", method: "POST", path: "/api/v1/vm", body,
      })}
      ${state.error ? html`<p class="form-error" role="alert">${state.error}</p>` : nothing}
    </div>`,
    actions: html`
      ${button({ label: "Cancel", ctx, run: () => ctx.close() })}
      ${button({
        label: state.isSending ? "Starting…" : `Start ${count(amount, "instance")}`, ctx, right: "start_vm", primary: true,
        disabled: state.isSending, why: "The request is on its way.", run: () => void send(ctx, form, state),
      })}`,
  });
}

/** Before the first try an empty field is no mistake yet. @param {Partial<Record<keyof StartForm, string>>} errors */
function withoutMissing({ template: _, ...errors }) {
  return /** @type {Partial<Record<keyof StartForm, string>>} */ (errors);
}

/** @typedef {Partial<Record<keyof StartForm, string>>} Errors */

/** @param {Context} ctx @param {StartForm} form @param {Errors} errors */
function whatFields(ctx, form, errors) {
  return html`<div class="form-row">
    ${templateFields(ctx, form, { error: errors.template })}
    ${textField(ctx, form, "count", { label: "Count", inputmode: "numeric", error: errors.count })}
    ${textField(ctx, form, "priority", {
      label: "Priority", inputmode: "numeric", placeholder: "1000", error: errors.priority, hint: "1 to 10000, lower is more urgent",
    })}
  </div>`;
}

/** Node groups are off while resource permissions are on: then a permission group is needed. @param {Context} ctx @param {StartForm} form */
function whereFields(ctx, form) {
  const isByPermission = ctx.session?.features?.resourcePermissions === true;
  const permissionGroups = ctx.store.rows("permissionGroups").map(({ name }) => ({ value: name, label: name }));
  return html`<div class="form-row">
    ${isByPermission
      ? permissionGroups.length
        ? selectField(ctx, form, "permissionGroup", {
            label: "Permission group", required: true, options: [{ value: "", label: "Choose…" }, ...permissionGroups],
          })
        : textField(ctx, form, "permissionGroup", { label: "Permission group", required: true })
      : selectField(ctx, form, "group", { label: "Node group", options: [{ value: "", label: "None: any Mac" }, ...groupOptions(ctx)] })}
    ${selectField(ctx, form, "node", { label: "Node", options: [{ value: "", label: "Any" }, ...nodeOptions(ctx)] })}
  </div>`;
}

/** @param {Context} ctx @param {StartForm} form @param {Errors} errors */
function nameFields(ctx, form, errors) {
  return html`<div class="form-row">
    ${textField(ctx, form, "name", { label: "Name", hint: "Need not be unique" })}
    ${textField(ctx, form, "externalId", { label: "External ID", hint: "Such as the address of a CI job" })}
    ${textArea(ctx, form, "metadata", { label: "Metadata", rows: 2, placeholder: "team=ios", hint: "key=value, one a line", error: errors.metadata })}
  </div>`;
}

/** @param {Context} ctx @param {StartForm} form @param {Errors} errors */
function scriptFields(ctx, form, errors) {
  const hasScript = form.script.trim() !== "";
  return html`<details class="form-section" ?open=${hasScript}><summary>Startup script</summary>
    <div class="form-row">
      ${textArea(ctx, form, "script", { label: "Script", rows: 5, placeholder: "sw_vers", hint: "Runs in the VM, in its shell" })}
      ${fileField(ctx, form, "script", "From a file")}
    </div>
    ${hasScript
      ? html`<div class="form-row">
          ${selectField(ctx, form, "scriptCondition", {
            label: "It runs", options: CONDITIONS.map((value, i) => ({ value, label: CONDITION_WORDS[i] ?? value })),
          })}
          ${checkField(ctx, form, "scriptMonitoring", {
            label: "Wait for it", hint: "The instance is Started once it has succeeded, and shows its output.",
          })}
          ${form.scriptMonitoring
            ? html`${textField(ctx, form, "scriptTimeout", {
                  label: "Seconds it may take", inputmode: "numeric", placeholder: "90", error: errors.scriptTimeout,
                })}
                ${selectField(ctx, form, "scriptFailHandler", {
                  label: "If it fails", options: FAIL_HANDLERS.map((value, i) => ({ value, label: HANDLER_WORDS[i] ?? value })),
                })}`
            : nothing}
        </div>`
      : nothing}
  </details>`;
}

/** @param {Context} ctx @param {StartForm} form @param {Errors} errors */
function resourceFields(ctx, form, errors) {
  return html`<details class="form-section" ?open=${Boolean(form.vcpu || form.ram || form.ports)}><summary>Resources and ports</summary>
    <p class="field-hint">They change the VM before it starts, which needs a tag that was stopped, not suspended.</p>
    <div class="form-row">
      ${textField(ctx, form, "vcpu", { label: "vCPUs", inputmode: "numeric", placeholder: "the template's", error: errors.vcpu })}
      ${textField(ctx, form, "ram", { label: "RAM in MB", inputmode: "numeric", placeholder: "the template's", error: errors.ram })}
      ${textArea(ctx, form, "ports", {
        label: "Port rules", rows: 2, placeholder: "ssh 22", error: errors.ports,
        hint: "name guest[:host], one a line; instead of the template's",
      })}
    </div>
  </details>`;
}

/** @param {Context} ctx @param {StartForm} form @param {State} state */
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
    const ids = /** @type {string[]} */ (await ctx.api.call("POST", "/api/v1/vm", toBody(form)));
    ctx.close();
    ctx.say(`${count(ids.length, "instance")} requested.`);
    if (ids.length === 1 && ids[0]) ctx.go(`#/instances/${encodeURIComponent(ids[0])}`);
  } catch (error) {
    state.error = /** @type {Error} */ (error).message;
  }
  state.isSending = false;
  ctx.update();
}
