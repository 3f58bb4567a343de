import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyTrace, extend, inferences, stretches } from "../../vla_demo/ui/page/js/loop/spans.js";
import { RunLines } from "../../vla_demo/ui/page/js/replay/run_lines.js";
import { TickWindow } from "../../vla_demo/ui/page/js/robot/ticks.js";

test("an inference lasts from its question to its answer, the one that is on its way to the end", () => {
  const trace = {
    depth: [],
    starved: [],
    asked: [0, 2, 4],
    arrived: [
      [0, 1.5],
      [2, 3.5],
    ],
  };
  assert.deepEqual(inferences(trace, 5), [
    [0, 1.5],
    [2, 3.5],
    [4, 5],
  ]);
});

test("stretches are as long as they are alike, from where they are asked for", () => {
  assert.deepEqual(
    [...stretches([1, 1, 0, 0, 0, 1], 0)],
    [
      [0, 2, true],
      [2, 5, false],
      [5, 6, true],
    ],
  );
  assert.deepEqual(
    [...stretches([1, 1, 0], 1)],
    [
      [1, 2, true],
      [2, 3, false],
    ],
  );
  assert.deepEqual([...stretches([], 0)], []);
});

test("what is new of a trace stands at its own place, heard once or twice", () => {
  const trace = emptyTrace();
  extend(trace, { from: 0, depth: [3, 2], starved: [0, 0], asked: [0], arrived: [] });
  extend(trace, { from: 2, depth: [1], starved: [0], asked: [], arrived: [[0, 0.1]] });
  assert.deepEqual(trace, { from: 0, depth: [3, 2, 1], starved: [0, 0, 0], asked: [0], arrived: [[0, 0.1]] });
});

test("steps of a run follow each other; after a lost message the report brings them all", () => {
  const run = new RunLines(1);
  const steps = (start, ...values) => ({ start, predicted: [values], reference: [values], chunks: [start] });
  run.append(steps(0, 1, 2));
  run.append(steps(5, 9)); // 2 to 4 were lost
  assert.equal(run.frames, 2);
  run.append(steps(0, 1, 2, 3, 4));
  assert.deepEqual([run.frames, run.predicted[0], run.chunks], [4, [1, 2, 3, 4], [0]]);
  assert.deepEqual(run.valuesAt({ fps: 10, frames: 8, actions: [[0, 0, 7]] }, 0.21), {
    t: 0.2,
    recorded: [7],
    predicted: [3],
    reference: [3],
  });
});

test("the window of live traces keeps twenty seconds, and begins anew after a pause", () => {
  const window = new TickWindow();
  const news = (...at) => ({ at, commanded: [at], measured: [at], queue: at, starved: at.map(() => 0) });
  window.add(news(100, 101, 102));
  assert.deepEqual([window.begin, window.end, window.ticks.length], [100, 120, 3]);
  window.add(news(...Array.from({ length: 20 }, (_, i) => 103 + i)));
  assert.deepEqual([window.end, window.ticks[0].at], [122, 102]);
  window.add(news(130));
  assert.deepEqual([window.begin, window.ticks.length], [130, 1]);
});
