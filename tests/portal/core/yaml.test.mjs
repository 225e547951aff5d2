import assert from "node:assert/strict";
import { test } from "node:test";
import { toYaml } from "../../../api-shim/anka_shim/portal/static/core/yaml.pure.js";

test("maps, lists and texts stand as people write them", () => {
  const value = {
    kind: "AnkaInstance",
    spec: { template: "macos-15", resources: { vcpu: 4 }, portForwarding: [{ name: "ssh", guestPort: 22 }, { name: "web", guestPort: 80 }], gone: undefined },
  };
  assert.equal(
    toYaml(value),
    "kind: AnkaInstance\nspec:\n  template: macos-15\n  resources:\n    vcpu: 4\n  portForwarding:\n" +
      "    - name: ssh\n      guestPort: 22\n    - name: web\n      guestPort: 80\n",
  );
});

test("what YAML would read as something else is quoted", () => {
  const texts = ["true", "No", "null", "12", "1.5", "a: b", "# c", "- d", "", " e", "two\nlines", "é", '"', "{f}", "*g", "~"];
  assert.equal(toYaml(texts), texts.map((text) => `- ${JSON.stringify(text)}\n`).join(""));
  assert.equal(toYaml({ "a b": "c", yes: 1 }), '"a b": c\n"yes": 1\n');
});

test("empty maps and lists, numbers, booleans and null", () => {
  assert.equal(toYaml({ a: {}, b: [], c: null, d: true, e: 0, f: { g: undefined } }), "a: {}\nb: []\nc: null\nd: true\ne: 0\nf: {}\n");
});
