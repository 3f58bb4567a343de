import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { createClock } from "../../vla_demo/ui/page/js/loop/clock.js";

let frame = null; // what is to run at the next frame
let now = 0; // ms

beforeEach(() => {
  frame = null;
  now = 0;
  globalThis.requestAnimationFrame = (run) => {
    frame = run;
  };
  Object.defineProperty(globalThis, "performance", { value: { now: () => now }, configurable: true });
});

function clock(node = { isConnected: true }) {
  const heard = [];
  return Object.assign(createClock(node, { onTime: () => {}, onPlaying: (playing) => heard.push(playing) }), { heard });
}

function pass(ms, frames = 1) {
  for (let i = 0; i < frames; i += 1) {
    now += ms;
    const run = frame;
    frame = null;
    run?.(now);
  }
}

test("simulated seconds pass at the pace of real ones, and it stops at the end", () => {
  const one = clock();
  one.begin();
  one.reach(1);
  one.finish();
  one.play();
  pass(50, 10);
  assert.ok(Math.abs(one.time() - 0.5) < 1e-9);
  pass(50, 20);
  assert.equal(one.time(), 1);
  assert.deepEqual(one.heard, [true, false]);
});

test("while more is coming it slows down before what has arrived, and never overtakes it", () => {
  const one = clock();
  one.begin();
  one.reach(1);
  one.play();
  pass(50, 15);
  const reached = one.time();
  pass(50);
  assert.ok(one.time() - reached < 0.03); // half a second before the end: no more than about half the pace
  pass(50, 1000);
  assert.ok(one.time() <= 1);
  assert.equal(one.playing(), true);
});

test("a page that was asleep does not jump, and a clock that has left the page stands still", () => {
  const node = { isConnected: true };
  const one = clock(node);
  one.begin();
  one.reach(60);
  one.finish();
  one.play();
  pass(30_000);
  assert.ok(one.time() <= 0.1 + 1e-9);
  node.isConnected = false;
  pass(50, 3);
  assert.equal(frame, null);
});

test("played again at its end it begins anew; a step stops it", () => {
  const one = clock();
  one.reach(2);
  one.seek(9);
  assert.equal(one.time(), 2);
  one.play();
  assert.equal(one.time(), 0);
  one.step(3);
  assert.ok(Math.abs(one.time() - 0.3) < 1e-9);
  assert.equal(one.playing(), false);
});
