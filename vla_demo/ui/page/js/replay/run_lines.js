// What a run has brought so far: for each joint the line of this variant and that of its FP32 reference. Plain numbers, nothing of the screen.

export class RunLines {
  frames = 0;
  /** @type {number[]} */ chunks = []; // frames at which a chunk was planned
  /** @type {number[][]} */ predicted;
  /** @type {number[][]} */ reference;

  /** @param {number} joints */
  constructor(joints) {
    this.predicted = Array.from({ length: joints }, () => []);
    this.reference = Array.from({ length: joints }, () => []);
  }

  append({ start, predicted, reference, chunks }) {
    if (start > this.frames) return; // a lost message; the report carries the whole run
    predicted.forEach((values, j) => this.predicted[j].splice(start, Infinity, ...values));
    reference.forEach((values, j) => this.reference[j].splice(start, Infinity, ...values));
    this.chunks = this.chunks.filter((frame) => frame < start).concat(chunks);
    this.frames = this.predicted[0].length;
  }

  /** Every joint's values at the frame nearest to a second. */
  valuesAt({ fps, frames, actions }, t) {
    const i = Math.min(Math.round(t * fps), frames - 1);
    const pick = (lines) => lines.map((line) => line[i] ?? null);
    return { t: i / fps, recorded: pick(actions), predicted: pick(this.predicted), reference: pick(this.reference) };
  }
}
