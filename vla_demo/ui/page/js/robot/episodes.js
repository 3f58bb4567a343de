// The recorded episodes: a switch, a list, a download.

import { make, table, write } from "../shared/dom.js";
import { twoPresses } from "./takeover.js";

const COLUMNS = ["Episodes on the board", "length", "frames", "recording", "judged", "policy", "ended", "size"];

export class Episodes {
  /** @type {Set<string>} */ #chosen = new Set();
  /** @type {Set<string>} */ #known = new Set();
  #drives = false; // this page commands the board, no task runs, and no other long work
  #state = "";
  #timer = 0; // until the list is asked for again
  #at;
  #robot;
  #removal = twoPresses(
    () => this.#request("forget", { ids: [...this.#chosen] }),
    () => this.#buttons(),
  );

  /** `complain` says what went wrong with what was asked for, `remark` of what nobody asked for just now. */
  constructor(at, robot) {
    this.#at = at;
    this.#robot = robot;
    at("record").addEventListener("change", () => this.#request("record", { on: at("record").checked }));
    at("download").addEventListener("click", () => robot.download([...this.#chosen]));
    at("forget").addEventListener("click", () => this.#removal.press());
  }

  async #request(verb, more = {}) {
    this.close();
    const found = await this.#robot.ask("episodes", { verb, ...more });
    if (verb === "list") this.#robot.problem.remark(found.problem);
    else this.#robot.problem.complain(found.problem);
    if (!found.problem) this.#show(found);
    else if (verb === "record") this.#at("record").checked = !more.on; // it was refused
  }

  #show({ on, where, why, rows, closing }) {
    this.#at("record").checked = on;
    this.#at("where").textContent = where;
    this.#at("unkept").textContent = why;
    this.#at("unkept").hidden = !why;
    const ids = rows.map(({ id }) => id);
    if (ids.length !== this.#known.size || ids.some((id) => !this.#known.has(id))) this.#removal.doubt(); // what was meant was another list
    this.#chosen = new Set(ids.filter((id) => this.#chosen.has(id) || !this.#known.has(id)));
    this.#known = new Set(ids);
    const lines = rows.map((row) => this.#line(row));
    this.#at("episodes").replaceChildren(...(lines.length ? [table(COLUMNS, lines)] : []));
    if (closing) this.#askIn(500);
    this.#buttons();
  }

  #line({ id, at, complete, length, frames, whole, judged, policy, ended, size }) {
    const when = new Date(at * 1000).toLocaleString();
    const choose = () => {
      if (box.checked) this.#chosen.add(id);
      else this.#chosen.delete(id);
      this.#removal.doubt();
    };
    const box = make("input", { type: "checkbox", "aria-label": `Episode of ${when}`, onchange: choose });
    box.checked = this.#chosen.has(id);
    const recording = make("td", { class: complete ? null : "not" }, whole);
    return [make("label", {}, box, when), length, frames, recording, judged, policy, ended, size];
  }

  #buttons() {
    const at = this.#at;
    at("record").disabled = !this.#drives;
    at("download").disabled = at("forget").disabled = !this.#drives || !this.#chosen.size;
    at("download").hidden = at("forget").hidden = !this.#known.size;
    write(at("forget"), this.#removal.sure() ? `Remove ${this.#chosen.size} for good` : "Remove from the board");
  }

  #askIn(ms) {
    this.close();
    this.#timer = setTimeout(() => this.refresh(), ms);
  }

  /** Of every news: an episode appears when a task has ended. */
  hear(news, idle) {
    this.#drives = news.mine && idle && news.state !== "running";
    if (this.#state && this.#state !== news.state) this.#askIn(300);
    this.#state = news.state;
    this.#buttons();
  }

  open() {
    this.#removal.doubt();
    this.#chosen.clear();
    this.#known.clear();
    this.#state = "";
    this.#at("downloaded").hidden = true;
    this.refresh();
  }

  refresh() {
    this.#request("list");
  }

  close() {
    clearTimeout(this.#timer);
  }

  downloaded({ text, archive, name, command }) {
    this.#at("downloaded").replaceChildren(
      make("span", {}, text, " ", make("a", { href: archive, download: name }, "Save it as a zip")),
      make("span", {}, "Replay a policy over it: ", make("code", {}, command)),
    );
    this.#at("downloaded").hidden = false;
  }
}
