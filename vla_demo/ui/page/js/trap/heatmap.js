// Stage by precision: a cell a variant, the darker (in dark mode the brighter) the larger the error, on a logarithmic scale. Every cell says its
// number, so that color is a help and never needed. One stop for Tab, arrows move, Enter and Space open the cell's variant.

import { draw, folded, logTicks, picture, plain, say, scaleOf, short, told, worthShowing } from "./svg.js";

export function drawHeatmap(host, data, inks, open) {
  const width = host.clientWidth;
  const narrow = width < 560;
  const gutter = narrow ? 98 : 150;
  const step = (width - gutter) / data.columns.length;
  const titles = data.columns.map(({ label }) => (narrow ? [label.split(" ")[0]] : folded(label, step - 10, 14)));
  const head = 14 + 16 * Math.max(...titles.map((lines) => lines.length));
  const high = narrow ? 46 : 50;
  const values = data.cells.flat().filter((found) => found && !found.problem).map(({ mean }) => mean);
  const shown = worthShowing(values);
  const [low, top] = shown.length ? [Math.min(...shown), Math.max(...shown)] : [1, 1];
  const warmth = scaleOf(true, low, top, 0, 1);
  const height = head + data.rows.length * high + 44;
  const cells = [];

  function cell(found, i, j) {
    const x = gutter + j * step;
    const y = head + i * high;
    const middle = x + step / 2;
    if (!found || found.problem) return draw("g", {}, say(inks, middle, y + high / 2 + 4, "–", { at: "middle" }), told(found?.problem ?? "not measured"));
    const fill = heat(inks.heat, found.mean < low ? 0 : top > low ? warmth(found.mean) : 0.5);
    const ink = legible(fill);
    const span = step > 136 && found.high > found.low ? `${short(found.low)}–${short(found.high)} · n ${found.n}` : `n ${found.n}`;
    const node = draw("g", { class: "cell", role: "button", tabindex: -1, "aria-label": found.said, "data-variant": found.variant, onclick: () => open(found.variant), onkeydown: (event) => press(event, i, j) },
      draw("rect", { x: x + 1, y: y + 1, width: step - 2, height: high - 2, rx: 5, fill }),
      say(inks, middle, y + high / 2 - 1, `${short(found.mean)}${found.mark ? ` ${found.mark}` : ""}`, { at: "middle", size: 14, weight: 600, ink, mono: true }),
      say(inks, middle, y + high / 2 + 15, span, { at: "middle", size: 10.5, ink, mono: true }),
      draw("rect", { class: "ring", x: x + 2, y: y + 2, width: step - 4, height: high - 4, rx: 4, fill: "none" }), told(found.said));
    cells.push({ node, i, j });
    return node;
  }

  // A precision that no stage could have says why, in the place of its cells.
  function refusal(row, i) {
    const all = folded(row.find(Boolean)?.why ?? "not measured", width - gutter - 6, 11.5);
    const lines = all.length > 2 ? [all[0], `${all[1]} …`] : all;
    const first = head + (i + 0.5) * high + 4 - (lines.length - 1) * 7.5;
    return draw("g", {}, told(all.join(" ")), ...lines.map((text, k) => say(inks, gutter + 6, first + k * 15, text, { size: 11.5 })));
  }

  function press(event, i, j) {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (by) move(i, j, by);
    else if (event.key === "Enter" || event.key === " ") open(data.cells[i][j].variant);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  function move(i, j, [down, right]) {
    let next = null;
    for (let k = 1; k < 40 && !next; k += 1) next = cells.find((one) => one.i === i + down * k && one.j === j + right * k);
    if (!next) return;
    for (const { node } of cells) node.setAttribute("tabindex", -1);
    next.node.setAttribute("tabindex", 0);
    next.node.focus();
  }

  const heads = titles.flatMap((lines, j) => lines.map((text, k) => say(inks, gutter + (j + 0.5) * step, head - 9 - 16 * (lines.length - 1 - k), text, { at: "middle", size: narrow ? 11.5 : 13, weight: 600, ink: inks.ink })));
  const names = data.rows.flatMap(({ label, operands }, i) => {
    const y = head + (i + 0.5) * high;
    return [say(inks, 0, y - 1, label, { size: narrow ? 12 : 13.5, weight: 600, ink: inks.ink }), say(inks, 0, y + 14, operands, { size: 11, mono: true })];
  });
  const grid = data.cells.flatMap((row, i) => (row.some((found) => found && !found.problem) ? row.map((found, j) => cell(found, i, j)) : [refusal(row, i)]));
  cells[0]?.node.setAttribute("tabindex", 0);
  host.replaceChildren(picture(inks, width, height, "Action error by stage and precision", ...heads, ...names, ...grid, ...key(gutter, height - 30, Math.min(width - gutter, 330))));

  function key(x, y, wide) {
    const parts = 40;
    const blocks = Array.from({ length: parts }, (_, i) => draw("rect", { x: x + (i * wide) / parts, y, width: wide / parts + 0.6, height: 8, fill: heat(inks.heat, i / (parts - 1)) }));
    const place = scaleOf(true, low, top, x, x + wide);
    const ticks = logTicks(low, top).filter((value) => place(value) - x > -1 && place(value) - x < wide + 1);
    return [...blocks, ...ticks.map((value) => say(inks, place(value), y + 22, plain(value), { at: "middle", size: 11, mono: true }))];
  }
}

function heat([first, second, third], share) {
  const [from, to, t] = share < 0.5 ? [first, second, share * 2] : [second, third, share * 2 - 1];
  const mix = channels(from).map((c, i) => Math.round(c + (channels(to)[i] - c) * t));
  return `#${mix.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
}

const channels = (color) => [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));

// Black or white, whichever stands out more: at least 4.5 to 1 on every color.
function legible(color) {
  const [r, g, b] = channels(color).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.179 ? "#000000" : "#ffffff";
}
