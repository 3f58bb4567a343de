// The latency: a slider on a logarithmic scale with the published points marked, the prediction's band, and a number beside it.

import { make } from "../shared/dom.js";
import { latencyText } from "../shared/format.js";
import { MOST_MS, toMs, toPlace } from "./latency_scale.js";

/** @import { Scope } from "../shared/elements" */
/** @import { BoardLatency, Predicted, PublishedLatency, Source } from "./messages" */

export class Latency {
  ms = 0;
  /** @type {Source | null} */ measured = null; // here
  /** @type {PublishedLatency[]} */ #published = [];
  /** @type {Predicted | null} */ #predicted = null;
  /** @type {BoardLatency[]} */ #boards = []; // what boards have measured of this policy
  /** @type {{ board: string, variant: string } | null} */ #wanted = null; // what a link asks for, until boards are known
  /** @type {Source | null} */ #chosen = null; // the source that was pressed: others may say the same
  #at;
  #onChange;

  /** @param {Scope} at @param {{ onChange: () => void, onMeasure: () => void }} parts */
  constructor(at, { onChange, onMeasure }) {
    this.#at = at;
    this.#onChange = onChange;
    const number = at("ms");
    at("slider").addEventListener("input", () => this.#choose(toMs(Number(at("slider").value))));
    number.addEventListener("input", () => this.#choose(Number(number.value)));
    for (const done of ["blur", "change"]) number.addEventListener(done, () => this.#showNumber()); // what is out of range is put right in sight
    at("measure").addEventListener("click", () => (this.measured ? this.#use(this.measured) : onMeasure()));
    at("predict").addEventListener("click", () => this.#predicted && this.#use(this.#predicted));
  }

  load(published, family) {
    this.#published = [...published].sort((one, other) => one.ms - other.ms);
    this.#at("marks").replaceChildren(...this.#published.map((one) => this.#mark(one, !family || one.family === family)));
  }

  #mark(one, own) {
    const [name, ...rest] = one.label.split(" ");
    const settings = {
      class: own ? "own" : "",
      style: `--place: ${toPlace(one.ms)}`,
      title: one.about,
      "aria-label": `Published: ${one.label}`,
    };
    return make("button", { type: "button", ...settings, onclick: () => this.#use(one) }, make("span", {}, `${name} `), rest.join(" "));
  }

  #use(source) {
    this.#chosen = source;
    this.#choose(source.ms);
  }

  #choose(ms) {
    this.#wanted = null;
    this.show(ms);
    this.#onChange();
  }

  show(value) {
    this.ms = Math.min(Math.max(Math.round(value || 0), 0), MOST_MS);
    this.#at("slider").value = String(toPlace(this.ms));
    this.#at("slider").setAttribute("aria-valuetext", latencyText(this.ms));
    if (document.activeElement !== this.#at("ms")) this.#showNumber();
    this.#say();
  }

  #showNumber() {
    this.#at("ms").value = String(this.ms);
  }

  #say() {
    const known = [this.#chosen, ...this.#published, ...this.#boards, this.measured, this.#predicted];
    const near = known.find((one) => one && Math.abs(one.ms - this.ms) < 1);
    const about = this.#at("source-of");
    about.textContent = about.title = near?.about ?? "As the slider stands: nobody measured this one.";
  }

  foretell(found) {
    const [predict, band] = [this.#at("predict"), this.#at("band")];
    this.#predicted = found;
    predict.hidden = band.hidden = !found;
    if (found) {
      predict.textContent = `i.MX95 predicted ${latencyText(found.ms)}`;
      predict.title = found.about;
      band.style.setProperty("--from", String(toPlace(found.low)));
      band.style.setProperty("--to", String(toPlace(found.high)));
    }
    this.#say();
  }

  offer(found) {
    const own = found.filter(({ board }) => board === this.#wanted?.board);
    const asked = own.find(({ variant }) => variant === this.#wanted?.variant) ?? own[0];
    if (asked) this.#use(asked);
    if (JSON.stringify(found) === JSON.stringify(this.#boards)) return;
    this.#boards = found;
    const button = (one) => make("button", { type: "button", class: "quiet", title: one.about, onclick: () => this.#use(one) }, one.label);
    this.#at("there").replaceChildren(...found.map(button));
    this.#say();
  }

  /** What a link asks for. */
  want(board, variant) {
    this.#wanted = board ? { board, variant } : null;
  }

  timed(found) {
    const button = this.#at("measure");
    this.measured = found;
    button.textContent = found ? `Here ${latencyText(found.ms)}` : "Measure here";
    button.title = found?.about ?? "Run a few inferences of the first lane's variant on this machine";
    if (found) this.#use(found);
  }
}
