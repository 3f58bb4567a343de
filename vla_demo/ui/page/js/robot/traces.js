// Live traces: the newest seconds of a task, a row a joint, commanded solid and measured dashed, and a last row with the actions that wait.

import { createCanvas, drawLine, drawSeconds } from "../shared/canvas.js";
import { withUnit } from "../shared/format.js";
import { rangeOf, timeScale } from "../shared/scale.js";
import { SPAN, TickWindow } from "./ticks.js";

/** @import { Ink } from "../shared/canvas.js" */
/** @import { Joint } from "../shared/messages" */
/** @typedef {{ pen: CanvasRenderingContext2D, ink: Ink, x: (t: number) => number, width: number, row: number }} Ground */

const GUTTER = 108; // px
const RIGHT = 8;
const AXIS = 20;
const MEASURED = { dash: [5, 3], width: 1.3 };
const COMMANDED = { dash: [], width: 1.8 };

/** @param {HTMLCanvasElement} canvas */
export function createLiveTraces(canvas) {
  let joints = /** @type {Joint[]} */ ([]);
  let chunk = 1; // actions
  let window = new TickWindow();
  let runs = false;

  const row = () => (canvas.clientWidth < 560 ? 38 : 46);
  const picture = createCanvas(canvas, { height: () => (joints.length ? (joints.length + 1) * row() + AXIS : 0), paint });

  /** @type {Parameters<typeof createCanvas>[1]["paint"]} */
  function paint(pen, ink, width, height) {
    const { ticks, last } = window;
    const from = window.end - SPAN;
    const scale = timeScale({ width, left: GUTTER, right: RIGHT, span: SPAN });
    const ground = { pen, ink, x: (t) => scale.x(t - from), width, row: row() };
    drawSeconds(pen, ink, fives(from - window.begin, scale.x, width), { top: 0, bottom: height - AXIS + 3, baseline: height - 4 });
    joints.forEach((joint, j) => paintJoint(ground, joint, j, ticks));
    paintLabel(ground, "queue", runs && last ? `${last.queue} of ${chunk}` : "–", joints.length * ground.row);
    paintQueue(ground, (joints.length + 1) * ground.row - 3, ticks, chunk);
    const waiting = runs && last ? `; ${last.queue} actions wait` : "";
    canvas.setAttribute("aria-label", `Joints, commanded and measured: ${ticks.length} control periods${waiting}`);
  }

  return {
    load(named) {
      joints = named;
      window = new TickWindow();
      runs = false;
      picture.redraw();
    },
    add(news, size, running) {
      const changed = running !== runs || news.at.length > 0;
      chunk = size || 1;
      if (running && !runs) window.ticks = [];
      runs = running;
      window.add(news);
      if (changed) picture.redraw();
    },
  };
}

/** A tick every five seconds of the task; `since`: its second at the left edge. */
function fives(since, x, width) {
  const first = Math.ceil(since / 5) * 5;
  const count = Math.floor((since + SPAN - first) / 5 + 1e-6) + 1;
  return Array.from({ length: count }, (_, i) => {
    const at = x(first + 5 * i - since);
    return { x: at, text: `${first + 5 * i} s`, textX: Math.min(at, width - 14) };
  });
}

function paintLabel({ pen, ink, width, row }, name, value, top) {
  pen.fillStyle = ink("line");
  pen.fillRect(0, top + row - 1, width, 1);
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  pen.font = `12.5px ${ink("sans")}`;
  pen.fillStyle = ink("ink");
  pen.fillText(name, 0, top + row / 2 - 7);
  pen.font = `11.5px ${ink("mono")}`;
  pen.fillStyle = ink("soft");
  pen.fillText(value, 0, top + row / 2 + 9);
}

function paintJoint(ground, joint, j, ticks) {
  const { pen, ink, x, row } = ground;
  paintLabel(ground, joint.name, withUnit(ticks.at(-1)?.measured[j], joint.unit) || "–", j * row);
  if (!ticks.length) return;
  const [commanded, measured] = [ticks.map((tick) => tick.commanded[j]), ticks.map((tick) => tick.measured[j])];
  const { low, high } = rangeOf(commanded, measured);
  const y = (value) => j * row + 5 + (1 - (value - low) / (high - low)) * (row - 11);
  const line = (values) => values.map((value, i) => [x(ticks[i].at), y(value)]);
  pen.strokeStyle = ink(`joint-${j % 6}`);
  drawLine(pen, line(measured), MEASURED);
  drawLine(pen, line(commanded), COMMANDED);
}

function paintQueue({ pen, ink, x, row }, base, ticks, chunk) {
  ticks.forEach(({ at, queue, starved }, i) => {
    const next = ticks[i + 1];
    const tall = starved ? 4 : Math.min(queue / chunk, 1) * (row - 9);
    pen.fillStyle = ink(starved ? "starved" : "accent");
    pen.fillRect(x(at), base - tall, Math.max(next ? x(next.at) - x(at) : 1.5, 1) + 0.5, tall);
  });
}
