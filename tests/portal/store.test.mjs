import assert from "node:assert/strict";
import { test } from "node:test";

import { from, random } from "./from.mjs";

const { CloudStore } = await from("core/store.js");

/** @param {string} id @param {object} [more] */
const row = (id, more) => ({ id, name: id, ...more });
const ids = (store) => store.rows("nodes").map(({ id }) => id);
const snapshot = (version, ...rows) => ({ type: "snapshot", kind: "nodes", version, rows });
const delta = (version, upsert, remove = []) => ({ type: "delta", changes: { nodes: { version, upsert, remove } } });

test("a kind is loading until its snapshot, which may be empty", () => {
  const store = new CloudStore();
  assert.equal(store.state("nodes"), "loading");
  store.apply(snapshot("1"));
  assert.equal(store.state("nodes"), "ready");
  assert.deepEqual(store.rows("nodes"), []);
});

test("deltas change rows in their place, add at the end and remove", () => {
  const store = new CloudStore();
  store.apply(snapshot("1", row("a"), row("b"), row("c")));
  store.apply(delta("2", [row("a", { state: "Active" }), row("d")], ["b"]));
  assert.deepEqual(ids(store), ["a", "c", "d"]);
  assert.equal(store.get("nodes", "a").state, "Active");
  assert.equal(store.get("nodes", "b"), undefined);
  assert.equal(store.get("nodes", undefined), undefined);
});

test("a snapshot after a reconnect keeps the order and drops what is gone", () => {
  const store = new CloudStore();
  store.apply(snapshot("1", row("a"), row("b"), row("c")));
  store.apply(snapshot("9", row("d"), row("c"), row("a")));
  assert.deepEqual(ids(store), ["a", "c", "d"]);
});

test("it resumes from the last version of each kind that it has", () => {
  const store = new CloudStore();
  assert.deepEqual(store.since(), {});
  store.apply(snapshot("7"));
  store.apply(delta("12", []));
  assert.deepEqual(store.since(), { nodes: "12" });
  store.forget();
  assert.deepEqual(store.since(), {});
});

test("the version rises with each change of that kind, and only then", () => {
  const store = new CloudStore();
  store.apply(snapshot("1", row("a")));
  const { nodes, groups } = { nodes: store.version("nodes"), groups: store.version("groups") };
  const list = store.rows("nodes");
  store.apply({ type: "ping" });
  store.apply(delta("2", []));
  assert.equal(store.version("nodes"), nodes);
  assert.equal(store.rows("nodes"), list, "the list is made once");
  store.apply(delta("3", [row("b")]));
  assert.ok(store.version("nodes") > nodes);
  assert.equal(store.version("groups"), groups);
});

test("pings say which kinds are behind; the next ping takes it back", () => {
  const store = new CloudStore();
  store.apply(snapshot("1"));
  store.apply({ type: "ping", stale: { nodes: 12.5 } });
  assert.equal(store.state("nodes"), "stale");
  assert.equal(store.staleSeconds("nodes"), 12.5);
  store.apply({ type: "ping", stale: {} });
  assert.equal(store.state("nodes"), "ready");
});

test("without a connection everything ages, and a hello and ping bring it back", () => {
  const store = new CloudStore();
  store.apply(snapshot("1", row("a")));
  store.age(7);
  assert.equal(store.state("nodes"), "stale");
  assert.deepEqual(ids(store), ["a"], "stale rows stay to be seen");
  store.apply({ type: "hello", version: "1", session: {}, kinds: [] });
  assert.equal(store.state("nodes"), "ready");
});

test("a right that is taken away takes the rows away", () => {
  const store = new CloudStore();
  store.apply(snapshot("1", row("a")));
  store.apply({ type: "hello", version: "1", session: {}, kinds: [], denied: { nodes: "list_nodes" } });
  assert.equal(store.state("nodes"), "denied");
  assert.equal(store.denied("nodes"), "list_nodes");
  assert.deepEqual(store.rows("nodes"), []);
  store.apply({ type: "hello", version: "1", session: {}, kinds: [] });
  assert.equal(store.state("nodes"), "loading");
});

test("kinds of a newer server are passed over", () => {
  const store = new CloudStore();
  store.apply({ type: "snapshot", kind: "toasters", version: "1", rows: [] });
  store.apply({ type: "delta", changes: { toasters: { version: "2" } } });
  assert.deepEqual(store.since(), {});
});

test("whatever comes, it holds what a plain map would hold", () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const chance = random(seed);
    const store = new CloudStore();
    let expected = new Map();
    for (let step = 0; step < 60; step += 1) {
      const some = Array.from({ length: Math.floor(chance() * 5) }, () => row(`n${Math.floor(chance() * 12)}`, { step }));
      if (chance() < 0.1) {
        expected = new Map(some.map((one) => [one.id, one]));
        store.apply(snapshot(String(step), ...some));
      } else {
        const gone = chance() < 0.5 ? [`n${Math.floor(chance() * 12)}`] : [];
        for (const id of gone) expected.delete(id);
        for (const one of some) expected.set(one.id, one);
        store.apply(delta(String(step), some, gone));
      }
      const seen = store.rows("nodes");
      assert.equal(new Set(seen.map(({ id }) => id)).size, seen.length, `seed ${seed}`);
      assert.deepEqual(new Map(seen.map((one) => [one.id, one])), expected, `seed ${seed}`);
    }
  }
});
