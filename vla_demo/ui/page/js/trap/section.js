// A figure's part of the page: its title, its reading, the figure itself, what others published beside it, and its numbers, to look at and to take
// along as picture and as table.

import { make } from "../shared/dom.js";
import { createFigure, onTheme, savePicture } from "../shared/figure.js";
import { createHeatMap } from "./heatmap.js";

const VERDICTS = { agrees: "✓ Agrees here.", differs: "✗ Differs here.", partly: "± Partly, here.", "cannot tell": "? Cannot tell here." };

/** `data` is a `Figure` of `ui/trap/figures.py`. */
export function createSection(data, context) {
  const { title, caption, views, heatmap, sheet, table, published } = data;
  const said = make("div", {});
  const host = make("div", { class: "drawing" });
  const file = `trap-${context.policy}-${data.name}`;
  let view = views[0];
  let whole = false; // whether all of many bars are on show
  let dispose;

  const drawn = () => (whole && view.more ? view.more.plot : view.plot);
  function save(format) {
    const frame = { title: `${context.label}: ${title}`, reading: view.readings[0] ?? "", small: `${context.about} ${caption}`, file };
    savePicture(drawn(), context.template, frame, format);
  }

  function fill() {
    if (heatmap) {
      const paint = createHeatMap(host, heatmap, title, context.open);
      paint();
      dispose = onTheme(paint);
    } else if (sheet) {
      host.replaceChildren(scrolled(title, tableOf(sheet.head, sheet.rows)));
    } else {
      fillWithPlot();
    }
  }

  function fillWithPlot() {
    const choices = make("div", { class: "choose", role: "group", "aria-label": "Precision of the layer" });
    const place = make("div", {});
    const more = make("div", { class: "take" });
    const figure = createFigure(place, context.template, save);
    host.replaceChildren(...(views.length > 1 ? [choices] : []), place, more);
    dispose = figure.dispose;
    choose();

    function choose() {
      choices.replaceChildren(...views.map((one) => button(one.label, () => { view = one; choose(); choices.querySelector("[aria-pressed=true]").focus(); }, { "aria-pressed": String(one === view) })));
      more.replaceChildren(...(view.more ? [button(whole ? view.more.hide : view.more.show, () => { whole = !whole; choose(); more.firstChild.focus(); })] : []));
      said.replaceChildren(...readings(view.readings));
      figure.show(drawn());
    }
  }

  const node = make("section", { class: "figure", "data-figure": data.name, "aria-label": title },
    make("div", {}, make("h2", {}, title), said, host, make("p", { class: "caption" }, caption), take(title, table, file, save)), beside(published));
  said.replaceChildren(...readings(view.readings));
  return { node, fill, dispose: () => dispose?.() };
}

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

function take(title, table, file, save) {
  const numbers = scrolled(`Numbers: ${title}`);
  const fill = () => { if (!numbers.firstChild) numbers.append(tableOf(table.columns, table.rows)); };
  return make("div", { class: "take" }, button("PNG", () => save("png")), button("SVG", () => save("svg")), button("CSV", () => saveTable(table, `${file}.csv`)),
    make("details", { ontoggle: fill }, make("summary", {}, "Numbers"), numbers));
}

// The first sentence is the reading; what else can be said is folded away.
function readings([first, ...rest]) {
  if (!first) return [];
  const more = make("details", { class: "also" }, make("summary", {}, `${rest.length} more reading${rest.length === 1 ? "" : "s"}`), make("ul", {}, ...rest.map((text) => make("li", {}, text))));
  return [make("p", { class: "reading" }, first), ...(rest.length ? [more] : [])];
}

const scrolled = (label, ...children) => make("div", { class: "sheet", tabindex: 0, role: "region", "aria-label": label }, ...children);

function tableOf(columns, rows) {
  const cell = (value) => make("td", {}, value === null ? "" : typeof value === "number" ? String(Number(value.toPrecision(4))) : value);
  return make("table", {}, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map(cell)))));
}

function beside(claims) {
  if (!claims.length) return make("aside");
  return make("aside", { class: "published", "aria-label": "What others published" }, make("h3", {}, "what others published"), ...claims.map(({ says, source, link, verdict, here }) =>
    make("article", { "data-verdict": verdict }, make("p", {}, says), make("p", { class: "from" }, make("a", { href: link, target: "_blank", rel: "noreferrer" }, source)),
      make("p", { class: "here" }, make("b", {}, VERDICTS[verdict]), ` ${here}`))));
}

function saveTable({ columns, rows }, name) {
  const quoted = (value) => (value === null ? "" : /[",\n]/.test(String(value)) ? `"${String(value).replaceAll('"', '""')}"` : String(value));
  const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([text, "\r\n"], { type: "text/csv" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
