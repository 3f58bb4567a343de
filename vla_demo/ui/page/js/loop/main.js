// The Closed loop tab: lets one or two lanes act in the twin under a latency, shows it while it happens, and the batch below it. It speaks with
// the server as the Replay tab does.

const link = createLink(["tab", "policy", "lane", "beside", "start", "fps", "threshold", "latency", "seed"]);
const cameras = createCameras(at("cams"));
const clock = createClock(onTime, onPlaying);
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
let ran = []; // labels of the lanes on show, as they were when the run began

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

function onMessage() {
  const message = newest();
  if (!isNews(message)) return;
  const welcome = !message.run || message.run === running || (message.run === halted && message.kind === "report") || message.kind in batchHears;
  if (welcome) receive[message.kind]?.(message);
}

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
  running = crypto.randomUUID?.() ?? String(Math.random()); // no randomUUID over plain http from another machine
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
listenForKeys({ player: clock, move, stop });
watch("value", onMessage);
onMessage(); // what there is was said when the page was loaded
