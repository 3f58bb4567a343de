// Stage by precision as a table: a button a variant, the darker (in dark mode the brighter) the larger its error. Every button says its number, so
// that color is a help and never needed. One stop for Tab; arrows move, Enter and Space open the variant.

import { make } from "../shared/dom.js";

/** @import { HeatMapData, Row, Tick } from "./messages" */

/** @type {Record<string, [number, number]>} */
const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** The table of a `HeatMap` of `ui/trap/heatmap.py`. `open` is called with the variant of a cell. */
export class HeatMap {
  /** @type {{ node: HTMLButtonElement, i: number, j: number, share: number }[]} */
  #cells = [];
  #host;
  #open;

  /**
   * @param {HTMLElement} host
   * @param {HeatMapData} map
   * @param {string} title
   * @param {(variant: string) => void} open
   */
  constructor(host, { columns, rows, key }, title, open) {
    this.#host = host;
    this.#open = open;
    const head = make("tr", {}, make("td"), ...columns.map((name) => make("th", { scope: "col" }, name)));
    const body = rows.map((row, i) => this.#row(row, i, columns.length));
    const table = make("table", { class: "heat", "aria-label": title }, make("thead", {}, head), make("tbody", {}, ...body));
    host.replaceChildren(table, colorKey(key));
    if (this.#cells.length) this.#cells[0].node.tabIndex = 0;
    this.paint();
  }

  /** In the colors of the theme that is on. */
  paint() {
    const look = getComputedStyle(this.#host);
    const heat = [0, 1, 2].map((i) => look.getPropertyValue(`--heat-${i}`).trim());
    for (const { node, share } of this.#cells) {
      const fill = mix(heat, share);
      node.style.backgroundColor = fill;
      node.style.color = legible(fill);
    }
  }

  /** @param {Row} row @param {number} i @param {number} columns */
  #row({ label, operands, cells, refused }, i, columns) {
    const named = make("th", { scope: "row" }, label, make("small", {}, operands));
    const rest = refused ? [make("td", { class: "refused", colspan: columns }, refused)] : cells.map((found, j) => this.#cell(found, i, j));
    return make("tr", {}, named, ...rest);
  }

  #cell(found, i, j) {
    if (!found?.variant) return unmeasured(found?.said ?? "not measured");
    const { said, variant, number, interval, n, share } = found;
    const acts = { onclick: () => this.#open(variant), onkeydown: (event) => this.#move(event, i, j) };
    const small = make("small", {}, interval ? make("span", { class: "interval" }, `${interval} · `) : null, `n ${n}`);
    const named = { class: "cell", title: said, "aria-label": said, "data-variant": variant };
    const node = make("button", { type: "button", tabindex: -1, ...named, ...acts }, make("b", {}, number), small);
    this.#cells.push({ node, i, j, share });
    return make("td", {}, node);
  }

  #move(event, i, j) {
    const by = MOVES[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const line = this.#cells.filter((one) => Math.sign(one.i - i) === by[0] && Math.sign(one.j - j) === by[1]);
    const next = by[0] + by[1] < 0 ? line.at(-1) : line[0];
    if (!next) return;
    for (const { node } of this.#cells) node.tabIndex = -1;
    next.node.tabIndex = 0;
    next.node.focus();
  }
}

function unmeasured(why) {
  return make("td", { title: why }, make("span", { "aria-hidden": "true" }, "–"), make("span", { class: "spoken" }, why));
}

/** Which color is which error. @param {Tick[]} ticks */
function colorKey(ticks) {
  const marks = ticks.map(({ at, label }) => make("span", { style: `left: ${at * 100}%` }, label));
  return make("div", { class: "key", "aria-hidden": "true" }, make("i"), ...marks);
}

/** The color at `share` (0 to 1) of the way through three. @param {string[]} colors as #rrggbb @param {number} share */
export function mix([first, second, third], share) {
  const [from, to, t] = share < 0.5 ? [first, second, share * 2] : [second, third, share * 2 - 1];
  const mixed = channels(from).map((c, i) => Math.round(c + (channels(to)[i] - c) * t));
  return `#${mixed.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

/** @param {string} color */
const channels = (color) => [1, 3, 5].map((i) => Number.parseInt(color.slice(i, i + 2), 16));

/** Black or white, whichever stands out more: at least 4.5 to 1 on every color (WCAG 2). @param {string} color as #rrggbb */
export function legible(color) {
  const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
