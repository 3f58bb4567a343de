// The tabs, and light and dark. Which tab is on show is written on the body, where the style sheet reads it, and told to the views; they write the
// address. Gradio follows the system's light or dark, or `?__theme=`; the button overrides both and writes its choice there.

import { part } from "./dom.js";

/** @param {{ element: HTMLElement }} view */
export default function start({ element }) {
  const tabs = /** @type {NodeListOf<HTMLElement>} */ (element.querySelectorAll("[role=tab]"));
  const list = part(element, "[role=tablist]");

  function show(name) {
    document.body.dataset.tab = name;
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (on) list.scrollLeft = tab.offsetLeft - list.offsetLeft; // on a phone they do not all fit
    }
    document.dispatchEvent(new CustomEvent("vla-tab", { detail: name }));
  }

  tabs.forEach((tab, i) => {
    tab.addEventListener("click", () => show(tab.dataset.tab ?? ""));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = tabs[(i + by + tabs.length) % tabs.length];
      next.click();
      next.focus();
    });
  });
  document.addEventListener("vla-replay", () => {
    show("replay");
    scrollTo(0, 0);
  });
  part(element, ".theme").addEventListener("click", switchTheme);

  const asked = new URLSearchParams(location.search).get("tab");
  show([...tabs].some((tab) => tab.dataset.tab === asked) ? String(asked) : "replay");
}

function switchTheme() {
  const dark = document.body.classList.toggle("dark");
  const url = new URL(location.href);
  url.searchParams.set("__theme", dark ? "dark" : "light");
  history.replaceState(history.state, "", url);
}
