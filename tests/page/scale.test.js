import assert from "node:assert/strict";
import { test } from "node:test";
import { toMs, toPlace } from "../../vla_demo/ui/page/js/loop/latency_scale.js";
import { rangeOf, secondText, secondTicks, timeScale, valueTicks } from "../../vla_demo/ui/page/js/shared/scale.js";

test("a joint that rests is drawn on a range of twelve, one that moves on its own", () => {
  assert.deepEqual(rangeOf([10, 12], [11]), { low: 5, high: 17 });
  assert.deepEqual(rangeOf([-40], [60]), { low: -40, high: 60 });
});

test("ticks are round, inside the range, and no more than asked for", () => {
  assert.deepEqual(valueTicks(-12, 33, 3), [0, 20]);
  assert.deepEqual(valueTicks(0, 100, 3), [0, 50, 100]);
  assert.deepEqual(secondTicks(7, 500), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(secondTicks(7, 200), [0, 5]);
  assert.deepEqual([0, 1, 2.5].map(secondText), ["0 s", "1", "2.5"]);
});

test("a second and its place on the canvas are each other's inverse", () => {
  const scale = timeScale({ width: 560, left: 46, right: 14, span: 10 });
  assert.equal(scale.x(0), 46);
  assert.equal(scale.x(10), 546);
  assert.equal(scale.t(scale.x(3.5)), 3.5);
});

test("the slider of latencies is logarithmic, its very left is none at all", () => {
  assert.deepEqual([toPlace(0), toPlace(10), toPlace(35_000)], [0, 0.004, 1]);
  assert.deepEqual([toMs(0), toMs(1)], [0, 35_000]);
  for (const ms of [14, 330, 2860]) assert.equal(toMs(toPlace(ms)), ms);
});
