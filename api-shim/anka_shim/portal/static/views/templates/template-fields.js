// @ts-check
/** Template and tag of a form: to choose, or to write for those who may start VMs and not list templates. */
import { selectField, textField } from "../../components/field.js";
import { html } from "../../core/html.js";
import { tagOptions, templateOptions } from "../instances/names.js";

/** @typedef {import("../../core/types").Context} Context */

/** @param {Context} ctx */
export function mayList(ctx) {
  return ctx.store.state("templates") !== "denied";
}

/**
 * @template {{template: string, tag: string}} F
 * @param {Context} ctx @param {F} form @param {{error?: string | undefined}} words
 */
export function templateFields(ctx, form, { error }) {
  if (!mayList(ctx)) {
    return html`
      ${textField(ctx, form, "template", { label: "Template", required: true, autofocus: true, error, hint: "Its ID or name: you may not list templates" })}
      ${textField(ctx, form, "tag", { label: "Tag", placeholder: "latest" })}`;
  }
  return html`
    ${selectField(ctx, form, "template", {
      label: "Template", required: true, autofocus: true, error,
      options: [{ value: "", label: "Choose…" }, ...templateOptions(ctx)], onChange: () => { form.tag = ""; },
    })}
    ${selectField(ctx, form, "tag", { label: "Tag", options: tagOptions(ctx, form.template), disabled: !form.template })}`;
}
