// The Trap tab: asks for the report there is, draws it, computes it anew, stops. It speaks with the server as the Replay tab does, and opens a
// variant there.

import { createControls } from "../shared/controls.js";
import { scope } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { listen, newId } from "../shared/work.js";
import { createFigure } from "./figure.js";

export default function start({ element, props, trigger, watch }) {
  const at = scope(element);
  const { fillPolicies, namesPlace, source, label, state, progress } = createControls(element);
  const link = createLink(element, ["tab", "policy"]);
  let figures = [];
  let running = null; // id of the computation going on; messages of any other are late and dropped
  let shown = null; // the source of the report on show

  const receive = {
    policies({ policies, chosen }) {
      fillPolicies(policies, new URLSearchParams(location.search).get("policy") ?? chosen); // Replay may have moved on since the page was opened
      rest();
      link.update({ tab: "trap" });
      openPolicy();
    },

    report(message) {
      if (message.run) rest();
      else if (message.source !== source()) return; // another policy was chosen meanwhile
      shown = message.source;
      at("about").textContent = message.about;
      at("run").textContent = "Recompute";
      const context = { policy: message.source.replace(/[^\w.-]+/g, "-"), label: label(), about: message.about, open: (variant) => openInReplay(message.source, variant) };
      figures = message.figures.map((data) => createFigure(data, context));
      at("figures").replaceChildren(...figures.map(({ node }) => node));
      redraw();
    },

    nothing({ source: asked, words }) {
      if (asked === source()) clear(words);
    },

    progress,

    failed() {
      rest();
    },
  };

  function openInReplay(policy, variant) {
    document.dispatchEvent(new CustomEvent("vla-replay", { detail: { policy, variant } }));
  }

  function clear(words) {
    shown = null;
    figures = [];
    at("figures").replaceChildren();
    at("about").textContent = words;
    at("run").textContent = "Compute";
  }

  function redraw() {
    for (const figure of figures) figure.redraw();
  }

  function rest() {
    running = null;
    state("idle");
    progress(null);
  }

  function openPolicy() {
    stop();
    link.update({ policy: source() });
    if (!source()) return at("source").focus();
    if (source() !== shown) clear("");
    trigger("open_trap", { source: source() });
  }

  function compute() {
    if (running || !source()) return source() || at("source").focus();
    running = newId();
    state("running");
    progress({ text: "Starting… This can take an hour on a busy two-core machine.", fraction: null });
    trigger("compute_trap", { run: running, source: source() });
  }

  function stop() {
    if (!running) return;
    trigger("stop_trap", { run: running });
    rest();
  }

  at("run").addEventListener("click", compute);
  at("stop").addEventListener("click", stop);
  at("link").addEventListener("click", () => link.copy(at("link")));
  at("policy").addEventListener("change", () => {
    if (!namesPlace()) return openPolicy();
    stop();
    clear("Name a checkpoint folder or a Hub id, then press Enter.");
    at("source").focus();
  });
  at("source").addEventListener("keydown", (event) => { if (event.key === "Enter") openPolicy(); });
  element.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
  document.addEventListener("vla-tab", ({ detail }) => { if (detail === "trap") link.update({}); });
  let width = 0;
  new ResizeObserver(() => {
    if (!element.clientWidth || element.clientWidth === width) return;
    width = element.clientWidth;
    redraw();
  }).observe(element);
  new MutationObserver(redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light and dark
  listen({ props, watch }, receive, ({ run }) => run === running);
}
