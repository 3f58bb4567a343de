// The timeline: for each lane when it thinks, when it acts and when it starves, and how many actions wait; one axis for all. What is expected is
// pale, what was measured is full. Redrawn only when data, size or theme change; the cursor is an element above it.

import { createCanvas, drawSeconds, onDrag } from "../shared/canvas.js";
import { part } from "../shared/dom.js";
import { secondText, secondTicks, timeScale } from "../shared/scale.js";
import { BELOW, LANE_HEIGHT, paintLane, TITLE } from "./lane_band.js";
import { emptyTrace, extend } from "./spans.js";

/** @import { Expected } from "./messages" */
/** @import { Lane } from "./lane_band.js" */

const RIGHT = 12; // px
const AXIS = 22;

/** @param {HTMLElement} host @param {(t: number) => void} onSeek */
export function createTimeline(host, onSeek) {
  const canvas = part(host, "canvas");
  const cursor = part(host, ".cursor");
  let lanes = /** @type {Lane[]} */ ([]);
  let fps = 30;
  let span = 12; // s
  let now = 0;

  const gutter = () => (canvas.clientWidth < 560 ? 46 : 62);
  const scale = () => timeScale({ width: canvas.clientWidth, left: gutter(), right: RIGHT, span });
  const measuredEnd = () => Math.max(0, ...lanes.map(({ measured }) => measured.depth.length / fps));
  const picture = createCanvas(canvas, { place: host, height: () => lanes.length * LANE_HEIGHT + AXIS, paint });

  /** @type {Parameters<typeof createCanvas>[1]["paint"]} */
  function paint(pen, ink, width, height) {
    const { x } = scale();
    const ticks = secondTicks(span, width - gutter()).map((t) => ({ x: x(t), text: secondText(t) }));
    drawSeconds(pen, ink, ticks, { top: TITLE, bottom: height - AXIS - BELOW + 4, baseline: height - 6 });
    lanes.forEach((lane, i) => paintLane({ pen, ink, x, fps, span }, lane, i * LANE_HEIGHT));
    cursor.style.height = `${height - AXIS}px`;
    cursor.style.setProperty("--lane", `${LANE_HEIGHT}px`); // it leaves out the titles
    canvas.setAttribute("aria-label", `Timeline: ${lanes.map((lane) => `${lane.label}, ${lane.about}`).join("; ")}`);
    moveCursor(now);
  }

  function moveCursor(t) {
    now = t;
    cursor.style.transform = `translateX(${scale().x(t)}px)`;
  }

  onDrag(canvas, (x) => onSeek(Math.max(0, scale().t(x))));
  return {
    moveCursor,
    load(labels, rate) {
      fps = rate;
      const fresh = { about: "", chunk: 1, expected: emptyTrace() };
      lanes = labels.map((label, i) => {
        const { chunk, expected } = lanes[i] ?? fresh;
        return { label, about: /** @type {Partial<Expected>} */ (expected).text ?? "", chunk, expected, measured: emptyTrace() };
      });
      picture.redraw();
    },
    expect(found, chunks, seconds) {
      lanes.forEach((lane, i) => {
        Object.assign(lane, { expected: found[i], about: found[i].text, chunk: chunks[i] });
      });
      span = Math.max(seconds, measuredEnd());
      picture.redraw();
    },
    add(frame) {
      extend(lanes[frame.lane].measured, frame);
      while (measuredEnd() > span) span = Math.ceil(span * 1.5); // seldom, so that the axis stands still
      picture.redraw();
    },
    replace(index, measured, about) {
      Object.assign(lanes[index], { measured, about });
      picture.redraw();
    },
  };
}
