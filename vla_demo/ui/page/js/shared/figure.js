// Figures that stand still. Python says what is drawn (`ui/shared/plot_theme.py`), Plotly draws it: on screen in the colors of the theme that is on,
// with hover, zoom and box select, by pointer and by keys; and as a picture to take along.

import { make } from "./dom.js";

/**
 * As `ui/shared/plot_theme.py` sends it.
 * @typedef {{ said: string, data: Trace[], layout: Record<string, any>, narrow: Record<string, any> }} Plot
 * @typedef {Record<string, any>} Trace
 * @typedef {{ title: string, reading: string, small: string, file: string }} Frame what a saved picture says around the figure, and its name
 * @typedef {"png" | "svg"} Format
 */

const NARROW = 560; // px; below that panels stand below each other
const PICTURE = 1000; // px, the width of a saved picture
const EDGE = 28; // px around it

/** @type {Promise<any> | undefined} */
let loading; // Plotly's script is loaded once for the whole page

/** Plotly's own script, from this machine, asked for when the first figure is shown. */
function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const fail = () => {
      loading = undefined; // the next figure tries again
      reject(new Error("Plotly's script could not be loaded from this server"));
    };
    const src = `${window.gradio_config?.root ?? ""}/page/plotly.min.js`;
    document.head.append(make("script", { src, onload: () => resolve(window.Plotly), onerror: fail }));
  });
  return loading;
}

/** The page's variables, as in `var(--ink)`, replaced by what they are in the theme that is on. */
export function resolveColors(value, look = getComputedStyle(document.body)) {
  if (typeof value === "string") return value.replace(/^var\((--[\w-]+)\)$/, (_, name) => look.getPropertyValue(name).trim());
  if (Array.isArray(value)) return value.map((item) => resolveColors(item, look));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveColors(item, look)]));
}

/** Calls back after each change between light and dark. Returns what ends that. */
export function onTheme(callback) {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}

/**
 * A place for a figure: a legend of buttons that hide and show lines, and the figure, drawn anew when its width or the theme changes.
 * @param {HTMLElement} host
 * @param {Record<string, any>} template of Plotly's, which all figures share
 * @param {(format: Format) => void} save what the mode bar's buttons for a picture do
 */
