// The Trap tab: asks for the report there is, draws it, computes it anew, stops. It speaks with the server as the Replay tab does, and opens a
// variant there.

import { createControls } from "../shared/controls.js";
import { onClick, scope } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { listen, Work } from "../shared/work.js";
import { Section } from "./section.js";

/** @import { View } from "../shared/messages" */
/** @import { Context, TrapMessages } from "./messages" */

class Trap {
  /** @type {Section[]} */
  sections = [];
  /** @type {string | null} */
  source = null; // of the report on show

  /** @param {View} view */
  constructor({ element, props, trigger, watch }) {
    this.trigger = trigger;
    this.at = scope(element);
    this.link = createLink(element, ["tab", "policy"]);
    this.controls = createControls(element, this);
    this.work = new Work({ trigger, stopEvent: "stop_trap", show: this.controls.state });
    onClick(this.at, { run: () => this.compute(), stop: () => this.work.stop(), link: () => this.link.copy(this.at("link")) });
    element.addEventListener("keydown", ({ key }) => key === "Escape" && this.work.stop());
    document.addEventListener("vla-tab", ({ detail }) => detail === "trap" && this.link.update({}));
    listen({ props, watch }, this);
  }

  /** @type {TrapMessages} */
  receive = {
    policies: (message) => {
      this.controls.fillPolicies(message, new URLSearchParams(location.search).get("policy") ?? message.chosen); // Replay may have moved on since the page was opened
      this.work.rest();
      this.link.update({ tab: "trap" });
      if (this.controls.source()) this.controls.openPolicy();
    },

    report: (message) => {
      if (message.run) this.work.rest();
      else if (message.source !== this.controls.source()) return; // another policy was chosen meanwhile
      this.show(message);
    },

    nothing: ({ source, words }) => {
      if (source === this.controls.source()) this.wait(words);
    },

    progress: (message) => this.controls.progress(message),

    failed: () => this.work.rest(),
  };

  leavePolicy() {
    this.work.stop();
  }

  openPolicy() {
    const source = this.controls.source();
    this.work.stop();
    this.link.update({ policy: source });
    if (source !== this.source) this.wait("");
    this.trigger("open_trap", { source });
  }

  compute() {
    const source = this.controls.source();
    if (!source) return this.at("source").focus();
    if (this.work.busy) return;
    this.controls.progress({ text: "Starting… This can take an hour on a busy two-core machine.", fraction: null });
    this.work.begin("running", "compute_trap", { source });
  }

  show({ source, about, figures, template }) {
    const open = (variant) => document.dispatchEvent(new CustomEvent("vla-replay", { detail: { policy: source, variant } }));
    /** @type {Context} */
    const context = { policy: source.replace(/[^\w.-]+/g, "-"), label: this.controls.label(), about, template, open };
    const sections = figures.map((figure) => new Section(figure, context));
    this.fill(source, about, "Recompute", sections);
  }

  /** Stands empty, with a sentence in it. */
  wait(words) {
    this.fill(null, words, "Compute", []);
  }

  fill(source, about, button, sections) {
    for (const section of this.sections) section.dispose();
    this.source = source;
    this.sections = sections;
    this.at("about").textContent = about;
    this.at("run").textContent = button;
    this.at("figures").replaceChildren(...sections.map(({ node }) => node));
    for (const section of sections) section.fill();
  }
}

export default (/** @type {View} */ view) => new Trap(view);
