// What a lane's trace is made of: when it thinks, when it acts and when it starves. Plain numbers in, plain numbers out.

/** @import { Trace } from "./messages" */

/** @returns {Trace} */
export const emptyTrace = () => ({ from: 0, depth: [], starved: [], asked: [], arrived: [] });

/** Puts what is new of a trace, from control period `from` on, behind what there is. @param {Trace} trace @param {Trace & { from: number }} news */
export function extend(trace, { from, depth, starved, asked, arrived }) {
  depth.forEach((waiting, i) => {
    trace.depth[from + i] = waiting;
    trace.starved[from + i] = starved[i];
  });
  trace.asked.push(...asked);
  trace.arrived.push(...arrived);
}

/** [asked, arrived] of every inference, the one that has not arrived yet up to the end. @param {Trace} trace @param {number} end */
export function inferences({ asked, arrived }, end) {
  const open = asked.filter((one) => !arrived.some(([begun]) => Math.abs(begun - one) < 1e-6));
  return [...arrived, ...open.map((one) => [one, end])];
}

/** [first, past, starves] of every stretch of control periods that are alike, from `from` on. */
export function* stretches(starved, from) {
  let first = from;
  for (let i = from + 1; i <= starved.length; i += 1) {
    if (i < starved.length && starved[i] === starved[first]) continue;
    if (starved[first] !== undefined) yield [first, i, starved[first] === 1];
    first = i;
  }
}
