// What is seen of a recording and of a run over it: the traces, the table of joints, the facts and the legend.

import { createJoints } from "./joints.js";
import { setFacts, setLegend } from "./panel.js";
import { Traces } from "./traces.js";

/** @import { Scope } from "../shared/elements" */
/** @import { Recording } from "./messages" */

export class RunView {
  /** @type {Recording | null} */ recording = null; // the one on show
  #at;
  #traces;
  #joints;
  #t = 0;
  #probed = false;

  /** @param {Scope} at @param {(t: number) => void} onSeek */
  constructor(at, onSeek) {
    this.#at = at;
    this.#traces = new Traces(at("plot"), onSeek, (values) => this.#probe(values));
    this.#joints = createJoints(at("joints"), (hidden) => this.#traces.hide(hidden));
  }

  /** Seconds that the run has reached. */
  get reached() {
    return this.#traces.reached;
  }

  load(recording) {
    this.recording = recording;
    this.#traces.load(recording);
    this.#joints.load(recording.joints);
    this.forget();
  }

  /** Leaves no trace of the last run. */
  forget() {
    this.#traces.clear();
    this.#joints.forget();
    setLegend(this.#at("legend"));
    this.say(this.recording?.words ?? []);
  }

  begin(variant, reference) {
    this.#traces.clear();
    this.#joints.forget();
    this.#joints.begin();
    setLegend(this.#at("legend"), variant, reference);
  }

  /** Whether these were the first steps of the run. */
  append(steps) {
    const first = this.#traces.run.frames === 0;
    this.#traces.append(steps);
    return first;
  }

  measured(report) {
    this.say(report.words, report.how);
    this.#joints.errors(report);
  }

  say(words, how = "") {
    setFacts(this.#at("panel"), this.#at("how"), words, how);
  }

  moveTo(t) {
    this.#t = t;
    this.#traces.moveCursor(t);
    if (!this.#probed) this.#joints.values(this.#traces.valuesAt(t));
  }

  #probe(values) {
    this.#probed = values !== null;
    this.#joints.values(values ?? this.#traces.valuesAt(this.#t));
  }
}
