// A button that takes two presses within seconds. (A question of the browser's own would silence this page, and with it the link to the arm.)

import { write } from "../shared/dom.js";

const PATIENCE = 5000; // ms between the presses

/** Calls `act` at the second press; `onChange` when the first one counts, or counts no more. @param {() => void} act @param {() => void} onChange */
export function twoPresses(act, onChange) {
  let timer = 0;
  function doubt() {
    clearTimeout(timer);
    timer = 0;
    onChange();
  }
  return {
    doubt,
    sure: () => timer !== 0,
    press() {
      const sure = timer !== 0;
      clearTimeout(timer);
      timer = sure ? 0 : setTimeout(doubt, PATIENCE);
      onChange();
      if (sure) act();
    },
  };
}

/** Taking the lease: from somebody else it takes two presses, they may stand beside the arm. */
export function createTakeover(button, take) {
  let holder = "";
  const presses = twoPresses(() => take("takeover"), label);

  function label() {
    write(button, !holder ? "Take control" : presses.sure() ? "Press again: it stops the arm" : `Take over from ${holder}`);
  }

  button.addEventListener("click", () => (holder ? presses.press() : take("take")));
  return {
    show(visible, whose) {
      holder = whose;
      button.hidden = !visible;
      label();
    },
  };
}
