// Wires the parts to each other and to the server. The server speaks in messages (`props.value`), the page answers with events (`trigger`).

import { createControls } from "../shared/controls.js";
import { fillSelect, scope } from "../shared/dom.js";
import { fixed, seconds } from "../shared/format.js";
import { listenForKeys } from "../shared/keys.js";
import { createLink } from "../shared/link.js";
import { createStrip } from "../shared/strip.js";
import { listen, newId } from "../shared/work.js";
import { createPanel } from "./panel.js";
import { createPlayer } from "./player.js";
import { createTraces } from "./traces.js";

export default function start({ element, props, trigger, watch }) {
  const at = scope(element);
  const { fillPolicies, choosePolicy, namesPlace, source, state, progress } = createControls(element);
  const bench = element.querySelector(".bench");
  const player = createPlayer(at("cams"), onTime, onPlaying);
  const traces = createTraces(at("plot"), scrub, onProbe);
  const strip = createStrip(at("strip"), (variant) => link.update({ variant }));
  const panel = createPanel({ panel: at("panel"), legend: at("legend"), table: at("joints"), small: at("how") }, traces.hide);
  const link = createLink(element, ["policy", "variant", "episode", "seed", "run", "t"]);
  let episodes = [];
  let recording = null; // the one on show
  let running = null; // id of the work going on, a preparation or a run; messages of any other are late and dropped
  let halted = null; // id of a run that was just stopped: its report is still welcome
  let parked = false; // an opened link says where the cursor stands: a run must not move it
  let wanted = {}; // what an opened link asks for once its policy is ready
  let touched = false; // nobody has used the page yet: its address stays as it was opened
  let probed = false;
  let resumes = true; // whether the episode plays on when this tab is shown again

  const receive = {
    view({ policies, episodes: listed, view, recording: first }) {
      episodes = listed;
      fillPolicies(policies, view.policy);
      fillSelect(at("episode"), episodes.map(({ index, label }) => ({ value: index, label })), first.index);
      at("seed").value = view.seed;
      wanted = view;
      parked = view.t !== null;
      state("idle");
      show(first);
      if (parked) player.seek(view.t);
      else wander();
      link.update({ policy: view.policy, variant: view.variant, episode: recording.index, seed: view.seed || null, t: view.t });
      if (view.open) openPolicy();
      else strip.wait(`Press Run to fetch and prepare ${view.policy}.`);
    },

    episode(message) {
      show(message.recording);
      wander();
      link.update({ episode: recording.index });
      if (wanted.run) run();
    },

    sketch({ policy }) {
      strip.load(policy, false);
      element.querySelector(".seed").hidden = !policy.takesNoise;
    },

    policy({ policy }) {
      running = null;
      rest();
      strip.load(policy, true);
      element.querySelector(".seed").hidden = !policy.takesNoise;
      link.update({ policy: source(), variant: strip.variant() });
      wanted = { run: wanted.run };
      if (wanted.run) run();
    },

    progress,

    steps(message) {
      progress(null);
      grow(message);
      panel.say(message.words);
      player.waitAt(traces.reached());
      onTime(player.time());
    },

    report(message) {
      running = halted = null;
      rest();
      grow(message.steps); // a short run may bring them all at once
      panel.say(message.words, message.how);
      panel.errors(message);
      strip.measure(message);
      link.update({ run: 1 });
      onTime(player.time());
    },

    failed({ what }) {
      running = null;
      wanted = {};
      at("episode").value = recording?.index;
      rest();
      if (what === "policy") strip.wait("No policy is open: choose another, or press Run to try again.");
    },
  };

  const accepts = ({ run, kind }) => run === running || (run === halted && kind === "report");

  function show(next) {
    recording = next;
    traces.load(recording);
    panel.load(recording);
    player.load(recording);
    player.waitAt(Infinity);
    at("seek").max = player.duration();
    at("episode").value = recording.index;
    forget();
  }

  function forget() {
    traces.clear();
    panel.forget();
    panel.lines(null);
    panel.say(recording.words);
    strip.forget();
    link.update({ run: null });
  }

  function grow(steps) {
    const first = traces.frames() === 0;
    traces.append(steps);
    if (first && !parked && !still()) player.play();
  }

  const still = () => element.offsetParent === null || matchMedia("(prefers-reduced-motion: reduce)").matches;

  function wander() {
    if (!still()) player.play();
    onTime(player.time());
  }

  function rest() {
    state("idle");
    progress(null);
    player.waitAt(Infinity);
  }

  function openPolicy() {
    if (!source()) {
      state("idle");
      return at("source").focus();
    }
    strip.wait("Preparing the policy…");
    begin("opening");
    trigger("open_policy", { run: running, source: source(), variant: wanted.variant ?? null });
  }

  function openEpisode(index) {
    if (bench.dataset.state === "running") stop(); // a policy that is being prepared goes on being prepared
    parked = false;
    trigger("open_episode", { index: Number(index) });
  }

  function move(by) {
    const now = episodes.findIndex(({ index }) => index === Number(at("episode").value));
    const next = episodes[now + by];
    if (!next) return;
    at("episode").value = next.index;
    openEpisode(next.index);
  }

  function runWhenReady() {
    wanted = { ...wanted, run: true };
    at("run").disabled = true;
    if (!strip.ready() && bench.dataset.state === "idle") openPolicy();
  }

  function begin(name) {
    running = newId();
    halted = null;
    state(name);
  }

  function run() {
    const arrived = recording.index === Number(at("episode").value);
    if (!strip.ready() || !arrived) return runWhenReady();
    if (bench.dataset.state !== "idle") return;
    wanted = {};
    begin("running");
    traces.clear();
    panel.forget();
    panel.begin(strip.label(), strip.reference());
    strip.remember();
    if (!parked) { player.pause(); player.seek(0); }
    player.waitAt(0);
    progress({ text: "Starting…", fraction: null });
    trigger("run_variant", { run: running, policy: source(), variant: strip.variant(), episode: Number(at("episode").value), seed: Number(at("seed").value) || 0 });
  }

  function stop() {
    const name = bench.dataset.state;
    if (name !== "running" && name !== "opening") return;
    halted = running;
    running = null;
    wanted = {};
    rest();
    if (name === "opening") strip.wait("Stopped. Press Run to prepare the policy.");
    trigger("stop_run", { run: halted });
  }

  function scrub(t) {
    player.pause();
    player.seek(t);
  }

  function onTime(t) {
    if (!bench.dataset.state || bench.dataset.state === "loading") return;
    traces.moveCursor(t);
    at("seek").value = t;
    at("seek").style.setProperty("--done", `${(t / player.duration()) * 100}%`);
    at("seek").setAttribute("aria-valuetext", seconds(t));
    at("time").textContent = `${fixed(t, 2)} / ${seconds(player.duration())}`;
    if (!probed) panel.values(traces.valuesAt(t));
    if (touched) link.update({ t: player.playing() ? Math.floor(t) : Number(t.toFixed(2)) });
  }

  function onProbe(values) {
    probed = values !== null;
    panel.values(values ?? traces.valuesAt(player.time()));
  }

  function onPlaying(playing) {
    at("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    at("play").dataset.playing = playing;
    onTime(player.time());
  }

  // The dials are turned to the variant, and Run is at hand.
  function turnTo({ policy, variant }) {
    stop();
    if (source() === policy && strip.variant()) strip.turn(variant);
    else {
      choosePolicy(policy);
      wanted = { variant };
      forget();
      openPolicy();
    }
    requestAnimationFrame(() => at("run").focus()); // by then this tab is on show
  }

  function onTab(tab) {
    if (tab !== "replay") {
      if (recording) resumes = player.playing();
      return player.pause();
    }
    if (!recording) return;
    if (resumes && !still() && !parked) player.play();
    onTime(player.time());
    link.update({});
  }

  for (const name of ["pointerdown", "keydown"]) document.addEventListener(name, () => { touched = true; }, { capture: true });
  at("run").addEventListener("click", () => { parked = false; run(); });
  at("stop").addEventListener("click", stop);
  at("play").addEventListener("click", () => player.toggle());
  at("link").addEventListener("click", () => { link.update({ t: Number(player.time().toFixed(2)) }); link.copy(at("link")); });
  at("seek").addEventListener("input", () => scrub(Number(at("seek").value)));
  at("episode").addEventListener("change", () => openEpisode(at("episode").value));
  at("seed").addEventListener("change", () => link.update({ seed: Number(at("seed").value) || null }));
  at("policy").addEventListener("change", () => {
    stop();
    link.update({ variant: null });
    forget();
    if (namesPlace()) { strip.wait("Name a checkpoint folder or a Hub id, then press Enter."); at("source").focus(); }
    else openPolicy();
  });
  at("source").addEventListener("keydown", (event) => { if (event.key === "Enter") { stop(); openPolicy(); } });
  at("source").addEventListener("input", () => strip.wait("Press Enter to open it."));
  document.addEventListener("vla-tab", ({ detail }) => onTab(detail));
  document.addEventListener("vla-replay", ({ detail }) => turnTo(detail));
  listenForKeys(element, { player, move, stop });
  listen({ props, watch }, receive, accepts);
}
