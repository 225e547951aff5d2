import assert from "node:assert/strict";
import { test } from "node:test";

import { configBody } from "../../../../api-shim/anka_shim/portal/static/views/node/configure.pure.js";

const ONE = { name: "mac", host: "10.0.0.1", mode: "number", maxVms: "2", vcpus: "", ram: "", logging: "on" };
const SEVERAL = { name: "", host: "", mode: "", maxVms: "", vcpus: "", ram: "", logging: "" };

test("only what differs is sent", () => {
  assert.deepEqual(configBody(ONE, { ...ONE }), {});
  assert.deepEqual(configBody(ONE, { ...ONE, maxVms: "0", logging: "off" }), { max_vm_count: 0, disable_central_logging: true });
});

test("of several Macs, empty fields change nothing", () => {
  assert.deepEqual(configBody(SEVERAL, { ...SEVERAL }), {});
  assert.deepEqual(configBody(SEVERAL, { ...SEVERAL, mode: "resource", vcpus: "8", ram: "0" }), {
    capacity_mode: "resource", vcpu_override: 8, ram_override: 0,
  });
});

test("an emptied field is no change: the API has no word for it", () => {
  assert.deepEqual(configBody(ONE, { ...ONE, host: "", name: "" }), {});
});
