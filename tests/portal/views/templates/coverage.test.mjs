import assert from "node:assert/strict";
import { test } from "node:test";
import { cellText, columnsOf, coverage } from "../../../../api-shim/anka_shim/portal/static/views/templates/coverage.pure.js";

const node = (id, changes = {}) => ({ id, name: id, state: "Active", groups: [], disk: { freeBytes: 100 }, ...changes });
const template = {
  id: "t", name: "macos", versions: [{ number: 0, tag: "old", sizeBytes: 50 }, { number: 1, tag: "mid", sizeBytes: 50 }, { number: 2, tag: "new", sizeBytes: 50 }],
};
const distribution = (changes = {}) => ({ id: "d", name: "d", created: "", template: { id: "t", tag: "new" }, action: "Pull", nodes: [], ...changes });
const of = (input) => coverage({ templates: [template], nodes: [], instances: [], distributions: [], ...input });
const states = (rows) => Object.fromEntries(rows.map((row) => [row.tag, row.cells.map((cell) => cell.state).join(" ")]));

test("the latest tag always, others where a Mac has, keeps or gets them", () => {
  assert.deepEqual(of({}).map((row) => [row.tag, row.isLatest, row.olderTags]), [["new", true, 2]]);
  const held = of({ nodes: [node("m1", { templates: [{ id: "t", tag: "old" }] })] });
  assert.deepEqual(states(held), { new: "missing", old: "has" });
  assert.equal(of({ opened: new Set(["t"]) }).length, 3);
});

test("every state of a cell", () => {
  const nodes = [
    node("has", { templates: [{ id: "t", tag: "new" }], kept: [{ template: "t", tag: "new" }] }),
    node("pulls", { tasks: [{ name: "d", percent: 49.4 }] }),
    node("keeps", { tasks: [{ name: "keep:t:new", percent: 7, message: "low disk" }] }),
    node("queued"),
    node("full", { disk: { freeBytes: 49 } }),
    node("lacks", { disk: undefined }),
    node("starts"),
  ];
  const [row] = of({
    nodes,
    distributions: [distribution({ nodes: [{ node: "pulls", percent: 49 }, { node: "queued" }] })],
    instances: [{ id: "1", phase: "Pulling", percent: 20, node: "starts", template: { id: "t", tag: "new" } }],
  });
  assert.equal(row.cells.map((cell) => cell.state).join(" "), "has pulling pulling queued tooBig missing pulling");
  assert.deepEqual([row.have, row.of, row.running], [1, 7, 1]);
  assert.deepEqual(row.cells.map(cellText), [
    "has has it, a rule keeps it there", "pulls pulls it: 49 %", "keeps pulls it: 7 % (low disk)", "queued is about to pull it",
    "full lacks it, and has too little disk", "lacks lacks it", "starts pulls it: 20 % (for an instance)",
  ]);
});

test("what is over does not count: removals, cancelled and finished distributions, tasks that are done", () => {
  const nodes = [node("m", { tasks: [{ name: "d", done: true, percent: 100 }] })];
  const entry = [{ node: "m" }];
  for (const changes of [{ action: "Remove" }, { cancelled: true }, { finishedAt: "2026-11-30T00:00:00Z" }]) {
    assert.deepEqual(states(of({ nodes, distributions: [distribution({ nodes: entry, ...changes })] })), { new: "missing" });
  }
});

test("a Mac that failed says why", () => {
  const [row] = of({ nodes: [node("m")], distributions: [distribution({ nodes: [{ node: "m", done: true, message: "no route" }] })] });
  assert.equal(cellText(row.cells[0]), "m lacks it (no route)");
});

test("a change of one cell changes the row's signature, and nothing else does", () => {
  const rows = (percent) => of({ nodes: [node("m", { tasks: [{ name: "keep:t:new", percent }] })] });
  assert.equal(rows(1)[0].signature, rows(1.2)[0].signature);
  assert.notEqual(rows(1)[0].signature, rows(2)[0].signature);
});

test("columns: by group, numbers in order, those of no group last", () => {
  const nodes = [node("mac-10", { groups: ["g"] }), node("mac-2", { groups: ["g", "h"] }), node("alone"), node("x", { groups: ["gone"] })];
  assert.deepEqual(columnsOf(nodes, [{ id: "g", name: "ios" }]).map((one) => [one.name, one.nodes.map((mac) => mac.id)]), [
    ["gone", ["x"]], ["ios", ["mac-2", "mac-10"]], ["no group", ["alone"]],
  ]);
});
