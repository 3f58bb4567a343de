// Sets what the server says in words: the verdict on a latency, and the table of what a run measured. It computes nothing.

import { make, table } from "../shared/dom.js";

/** @import { Expected, LaneReport, Verdict } from "./messages" */

/** @param {HTMLElement} host @param {Verdict} verdict */
export function setVerdict(host, { lead, rules, reading, problem }) {
  const said = make("p", { class: "reading" }, problem || reading);
  if (problem) host.replaceChildren(said);
  else host.replaceChildren(make("p", { class: "lead" }, lead), make("div", { class: "rules" }, ...rules.map(ruleBox)), said);
}

function ruleBox({ name, asks, holds, margin, fps }) {
  const mark = make("span", { "aria-hidden": "true" }, holds ? "✓" : "✗");
  return make(
    "div",
    { class: `rule ${holds ? "holds" : "broken"}` },
    make("h3", {}, mark, name, make("em", {}, holds ? "holds" : "does not hold")),
    make("p", {}, asks, make("br"), make("b", {}, margin), `, ${fps}`),
  );
}

/** @param {HTMLElement} host @param {string[]} labels @param {LaneReport[]} lanes @param {Expected[]} expected */
export function setOutcome(host, labels, lanes, expected) {
  const heading = (label, about = "") => make("th", { scope: "row" }, label, about ? make("small", {}, about) : null);
  const idle = (i) => expected[i] && `expected in the long run: ${(expected[i].idle * 100).toFixed(0)} %`;
  const rows = lanes[0].rows.map(({ label, about }, r) => [
    heading(label, about),
    ...lanes.map((lane, i) => {
      const notes = [lane.rows[r].note, label === "idle" ? idle(i) : ""].filter(Boolean);
      return make("td", {}, lane.rows[r].value, ...notes.map((note) => make("small", {}, note)));
    }),
  ]);
  const results = lanes.map(({ headline, success }) => make("td", { class: success ? "done" : "" }, headline));
  const result = make("tr", { class: "result" }, heading("result"), ...results);
  host.replaceChildren(table(["Measured", ...labels], [result, ...rows]));
}
