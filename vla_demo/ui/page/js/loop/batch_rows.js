// The rows of the batch's tables, as the server sent them.

import { make, table } from "../shared/dom.js";

/** @import { ArticleTable, BatchRow, FailedStart, JudgedRow, Share } from "./messages" */

const cell = (label, ...content) => make("td", { "data-label": label }, ...content);
const small = (text, /** @type {string} */ title = "") => make("small", { title: title || null }, text);
const orDash = (text) => text ?? "–";

/** @param {BatchRow} row @param {HTMLInputElement} box to tick it @param {(start: FailedStart) => void} onFilm */
export function batchRow(row, box, onFilm) {
  const { test, validation } = row.splits;
  return make(
    "tbody",
    { "data-row": row.id },
    make(
      "tr",
      {},
      make("td", { class: "tick" }, box),
      make("th", { scope: "row" }, row.policy, small(row.variant, row.stages), row.shipped ? small("came with the app") : null),
      cell("Mode", row.mode, small(row.fps)),
      cell("Latency", row.latency, small(row.kind, row.source)),
      make("td", { class: "success", "data-label": "Success of 30" }, rate(row), small(`test ${test} · validation ${validation}`)),
      cell("Idle", row.idle),
      cell("Jerk", row.jerk),
      cell("Jump", row.jump),
      cell("Time", row.time),
    ),
    make(
      "tr",
      { class: "failures" },
      make("td", { colspan: 9 }, failures(row.failed, onFilm), make("div", { class: "film", role: "status" })),
    ),
  );
}

/** Tasks on a robot: a count like the others, but of starts as they came, so that it is not compared in pairs. @param {JudgedRow} row */
export function judgedRow(row) {
  return make(
    "tbody",
    { class: "judged" },
    make(
      "tr",
      {},
      make("td", { class: "tick" }),
      make("th", { scope: "row" }, row.policy, small(row.variant, row.stages), small(row.board)),
      cell("Mode", row.mode),
      cell("Latency", row.latency, small(row.kind, row.source)),
      make("td", { class: "success", "data-label": "Success" }, rate(row), small("judged by a person")),
      ...["Idle", "Jerk", "Jump", "Time"].map((label) => cell(label, "–")),
    ),
  );
}

function failures(failed, onFilm) {
  if (!failed.length) return make("p", {}, "No start failed.");
  const button = (start) => {
    const title = `Film of ${start.about}`;
    return make("button", { type: "button", title, "aria-label": title, onclick: () => onFilm(start) }, start.label);
  };
  return make("p", {}, "Failed, with film: ", ...failed.map(button));
}

/** The count over its interval: a band from Wilson's low to high, a notch where the share is. */
function rate({ successes, n, low, high }) {
  const percent = (share) => `${(100 * share).toFixed(1)}%`;
  const text = `${successes} of ${n}, 95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}`;
  const band = make("i", { style: `left:${percent(low)};width:${percent(high - low)}` });
  return make(
    "span",
    { class: "rate", title: text },
    make("b", {}, `${successes}/${n}`),
    make("span", { class: "band", role: "img", "aria-label": text }, band, make("em", { style: `left:${percent(successes / n)}` })),
    make("span", { class: "span", "aria-hidden": "true" }, `${low.toFixed(2)} to ${high.toFixed(2)}`),
  );
}

/** @param {ArticleTable} article */
export function articleTable({ title, link, rows, notes }) {
  const lines = rows.map((row) => [
    make("th", { scope: "row" }, row.policy, make("small", {}, row.format)),
    row.latency,
    orDash(row.test),
    orDash(row.validation),
    row.slip ? make("mark", { title: row.slip }, row.overall ?? "") : orDash(row.overall),
    row.successes === null ? "–" : rate(/** @type {Share} */ (row)),
  ]);
  const slips = rows.filter(({ slip }) => slip).map((row) => make("li", { class: "slip" }, `${row.policy}, ${row.format}: ${row.slip}.`));
  return make(
    "aside",
    { class: "article", "aria-label": "The article's results" },
    make("h3", {}, "The article's table, as printed"),
    make("p", { class: "from" }, make("a", { href: link, target: "_blank", rel: "noreferrer" }, title)),
    table(["Policy", "Latency", "Test", "Val.", "Global", "Counted"], lines),
    make("ul", {}, ...slips, ...notes.map((note) => make("li", {}, note))),
  );
}
