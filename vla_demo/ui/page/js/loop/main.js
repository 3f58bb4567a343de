// The Closed loop tab: lets one or two lanes act in the twin under a latency, shows it while it happens, and the batch below it.

import { createPlayback } from "../shared/clock.js";
import { createControls, noPolicy, notYet, showMissing } from "../shared/controls.js";
import { isStill, onClick, part, scope } from "../shared/dom.js";
import { listen, Work } from "../shared/work.js";
import { Batch } from "./batch.js";
import { createCameras } from "./cameras.js";
import { createClock } from "./clock.js";
import { Lanes } from "./lanes.js";
import { Latency } from "./latency.js";
import { setOutcome } from "./outcome.js";
import { Settings } from "./settings.js";
import { createTimeline } from "./timeline.js";
import { Weighing } from "./weighing.js";

/** @import { LoopMessages, LoopSetting } from "./messages" */
/** @import { View } from "../shared/messages" */

const CAMERAS = ["top", "gripper", "left"];

class Loop {
  setting = /** @type {LoopSetting} */ ({}); // what there is; said when the page was loaded
  wanted = false; // Run was pressed before the policy was ready
  /** @type {string[]} */ ran = []; // labels of the lanes on show, as they were when the run began

  /** @param {View} view */
  constructor({ element, props, trigger, watch, server }) {
    this.element = element;
    this.trigger = trigger;
    this.at = scope(element);
    const { at } = this;
    this.cameras = createCameras(at("cams"));
    this.clock = createClock(element, this);
    this.timeline = createTimeline(at("timeline"), this.clock.scrub);
    this.latency = new Latency(at, { onChange: () => this.weighing.settle(), onMeasure: () => this.measureHere() });
    this.lanes = new Lanes(at("lanes"), at("presets"), () => this.change());
    this.controls = createControls(element, this);
    this.work = new Work({ trigger, stopEvent: "stop_loop", show: this.controls.state });
    this.playback = createPlayback(element, this.clock, this);
    this.settings = new Settings(element, at, this.controls.source, this);
    this.weighing = new Weighing({ ...this, server, isRunning: () => this.work.state === "running" });
    this.batch = new Batch(at, trigger, () => this.settings.forBatch());
    this.wire();
    listen({ props, watch }, this, this.batch, this.batch.film);
  }

  wire() {
    const { at } = this;
    onClick(at, { run: () => this.run(), stop: () => this.stop(), link: () => this.settings.copyLink() });
    at("start").addEventListener("change", () => this.openStart(at("start").value));
    for (const name of ["fps", "threshold"]) at(name).addEventListener("change", () => this.change());
    at("seed").addEventListener("change", () => this.settings.remember());
    document.addEventListener("vla-tab", ({ detail }) => {
      if (detail === "loop") this.settings.remember();
      else this.clock.pause();
    });
  }

  /** @type {LoopMessages} */
  receive = {
    setting: (message) => {
      const { view } = message;
      this.setting = message;
      this.controls.fillPolicies(message, view?.policy ?? "");
      this.work.rest();
      if (view) this.begin(view);
      else showMissing(this.element, message.missing);
    },

    scene: ({ start, pictures }) => {
      if (start !== this.settings.start) return;
      this.cameras.scene(pictures);
      this.cameras.show(this.clock.time());
    },

    sketch: (message) => this.showPolicy(message, false),

    policy: (message) => {
      this.work.rest();
      this.showPolicy(message, true);
      if (this.wanted) this.run();
    },

    progress: (message) => this.controls.progress(message),

    timed: (message) => {
      this.work.rest();
      this.latency.timed(message);
    },

    frames: ({ frames }) => {
      this.controls.progress(null);
      for (const frame of frames) {
        this.cameras.add(frame);
        this.timeline.add(frame);
      }
      this.clock.reach(Math.min(...frames.map(({ t }) => t)));
      this.measureSeek();
      if (!this.clock.playing() && this.work.state === "running" && !isStill(this.element)) this.clock.play();
    },

    report: ({ lanes, how, frames }) => {
      this.work.rest();
      frames.forEach(this.cameras.add);
      for (const { lane, trace, headline } of lanes) {
        this.timeline.replace(lane, trace, headline);
        this.clock.reach(trace.depth.length / this.settings.fps);
      }
      this.clock.finish();
      this.measureSeek();
      setOutcome(this.at("outcome"), this.ran, lanes, this.weighing.expected);
      this.at("how").textContent = how;
      if (isStill(this.element)) this.clock.seek(this.clock.end());
    },

    failed: ({ why }) => {
      this.wanted = false;
      this.work.rest();
      this.clock.finish();
      if (!this.lanes.ready()) this.wait(noPolicy(why));
    },
  };

