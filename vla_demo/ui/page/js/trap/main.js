// The Trap tab: asks for the report there is, draws it, computes it anew, stops. It speaks with the server as the Replay tab does, and opens a
// variant there.

import { createControls } from "../shared/controls.js";
import { scope } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { listen, newId } from "../shared/work.js";
import { Section } from "./section.js";

export default function start({ element, props, trigger, watch }) {
  const at = scope(element);
  const controls = createControls(element);
  const link = createLink(element, ["tab", "policy"]);
  const report = createReport(at, controls.label);
  let running = null; // id of the computation going on; messages of any other are late and dropped

  function rest() {
    running = null;
    controls.state("idle");
    controls.progress(null);
  }

  function openPolicy() {
    stop();
    const source = controls.source();
    link.update({ policy: source });
    if (!source) return at("source").focus();
    if (source !== report.source()) report.clear("");
    trigger("open_trap", { source });
  }

  function compute() {
    const source = controls.source();
    if (running || !source) return source || at("source").focus();
    running = newId();
    controls.state("running");
    controls.progress({ text: "Starting… This can take an hour on a busy two-core machine.", fraction: null });
    trigger("compute_trap", { run: running, source });
  }

  function stop() {
    if (!running) return;
    trigger("stop_trap", { run: running });
    rest();
  }

  const receive = {
    policies({ policies, chosen }) {
      controls.fillPolicies(policies, new URLSearchParams(location.search).get("policy") ?? chosen); // Replay may have moved on since the page was opened
      rest();
      link.update({ tab: "trap" });
      openPolicy();
    },
    report(message) {
      if (message.run) rest();
      else if (message.source !== controls.source()) return; // another policy was chosen meanwhile
      report.show(message);
    },
    nothing: ({ source, words }) => source === controls.source() && report.clear(words),
    progress: controls.progress,
    failed: rest,
  };

  at("run").addEventListener("click", compute);
  at("stop").addEventListener("click", stop);
  at("link").addEventListener("click", () => link.copy(at("link")));
  at("policy").addEventListener("change", () => {
    if (!controls.namesPlace()) return openPolicy();
    stop();
    report.clear("Name a checkpoint folder or a Hub id, then press Enter.");
    at("source").focus();
  });
  at("source").addEventListener("keydown", (event) => event.key === "Enter" && openPolicy());
  element.addEventListener("keydown", (event) => event.key === "Escape" && stop());
  document.addEventListener("vla-tab", ({ detail }) => detail === "trap" && link.update({}));
  listen({ props, watch }, receive, ({ run }) => run === running);
}

/** The report on show, or what is said where there is none. */
function createReport(at, label) {
  let source = null;
  let sections = [];

  function fill(about, button, made) {
    for (const section of sections) section.dispose();
    sections = made;
    at("about").textContent = about;
    at("run").textContent = button;
    at("figures").replaceChildren(...sections.map(({ node }) => node));
    for (const section of sections) section.fill();
  }

  function show({ source: shown, about, figures, template }) {
    source = shown;
    const open = (variant) => document.dispatchEvent(new CustomEvent("vla-replay", { detail: { policy: shown, variant } }));
    const context = { policy: shown.replace(/[^\w.-]+/g, "-"), label: label(), about, template, open };
    fill(
      about,
      "Recompute",
      figures.map((figure) => new Section(figure, context)),
    );
  }

  function clear(words) {
    source = null;
    fill(words, "Compute", []);
  }

  return { show, clear, source: () => source };
}
