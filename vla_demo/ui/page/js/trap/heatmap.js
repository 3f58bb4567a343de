// Stage by precision as a table: a button a variant, the darker (in dark mode the brighter) the larger its error. Every button says its number, so
// that color is a help and never needed. One stop for Tab; arrows move, Enter and Space open the variant.

import { make } from "../shared/dom.js";

/** Fills `host` with the table. Returns what gives it the colors of the theme that is on. */
export function createHeatMap(host, { columns, rows, key }, title, open) {
  const cells = []; // { node, i, j, share }

  function cell(found, i, j) {
    if (!found?.variant) return make("td", { title: found?.said ?? "not measured" }, make("span", { "aria-hidden": "true" }, "–"), make("span", { class: "spoken" }, found?.said ?? "not measured"));
    const node = make("button", { type: "button", class: "cell", tabindex: cells.length ? -1 : 0, title: found.said, "aria-label": found.said, "data-variant": found.variant, onclick: () => open(found.variant), onkeydown: (event) => move(event, i, j) },
      make("b", {}, found.number), make("small", {}, found.interval ? make("span", { class: "interval" }, `${found.interval} · `) : null, `n ${found.n}`));
    cells.push({ node, i, j, share: found.share });
    return make("td", {}, node);
  }

  function move(event, i, j) {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const line = cells.filter((one) => Math.sign(one.i - i) === by[0] && Math.sign(one.j - j) === by[1]);
    const next = by[0] + by[1] < 0 ? line.at(-1) : line[0];
    if (!next) return;
    for (const { node } of cells) node.tabIndex = -1;
    next.node.tabIndex = 0;
    next.node.focus();
  }

  const head = make("tr", {}, make("td", {}), ...columns.map((name) => make("th", { scope: "col" }, name)));
  const body = rows.map(({ label, operands, cells: found, refused }, i) =>
    make("tr", {}, make("th", { scope: "row" }, label, make("small", {}, operands)),
      ...(refused ? [make("td", { class: "refused", colspan: columns.length }, refused)] : found.map((one, j) => cell(one, i, j)))));
  const ticks = key.map(({ at, label }) => make("span", { style: `left: ${at * 100}%` }, label));
  host.replaceChildren(make("table", { class: "heat", "aria-label": title }, make("thead", {}, head), make("tbody", {}, ...body)),
    make("div", { class: "key", "aria-hidden": "true" }, make("i", {}), ...ticks));

  return function paint() {
    const look = getComputedStyle(host);
    const heat = [0, 1, 2].map((i) => look.getPropertyValue(`--heat-${i}`).trim());
    for (const { node, share } of cells) {
      const fill = mix(heat, share);
      node.style.backgroundColor = fill;
      node.style.color = legible(fill);
    }
  };
}

/** The color at `share` (0 to 1) of the way through three. */
export function mix([first, second, third], share) {
  const [from, to, t] = share < 0.5 ? [first, second, share * 2] : [second, third, share * 2 - 1];
  const mixed = channels(from).map((c, i) => Math.round(c + (channels(to)[i] - c) * t));
  return `#${mixed.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

const channels = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

/** Black or white, whichever stands out more: at least 4.5 to 1 on every color (WCAG 2). */
export function legible(color) {
  const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
