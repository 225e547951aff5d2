import assert from "node:assert/strict";
import { test } from "node:test";
import * as usage from "../../../../api-shim/anka_shim/portal/static/views/templates/usage.pure.js";

const template = {
  id: "t-1", name: "macos", versions: [{ number: 0, tag: "a" }, { number: 1, tag: "b" }, { number: 3, tag: "c" }],
  nodes: [{ node: "m1", tag: "a" }, { node: "m1", tag: "b" }, { node: "m2", tag: "b" }],
};
const row = (id, word, changes = {}) => ({ id, phase: "Started", template: { id: word, ...changes.template }, ...changes });
const rows = [
  row("1", "t-1", { template: { id: "t-1", tag: "b" } }), row("2", "macos"), row("3", "t-2"),
  row("4", "t-1", { phase: "Terminating" }),
];

test("what runs on a template, by id or by the word of the request", () => {
  assert.deepEqual(usage.runningOn(template, rows).map((one) => one.id), ["1", "2"]);
  assert.equal(usage.countByTemplate(rows)(template), 2);
  assert.equal(usage.countByTemplate([])(template), 0);
});

test("a revert removes the version and all newer ones", () => {
  assert.deepEqual(usage.removedBy(template, 1).map((one) => one.tag), ["b", "c"]);
  assert.deepEqual(usage.runningOnTags(usage.removedBy(template, 1), rows).map((one) => one.id), ["1"]);
  assert.deepEqual(usage.newestFirst(template).map((one) => one.tag), ["c", "b", "a"]);
  assert.equal(template.versions[0].tag, "a");
});

test("holders, each once", () => assert.deepEqual(usage.holders(template), ["m1", "m2"]));

test("rules are sentences", () => {
  const name = (id) => ({ g: "ios" })[id] ?? id;
  assert.equal(usage.ruleText({}, name), "keeps the latest on all Macs");
  assert.equal(usage.ruleText({ tag: "a", groups: ["g"] }, name), "keeps a on group ios");
  assert.equal(usage.ruleText({ tag: "a", groups: ["g", "h"], nodes: ["m1", "m2"] }, name), "keeps a on groups ios, h and m1, m2");
});
