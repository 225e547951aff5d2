// @ts-check
/** "Save image": what POST /api/v1/image takes. */
import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { checkField, fileField, radioField, selectField, textArea, textField } from "../../components/field.js";
import { requestText } from "../../components/request-text.js";
import { html, nothing } from "../../core/html.js";
import { instanceName, templateName } from "../instances/facts.pure.js";
import { tagOptions, templateOptions } from "../instances/names.js";
import { mayList } from "../templates/template-fields.js";
import { EMPTY, check, toBody, toManifest } from "./save-request.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} Instance */
/** @typedef {import("./save-request.pure.js").SaveForm} SaveForm */

/** @param {Context} ctx @param {Instance} row */
export function openSave(ctx, row) {
  /** @type {SaveForm} */
  const form = { ...EMPTY, targetTemplate: mayList(ctx) ? (ctx.store.get("templates", row.template.id)?.id ?? "") : (row.template.id ?? "") };
  const state = { isTried: false, isSending: false, error: "" };
  ctx.open((now) => draw(now, row, form, state));
}

/** @param {Context} ctx @param {Instance} row @param {SaveForm} form @param {{isTried: boolean, isSending: boolean, error: string}} state */
function draw(ctx, row, form, state) {
  const errors = state.isTried ? check(form) : {};
  const isTag = form.kind === "tag";
  return dialog({
    title: "Save image",
    wide: true,
    onClose: () => ctx.close(),
    body: html`<div class="form">
      <p>Pushes the VM of <strong>${instanceName(row)}</strong> to the registry. The instance is gone once it is saved; if
        that fails, it goes on.</p>
      ${radioField(ctx, form, "kind", { label: "As", options: [
        { value: "tag", label: "a tag of a template" }, { value: "template", label: "a new template" },
      ] })}
      <div class="form-row">
        ${isTag
          ? !mayList(ctx)
            ? textField(ctx, form, "targetTemplate", { label: "Template", required: true, error: errors.targetTemplate, hint: "Its ID or name: you may not list templates" })
            : selectField(ctx, form, "targetTemplate", { label: "Template", required: true, error: errors.targetTemplate,
              options: [{ value: "", label: "Choose…" }, ...templateOptions(ctx)], onChange: () => { form.revertTag = ""; } })
          : textField(ctx, form, "newTemplateName", { label: "Name of the template", required: true, error: errors.newTemplateName,
              placeholder: `${templateName(row)}-new` })}
        ${textField(ctx, form, "tag", { label: "Tag", required: true, error: errors.tag, autofocus: true })}
        ${textField(ctx, form, "description", { label: "Description" })}
      </div>
      <div class="checks">
        ${checkField(ctx, form, "suspend", { label: "Suspend the VM", hint: "Starts faster; resources and ports of such a tag cannot be changed. Else it is stopped." })}
        ${checkField(ctx, form, "sanityTest", { label: "Resume it once as a test", ...(form.suspend ? {} : { why: "Only a suspended VM can be resumed." }) })}
        ${isTag ? checkField(ctx, form, "revert", { label: "Revert the template first", hint: "Removes the latest tag, or the one below, and all newer ones." }) : nothing}
      </div>
      ${isTag && form.revert
        ? !mayList(ctx) ? textField(ctx, form, "revertTag", { label: "Tag to revert", placeholder: "the latest" }) : selectField(ctx, form, "revertTag", { label: "Tag to revert", options: tagOptions(ctx, form.targetTemplate, "the latest") })
        : nothing}
      <details class="form-section" ?open=${form.script.trim() !== ""}><summary>Script to run before</summary>
        <div class="form-row">
          ${textArea(ctx, form, "script", { label: "Script", rows: 5, hint: "Runs in the VM, before it is stopped or suspended" })}
          ${fileField(ctx, form, "script", "From a file")}
        </div>
        ${checkField(ctx, form, "cancelOnScriptFailure", { label: "Save nothing if it fails", ...(form.script.trim() ? {} : { why: "There is no script." }) })}
      </details>
      ${requestText(ctx, {
        manifests: [toManifest(form, row)], file: "save-image.yaml", method: "POST", path: "/api/v1/image", body: toBody(form, row.id),
      })}
      ${state.error ? html`<p class="form-error" role="alert">${state.error}</p>` : nothing}
    </div>`,
    actions: html`
      ${button({ label: "Cancel", ctx, run: () => ctx.close() })}
      ${button({ label: state.isSending ? "Saving…" : "Save image", ctx, right: "save_image", primary: true, disabled: state.isSending,
        why: "The request is on its way.", run: () => void send(ctx, row, form, state) })}`,
  });
}

/** @param {Context} ctx @param {Instance} row @param {SaveForm} form @param {{isTried: boolean, isSending: boolean, error: string}} state */
async function send(ctx, row, form, state) {
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
    await ctx.api.call("POST", "/api/v1/image", toBody(form, row.id));
    ctx.close();
    ctx.say("The image is being saved.");
    ctx.go("#/saves");
  } catch (error) {
    state.error = /** @type {Error} */ (error).message;
  }
  state.isSending = false;
  ctx.update();
}
