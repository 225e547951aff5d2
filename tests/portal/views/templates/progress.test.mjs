import assert from "node:assert/strict";
import { test } from "node:test";
import { inOrder, isOpen, latestFirst, summary } from "../../../../api-shim/anka_shim/portal/static/views/templates/progress.pure.js";

const nodes = [
  { node: "b", percent: 100, done: true }, { node: "a", percent: 40 }, { node: "d" }, { node: "c", done: true, message: "no route" },
];

test("Macs by what they do; those that made room have finished", () => {
  assert.deepEqual(summary({ nodes, finished: 2, waiting: 4 }), { done: 3, failed: 1, running: 1, waiting: 5, all: 10, percent: 44 });
  assert.deepEqual(summary({}), { done: 0, failed: 0, running: 0, waiting: 0, all: 0, percent: 0 });
});

test("failures first, what is done last", () => assert.equal(inOrder({ nodes }).map((one) => one.node).join(""), "cadb"));

test("open requests first, then the latest", () => {
  const rows = [
    { id: "1", created: "2026-11-30T10:00:00Z" }, { id: "2", created: "2026-11-30T12:00:00Z", finishedAt: "x" },
    { id: "3", created: "2026-11-30T11:00:00Z" }, { id: "4", created: "2026-11-30T13:00:00Z", cancelled: true },
  ];
  assert.equal(latestFirst(rows).map((one) => one.id).join(""), "3142");
  assert.equal(isOpen(rows[3]), false);
});
