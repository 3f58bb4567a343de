// Fetches the Trap's script when its tab is first opened: until then the tab is an empty frame.
// Gradio knows a component's events by finding their names here: "open_trap", "compute_trap", "stop_trap".

let asked = false;

async function load() {
  if (asked) return;
  asked = true;
  const place = new URL(`${window.gradio_config?.root ?? ""}/page/trap.js`, location.href);
  const { default: start } = await import(place.href);
  start(element, props, trigger, watch);
}

document.addEventListener("vla-tab", ({ detail }) => { if (detail === "trap") load(); });
if (document.body.dataset.tab === "trap") load();
