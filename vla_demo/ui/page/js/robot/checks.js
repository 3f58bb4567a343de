// The dialog before the arm is made ready: the facts as they are now, and a person's consent.

import { make } from "../shared/dom.js";

/** @import { Scope } from "../shared/elements" */
/** @import { Checks } from "./messages" */
/** @import { Answer } from "../shared/messages" */

const SIMULATED = "The robot is the simulated one: nothing can be hurt. I know that Stop is no emergency stop.";
const REAL =
  "I see the robot, nobody is within its reach, the switch that cuts its power is in mine, and I know that Stop is no emergency stop.";

/** @param {Scope} at @param {{ ask: (what: string) => Promise<Answer<Checks>>, command: (verb: string) => void }} robot */
export function createChecks(at, robot) {
  const dialog = at("dialog");

  /** Says what hinders it, if anything does. */
  async function open(simulated) {
    const found = await robot.ask("checks");
    if (found.problem) return found.problem;
    at("facts").replaceChildren(...found.facts.flatMap(factNodes));
    at("consent").checked = false;
    at("consent").disabled = !found.ok;
    at("consent-text").textContent = simulated ? SIMULATED : REAL;
    at("confirm").disabled = true;
    dialog.showModal();
    return "";
  }

  at("consent").addEventListener("change", () => {
    at("confirm").disabled = !at("consent").checked;
  });
  at("confirm").addEventListener("click", () => {
    dialog.close();
    robot.command("reset");
  });
  return { open, close: () => dialog.open && dialog.close() };
}

function factNodes({ name, text, ok }) {
  const mark = make("span", { "aria-hidden": "true" }, ok ? "✓" : "✗");
  return [make("dt", { class: ok ? "ok" : "not" }, mark, name, make("em", {}, ok ? "" : "not as it must be")), make("dd", {}, text)];
}
