// What a tab hears from the server, and the work it asks for.

/** @import { Message, Receive, View } from "./messages" */

/**
 * Hands every message of the server to the `receive[kind]` of those whose work it belongs to, once: Gradio repeats the last message of a stream when the
 * stream ends, which may be after another stream has spoken. A message comes as text: of a value with lists in it Gradio sends what changed
 * since the last, and loses count when inner lists shrink. A message with a `run` belongs to a piece of work, and is dropped when it is late.
 * @param {Pick<View, "props" | "watch">} view
 * @param {...{ receive: Receive, work: Work }} hearers
 */
export function listen({ props, watch }, ...hearers) {
  const heard = new Set();
  function hear() {
    const message = props.value ? JSON.parse(props.value) : null;
    if (!message?.kind || heard.has(message.number)) return;
    heard.add(message.number);
    for (const { receive, work } of hearers) if (!message.run || work.accepts(message)) receive[message.kind]?.(message);
  }
  watch("value", hear);
  hear(); // what was said before this tab was opened
}

/** One piece of work at a time that the server does for this page. It knows nothing of what the work is. */
export class Work {
  state = "loading";
  /** @type {string | null} */ #run = null;
  /** @type {string | null} */ #halted = null; // a run that was just stopped: its report is still welcome
  #trigger;
  #stopEvent;
  #show;

  /** @param {{ trigger: View["trigger"], stopEvent?: string, show: (state: string) => void }} parts */
  constructor({ trigger, stopEvent, show }) {
    this.#trigger = trigger;
    this.#stopEvent = stopEvent;
    this.#show = show;
  }

  /** Whether a message of a piece of work is this one's. @param {Message} message */
  accepts({ run, kind }) {
    return run === this.#run || (run === this.#halted && kind === "report");
  }

  get busy() {
    return this.#run !== null;
  }

  /** Asks the server for `event`. */
  begin(state, event, parts = {}) {
    this.#run = crypto.randomUUID?.() ?? String(Math.random()); // no randomUUID over plain http from another machine
    this.#halted = null;
    this.#turn(state);
    this.#trigger(event, { run: this.#run, ...parts });
  }

  /** The work has ended, or there never was any. */
  rest() {
    this.#run = this.#halted = null;
    this.#turn("idle");
  }

  /** Ends the work from here; says which state it was in, or nothing where there was none. */
  stop() {
    if (!this.#run) return null;
    const { state } = this;
    this.#halted = this.#run;
    this.#run = null;
    this.#turn("idle");
    if (this.#stopEvent) this.#trigger(this.#stopEvent, { run: this.#halted });
    return state;
  }

  #turn(state) {
    this.state = state;
    this.#show(state);
  }
}
