// The lanes: what acts in each, in which mode. One lane, or two side by side; a few presets say what stands beside what.

import { make } from "../shared/dom.js";
import { partsOf } from "../shared/precision.js";
import { StageStrip } from "../shared/strip.js";

/** @import { Mode } from "../shared/messages" */

const LETTERS = ["A", "B"];

/** One lane's own part of the page. */
class Lane {
  mode = "async";

  /** @param {string} letter @param {() => void} onChange */
  constructor(letter, onChange) {
    const box = make("div", { class: "strip compact", role: "group", "aria-label": `Stages of lane ${letter}` });
    this.choices = make("div", { class: "choose", role: "group", "aria-label": `Mode of lane ${letter}` });
    this.about = make("p", { class: "about" });
    const head = make("div", { class: "lane-head" }, make("b", { class: "letter" }, letter), this.choices, this.about);
    this.node = make("section", { class: "lane", "aria-label": `Lane ${letter}` }, head, box);
    this.strip = new StageStrip(box, onChange);
    this.onChange = onChange;
  }

  get variant() {
    return this.strip.variant ?? "";
  }

  draw(modes) {
    this.about.textContent = modes.find(({ mode }) => mode === this.mode)?.about ?? "";
    this.choices.replaceChildren(...modes.map((offer) => this.#button(offer)));
  }

  #button({ mode, label, problem, about }) {
    const pressed = { "aria-pressed": String(this.mode === mode), "aria-disabled": problem ? "true" : null };
    return make("button", { type: "button", ...pressed, title: problem || about, onclick: () => this.#choose(mode, problem) }, label);
  }

  #choose(mode, problem) {
    if (problem) {
      this.about.textContent = problem;
      return;
    }
    this.mode = mode;
    this.onChange();
    /** @type {HTMLElement | null} */ (this.choices.querySelector("[aria-pressed=true]"))?.focus();
  }

  /** The precision, where all stages have the same one; else each stage's. */
  get precisions() {
    const { steps, ...stages } = partsOf(this.variant);
    const kinds = [...new Set(Object.values(stages))];
    return kinds.length === 1 ? kinds[0].toUpperCase() : this.strip.label;
  }
}

export class Lanes {
  #count = 2;
  /** @type {Mode[]} */ #modes = [];
  /** @type {string[]} */ #stages = [];
  #host;
  #presets;

  /** @param {HTMLElement} host @param {HTMLElement} presets @param {() => void} onChange */
  constructor(host, presets, onChange) {
    this.#host = host;
    this.#presets = presets;
    const changed = () => {
      this.#draw();
      onChange();
    };
    this.lanes = LETTERS.map((letter) => new Lane(letter, changed));
    host.replaceChildren(...this.lanes.map(({ node }) => node));
    const press = (choose) => () => {
      choose();
      changed();
    };
    const buttons = this.shapes.map(({ label, choose }) => make("button", { type: "button", onclick: press(choose) }, label));
    presets.replaceChildren(...buttons);
  }

  shapes = [
    { label: "One lane", choose: () => this.#stand([this.lanes[0].mode]), stands: () => this.#count === 1 },
    {
      label: "Sync beside async",
      choose: () => this.#stand(["sync", "async"], [null, this.lanes[0].variant]),
      stands: () => this.#stands("sync", "async") && this.lanes[0].variant === this.lanes[1].variant,
    },
    {
      label: "FP32 beside INT8",
      choose: () => this.#stand(["async", "async"], [this.#everywhere("fp32"), this.#everywhere("int8")]),
      stands: () => this.#stands("async", "async") && this.lanes.every((lane, i) => lane.variant === this.#everywhere(["fp32", "int8"][i])),
    },
  ];

  get shown() {
    return this.lanes.slice(0, this.#count);
  }

  #stand(modes, variants = []) {
    this.#count = modes.length;
    this.shown.forEach((lane, i) => {
      lane.mode = modes[i];
      const variant = variants[i];
      if (variant) lane.strip.turn(variant);
    });
  }

  #stands(...modes) {
    return this.#count === 2 && modes.every((mode, i) => this.lanes[i].mode === mode);
  }

  #everywhere(precision) {
    const { steps } = partsOf(this.lanes[0].variant);
    return [...this.#stages.map((role) => `${role}=${precision}`), ...(steps ? [`steps=${steps}`] : [])].join(",");
  }

  view(asked) {
    this.#stand(asked.map(({ mode }) => mode));
    this.#draw();
  }

  load(strips, modes, ready) {
    this.#modes = modes;
    this.#stages = strips[0].stages.map(({ role }) => role);
    const usable = modes.filter(({ problem }) => !problem).map(({ mode }) => mode);
    this.lanes.forEach((lane, i) => {
      lane.strip.load(strips[i] ?? strips[0], ready);
      if (!usable.includes(lane.mode)) lane.mode = "async";
    });
    this.#draw();
  }

  wait(text) {
    for (const { strip } of this.lanes) strip.wait(text);
  }

  #draw() {
    this.#host.dataset.count = String(this.#count);
    this.lanes.forEach((lane, i) => {
      lane.node.hidden = i >= this.#count;
      lane.draw(this.#modes);
    });
    this.shapes.forEach(({ stands }, i) => this.#presets.children[i].setAttribute("aria-pressed", String(stands())));
  }

  /** What tells the lanes apart comes first. */
  labels() {
    return this.shown.map((lane, i) => {
      const mode = this.#modes.find((one) => one.mode === lane.mode)?.label ?? lane.mode;
      return `${this.#count > 1 ? `${LETTERS[i]} · ` : ""}${mode}${lane.variant ? `, ${lane.precisions}` : ""}`;
    });
  }

  ready() {
    return this.lanes[0].strip.ready;
  }

  chosen() {
    return this.shown.map(({ mode, variant }) => ({ mode, variant }));
  }
}
