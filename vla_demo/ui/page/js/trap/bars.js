// Bars lie down, so that their names can be read: the two-by-two (each precision on a scale of its own) and the layers (worst first); and the
// marks of bytes and milliseconds as multiples of FP32's.

import { make } from "../shared/dom.js";
import { draw, mark, picture, rule, say, scaleOf, short, told } from "./svg.js";

export function drawGroups(host, data, inks) {
  const width = host.clientWidth;
  const left = 58;
  const right = width - 64;
  const nodes = [];
  let y = 0;
  for (const group of data.groups) {
    const most = Math.max(group.sum, ...group.bars.map(({ high }) => high));
    const px = scaleOf(false, 0, most, left, right);
    nodes.push(say(inks, 0, y + 14, group.label, { size: 13, weight: 600, ink: inks.ink }), say(inks, width, y + 14, group.aside, { at: "end", mono: true }));
    group.bars.forEach((bar, i) => {
      const at = y + 26 + i * 24;
      nodes.push(say(inks, 0, at + 12, bar.label), ...lyingBar(bar, px, at, bar.part === "both" ? inks.soft : inks.role[bar.part === "expert" ? "expert" : "vision"], inks, bar.part === "both" ? group.sum : 0));
    });
    const last = y + 26 + 2 * 24 + 8;
    nodes.push(draw("path", { d: `M${px(group.sum)} ${last - 7}l6 7l-6 7l-6 -7Z`, fill: inks.paper, stroke: inks.ink, "stroke-width": 1.6 }, told(`if their sizes added up: ${short(group.sum)}`)));
    y += 26 + 3 * 24 + 18;
  }
  host.replaceChildren(picture(inks, width, y, "Errors of each half and of both", ...nodes));
}

// A bar from zero to its mean, a whisker over its interval, its number at the end, or inside where the mark at `beyond` is in the way.
function lyingBar({ mean, low, high, label, said }, px, y, color, inks, beyond = 0) {
  const crowded = beyond && px(beyond) - px(high) < 64;
  return [draw("rect", { x: px(0), y, width: Math.max(px(mean) - px(0), 1), height: 16, rx: 3, fill: color, "fill-opacity": crowded ? 1 : 0.82 }, told(`${said ?? label}: ${short(mean)}, ${short(low)} to ${short(high)}`)),
    rule(px(low), y + 8, px(high), y + 8, inks.ink, 1.3), rule(px(low), y + 5, px(low), y + 11, inks.ink, 1.3), rule(px(high), y + 5, px(high), y + 11, inks.ink, 1.3),
    say(inks, crowded ? px(0) + 6 : px(Math.max(high, mean)) + 8, y + 12, short(mean), { size: 11.5, mono: true, weight: crowded ? 600 : 400, ink: crowded ? inks.paper : inks.ink })];
}

const FIRST_LAYERS = 16;

export function drawBars(host, data, inks) {
  const chosen = Number(host.dataset.group ?? 0);
  const group = data.groups[chosen];
  const bars = host.dataset.all ? group.bars : group.bars.slice(0, FIRST_LAYERS);
  const again = (name, value) => {
    host.dataset[name] = value;
    host.dispatchEvent(new CustomEvent("picked", { detail: data.groups[Number(host.dataset.group ?? 0)] }));
    drawBars(host, data, inks);
    host.querySelector(`[data-${name}]`)?.focus();
  };
  const choices = data.groups.map(({ label }, i) => make("button", { type: "button", "aria-pressed": String(i === chosen), "data-group": i === chosen, onclick: () => again("group", i) }, label));
  const all = make("button", { type: "button", "data-all": true, onclick: () => again("all", host.dataset.all ? "" : "yes") }, host.dataset.all ? `Show the worst ${FIRST_LAYERS} only` : `Show all ${group.bars.length} layers`);
  host.replaceChildren(choices.length < 2 ? "" : make("div", { class: "choose", role: "group", "aria-label": "Precision of the layer" }, ...choices), layerBars(bars, group.label, inks, host.clientWidth),
    group.bars.length > FIRST_LAYERS ? make("div", { class: "take" }, all) : "");
}

