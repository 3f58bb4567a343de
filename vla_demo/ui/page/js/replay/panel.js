// What the page says of a run in words: its facts and the legend. The sentences come from the server; this only sets them.

import { make } from "../shared/dom.js";

/** @import { Section } from "./messages" */

/** @param {Section} section */
function section({ title, value, aside, notes, tone }) {
  const figure = value ? make("p", { class: "big" }, value, aside ? make("small", {}, aside) : null) : null;
  return make("section", { class: tone ?? "" }, make("h3", {}, title), figure, ...(notes ?? []).map((note) => make("p", {}, note)));
}

/** @param {HTMLElement} panel @param {HTMLElement} small @param {Section[]} sections */
export function setFacts(panel, small, sections, how = "") {
  panel.replaceChildren(...sections.map(section));
  small.textContent = how;
}

/** Before a run only what was recorded is on show. @param {HTMLElement} legend @param {string} [variant] @param {string} [reference] */
export function setLegend(legend, variant, reference) {
  const names = { recorded: "recorded", predicted: variant, reference, chunks: variant && "a chunk is planned" };
  legend.replaceChildren(...Object.entries(names).flatMap(([key, text]) => (text ? [make("span", { class: `key ${key}` }, text)] : [])));
}
