import assert from "node:assert/strict";
import { test } from "node:test";

import { from } from "./from.mjs";

const { findRoute, formatHash, matchPath, parseHash } = await from("core/router.js");

const VIEWS = [
  { name: "fleet", path: "fleet", aliases: ["dashboard", ""] },
  { name: "instances", path: "instances" },
  { name: "instance", path: "instances/:id" },
];

test("hash to path and query, and back", () => {
  for (const [hash, path, query] of [
    ["#/instances", "instances", {}],
    ["#/instances?phase=Started&q=ios%20%26", "instances", { phase: "Started", q: "ios &" }],
    ["#/nodes/a%2Fb", "nodes/a%2Fb", {}],
    ["#/", "", {}],
    ["", "", {}],
    ["#instances/", "instances", {}],
  ]) {
    assert.deepEqual(parseHash(hash), { path, query }, hash);
    assert.deepEqual(parseHash(formatHash(path, query)), { path, query }, hash);
  }
});

test("empty values leave the query", () => {
  assert.equal(formatHash("instances", { q: "", phase: null, sort: "-created", cols: undefined }), "#/instances?sort=-created");
});

test("parameters are decoded, and never empty", () => {
  assert.deepEqual(matchPath("nodes/:id", "nodes/a%2Fb"), { id: "a/b" });
  assert.deepEqual(matchPath("nodes/:id", "nodes/100%"), { id: "100%" }, "a lone % is itself");
  assert.equal(matchPath("nodes/:id", "nodes/"), null);
  assert.equal(matchPath("nodes/:id", "nodes"), null);
  assert.equal(matchPath("nodes/:id", "nodes/a/b"), null);
});

test("views by path, by parameter and by old names", () => {
  assert.equal(findRoute(VIEWS, "#/instances?q=x").route.view, "instances");
  assert.deepEqual(findRoute(VIEWS, "#/instances/i1").route.params, { id: "i1" });
  assert.equal(findRoute(VIEWS, "#/dashboard").view.name, "fleet");
  assert.equal(findRoute(VIEWS, "").view.name, "fleet");
  assert.equal(findRoute(VIEWS, "#/nowhere"), null);
});
