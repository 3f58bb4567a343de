// The sentence that says what went wrong. That a Stop did not get through stays on show until news comes again.

/** @import { Part } from "../shared/elements" */

export class Problem {
  unstopped = false; // what is on show is that a Stop did not get through

  /** @param {Part} line */
  constructor(line) {
    this.line = line;
  }

  complain(text = "") {
    this.unstopped = false;
    this.line.textContent = text;
    this.line.hidden = !text;
  }

  /** Of what nobody asked for just now. @param {string} [text] */
  remark(text) {
    if (text && !this.unstopped) this.complain(text);
  }

  /** After a press of Stop. @param {string} [problem] */
  stopped(problem) {
    if (problem) this.complain(`Stop did not reach the board: ${problem.replace(/([^.?])$/, "$1.")} If the arm moves, cut its power.`);
    else if (this.unstopped) this.complain();
    this.unstopped = Boolean(problem);
  }
}
