import assert from "node:assert/strict";
import { test } from "node:test";

import { checksOf, joinByHand, nameProblem, toName } from "../../../../api-shim/anka_shim/portal/static/views/join/join.pure.js";

test("names that Kubernetes takes, and those that it refuses", () => {
  for (const good of ["mac-03", "a", "mac.local", "m1.build.example"]) assert.equal(nameProblem(good), "", good);
  for (const bad of ["", "-a", "a-", "Mac", "a b", "a..b", "a;b", "x".repeat(249)]) assert.notEqual(nameProblem(bad), "", bad);
});

test("a name is made of what people call a Mac", () => {
  assert.equal(toName("Mac Mini 03!"), "mac-mini-03");
  assert.equal(nameProblem(toName("Jörg's Mac")), "");
  assert.equal(toName("---"), "");
});

test("the lines name the Mac and its groups, quoted for a shell", () => {
  const { kubectl } = joinByHand("mac-03", ["ios", "a b"]);
  assert.equal(kubectl[0], "kubectl create serviceaccount mac-03 --namespace anka-joining");
  assert.match(kubectl[1], /--resource-name ios --resource-name 'a b'$/);
  assert.match(kubectl.at(-1), /--node-id mac-03 --groups ios,'a b'"$/);
  assert.doesNotMatch(joinByHand("mac-03", []).kubectl.join("\n"), /groups/);
});

const NOW = Date.parse("2026-11-30T12:00:00Z");
const words = (node) => checksOf(node, NOW).map(({ title, state }) => `${title} ${state}`);

test("nothing is known before the first report", () => assert.deepEqual(words(undefined), ["joined wait"]));

test("a Mac that is well", () => {
  const node = {
    id: "m", name: "m", state: "Active", groups: [], heartbeatAt: "2026-11-30T11:59:58Z", reservePercent: 20,
    anka: { version: "3.8", license: "entplus", licenseStatus: "valid" }, disk: { sizeBytes: 100, freeBytes: 60 },
    conditions: [{ type: "Ready", status: "True" }],
  };
  assert.deepEqual(words(node), ["joined ok", "heartbeat ok", "anka ok", "licence ok", "disk ok", "takes VMs ok"]);
});

test("a Mac that is not: each line says what", () => {
  const node = {
    id: "m", name: "m", state: "Inactive (Invalid License)", groups: [], heartbeatAt: "2026-11-30T11:50:00Z", reservePercent: 20,
    anka: { version: "3.8", licenseStatus: "expired" }, disk: { sizeBytes: 100, freeBytes: 10 },
    conditions: [{ type: "UnknownGroups", status: "True", message: "There is no group x" }],
  };
  assert.deepEqual(words(node), ["joined ok", "heartbeat bad", "anka ok", "licence bad", "disk bad", "UnknownGroups bad", "takes VMs bad"]);
});