  begin(view) {
    this.settings.show(this.setting, view);
    this.lanes.view(view.lanes);
    this.latency.load(this.setting.marks, null);
    this.latency.show(view.latency);
    this.latency.want(view.board, view.lanes[0].variant);
    this.trigger("show_start", { start: view.start });
    this.lay();
    if (view.open) this.openPolicy(view.lanes.map(({ variant }) => variant));
    else this.wait(notYet(view.policy));
  }

  showPolicy(policy, ready) {
    this.weighing.policy = policy;
    this.lanes.load(policy.strips, policy.modes, ready);
    this.latency.load(this.setting.marks, policy.family);
    part(this.element, ".seed").hidden = !policy.strips[0].takesNoise;
    this.lay();
    this.weighing.settle();
  }

  onPlaying(playing) {
    this.playback.showPlaying(playing);
  }

  wait(text) {
    this.lanes.wait(text);
  }

  leavePolicy() {
    this.stop();
    this.weighing.policy = null;
    this.latency.timed(null);
  }

  /** @param {string[]} variants of each lane */
  openPolicy([first = "", second = first] = []) {
    this.stop();
    this.wait("Preparing the policy…");
    this.work.begin("opening", "open_loop", { source: this.controls.source(), variants: [first, second] });
  }

  /** The frame of a run with nothing in it: cameras at the start, the timeline as it is expected. */
  lay() {
    const labels = this.lanes.labels();
    this.cameras.load(labels, CAMERAS, this.setting.main);
    this.timeline.load(labels, this.settings.fps);
    this.clock.pause();
    this.clock.begin();
    this.clock.finish();
    this.measureSeek();
    this.at("outcome").replaceChildren();
    this.at("how").textContent = "";
  }

  change() {
    if (this.work.state === "running") this.stop();
    this.lay();
    this.weighing.settle();
  }

  run() {
    if (!this.lanes.ready()) {
      this.wanted = true;
      this.at("run").disabled = true;
      if (this.work.state === "idle" && this.controls.source()) this.openPolicy(this.lanes.chosen().map(({ variant }) => variant));
      return;
    }
    if (this.work.state !== "idle") return;
    this.wanted = false;
    this.lay();
    this.weighing.settle();
    this.ran = this.lanes.labels();
    this.clock.begin();
    this.controls.progress({ text: "Starting…", fraction: null });
    this.work.begin("running", "run_loop", { ...this.settings.values(), start: this.settings.start });
  }

  stop() {
    this.wanted &&= !this.work.busy;
    if (!this.work.stop()) return;
    this.clock.finish();
    if (!this.lanes.ready()) this.wait("Stopped. Press Run to prepare the policy.");
  }

  measureHere() {
    if (!this.lanes.ready() || this.work.state !== "idle") return;
    this.controls.progress({ text: "Timing some inferences on this machine", fraction: null });
    this.work.begin("running", "time_loop", { policy: this.controls.source(), variant: this.lanes.chosen()[0].variant });
  }

  onTime(t) {
    this.cameras.show(t);
    this.timeline.moveCursor(t);
    this.playback.showTime(t, this.clock.end(), 1);
    if (!this.clock.end()) this.at("time").textContent = "not run yet";
  }

  measureSeek() {
    const end = this.clock.end();
    this.at("seek").max = String(Math.max(end, 0.1));
    this.at("seek").disabled = this.at("play").disabled = end === 0;
    this.onTime(this.clock.time());
  }

  openStart(start) {
    if (this.work.state === "running") this.stop();
    this.at("start").value = start;
    this.lay();
    this.settings.remember();
    this.trigger("show_start", { start: Number(start) });
  }

  move(by) {
    const { options, selectedIndex } = this.at("start");
    const next = options[selectedIndex + by];
    if (next) this.openStart(next.value);
  }
}

export default (/** @type {View} */ view) => new Loop(view);
