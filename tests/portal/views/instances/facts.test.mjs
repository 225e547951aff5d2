import assert from "node:assert/strict";
import { test } from "node:test";
import * as facts from "../../../../api-shim/anka_shim/portal/static/views/instances/facts.pure.js";

const row = (changes = {}) => ({
  id: "i-1", name: "i-1", namespace: "anka-ci", created: "2026-11-30T12:00:00Z", phase: "Started", template: { id: "t-1", name: "macos-15" },
  ...changes,
});
const session = (user) => ({ user, login: "root", authentication: true, rights: null });

test("states are the old portal's words", () => {
  assert.equal(facts.stateText(row({ phase: "Pulling", percent: 48.6 })), "Pulling (49%)");
  assert.equal(facts.stateText(row({ phase: "Error", message: "no disk" })), "Error (no disk)");
  assert.equal(facts.stateText(row({ phase: "Started", legacyState: "Terminating" })), "Terminating");
  assert.equal(facts.stateText(row({ phase: "Pulling" })), "Pulling");
});

test("the tag is that in use, else the newest", () => {
  assert.equal(facts.tagName(row()), "latest");
  assert.equal(facts.tagName(row({ template: { id: "t", tag: "x" } })), "x");
  assert.equal(facts.tagName(row({ template: { id: "t", version: 0 } })), "version 0");
});

const SCRIPT = `java${"script"}:`;

test("only addresses of the web become links", () => {
  assert.equal(facts.webAddress("https://ci.example/job/7?a=b"), "https://ci.example/job/7?a=b");
  assert.equal(facts.webAddress("HTTP://ci.example"), "http://ci.example/");
  for (const text of [`${SCRIPT}alert(1)`, " https://x", "java\nscript:x", "data:text/html,x", "//ci", "job 7", "http://", "", null, undefined]) {
    assert.equal(facts.webAddress(text), null, String(text));
  }
  assert.equal(facts.vncAddress("vnc://10.0.0.1:5900"), "vnc://10.0.0.1:5900");
  for (const text of ["vnc://", `${SCRIPT}vnc://x`, "vnc:///", "vnc://a b", undefined]) assert.equal(facts.vncAddress(text), null);
});

test("metadata: keys of all rows, own values only", () => {
  assert.deepEqual(facts.metadataKeys([row({ metadata: { b: "1", a: "2" } }), row(), row({ metadata: { a: "3" } })]), ["a", "b"]);
  assert.equal(facts.metadataText(row({ metadata: { a: "2" } }), "a"), "2");
  assert.equal(facts.metadataText(row({ metadata: {} }), "constructor"), "");
  assert.equal(facts.metadataText(row(), "a"), "");
});

test("filters go together, and the search looks into every text", () => {
  const rows = [
    row({ id: "1", phase: "Started", node: "mac-1", group: "ios", requestedBy: "ann" }),
    row({ id: "2", phase: "Error", message: "no disk", node: "mac-2", requestedBy: "bob", metadata: { team: "Blue" } }),
    row({ id: "3", phase: "Started", legacyState: "Terminating", template: { id: "t-2", name: "other" } }),
  ];
  const ids = (filter, who = null) => facts.select(rows, filter, who).map((one) => one.id).join("");
  assert.equal(ids({}), "123");
  assert.equal(ids({ phase: "Error,Terminating" }), "23");
  assert.equal(ids({ phase: "Started" }), "13");
  assert.equal(ids({ node: "mac-1", group: "ios" }), "1");
  assert.equal(ids({ node: "mac-1", group: "web" }), "");
  assert.equal(ids({ template: "t-2" }), "3");
  assert.equal(ids({ template: "macos-15" }), "12");
  assert.equal(ids({ mine: "1" }, session("ann")), "13");
  assert.equal(ids({ q: " TEAM=blue  disk " }), "2");
  assert.equal(ids({ q: "nothing" }), "");
});

test("an account is what the shim writes down: no login can be taken for another", () => {
  const of = (login, user) => facts.accountOf({ ...session(user), login });
  assert.deepEqual(
    [of("root", "root"), of("apiKey", "jenkins"), of("apiKey", "root"), of("apiKey", "a:b"), of("oidc", "ann"), of("kubernetes", "system:x"), of("none", "anonymous")],
    ["root", "jenkins", "api-key:root", "api-key:a:b", "oidc:ann", "kubernetes:system:x", "anonymous"],
  );
  assert.equal(facts.accountOf(null), undefined);
  assert.equal(facts.isMine(row({ requestedBy: "root" }), { ...session("root"), login: "oidc" }), false);
});

test("what may be done, and why not", () => {
  assert.equal(facts.whyNotRestart(row({ phase: "Stopped" })), null);
  assert.match(facts.whyNotRestart(row({ phase: "Pulling" })), /is Pulling/);
  assert.match(facts.whyNotRestart(row({ legacyState: "Terminating" })), /is Terminating/);
  assert.equal(facts.whyNotSave(row()), null);
  assert.match(facts.whyNotSave(row({ phase: "Stopped" })), /must be Started/);
  assert.equal(facts.whyNotTerminate(row({ phase: "Error" })), null);
  assert.match(facts.whyNotTerminate(row({ legacyState: "Terminated" })), /already/);
  for (const why of [facts.whyNotRestart, facts.whyNotSave, facts.whyNotTerminate]) assert.match(why(row({ managedBy: "x/y" })), /x\/y/);
});

test("danger by degree: one of one's own is a dialog, others take a number", () => {
  assert.equal(facts.terminationDegree([row({ requestedBy: "ann" })], session("ann")), 2);
  assert.equal(facts.terminationDegree([row()], null), 2);
  assert.equal(facts.terminationDegree([row({ requestedBy: "bob" })], session("ann")), 3);
  assert.equal(facts.terminationDegree([row(), row()], session("ann")), 3);
});

test("ssh takes the forwarded port of the Mac", () => {
  const ports = [{ name: "web", guest: 80, host: 10001 }, { name: "ssh", guest: 22, host: 10002 }];
  assert.equal(facts.sshLine(row({ ports, hostIp: "10.0.0.7" })), "ssh -p 10002 anka@10.0.0.7");
  assert.equal(facts.sshLine(row({ ports })), null);
  assert.equal(facts.sshLine(row({ hostIp: "10.0.0.7", ports: [] })), null);
});
