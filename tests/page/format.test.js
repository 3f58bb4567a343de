import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed, latencyText, megabytes, milliseconds, withUnit } from "../../vla_demo/ui/page/js/shared/format.js";

test("a negative number has a true minus sign, and none when it rounds to zero", () => {
  assert.equal(fixed(-1.25, 1), "\u22121.3");
  assert.equal(fixed(-0.01, 1), "0.0");
});

test("a value that is not known is written as nothing", () => {
  for (const value of [null, undefined, Number.NaN]) assert.equal(withUnit(value, "°"), "");
  assert.equal(withUnit(12.34, "°"), "12.3°");
  assert.equal(withUnit(12.34, "%"), "12.3 %");
});

test("sizes and times have as many digits as they are worth", () => {
  assert.deepEqual([megabytes(9_940_000), megabytes(45_600_000)], ["9.9 MB", "46 MB"]);
  assert.deepEqual([milliseconds(3.14), milliseconds(31.4), milliseconds(3140)], ["3.1 ms", "31 ms", "3.14 s"]);
  assert.deepEqual([latencyText(3.14), latencyText(2860), latencyText(29_100)], ["3 ms", "2.86 s", "29.1 s"]);
});
