// The ground of every figure: elements, inks of the theme, scales and their ticks. All looks are written into the picture itself, so that a
// downloaded file looks like the page.

import { fixed, MINUS } from "../shared/format.js";

const NAMESPACE = "http://www.w3.org/2000/svg";

export function draw(tag, attributes = {}, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function readInks() {
  const style = getComputedStyle(document.body);
  const ink = (name) => style.getPropertyValue(`--${name}`).trim();
  const joints = [0, 1, 2, 3, 4, 5].map((i) => ink(`joint-${i}`));
  return {
    ...Object.fromEntries(["ink", "soft", "line", "edge", "paper", "card", "accent", "warn", "sans", "mono"].map((name) => [name, ink(name)])),
    heat: [0, 1, 2].map((i) => ink(`heat-${i}`)),
    precision: { plain: ink("ink"), fp16: ink("soft"), int8: joints[0], "int8-static": joints[4], "int8-smooth": joints[2], int8w: joints[5], int4: joints[1], int2: joints[3], mixed: ink("accent") },
    role: { vision: joints[0], llm: joints[1], expert: joints[3], all: ink("ink") },
  };
}

// Text in a box of the figure: `size` in px, `at` start, middle or end.
export function say(inks, x, y, text, { size = 12, ink = inks.soft, at: anchor = "start", weight = 400, mono = false } = {}) {
  return draw("text", { x, y, fill: ink, "font-size": size, "font-weight": weight, "font-family": mono ? inks.mono : inks.sans, "text-anchor": anchor }, text);
}

export const rule = (x1, y1, x2, y2, stroke, width = 1) => draw("line", { x1, y1, x2, y2, stroke, "stroke-width": width });

// Breaks at spaces so that a line of `size` px text stays within `width` px; an average letter is half as wide as it is high.
export function folded(text, width, size = 12) {
  const most = Math.max(Math.floor(width / (size * 0.53)), 8);
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length + 1 > most) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

export function scaleOf(log, low, high, from, to) {
  const t = log ? Math.log10 : (v) => v;
  return (value) => from + ((t(value) - t(low)) / (t(high) - t(low) || 1)) * (to - from);
}

// What a logarithmic scale is made for: zeros and next to nothing would stretch it until all else looks alike.
const LEAST_SHARE = 1e-4;
export function worthShowing(values) {
  const least = LEAST_SHARE * Math.max(0, ...values);
  return values.filter((value) => value > 0 && value >= least);
}

// Round numbers around the values: powers of ten and, when there are few of those, 2 and 5 times them.
export function logTicks(low, high) {
  const decades = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e += 1) decades.push(10 ** e);
  const fine = decades.flatMap((d) => [d, 2 * d, 5 * d]);
  const inside = (list) => list.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  return inside(decades).length >= 3 ? inside(decades) : inside(fine);
}

export function evenTicks(low, high, most = 5) {
  const rough = (high - low || 1) / most;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * unit).find((one) => one >= rough);
  return Array.from({ length: Math.floor(high / step + 1e-9) - Math.ceil(low / step - 1e-9) + 1 }, (_, i) => (Math.ceil(low / step - 1e-9) + i) * step);
}

// Two digits that count: 4.2e−4, 0.0042, 0.13, 1.7, 12.
export function short(value) {
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-3) return value.toExponential(1).replace("e-", "e" + MINUS);
  return fixed(value, Math.max(0, 1 - Math.floor(Math.log10(Math.abs(value)))));
}

// A tick's number as written by a person: no trailing zeros.
export const plain = (value) => (value < 1e-3 ? `10${superscript(Math.round(Math.log10(value)))}` : String(Number(value.toPrecision(2))));
const superscript = (n) => String(n).replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);

export function picture(inks, width, height, label, ...children) {
  return draw("svg", { xmlns: NAMESPACE, width, height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": label }, ...children);
}

export const told = (text) => draw("title", {}, text);

// A mark whose shape says the stage as well as its color.
export function mark(role, x, y, inks, title, size = 5) {
  const shape = { fill: inks.role[role] ?? inks.ink, stroke: inks.paper, "stroke-width": 1 };
  const s = size;
  const drawn = {
    vision: () => draw("circle", { cx: x, cy: y, r: s, ...shape }),
    llm: () => draw("rect", { x: x - s + 0.5, y: y - s + 0.5, width: 2 * s - 1, height: 2 * s - 1, ...shape }),
    expert: () => draw("path", { d: `M${x} ${y - s - 1}L${x + s + 1} ${y}L${x} ${y + s + 1}L${x - s - 1} ${y}Z`, ...shape }),
  };
  const node = (drawn[role] ?? drawn.vision)();
  if (title) node.append(told(title));
  return node;
}
