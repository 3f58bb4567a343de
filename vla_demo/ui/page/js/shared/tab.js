// Starts a tab: Replay at once, any other when it is first opened; until then it is an empty frame, and its modules stay on the server.

/** @import { View } from "./messages" */

/** Resolves once the masthead says that `tab` is on show; without a tab as soon as any is. */
function shown(tab) {
  const isShown = () => (tab ? document.body.dataset.tab === tab : Boolean(document.body.dataset.tab));
  return new Promise((done) => {
    if (isShown()) return done(true);
    document.addEventListener("vla-tab", function listener() {
      if (!isShown()) return;
      document.removeEventListener("vla-tab", listener);
      done(true);
    });
  });
}

/** @param {string} tab @param {View} view */
export async function openTab(tab, view) {
  await shown(tab === "replay" ? null : tab);
  const { default: start } = await import(`../${tab}/main.js`);
  start(view);
}
