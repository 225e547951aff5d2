// @ts-check
/** What the dialog "Save image" asks for: as the body of POST /api/v1/image, and as a manifest. Pure. */
import { toBase64 } from "../instances/start-request.pure.js";

/**
 * @typedef {{
 *   kind: "tag" | "template", targetTemplate: string, newTemplateName: string, tag: string, description: string,
 *   suspend: boolean, sanityTest: boolean, revert: boolean, revertTag: string, script: string,
 *   cancelOnScriptFailure: boolean,
 * }} SaveForm what the fields hold
 */

/** @type {Readonly<SaveForm>} */
export const EMPTY = Object.freeze({
  kind: "tag", targetTemplate: "", newTemplateName: "", tag: "", description: "", suspend: true, sanityTest: false,
  revert: false, revertTag: "", script: "", cancelOnScriptFailure: false,
});

/** @param {SaveForm} form @returns {Partial<Record<keyof SaveForm, string>>} */
export function check(form) {
  /** @type {Partial<Record<keyof SaveForm, string>>} */
  const errors = {};
  if (!form.tag.trim()) errors.tag = "Name the tag to make.";
  if (form.kind === "tag" && !form.targetTemplate) errors.targetTemplate = "Choose a template.";
  if (form.kind === "template" && !form.newTemplateName.trim()) errors.newTemplateName = "Name the new template.";
  return errors;
}

/** What has an effect, and nothing else. @param {SaveForm} form */
function effective(form) {
  const isTag = form.kind === "tag";
  const reverts = isTag && form.revert;
  const script = form.script.trim() ? toBase64(form.script) : undefined;
  return {
    target: isTag ? form.targetTemplate : undefined,
    name: isTag ? undefined : form.newTemplateName.trim(),
    tag: form.tag.trim(),
    description: form.description.trim() || undefined,
    reverts: reverts || undefined,
    revertTag: (reverts && form.revertTag.trim()) || undefined,
    script,
    cancels: (script && form.cancelOnScriptFailure) || undefined,
    tests: (form.suspend && form.sanityTest) || undefined,
  };
}

/** @param {SaveForm} form @param {string} instance @returns {Record<string, any>} */
export function toBody(form, instance) {
  const save = effective(form);
  return given({
    id: instance, tag: save.tag, target_vm_id: save.target, new_template_name: save.name,
    description: save.description, suspend: form.suspend, do_suspend_sanity_test: save.tests,
    revert_before_push: save.reverts, revert_tag: save.revertTag, script: save.script,
    cancel_on_script_failure: save.cancels,
  });
}

/** @param {SaveForm} form @param {{name: string, namespace: string}} instance */
export function toManifest(form, instance) {
  const save = effective(form);
  return {
    apiVersion: "anka.veertu.com/v1alpha1",
    kind: "SaveImage",
    metadata: { generateName: "save-", namespace: instance.namespace },
    spec: given({
      instance: instance.name, targetTemplate: save.target, newTemplateName: save.name, tag: save.tag,
      description: save.description, suspend: form.suspend, suspendSanityTest: save.tests,
      revertBeforePush: save.reverts, revertTag: save.revertTag, script: save.script,
      cancelOnScriptFailure: save.cancels,
    }),
  };
}

/** @param {Record<string, any>} map */
function given(map) {
  return Object.fromEntries(Object.entries(map).filter(([, value]) => value !== undefined));
}
