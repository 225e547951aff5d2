import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { EMPTY, check, readMetadata, readPorts, toBase64, toBody, toManifest, toQuery } from "../../../../api-shim/anka_shim/portal/static/views/instances/start-request.pure.js";

const form = (changes = {}) => ({ ...EMPTY, template: "t-1", ...changes });
const all = form({
  tag: "15.2", group: "g-1", node: "mac-1", count: "3", priority: "10", name: "Nightly Build", externalId: "https://ci/7",
  metadata: "team=blue\nretries = 3\nfast=true\n", script: "echo é\n", scriptMonitoring: true, scriptTimeout: "60",
  scriptFailHandler: "Keep", scriptCondition: "Booted", vcpu: "4", ram: "8192", ports: "ssh 22\nweb 80:10080",
});

test("only what is given is sent", () => {
  assert.deepEqual(toBody(form()), { vmid: "t-1", count: 1 });
  assert.deepEqual(toManifest(form(), "anka-ci").spec, { template: "t-1" });
});

test("everything, in the words of the old API", () => {
  assert.deepEqual(toBody(all), {
    vmid: "t-1", tag: "15.2", count: 3, name: "Nightly Build", external_id: "https://ci/7", group_id: "g-1", node_id: "mac-1",
    priority: 10, vcpu: 4, vram: 8192, metadata: { team: "blue", retries: 3, fast: true },
    port_forwarding_override: [{ name: "ssh", guest_port: 22 }, { name: "web", guest_port: 80, host_port: 10080 }],
    startup_script: "ZWNobyDDqQo=", startup_script_condition: 1, script_monitoring: true, script_timeout: 60, script_fail_handler: 1,
  });
});

test("the same as a manifest", () => {
  const manifest = toManifest(all, "anka-ci", "macos");
  assert.deepEqual(manifest.metadata, { generateName: "nightly-build-", namespace: "anka-ci" });
  assert.deepEqual(manifest.spec.startupScript, {
    content: "ZWNobyDDqQo=", condition: "Booted", monitoring: true, timeoutSeconds: 60, failHandler: "Keep",
  });
  assert.deepEqual(manifest.spec.resources, { vcpu: 4, memoryMib: 8192 });
  assert.deepEqual(manifest.spec.portForwarding[1], { name: "web", guestPort: 80, hostPort: 10080 });
  assert.deepEqual(manifest.spec.metadata, { team: "blue", retries: 3, fast: true });
});

test("names of objects begin with what Kubernetes takes", () => {
  const prefix = (name) => toManifest(form({ name }), "n").metadata.generateName;
  assert.equal(prefix("--Ünï Code!"), "n-code-");
  assert.equal(prefix("!!!"), "instance-");
  assert.equal(prefix("a".repeat(39) + "-b"), "a".repeat(39) + "-");
  assert.equal(toManifest(form(), "n", "macOS 15").metadata.generateName, "macos-15-");
});

test("a script's options mean nothing without a script", () => {
  assert.deepEqual(toBody(form({ script: " \n", scriptMonitoring: true })), { vmid: "t-1", count: 1 });
  assert.equal(toBody(form({ script: "x", scriptTimeout: "5" })).script_timeout, undefined);
});

test("fields say what is wrong", () => {
  assert.deepEqual(check(form()), {});
  assert.deepEqual(Object.keys(check({ ...EMPTY, count: "0", priority: "urgent", metadata: "x", ports: "ssh" })), [
    "template", "count", "priority", "metadata", "ports",
  ]);
  assert.match(check(form({ metadata: "=x" })).metadata, /key=value/);
});

test("metadata keeps its types, and any key", () => {
  assert.deepEqual(readMetadata("a=1\nb=01\nc=-2\nd=1.5\ne=x=y\nf=").values, { a: 1, b: "01", c: -2, d: "1.5", e: "x=y", f: "" });
  assert.deepEqual(Object.entries(readMetadata("__proto__=1").values), [["__proto__", 1]]);
  assert.equal(JSON.stringify(toBody(form({ metadata: "__proto__=1" })).metadata), '{"__proto__":1}');
  assert.deepEqual(readMetadata(" \n"), {});
});

test("port rules", () => {
  assert.deepEqual(readPorts("ssh 22").rules, [{ name: "ssh", guest: 22 }]);
  for (const bad of ["22", "ssh:22", "ssh 22:", "ssh x", "a b 22"]) assert.ok(readPorts(bad).error, bad);
});

test("base64 is of UTF-8", () => {
  for (const text of ["", "é", "日本", "x".repeat(100_000)]) assert.equal(toBase64(text), Buffer.from(text, "utf8").toString("base64"));
});

test("the scheduler is asked with what it looks at", () => {
  assert.equal(toQuery(all), "vmid=t-1&tag=15.2&group_id=g-1&node_id=mac-1&priority=10&vcpu=4&vram=8192");
  assert.equal(toQuery(form()), "vmid=t-1");
});
