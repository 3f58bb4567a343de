// The Replay tab: wires its parts to each other and to the server. The server speaks in messages, the page answers with events.

import { createPlayback } from "../shared/clock.js";
import { createControls, noPolicy, notYet, showMissing } from "../shared/controls.js";
import { fillSelect, isStill, onClick, part, scope } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { StageStrip } from "../shared/strip.js";
import { listen, Work } from "../shared/work.js";
import { Player } from "./player.js";
import { RunView } from "./run_view.js";

/** @import { ReplayMessages, ReplayView } from "./messages" */
/** @import { View } from "../shared/messages" */

class Replay {
  parked = false; // an opened link says where the cursor stands: a run must not move it
  /** @type {Partial<ReplayView>} */ wanted = {}; // what an opened link asks for once its policy is ready
  touched = false; // nobody has used the page yet: its address stays as it was opened
  resumes = true; // whether the episode plays on when this tab is shown again

  /** @param {View} view */
  constructor({ element, props, trigger, watch }) {
    this.element = element;
    this.trigger = trigger;
    const at = scope(element);
    this.at = at;
    this.link = createLink(element, ["policy", "variant", "episode", "seed", "run", "t"]);
    this.strip = new StageStrip(at("strip"), (variant) => this.link.update({ variant }));
    this.view = new RunView(at, (t) => this.player.scrub(t));
    this.player = new Player(at("cams"), this);
    this.controls = createControls(element, this);
    this.playback = createPlayback(element, this.player, this);
    this.work = new Work({ trigger, stopEvent: "stop_run", show: (state) => this.showWork(state) });
    this.wire();
    listen({ props, watch }, this);
  }