export function createFigure(host, template, save) {
  const legend = make("div", { class: "legend", role: "group", "aria-label": "Shown in the figure" });
  const canvas = make("div", { class: "plot", role: "figure", tabindex: 0, onkeydown: (event) => walk(event) });
  const spoken = make("p", { class: "spoken", "aria-live": "polite" });
  const hidden = new Set(); // by legend group
  /** @type {Plot | null} */
  let plot = null;
  let width = 0;
  let at = -1; // which point the keys are on
  host.replaceChildren(legend, canvas, spoken);

  const endTheme = onTheme(() => draw());
  const resize = new ResizeObserver(() => {
    if (host.clientWidth !== width) draw();
  });
  resize.observe(host);

  function show(next) {
    plot = next;
    at = -1;
    hidden.clear();
    canvas.setAttribute("aria-label", `${next.said}. Arrow keys go from point to point.`);
    canvas.style.minHeight = `${next.layout.height}px`; // the page does not jump while Plotly is loaded
    draw();
  }

  async function draw() {
    width = host.clientWidth;
    if (!plot || !width) return; // the tab is not on show
    const Plotly = await loadPlotly();
    if (!plot || !canvas.isConnected) return;
    legend.replaceChildren(...entries(plot.data));
    canvas.style.minHeight = "";
    await Plotly.react(canvas, shownTraces(plot.data), shownLayout(plot), config(Plotly));
  }

  function shownTraces(data) {
    return resolveColors(data.map((trace) => ({ ...trace, visible: !hidden.has(trace.legendgroup) })));
  }

  function shownLayout({ said, layout, narrow }) {
    const touched = matchMedia("(pointer: coarse)").matches; // a finger that drags scrolls the page
    const lies = { ...(width < NARROW ? narrow : layout), width, template, uirevision: said, dragmode: touched ? false : "zoom" };
    return resolveColors(lies);
  }

  function config({ Icons }) {
    const picture = (format, icon) => ({ name: `save-${format}`, title: `Save as ${format.toUpperCase()}`, icon, click: () => save(format) });
    return { displaylogo: false, showTips: false, modeBarButtons: [["zoom2d", "pan2d", "select2d", "resetScale2d"], [picture("png", Icons.camera), picture("svg", Icons.disk)]] };
  }

  function entries(data) {
    return data.filter(({ showlegend }) => showlegend).map(({ name, legendgroup, ...trace }) => {
      const toggle = () => {
        if (!hidden.delete(legendgroup)) hidden.add(legendgroup);
        draw().then(() => legend.querySelector(`[data-group="${CSS.escape(legendgroup)}"]`)?.focus());
      };
      return make("button", { type: "button", "aria-pressed": String(!hidden.has(legendgroup)), "data-group": legendgroup, onclick: toggle }, swatch(trace), name);
    });
  }

  function points() {
    const shown = (canvas.data ?? []).map((trace, curve) => ({ trace, curve })).filter(({ trace }) => trace.visible && trace.customdata);
    return shown.flatMap(({ trace, curve }) => trace.customdata.map((said, point) => ({ said, curve, point, subplot: trace.xaxis + trace.yaxis })));
  }

  // Right and left go from point to point, down and up from line to line; what a pointer would see is shown, and spoken.
  async function walk(event) {
    if (event.target !== canvas || !["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"].includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const all = points();
    if (!all.length) return;
    at = nextPoint(all, at, event.key);
    const { said, curve, point, subplot } = all[at];
    spoken.textContent = plainText(said);
    (await loadPlotly()).Fx.hover(canvas, [{ curveNumber: curve, pointNumber: point }], subplot);
  }

  function dispose() {
    plot = null;
    resize.disconnect();
    endTheme();
    window.Plotly?.purge(canvas);
  }

  return { show, dispose };
}

/** Which of all points comes next: of the same line, or the first of the next or the one before. */
export function nextPoint(points, at, key) {
  const to = (index) => (index + points.length) % points.length;
  if (at < 0) return 0;
  if (key === "ArrowRight") return to(at + 1);
  if (key === "ArrowLeft") return to(at - 1);
  const starts = points.flatMap(({ curve }, i) => (i && points[i - 1].curve === curve ? [] : [i]));
  const line = starts.findLastIndex((start) => start <= at);
  return starts[(line + (key === "ArrowDown" ? 1 : -1) + starts.length) % starts.length];
}

/** A hover label's text without its markup. */
export function plainText(said) {
  return said.replaceAll("<br>", " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function swatch({ mode, line, marker, type }) {
  if (mode?.includes("lines")) return make("i", { class: "line", style: `border-color: ${line.color}; border-top-style: ${DASHES[line.dash] ?? "solid"}` });
  const color = Array.isArray(marker.color) ? marker.color[0] : marker.color;
  return make("i", { class: type === "bar" ? "square" : marker.symbol, style: `background: ${color}` });
}

const DASHES = { dash: "dashed", longdash: "dashed", dot: "dotted", dashdot: "dashed" };

/**
 * Saves a plot as a picture: with its title and reading above, its legend and its origin below, on paper.
 * @param {Plot} plot
 * @param {Record<string, any>} template
 * @param {Frame} frame
 * @param {Format} format
 */
export async function savePicture(plot, template, frame, format) {
  const Plotly = await loadPlotly();
  const layout = resolveColors(framed(plot, template, frame));
  const size = { width: PICTURE, height: layout.height, scale: format === "png" ? 2 : 1 };
  await Plotly.downloadImage({ data: resolveColors(plot.data), layout }, { ...size, format, filename: frame.file });
}

function framed({ data, layout }, template, { title, reading, small }) {
  const above = fold(reading, 120);
  const below = fold(small, 130);
  const named = data.some(({ showlegend }) => showlegend);
  const head = 52 + 18 * above.length;
  const foot = 30 + 15 * below.length + (named ? 34 : 0);
  const { t, b } = layout.margin;
  const note = { text: below.join("<br>"), x: 0, y: 0, xref: "paper", yref: "paper", xanchor: "left", yanchor: "top", yshift: -b - 8, align: "left", showarrow: false, font: { size: 11 } };
  return {
    ...layout,
    template,
    width: PICTURE,
    height: layout.height + head + foot,
    paper_bgcolor: "var(--paper)",
    margin: { ...layout.margin, l: EDGE, r: EDGE, t: t + head, b: b + foot },
    title: {
      text: `<b>${title}</b>`, x: EDGE / PICTURE, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top", pad: { t: 22 },
      font: { size: 17, color: "var(--ink)" }, subtitle: { text: above.join("<br>"), font: { size: 13, color: "var(--ink)" } },
    },
    annotations: [...(layout.annotations ?? []), note],
    showlegend: named,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom" },
  };
}

/** Breaks at spaces into lines of at most so many letters. */
export function fold(text, letters) {
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
