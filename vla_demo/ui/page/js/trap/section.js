// A figure's part of the page: its title, its reading, the figure itself, what others published beside it, and its numbers, to look at and to take
// along as picture and as table.

import { make, part, table } from "../shared/dom.js";
import { Figure } from "../shared/figure.js";
import { savePicture } from "../shared/plotly.js";
import { onTheme } from "../shared/theme.js";
import { HeatMap } from "./heatmap.js";

/** @import { Format } from "../shared/plotly.js" */
/** @import { Claim, Context, FigureData, Table, Value, View } from "./messages" */

/** @type {Record<string, string>} */
const VERDICTS = { agrees: "✓ Agrees here.", differs: "✗ Differs here.", partly: "± Partly, here.", "cannot tell": "? Cannot tell here." };

/** A `Figure` of `ui/trap/figures.py`. `fill` draws it once `node` is on the page; `dispose` ends what it listens to. */
export class Section {
  #said = make("div");
  #host = make("div", { class: "drawing" });
  #choices = make("div", { class: "choose", role: "group", "aria-label": "Precision of the layer" });
  #more = make("div", { class: "take" });
  #whole = false; // whether all of many bars are on show
  #end = () => {};
  #data;
  #context;
  #view;
  /** @type {Figure | undefined} */
  #figure;

  /** @param {FigureData} data @param {Context} context */
  constructor(data, context) {
    this.#data = data;
    this.#context = context;
    this.#view = data.views[0];
    const { name, title, caption, published } = data;
    const main = make("div", {}, make("h2", {}, title), this.#said, this.#host, make("p", { class: "caption" }, caption), this.#take());
    this.node = make("section", { class: "figure", "data-figure": name, "aria-label": title }, main, beside(published));
  }

  fill() {
    const { heatmap, sheet, title, views } = this.#data;
    this.#read();
    if (heatmap) {
      const drawn = new HeatMap(this.#host, heatmap, title, this.#context.open);
      this.#end = onTheme(() => drawn.paint());
    } else if (sheet) {
      this.#host.replaceChildren(scrolled(title, tableOf(sheet.head, sheet.rows)));
    } else {
      const place = make("div");
      const figure = new Figure(place, this.#context.template, (format) => this.#save(format));
      this.#host.replaceChildren(...(views.length > 1 ? [this.#choices] : []), place, this.#more);
      this.#figure = figure;
      this.#end = () => figure.dispose();
      this.#choose();
    }
  }

  dispose() {
    this.#end();
  }

  get #plot() {
    return this.#whole && this.#view.more ? this.#view.more.plot : this.#view.plot;
  }

  #choose() {
    const { views } = this.#data;
    const choices = views.map((one) => button(one.label, () => this.#turn(one), { "aria-pressed": String(one === this.#view) }));
    this.#choices.replaceChildren(...choices);
    const { more } = this.#view;
    this.#more.replaceChildren(...(more ? [button(this.#whole ? more.hide : more.show, () => this.#unfold())] : []));
    this.#read();
    this.#figure?.show(this.#plot);
  }

  /** @param {View} view */
  #turn(view) {
    this.#view = view;
    this.#choose();
    part(this.#choices, "[aria-pressed=true]").focus();
  }

  #unfold() {
    this.#whole = !this.#whole;
    this.#choose();
    part(this.#more, "button").focus();
  }

  #read() {
    this.#said.replaceChildren(...readings(this.#view.readings));
  }

  get #file() {
    return `trap-${this.#context.policy}-${this.#data.name}`;
  }

  /** @param {Format} format */
  #save(format) {
    const { label, about, template } = this.#context;
    const { title, caption } = this.#data;
    const frame = { title: `${label}: ${title}`, reading: this.#view.readings[0] ?? "", small: `${about} ${caption}`, file: this.#file };
    savePicture(this.#plot, template, frame, format);
  }

  #take() {
    const { title, table: numbers } = this.#data;
    const sheet = scrolled(`Numbers: ${title}`);
    const fill = () => {
      if (!sheet.firstChild) sheet.append(tableOf(numbers.columns, numbers.rows));
    };
    return make(
      "div",
      { class: "take" },
      button("PNG", () => this.#save("png")),
      button("SVG", () => this.#save("svg")),
      button("CSV", () => saveTable(numbers, `${this.#file}.csv`)),
      make("details", { ontoggle: fill }, make("summary", {}, "Numbers"), sheet),
    );
  }
}

const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

/** The first sentence is the reading; what else can be said is folded away. @param {string[]} texts */
function readings(texts) {
  const [first, ...rest] = texts;
  if (!first) return [];
  const title = `${rest.length} more reading${rest.length === 1 ? "" : "s"}`;
  const more = make("details", { class: "also" }, make("summary", {}, title), make("ul", {}, ...rest.map((text) => make("li", {}, text))));
  return [make("p", { class: "reading" }, first), ...(rest.length ? [more] : [])];
}

function scrolled(label, ...children) {
  return make("div", { class: "sheet", tabindex: 0, role: "region", "aria-label": label }, ...children);
}

/** Numbers to four digits. @param {string[]} columns @param {Value[][]} rows */
function tableOf(columns, rows) {
  const written = (value) => (typeof value === "number" ? String(Number(value.toPrecision(4))) : (value ?? ""));
  return table(
    columns,
    rows.map((row) => row.map(written)),
  );
}

/** @param {Claim[]} claims */
function beside(claims) {
  if (!claims.length) return make("aside");
  return make(
    "aside",
    { class: "published", "aria-label": "What others published" },
    make("h3", {}, "what others published"),
    ...claims.map(article),
  );
}

/** @param {Claim} claim */
function article({ says, source, link, verdict, here }) {
  const from = make("p", { class: "from" }, make("a", { href: link, target: "_blank", rel: "noreferrer" }, source));
  const found = make("p", { class: "here" }, make("b", {}, VERDICTS[verdict]), ` ${here}`);
  return make("article", { "data-verdict": verdict }, make("p", {}, says), from, found);
}

/** @param {Table} table @param {string} name */
function saveTable({ columns, rows }, name) {
  const text = [columns, ...rows].map((row) => row.map(quoted).join(",")).join("\r\n");
  const url = URL.createObjectURL(new Blob([text, "\r\n"], { type: "text/csv" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A value of a CSV file (RFC 4180). */
export function quoted(value) {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
