// Ranges, ticks and places of the live pictures: plain numbers in, plain numbers out.

const LEAST_RANGE = 12; // degrees or percent: a joint that rests must look at rest, not like noise

/** @param {number[][]} lines */
export function rangeOf(...lines) {
  const all = lines.flat();
  const low = Math.min(...all);
  const high = Math.max(...all);
  const widen = Math.max(0, LEAST_RANGE - (high - low)) / 2;
  return { low: low - widen, high: high + widen };
}

/** Round values between `low` and `high`, at most `most`. @param {number} low @param {number} high @param {number} most */
export function valueTicks(low, high, most) {
  const count = (step) => Math.floor(high / step) - Math.ceil(low / step) + 1;
  const step = [5, 10, 20, 25, 50, 100, 200, 500].find((one) => count(one) <= most) ?? 1000;
  return Array.from({ length: Math.max(count(step), 0) }, (_, i) => (Math.ceil(low / step) + i) * step);
}

/** Round seconds from 0 to `duration`, at least 64 px apart on `width` px. @param {number} duration @param {number} width */
export function secondTicks(duration, width) {
  const step = [0.5, 1, 2, 5, 10, 20, 60, 120, 300].find((one) => (duration / one) * 64 <= width) ?? 600;
  return Array.from({ length: Math.floor(duration / step + 1e-6) + 1 }, (_, i) => i * step);
}

/** A tick's seconds in words. @param {number} t */
export const secondText = (t) => (t === 0 ? "0 s" : String(+t.toFixed(1)));

/**
 * Where a second lies on `width` px with margins, and which second lies at a px.
 * @param {{ width: number, left: number, right: number, span: number }} place
 */
export function timeScale({ width, left, right, span }) {
  const inner = width - left - right;
  return {
    x: (t) => left + (t / span) * inner,
    t: (x) => ((x - left) / inner) * span,
  };
}
