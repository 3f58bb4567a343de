// The Closed loop tab: lets one or two lanes act in the twin under a latency, shows it while it happens, and the batch below it. It speaks with
// the server as the Replay tab does.

import { createControls } from "../shared/controls.js";
import { fillSelect, scope } from "../shared/dom.js";
import { fixed, seconds } from "../shared/format.js";
import { listenForKeys } from "../shared/keys.js";
import { createLink } from "../shared/link.js";
import { listen, newId } from "../shared/work.js";
import { createBatch } from "./batch.js";
import { createCameras } from "./cameras.js";
import { createClock } from "./clock.js";
import { createLanes } from "./lanes.js";
import { createLatency } from "./latency.js";
import { createTimeline } from "./timeline.js";
import { setOutcome, setVerdict } from "./words.js";

export default function start({ element, props, trigger, watch, server }) {
  const at = scope(element);
  const { fillPolicies, namesPlace, source, state, progress } = createControls(element);
  const link = createLink(element, ["tab", "policy", "lane", "beside", "start", "fps", "threshold", "latency", "seed"]);
  const cameras = createCameras(at("cams"));
  const clock = createClock(element, onTime, onPlaying);
  const timeline = createTimeline(at("timeline"), (t) => { clock.pause(); clock.seek(t); });
  const latency = createLatency(at("latency"), { onChange: settle, onMeasure: measureHere });
  const lanes = createLanes(at("lanes"), at("presets"), change);
  const loop = element.querySelector(".loop");
  let setting = null;
  let policy = null; // {family, actions a chunk by mode}
  let running = null; // id of the work going on; messages of any other are late and dropped
  let halted = null; // id of a run that was just stopped: its report is still welcome
  let wanted = false; // Run was pressed before the policy was ready
  let expected = []; // of each lane, as last weighed
  let asking = false;
  let again = false;
  let ran = []; // labels of the lanes on show, as they were when the run began

  const batchHears = createBatch({
    at, trigger, source,
    settings: () => ({
      policy: source(), lanes: lanes.chosen(), latency: latency.ms(), timed: latency.measured(),
      fps: Number(at("fps").value), threshold: Number(at("threshold").value), seed: Number(at("seed").value) || 0,
    }),
  });
  const accepts = ({ run, kind }) => run === running || (run === halted && kind === "report") || kind in batchHears;

  const receive = {
    setting(message) {
      setting = message;
      fillPolicies(message.policies, message.view?.policy ?? message.policies[0].id);
      at("missing").textContent = message.missing;
      for (const name of ["live", "batch"]) at(name).hidden = Boolean(message.missing);
      at("missing").hidden = !message.missing;
      state("idle");
      if (message.missing) { at("run").disabled = true; return; }
      begun(message.view);
    },

    scene({ start, pictures }) {
      if (start !== Number(at("start").value)) return;
      cameras.scene(pictures);
      cameras.show(clock.time());
    },

    sketch(message) { opened(message, false); },

    policy(message) {
      rest();
      opened(message, true);
      if (wanted) run();
    },

    progress,

    timed(message) {
      rest();
      latency.timed(message);
    },

    frames({ frames }) {
      progress(null);
      for (const frame of frames) {
        cameras.add(frame.lane, frame);
        timeline.add(frame.lane, frame);
      }
      clock.reach(Math.min(...frames.map(({ t }) => t)));
      measureSeek();
      if (!clock.playing() && loop.dataset.state === "running" && !still()) clock.play();
    },

    report({ lanes: found, how, frames }) {
      rest();
      for (const frame of frames) cameras.add(frame.lane, frame);
      found.forEach((lane) => {
        timeline.replace(lane.lane, lane.trace, lane.headline);
        clock.reach(lane.trace.depth.length / Number(at("fps").value));
      });
      clock.finish();
      measureSeek();
      setOutcome(at("outcome"), ran, found, expected);
      at("how").textContent = how;
      if (still()) clock.seek(clock.end());
    },

    failed() {
      wanted = false;
      rest();
      clock.finish();
      if (!lanes.ready()) lanes.wait("No policy is open: choose another, or press Run to try again.");
    },

    ...batchHears,
  };

  function begun(view) {
    fillSelect(at("start"), setting.starts, view.start);
    fillSelect(at("fps"), setting.rates, view.fps);
    fillSelect(at("threshold"), setting.thresholds, view.threshold);
    at("seed").value = view.seed;
    lanes.view(view.lanes);
    latency.load(setting.marks, null);
    latency.put(view.latency);
    latency.want(view.board, view.lanes[0].variant);
    trigger("show_start", { start: view.start });
    lay();
    if (view.open) openPolicy(view.lanes.map(({ variant }) => variant));
    else lanes.wait(`Press Run to fetch and prepare ${view.policy}.`);
  }

  function opened({ family, strips, modes, actions }, ready) {
    policy = { family, actions };
    lanes.load(strips, modes, ready);
    latency.load(setting.marks, family);
    element.querySelector(".seed").hidden = !strips[0].takesNoise;
    lay();
    settle();
  }

  function openPolicy(variants = []) {
    if (!source()) return at("source").focus();
    lanes.wait("Preparing the policy…");
    begin("opening");
    trigger("open_loop", { run: running, source: source(), variants: [variants[0] ?? "", variants[1] ?? variants[0] ?? ""] });
  }

  function begin(name) {
    running = newId();
    halted = null;
    state(name);
  }

  function rest() {
    running = halted = null;
    state("idle");
    progress(null);
  }

  // The frame of a run with nothing in it: cameras at the start, the timeline as it is expected.
  function lay() {
    const labels = lanes.labels();
    cameras.load(labels, ["top", "gripper", "left"], setting.main);
    timeline.load(labels, Number(at("fps").value));
    clock.pause();
    clock.begin();
    clock.finish();
    measureSeek();
    at("outcome").replaceChildren();
    at("how").textContent = "";
  }

  function change() {
    if (loop.dataset.state === "running") stop();
    lay();
    settle();
  }

  function run() {
    if (!lanes.ready()) {
      wanted = true;
      at("run").disabled = true;
      if (loop.dataset.state === "idle") openPolicy(lanes.chosen().map(({ variant }) => variant));
      return;
    }
    if (loop.dataset.state !== "idle") return;
    wanted = false;
    lay();
    settle();
    begin("running");
    ran = lanes.labels();
    clock.begin();
    progress({ text: "Starting…", fraction: null });
    trigger("run_loop", { run: running, policy: source(), start: Number(at("start").value), fps: Number(at("fps").value), threshold: Number(at("threshold").value), latency: latency.ms(), seed: Number(at("seed").value) || 0, lanes: lanes.chosen() });
  }

  function stop() {
    const name = loop.dataset.state;
    if (name !== "running" && name !== "opening") return;
    const stopped = running;
    wanted = false;
    rest();
    halted = stopped;
    clock.finish();
    if (!lanes.ready()) lanes.wait("Stopped. Press Run to prepare the policy.");
    trigger("stop_loop", { run: stopped });
  }

  function measureHere() {
    if (!lanes.ready() || loop.dataset.state !== "idle") return;
    begin("running");
    progress({ text: "Timing some inferences on this machine", fraction: null });
    trigger("time_loop", { run: running, policy: source(), variant: lanes.chosen()[0].variant });
  }

  const still = () => element.offsetParent === null || matchMedia("(prefers-reduced-motion: reduce)").matches;

  function onTime(t) {
    cameras.show(t);
    timeline.moveCursor(t);
    at("seek").value = t;
    at("seek").setAttribute("aria-valuetext", seconds(t));
    at("time").textContent = clock.end() ? `${fixed(t, 1)} / ${fixed(clock.end(), 1)} s` : "not run yet";
  }

  function measureSeek() {
    at("seek").max = Math.max(clock.end(), 0.1);
    at("seek").disabled = at("play").disabled = clock.end() === 0;
    onTime(clock.time());
  }

  function onPlaying(playing) {
    at("play").setAttribute("aria-label", playing ? "Pause" : "Play");
    at("play").dataset.playing = playing;
  }

  function openStart(number) {
    if (loop.dataset.state === "running") stop();
    at("start").value = number;
    lay();
    remember();
    trigger("show_start", { start: Number(number) });
  }

  function move(by) {
    const next = at("start").options[at("start").selectedIndex + by];
    if (next) openStart(next.value);
  }

  // Asks what the latency means; while an answer is on its way only the newest question counts.
  async function settle() {
    remember();
    if (!policy) return;
    if (asking) { again = true; return; }
    asking = true;
    const found = await server.weigh(question()).finally(() => { asking = false; });
    if (again) { again = false; settle(); }
    if (!policy) return; // another policy was chosen meanwhile
    setVerdict(at("verdict"), found);
    if (found.problem || found.lanes.length !== lanes.chosen().length) return;
    expected = found.lanes;
    latency.foretell(found.predicted[0]);
    latency.onBoards(found.boards);
    if (loop.dataset.state === "running") return;
    timeline.expect(found.lanes, lanes.chosen().map(({ mode }) => policy.actions[mode]), span());
  }

  function span() {
    const cycle = latency.ms() / 1000 + policy.actions.async / Number(at("fps").value);
    return Math.min(60, Math.max(12, Math.ceil(2.4 * cycle)));
  }

  function question() {
    const asked = lanes.chosen().map(({ mode, variant }) => ({ mode, variant, actions: policy.actions[mode] }));
    return { latency: latency.ms(), fps: Number(at("fps").value), threshold: Number(at("threshold").value), chunk: policy.actions.async, window: span(), policy: source(), lanes: asked };
  }

  function remember() {
    const named = lanes.chosen().map(({ mode, variant }) => (variant ? `${mode}:${variant}` : mode));
    link.update({ tab: "loop", policy: source(), lane: named[0], beside: named[1] ?? null, start: at("start").value, fps: at("fps").value, threshold: at("threshold").value, latency: latency.ms(), seed: Number(at("seed").value) || null });
  }

  at("run").addEventListener("click", run);
  at("stop").addEventListener("click", stop);
  at("play").addEventListener("click", () => clock.toggle());
  at("seek").addEventListener("input", () => { clock.pause(); clock.seek(Number(at("seek").value)); });
  at("link").addEventListener("click", () => { remember(); link.copy(at("link")); });
  at("start").addEventListener("change", () => openStart(at("start").value));
  for (const name of ["fps", "threshold"]) at(name).addEventListener("change", change);
  at("seed").addEventListener("change", remember);
  at("policy").addEventListener("change", () => {
    stop();
    policy = null;
    latency.timed(null);
    if (namesPlace()) { lanes.wait("Name a checkpoint folder or a Hub id, then press Enter."); at("source").focus(); }
    else openPolicy();
  });
  at("source").addEventListener("keydown", (event) => { if (event.key === "Enter") { stop(); openPolicy(); } });
  document.addEventListener("vla-tab", ({ detail }) => { if (detail === "loop") remember(); else clock.pause(); });
  new ResizeObserver(() => { timeline.redraw(); timeline.moveCursor(clock.time()); }).observe(element);
  new MutationObserver(timeline.redraw).observe(document.body, { attributes: true, attributeFilter: ["class"] }); // light and dark
  listenForKeys(element, { player: clock, move, stop });
  listen({ props, watch }, receive, accepts);
}
