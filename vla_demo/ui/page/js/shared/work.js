// What a tab hears from the server, and the names of the work it asks for.

export const newId = () => crypto.randomUUID?.() ?? String(Math.random()); // no randomUUID over plain http from another machine

/**
 * Hands every message of the server to `receive[kind]`, once: Gradio repeats the last message of a stream when the stream ends, which may be
 * after another stream has spoken. A message comes as text: of a value with lists in it Gradio sends what changed since the last, and loses
 * count when inner lists shrink. `accepts` says which messages of a piece of work (`run`) are still welcome.
 */
export function listen({ props, watch }, receive, accepts) {
  const heard = new Set();
  function hear() {
    const message = props.value ? JSON.parse(props.value) : null;
    if (!message?.kind || heard.has(message.number)) return;
    heard.add(message.number);
    if (!message.run || accepts(message)) receive[message.kind]?.(message);
  }
  watch("value", hear);
  hear(); // what was said before this tab was opened
}
