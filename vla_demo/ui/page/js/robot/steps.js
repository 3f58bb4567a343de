// The steps to a task: what the sentence under the buttons says, and where the focus goes on when the button it was on is taken away.

const SENTENCES = {
  silent: "No news of the board. It stops the arm by itself; if the arm moves all the same, cut its power. Disconnect to connect anew.",
  load: "Send a policy to the board.",
  resend: "The policy on the board came from another page. Send one from here.",
  reset: "Check the facts and reset; nothing moves before you start the task.",
  start: "The arm is ready. It moves when you start the task.",
  running: "The arm acts. Stop is at the top, and the key Esc.",
  watch: "Somebody else commands this board. You watch, and you can stop it.",
  free: "Nobody commands this board. Take control to drive it.",
};

// `news`: null while there is none.
export function nextStep(news) {
  if (!news) return "silent";
  if (!news.mine) return news.holder ? "watch" : "free";
  if (news.state === "running") return "running";
  if (!news.loaded) return "load"; // also when another page sent what is there
  return news.state === "ready" ? "start" : "reset";
}

// The reason in full: the lamp has room for two lines of it.
export function sentence(news) {
  const step = nextStep(news);
  const why = news?.reason.replace(/\.$/, "");
  if (news?.state === "fault") return `Fault: ${why}. ${news.mine ? "Mend it, then check and reset." : SENTENCES[step]}`;
  if (step === "load" && news.cells[0].value !== "–") return SENTENCES.resend;
  return step === "reset" ? `Stopped: ${why}. ${SENTENCES.reset}` : SENTENCES[step];
}

// A button that is disabled or hidden loses the focus to the page. Then the next step's gets it, and only then; whoever has moved the
// focus themselves keeps it where it is.
export function createFocus(element, at) {
  const STEPS = ["simulated", "address", "token", "open", "take", "load", "arm", "start", "pause", "leave"];
  const usable = (node) => !node.disabled && node.offsetParent !== null;
  let held = null; // the step's button that has the focus, or had it when it was taken away
  let before = ""; // the step at which it still had it
  let now = "";
  let byKey = false; // a finger stays where it is, and so does what it sees

  function hear(step, news) {
    now = step;
    if (!held) return;
    if (step === "silent" || (document.activeElement === held && usable(held))) before = step;
    else if (step !== before) target(step, news)?.focus({ preventScroll: !byKey });
  }

  function target(step, news) {
    const node = step === "connect" ? (usable(held) ? held : at("simulated")) : next(step, news);
    return node && usable(node) ? node : null;
  }

  function next(step, news) {
    const from = held.dataset.at;
    if (["start", "pause"].includes(from) && step !== "running") return news?.moving ? null : at("judge").hidden ? at("arm") : at("succeeded");
    if (step === "start") return from === "arm" ? at("start") : null; // nobody who did not just reset finds themselves on it
    if (step === "running") return ["start", "pause"].includes(from) ? at("pause") : null;
    return { load: at("load"), reset: at("arm"), free: at("take") }[step];
  }

  document.addEventListener("keydown", () => { byKey = true; }, true);
  document.addEventListener("pointerdown", ({ target: node }) => {
    byKey = false;
    if (node !== held) held = null;
  }, true);
  document.addEventListener("focusin", ({ target: node }) => {
    held = STEPS.includes(node.dataset?.at) && element.contains(node) ? node : null;
    before = now;
  });
  // Enter that is still held down from the step before starts nothing.
  at("start").addEventListener("keydown", (event) => { if (event.repeat) event.preventDefault(); });
  return { hear, loaded: () => { before = "load"; }, failed: () => { before = ""; } };
}
