// What is to run: a policy, a precision for each of its stages, the mode of its loop, and for a policy that reads one the sentence.

import { fillSelect } from "../shared/dom.js";
import { createStrip } from "../shared/strip.js";
import { newId } from "../shared/work.js";

export function createChoice({ at, source, onOpen }) {
  const stages = createStrip(at("stages"), () => {});
  let opening = null; // id of the question that is on its way

  function open() {
    if (!source()) { wait("Name a checkpoint folder or a Hub id, then press Enter."); return at("source").focus(); }
    wait("Opening the policy…");
    opening = newId();
    onOpen(opening, source());
  }

  function wait(text) {
    opening = null;
    stages.wait(text);
  }

  function opened({ policy, modes, reads }) {
    opening = null;
    stages.load(policy, true);
    fillSelect(at("mode"), modes.filter(({ problem }) => !problem).map(({ mode, label }) => ({ value: mode, label })), "async");
    at("mode").title = modes.map(({ label, about }) => `${label}: ${about}`).join(" ");
    at("sentence").hidden = !reads;
  }

  at("policy").addEventListener("change", open);
  at("source").addEventListener("keydown", (event) => { if (event.key === "Enter") open(); });
  return {
    open, wait, opened,
    expects: (run) => run === opening,
    ready: stages.ready,
    variant: () => stages.variant(),
    how: () => ({ mode: at("mode").value, instruction: at("sentence").hidden ? "" : at("instruction").value.trim() }),
  };
}
