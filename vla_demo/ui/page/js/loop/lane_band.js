// One lane of the timeline, painted: when it thinks, when it acts or starves, and how many actions wait.

import { inferences, stretches } from "./spans.js";

/** @import { Ink } from "../shared/canvas.js" */
/** @import { Trace } from "./messages" */
/** @typedef {{ label: string, about: string, chunk: number, expected: Trace, measured: Trace }} Lane */
/** @typedef {{ pen: CanvasRenderingContext2D, ink: Ink, x: (t: number) => number, fps: number, span: number }} Ground */

const BAR = 11; // px
const GAP = 4;
const QUEUE = 30;
export const TITLE = 21;
export const BELOW = 12;
export const LANE_HEIGHT = TITLE + 2 * (BAR + GAP) + QUEUE + BELOW;
const PALE = 0.3; // of what is expected; what was measured is full

/** @param {Ground} ground @param {Lane} lane @param {number} top */
export function paintLane(ground, lane, top) {
  const { pen, ink } = ground;
  const thinks = top + TITLE;
  const acts = thinks + BAR + GAP;
  const queue = acts + BAR + GAP;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "left";
  pen.font = `600 13px ${ink("sans")}`;
  pen.fillStyle = ink("ink");
  pen.fillText(lane.label, 0, top + 14);
  const after = pen.measureText(lane.label).width + 10;
  pen.font = `12.5px ${ink("sans")}`;
  pen.fillStyle = ink("soft");
  pen.fillText(lane.about, after, top + 14);
  pen.font = `11px ${ink("mono")}`;
  pen.fillText("thinks", 0, thinks + 9);
  pen.fillText("acts", 0, acts + 9);
  pen.fillText("queue", 0, queue + 12);
  paintTrace(ground, lane.expected, lane.chunk, { thinks, acts, queue, from: lane.measured.depth.length, alpha: PALE });
  paintTrace(ground, lane.measured, lane.chunk, { thinks, acts, queue, from: 0, alpha: 1 });
}

function paintTrace({ pen, ink, x, fps, span }, trace, chunk, { thinks, acts, queue, from, alpha }) {
  const begin = from / fps;
  const end = Math.min(trace.depth.length / fps, span);
  if (end <= begin) return;
  const bar = (left, right, y, least = 1) => pen.fillRect(x(left), y, Math.max(right, least), BAR);
  pen.globalAlpha = alpha;
  pen.fillStyle = ink("joint-0");
  for (const [asked, arrived] of inferences(trace, end)) {
    const left = Math.max(asked, begin);
    if (arrived >= left && left < end) bar(left, x(Math.min(arrived, end)) - x(left) - 1, thinks, 1.5);
  }
  for (const [first, past, starved] of stretches(trace.starved, from)) {
    if (first / fps >= span) break;
    pen.fillStyle = ink(starved ? "starved" : "accent");
    bar(first / fps, x(Math.min(past / fps, span)) - x(first / fps), acts);
  }
  pen.globalAlpha = alpha * 0.35;
  pen.fillStyle = ink("accent");
  fillQueue(pen, trace.depth.slice(0, Math.ceil(span * fps)), from, (i) => x(i / fps), { bottom: queue + QUEUE, most: chunk });
  pen.globalAlpha = 1;
}

/** The area below the number of actions that wait. */
function fillQueue(pen, depth, from, x, { bottom, most }) {
  const y = (count) => bottom - Math.min(count / most, 1) * QUEUE;
  let until = from;
  pen.beginPath();
  pen.moveTo(x(from), y(0));
  for (let i = from; i < depth.length; i += 1) {
    if (depth[i] === undefined) continue;
    pen.lineTo(x(i), y(depth[i]));
    pen.lineTo(x(i + 1), y(depth[i]));
    until = i + 1;
  }
  pen.lineTo(x(until), y(0));
  pen.fill();
}
