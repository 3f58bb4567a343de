// The traces: one row a joint on a single canvas; recorded dashed, this variant solid, FP32 reference dotted. Redrawn only when data, size,
// theme or visible joints change; the moving cursor is an element above it. Knows numbers and pixels, nothing of videos or the server.

import { make } from "../shared/dom.js";
import { fixed, seconds, withUnit } from "../shared/format.js";
import { rangeOf, secondTicks, valueTicks } from "../shared/scale.js";

export function createTraces(plot, onSeek, onProbe) {
  const canvas = plot.querySelector("canvas");
  const cursor = plot.querySelector(".cursor");
  const probe = plot.querySelector(".probe");
  const tip = plot.querySelector(".tip");
  const GUTTER = 46; // px left of the traces, for the scale
  const RIGHT = 10;
  const AXIS = 24; // px below, for the seconds
  const STYLES = {
    recorded: { dash: [6, 4], width: 1.4 },
    reference: { dash: [1.5, 3], width: 1.7 },
    predicted: { dash: [], width: 2 },
  };
  let recording = null;
  let run = emptyRun(0);
  let hidden = new Set();
  let rows = []; // {joint, top, height} in px
  let shown = 0; // frames of the run drawn so far: it runs after what has arrived, so that traces grow instead of jumping
  let growing = false;

  function emptyRun(joints) {
    const lines = () => Array.from({ length: joints }, () => []);
    return { predicted: lines(), reference: lines(), chunks: [], frames: 0 };
  }

  function load(next) {
    recording = next;
    clear();
  }

  function clear() {
    run = emptyRun(recording.joints.length);
    shown = 0;
    describe();
    draw();
  }

  function describe() {
    const ran = run.frames ? `; this variant and its FP32 reference: ${run.frames} of ${recording.frames} frames` : "";
    canvas.setAttribute("aria-label", `Traces of ${recording.joints.length} joints, recorded: ${recording.frames} frames${ran}`);
  }

  function append(steps) {
    if (steps.start > run.frames) return; // a lost message; the report carries the whole run
    for (const line of ["predicted", "reference"]) {
      steps[line].forEach((values, j) => { run[line][j].splice(steps.start, Infinity, ...values); });
    }
    run.chunks = run.chunks.filter((frame) => frame < steps.start).concat(steps.chunks);
    run.frames = run.predicted[0].length;
    describe();
    grow();
  }

  function grow() {
    if (growing) return;
    growing = true;
    let last = performance.now();
    const frame = (now) => {
      const gap = run.frames - shown;
      const speed = Math.max(4 * recording.fps, gap / 0.8); // frames a second
      shown = Math.min(run.frames, shown + Math.min(now - last, 100) / 1000 * speed);
      last = now;
      draw();
      growing = shown < run.frames && plot.isConnected;
      if (growing) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  const duration = () => (recording.frames - 1) / recording.fps;
  const x = (t) => GUTTER + (t / duration()) * (canvas.clientWidth - GUTTER - RIGHT);
  const timeAt = (px) => ((px - GUTTER) / (canvas.clientWidth - GUTTER - RIGHT)) * duration();

  function layout() {
    const style = getComputedStyle(plot);
    const full = parseFloat(style.getPropertyValue("--row"));
    const folded = parseFloat(style.getPropertyValue("--row-folded"));
    let top = 0;
    rows = recording.joints.map((_, joint) => {
      const height = hidden.has(joint) ? folded : full;
      top += height;
      return { joint, top: top - height, height };
    });
    return top;
  }

  function draw() {
    if (!recording || !canvas.clientWidth) return;
    const height = layout();
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height + AXIS}px`;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round((height + AXIS) * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const inks = readInks();
    drawSeconds(pen, height, inks);
    for (const row of rows) if (!hidden.has(row.joint)) drawRow(pen, row, inks);
    cursor.style.height = probe.style.height = `${height}px`;
  }

  function readInks() {
    const style = getComputedStyle(plot);
    const ink = (name) => style.getPropertyValue(name).trim();
    return { soft: ink("--soft"), line: ink("--line"), accent: ink("--accent"), font: `11px ${ink("--mono")}`,
      joint: recording.joints.map((_, j) => jointInk(style, j)) };
  }

  function drawSeconds(pen, height, inks) {
    pen.font = inks.font;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    for (const t of secondTicks(duration(), canvas.clientWidth)) {
      pen.fillStyle = inks.line;
      pen.fillRect(Math.round(x(t)), 0, 1, height + 4);
      pen.fillStyle = inks.soft;
      pen.fillText(t === 0 ? "0 s" : String(+t.toFixed(1)), x(t), height + 18);
    }
  }

  function drawRow(pen, row, inks) {
    const { low, high } = rangeOf(recording.actions[row.joint], run.predicted[row.joint], run.reference[row.joint]);
    const pad = 7;
    const y = (value) => row.top + pad + (1 - (value - low) / (high - low)) * (row.height - 2 * pad);
    drawScale(pen, row, { low, high, y }, inks);
    pen.strokeStyle = inks.joint[row.joint];
    drawLine(pen, recording.actions[row.joint], recording.frames, y, STYLES.recorded);
    drawLine(pen, run.reference[row.joint], shown, y, STYLES.reference);
    drawLine(pen, run.predicted[row.joint], shown, y, STYLES.predicted);
    drawChunks(pen, row, inks);
  }

  function drawScale(pen, row, { low, high, y }, inks) {
    pen.fillStyle = inks.line;
    pen.fillRect(0, row.top + row.height - 1, canvas.clientWidth - RIGHT, 1);
    pen.fillStyle = inks.soft;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const unit = recording.joints[row.joint].unit;
    for (const value of valueTicks(low, high, row.height > 60 ? 3 : 2)) pen.fillText(fixed(value, 0) + unit, GUTTER - 8, y(value));
  }

  function drawLine(pen, values, count, y, { dash, width }) {
    const whole = Math.min(Math.floor(count), values.length);
    if (whole === 0) return;
    pen.setLineDash(dash);
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.beginPath();
    for (let i = 0; i < whole; i++) pen.lineTo(x(i / recording.fps), y(values[i]));
    pen.stroke();
    pen.setLineDash([]);
  }

  function drawChunks(pen, row, inks) {
    pen.fillStyle = inks.accent;
    for (const frame of run.chunks) if (frame < shown) pen.fillRect(x(frame / recording.fps) - 1, row.top + row.height - 5, 2, 5);
  }

  function moveCursor(t) {
    cursor.style.transform = `translateX(${x(t)}px)`;
  }

  function valuesAt(t) {
    const i = Math.min(Math.round(t * recording.fps), recording.frames - 1);
    const pick = (lines) => recording.joints.map((_, j) => lines[j]?.[i] ?? null);
    return { t: i / recording.fps, recorded: pick(recording.actions), predicted: pick(run.predicted), reference: pick(run.reference) };
  }

  function hover(event) {
    const box = canvas.getBoundingClientRect();
    const t = timeAt(event.clientX - box.left);
    if (!recording || t < -0.05 || t > duration() + 0.05) return leave();
    const values = valuesAt(Math.min(Math.max(t, 0), duration()));
    probe.hidden = false;
    probe.style.transform = `translateX(${x(values.t)}px)`;
    showTip(values, rows.find((row) => event.clientY - box.top < row.top + row.height), x(values.t));
    onProbe(values);
  }

  function showTip(values, row, px) {
    tip.hidden = !row || hidden.has(row.joint);
    if (tip.hidden) return;
    const { label, unit } = recording.joints[row.joint];
    const line = (name, list) => list[row.joint] === null ? null
      : make("span", { class: name }, { recorded: "recorded", predicted: "this variant", reference: "FP32" }[name], make("b", {}, withUnit(list[row.joint], unit)));
    tip.replaceChildren(...[make("em", {}, `${label}, ${seconds(values.t)}`), line("recorded", values.recorded),
      line("predicted", values.predicted), line("reference", values.reference)].filter(Boolean));
    const left = px + tip.offsetWidth + 18 > canvas.clientWidth ? px - tip.offsetWidth - 12 : px + 12;
    tip.style.transform = `translate(${Math.max(left, 0)}px, ${row.top + 4}px)`;
  }

  function leave() {
    probe.hidden = tip.hidden = true;
    onProbe(null);
  }

  function press(event) {
    if (!recording || event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    onSeek(timeAt(event.clientX - canvas.getBoundingClientRect().left));
  }

  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && canvas.hasPointerCapture(event.pointerId)) onSeek(timeAt(event.clientX - canvas.getBoundingClientRect().left));
    hover(event);
  });
  canvas.addEventListener("pointerleave", leave);
  new ResizeObserver(() => { draw(); if (recording) onProbe(null); }).observe(plot);
  new MutationObserver(draw).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light and dark

  return { load, clear, append, draw, moveCursor, valuesAt, frames: () => run.frames, reached: () => Math.max(run.frames - 1, 0) / recording.fps,
    hide: (joints) => { hidden = joints; draw(); } };
}

function jointInk(style, joint) {
  return style.getPropertyValue(`--joint-${joint % 6}`).trim();
}
