// The steps to a task, and what the sentence under the buttons says at each.

/** @import { News } from "./messages" */

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

/** @param {News | null} news null while there is none */
export function nextStep(news) {
  if (!news) return "silent";
  if (!news.mine) return news.holder ? "watch" : "free";
  if (news.state === "running") return "running";
  if (!news.loaded) return "load"; // also when another page sent what is there
  return news.state === "ready" ? "start" : "reset";
}

/** The reason in full: the lamp has room for two lines of it. @param {News | null} news */
export function sentence(news) {
  const step = nextStep(news);
  if (!news) return SENTENCES[step];
  const why = news.reason.replace(/\.$/, "");
  if (news.state === "fault") return `Fault: ${why}. ${news.mine ? "Mend it, then check and reset." : SENTENCES[step]}`;
  if (step === "load" && news.cells[0].value !== "–") return SENTENCES.resend;
  return step === "reset" ? `Stopped: ${why}. ${SENTENCES.reset}` : SENTENCES[step];
}
