import assert from "node:assert/strict";
import { test } from "node:test";

import { from, random } from "./from.mjs";

const { isOneOf, matches } = await from("core/filters.js");
const { compare, compareKeys, parseSort, sorted } = await from("core/sort.js");
const { scrollTo, visibleWindow } = await from("core/window.js");

test("every word must be there, whatever its case and place", () => {
  assert.ok(matches("macOS 15 Xcode", "xcode mac"));
  assert.ok(matches("anything", undefined));
  assert.ok(!matches("macOS 15", "mac 16"));
  assert.ok(matches("a.b*c", "b*"), "no pattern");
});

test("one of several", () => {
  assert.ok(isOneOf("Error", "Started,Error"));
  assert.ok(isOneOf("Error", undefined));
  assert.ok(!isOneOf(undefined, "Started"));
});

test("numbers in names are numbers, and what is missing comes last both ways", () => {
  const names = ["mac-10", "mac-9", null, "Mac-1"];
  const by = (way) => sorted(names.map((name, i) => ({ name, id: String(i) })), (row) => row.name, way, (row) => row.id).map((row) => row.name);
  assert.deepEqual(by(1), ["Mac-1", "mac-9", "mac-10", null]);
  assert.deepEqual(by(-1), ["mac-10", "mac-9", "Mac-1", null]);
});

test("equal rows have one order, however they come", () => {
  const rows = [{ id: "b", n: 1 }, { id: "a", n: 1 }, { id: "c", n: 0 }];
  const order = (list) => sorted(list, (row) => row.n, 1, (row) => row.id).map(({ id }) => id);
  assert.deepEqual(order(rows), ["c", "a", "b"]);
  assert.deepEqual(order([...rows].reverse()), ["c", "a", "b"]);
});

test("the comparison is an order", () => {
  const values = [null, undefined, "", NaN, 0, 3, -1, 2.5];
  for (const way of [1, -1])
    for (const a of values)
      for (const b of values) {
        assert.ok(Math.sign(compare(a, b, way)) === -Math.sign(compare(b, a, way)), `${a} ${b}`);
        for (const c of values) if (compare(a, b, way) <= 0 && compare(b, c, way) <= 0) assert.ok(compare(a, c, way) <= 0);
      }
});

test("the sort of an address", () => {
  assert.deepEqual(parseSort("-created"), { key: "created", way: -1 });
  assert.deepEqual(parseSort("name"), { key: "name", way: 1 });
  assert.equal(parseSort(""), null);
});

test("keys of the queue compare element by element", () => {
  const queue = [[1000, "2026-01-01", "b"], [500, "2026-01-02", "z"], [1000, "2026-01-01", "a"], [1000, "2026-01-01"]];
  assert.deepEqual(queue.sort(compareKeys), [[500, "2026-01-02", "z"], [1000, "2026-01-01"], [1000, "2026-01-01", "a"], [1000, "2026-01-01", "b"]]);
  assert.equal(compareKeys([1, "a"], [1, "a"]), 0);
});

test("the window covers what is seen, and its spacers keep the height", () => {
  const chance = random(7);
  for (let i = 0; i < 3000; i += 1) {
    const total = Math.floor(chance() * 2000);
    const rowHeight = 20 + Math.floor(chance() * 40);
    const height = Math.floor(chance() * 1200);
    const scrollTop = chance() * Math.max(0, total * rowHeight - height);
    const { start, end, above, below } = visibleWindow({ total, rowHeight, scrollTop, height });
    const where = JSON.stringify({ total, rowHeight, height, scrollTop, start, end });
    assert.ok(0 <= start && start <= end && end <= total, where);
    assert.equal(above + (end - start) * rowHeight + below, total * rowHeight, where);
    assert.ok(above <= scrollTop || start === 0, where);
    assert.ok(end * rowHeight >= Math.min(scrollTop + height, total * rowHeight), where);
    assert.ok(end - start <= Math.ceil(height / rowHeight) + 2 + 16 + 1, `few rows: ${where}`);
  }
});

test("a window beyond the end shows the end", () => {
  const { start, end } = visibleWindow({ total: 10, rowHeight: 36, scrollTop: 99999, height: 360 });
  assert.equal(end, 10);
  assert.ok(start < 10);
});

test("scrolling brings a row into view, and no further", () => {
  const view = { rowHeight: 10, scrollTop: 100, height: 50 };
  assert.equal(scrollTo({ ...view, index: 12 }), null);
  assert.equal(scrollTo({ ...view, index: 5 }), 50);
  assert.equal(scrollTo({ ...view, index: 15 }), 110);
});
