// The Robot tab. Connecting and loading are spoken of with the server as in the other tabs; news, Stop and the short commands are asked directly.

import { notYet } from "../shared/controls.js";
import { onClick, part, scope, write } from "../shared/dom.js";
import { createLink } from "../shared/link.js";
import { listen, Work } from "../shared/work.js";
import { setButtons, showBoard, showPictures, showSetting } from "./board_view.js";
import { rememberBoard } from "./boards.js";
import { createChecks } from "./checks.js";
import { Choice } from "./choice.js";
import { Connection } from "./connection.js";
import { Episodes } from "./episodes.js";
import { Focus } from "./focus.js";
import { createJudge } from "./judge.js";
import { Problem } from "./problem.js";
import { setRates } from "./rates.js";
import { Status } from "./status.js";
import { nextStep, sentence } from "./steps.js";
import { createTakeover } from "./takeover.js";
import { createLiveTraces } from "./traces.js";

/** @import { RobotMessages } from "./messages" */
/** @import { View } from "../shared/messages" */

class Robot {
  address = ""; // that is being connected to

  /** @param {View} view */
  constructor({ element, props, trigger, watch, server }) {
    this.element = element;
    this.at = scope(element);
    const { at } = this;
    this.problem = new Problem(at("problem"));
    this.link = createLink(element, ["tab"]);
    this.connection = new Connection(server, this);
    this.choice = new Choice(element, trigger, this);
    this.work = new Work({ trigger, show: (state) => this.showWork(state) });
    this.status = new Status(at);
    this.traces = createLiveTraces(part(element, "canvas"));
    this.lease = createTakeover(at("take"), (verb) => this.command(verb));
    this.focus = new Focus(element, at);
    this.checks = createChecks(at, this);
    this.episodes = new Episodes(at, this);
    this.judge = createJudge(at, this);
    this.wire();
    listen({ props, watch }, this, this.choice);
  }

  wire() {
    const { at, choice, connection } = this;
    onClick(at, {
      simulated: () => this.connect("", "Starting the simulated board", "open_simulated"),
      load: () => this.begin("Preparing the policy", "load_robot", { key: connection.board?.key, ...choice.sent() }),
      arm: async () => this.problem.complain(await this.checks.open(connection.board?.simulated ?? false)),
      start: () => this.command("start", choice.how()),
      pause: () => this.command("pause"),
      set: () => this.rearrange(),
      stop: () => this.stop(),
      halt: () => this.stop(), // a dialog makes everything under it deaf
      leave: () => this.leave(""),
    });
    at("starts").addEventListener("change", () => this.rearrange());
    at("form").addEventListener("submit", (event) => {
      event.preventDefault();
      const address = at("address").value.trim();
      const secrets = { token: at("token").value, certificate: at("certificate").value };
      if (!this.work.busy) this.connect(address, `Connecting to ${address}`, "open_board", { address, ...secrets });
    });
    this.watchPage();
  }

