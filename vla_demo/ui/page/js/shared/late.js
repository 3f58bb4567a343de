// Fetches the script of the tab TAB when it is first opened: until then the tab is an empty frame.

let asked = false;

async function load() {
  if (asked) return;
  asked = true;
  const place = new URL(`${window.gradio_config?.root ?? ""}/page/${TAB}.js`, location.href);
  const { default: start } = await import(place.href);
  start(element, props, trigger, watch, SERVER);
}

document.addEventListener("vla-tab", ({ detail }) => { if (detail === TAB) load(); });
if (document.body.dataset.tab === TAB) load();
