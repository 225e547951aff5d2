import assert from "node:assert/strict";
import { test } from "node:test";

import { barsOf, drainText, resultsOf, taskTitle } from "../../../../api-shim/anka_shim/portal/static/views/node/node.pure.js";

const NOW = Date.parse("2026-11-30T12:00:00Z");

test("a drain says how many VMs are left, and since when the longest runs", () => {
  assert.equal(drainText([], NOW), "empty: no VM is left");
  const rows = [{ startedAt: "2026-11-30T11:00:00Z" }, { startedAt: "2026-11-30T09:00:00Z" }];
  assert.equal(drainText(rows, NOW), "2 VMs left, the longest since 3 h");
  assert.equal(drainText([{ created: "2026-11-30T11:59:00Z" }], NOW), "1 VM left, the longest since 1 min");
});

test("what is handed out and what is used are two sets of bars", () => {
  const node = {
    vcpus: 8, ramGib: 32, capacityMode: "number",
    usage: { vcpus: 4, ramMib: 8192, cpuPercent: 71, ramPercent: 50 }, disk: { sizeBytes: 100, freeBytes: 25 },
  };
  const { allocated, used } = barsOf(node, 2, 1);
  assert.deepEqual(allocated.map((bar) => bar.text), ["1 of 2", "4 of 16", "8 of 30 GiB"]);
  assert.deepEqual(used.map((bar) => `${bar.label} ${bar.text}`), ["CPU 71 %", "RAM 50 %", "Disk 75 %"]);
  assert.deepEqual(barsOf({ groups: [] }, null, 0).used.length, 2);
});

test("results: how many failed, and why most of them", () => {
  const entries = [
    { id: "1", result: "Error", reason: "PullFailed" }, { id: "2", result: "Terminated" },
    { id: "3", result: "Error", reason: "StartFailed" }, { id: "4", result: "Error", reason: "StartFailed" },
    { id: "5", result: "Error" },
  ];
  assert.deepEqual(resultsOf(entries), { ok: 1, failed: 4, reasons: [["StartFailed", 2], ["PullFailed", 1], ["Failed", 1]] });
});

test("tasks of a Mac: for a rule or for a distribution", () => {
  const name = (id) => (id === "uuid" ? "macos" : undefined);
  assert.equal(taskTitle({ name: "keep:uuid:v1" }, name), "rule: macos:v1");
  assert.equal(taskTitle({ name: "keep:other:v1" }, name), "rule: other:v1");
  assert.equal(taskTitle({ name: "d-1" }, name), "distribution d-1");
});
