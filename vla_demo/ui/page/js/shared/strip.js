// The stage strip: the policy drawn as the pipeline it is, one block a stage with its dial inside, and what the last run measured there.
// Which stages, precisions and steps there are comes from the server; a third family needs no change here.

import { createDial } from "./dial.js";
import { make, part } from "./dom.js";
import { partsOf } from "./precision.js";
import { stageFacts, writeOutcome } from "./strip_facts.js";

/** @import { MeasuredRun, MeasuredStages, Strip } from "./messages" */

const stepsWord = (count) => (count === 1 ? "step" : "steps");
const stepsParts = (count) => [String(count), make("span", {}, ` ${stepsWord(count)}`)];

export class StageStrip {
  /** @type {Strip | null} */ policy = null;
  ready = false; // false: a sketch, drawn while the package is made
  #dials = /** @type {Map<string, ReturnType<typeof createDial>>} */ (new Map()); // by role
  #asked = { choices: {}, steps: 0 }; // what was chosen when the run started: the dials may have moved since
  /** @type {MeasuredRun | null} */ #measured = null; // of the last run
  #host;
  #onChange;

  /** @param {HTMLElement} host @param {(variant: string) => void} onChange */
  constructor(host, onChange) {
    this.#host = host;
    this.#onChange = onChange;
  }

  #slider = () => /** @type {HTMLInputElement | null} */ (this.#host.querySelector(".steps input"));
  #steps = () => Number(this.#slider()?.value ?? 0);
  #choices = () => Object.fromEntries([...this.#dials].map(([role, dial]) => [role, dial.value()]));

  /** Stands empty, with a sentence in it. @param {string} text */
  wait(text) {
    this.policy = null;
    this.ready = false;
    this.#host.replaceChildren(make("p", { class: "waiting", role: "status" }, text));
  }

  /** @param {Strip} policy @param {boolean} ready */
  load(policy, ready) {
    const dialed = this.policy && !this.ready ? { ...this.#choices(), steps: this.#steps() } : null; // on the sketch, while the package was made
    this.policy = policy;
    this.ready = ready;
    this.#measured = null;
    this.#dials.clear();
    const blocks = policy.stages.flatMap((stage) => [this.#block(stage), make("span", { class: "arrow", "aria-hidden": "true" }, "→")]);
    this.#host.replaceChildren(...blocks, outcome(policy));
    if (dialed) this.#dial(dialed);
    this.#show();
  }

  #block(stage) {
    const dial = createDial(stage, () => this.#changed());
    this.#dials.set(stage.role, dial);
    return make(
      "fieldset",
      { class: "stage", "data-role": stage.role },
      make("legend", {}, stage.label),
      make("p", { class: "about" }, stage.about),
      make("div", { class: "dials" }, ...dial.nodes, stage.steps ? stepsSlider(stage.steps, () => this.#changed()) : null),
      dial.does,
      make("p", { class: "facts" }),
      make("p", { class: "facts proof" }),
    );
  }

  /** Turns the dials; a part that is not named stays. */
  #dial(parts) {
    for (const [role, dial] of this.#dials) if (role in parts) dial.set(String(parts[role]));
    const slider = this.#slider();
    const steps = Number(parts.steps);
    if (!slider || !steps) return;
    slider.max = String(Math.max(Number(slider.max), steps));
    slider.value = String(steps);
  }

  /** Turns the dials to a variant. @param {string} text */
  turn(text) {
    if (!this.policy) return;
    this.#dial(partsOf(text));
    this.#changed();
  }

  #changed() {
    this.#show();
    this.#onChange(this.variant ?? "");
  }

  /** Whether what was measured at a stage is still what its dial says. */
  #isFresh({ role, steps }) {
    const measured = this.#measured;
    return !measured || (this.#choices()[role] === measured.choices[role] && (!steps || this.#steps() === measured.steps));
  }

  #show() {
    if (!this.policy) return;
    if (this.#slider()) part(this.#host, ".steps output").replaceChildren(...stepsParts(this.#steps()));
    for (const stage of this.policy.stages) {
      const lines = this.#host.querySelectorAll(`[data-role="${stage.role}"] .facts`);
      stageFacts(stage, this.#measured?.stages[stage.role]).forEach((facts, i) => {
        lines[i].replaceChildren(...facts);
        lines[i].classList.toggle("stale", !this.#isFresh(stage));
      });
    }
    const fresh = this.policy.stages.every((stage) => this.#isFresh(stage));
    writeOutcome(part(this.#host, ".outcome"), this.policy.chunk.seconds * 1000, this.#measured, fresh);
  }

  /** As text, or null while there is no policy. */
  get variant() {
    if (!this.policy) return null;
    const parts = Object.entries(this.#choices()).map(([role, precision]) => `${role}=${precision}`);
    return [...parts, ...(this.#steps() ? [`steps=${this.#steps()}`] : [])].join(",");
  }

  get label() {
    const steps = this.#steps();
    const name = ({ role, label }) => `${label.split(" ")[0].toLowerCase()} ${this.#dials.get(role)?.name()}`;
    return [...(this.policy?.stages.map(name) ?? []), ...(steps ? [`${steps} ${stepsWord(steps)}`] : [])].join(", ");
  }

  remember() {
    this.#asked = { choices: this.#choices(), steps: this.#steps() };
  }

  /** Of the run that was remembered; null forgets it. @param {MeasuredStages | null} report */
  measure(report) {
    this.#measured = report && { ...report, ...this.#asked };
    this.#show();
  }
}

function stepsSlider({ choice, most }, onChange) {
  const settings = { type: "range", min: 1, max: most, step: 1, value: choice, "aria-label": "Denoising steps" };
  return make("span", { class: "steps" }, make("input", { ...settings, oninput: onChange }), make("output", {}, ...stepsParts(choice)));
}

function outcome({ chunk }) {
  const about = make("p", { class: "about" }, chunk.about);
  const bar = make("div", { class: "bar", "aria-hidden": "true" }, make("i"));
  return make("div", { class: "stage outcome" }, make("h2", {}, `${chunk.actions} actions`), about, bar, make("p", { class: "facts" }));
}
