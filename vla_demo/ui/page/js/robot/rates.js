// The table of the tasks that a person has judged: a row a board, package and precision.

import { make, table } from "../shared/dom.js";

/** @import { JudgedRate, Rates } from "./messages" */

/** @param {HTMLElement} host @param {Rates} rates */
export function setRates(host, { rows, how }) {
  const columns = ["Judged tasks", "policy", "in the mug", "95 % interval", "inference"];
  const cells = (/** @type {JudgedRate} */ { board, policy, count, interval, inference, loop }) => [
    board,
    policy,
    count,
    interval,
    make("td", {}, inference, loop && loopLink(loop)),
  ];
  host.replaceChildren(...(rows.length ? [table(columns, rows.map(cells)), make("p", { class: "how" }, how)] : []));
}

/** In a tab of its own: leaving this one would stop the arm. */
function loopLink(parts) {
  const href = `?${new URLSearchParams({ tab: "loop", ...parts })}`;
  return make("a", { href, target: "_blank", rel: "noopener" }, "what it means in the closed loop");
}
