// How the newest task ended, as a person sees it. Until the next one begins it can be corrected.

export function createJudge(at, command, done) {
  const buttons = { succeeded: at("succeeded"), missed: at("missed") };

  // `question`: {said: true, false or null}, or null while there is nothing to judge.
  function show(question) {
    at("judge").hidden = !question;
    if (!question) return;
    const { said } = question;
    const text = said === null ? "The task has ended. Is the bag in the mug?" : `Counted as ${said ? "in the mug" : "missed"}; press the other to correct it.`;
    if (at("question").textContent !== text) at("question").textContent = text;
    buttons.succeeded.setAttribute("aria-pressed", said === true);
    buttons.missed.setAttribute("aria-pressed", said === false);
  }

  for (const [verb, button] of Object.entries(buttons)) button.addEventListener("click", async () => {
    if (button.getAttribute("aria-pressed") === "true") return;
    await command(verb);
    done();
  });
  return { show };
}
