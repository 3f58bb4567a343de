// The slider of latencies: logarithmic, but for its very left, which is 0. Plain numbers in, plain numbers out.

const LEAST_MS = 10; // the slider's left end but one
const LEAST_PLACE = 0.004;
export const MOST_MS = 35000;

/** @param {number} ms */
export const toPlace = (ms) =>
  ms <= 0 ? 0 : Math.max(LEAST_PLACE, Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / Math.log(MOST_MS / LEAST_MS));

/** Two digits that count: nobody slides to the millisecond. @param {number} place */
export function toMs(place) {
  const ms = place < LEAST_PLACE ? 0 : LEAST_MS * (MOST_MS / LEAST_MS) ** place;
  return ms < 10 ? Math.round(ms) : Number(ms.toPrecision(ms < 1000 ? 2 : 3));
}
