import assert from "node:assert/strict";
import { test } from "node:test";

import { figuresOf, sectionsOf, sortTiles, stateOf, tilesOf } from "../../../../api-shim/anka_shim/portal/static/views/fleet/fleet.pure.js";
import { nextTile } from "../../../../api-shim/anka_shim/portal/static/views/fleet/grid.pure.js";
import {
  freeOn,
  heldNodes,
  isAccepting,
  placedByNode,
  slotLimit,
  slotsOf,
} from "../../../../api-shim/anka_shim/portal/static/views/fleet/slots.pure.js";

const node = (id, more = {}) => ({
  id, name: id, state: "Active", arch: "amd64", groups: [], capacityMode: "number", maxVms: 2, usage: {}, ...more,
});
const instance = (id, more = {}) => ({
  id, name: id, namespace: "n", created: `2026-11-30T10:00:0${id.length}Z`, phase: "Started", template: {}, ...more,
});
const fleet = (nodes, instances = []) => tilesOf(nodes, placedByNode(instances), heldNodes(instances));

test("a Mac has a box for each slot, and the free ones come last", () => {
  const placed = placedByNode([instance("a", { node: "m" })]);
  assert.deepEqual(slotsOf(node("m", { maxVms: 3 }), placed.get("m")).map((slot) => slot.kind), ["vm", "free", "free"]);
});

test("a VM that failed, stopped or ended takes no slot, one that ends still does", () => {
  const all = ["Error", "Stopped", "Terminated", "Terminating", "Pulling"].map((phase) => instance(phase, { phase, node: "m" }));
  assert.deepEqual(placedByNode(all).get("m").map((row) => row.phase).sort(), ["Pulling", "Terminating"]);
});

test("VMs that no row shows are boxes too: the Mac counts them", () => {
  const slots = slotsOf(node("m", { usage: { vms: 2 } }), [instance("a", { node: "m" })]);
  assert.deepEqual(slots.map((slot) => slot.kind), ["vm", "other"]);
});

test("on arm64 the number counts in both modes; Intel by resources has none", () => {
  assert.equal(slotLimit(node("m", { arch: "arm64", maxVms: 2 })), 2);
  assert.equal(slotLimit(node("m", { arch: "arm64", capacityMode: "resource", maxVms: 1 })), 1);
  assert.equal(slotLimit(node("m", { capacityMode: "resource" })), null);
});

test("a Mac that is draining, leaving, away or has a wrong clock is not free", () => {
  assert.ok(isAccepting(node("m")));
  const closed = [
    { draining: true }, { leaving: true }, { state: "Offline" }, { state: null }, { problem: "no disk" },
    { conditions: [{ type: "ClockSkewed", status: "True" }] },
  ];
  for (const more of closed) {
    assert.equal(isAccepting(node("m", more)), false, JSON.stringify(more));
    assert.deepEqual(freeOn(node("m", more), 0), { vms: 0, vcpus: 0 });
  }
});

test("by resources, vCPUs are free: twice the cores, or what somebody set instead", () => {
  const byCores = node("m", { capacityMode: "resource", vcpus: 8, usage: { vcpus: 4 } });
  assert.deepEqual(freeOn(byCores, 1), { vms: 0, vcpus: 12 });
  assert.deepEqual(freeOn({ ...byCores, vcpuOverride: 6 }, 1), { vms: 0, vcpus: 2 });
});

test("the message of a waiting instance names the Macs that are kept free for it", () => {
  const message = "0/9 nodes fit: 9 full; m1, m2, m3 and 2 more are kept free for it";
  assert.deepEqual([...heldNodes([instance("w", { phase: "Scheduling", keptFree: 5, message })]).keys()], ["m1", "m2", "m3"]);
  const one = "0/9 nodes fit: 9 full; m1 is kept free for it";
  assert.deepEqual([...heldNodes([instance("w", { phase: "Scheduling", keptFree: 1, message: one })]).keys()], ["m1"]);
  assert.equal(heldNodes([instance("w", { phase: "Scheduling", message: one })]).size, 0);
});

test("figures: what runs, what is free, what waits and what never runs", () => {
  const instances = [
    instance("a", { node: "m1" }), instance("b", { node: "m2", phase: "Pulling" }),
    instance("w", { phase: "Scheduling" }), instance("x", { phase: "Scheduling", never: true }),
  ];
  const nodes = [node("m1", { usage: { cpuPercent: 20, ramPercent: 40 } }), node("m2", { draining: true }), node("m3", { state: "Offline" })];
  const figures = figuresOf(fleet(nodes, instances), instances);
  assert.deepEqual(
    { ...figures, states: { ...figures.states } },
    { states: { Active: 1, "Drain Mode": 1, Offline: 1 }, taken: 2, capacity: 6, running: 1, free: 1, freeVcpus: 0,
      byResource: 0, waiting: 1, never: 1, cpu: 20, ram: 40, failures: 0 },
  );
});

test("an empty fleet has figures, not NaN", () => {
  assert.equal(figuresOf([], []).cpu, 0);
});

test("a drain that has just been asked for shows at once", () => {
  assert.equal(stateOf(node("m", { draining: true })), "Drain Mode");
  assert.equal(stateOf(node("m", { draining: true, state: "Offline" })), "Offline");
  assert.equal(stateOf(node("m", { state: null })), "Offline");
});

test("every Mac stands once, under the first of its groups by name; those without come last", () => {
  const groups = [{ id: "g1", name: "zoo" }, { id: "g2", name: "ios", fallback: "g1" }];
  const tiles = fleet([node("m1", { groups: ["g1", "g2"] }), node("m2"), node("m3", { groups: ["gone"] })]);
  const sections = sectionsOf(tiles, "group", groups);
  assert.deepEqual(sections.map(({ title, note, tiles: there }) => [title, note, there.length]), [
    ["gone", "", 1], ["ios", "falls back to zoo", 1], ["In no group", "", 1],
  ]);
  assert.equal(sectionsOf(tiles, "none", groups).length, 1);
  assert.deepEqual(sectionsOf(tiles, "state", groups).map(({ title }) => title), ["Active"]);
});

test("the Mac that fails most comes first when asked; names are sorted as people count", () => {
  const tiles = fleet([node("mac-10"), node("mac-9", { failures: { count: 1 } }), node("mac-2", { failures: { count: 4 } })]);
  const order = (by) => sortTiles(tiles, by).map((tile) => tile.node.id);
  assert.deepEqual(order("failures"), ["mac-2", "mac-9", "mac-10"]);
  assert.deepEqual(order("name"), ["mac-2", "mac-9", "mac-10"]);
  assert.deepEqual(order("what is this"), order("name"));
});

const GRID = [0, 1, 2, 3, 4].map((i) => ({ left: 100 * (i % 3), top: 50 * Math.floor(i / 3) }));

test("arrow keys go to the neighbour, and to the nearest of the next row", () => {
  assert.equal(nextTile(GRID, 0, "ArrowRight"), 1);
  assert.equal(nextTile(GRID, 4, "ArrowRight"), 4);
  assert.equal(nextTile(GRID, 1, "ArrowDown"), 4);
  assert.equal(nextTile(GRID, 2, "ArrowDown"), 4);
  assert.equal(nextTile(GRID, 3, "ArrowUp"), 0);
  assert.equal(nextTile(GRID, 0, "ArrowUp"), 0);
  assert.equal(nextTile(GRID, 2, "Home"), 0);
  assert.equal(nextTile(GRID, 0, "End"), 4);
  assert.equal(nextTile(GRID, 2, "a"), 2);
  assert.equal(nextTile([], 0, "End"), -1);
});
