// Keyboard: Space plays, arrows step and change the episode, Escape stops a run. A control that has its own use for a key keeps it.

export function listenForKeys(element, { player, move, stop }) {
  const own = {
    " ": "button, select, input:not([type=range]), textarea, a, summary, [contenteditable]",
    other: "select, input:not([data-at=seek]), textarea, [contenteditable], [role=tab]",
  };
  const actions = {
    " ": () => player.toggle(),
    ArrowLeft: (event) => player.step(event.shiftKey ? -30 : -1),
    ArrowRight: (event) => player.step(event.shiftKey ? 30 : 1),
    ArrowUp: () => move(-1),
    ArrowDown: () => move(1),
    Escape: () => stop(),
  };

  function press(event) {
    if (!element.isConnected) return document.removeEventListener("keydown", press);
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey || element.offsetParent === null) return;
    if (event.target.closest?.(own[event.key] ?? own.other)) return;
    event.preventDefault();
    action(event);
  }

  // What was clicked with a pointer gives its focus back: Space after a click on Run plays and pauses, it does not run again.
  function release() {
    const focused = document.activeElement;
    if (element.contains(focused) && focused.matches("button, input[type=radio], input[type=range]")) focused.blur();
  }

  let pointed = false; // whether a list was opened with a pointer: choosing in it with keys keeps the focus there
  for (const name of ["pointerdown", "keydown"]) element.addEventListener(name, () => { pointed = name === "pointerdown"; });
  element.addEventListener("change", ({ target }) => { if (pointed && target.matches("select.precision")) target.blur(); });
  element.addEventListener("pointerup", () => setTimeout(release, 0));
  document.addEventListener("keydown", press);
}
