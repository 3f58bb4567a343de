// One joint's row of the traces: its scale, its three lines, and a mark where a chunk was planned.

import { drawLine } from "../shared/canvas.js";
import { fixed } from "../shared/format.js";
import { rangeOf, valueTicks } from "../shared/scale.js";

/** @import { Joint } from "../shared/messages" */
/** @typedef {{ joint: Joint, j: number, top: number, height: number }} Row */

const RECORDED = { dash: [6, 4], width: 1.4 };
const REFERENCE = { dash: [1.5, 3], width: 1.7 };
const PREDICTED = { dash: [], width: 2 };
const PAD = 7; // px

export function paintRow(pen, ink, row, { recording, run, shown }, place) {
  const [recorded, predicted, reference] = [recording.actions, run.predicted, run.reference].map((lines) => lines[row.j]);
  const { low, high } = rangeOf(recorded, predicted, reference);
  const y = (value) => row.top + PAD + (1 - (value - low) / (high - low)) * (row.height - 2 * PAD);
  const x = (frame) => place.x(frame / recording.fps);
  const line = (values, count = Infinity) => values.slice(0, Math.floor(count)).map((value, i) => [x(i), y(value)]);
  paintScale(pen, ink, row, { low, high, y }, place);
  pen.strokeStyle = ink(`joint-${row.j % 6}`);
  drawLine(pen, line(recorded), RECORDED);
  drawLine(pen, line(reference, shown), REFERENCE);
  drawLine(pen, line(predicted, shown), PREDICTED);
  pen.fillStyle = ink("accent");
  for (const frame of run.chunks) if (frame < shown) pen.fillRect(x(frame) - 1, row.top + row.height - 5, 2, 5);
}

function paintScale(pen, ink, { joint, top, height }, { low, high, y }, { left, right }) {
  pen.fillStyle = ink("line");
  pen.fillRect(0, top + height - 1, right, 1);
  pen.fillStyle = ink("soft");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const value of valueTicks(low, high, height > 60 ? 3 : 2)) pen.fillText(fixed(value, 0) + joint.unit, left, y(value));
}
