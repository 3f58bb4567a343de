// A figure on the page: its title, its reading, the drawing, what others published beside it, and its numbers: to look at, and to take along as
// picture and as table.

import { make } from "../shared/dom.js";
import { drawBars, drawDots, drawGroups } from "./bars.js";
import { drawHeatmap } from "./heatmap.js";
import { drawLines } from "./lines.js";
import { draw, folded, mark, picture, readInks, rule, say } from "./svg.js";

const DRAWINGS = { heatmap: drawHeatmap, lines: drawLines, groups: drawGroups, bars: drawBars, dots: drawDots, table: drawTable };
const VERDICTS = { agrees: "✓ Agrees here.", differs: "✗ Differs here.", partly: "± Partly, here.", "cannot tell": "? Cannot tell here." };

export function createFigure(data, context) {
  const host = make("div", { class: "drawing", onpicked: ({ detail }) => tell(detail) });
  const said = make("div", {});
  let reading = data.readings; // what is said above the drawing: of one precision where the drawing shows one
  tell(data.groups?.[0]);
  const node = make("section", { class: "figure", "data-figure": data.name, "aria-label": data.title },
    make("div", {}, make("h2", {}, data.title), said,
      data.roles && data.kind !== "groups" ? roles(data.roles) : null, host, make("p", { class: "caption" }, [data.caption, data.hint].filter(Boolean).join(" ")), take()),
    published(data.published));

  function tell(group) {
    reading = group?.readings ?? data.readings;
    said.replaceChildren(...readings(reading));
  }

  function redraw() {
    if (host.clientWidth) DRAWINGS[data.kind](host, data, readInks(), context.open);
  }

  function roles(all) {
    return make("div", { class: "roles" }, ...all.map(({ role, label }) => make("span", {}, draw("svg", { viewBox: "0 0 14 14", "aria-hidden": "true" }, mark(role, 7, 7, readInks(), null)), label)));
  }

  function take() {
    const file = `trap-${context.policy}-${data.name}`;
    const drawn = () => host.querySelector("svg") ?? drawnTable(data, readInks());
    const picture = make("button", { type: "button", onclick: () => savePicture(drawn(), { ...data, readings: reading }, context, `${file}.png`) }, "PNG");
    const sheet = make("div", { class: "sheet", tabindex: 0, role: "region", "aria-label": `Numbers: ${data.title}` });
    const numbers = make("details", { ontoggle: () => { if (!sheet.firstChild) sheet.append(tableOf(data.table.columns, data.table.rows)); } }, make("summary", {}, "Numbers"), sheet);
    return make("div", { class: "take" }, picture, make("button", { type: "button", onclick: () => saveTable(data.table, `${file}.csv`) }, "CSV"), numbers);
  }

  return { node, redraw };
}

// The first sentence is the reading; what else can be said is folded away.
function readings([first, ...rest]) {
  if (!first) return [];
  const more = make("details", { class: "also" }, make("summary", {}, `${rest.length} more reading${rest.length === 1 ? "" : "s"}`), make("ul", {}, ...rest.map((text) => make("li", {}, text))));
  return [make("p", { class: "reading" }, first), ...(rest.length ? [more] : [])];
}

function drawTable(host, data) {
  host.replaceChildren(make("div", { class: "sheet", tabindex: 0, role: "region", "aria-label": data.title }, tableOf(data.head, data.rows)));
}

// The table as a picture: columns as wide as their longest text, numbers flush right.
function drawnTable({ head, rows, title }, inks) {
  const widths = head.map((name, j) => 8 * Math.max(...[name, ...rows.map((row) => row[j])].map(({ length }) => length)) + 24);
  const ends = widths.map((_, j) => widths.slice(0, j + 1).reduce((sum, wide) => sum + wide));
  const line = (row, i, ink) => row.map((text, j) => say(inks, j ? ends[j] : 0, 16 + i * 24, text, { at: j ? "end" : "start", mono: true, ink }));
  const rules = rows.map((_, i) => rule(0, 24 + i * 24, ends.at(-1), 24 + i * 24, inks.line));
  return picture(inks, ends.at(-1), 24 * (rows.length + 1) + 8, title, ...rules, ...line(head, 0, inks.soft), ...rows.flatMap((row, i) => line(row, i + 1, inks.ink)));
}

function tableOf(columns, rows) {
  const cell = (value) => make("td", {}, value === null || value === undefined ? "" : typeof value === "number" ? String(Number(value.toPrecision(4))) : String(value));
  return make("table", {}, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))));
}

function published(claims) {
  if (!claims.length) return make("aside");
  return make("aside", { class: "published", "aria-label": "What others published" }, make("h3", {}, "what others published"), ...claims.map(({ says, source, link, verdict, here }) =>
    make("article", { "data-verdict": verdict }, make("p", {}, says), make("p", { class: "from" }, make("a", { href: link, target: "_blank", rel: "noreferrer" }, source)),
      make("p", { class: "here" }, make("b", {}, VERDICTS[verdict]), ` ${here}`))));
}

function save(blob, name) {
  const url = URL.createObjectURL(blob);
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function saveTable({ columns, rows }, name) {
  const quoted = (value) => (value === null || value === undefined ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  save(new Blob([[columns, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n"), "\r\n"], { type: "text/csv" }), name);
}

// The drawing with its title above and its origin below, on paper, twice as fine as on screen.
async function savePicture(svg, data, context, name) {
  const inks = readInks();
  const [width, height] = ["width", "height"].map((side) => Number(svg.getAttribute(side)));
  const title = folded(`${context.label}: ${data.title}`, width, 18);
  const lines = [...folded(data.readings[0] ?? "", width, 13), ""];
  const small = folded(`${context.about} ${data.caption}`, width, 11);
  const inner = svg.cloneNode(true);
  const start = 32 + (title.length - 1) * 20;
  const legend = start + 8 + lines.length * 18;
  const top = legend + (data.roles ? 26 : 0);
  for (const [key, value] of Object.entries({ x: 24, y: top })) inner.setAttribute(key, value);
  const full = [width + 48, top + height + 24 + small.length * 15 + 16];
  const sheet = picture(inks, ...full, data.title, draw("rect", { width: full[0], height: full[1], fill: inks.paper }),
    ...title.map((text, i) => say(inks, 24, 32 + i * 20, text, { size: 16, weight: 600, ink: inks.ink })), ...lines.map((text, i) => say(inks, 24, start + 22 + i * 18, text, { size: 13, ink: inks.ink })),
    ...(data.roles ?? []).flatMap(({ role, label }, i) => [mark(role, 30 + i * 160, legend + 4, inks, null), say(inks, 42 + i * 160, legend + 8, label)]),
    inner, ...small.map((text, i) => say(inks, 24, top + height + 26 + i * 15, text, { size: 11 })));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(sheet))}`;
  await image.decode();
  const canvas = make("canvas", { width: full[0] * 2, height: full[1] * 2 });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => save(blob, name), "image/png");
}
