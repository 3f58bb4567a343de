// What is set on the page: what acts, in which lanes, how fast and how late. It is written into the address too.

import { fillSelect } from "../shared/dom.js";
import { createLink } from "../shared/link.js";

/** @import { Scope } from "../shared/elements" */
/** @import { LoopSetting, LoopView } from "./messages" */
/** @import { Lanes } from "./lanes.js" */
/** @import { Latency } from "./latency.js" */

const LINK_KEYS = ["tab", "policy", "lane", "beside", "start", "fps", "threshold", "latency", "seed"];

export class Settings {
  #at;
  #lanes;
  #latency;
  #link;

  /** @param {HTMLElement} element @param {Scope} at @param {() => string} source @param {{ lanes: Lanes, latency: Latency }} parts */
  constructor(element, at, source, { lanes, latency }) {
    this.#at = at;
    this.source = source;
    this.#lanes = lanes;
    this.#latency = latency;
    this.#link = createLink(element, LINK_KEYS);
  }

  #number = (name) => Number(this.#at(name).value) || 0;

  get fps() {
    return this.#number("fps");
  }

  get start() {
    return this.#number("start");
  }

  /** As the server takes them. */
  values() {
    return {
      policy: this.source(),
      lanes: this.#lanes.chosen(),
      latency: this.#latency.ms,
      fps: this.fps,
      threshold: this.#number("threshold"),
      seed: this.#number("seed"),
    };
  }

  /** The same with where the latency was measured; null while there is no policy. */
  forBatch() {
    if (this.source()) return { ...this.values(), timed: this.#latency.measured };
    this.#at("source").focus();
    return null;
  }

  /** @param {LoopSetting} setting @param {LoopView} view */
  show({ starts, rates, thresholds }, { start, fps, threshold, seed }) {
    fillSelect(this.#at("start"), starts, start);
    fillSelect(this.#at("fps"), rates, fps);
    fillSelect(this.#at("threshold"), thresholds, threshold);
    this.#at("seed").value = String(seed);
  }

  remember() {
    const { policy, lanes, latency, fps, threshold, seed } = this.values();
    const [lane, beside = null] = lanes.map(({ mode, variant }) => (variant ? `${mode}:${variant}` : mode));
    this.#link.update({ tab: "loop", policy, lane, beside, start: this.start, fps, threshold, latency, seed: seed || null });
  }

  copyLink() {
    this.remember();
    this.#link.copy(this.#at("link"));
  }
}
