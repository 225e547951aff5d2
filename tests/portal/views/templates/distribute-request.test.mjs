import assert from "node:assert/strict";
import { test } from "node:test";
import { check, toBody, toManifest } from "../../../../api-shim/anka_shim/portal/static/views/templates/distribute-request.pure.js";

const form = (changes) => ({ template: "t", tag: "", where: "all", group: "g", nodes: new Set(["m2", "m1"]), ...changes });

test("only the place that is chosen counts", () => {
  assert.deepEqual(toBody(form({})), { template_id: "t" });
  assert.deepEqual(toBody(form({ tag: "x", where: "group" })), { template_id: "t", tag: "x", group_id: "g" });
  assert.deepEqual(toBody(form({ where: "nodes" })), { template_id: "t", node_ids: ["m1", "m2"] });
  assert.deepEqual(toManifest(form({ where: "nodes", tag: "x" })).spec, { template: "t", tag: "x", nodes: ["m1", "m2"] });
  assert.deepEqual(toManifest(form({ where: "group" })).spec, { template: "t", group: "g" });
});

test("what is missing", () => {
  assert.deepEqual(check(form({})), {});
  assert.deepEqual(Object.keys(check(form({ template: "", where: "group", group: "" }))), ["template", "group"]);
  assert.deepEqual(Object.keys(check(form({ where: "nodes", nodes: new Set() }))), ["nodes"]);
});
