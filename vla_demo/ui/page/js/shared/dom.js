// Small helpers for building elements. Text always goes in as text, never as HTML, so that a name from a stranger's dataset stays a name.

export function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "class") node.className = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Finds the parts of one tab by their `data-at`. */
export function scope(element) {
  return (name) => element.querySelector(`[data-at="${name}"]`);
}

export function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => make("option", { value }, label)));
  select.value = String(chosen);
}
