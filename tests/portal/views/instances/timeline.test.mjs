import assert from "node:assert/strict";
import { test } from "node:test";
import { SCALE, layOut, slowestStep } from "../../../../api-shim/anka_shim/portal/static/views/instances/timeline.pure.js";

const NOW = Date.parse("2026-11-30T12:01:00Z");
const step = (name, seconds, to = "x") => ({ name, from: "2026-11-30T12:00:00Z", to, seconds, seen: true });

test("both bars have one scale, that of the longer", () => {
  const laid = layOut({ steps: [step("wait", 10), step("pull", 30)], median: { wait: 5, clone: 5, script: 0 }, of: 7 }, NOW);
  assert.equal(laid.total, 40);
  assert.equal(laid.medianTotal, 10);
  assert.deepEqual(laid.own.map((part) => [part.at, part.width]), [[0, 250], [250, 750]]);
  assert.deepEqual(laid.median.map((part) => [part.name, part.at, part.width]), [["wait", 0, 125], ["clone", 125, 125]]);
  assert.deepEqual(laid.own.map((part) => part.median), [5, null]);
});

test("a step that runs lasts until now", () => {
  const laid = layOut({ steps: [step("wait", 0, null)], of: 0 }, NOW);
  assert.equal(laid.total, 60);
  assert.deepEqual([laid.own[0].isRunning, laid.own[0].width], [true, SCALE]);
});

test("no steps, no time, a clock that is behind: nothing is negative or no number", () => {
  assert.deepEqual(layOut({ steps: [] }, NOW), { own: [], median: [], total: 0, medianTotal: 0, of: 0 });
  assert.equal(layOut({ steps: [step("wait", 0)] }, NOW).own[0].width, 0);
  assert.equal(layOut({ steps: [step("wait", 0, null)] }, NOW - 3_600_000).total, 0);
  assert.equal(layOut({ steps: [{ ...step("wait", 3, null), from: "" }] }, NOW).total, 3);
});

test("without other starts there is no median to compare with", () => {
  assert.deepEqual(layOut({ steps: [step("wait", 1)], median: { wait: 9 }, of: 0 }, NOW).median, []);
});

test("the step that is slower than usual", () => {
  const of = (steps, median) => slowestStep(layOut({ steps, median, of: 3 }, NOW).own)?.name;
  assert.equal(of([step("wait", 60), step("pull", 100)], { wait: 1, pull: 90 }), "wait");
  assert.equal(of([step("wait", 60), step("pull", 300)], { wait: 1, pull: 90 }), "pull");
  assert.equal(of([step("wait", 4)], { wait: 0.1 }), undefined);
  assert.equal(of([step("wait", 60)], {}), undefined);
});
