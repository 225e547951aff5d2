import assert from "node:assert/strict";
import { test } from "node:test";

const STATIC = new URL("../../api-shim/anka_shim/portal/static/", import.meta.url);
const { LineBuffer, LineSplitter, describeFields, isGraveEnough, parseLine, textOf } = await import(new URL("core/log-lines.js", STATIC).href);
const { countDevices, listDevices, listVlans } = await import(new URL("core/devices.js", STATIC).href);

test("a splitter yields the same lines wherever the bytes are cut", () => {
  const text = "first\nzweite – é 🍏\n\n  \nthird\nrest";
  const bytes = new TextEncoder().encode(text);
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = new LineSplitter();
    const lines = [];
    for (let at = 0; at < bytes.length; at += size) lines.push(...splitter.add(bytes.slice(at, at + size)));
    assert.deepEqual([...lines, ...splitter.end()], ["first", "zweite – é 🍏", "third", "rest"], `pieces of ${size}`);
  }
});

test("lines of our processes, of the event log, and of anything else", () => {
  const own = parseLine('{"ts": "2026-11-24T07:39:39+0000", "level": "WARNING", "logger": "a.b", "message": "m", "port": 1}', 7);
  assert.deepEqual(own, { n: 7, at: "2026-11-24T07:39:39+0000", level: "WARNING", logger: "a.b", message: "m", fields: { port: 1 } });
  const event = parseLine('{"name": "VMStarted", "time": 1602006103, "instance_id": "x"}', 1);
  assert.equal(event.message, "VMStarted");
  assert.equal(event.at, "2020-10-06T17:41:43.000Z");
  assert.deepEqual(event.fields, { instance_id: "x" });
  for (const text of ["plain", '{"cut off', "[1]", "null", '"text"']) assert.equal(parseLine(text, 1).message, text);
});

test("levels", () => {
  const line = (level) => parseLine(JSON.stringify({ level, message: "m" }), 1);
  assert.ok(isGraveEnough(line("ERROR"), "WARNING"));
  assert.ok(!isGraveEnough(line("INFO"), "WARNING"));
  assert.ok(isGraveEnough(line("strange"), "INFO"));
  assert.ok(!isGraveEnough(line("strange"), "ERROR"));
  assert.ok(isGraveEnough(line("DEBUG"), undefined));
  assert.match(textOf(parseLine('{"message":"m","a":{"b":1},"c":"d"}', 1)), /a=\{"b":1\} c=d/);
  assert.equal(describeFields({}), "");
});

test("a buffer keeps the newest and counts what it dropped", () => {
  const buffer = new LineBuffer(3);
  buffer.add(["1", "2"]);
  buffer.add(["3", "4", "5"]);
  assert.deepEqual(buffer.lines.map((line) => [line.n, line.message]), [[3, "3"], [4, "4"], [5, "5"]]);
  assert.equal(buffer.dropped, 2);
  buffer.clear();
  assert.deepEqual([buffer.lines, buffer.count, buffer.dropped], [[], 0, 0]);
});

const NODES = [
  { id: "n1", name: "One", state: "Active", groups: [], vlans: ["120", "9"], usb: [
    { location: "0x1", name: "iPhone", group: "phone", available: true }, { location: "0x2", group: "phone", available: false },
    { location: "0x3", name: "Alone", available: true },
  ] },
  { id: "n2", name: "Two", state: "Offline", groups: [], vlans: ["120"], usb: [{ location: "0x1", group: "phone", available: true }] },
];
const INSTANCES = [
  { id: "a", node: "n1", phase: "Started", usbDevice: "0x1", vlan: "120" },
  { id: "b", node: "n1", phase: "Error", usbDevice: "0x3", vlan: "120" },
  { id: "c", phase: "Scheduling", usbDevice: "0x3" },
];

test("devices: claimed by who is there, never by who has ended or waits", () => {
  const devices = listDevices(NODES, INSTANCES);
  assert.deepEqual(devices.map((d) => [d.id, d.state, d.holder?.id]), [
    ["n1/0x1", "claimed", "a"], ["n1/0x2", "in use on the Mac", undefined], ["n1/0x3", "free", undefined],
    ["n2/0x1", "Mac offline", undefined],
  ]);
  assert.deepEqual(countDevices(devices), [{ name: "0x3", free: 1, busy: 0 }, { name: "phone", free: 0, busy: 2 }]);
});

test("VLANs in the order of their numbers, with Macs and VMs", () => {
  const vlans = listVlans(NODES, INSTANCES);
  assert.deepEqual(vlans.map((v) => [v.id, v.nodes.length, v.instances.map((i) => i.id)]), [["9", 1, []], ["120", 2, ["a"]]]);
});

const { RECOMMENDED, areResourcesChanged, byCategory, isChanged, setAll, toPem } = await import(new URL("core/permission-sets.js", STATIC).href);
const { detailOf, joinPages, titleOf } = await import(new URL("core/event-words.js", STATIC).href);

test("drafts of permission groups", () => {
  assert.ok(!isChanged(["a", "b"], new Set(["b", "a"])));
  assert.ok(isChanged(["a"], ["a", "b"]) && isChanged(["a", "b"], ["a"]) && isChanged(["a"], ["b"]));
  const one = { type: "node", id: "n", permissions: ["list", "remove"] };
  assert.ok(!areResourcesChanged([one], [{ ...one, permissions: ["remove", "list"] }]));
  assert.ok(areResourcesChanged([one], [{ ...one, type: "template" }]));
  const draft = new Set(["a"]);
  setAll(draft, ["b", "c"], true);
  setAll(draft, ["a", "c"], false);
  assert.deepEqual([...draft], ["b"]);
  assert.deepEqual(byCategory([{ id: "1", category: "x" }, { id: "2", category: "y" }, { id: "3", category: "x" }])
    .map(({ category, permissions }) => [category, permissions.map(({ id }) => id)]), [["x", ["1", "3"]], ["y", ["2"]]]);
  for (const { ids } of RECOMMENDED) assert.equal(new Set(ids).size, ids.length);
});

test("a private key becomes a file that openssl reads", () => {
  const pem = toPem("A".repeat(130));
  assert.deepEqual(pem.split("\n").map((line) => line.length), [31, 64, 64, 2, 29, 0]);
});

test("events: known ones in words, unknown ones as they are, pages without repeats", () => {
  assert.equal(titleOf({ name: "VMStarted" }), "VM started");
  assert.equal(titleOf({ name: "Later" }), "Later");
  assert.equal(detailOf({ event_id: "1", name: "ConfigNode", time: 1, drain_mode: true, tag: "", group_id: null, node_ids: ["a"] }), 'drain mode true, node ids ["a"]');
  assert.deepEqual(joinPages([{ event_id: "3" }, { event_id: "2" }], [{ event_id: "2" }, { event_id: "1" }]).map((e) => e.event_id), ["3", "2", "1"]);
});