  wire() {
    const { at, link } = this;
    const touch = () => {
      this.touched = true;
    };
    onClick(at, { run: () => this.run(false), stop: () => this.stop(), link: () => this.copyLink() });
    at("episode").addEventListener("change", () => this.openEpisode(at("episode").value));
    at("seed").addEventListener("change", () => link.update({ seed: Number(at("seed").value) || null }));
    at("source").addEventListener("input", () => this.wait("Press Enter to open it."));
    for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, touch, { capture: true });
    document.addEventListener("vla-tab", ({ detail }) => this.showTab(detail));
    document.addEventListener("vla-replay", ({ detail }) => this.turnTo(detail));
  }

  /** @type {ReplayMessages} */
  receive = {
    view: (message) => {
      const { episodes, view, recording } = message;
      this.controls.fillPolicies(message, view.policy);
      const options = episodes.map(({ index, label }) => ({ value: index, label }));
      fillSelect(this.at("episode"), options, recording.index);
      this.at("seed").value = String(view.seed);
      this.wanted = view;
      this.parked = view.t !== null;
      this.work.rest();
      this.show(recording);
      if (view.t === null) this.wander();
      else this.player.seek(view.t);
      this.link.update({ policy: view.policy, variant: view.variant, episode: recording.index, seed: view.seed || null, t: view.t });
      if (view.open) this.openPolicy();
      else this.wait(notYet(view.policy));
    },

    episode: ({ recording }) => {
      this.show(recording);
      this.wander();
      this.link.update({ episode: recording.index });
      if (this.wanted.run) this.run();
    },

    sketch: ({ policy }) => {
      this.strip.load(policy, false);
      part(this.element, ".seed").hidden = !policy.takesNoise;
    },

    policy: ({ policy }) => {
      this.work.rest();
      this.strip.load(policy, true);
      part(this.element, ".seed").hidden = !policy.takesNoise;
      this.link.update({ policy: this.controls.source(), variant: this.strip.variant });
      this.wanted = { run: this.wanted.run };
      if (this.wanted.run) this.run();
    },

    progress: (message) => this.controls.progress(message),

    steps: (message) => {
      this.controls.progress(null);
      this.grow(message);
      this.view.say(message.words);
      this.player.frontier = this.view.reached;
      this.onTime(this.player.time);
    },

    report: (message) => {
      this.work.rest();
      this.grow(message.steps); // a short run may bring them all at once
      this.view.measured(message);
      this.strip.measure(message);
      this.link.update({ run: 1 });
      this.onTime(this.player.time);
    },

    failed: ({ what, why }) => {
      this.wanted = {};
      this.at("episode").value = String(this.view.recording?.index);
      this.work.rest();
      if (what === "policy") this.wait(noPolicy(why));
      if (what === "view" && why) showMissing(this.element, [why]);
    },
  };

  showWork(state) {
    this.controls.state(state);
    if (state === "idle") this.player.frontier = Infinity;
  }

  show(recording) {
    this.view.load(recording);
    this.player.load(recording);
    this.player.frontier = Infinity;
    this.at("seek").max = String(this.player.duration);
    this.at("episode").value = String(recording.index);
    this.forget();
  }

  /** Leaves no trace of the last run. */
  forget() {
    this.view.forget();
    this.strip.measure(null);
    this.link.update({ run: null });
  }

  grow(steps) {
    if (this.view.append(steps) && !this.parked && !isStill(this.element)) this.player.play();
  }

  wander() {
    if (!isStill(this.element)) this.player.play();
    this.onTime(this.player.time);
  }

  wait(text) {
    this.strip.wait(text);
  }

  leavePolicy() {
    this.stop();
    this.link.update({ variant: null });
    this.forget();
  }

  openPolicy() {
    this.stop();
    this.wait("Preparing the policy…");
    this.work.begin("opening", "open_policy", { source: this.controls.source(), variant: this.wanted.variant ?? null });
  }

  openEpisode(index) {
    if (this.work.state === "running") this.stop(); // a policy that is being prepared goes on being prepared
    this.parked = false;
    this.at("episode").value = index;
    this.trigger("open_episode", { index: Number(index) });
  }

  move(by) {
    const { options, selectedIndex } = this.at("episode");
    const next = options[selectedIndex + by];
    if (next) this.openEpisode(next.value);
  }

  copyLink() {
    this.link.update({ t: Number(this.player.time.toFixed(2)) });
    this.link.copy(this.at("link"));
  }

  run(parked = this.parked) {
    this.parked = parked;
    const { at, strip, player } = this;
    const episode = Number(at("episode").value);
    if (!strip.ready || this.view.recording?.index !== episode) return this.runWhenReady();
    if (this.work.state !== "idle") return;
    this.wanted = {};
    this.view.begin(strip.label, strip.policy?.reference ?? "");
    strip.remember();
    if (!this.parked) player.scrub(0);
    player.frontier = 0;
    this.controls.progress({ text: "Starting…", fraction: null });
    const asked = { policy: this.controls.source(), variant: strip.variant, episode, seed: Number(at("seed").value) || 0 };
    this.work.begin("running", "run_variant", asked);
  }

  runWhenReady() {
    this.wanted = { ...this.wanted, run: true };
    this.at("run").disabled = true;
    if (!this.strip.ready && this.work.state === "idle") this.controls.openPolicy();
  }

  stop() {
    const stopped = this.work.stop();
    if (!stopped) return;
    this.wanted = {};
    if (stopped === "opening") this.wait("Stopped. Press Run to prepare the policy.");
  }

  onTime(t) {
    if (!this.view.recording) return;
    this.view.moveTo(t);
    this.playback.showTime(t, this.player.duration, 2);
    if (this.touched) this.link.update({ t: this.player.playing ? Math.floor(t) : Number(t.toFixed(2)) });
  }

  onPlaying(playing) {
    this.playback.showPlaying(playing);
    this.onTime(this.player.time);
  }

  /** Another tab sends a variant here: the dials are turned to it, and Run is at hand. */
  turnTo({ policy, variant }) {
    this.stop();
    if (this.controls.source() === policy && this.strip.variant) this.strip.turn(variant);
    else {
      this.controls.choosePolicy(policy);
      this.wanted = { variant };
      this.forget();
      this.controls.openPolicy();
    }
    requestAnimationFrame(() => this.at("run").focus()); // by then this tab is on show
  }

  showTab(tab) {
    if (tab !== "replay") {
      if (this.view.recording) this.resumes = this.player.playing;
      return this.player.pause();
    }
    if (!this.view.recording) return;
    if (this.resumes && !isStill(this.element) && !this.parked) this.player.play();
    this.onTime(this.player.time);
    this.link.update({});
  }
}

export default (/** @type {View} */ view) => new Replay(view);
