// The Robot tab. Connecting and loading are spoken of with the server as in the other tabs; news, Stop and the short commands are asked directly.
// It asks for the newest again and again, one question at a time: nothing can queue, and the questions tell that somebody is here.

import { createControls } from "../shared/controls.js";
import { fillSelect, make, scope } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { listen, newId } from "../shared/work.js";
import { listBoards, rememberBoard } from "./boards.js";
import { createChecks } from "./checks.js";
import { createChoice } from "./choice.js";
import { createEpisodes } from "./episodes.js";
import { createJudge } from "./judge.js";
import { setRates } from "./rates.js";
import { createStatus } from "./status.js";
import { createFocus, nextStep, sentence } from "./steps.js";
import { createTakeover } from "./takeover.js";
import { question } from "./talk.js";
import { createLiveTraces } from "./traces.js";

const EVERY = 100; // ms between two questions

export default function start({ element, props, trigger, watch, server }) {
  const at = scope(element);
  const { fillPolicies, source, progress } = createControls(element);
  const link = createLink(element, ["tab"]);
  const strip = createStatus(at, stop);
  const choice = createChoice({ at, source, onOpen: (run, name) => trigger("choose_robot", { run, source: name }) });
  const traces = createLiveTraces(at("traces"));
  const lease = createTakeover(at("take"), command);
  const checks = createChecks(at, () => ask("checks"), () => command("reset"));
  const focus = createFocus(element, at);
  const judge = createJudge(at, command, () => { tabulate(); episodes.refresh(); });
  const episodes = createEpisodes({ at, ask, complain, remark, download: (ids) => {
    begin("Fetching the episodes");
    trigger("download_episodes", { run: running, key: board.key, ids });
  } });
  const robot = element.querySelector(".robot");
  let setting = null;
  let board = null; // {key, simulated, cameras}
  let news = null;
  let tick = 0;
  let seen = 0;
  let running = null; // id of the long work that goes on
  let troubled = false; // the last answer was that there is none
  let address = ""; // that is being connected to

  const receive = {
    setting(message) {
      setting = message;
      fillPolicies(message.policies, message.policies[0].id);
      fillSelect(at("starts"), message.starts, message.starts[0].value);
      at("about").textContent = message.about;
      at("missing").textContent = message.hosted;
      at("missing").hidden = !message.hosted;
      at("connect").hidden = Boolean(message.hosted);
      robot.dataset.state = "off";
      listBoards(at);
      if (!message.hosted) choice.open();
    },

    progress,

    choice(message) {
      progress(null);
      choice.opened(message);
      buttons();
    },

    connected(message) {
      rest();
      board = message;
      tick = seen = 0;
      news = null;
      if (address) rememberBoard(at, address);
      at("token").value = "";
      at("greeting").textContent = message.greeting;
      at("desk").hidden = !message.simulated;
      at("starts").selectedIndex = 0; // as a simulated board begins
      traces.load(message.joints);
      at("views").replaceChildren(...message.cameras.map((camera) => make("figure", { "data-camera": camera }, make("img", { alt: `${camera} camera` }), make("figcaption", {}, camera))));
      lay(true);
      tabulate();
      episodes.open();
      follow(message.key);
    },

    loaded() { focus.loaded(); rest(); },

    downloaded(message) { rest(); episodes.downloaded(message); },

    failed({ what, why }) {
      complain(why);
      focus.failed();
      if (what === "choice") choice.wait("No policy is open: choose another.");
      rest();
    },
  };

  function begin(text) {
    running = newId();
    complain("");
    progress({ text, fraction: null });
    buttons();
  }

  function rest() {
    running = null;
    progress(null);
    buttons();
  }

  let complaint = ""; // the code of what is on show

  function complain(text, code = "") {
    complaint = code;
    at("problem").textContent = text;
    at("problem").hidden = !text;
  }

  const unstopped = () => complaint === "unstopped"; // stays on show until news comes again

  // Of what nobody asked for just now.
  function remark(text) {
    if (text && !unstopped()) complain(text);
  }

  function lay(connected) {
    robot.dataset.state = connected ? "on" : "off";
    at("connect").hidden = connected;
    at("status").hidden = at("work").hidden = !connected;
    buttons();
  }

  function ask(what, more = {}) {
    return question(server, what, { key: board?.key ?? "", ...more });
  }

  async function command(verb, more = {}) {
    const { problem } = await ask("command", { verb, ...more });
    complain(problem);
    return !problem;
  }

  async function tabulate() {
    const found = await ask("rates");
    if (found.problem) remark(found.problem);
    else setRates(at("rates"), found);
  }

  // Until another connection is made.
  async function follow(key) {
    while (board?.key === key && element.isConnected) {
      const asked = performance.now();
      const answer = await ask("watch", { tick, seen });
      if (board?.key !== key) return;
      if (answer.problem) await trouble(answer);
      else hear(answer);
      await new Promise((done) => setTimeout(done, Math.max(EVERY - (performance.now() - asked), 10)));
    }
  }

  function hear(answer) {
    if (troubled) { troubled = false; complain(""); }
    news = answer;
    tick = answer.ticks.number || tick;
    seen = answer.seen;
    strip.show(answer);
    traces.add(answer.ticks, answer.chunk, answer.state === "running");
    for (const [camera, jpeg] of Object.entries(answer.pictures)) at("views").querySelector(`[data-camera="${camera}"] img`).src = `data:image/jpeg;base64,${jpeg}`;
    buttons();
  }

  async function trouble({ problem, code }) {
    troubled = true;
    const over = code === "connection-closed";
    (over ? complain : remark)(problem);
    silence();
    if (over) leave();
    else await new Promise((done) => setTimeout(done, 500));
  }

  // What was heard last may not be true any more.
  function silence() {
    strip.age();
    if (!board || !(troubled || (news && strip.silent()))) return;
    strip.lamp("unknown", "no news of the board");
    buttons();
  }

  function buttons() {
    const on = Boolean(board && news && !troubled && !strip.silent());
    const mine = on && news.mine;
    const still = on && news.state !== "running";
    at("simulated").disabled = at("open").disabled = Boolean(running);
    at("load").disabled = Boolean(running) || !mine || !still || !choice.ready();
    at("arm").disabled = Boolean(running) || !mine || !still || !news.loaded || news.state === "ready";
    at("start").disabled = Boolean(running) || !mine || news.state !== "ready" || !news.loaded;
    at("pause").disabled = !mine || still;
    at("starts").disabled = at("set").disabled = Boolean(running) || !mine || !still;
    judge.show(on ? news.judge : null);
    lease.show(on && !mine, on ? news.holder : "");
    if (on) episodes.hear(news, !running);
    const next = board && news ? sentence(on ? news : null) : "";
    if (at("next").textContent !== next) at("next").textContent = next;
    focus.hear(board ? nextStep(on ? news : null) : "connect", news);
  }

  async function stop() {
    if (!board) return;
    const pressed = performance.now();
    const { problem } = await ask("stop");
    if (problem) complain(`Stop did not reach the board: ${problem.replace(/([^.?])$/, "$1.")} If the arm moves, cut its power.`, "unstopped");
    else if (unstopped()) complain("");
    if (!problem) at("lamp").title = `Stop was answered after ${Math.round(performance.now() - pressed)} ms`;
  }


  function leave() {
    if (board) server.command({ key: board.key, verb: "leave" }).catch(() => {});
    board = news = null;
    troubled = false;
    strip.clear();
    checks.close();
    episodes.close();
    rest();
    lay(false);
  }

  at("simulated").addEventListener("click", () => {
    address = "";
    begin("Starting the simulated board");
    trigger("open_simulated", { run: running });
  });
  at("form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) return;
    address = at("address").value.trim();
    begin(`Connecting to ${address}`);
    trigger("open_board", { run: running, address, token: at("token").value, certificate: at("certificate").value });
  });
  at("load").addEventListener("click", () => {
    begin("Preparing the policy");
    trigger("load_robot", { run: running, key: board.key, source: source(), variant: choice.variant() });
  });
  at("arm").addEventListener("click", async () => complain(await checks.open(board.simulated)));
  at("start").addEventListener("click", () => command("start", choice.how()));
  at("pause").addEventListener("click", () => command("pause"));
  for (const [name, event] of [["starts", "change"], ["set", "click"]]) at(name).addEventListener(event, () => command("rearrange", { start: at("starts").value }));
  at("halt").addEventListener("click", stop); // a dialog makes everything under it deaf
  at("leave").addEventListener("click", () => { leave(); complain(""); });
  // Wherever one is on the page: Esc stops. A dialog closes by it as well.
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && element.isConnected) stop(); });
  // Nobody drives what they do not see.
  document.addEventListener("vla-tab", ({ detail }) => {
    if (detail === "robot") link.update({ tab: "robot" });
    else if (news?.mine && news.state === "running") stop();
  });
  setInterval(silence, 200);
  if (document.body.dataset.tab === "robot") link.update({ tab: "robot" });
  listen({ props, watch }, receive, ({ run }) => run === running || choice.expects(run));
}
