// The newest seconds of a task, control period by control period. Plain numbers, nothing of the screen.

/** @typedef {{ at: number, commanded: number[], measured: number[], queue: number, starved: boolean }} Tick */

export const SPAN = 20; // s
const PAUSE = 3; // s without a control period: what comes after it is another task

export class TickWindow {
  /** @type {Tick[]} */ ticks = [];
  begin = 0; // s, the board's clock: the first control period of this task that was heard of

  get last() {
    return this.ticks.at(-1);
  }

  /** The second at the right edge: a task that has just begun fills the window from the left. */
  get end() {
    return Math.max(this.last?.at ?? 0, this.begin + SPAN);
  }

  add({ at, commanded, measured, queue, starved }) {
    at.forEach((t, i) => {
      if (this.last && t - this.last.at > PAUSE) this.ticks = [];
      if (!this.last) this.begin = t;
      const pick = (lines) => lines.map((line) => line[i]);
      this.ticks.push({ at: t, commanded: pick(commanded), measured: pick(measured), queue: queue[i], starved: Boolean(starved[i]) });
    });
    const from = (this.last?.at ?? 0) - SPAN;
    this.ticks = this.ticks.filter((tick) => tick.at >= from);
  }
}
