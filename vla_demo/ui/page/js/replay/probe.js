// What stands under the pointer: an upright line over the traces, and a joint's values beside it.

import { make, part } from "../shared/dom.js";
import { seconds, withUnit } from "../shared/format.js";

/** @import { Values } from "./traces.js" */

const NAMES = /** @type {const} */ ({ recorded: "recorded", predicted: "this variant", reference: "FP32" });

/** @param {HTMLElement} plot @param {(values: Values | null) => void} onProbe */
export function createProbe(plot, onProbe) {
  const line = part(plot, ".probe");
  const tip = part(plot, ".tip");

  function show(values, row, x) {
    line.hidden = false;
    line.style.transform = `translateX(${x}px)`;
    tip.hidden = !row;
    if (row) showTip(values, row, x);
    onProbe(values);
  }

  function showTip(values, { joint, j, top }, x) {
    const lines = Object.entries(NAMES).map(([key, name]) => {
      const value = values[/** @type {keyof typeof NAMES} */ (key)][j];
      return value === undefined || value === null ? "" : make("span", { class: key }, name, make("b", {}, withUnit(value, joint.unit)));
    });
    tip.replaceChildren(make("em", {}, `${joint.label}, ${seconds(values.t)}`), ...lines);
    const left = x + tip.offsetWidth + 18 > plot.clientWidth ? x - tip.offsetWidth - 12 : x + 12;
    tip.style.transform = `translate(${Math.max(left, 0)}px, ${top + 4}px)`;
  }

  function leave() {
    line.hidden = tip.hidden = true;
    onProbe(null);
  }

  return { show, leave };
}
