import assert from "node:assert/strict";
import { test } from "node:test";
import { optionsOf, partsOf, precisionOf, textOf } from "../../vla_demo/ui/page/js/shared/precision.js";

const option = (value, isDefault = false) => ({ value, label: value, default: isDefault, operands: null, about: null });
const group = (label, ...options) => ({ label, options });
const PRECISIONS = [
  { scheme: "fp32", groups: [] },
  { scheme: "int8", groups: [] },
  { scheme: "int8-static", groups: [group("Calibrator", option("minmax", true), option("p99.9"))] },
  {
    scheme: "int4",
    groups: [group("Block size", option("b32", true), option("b64")), group("Activations", option("a16", true), option("a8"))],
  },
];

test("the longest scheme that fits is the one that is meant", () => {
  const scheme = (text) => precisionOf(PRECISIONS, text).scheme;
  assert.deepEqual(["int8", "int8-static-p99.9", "int4-b64", "unheard of"].map(scheme), ["int8", "int8-static", "int4", "fp32"]);
});

test("a text is read and written without loss, defaults left out", () => {
  for (const text of ["fp32", "int8-static", "int8-static-p99.9", "int4", "int4-b64", "int4-a8", "int4-b64-a8"]) {
    const precision = precisionOf(PRECISIONS, text);
    assert.equal(textOf(precision.scheme, optionsOf(precision, text)), text);
  }
});

test("a variant is taken apart by its stages", () => {
  assert.deepEqual(partsOf("vision=int8,action_expert=int4-b64,steps=4"), { vision: "int8", action_expert: "int4-b64", steps: "4" });
});
