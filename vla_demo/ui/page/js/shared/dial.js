// One stage's dial: a precision from a list, a sentence of what it does, and, folded away, the options its scheme has. Which there are comes
// from the server.

import { make, part } from "./dom.js";
import { optionsOf, precisionOf, textOf } from "./precision.js";

/** @import { Stage } from "./messages" */

/** @param {Stage} stage @param {() => void} onChange */
export function createDial({ label, precisions, choice }, onChange) {
  const select = make("select", { class: "precision", "aria-label": `${label} precision`, onchange: () => choose(select.value) });
  const fields = make("div", { class: "fields" });
  const summary = make("summary", { "aria-label": `${label} options` }, make("span", {}, "options"));
  const more = make("details", { class: "more" }, summary, fields);
  const does = make("p", { class: "does" });
  let precision = precisions[0];
  let options = optionsOf(precision, "");

  function set(text) {
    precision = precisionOf(precisions, text);
    options = optionsOf(precision, text);
    select.value = precision.scheme;
    fields.replaceChildren(...precision.groups.map(({ label: group }, i) => make("label", {}, group, picker(i))));
    more.classList.toggle("none", !precision.groups.length);
    say();
  }

  function choose(text) {
    set(text);
    onChange();
  }

  /** The list of one group's options. */
  function picker(i) {
    const group = precision.groups[i];
    const entries = group.options.map(({ value, label: name }) => make("option", { value }, name));
    const pick = make("select", { "aria-label": `${label} ${group.label.toLowerCase()}` }, ...entries);
    pick.value = options[i].value;
    pick.addEventListener("change", () => {
      options[i] = group.options[pick.selectedIndex];
      say();
      onChange();
    });
    return pick;
  }

  function say() {
    precisions.forEach((one, i) => {
      const own = one === precision ? options.find((option) => option.operands)?.operands : null;
      select.options[i].textContent = `${one.label} · ${own || one.operands}`;
    });
    does.textContent = options.find((option) => option.about)?.about ?? precision.about;
  }

  select.append(...precisions.map(({ scheme }) => make("option", { value: scheme })));
  set(choice);
  foldAway(more);
  return {
    nodes: [select, more],
    does,
    set,
    value: () => textOf(precision.scheme, options),
    name: () => textOf(precision.label, options, " "),
  };
}

/** Closes by a press elsewhere, and by Escape. */
function foldAway(details) {
  document.addEventListener("pointerdown", (event) => {
    if (!details.contains(/** @type {Node} */ (event.target))) details.open = false;
  });
  details.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !details.open) return;
    event.stopPropagation();
    details.open = false;
    part(details, "summary").focus();
  });
}
