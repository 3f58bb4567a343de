// Live traces: the newest seconds of a task, a row a joint, commanded solid and measured dashed, and a last row with the actions that wait.

import { withUnit } from "../shared/format.js";
import { rangeOf } from "../shared/scale.js";

export function createLiveTraces(canvas) {
  const SPAN = 20; // s
  const GUTTER = 108;
  const AXIS = 20;
  let joints = [];
  let chunk = 1;
  let ticks = []; // {at, commanded, measured, queue, starved}
  let begin = 0; // s, the board's clock: the first control period of this task that was heard of
  let runs = false;
  let waiting = false;

  function load(named) {
    joints = named;
    ticks = [];
    begin = 0;
    runs = false;
    redraw();
  }

  function add(news, size, running) {
    chunk = size || 1;
    if (running && !runs) ticks = [];
    if (running !== runs) redraw();
    runs = running;
    news.at.forEach((t, i) => {
      if (ticks.length && t - ticks.at(-1).at > 3) ticks = []; // another task
      if (!ticks.length) begin = t;
      ticks.push({ at: t, commanded: news.commanded.map((line) => line[i]), measured: news.measured.map((line) => line[i]), queue: news.queue[i], starved: news.starved[i] });
    });
    const from = ticks.at(-1)?.at - SPAN;
    while (ticks.length && ticks[0].at < from) ticks.shift();
    if (news.at.length) redraw();
  }

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  }

  const end = () => Math.max(ticks.at(-1)?.at ?? 0, begin + SPAN);
  const x = (t) => GUTTER + (1 - (end() - t) / SPAN) * (canvas.clientWidth - GUTTER - 8);

  function draw() {
    if (!canvas.clientWidth || !joints.length) return;
    const style = getComputedStyle(canvas);
    const row = canvas.clientWidth < 560 ? 38 : 46;
    const height = (joints.length + 1) * row + AXIS;
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const ink = (name) => style.getPropertyValue(name).trim();
    drawSeconds(pen, height, ink);
    joints.forEach((joint, j) => drawJoint(pen, joint, j, j * row, row, ink));
    drawQueue(pen, joints.length * row, row, ink);
    canvas.setAttribute("aria-label", `Joints, commanded and measured: ${ticks.length} control periods${runs && ticks.length ? `; ${ticks.at(-1).queue} actions wait` : ""}`);
  }

  function drawSeconds(pen, height, ink) {
    pen.font = `11px ${ink("--mono")}`;
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    const since = end() - SPAN - begin;
    for (let s = Math.ceil(since / 5) * 5; s <= since + SPAN + 1e-6; s += 5) {
      pen.fillStyle = ink("--line");
      pen.fillRect(Math.round(x(begin + s)), 0, 1, height - AXIS + 3);
      pen.fillStyle = ink("--soft");
      pen.fillText(`${s} s`, Math.min(x(begin + s), canvas.clientWidth - 14), height - 4);
    }
  }

  function label(pen, name, value, top, row, ink) {
    pen.fillStyle = ink("--line");
    pen.fillRect(0, top + row - 1, canvas.clientWidth, 1);
    pen.textAlign = "left";
    pen.textBaseline = "middle";
    pen.font = `12.5px ${ink("--sans")}`;
    pen.fillStyle = ink("--ink");
    pen.fillText(name, 0, top + row / 2 - 7);
    pen.font = `11.5px ${ink("--mono")}`;
    pen.fillStyle = ink("--soft");
    pen.fillText(value, 0, top + row / 2 + 9);
  }

  function drawJoint(pen, joint, j, top, row, ink) {
    const last = ticks.at(-1)?.measured[j];
    label(pen, joint.name, withUnit(last, joint.unit) || "–", top, row, ink);
    if (!ticks.length) return;
    const { low, high } = rangeOf(ticks.map((t) => t.commanded[j]), ticks.map((t) => t.measured[j]));
    const y = (value) => top + 5 + (1 - (value - low) / (high - low)) * (row - 11);
    pen.strokeStyle = ink(`--joint-${j % 6}`);
    for (const [which, dash, width] of [["measured", [5, 3], 1.3], ["commanded", [], 1.8]]) {
      pen.setLineDash(dash);
      pen.lineWidth = width;
      pen.beginPath();
      for (const tick of ticks) pen.lineTo(x(tick.at), y(tick[which][j]));
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  function drawQueue(pen, top, row, ink) {
    label(pen, "queue", runs && ticks.length ? `${ticks.at(-1).queue} of ${chunk}` : "–", top, row, ink);
    const base = top + row - 3;
    ticks.forEach((tick, i) => {
      const left = x(tick.at);
      const width = Math.max(i + 1 < ticks.length ? x(ticks[i + 1].at) - left : 1.5, 1);
      pen.fillStyle = ink(tick.starved ? "--starved" : "--accent");
      const tall = tick.starved ? 4 : (Math.min(tick.queue / chunk, 1) * (row - 9));
      pen.fillRect(left, base - tall, width + 0.5, tall);
    });
  }

  new ResizeObserver(redraw).observe(canvas);
  new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light and dark
  return { load, add };
}
