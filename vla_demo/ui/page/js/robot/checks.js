// The dialog before the arm is made ready: the facts as they are now, and a person's consent.

import { make } from "../shared/dom.js";

export function createChecks(at, ask, onConfirm) {
  const dialog = at("dialog");
  let fine = false;

  async function open(simulated) {
    const found = await ask();
    if (found.problem) return found.problem;
    fine = found.ok;
    at("facts").replaceChildren(...found.facts.flatMap(({ name, text, ok }) => [
      make("dt", { class: ok ? "ok" : "not" }, make("span", { "aria-hidden": "true" }, ok ? "✓" : "✗"), name, make("em", {}, ok ? "" : "not as it must be")), make("dd", {}, text)]));
    at("consent").checked = false;
    at("consent").disabled = !fine;
    at("consent-text").textContent = simulated
      ? "The robot is the simulated one: nothing can be hurt. I know that Stop is no emergency stop."
      : "I see the robot, nobody is within its reach, the switch that cuts its power is in mine, and I know that Stop is no emergency stop.";
    at("confirm").disabled = true;
    dialog.showModal();
    return "";
  }

  at("consent").addEventListener("change", () => { at("confirm").disabled = !(fine && at("consent").checked); });
  at("confirm").addEventListener("click", () => { dialog.close(); onConfirm(); });
  return { open, close: () => dialog.open && dialog.close() };
}
