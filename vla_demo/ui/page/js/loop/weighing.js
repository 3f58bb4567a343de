// Asks the server what a latency means, and shows the answer: the verdict, what is foretold, and the timeline as it is expected.

import { setVerdict } from "./outcome.js";

/** @import { Scope } from "../shared/elements" */
/** @import { Expected, LoopPolicy } from "./messages" */
/** @import { View } from "../shared/messages" */
/** @import { Latency } from "./latency.js" */
/** @import { Settings } from "./settings.js" */
/** @import { createTimeline } from "./timeline.js" */

/** Questions that follow a hand on a slider: one at a time, and of those that pile up meanwhile only the newest. */
export function askNewest(ask, onAnswer) {
  let asking = false;
  let again = false;
  return async function question() {
    again = asking;
    if (asking) return;
    asking = true;
    const answer = await ask().finally(() => {
      asking = false;
    });
    if (again) question();
    onAnswer(answer);
  };
}

export class Weighing {
  /** @type {LoopPolicy | null} */ policy = null; // what is open
  /** @type {Expected[]} */ expected = []; // of each lane, as last weighed
  #parts;
  #ask;

  /** @param {{ at: Scope, server: View["server"], settings: Settings, latency: Latency, timeline: ReturnType<createTimeline>, isRunning: () => boolean }} parts */
  constructor(parts) {
    this.#parts = parts;
    this.#ask = askNewest(
      () => parts.server.weigh(this.#question()),
      (verdict) => this.#show(verdict),
    );
  }

  /** The settings are others. */
  settle() {
    this.#parts.settings.remember();
    if (this.policy) this.#ask();
  }

  #actions = (mode) => this.policy?.actions[mode] ?? 1;

  /** Seconds that show two and a half cycles of thinking and acting. */
  #span() {
    const { latency, fps } = this.#parts.settings.values();
    return Math.min(60, Math.max(12, Math.ceil(2.4 * (latency / 1000 + this.#actions("async") / fps))));
  }

  #question() {
    const { lanes, seed, ...values } = this.#parts.settings.values();
    const asked = lanes.map(({ mode, variant }) => ({ mode, variant, actions: this.#actions(mode) }));
    return { ...values, chunk: this.#actions("async"), window: this.#span(), lanes: asked };
  }

  #show(verdict) {
    const { at, settings, latency, timeline, isRunning } = this.#parts;
    const { lanes } = settings.values();
    if (!this.policy) return; // another policy was chosen meanwhile
    setVerdict(at("verdict"), verdict);
    if (verdict.problem || verdict.lanes.length !== lanes.length) return;
    this.expected = verdict.lanes;
    latency.foretell(verdict.predicted[0]);
    latency.offer(verdict.boards);
    if (isRunning()) return;
    const chunks = lanes.map(({ mode }) => this.#actions(mode));
    timeline.expect(verdict.lanes, chunks, this.#span());
  }
}
