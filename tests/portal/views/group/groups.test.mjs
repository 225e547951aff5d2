import assert from "node:assert/strict";
import { test } from "node:test";

import { chainOf, membersOf, possibleFallbacks } from "../../../../api-shim/anka_shim/portal/static/views/group/chain.pure.js";

const GROUPS = [
  { id: "a", name: "A", fallback: "b" }, { id: "b", name: "B", fallback: "c" }, { id: "c", name: "C" },
  { id: "x", name: "X", fallback: "y" }, { id: "y", name: "Y", fallback: "x" }, { id: "z", name: "Z", fallback: "gone" },
];
const words = (id) => chainOf(GROUPS, id).map((link) => `${link.name}${link.kind === "known" ? "" : ` (${link.kind})`}`);

test("a chain goes on to the last fallback", () => assert.deepEqual(words("a"), ["A", "B", "C"]));
test("a fallback that does not exist is said", () => assert.deepEqual(words("z"), ["Z", "gone (missing)"]));
test("a circle ends where it began", () => assert.deepEqual(words("x"), ["X", "Y", "X (circle)"]));

test("no group is offered that leads back to the group itself", () => {
  assert.deepEqual(possibleFallbacks(GROUPS, "c").map(({ id }) => id), ["x", "y", "z"]);
  assert.deepEqual(possibleFallbacks(GROUPS, "a").map(({ id }) => id), ["b", "c", "x", "y", "z"]);
  assert.equal(possibleFallbacks(GROUPS, undefined).length, GROUPS.length);
});

test("members are the Macs that name the group", () => {
  const nodes = [{ id: "m1", groups: ["a"] }, { id: "m2", groups: [] }, { id: "m3", groups: ["b", "a"] }];
  assert.deepEqual(membersOf(nodes, "a").map(({ id }) => id), ["m1", "m3"]);
});
