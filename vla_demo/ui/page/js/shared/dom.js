// Small helpers for building elements. Text always goes in as text, never as HTML, so that a name from a stranger's dataset stays a name.

/** @import { Child, Part, Scope } from "./elements" */

/**
 * An element with its attributes, its listeners (`onclick`, ...) and its children; what is false, null or undefined is left out.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [attributes]
 * @param {Child[]} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(.../** @type {(string | Node)[]} */ (children.filter((child) => child !== null && child !== undefined)));
  return node;
}

/**
 * Finds the parts of one tab by their `data-at`.
 * @param {HTMLElement} element
 * @returns {Scope}
 */
export function scope(element) {
  return (name) => /** @type {Part} */ (element.querySelector(`[data-at="${name}"]`));
}

/**
 * A part of the page that is there: its template says so.
 * @param {ParentNode} node
 * @param {string} selector
 */
export function part(node, selector) {
  return /** @type {Part} */ (node.querySelector(selector));
}

/** @param {HTMLSelectElement | Part} select @param {{ value: string | number, label: string }[]} options @param {string | number} chosen */
export function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => make("option", { value }, label)));
  select.value = String(chosen);
}

/** @param {string[]} columns */
export function tableHead(columns) {
  return make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name))));
}

/**
 * A table of rows of cells; what is no cell yet becomes one.
 * @param {string[]} columns
 * @param {(Child[] | HTMLTableRowElement)[]} rows
 */
export function table(columns, rows) {
  const cell = (content) => (content instanceof HTMLTableCellElement ? content : make("td", {}, content));
  const line = rows.map((row) => (Array.isArray(row) ? make("tr", {}, ...row.map(cell)) : row));
  return make("table", {}, tableHead(columns), make("tbody", {}, ...line));
}

/**
 * Sets a text that is set often: touches the page only where it changed.
 * @param {Element} node
 * @param {string} text
 */
export function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * Says sentences, a paragraph each, and hides the node where there are none. What stands in `backticks` is code.
 * @param {HTMLElement} node
 * @param {string[]} sentences
 */
export function saySentences(node, sentences) {
  const parts = (text) => text.split("`").map((part, place) => (place % 2 ? make("code", {}, part) : part));
  node.hidden = sentences.length === 0;
  node.replaceChildren(...sentences.map((text) => make("p", {}, ...parts(text))));
}

/** The address of what the server serves. @param {string} path */
export function served(path) {
  return `${window.gradio_config?.root ?? ""}/${path}`;
}

/** Whether nothing may start to move by itself here. @param {HTMLElement} element */
export function isStill(element) {
  return element.offsetParent === null || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** @param {Scope} at @param {Record<string, () => void>} actions by the part that is clicked */
export function onClick(at, actions) {
  for (const [name, act] of Object.entries(actions)) at(name).addEventListener("click", () => act());
}
