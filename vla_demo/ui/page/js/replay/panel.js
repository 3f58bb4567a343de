// What the page says in words and numbers: the facts of a run, the legend, and the table of joints with their values at the cursor.
// The sentences come from the server; this only sets them.

import { make } from "../shared/dom.js";
import { seconds, withUnit } from "../shared/format.js";

export function createPanel({ panel, legend, table, small }, onHide) {
  let joints = [];
  let cells = [];
  const hidden = new Set();

  function section({ title, value, aside, notes, tone }) {
    return make("section", { class: tone ?? "" }, make("h3", {}, title),
      value ? make("p", { class: "big" }, value, aside ? make("small", {}, aside) : null) : null,
      ...(notes ?? []).map((note) => make("p", {}, note)));
  }

  function say(sections, how = "") {
    panel.replaceChildren(...sections.map(section));
    small.textContent = how;
  }

  function lines(variant, reference) {
    const key = (name, text) => make("span", { class: `key ${name}` }, text);
    legend.replaceChildren(key("recorded", "recorded"), ...(variant ? [key("predicted", variant), key("reference", reference), key("chunks", "a chunk is planned")] : []));
  }

  function load(recording) {
    joints = recording.joints;
    hidden.clear();
    onHide(hidden);
    const column = (text, name) => make("th", { scope: "col", class: name }, text);
    const top = make("tr", {}, make("td"), make("th", { colspan: 3, scope: "colgroup", class: "when" }), make("th", { colspan: 2, scope: "colgroup", class: "off" }, "mean abs error"));
    const head = make("tr", {}, make("td"), column("recorded"), column("variant", "ran"), column("FP32", "ran"), column("recorded", "off"), column("FP32", "off"));
    const rows = joints.map(row);
    cells = rows.map((one) => [...one.querySelectorAll("td")]);
    table.replaceChildren(make("table", {}, make("caption", {}, "Joints: values at the cursor, and errors of the run"), make("thead", {}, top, head), make("tbody", {}, ...rows)));
    table.dataset.ran = "no";
  }

  function row(joint, j) {
    const button = make("button", { type: "button", "aria-pressed": "true", title: "Show or hide this joint", onclick: () => flip(j, button) }, joint.label);
    const values = ["", "ran", "ran", "off", "off"].map((name) => make("td", { class: name }));
    return make("tr", { style: `--ink-joint: var(--joint-${j % 6})` }, make("th", { scope: "row" }, button), ...values);
  }

  function flip(j, button) {
    hidden.has(j) ? hidden.delete(j) : hidden.add(j);
    button.setAttribute("aria-pressed", String(!hidden.has(j)));
    button.closest("tr").classList.toggle("off-row", hidden.has(j));
    onHide(hidden);
  }

  function values({ t, recorded, predicted, reference }) {
    write(table.querySelector(".when"), `at ${seconds(t)}`);
    cells.forEach((row, j) => [recorded, predicted, reference].forEach((list, k) => { write(row[k], withUnit(list[j], joints[j].unit)); }));
  }

  function write(cell, text) {
    if (cell.textContent !== text) cell.textContent = text; // called for every frame: touch only what changed
  }

  function errors(report) {
    table.dataset.ran = "yes";
    cells.forEach((row, j) => [report.vsRecorded, report.vsReference].forEach((list, k) => { row[3 + k].textContent = list ? withUnit(list[j], joints[j].unit, 2) : ""; }));
  }

  function forget() {
    table.dataset.ran = "no";
    cells.flat().forEach((cell) => { cell.textContent = ""; });
  }

  function begin(variant, reference) {
    lines(variant, reference);
    table.dataset.ran = "yes";
  }

  return { say, lines, load, begin, values, errors, forget };
}
