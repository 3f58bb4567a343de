// The batch of rollouts: the protocol's starts, one row a batch, the article's table beside them. What is set above it, it asks for when it
// begins.

import { fillTrack } from "../shared/controls.js";
import { make } from "../shared/dom.js";
import { Work } from "../shared/work.js";
import { articleTable, batchRow, judgedRow } from "./batch_rows.js";
import { FilmOfStart } from "./start_film.js";

/** @import { Scope } from "../shared/elements" */
/** @import { BatchMessages, BatchProgress } from "./messages" */
/** @import { View } from "../shared/messages" */

const READY = "Tries the lanes as they are set above.";

export class Batch {
  /** @type {string[]} */ #chosen = []; // ids of the rows to be compared, at most two
  #at;
  #trigger;
  #settings;

  /** @param {Scope} at @param {View["trigger"]} trigger @param {() => object | null} settings what is to be tried, or null while it has no policy */
  constructor(at, trigger, settings) {
    this.#at = at;
    this.#trigger = trigger;
    this.#settings = settings;
    this.work = new Work({ trigger, stopEvent: "stop_batch", show: (state) => this.#showWork(state) });
    this.film = new FilmOfStart(at("table"), trigger);
    at("roll").addEventListener("click", () => this.#begin());
    at("unroll").addEventListener("click", () => {
      if (this.work.stop()) at("rolling").textContent = "Stopped. What was tried is kept: the same settings go on from there.";
    });
    trigger("open_batch", {});
  }

  /** @type {BatchMessages} */
  receive = {
    batch: ({ rows, judged, article, intro, how }) => {
      this.#at("intro").textContent = intro;
      this.#at("batch-how").textContent = how;
      this.#at("batch").append(articleTable(article));
      for (const row of [...judged].reverse()) this.#add(judgedRow(row));
      for (const row of [...rows].reverse()) this.#addRow(row);
      this.#tell();
    },
    batch_progress: (message) => this.#say(message),
    batch_row: ({ row }) => this.#addRow(row),
    batch_done: () => this.work.rest(),
    batch_failed: ({ run }) => run && this.work.rest(),
    pair: ({ first, second, sentence }) => {
      if (this.#chosen[0] === first && this.#chosen[1] === second) this.#at("pair").textContent = sentence;
    },
  };

  #begin() {
    const settings = this.#settings();
    if (!settings || this.work.busy) return;
    this.#say({ text: "Starting…", fraction: null });
    this.work.begin("running", "run_batch", settings);
  }

  #showWork(state) {
    const busy = state === "running";
    this.#at("roll").disabled = busy;
    this.#at("unroll").disabled = !busy;
    this.#at("rolled").hidden = !busy;
    if (!busy) this.#at("rolling").textContent = READY;
  }

  /** @param {BatchProgress} message */
  #say({ text, fraction, lane = 0, lanes = 1, done, of, successes }) {
    const which = lanes > 1 ? `Lane ${"AB"[lane]}: ` : "";
    this.#at("rolling").textContent = done === undefined ? `${which}${text}` : `${which}${done} of ${of} starts tried, ${successes} solved`;
    fillTrack(this.#at("rolled"), fraction);
  }

  #add(body) {
    /** @type {Element} */ (this.#at("table").querySelector("thead")).after(body);
    this.#tell();
  }

  #addRow(row) {
    const label = `Compare ${row.policy}, ${row.variant}, ${row.mode}, latency ${row.latency}`;
    const box = make("input", { type: "checkbox", "aria-label": label, onchange: () => this.#choose(row.id, box) });
    this.#add(batchRow(row, box, (start) => this.film.make(row.id, start)));
  }

  #choose(id, box) {
    this.#chosen = this.#chosen.filter((one) => one !== id);
    if (box.checked) this.#chosen.push(id);
    while (this.#chosen.length > 2) this.#box(/** @type {string} */ (this.#chosen.shift())).checked = false;
    this.#at("pair").textContent = "";
    const [first, second] = this.#chosen;
    if (second) this.#trigger("pair_rows", { first, second });
    else this.#tell();
  }

  #box(id) {
    return /** @type {HTMLInputElement} */ (this.#at("table").querySelector(`[data-row="${id}"] input`));
  }

  #tell() {
    const rows = this.#at("table").querySelectorAll("tbody");
    const comparable = [...rows].filter(({ dataset }) => dataset.row).length;
    this.#at("table").hidden = !rows.length;
    this.#at("empty").hidden = rows.length > 0;
    if (comparable > 1 && this.#chosen.length < 2) this.#at("pair").textContent = "Tick two rows to compare them in pairs, start by start.";
  }
}
