// What moves on the page by itself: a beat a frame, and the buttons, slider and text of the bar that shows a clock.

import { scope } from "./dom.js";
import { fixed, seconds } from "./format.js";
import { listenForKeys } from "./keys.js";

/** @import { Clock } from "./elements" */

/**
 * Calls `onBeat(step, now)` once a frame between `start()` and `stop()`: `step` in seconds, `now` as `performance.now()`.
 * @param {Node} node the beat ends when it leaves the page
 * @param {(step: number, now: number) => void} onBeat
 */
export function createBeat(node, onBeat) {
  const LONGEST = 0.1; // s: after a pause of the page's the clock goes on where it was
  let on = false;
  let last = 0;

  function beat(now) {
    on &&= node.isConnected;
    if (!on) return;
    const step = Math.min((now - last) / 1000, LONGEST);
    last = now;
    onBeat(step, now);
    requestAnimationFrame(beat);
  }

  return {
    start() {
      if (on) return;
      on = true;
      last = performance.now();
      requestAnimationFrame(beat);
    },
    stop() {
      on = false;
    },
  };
}

/**
 * The bar below, and the keys: they play, pause and seek `clock`.
 * @param {HTMLElement} element
 * @param {Clock} clock
 * @param {{ move: (by: number) => void, stop: () => void }} tab what the arrows up and down and Escape do
 */
export function createPlayback(element, clock, tab) {
  const at = scope(element);
  at("play").addEventListener("click", () => clock.toggle());
  at("seek").addEventListener("input", () => clock.scrub(Number(at("seek").value)));
  listenForKeys(element, clock, tab);
  return {
    showPlaying(playing) {
      at("play").setAttribute("aria-label", playing ? "Pause" : "Play");
      at("play").dataset.playing = String(playing);
    },
    showTime(t, end, digits) {
      at("seek").value = String(t);
      at("seek").setAttribute("aria-valuetext", seconds(t));
      at("time").textContent = `${fixed(t, digits)} / ${fixed(end, digits)} s`;
    },
  };
}
