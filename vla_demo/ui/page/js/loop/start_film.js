// The film of a start that failed: the server tries it again and films it; it is shown under the row it belongs to.

import { make, part, served } from "../shared/dom.js";
import { Work } from "../shared/work.js";

/** @import { FilmMessages } from "./messages" */
/** @import { View } from "../shared/messages" */

export class FilmOfStart {
  #table;
  /** @type {HTMLElement | null} */ #box = null; // where the film that is being made will be
  #about = "";

  /** @param {HTMLElement} table @param {View["trigger"]} trigger */
  constructor(table, trigger) {
    this.#table = table;
    this.work = new Work({ trigger, stopEvent: "stop_batch", show: () => {} });
  }

  /** @type {FilmMessages} */
  receive = {
    film_progress: ({ text, fraction }) => this.#say(fraction === null ? text : `Filming this start: ${Math.round(fraction * 100)} %`),
    film: ({ url }) => this.#end(this.#figure(url)),
    batch_failed: ({ run }) => run && this.#end(),
  };

  make(row, { start, about }) {
    if (this.work.stop()) this.#end();
    this.#box = part(this.#table, `[data-row="${row}"] .film`);
    this.#about = about;
    this.#say("Filming this start: it is tried again…");
    this.work.begin("running", "film_start", { row, start });
  }

  #say(text) {
    this.#box?.replaceChildren(text);
  }

  #end(...film) {
    this.work.rest();
    this.#box?.replaceChildren(...film);
  }

  #figure(url) {
    const moves = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    const video = make("video", { controls: true, playsinline: true, autoplay: moves, "aria-label": `Film of ${this.#about}` });
    video.muted = true;
    video.src = served(url);
    const about = `${this.#about}. Tried again and filmed on this machine, ten pictures a second; below, green: acting, red: no action.`;
    return make("figure", {}, video, make("figcaption", {}, about[0].toUpperCase() + about.slice(1)));
  }
}
