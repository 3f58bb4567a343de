// The status strip: what the arm does and why, some figures, how old the news is, and Stop. It never scrolls away.

import { make, write } from "../shared/dom.js";
import { milliseconds } from "../shared/format.js";

/** @import { Scope } from "../shared/elements" */

const OLD = 1500; // ms without news: longer than the board goes on without a heartbeat
const LINK = { name: "link", value: "", about: "there and back, age" };

export class Status {
  #at;
  #heard = performance.now();
  #roundTrip = 0;

  /** @param {Scope} at */
  constructor(at) {
    this.#at = at;
    // The page begins below it, however high it is.
    const measure = () => document.body.style.setProperty("--strip", `${at("status").offsetHeight}px`);
    new ResizeObserver(measure).observe(at("status"));
  }

  show(news) {
    this.#heard = performance.now();
    this.#roundTrip = news.roundTrip;
    this.lamp(news.state, news.state === "running" ? "the task runs" : news.reason);
    const cells = this.#at("cells");
    const named = [...news.cells, LINK];
    if (cells.children.length !== named.length) cells.replaceChildren(...named.map(({ name }) => cell(name)));
    named.forEach(({ value, about }, i) => {
      const [, dd, small] = cells.children[i].children;
      if (value) write(dd, value);
      write(small, about);
    });
    this.age();
  }

  lamp(state, reason) {
    const lamp = this.#at("lamp");
    const [name, why] = /** @type {HTMLElement[]} */ ([...lamp.children]);
    lamp.dataset.state = state;
    write(name, state.toUpperCase());
    write(why, reason);
    why.title = reason; // a long one is cut short
  }

  /** Also when nothing is heard any more: then above all. */
  age() {
    const last = this.#at("cells").lastElementChild;
    if (!last) return;
    const ms = performance.now() - this.#heard;
    const age = `${(ms / 1000).toFixed(1)} s`;
    last.classList.toggle("old", this.silent());
    write(last.children[1], this.silent() ? `silent for ${age}` : `${milliseconds(this.#roundTrip)}, ${age}`);
  }

  silent() {
    return performance.now() - this.#heard > OLD;
  }

  clear() {
    this.#at("cells").replaceChildren();
  }
}

const cell = (name) => make("div", { "data-cell": name }, make("dt", {}, name), make("dd"), make("small"));
