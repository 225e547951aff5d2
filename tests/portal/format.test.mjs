import assert from "node:assert/strict";
import { test } from "node:test";

import { from } from "./from.mjs";

const { between, bytes, count, duration, percent, relative } = await from("core/format.js");
const { backoff } = await from("core/backoff.js");
const { curl, quote, readEnvelope, ApiError } = await from("core/api.js");
const { judge } = await from("core/rights.js");
const { memo } = await from("core/memo.js");

test("durations", () => {
  for (const [ms, text] of [[0, "0 s"], [59_499, "59 s"], [59_500, "1 min"], [65_000, "1 min 5 s"], [3_600_000, "1 h"],
    [3_660_000, "1 h 1 min"], [90_000_000, "1 d 1 h"], [-5, "0 s"], [null, "–"], [NaN, "–"]])
    assert.equal(duration(ms), text);
});

test("times beside now", () => {
  const now = Date.parse("2026-11-30T12:00:00Z");
  for (const [iso, text] of [["2026-11-30T12:00:00Z", "now"], ["2026-11-30T11:57:10Z", "2 min ago"],
    ["2026-11-30T14:00:00Z", "in 2 h"], [undefined, "–"], ["nonsense", "–"]])
    assert.equal(relative(iso, now), text);
  assert.equal(between("2026-11-30T11:00:00Z", now), 3_600_000);
  assert.equal(between(undefined, now), null);
});

test("bytes never show 1000 of a unit", () => {
  for (const [n, text] of [[0, "0 B"], [999, "999 B"], [1000, "1 kB"], [1500, "1.5 kB"], [999_600, "1 MB"], [99_960, "100 kB"],
    [2_340_000_000_000, "2.3 TB"], [undefined, "–"], [Infinity, "–"]])
    assert.equal(bytes(n), text);
});

test("counts", () => {
  assert.equal(count(1, "VM"), "1 VM");
  assert.equal(count(1200, "VM"), "1,200 VMs");
  assert.equal(count(2, "index", "indices"), "2 indices");
  assert.equal(percent(12.6), "13 %");
});

test("waits between tries grow to a limit, and are never none", () => {
  for (const failures of [1, 2, 3, 10, 1000])
    for (const chance of [0, 0.5, 1]) {
      const wait = backoff(failures, chance);
      assert.ok(wait >= 100 && wait <= 5000, `${failures} ${chance}: ${wait}`);
    }
  assert.ok(backoff(4, 0) > backoff(1, 1));
});

test("a line for a shell says what the page would send", () => {
  assert.equal(curl("GET", "/api/v1/vm"), 'curl -s "$ANKA"/api/v1/vm');
  assert.equal(curl("GET", "/api/v1/vm?id=a&b=c"), `curl -s "$ANKA"'/api/v1/vm?id=a&b=c'`);
  assert.equal(curl("POST", "/api/v1/vm", { name: "it's $HOME" }), `curl -s -X POST "$ANKA"/api/v1/vm -d '{"name":"it'\\''s $HOME"}'`);
  assert.equal(quote("$(reboot)"), "'$(reboot)'");
  assert.equal(quote("$HOME"), "'$HOME'");
  assert.equal(quote(""), "''");
});

test("an envelope gives its body, or the server's words", () => {
  assert.deepEqual(readEnvelope(200, '{"status":"OK","message":"","body":[1]}'), [1]);
  const refused = (code, text) => {
    try {
      readEnvelope(code, text);
    } catch (error) {
      assert.ok(error instanceof ApiError);
      return [error.code, error.message];
    }
    return assert.fail("it did not throw");
  };
  assert.deepEqual(refused(200, '{"status":"FAIL","message":"no such template"}'), [200, "no such template"]);
  assert.deepEqual(refused(502, "Bad Gateway\n<html>"), [502, "Bad Gateway"]);
  assert.deepEqual(refused(500, ""), [500, "The server answered 500 without a reason."]);
  assert.deepEqual(refused(200, "null"), [200, "The server answered 200 without a reason."]);
});

test("rights", () => {
  const session = { user: "a", login: "apiKey", authentication: true, rights: ["list_vms"] };
  assert.deepEqual(judge(session, "list_vms"), { ok: true });
  assert.deepEqual(judge(session, null), { ok: true });
  assert.deepEqual(judge(session, "start_vm"), { ok: false, why: "Your permission groups lack start_vm." });
  assert.deepEqual(judge({ ...session, rights: null }, "start_vm"), { ok: true });
  assert.equal(judge(null, "start_vm").ok, false);
  assert.equal(judge({ ...session, rights: [] }, "list_vms").ok, false);
});

test("computed once for the same keys", () => {
  let times = 0;
  const sum = memo((a, b) => [a, b.length], (a, b) => ((times += 1), a + b.length));
  assert.equal(sum(1, "ab"), 3);
  assert.equal(sum(1, "cd"), 3);
  assert.equal(times, 1);
  assert.equal(sum(2, "cd"), 4);
  assert.equal(times, 2);
});
