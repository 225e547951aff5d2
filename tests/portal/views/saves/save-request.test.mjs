import assert from "node:assert/strict";
import { test } from "node:test";
import { EMPTY, check, toBody, toManifest } from "../../../../api-shim/anka_shim/portal/static/views/saves/save-request.pure.js";

const form = (changes) => ({ ...EMPTY, tag: "x", targetTemplate: "t", ...changes });

test("a tag on a template", () => {
  assert.deepEqual(toBody(form({}), "i"), { id: "i", tag: "x", target_vm_id: "t", suspend: true });
  assert.deepEqual(toBody(form({ revert: true, revertTag: "old", script: "true", cancelOnScriptFailure: true, sanityTest: true, description: "d" }), "i"), {
    id: "i", tag: "x", target_vm_id: "t", suspend: true, description: "d", do_suspend_sanity_test: true, revert_before_push: true,
    revert_tag: "old", script: "dHJ1ZQ==", cancel_on_script_failure: true,
  });
});

test("a new template: nothing to revert; a stopped VM: nothing to test; no script: nothing to cancel", () => {
  const save = form({ kind: "template", newTemplateName: " new ", revert: true, revertTag: "old", suspend: false, sanityTest: true, cancelOnScriptFailure: true });
  assert.deepEqual(toBody(save, "i"), { id: "i", tag: "x", new_template_name: "new", suspend: false });
  assert.deepEqual(toManifest(save, { name: "i", namespace: "anka-ci" }), {
    apiVersion: "anka.veertu.com/v1alpha1", kind: "SaveImage", metadata: { generateName: "save-", namespace: "anka-ci" },
    spec: { instance: "i", newTemplateName: "new", tag: "x", suspend: false },
  });
});

test("what is missing", () => {
  assert.deepEqual(check(form({})), {});
  assert.deepEqual(Object.keys(check(form({ tag: " ", targetTemplate: "" }))), ["tag", "targetTemplate"]);
  assert.deepEqual(Object.keys(check(form({ kind: "template" }))), ["newTemplateName"]);
});
