// Where the focus goes on when the button it was on is taken away: a button that is disabled or hidden loses it to the page. Then the next
// step's gets it, and only then; whoever has moved the focus themselves keeps it where it is.

/** @import { Scope } from "../shared/elements" */

const STEPS = ["simulated", "address", "token", "open", "take", "load", "arm", "start", "pause", "leave"];

const isUsable = (node) => !node.disabled && node.offsetParent !== null;

export class Focus {
  #at;
  /** @type {HTMLElement | null} */ #held = null; // the step's button that has the focus, or had it when it was taken away
  #before = ""; // the step at which it still had it
  #now = "";
  #byKey = false; // a finger stays where it is, and so does what it sees

  /** @param {HTMLElement} element @param {Scope} at */
  constructor(element, at) {
    this.#at = at;
    const onKey = () => {
      this.#byKey = true;
    };
    document.addEventListener("keydown", onKey, true);
    document.addEventListener("pointerdown", ({ target }) => this.#point(target), true);
    document.addEventListener("focusin", ({ target }) => {
      const node = /** @type {HTMLElement} */ (target);
      this.#held = STEPS.includes(node.dataset?.at ?? "") && element.contains(node) ? node : null;
      this.#before = this.#now;
    });
    // Enter that is still held down from the step before starts nothing.
    at("start").addEventListener("keydown", (event) => {
      if (event.repeat) event.preventDefault();
    });
  }

  #point(target) {
    this.#byKey = false;
    if (target !== this.#held) this.#held = null;
  }

  follow(step, news) {
    this.#now = step;
    if (!this.#held) return;
    const keeps = document.activeElement === this.#held && isUsable(this.#held);
    if (step === "silent" || keeps) this.#before = step;
    else if (step !== this.#before) this.#target(step, news, this.#held)?.focus({ preventScroll: !this.#byKey });
  }

  #target(step, news, held) {
    const start = isUsable(held) ? held : this.#at("simulated");
    const node = step === "connect" ? start : this.#next(step, news, held.dataset.at ?? "");
    return node && isUsable(node) ? node : null;
  }

  #next(step, news, from) {
    const at = this.#at;
    const drove = from === "start" || from === "pause";
    if (step === "running") return drove ? at("pause") : null;
    if (drove) return news?.moving ? null : at(at("judge").hidden ? "arm" : "succeeded");
    if (step === "start") return from === "arm" ? at("start") : null; // nobody who did not just reset finds themselves on it
    const next = { load: "load", reset: "arm", free: "take" }[step];
    return next ? at(next) : null;
  }

  /** A policy was sent. */
  loaded() {
    this.#before = "load";
  }

  failed() {
    this.#before = "";
  }
}
