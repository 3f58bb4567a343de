// Lines over iterations, steps or positions: one or two panels, side by side where there is room. A line carries its name at its end; solid for a
// precision, dashed for what it is held against.

import { draw, evenTicks, folded, logTicks, picture, plain, rule, say, scaleOf, short, told, worthShowing } from "./svg.js";

export function drawLines(host, data, inks) {
  const width = host.clientWidth;
  const beside = data.panels.length > 1 && width >= 640;
  const gap = 34;
  const wide = beside ? (width - gap) / 2 : width;
  const drawn = [];
  let y = 0;
  data.panels.forEach((panel, i) => {
    const made = linePanel(panel, data.x, inks, wide);
    drawn.push(draw("g", { transform: `translate(${beside ? i * (wide + gap) : 0} ${beside ? 0 : y})` }, ...made.nodes));
    y = beside ? Math.max(y, made.height) : y + made.height + 18;
  });
  host.replaceChildren(picture(inks, width, y, data.panels.map(({ title }) => title).join("; "), ...drawn));
}

function linePanel(panel, x, inks, width) {
  const values = panel.series.flatMap(({ points }) => points.flatMap(([, ...found]) => found)).concat(panel.level ? [panel.level.at] : []);
  const all = panel.linear ? values.filter((v) => v > 0) : worthShowing(values);
  if (!all.length) return { nodes: [], height: 0 };
  const [low, high] = panel.linear ? [0, Math.max(...all) * 1.1] : [Math.min(...all) / 1.25, Math.max(...all) * 1.25];
  const isDrawn = ([, value]) => value > 0 && value >= low;
  const nothing = panel.series.filter(({ points }) => points.length && !points.some(isDrawn)).map(({ label }) => label);
  const about = folded(panel.about + (nothing.length ? `; not drawn, 0 or next to it: ${nothing.join(", ")}` : ""), width);
  const top = 26 + about.length * 16 + 8;
  const plot = { left: 40, right: width - 92, top, bottom: top + 210 };
  const places = panel.series.flatMap(({ points }) => points.map(([at]) => at)).concat(x.ticks.map((tick) => tick.at));
  const px = scaleOf(false, Math.min(...places), Math.max(...places), plot.left + 12, plot.right - 8);
  const py = scaleOf(!panel.linear, low, high, plot.bottom, plot.top);
  const nodes = [say(inks, 0, 14, panel.title, { size: 13, weight: 600, ink: inks.ink }), ...about.map((line, i) => say(inks, 0, 32 + i * 16, line))];

  for (const value of panel.linear ? evenTicks(low, high) : logTicks(low, high)) {
    nodes.push(rule(plot.left, py(value), plot.right, py(value), inks.line), say(inks, plot.left - 7, py(value) + 4, value ? plain(value) : "0", { at: "end", size: 11, mono: true }));
  }
  for (const { at: place, label } of x.ticks) nodes.push(say(inks, px(place), plot.bottom + 18, label, { at: "middle", size: 11, mono: true }));
  nodes.push(say(inks, (plot.left + plot.right) / 2, plot.bottom + 36, x.label, { at: "middle", size: 11.5 }));
  if (panel.level) nodes.push(...level(panel.level));
  for (const one of panel.series) nodes.push(...line(one));
  nodes.push(...ends());
  return { nodes, height: plot.bottom + 44 };

  function level({ at: value }) {
    return [draw("line", { x1: plot.left, x2: plot.right, y1: py(value), y2: py(value), stroke: inks.soft, "stroke-width": 1.2, "stroke-dasharray": "2 3" })];
  }

  function line({ label, ink, dash, points }) {
    const color = inks.precision[ink] ?? inks.ink;
    const shown = points.filter(isDrawn);
    const path = shown.map(([at, value], i) => `${i ? "L" : "M"}${px(at).toFixed(1)} ${py(value).toFixed(1)}`).join("");
    const whiskers = shown.filter(([, , from]) => from > 0).map(([at, , from, to]) => rule(px(at), py(Math.max(from, low)), px(at), py(to), color, 1.2));
    const dots = shown.length > 24 ? [] : shown.map(([at, value]) => draw("circle", { cx: px(at), cy: py(value), r: 3, fill: color, stroke: inks.paper, "stroke-width": 1 }, told(`${label}, ${x.label} ${nameOf(at)}: ${short(value)}`)));
    return [...whiskers, draw("path", { d: path, fill: "none", stroke: color, "stroke-width": 2, "stroke-linejoin": "round", "stroke-dasharray": dash ? "6 4" : null }), ...dots];
  }

  function nameOf(at) {
    return x.ticks.find((tick) => tick.at === at)?.label ?? at;
  }

  function ends() {
    const wanted = panel.series.filter(({ points }) => points.some(isDrawn)).map(({ label, ink, points }) => {
      const [, value] = points.filter(isDrawn).pop();
      return { label, color: inks.precision[ink] ?? inks.ink, y: py(value) };
    });
    if (panel.level) wanted.push({ label: panel.level.label, color: inks.soft, y: py(panel.level.at) });
    wanted.sort((a, b) => a.y - b.y);
    spread(wanted, 14, plot.bottom);
    return wanted.map(({ label, color, y }) => draw("g", {}, rule(plot.right - 2, y, plot.right + 5, y, color, 3), say(inks, plot.right + 9, y + 4, label, { size: 11.5, ink: inks.ink })));
  }
}

// Pushes labels apart until none is closer than `least` to the next, and none below `bottom`.
function spread(labels, least, bottom) {
  labels.forEach((one, i) => { if (i) one.y = Math.max(one.y, labels[i - 1].y + least); });
  for (let i = labels.length - 1; i >= 0; i -= 1) labels[i].y = Math.min(labels[i].y, i === labels.length - 1 ? bottom : labels[i + 1].y - least);
}
