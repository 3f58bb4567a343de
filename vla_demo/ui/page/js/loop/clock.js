// The clock of a run: simulated seconds at the pace of real ones. While the run goes on it never overtakes what has arrived, and slows down
// before it would have to stop.

import { createBeat } from "../shared/clock.js";

/** @import { ClockListener } from "../shared/elements" */

const BEHIND = 0.5; // s; nearer than that to what has arrived it slows down
const TICK = 0.1; // s; what an arrow key steps

/** @param {Node} node @param {ClockListener} listener */
export function createClock(node, listener) {
  let t = 0;
  let end = 0; // of what has arrived
  let going = false; // more is coming
  let playing = false;
  const beat = createBeat(node, (step) => {
    const pace = going ? Math.min(1, (end - t) / BEHIND) : 1;
    if (step * pace > 0) seek(t + step * pace);
    if (!going && t >= end) setPlaying(false);
  });

  function seek(time) {
    t = Math.min(Math.max(time, 0), end);
    listener.onTime(t);
  }

  function setPlaying(value) {
    if (playing === value) return;
    playing = value;
    if (playing && !going && t >= end - 1e-3) seek(0);
    if (playing) beat.start();
    else beat.stop();
    listener.onPlaying(playing);
  }

  function scrub(time) {
    setPlaying(false);
    seek(time);
  }

  return {
    seek,
    scrub,
    play: () => setPlaying(true),
    pause: () => setPlaying(false),
    toggle: () => setPlaying(!playing),
    step: (ticks) => scrub(t + ticks * TICK),
    begin() {
      end = 0;
      going = true;
      seek(0);
    },
    reach(time) {
      end = Math.max(end, time);
    },
    finish() {
      going = false;
    },
    time: () => t,
    end: () => end,
    playing: () => playing,
  };
}
