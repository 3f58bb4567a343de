// A figure that stands still. Python says what is drawn (`ui/shared/plot_theme.py`), Plotly draws it in the colors of the theme that is on, with
// hover, zoom and box select, by pointer and by keys.

import { make } from "./dom.js";
import { loadPlotly } from "./plotly.js";
import { onTheme, resolveColors } from "./theme.js";

/** @import { Format, Layout, Plot, Trace } from "./plotly.js" */

const NARROW = 560; // px; below that panels stand below each other
const KEYS = ["ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp"];
/** @type {Record<string, string>} */
const DASHES = { dash: "dashed", longdash: "dashed", dot: "dotted", dashdot: "dashed" };

/** A legend of buttons that hide and show lines, and the figure, which is drawn anew when its width or the theme changes. */
export class Figure {
  #canvas = make("div", { class: "plot", role: "figure", tabindex: 0, onkeydown: (event) => this.#walk(event) });
  #legend = make("div", { class: "legend", role: "group", "aria-label": "Shown in the figure" });
  #spoken = make("p", { class: "spoken", "aria-live": "polite" });
  #hidden = new Set(); // legend groups
  #at = -1; // the point that the keys are on
  #width = 0;
  /** @type {Plot | null} */
  #plot = null;
  #endTheme = onTheme(() => this.#draw());
  #resize = new ResizeObserver(() => {
    if (this.#host.clientWidth !== this.#width) this.#draw();
  });
  #host;
  #template;
  #save;

  /**
   * @param {HTMLElement} host
   * @param {Layout} template of Plotly's, which all figures share
   * @param {(format: Format) => void} save what the mode bar's buttons for a picture do
   */
  constructor(host, template, save) {
    this.#host = host;
    this.#template = template;
    this.#save = save;
    host.replaceChildren(this.#legend, this.#canvas, this.#spoken);
    this.#resize.observe(host);
  }

  /** @param {Plot} plot */
  show(plot) {
    this.#plot = plot;
    this.#at = -1;
    this.#hidden.clear();
    this.#canvas.setAttribute("aria-label", `${plot.said}. Arrow keys go from point to point.`);
    this.#canvas.style.minHeight = `${plot.layout.height}px`; // the page does not jump while Plotly is loaded
    this.#draw();
  }

  dispose() {
    this.#plot = null;
    this.#resize.disconnect();
    this.#endTheme();
    loadPlotly().then((Plotly) => Plotly.purge(this.#canvas));
  }

  async #draw() {
    this.#width = this.#host.clientWidth;
    if (!this.#width) return; // the tab is not on show
    const Plotly = await loadPlotly();
    if (!this.#plot || !this.#canvas.isConnected) return;
    const { data } = this.#plot;
    this.#legend.replaceChildren(...data.filter(({ showlegend }) => showlegend).map((trace) => this.#entry(trace)));
    this.#canvas.style.minHeight = "";
    const traces = data.map((trace) => ({ ...trace, visible: !this.#hidden.has(trace.legendgroup) }));
    await Plotly.react(this.#canvas, resolveColors(traces), resolveColors(this.#layout(this.#plot)), this.#config(Plotly));
  }

  /** @param {Plot} plot */
  #layout({ said, layout, narrow }) {
    const dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom"; // a finger that drags scrolls the page
    const chosen = this.#width < NARROW ? narrow : layout;
    return { ...chosen, width: this.#width, template: this.#template, uirevision: said, dragmode };
  }

  #config({ Icons }) {
    const picture = (format, icon) => ({
      name: `save-${format}`,
      title: `Save as ${format.toUpperCase()}`,
      icon,
      click: () => this.#save(format),
    });
    const pictures = [picture("png", Icons.camera), picture("svg", Icons.disk)];
    return { displaylogo: false, showTips: false, modeBarButtons: [["zoom2d", "pan2d", "select2d", "resetScale2d"], pictures] };
  }

  /** @param {Trace} trace */
  #entry({ name, legendgroup, ...look }) {
    const pressed = String(!this.#hidden.has(legendgroup));
    const onclick = () => this.#toggle(legendgroup);
    return make("button", { type: "button", "aria-pressed": pressed, "data-group": legendgroup, onclick }, swatch(look), name);
  }

  async #toggle(group) {
    if (!this.#hidden.delete(group)) this.#hidden.add(group);
    await this.#draw();
    const entry = /** @type {HTMLElement | null} */ (this.#legend.querySelector(`[data-group="${CSS.escape(group)}"]`));
    entry?.focus();
  }

  // Right and left go from point to point, down and up from line to line; what a pointer would see is shown, and spoken.
  async #walk(event) {
    if (event.target !== this.#canvas || !KEYS.includes(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    const points = pointsOf(/** @type {any} */ (this.#canvas).data ?? []);
    if (!points.length) return;
    this.#at = nextPoint(points, this.#at, event.key);
    const { said, curve, point, subplot } = points[this.#at];
    this.#spoken.textContent = plainText(said);
    const Plotly = await loadPlotly();
    Plotly.Fx.hover(this.#canvas, [{ curveNumber: curve, pointNumber: point }], subplot);
  }
}

/** What can be hovered over, line by line. @param {Trace[]} data */
function pointsOf(data) {
  return data.flatMap(({ visible, customdata, xaxis, yaxis }, curve) =>
    visible && customdata ? customdata.map((said, point) => ({ said, curve, point, subplot: xaxis + yaxis })) : [],
  );
}

/**
 * Which of all points comes next: of the same line, or the first of the next line or of the one before.
 * @param {{ curve: number }[]} points
 * @param {number} at -1 before the first
 * @param {string} key
 */
export function nextPoint(points, at, key) {
  const around = (index, count) => (index + count) % count;
  if (at < 0) return 0;
  if (key === "ArrowRight") return around(at + 1, points.length);
  if (key === "ArrowLeft") return around(at - 1, points.length);
  const starts = points.flatMap(({ curve }, i) => (i && points[i - 1].curve === curve ? [] : [i]));
  const line = starts.findLastIndex((start) => start <= at);
  return starts[around(line + (key === "ArrowDown" ? 1 : -1), starts.length)];
}

/** A hover label's text without its markup. @param {string} said */
export function plainText(said) {
  return said.replaceAll("<br>", " ").replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** @param {Trace} trace */
function swatch({ mode, line, marker, type }) {
  if (mode?.includes("lines")) {
    return make("i", { class: "line", style: `border-color: ${line.color}; border-top-style: ${DASHES[line.dash] ?? "solid"}` });
  }
  const color = Array.isArray(marker.color) ? marker.color[0] : marker.color;
  return make("i", { class: type === "bar" ? "square" : marker.symbol, style: `background: ${color}` });
}
