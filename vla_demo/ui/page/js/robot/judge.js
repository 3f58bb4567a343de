// How the newest task ended, as a person sees it. Until the next one begins it can be corrected.

import { write } from "../shared/dom.js";

/** @import { Scope } from "../shared/elements" */

/** @param {Scope} at @param {{ command: (verb: string) => Promise<boolean>, onJudged: () => void }} robot */
export function createJudge(at, robot) {
  const buttons = { succeeded: at("succeeded"), missed: at("missed") };

  for (const [verb, button] of Object.entries(buttons)) {
    button.addEventListener("click", async () => {
      if (button.getAttribute("aria-pressed") === "true") return;
      await robot.command(verb);
      robot.onJudged();
    });
  }

  return {
    show(question) {
      at("judge").hidden = !question;
      if (!question) return;
      const { said } = question;
      const counted = `Counted as ${said ? "in the mug" : "missed"}; press the other to correct it.`;
      write(at("question"), said === null ? "The task has ended. Is the bag in the mug?" : counted);
      buttons.succeeded.setAttribute("aria-pressed", String(said === true));
      buttons.missed.setAttribute("aria-pressed", String(said === false));
    },
  };
}