  watchPage() {
    // Wherever one is on the page: Esc stops. A dialog closes by it as well.
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.element.isConnected) this.stop();
    });
    // Nobody drives what they do not see.
    document.addEventListener("vla-tab", ({ detail }) => {
      const { news } = this.connection;
      if (detail === "robot") this.link.update({ tab: "robot" });
      else if (news?.mine && news.state === "running") this.stop();
    });
    if (document.body.dataset.tab === "robot") this.link.update({ tab: "robot" });
    setInterval(() => this.silence(), 200);
  }

  /** @type {RobotMessages} */
  receive = {
    setting: (message) => {
      const { policies, hosted } = message;
      this.choice.controls.fillPolicies(message, policies[0]?.id ?? "");
      showSetting(this.at, message);
      part(this.element, ".robot").dataset.state = "off";
      if (!policies.length) this.choice.wait(notYet(""));
      else if (!hosted) this.choice.controls.openPolicy();
    },

    progress: (message) => this.choice.controls.progress(message),

    connected: (board) => {
      this.work.rest();
      if (this.address) rememberBoard(this.at, this.address);
      showBoard(this.at, board);
      this.traces.load(board.joints);
      this.connection.open(board, this.element);
      this.lay(true);
      this.tabulate();
      this.episodes.open();
    },

    loaded: () => {
      this.focus.loaded();
      this.work.rest();
    },

    downloaded: (message) => {
      this.work.rest();
      this.episodes.downloaded(message);
    },

    failed: ({ why }) => {
      this.problem.complain(why);
      this.focus.failed();
      this.work.rest();
    },
  };

  /** Long work. */
  begin(text, event, parts = {}) {
    this.problem.complain();
    this.choice.controls.progress({ text, fraction: null });
    this.work.begin("running", event, parts);
  }

  showWork(state) {
    if (state === "idle") this.choice.controls.progress(null);
    this.buttons();
  }

  connect(address, text, event, parts = {}) {
    this.address = address;
    this.begin(text, event, parts);
  }

  lay(connected) {
    part(this.element, ".robot").dataset.state = connected ? "on" : "off";
    this.at("connect").hidden = connected;
    this.at("status").hidden = this.at("work").hidden = !connected;
    this.buttons();
  }

  /** Whether it was done. */
  async command(verb, parts = {}) {
    const { problem } = await this.ask("command", { verb, ...parts });
    this.problem.complain(problem);
    return !problem;
  }

  ask(what, parts = {}) {
    return this.connection.ask(what, parts);
  }

  download(ids) {
    this.begin("Fetching the episodes", "download_episodes", { key: this.connection.board?.key, ids });
  }

  onJudged() {
    this.tabulate();
    this.episodes.refresh();
  }

  rearrange() {
    this.command("rearrange", { start: this.at("starts").value });
  }

  async tabulate() {
    const found = await this.ask("rates");
    if (found.problem) this.problem.remark(found.problem);
    else setRates(this.at("rates"), found);
  }

  onNews(news) {
    if (this.connection.troubled) this.problem.complain();
    this.connection.troubled = false;
    this.status.show(news);
    this.traces.add(news.ticks, news.chunk, news.state === "running");
    showPictures(this.at, news.pictures);
    this.buttons();
  }

  onTrouble({ problem = "", code }) {
    if (code === "connection-closed") return this.leave(problem);
    this.problem.remark(problem);
    this.silence();
  }

  /** Whether what was heard last is still true. */
  get heard() {
    return this.connection.troubled || this.status.silent() ? null : this.connection.news;
  }

  silence() {
    this.status.age();
    const { board, news, troubled } = this.connection;
    if (!board || !(troubled || (news && this.status.silent()))) return;
    this.status.lamp("unknown", "no news of the board");
    this.buttons();
  }

  buttons() {
    const { heard: news, connection } = this;
    const idle = !this.work.busy;
    setButtons(this.at, { news, idle, ready: this.choice.ready });
    this.judge.show(news?.judge ?? null);
    this.lease.show(news !== null && !news.mine, news?.holder ?? "");
    if (news) this.episodes.hear(news, idle);
    write(this.at("next"), connection.news ? sentence(news) : "");
    this.focus.follow(connection.board ? nextStep(news) : "connect", connection.news);
  }

  async stop() {
    if (!this.connection.board) return;
    const pressed = performance.now();
    const { problem } = await this.ask("stop");
    this.problem.stopped(problem);
    if (!problem) this.at("lamp").title = `Stop was answered after ${Math.round(performance.now() - pressed)} ms`;
  }

  /** @param {string} why */
  leave(why) {
    this.connection.leave();
    this.status.clear();
    this.checks.close();
    this.episodes.close();
    this.work.rest();
    this.problem.complain(why);
    this.lay(false);
  }
}

export default (/** @type {View} */ view) => new Robot(view);
