// The address bar is the state of the tab on show, by its own keys: in Replay policy, variant, episode, noise seed, whether a run is on show and
// the time of the cursor; in Trap the tab and the policy; in Closed loop what acts, where and how late.

/** @typedef {Record<string, string | number | null | undefined>} LinkState */

const ALL = ["tab", "policy", "variant", "episode", "seed", "run", "t", "lane", "beside", "start", "fps", "threshold", "latency"];

/** What needs no escape in a query is written as it is. */
function readable(url) {
  url.search = url.search.replaceAll("%3D", "=").replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
  return url.href;
}

/** The address with the tab's own keys as `state` has them, and no other tab's. @param {string} href @param {string[]} keys @param {LinkState} state */
export function addressOf(href, keys, state) {
  const url = new URL(href);
  for (const key of ALL) url.searchParams.delete(key);
  for (const key of keys)
    if (![null, undefined, ""].includes(/** @type {any} */ (state[key]))) url.searchParams.set(key, String(state[key]));
  return readable(url);
}

/** For others: whoever opens it keeps their own light or dark. @param {string} href */
export function sharedAddress(href) {
  const url = new URL(href);
  url.searchParams.delete("__theme");
  return readable(url);
}

/** @param {HTMLElement} element @param {string[]} keys */
export function createLink(element, keys) {
  const state = /** @type {LinkState} */ ({});
  let timer = 0;

  function update(change) {
    Object.assign(state, change);
    if (!timer) timer = setTimeout(show, 300); // browsers throttle replaceState
  }

  function show() {
    timer = 0;
    if (element.offsetParent === null) return; // another tab is on show
    history.replaceState(history.state, "", addressOf(location.href, keys, state));
  }

  async function copy(button) {
    // Over plain http from another machine browsers allow no clipboard.
    const copied = navigator.clipboard?.writeText(sharedAddress(addressOf(location.href, keys, state))) ?? Promise.reject();
    const done = await copied.then(
      () => true,
      () => false,
    );
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Link is in the address bar";
    setTimeout(() => {
      button.textContent = label;
    }, 1800);
  }

  return { update, copy };
}
