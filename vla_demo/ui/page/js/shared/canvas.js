// The ground of every live picture: a canvas as wide as its place, sharp on every screen, in the colors of the theme.

import { onTheme } from "./theme.js";

/**
 * Painted anew, at most once a frame, on `redraw()`, when its place changes its size, and when the page turns light or dark.
 * `paint(pen, ink, width, height)`: in px; `ink("soft")` is what the style sheet calls `--soft`.
 * @param {HTMLCanvasElement} canvas
 * @param {{ place?: HTMLElement, height: () => number, paint: (pen: CanvasRenderingContext2D, ink: Ink, width: number, height: number) => void }} parts
 * @typedef {(name: string) => string} Ink
 */
export function createCanvas(canvas, { place = canvas, height, paint }) {
  let waiting = false;

  function draw() {
    const width = canvas.clientWidth;
    const tall = width ? height() : 0;
    if (!tall) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.style.height = `${tall}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(tall * ratio);
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(canvas);
    pen.scale(ratio, ratio);
    paint(pen, (name) => style.getPropertyValue(`--${name}`).trim(), width, tall);
  }

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  new ResizeObserver(redraw).observe(place);
  onTheme(redraw);
  return { draw, redraw };
}

/**
 * Upright rules from `top` to `bottom`, each with its seconds below it.
 * @param {CanvasRenderingContext2D} pen
 * @param {Ink} ink
 * @param {{ x: number, text: string, textX?: number }[]} ticks
 * @param {{ top: number, bottom: number, baseline: number }} place
 */
export function drawSeconds(pen, ink, ticks, { top, bottom, baseline }) {
  pen.font = `11px ${ink("mono")}`;
  pen.textBaseline = "alphabetic";
  pen.textAlign = "center";
  for (const { x, text, textX = x } of ticks) {
    pen.fillStyle = ink("line");
    pen.fillRect(Math.round(x), top, 1, bottom - top);
    pen.fillStyle = ink("soft");
    pen.fillText(text, textX, baseline);
  }
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {number[][]} points
 * @param {{ dash: number[], width: number }} style
 */
export function drawLine(pen, points, { dash, width }) {
  pen.setLineDash(dash);
  pen.lineWidth = width;
  pen.lineJoin = "round";
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
  pen.setLineDash([]);
}

/** @param {HTMLElement} canvas @param {PointerEvent} event */
export const pointerX = (canvas, event) => event.clientX - canvas.getBoundingClientRect().left;

/** Calls `seek(x)` while the canvas is pressed and dragged over. @param {HTMLElement} canvas @param {(x: number) => void} seek */
export function onDrag(canvas, seek) {
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    canvas.setPointerCapture(event.pointerId);
    seek(pointerX(canvas, event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons === 1 && canvas.hasPointerCapture(event.pointerId)) seek(pointerX(canvas, event));
  });
}
