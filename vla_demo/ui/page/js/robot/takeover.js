// Taking the lease. From somebody else it takes two presses: they may stand beside the arm. (A question of the browser's own would silence
// this page, and with it the link.)

export function createTakeover(button, take) {
  const PATIENCE = 5000; // ms between the presses
  let askedAt = -Infinity;
  let holder = "";
  const sure = () => performance.now() - askedAt < PATIENCE;

  function show(visible, whose) {
    holder = whose;
    button.hidden = !visible;
    const label = !holder ? "Take control" : sure() ? "Press again: it stops the arm" : `Take over from ${holder}`;
    if (button.textContent !== label) button.textContent = label;
  }

  button.addEventListener("click", () => {
    const now = !holder || sure();
    askedAt = now ? -Infinity : performance.now();
    if (now) take(holder ? "takeover" : "take");
    show(true, holder);
  });
  return { show };
}
