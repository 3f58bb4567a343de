// What the strip says under a stage and under the actions: bytes, milliseconds, and what was proved of the graph that ran.

import { make, part } from "./dom.js";
import { megabytes, milliseconds } from "./format.js";

/** @import { MeasuredRun, MeasuredStage, Stage } from "./messages" */

const fact = (value, rest = "") => make("span", {}, make("b", {}, value), rest ? ` ${rest}` : "");

function speed(times) {
  const slow = times < 0.95;
  return make(
    "span",
    { class: slow ? "slow" : "" },
    make("b", {}, `${times.toFixed(1)}×`),
    slow ? " FP32: slower here" : " as fast as FP32",
  );
}

/** The two lines under a stage: facts, proof. @param {Stage} stage @param {MeasuredStage | undefined} found */
export function stageFacts(stage, found) {
  if (!found) return [[stage.bytes ? fact(megabytes(stage.bytes), "in FP32") : "being prepared"], []];
  const facts = [fact(megabytes(found.bytes)), fact(milliseconds(found.ms)), ...(found.speed ? [speed(found.speed)] : [])];
  return [facts, found.proof.map(([text, title]) => make("span", { title: title || null }, text))];
}

/** Whether a plan is there in time: `due` is in how many ms the next one must be. @param {HTMLElement} box @param {number} due @param {MeasuredRun | null} measured @param {boolean} fresh */
export function writeOutcome(box, due, measured, fresh) {
  const bar = part(box, ".bar");
  const line = part(box, ".facts");
  bar.hidden = !measured;
  line.classList.toggle("stale", !fresh);
  if (!measured) return line.replaceChildren("not measured yet");
  const share = measured.total / due;
  part(bar, "i").style.width = `${Math.min(share, 1) * 100}%`;
  bar.classList.toggle("late", share > 1);
  const time = fact(milliseconds(measured.total), `of ${milliseconds(due)} until the next is due`);
  line.replaceChildren(time, fact("", measured.source));
}
