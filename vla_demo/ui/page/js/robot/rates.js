// The table of the tasks that a person has judged: a row a board, package and precision.

import { make } from "../shared/dom.js";

export function setRates(host, { rows, how }) {
  const names = { board: "Judged tasks", policy: "policy", count: "in the mug", interval: "95 % interval", inference: "inference" };
  const head = make("tr", {}, ...Object.values(names).map((name) => make("th", { scope: "col" }, name)));
  const lines = rows.map((row) => make("tr", {}, ...Object.keys(names).map((key) => make("td", {}, row[key], key === "inference" && row.loop ? weigh(row.loop) : null))));
  host.replaceChildren(...(rows.length ? [make("table", {}, make("thead", {}, head), make("tbody", {}, ...lines)), make("p", { class: "how" }, how)] : []));
}

// In a tab of its own: leaving this one would stop the arm.
function weigh(parts) {
  return make("a", { href: `?${new URLSearchParams({ tab: "loop", ...parts })}`, target: "_blank", rel: "noopener" }, "what it means in the closed loop");
}
