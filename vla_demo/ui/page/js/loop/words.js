// Sets what the server says in words: the verdict on a latency, and the table of what a run measured. It computes nothing.

import { make } from "../shared/dom.js";

export function setVerdict(host, { lead, rules, reading, problem }) {
  if (problem) return host.replaceChildren(make("p", { class: "reading" }, problem));
  host.replaceChildren(
    make("p", { class: "lead" }, lead),
    make("div", { class: "rules" }, ...rules.map(({ name, asks, holds, margin, fps }) => make("div", { class: `rule ${holds ? "holds" : "broken"}` },
      make("h3", {}, make("span", { "aria-hidden": "true" }, holds ? "✓" : "✗"), name, make("em", {}, holds ? "holds" : "does not hold")),
      make("p", {}, asks, make("br"), make("b", {}, margin), `, ${fps}`)))),
    make("p", { class: "reading" }, reading));
}

export function setOutcome(host, labels, lanes, expected) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Measured"), ...labels.map((label) => make("th", { scope: "col" }, label)));
  const result = make("tr", { class: "result" }, make("th", { scope: "row" }, "result"), ...lanes.map(({ headline, success }) => make("td", { class: success ? "done" : "" }, headline)));
  const rows = lanes[0].rows.map(({ label, about }, r) => make("tr", {},
    make("th", { scope: "row" }, label, make("small", {}, about)),
    ...lanes.map(({ rows: own }, i) => make("td", {}, own[r].value, own[r].note ? make("small", {}, own[r].note) : null, label === "idle" && expected[i] ? make("small", {}, `expected in the long run: ${(expected[i].idle * 100).toFixed(0)} %`) : null))));
  host.replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, result, ...rows)));
}
