import assert from "node:assert/strict";
import { test } from "node:test";

import { countBy } from "../../../../api-shim/anka_shim/portal/static/views/fleet/breakdown.pure.js";

test("the most frequent first; the rest is one line, and nothing is lost", () => {
  const bars = countBy(["b", "a", "a", "c", "d", "a"], (word) => word, 3);
  assert.deepEqual(bars, [{ label: "a", value: 3 }, { label: "b", value: 1 }, { label: "2 more", value: 2 }]);
  assert.deepEqual(countBy([], (word) => word, 3), []);
});