function layerBars(bars, precision, inks, width) {
  const narrow = width < 560;
  const left = narrow ? 0 : Math.min(8 * Math.max(...bars.map(({ label }) => label.length)) + 26, 330);
  const px = scaleOf(false, 0, Math.max(...bars.map(({ high }) => high)), left, width - 70);
  const high = narrow ? 38 : 24;
  const head = 26;
  const nodes = bars.flatMap((bar, i) => {
    const row = head + i * high;
    const y = row + (narrow ? 17 : 0);
    const name = narrow ? say(inks, 16, row + 12, bar.label, { size: 11, mono: true }) : say(inks, left - 12, y + 12, bar.label, { at: "end", mono: true, size: 12 });
    return [mark(bar.role, 6, narrow ? row + 8 : y + 8, inks, null, 4.5), name, ...lyingBar(bar, px, y, inks.role[bar.role] ?? inks.ink, inks)];
  });
  return picture(inks, width, head + bars.length * high + 4, `Layers by their error at the actions, each alone in ${precision}`, say(inks, 0, 14, `Each alone in ${precision}`, { size: 13, weight: 600, ink: inks.ink }), ...nodes);
}

export function drawDots(host, data, inks) {
  const width = host.clientWidth;
  const beside = width >= 560;
  const names = 118;
  const gap = 40;
  const wide = beside ? (width - names - gap) / 2 : width - names;
  const high = 30;
  const tall = 40 + data.rows.length * high + 40;
  const panels = data.panels.map((panel, i) => draw("g", { transform: beside ? `translate(${names + i * (wide + gap)} 0)` : `translate(${names} ${i * (tall + 12)})` }, ...ratioPanel(panel, data, inks, wide, high)));
  const labels = (top) => data.rows.map(({ label }, i) => say(inks, 0, top + 40 + (i + 0.5) * high + 4, label, { size: 12.5, weight: 600, ink: inks.ink }));
  const all = beside ? labels(0) : [...labels(0), ...labels(tall + 12)];
  host.replaceChildren(picture(inks, width, beside ? tall : 2 * tall + 12, "Bytes and milliseconds against FP32", ...all, ...panels));
}

function ratioPanel({ title, left, right, marks }, data, inks, width, high) {
  const ratios = marks.map(({ ratio }) => ratio);
  const low = Math.min(...ratios, 0.5) / 1.12;
  const top = Math.max(...ratios, 1.25) * 1.12;
  const px = scaleOf(true, low, top, 0, width);
  const bottom = 40 + data.rows.length * high;
  const ticks = [0.03125, 0.0625, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16].filter((v) => v >= low && v <= top);
  const offset = { vision: -7, llm: 0, expert: 7 };
  return [say(inks, 0, 14, title, { size: 13, weight: 600, ink: inks.ink }),
    draw("rect", { x: px(1), y: 24, width: width - px(1), height: bottom - 24, fill: inks.warn, "fill-opacity": 0.08 }),
    say(inks, px(1) - 6, 35, `← ${left}`, { at: "end", size: 11 }), width - px(1) > 72 ? say(inks, px(1) + 6, 35, `${right} →`, { size: 11 }) : null,
    ...data.rows.map((_, i) => rule(0, 40 + (i + 0.5) * high, width, 40 + (i + 0.5) * high, inks.line)),
    rule(px(1), 24, px(1), bottom, inks.soft, 1.4),
    ...ticks.map((v) => say(inks, px(v), bottom + 16, `${v < 1 ? `1/${1 / v}` : v}×`, { at: "middle", size: 11, mono: true })),
    ...marks.map(({ row, role, ratio, said }) => mark(role, px(ratio), 40 + (row + 0.5) * high + (offset[role] ?? 0), inks, said))];
}
