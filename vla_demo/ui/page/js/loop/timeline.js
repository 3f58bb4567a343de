// The timeline: for each lane when it thinks, when it acts and when it starves, and how many actions wait; one axis for all. What is expected is
// pale, what was measured is full. Redrawn only when data, size or theme change; the cursor is an element above it.

import { secondTicks } from "../shared/scale.js";

export function createTimeline(host, onSeek) {
  const canvas = host.querySelector("canvas");
  const cursor = host.querySelector(".cursor");
  const RIGHT = 12;
  const BAND = { title: 21, bar: 11, gap: 4, queue: 30, below: 12 };
  const HEIGHT = BAND.title + 2 * BAND.bar + 2 * BAND.gap + BAND.queue + BAND.below;
  const AXIS = 22;
  let lanes = []; // {label, about, chunk, expected, measured}
  let fps = 30;
  let span = 12; // s
  let waiting = false;

  const emptyTrace = () => ({ depth: [], starved: [], asked: [], arrived: [] });

  function load(labels, rate) {
    fps = rate;
    lanes = labels.map((label, i) => ({ label, about: lanes[i]?.expected.text ?? "", chunk: lanes[i]?.chunk ?? 1, expected: lanes[i]?.expected ?? emptyTrace(), measured: emptyTrace() }));
    redraw();
  }

  function expect(found, chunks, seconds) {
    lanes.forEach((lane, i) => { Object.assign(lane, { expected: found[i], about: found[i].text, chunk: chunks[i] }); });
    span = Math.max(seconds, measuredEnd());
    redraw();
  }

  function add(index, trace) {
    const { measured } = lanes[index];
    trace.depth.forEach((depth, i) => { measured.depth[trace.from + i] = depth; measured.starved[trace.from + i] = trace.starved[i]; });
    measured.asked.push(...trace.asked);
    measured.arrived.push(...trace.arrived);
    while (measuredEnd() > span) span = Math.ceil(span * 1.5); // seldom, so that the axis stands still
    redraw();
  }

  function replace(index, trace, about) {
    lanes[index].measured = trace;
    lanes[index].about = about;
    redraw();
  }

  function forget() {
    for (const lane of lanes) lane.measured = emptyTrace();
    redraw();
  }

  const measuredEnd = () => Math.max(0, ...lanes.map(({ measured }) => measured.depth.length / fps));
  const gutter = () => (canvas.clientWidth < 560 ? 46 : 62);
  const x = (t) => gutter() + (t / span) * (canvas.clientWidth - gutter() - RIGHT);
  const timeAt = (px) => ((px - gutter()) / (canvas.clientWidth - gutter() - RIGHT)) * span;

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  }

  function draw() {
    if (!canvas.clientWidth) return;
    const height = lanes.length * HEIGHT + AXIS;
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(canvas.clientWidth * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const inks = readInks();
    drawSeconds(pen, height, inks);
    lanes.forEach((lane, i) => drawLane(pen, lane, i * HEIGHT, inks));
    cursor.style.height = `${height - AXIS}px`;
    cursor.style.setProperty("--lane", `${HEIGHT}px`); // it leaves out the titles
    canvas.setAttribute("aria-label", `Timeline: ${lanes.map((lane) => `${lane.label}, ${lane.about}`).join("; ")}`);
  }

  function readInks() {
    const style = getComputedStyle(host);
    const ink = (name) => style.getPropertyValue(`--${name}`).trim();
    return { ...Object.fromEntries(["ink", "soft", "line", "accent", "starved", "joint-0"].map((name) => [name, ink(name)])), sans: ink("sans"), mono: ink("mono") };
  }

  function drawSeconds(pen, height, inks) {
    pen.font = `11px ${inks.mono}`;
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    for (const t of secondTicks(span, canvas.clientWidth - gutter())) {
      pen.fillStyle = inks.line;
      pen.fillRect(Math.round(x(t)), BAND.title, 1, height - AXIS - BAND.title - BAND.below + 4);
      pen.fillStyle = inks.soft;
      pen.fillText(t === 0 ? "0 s" : String(+t.toFixed(1)), x(t), height - 6);
    }
  }

  function drawLane(pen, lane, top, inks) {
    pen.textBaseline = "alphabetic";
    pen.textAlign = "left";
    pen.font = `600 13px ${inks.sans}`;
    pen.fillStyle = inks.ink;
    pen.fillText(lane.label, 0, top + 14);
    const after = pen.measureText(lane.label).width + 10;
    pen.font = `12.5px ${inks.sans}`;
    pen.fillStyle = inks.soft;
    pen.fillText(lane.about, after, top + 14);
    const thinks = top + BAND.title;
    const acts = thinks + BAND.bar + BAND.gap;
    const queue = acts + BAND.bar + BAND.gap;
    pen.font = `11px ${inks.mono}`;
    pen.fillText("thinks", 0, thinks + 9);
    pen.fillText("acts", 0, acts + 9);
    pen.fillText("queue", 0, queue + 12);
    drawTrace(pen, lane.expected, lane, { thinks, acts, queue }, lane.measured.depth.length, 0.3, inks);
    drawTrace(pen, lane.measured, lane, { thinks, acts, queue }, 0, 1, inks);
  }

  function drawTrace(pen, trace, lane, { thinks, acts, queue }, from, alpha, inks) {
    const begin = from / fps;
    const end = Math.min(trace.depth.length / fps, span);
    if (end <= begin) return;
    pen.globalAlpha = alpha;
    pen.fillStyle = inks["joint-0"];
    for (const [asked, arrived] of spans(trace, end)) {
      const left = Math.max(asked, begin);
      if (arrived >= left && left < end) pen.fillRect(x(left), thinks, Math.max(x(Math.min(arrived, end)) - x(left) - 1, 1.5), BAND.bar);
    }
    for (const [first, past, starved] of stretches(trace.starved, from)) {
      if (first / fps >= span) break;
      pen.fillStyle = starved ? inks.starved : inks.accent;
      pen.fillRect(x(first / fps), acts, Math.max(x(Math.min(past / fps, span)) - x(first / fps), 1), BAND.bar);
    }
    drawQueue(pen, trace.depth, lane.chunk, queue, from, inks);
    pen.globalAlpha = 1;
  }

  // [asked, arrived] of every inference, the one that has not arrived yet up to the end.
  function spans(trace, end) {
    const open = trace.asked.filter((asked) => !trace.arrived.some(([begun]) => Math.abs(begun - asked) < 1e-6));
    return [...trace.arrived, ...open.map((asked) => [asked, end])];
  }

  function* stretches(starved, from) {
    let first = from;
    for (let i = from + 1; i <= starved.length; i += 1) {
      if (i < starved.length && starved[i] === starved[first]) continue;
      if (starved[first] !== undefined) yield [first, i, starved[first] === 1];
      first = i;
    }
  }

  function drawQueue(pen, depth, chunk, top, from, inks) {
    const y = (count) => top + BAND.queue - (Math.min(count / chunk, 1) * BAND.queue);
    pen.beginPath();
    pen.moveTo(x(from / fps), y(0));
    let until = from;
    for (let i = from; i < depth.length && i / fps < span; i += 1) {
      if (depth[i] === undefined) continue;
      pen.lineTo(x(i / fps), y(depth[i]));
      pen.lineTo(x((i + 1) / fps), y(depth[i]));
      until = i + 1;
    }
    pen.lineTo(x(until / fps), y(0));
    pen.fillStyle = inks.accent;
    const alpha = pen.globalAlpha;
    pen.globalAlpha = alpha * 0.35;
    pen.fill();
    pen.globalAlpha = alpha;
  }

  function moveCursor(t) {
    cursor.style.transform = `translateX(${x(t)}px)`;
  }

  function point(event) {
    onSeek(Math.max(0, timeAt(event.clientX - canvas.getBoundingClientRect().left)));
  }

  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); point(event); });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) point(event); });
  return { load, expect, add, replace, forget, moveCursor, redraw };
}
