import assert from "node:assert/strict";
import { test } from "node:test";

import {
  groupAssessments,
  groupByMessage,
  oldestOf,
  splitWaiting,
} from "../../../../api-shim/anka_shim/portal/static/views/queue/queue.pure.js";

const row = (id, more = {}) => ({
  id, name: id, namespace: "n", created: "2026-11-30T10:00:00Z", phase: "Scheduling", template: {}, ...more,
});

test("the queue is in the scheduler's order: priority, age, uid", () => {
  const rows = [
    row("late", { queueKey: [100, "2026-11-30T10:00:05Z", "a"] }),
    row("urgent", { queueKey: [9, "2026-11-30T10:00:09Z", "z"] }),
    row("tie-b", { queueKey: [100, "2026-11-30T10:00:01Z", "b"] }),
    row("tie-a", { queueKey: [100, "2026-11-30T10:00:01Z", "a"] }),
  ];
  assert.deepEqual(splitWaiting(rows).queue.map(({ row: { id }, position }) => [position, id]), [
    [1, "urgent"], [2, "tie-a"], [3, "tie-b"], [4, "late"],
  ]);
});

test("what can never run is no part of the queue, and what has a Mac does not wait", () => {
  const { queue, never } = splitWaiting([
    row("a"), row("b", { never: true }), row("c", { node: "m" }), row("d", { phase: "Started" }),
  ]);
  assert.deepEqual([queue.map((entry) => entry.row.id), never.map(({ id }) => id)], [["a"], ["b"]]);
});

test("the oldest by the time since which it waits, which a lost Mac moves", () => {
  assert.equal(oldestOf([]), undefined);
  const again = row("again", { created: "2026-11-30T09:00:00Z", waitingSince: "2026-11-30T10:30:00Z" });
  assert.equal(oldestOf([again, row("first")])?.id, "first");
});

test("equal reasons are one line, the most frequent first", () => {
  const groups = groupByMessage([row("a", { message: "x" }), row("b", { message: "y" }), row("c", { message: "y" }), row("d")]);
  assert.deepEqual(groups.map(({ message, rows }) => [message, rows.length]), [
    ["y", 2], ["The scheduler has not looked at it yet", 1], ["x", 1],
  ]);
});

test("Macs are named by what rules them out; those that fit come first", () => {
  const groups = groupAssessments([
    { node: "m1", fits: false, why: "is full" },
    { node: "m2", fits: false, why: "is full" },
    { node: "m3", fits: false, why: null },
    { node: "m4", fits: true, needsPull: true },
    { node: "m5", fits: true },
  ]);
  assert.deepEqual(groups.map(({ fits, why, nodes }) => [fits, why, nodes]), [
    [true, "could take it, and would pull the template first", ["m4"]],
    [true, "could take it, and has the template", ["m5"]],
    [false, "full", ["m1", "m2"]],
    [false, "cannot take it", ["m3"]],
  ]);
});
