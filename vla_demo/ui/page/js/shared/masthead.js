// The tabs, and light and dark. Which tab is on show is written on the body, where the style sheet reads it, and told to the views; they write the
// address. Gradio follows the system's light or dark, or `?__theme=`; the button overrides both and writes its choice there.

export default function start({ element }) {
  const tabs = [...element.querySelectorAll("[role=tab]")];

  function show(name) {
    document.body.dataset.tab = name;
    for (const tab of tabs) {
      const on = tab.dataset.tab === name;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      if (on) tab.parentElement.scrollLeft = tab.offsetLeft - tab.parentElement.offsetLeft; // on a phone they do not all fit
    }
    document.dispatchEvent(new CustomEvent("vla-tab", { detail: name }));
  }

  for (const [i, tab] of tabs.entries()) {
    tab.addEventListener("click", () => show(tab.dataset.tab));
    tab.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const next = tabs[(i + by + tabs.length) % tabs.length];
      show(next.dataset.tab);
      next.focus();
    });
  }

  document.addEventListener("vla-replay", () => { show("replay"); scrollTo(0, 0); });

  element.querySelector(".theme").addEventListener("click", () => {
    const dark = document.body.classList.toggle("dark");
    const url = new URL(location.href);
    url.searchParams.set("__theme", dark ? "dark" : "light");
    history.replaceState(history.state, "", url);
  });

  const asked = new URLSearchParams(location.search).get("tab");
  show(tabs.some((tab) => tab.dataset.tab === asked) ? asked : "replay");
}
