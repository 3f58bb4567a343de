// What is to run: a policy, a precision for each of its stages, the mode of its loop, and for a policy that reads one the sentence.

import { createControls } from "../shared/controls.js";
import { fillSelect, scope } from "../shared/dom.js";
import { StageStrip } from "../shared/strip.js";
import { Work } from "../shared/work.js";

/** @import { ChoiceMessages } from "./messages" */
/** @import { View } from "../shared/messages" */
/** @import { Problem } from "./problem.js" */

export class Choice {
  /** @param {HTMLElement} element @param {View["trigger"]} trigger @param {{ problem: Problem, buttons: () => void }} robot */
  constructor(element, trigger, robot) {
    this.at = scope(element);
    this.robot = robot;
    this.stages = new StageStrip(this.at("stages"), () => {});
    this.controls = createControls(element, this);
    this.work = new Work({ trigger, show: () => {} });
  }

  /** @type {ChoiceMessages} */
  receive = {
    progress: (message) => this.controls.progress(message),

    choice: ({ policy, modes, reads }) => {
      const { at } = this;
      const usable = modes.filter(({ problem }) => !problem).map(({ mode, label }) => ({ value: mode, label }));
      this.work.rest();
      this.controls.progress(null);
      this.stages.load(policy, true);
      fillSelect(at("mode"), usable, "async");
      at("mode").title = modes.map(({ label, about }) => `${label}: ${about}`).join(" ");
      at("sentence").hidden = !reads;
      this.robot.buttons();
    },

    failed: ({ why }) => {
      this.robot.problem.complain(why);
      this.controls.progress(null);
      this.wait("No policy is open: choose another.");
    },
  };

  openPolicy() {
    this.stages.wait("Opening the policy…");
    this.work.begin("opening", "choose_robot", { source: this.controls.source() });
    this.robot.buttons(); // nothing can be sent until it is open
  }

  wait(text) {
    this.work.rest();
    this.stages.wait(text);
    this.robot.buttons();
  }

  get ready() {
    return this.stages.ready;
  }

  /** What is to be sent to the board. */
  sent() {
    return { source: this.controls.source(), variant: this.stages.variant };
  }

  /** How the task is to be started. */
  how() {
    const { at } = this;
    return { mode: at("mode").value, instruction: at("sentence").hidden ? "" : at("instruction").value.trim() };
  }
}
