import assert from "node:assert/strict";
import { test } from "node:test";

import {
  highest, latest, pathOf, seriesCsv, sumInto, ticksUpTo, toCsv, total,
} from "../../../../api-shim/anka_shim/portal/static/views/use/history.pure.js";

test("CSV: one line for a sample, quoted where it must be", () => {
  assert.equal(toCsv([["a", 'say "x", y'], [1, null]]), 'a,"say ""x"", y"\r\n1,\r\n');
  const history = { since: "", step: 10, series: { t: [0, 10], running: [1, null], waiting: [0, 2] } };
  assert.equal(
    seriesCsv(history),
    "time,running,waiting\r\n1970-01-01T00:00:00.000Z,1,0\r\n1970-01-01T00:00:10.000Z,,2\r\n",
  );
});

test("CSV: text that a spreadsheet would run as a formula is text", () => {
  assert.equal(toCsv([["=HYPERLINK(1)", -5, "@x"]]), "'=HYPERLINK(1),-5,'@x\r\n");
});

test("ticks are few, whole, and reach above every value", () => {
  for (const value of [0, 0.4, 1, 2, 3, 7, 10, 99, 100, 101, 1234, 98765]) {
    const ticks = ticksUpTo(value);
    assert.ok(ticks.at(-1) >= value, `${value}: ${ticks}`);
    assert.ok(ticks.length >= 2 && ticks.length <= 6, `${value}: ${ticks}`);
    assert.ok(ticks.every(Number.isInteger), `${value}: ${ticks}`);
  }
});

test("a line breaks where a value is missing", () => {
  assert.equal(pathOf([0, 10, null, 5], 90, 100, 10), "M0 100L30 0M90 50");
  assert.equal(pathOf([0, 10], 90, 100, 10, true), "M0 100H90V0");
  assert.equal(pathOf([], 90, 100, 10), "");
});

test("sums into bars lose nothing", () => {
  const values = Array.from({ length: 361 }, (_, i) => (i % 7 ? i : null));
  const bars = sumInto(values, 60);
  assert.ok(bars.length <= 60);
  assert.equal(total(bars), total(values));
});

test("the latest figure that is known", () => {
  assert.equal(latest([1, 2, null]), 2);
  assert.equal(latest(undefined), 0);
  assert.equal(highest([1, 4, null]), 4);
});
