// The table of joints: a button each to fold its row, their values at the cursor, and the errors of the run.

import { make, part, write } from "../shared/dom.js";
import { seconds, withUnit } from "../shared/format.js";

/** @import { Joint } from "../shared/messages" */

/** @param {HTMLElement} host @param {(hidden: Set<number>) => void} onHide */
export function createJoints(host, onHide) {
  let joints = /** @type {Joint[]} */ ([]);
  let cells = /** @type {HTMLElement[][]} */ ([]); // of each joint: recorded, variant, FP32, error to the recorded, error to FP32
  const hidden = /** @type {Set<number>} */ (new Set());

  function load(next) {
    joints = next;
    hidden.clear();
    onHide(hidden);
    const rows = joints.map(row);
    cells = rows.map((one) => [...one.querySelectorAll("td")]);
    const caption = make("caption", {}, "Joints: values at the cursor, and errors of the run");
    host.replaceChildren(make("table", {}, caption, head(), make("tbody", {}, ...rows)));
    begin("no");
  }

  function row(joint, j) {
    const flip = () => {
      if (!hidden.delete(j)) hidden.add(j);
      button.setAttribute("aria-pressed", String(!hidden.has(j)));
      line.classList.toggle("off-row", hidden.has(j));
      onHide(hidden);
    };
    const show = { type: "button", "aria-pressed": "true", title: "Show or hide this joint", onclick: flip };
    const button = make("button", show, joint.label);
    const values = ["", "ran", "ran", "off", "off"].map((name) => make("td", { class: name }));
    const line = make("tr", { style: `--ink-joint: var(--joint-${j % 6})` }, make("th", { scope: "row" }, button), ...values);
    return line;
  }

  /** What a run has measured is on show: "yes" or "no". */
  function begin(ran = "yes") {
    host.dataset.ran = ran;
  }

  return {
    load,
    begin: () => begin(),
    values({ t, recorded, predicted, reference }) {
      write(part(host, ".when"), `at ${seconds(t)}`);
      cells.forEach((row, j) => {
        [recorded, predicted, reference].forEach((list, k) => write(row[k], withUnit(list[j], joints[j].unit)));
      });
    },
    errors({ vsRecorded, vsReference }) {
      begin();
      cells.forEach((row, j) => {
        write(row[3], withUnit(vsRecorded[j], joints[j].unit, 2));
        write(row[4], withUnit(vsReference?.[j], joints[j].unit, 2));
      });
    },
    forget() {
      begin("no");
      for (const cell of cells.flat()) write(cell, "");
    },
  };
}

function head() {
  const group = (columns, name, text = "") => make("th", { colspan: columns, scope: "colgroup", class: name }, text);
  const column = (text, name = "") => make("th", { scope: "col", class: name }, text);
  const names = [column("recorded"), column("variant", "ran"), column("FP32", "ran"), column("recorded", "off"), column("FP32", "off")];
  const top = make("tr", {}, make("td"), group(3, "when"), group(2, "off", "mean abs error"));
  return make("thead", {}, top, make("tr", {}, make("td"), ...names));
}
