import assert from "node:assert/strict";
import { test } from "node:test";

import { from } from "./from.mjs";

const { countVersions, findSkew, listFeatures } = await from("views/about/about.pure.js");
const { summarize } = await from("core/summary.js");
const { CloudStore } = await from("core/store.js");

test("the version that most have comes first", () => {
  assert.deepEqual(countVersions(["2", "1", "2", undefined]), [
    { version: "2", count: 2 }, { version: "1", count: 1 }, { version: "not reported", count: 1 },
  ]);
  assert.deepEqual(countVersions([]), []);
});

test("an agent is out of step with what is wanted of it, or else with this server", () => {
  const nodes = [
    { id: "a", agentVersion: "1" }, { id: "b", agentVersion: "2" }, { id: "c", agentVersion: "1", wantedAgentVersion: "1" },
    { id: "d", agentVersion: "2", wantedAgentVersion: "3" }, { id: "e" },
  ];
  assert.deepEqual(findSkew(nodes, "2").map(({ id }) => id), ["a", "d"]);
});

test("what is on", () => {
  const on = (session) => listFeatures(session).filter(({ isOn }) => isOn).map(({ name }) => name);
  assert.deepEqual(on(null), []);
  assert.deepEqual(on({ authentication: true, features: { apiKeys: true, oidc: "Example" } }), ["Authentication", "API keys", "Login at a provider"]);
});

test("one line says what there is, and nothing of what may not be seen", () => {
  const store = new CloudStore();
  assert.equal(summarize(store), "");
  store.apply({ type: "snapshot", kind: "instances", version: "1", rows: [{ id: "a", phase: "Scheduling" }, { id: "b", phase: "Error" }, { id: "c", phase: "Started" }] });
  assert.equal(summarize(store), "3 instances, 1 waiting, 1 in error");
  store.apply({ type: "snapshot", kind: "nodes", version: "1", rows: [{ id: "m", state: "Active" }, { id: "n", state: "Offline" }] });
  store.apply({ type: "hello", version: "1", session: {}, kinds: [], denied: { instances: "list_vms" } });
  assert.equal(summarize(store), "1 of 2 Macs active");
});
