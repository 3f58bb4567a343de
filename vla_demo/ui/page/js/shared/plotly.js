// Plotly's own script, which this server serves, and pictures that it makes of a figure.

import { make, served } from "./dom.js";
import { resolveColors } from "./theme.js";

/**
 * A figure as `ui/shared/plot_theme.py` sends it: traces, and how they lie where it is wide and where it is narrow.
 * @typedef {Record<string, any>} Trace
 * @typedef {Record<string, any>} Layout
 * @typedef {{ said: string, data: Trace[], layout: Layout, narrow: Layout }} Plot
 * @typedef {{ title: string, reading: string, small: string, file: string }} Frame what a saved picture says around its figure, and its name
 * @typedef {"png" | "svg"} Format
 */

const PICTURE = 1000; // px, the width of a saved picture
const EDGE = 28; // px around it

/** @type {Promise<any> | undefined} */
let loading; // once for the whole page

/** Plotly, asked for when the first figure is shown. */
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const onerror = () => {
      loading = undefined; // the next figure tries again
      reject(new Error("the script that draws figures could not be loaded from this server"));
    };
    document.head.append(
      make("script", { src: served("page/plotly.min.js"), onload: () => resolve(/** @type {any} */ (window).Plotly), onerror }),
    );
  });
  return loading;
}

/**
 * Saves a figure as a picture: with its title and reading above, its legend and its origin below, on paper.
 * @param {Plot} plot
 * @param {Layout} template
 * @param {Frame} frame
 * @param {Format} format
 */
export async function savePicture(plot, template, frame, format) {
  const Plotly = await loadPlotly();
  const layout = resolveColors(framed(plot, template, frame));
  const size = { width: PICTURE, height: layout.height, scale: format === "png" ? 2 : 1 };
  await Plotly.downloadImage({ data: resolveColors(plot.data), layout }, { ...size, format, filename: frame.file });
}

/** @param {Plot} plot @param {Layout} template @param {Frame} frame */
function framed({ data, layout }, template, { title, reading, small }) {
  const above = fold(reading, 120);
  const below = fold(small, 130);
  const named = data.some(({ showlegend }) => showlegend);
  const head = 52 + 18 * above.length;
  const foot = 30 + 15 * below.length + (named ? 34 : 0);
  const { t, b } = layout.margin;
  return {
    ...layout,
    template,
    width: PICTURE,
    height: layout.height + head + foot,
    paper_bgcolor: "var(--paper)",
    margin: { l: EDGE, r: EDGE, t: t + head, b: b + foot },
    title: {
      text: `<b>${title}</b>`,
      subtitle: { text: above.join("<br>"), font: { size: 13, color: "var(--ink)" } },
      font: { size: 17, color: "var(--ink)" },
      pad: { t: 22 },
      ...{ x: EDGE / PICTURE, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top" },
    },
    annotations: [...(layout.annotations ?? []), footnote(below, b + 8)],
    showlegend: named,
    legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yref: "container", yanchor: "bottom" },
  };
}

/** @param {string[]} lines @param {number} down px below the axes */
function footnote(lines, down) {
  const place = { x: 0, xref: "paper", xanchor: "left", y: 0, yref: "paper", yanchor: "top", yshift: -down };
  return { ...place, text: lines.join("<br>"), align: "left", showarrow: false, font: { size: 11 } };
}

/** Breaks at spaces into lines of at most so many letters. @param {string} text @param {number} letters */
export function fold(text, letters) {
  /** @type {string[]} */
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < letters) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
