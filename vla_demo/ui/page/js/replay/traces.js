// The traces: one row a joint on a single canvas; recorded dashed, this variant solid, FP32 reference dotted. Redrawn only when data, size,
// theme or visible joints change; the moving cursor is an element above it. Knows numbers and pixels, nothing of videos or the server.

import { createCanvas, drawSeconds, onDrag, pointerX } from "../shared/canvas.js";
import { createBeat } from "../shared/clock.js";
import { part } from "../shared/dom.js";
import { secondText, secondTicks, timeScale } from "../shared/scale.js";
import { createProbe } from "./probe.js";
import { RunLines } from "./run_lines.js";
import { paintRow } from "./trace_row.js";

/** @import { Recording, Steps } from "./messages" */
/** @typedef {ReturnType<RunLines["valuesAt"]>} Values */

const GUTTER = 46; // px left of the traces, for the scale
const RIGHT = 10;
const AXIS = 24; // px below, for the seconds

export class Traces {
  run = new RunLines(0);
  /** @type {Recording | null} */ #recording = null;
  #hidden = new Set(); // joints
  #shown = 0; // frames of the run drawn so far: it runs after what has arrived, so that traces grow instead of jumping

  /** @param {HTMLElement} plot @param {(t: number) => void} onSeek @param {(values: Values | null) => void} onProbe */
  constructor(plot, onSeek, onProbe) {
    this.plot = plot;
    this.canvas = part(plot, "canvas");
    this.probe = createProbe(plot, onProbe);
    this.picture = createCanvas(this.canvas, {
      place: plot,
      height: () => (this.#recording ? this.#height() + AXIS : 0),
      paint: (pen, ink, width, height) => this.#recording && this.#paint(pen, ink, { width, height }, this.#recording),
    });
    this.growth = createBeat(plot, (step) => this.#grow(step));
    onDrag(this.canvas, (x) => this.#recording && onSeek(this.#scale().t(x)));
    this.canvas.addEventListener("pointermove", (event) => this.#hover(event));
    this.canvas.addEventListener("pointerleave", this.probe.leave);
    new ResizeObserver(() => this.#recording && onProbe(null)).observe(plot);
  }

  get #duration() {
    return this.#recording ? (this.#recording.frames - 1) / this.#recording.fps : 0;
  }

  #scale() {
    return timeScale({ width: this.canvas.clientWidth, left: GUTTER, right: RIGHT, span: this.#duration });
  }

  #rows() {
    const style = getComputedStyle(this.plot);
    const [full, folded] = ["--row", "--row-folded"].map((name) => parseFloat(style.getPropertyValue(name)));
    let top = 0;
    return (this.#recording?.joints ?? []).map((joint, j) => {
      const row = { joint, j, top, height: this.#hidden.has(j) ? folded : full };
      top += row.height;
      return row;
    });
  }

  #height() {
    return this.#rows().reduce((sum, { height }) => sum + height, 0);
  }

  #paint(pen, ink, { width, height }, recording) {
    const { x } = this.#scale();
    const bottom = height - AXIS;
    const ticks = secondTicks(this.#duration, width).map((t) => ({ x: x(t), text: secondText(t) }));
    drawSeconds(pen, ink, ticks, { top: 0, bottom: bottom + 4, baseline: bottom + 18 });
    const data = { recording, run: this.run, shown: this.#shown };
    const place = { x, right: width - RIGHT, left: GUTTER - 8 };
    for (const row of this.#rows()) if (!this.#hidden.has(row.j)) paintRow(pen, ink, row, data, place);
    for (const upright of [".cursor", ".probe"]) part(this.plot, upright).style.height = `${bottom}px`;
  }

  #describe() {
    const { joints, frames } = /** @type {Recording} */ (this.#recording);
    const ran = this.run.frames ? `; this variant and its FP32 reference: ${this.run.frames} of ${frames} frames` : "";
    this.canvas.setAttribute("aria-label", `Traces of ${joints.length} joints, recorded: ${frames} frames${ran}`);
  }

  #grow(step) {
    const speed = Math.max(4 * (this.#recording?.fps ?? 30), (this.run.frames - this.#shown) / 0.8); // frames a second
    this.#shown = Math.min(this.run.frames, this.#shown + step * speed);
    this.picture.draw();
    if (this.#shown >= this.run.frames) this.growth.stop();
  }

  #hover(event) {
    const t = this.#scale().t(pointerX(this.canvas, event));
    if (!this.#recording || t < -0.05 || t > this.#duration + 0.05) return this.probe.leave();
    const y = event.clientY - this.canvas.getBoundingClientRect().top;
    const values = this.valuesAt(Math.min(Math.max(t, 0), this.#duration));
    const row = this.#rows().find(({ top, height }) => y < top + height);
    this.probe.show(values, row && !this.#hidden.has(row.j) ? row : null, this.#scale().x(values.t));
  }

  /** @param {Recording} recording */
  load(recording) {
    this.#recording = recording;
    this.clear();
  }

  clear() {
    this.run = new RunLines(this.#recording?.joints.length ?? 0);
    this.#shown = 0;
    this.#describe();
    this.picture.draw();
  }

  /** @param {Steps} steps */
  append(steps) {
    this.run.append(steps);
    this.#describe();
    this.growth.start();
  }

  /** @param {number} t */
  moveCursor(t) {
    part(this.plot, ".cursor").style.transform = `translateX(${this.#scale().x(t)}px)`;
  }

  /** @param {Set<number>} joints */
  hide(joints) {
    this.#hidden = joints;
    this.picture.draw();
  }

  /** @param {number} t */
  valuesAt(t) {
    return this.run.valuesAt(/** @type {Recording} */ (this.#recording), t);
  }

  /** Seconds that the run has reached. */
  get reached() {
    return Math.max(this.run.frames - 1, 0) / (this.#recording?.fps ?? 1);
  }
}
