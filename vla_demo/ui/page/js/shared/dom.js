// Small helpers for building elements. Text always goes in as text, never as HTML, so that a name from a stranger's dataset stays a name.

function make(tag, attributes = {}, ...children) {
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

function at(name) {
  return element.querySelector(`[data-at="${name}"]`);
}

function fillSelect(select, options, chosen) {
  select.replaceChildren(...options.map(({ value, label }) => make("option", { value }, label)));
  select.value = String(chosen);
}

// Gradio repeats the last message of a stream when the stream ends, which may be after another stream has spoken: each counts once.
const heard = new Set();

// The server's newest message. It is text: of a value with lists in it Gradio sends what changed since the last, and loses count when inner
// lists shrink.
const newest = () => (props.value ? JSON.parse(props.value) : null);

function isNews(message) {
  if (!message?.kind || heard.has(message.number)) return false;
  heard.add(message.number);
  return true;
}
