// Keyboard: Space plays, arrows step and change the episode, Escape stops a run. A control that has its own use for a key keeps it.

import { part } from "./dom.js";

/** @import { Clock } from "./elements" */

const PLAYS = "button, select, input:not([type=range]), textarea, a, summary, [contenteditable]";
const STEPS = "select, input:not([data-at=seek]), textarea, [contenteditable], [role=tab]";

/** @param {HTMLElement} element @param {Clock} clock @param {{ move: (by: number) => void, stop: () => void }} tab */
export function listenForKeys(element, clock, tab) {
  /** @type {Record<string, (event: KeyboardEvent) => void>} */
  const actions = {
    " ": () => clock.toggle(),
    ArrowLeft: (event) => clock.step(event.shiftKey ? -30 : -1),
    ArrowRight: (event) => clock.step(event.shiftKey ? 30 : 1),
    ArrowUp: () => tab.move(-1),
    ArrowDown: () => tab.move(1),
    Escape: () => tab.stop(),
  };

  const bar = part(element, '[data-at="play"]'); // without it on show there is nothing to play

  function press(event) {
    if (!element.isConnected) return document.removeEventListener("keydown", press);
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || bar.offsetParent === null) return;
    if (/** @type {Element} */ (event.target).closest?.(event.key === " " ? PLAYS : STEPS)) return;
    event.preventDefault();
    action(event);
  }

  document.addEventListener("keydown", press);
  giveFocusBack(element);
}

/** What was clicked with a pointer gives its focus back: Space after a click on Run plays and pauses, it does not run again. */
function giveFocusBack(element) {
  let pointed = false; // whether a list was opened with a pointer: choosing in it with keys keeps the focus there
  for (const name of ["pointerdown", "keydown"]) {
    element.addEventListener(name, () => {
      pointed = name === "pointerdown";
    });
  }
  element.addEventListener("change", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (pointed && target.matches("select.precision")) target.blur();
  });
  element.addEventListener("pointerup", () =>
    setTimeout(() => {
      const focused = /** @type {HTMLElement} */ (document.activeElement);
      if (element.contains(focused) && focused.matches("button, input[type=radio], input[type=range]")) focused.blur();
    }),
  );
}
