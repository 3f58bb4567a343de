// The address bar is the state of the tab on show, by its own keys: in Replay policy, variant, episode, noise seed, whether a run is on show and
// the time of the cursor; in Trap the tab and the policy; in Closed loop what acts, where and how late.

export function createLink(element, keys) {
  const ALL = ["tab", "policy", "variant", "episode", "seed", "run", "t", "lane", "beside", "start", "fps", "threshold", "latency"];
  let state = {};
  let timer = 0;

  function update(change) {
    Object.assign(state, change);
    if (!timer) timer = setTimeout(write, 300); // browsers throttle replaceState
  }

  function write() {
    timer = 0;
    if (element.offsetParent === null) return; // another tab is on show
    history.replaceState(history.state, "", address());
  }

  function address() {
    const url = new URL(location.href);
    for (const key of ALL) url.searchParams.delete(key);
    for (const key of keys) if (![null, undefined, ""].includes(state[key])) url.searchParams.set(key, state[key]);
    url.search = readable(url.search);
    return url.href;
  }

  // Just as valid.
  function readable(text) {
    return text.replaceAll("%3D", "=").replaceAll("%2C", ",").replaceAll("%2F", "/").replaceAll("%3A", ":");
  }

  async function copy(button) {
    const url = new URL(address());
    url.searchParams.delete("__theme"); // whoever opens it keeps their own light or dark
    const text = readable(url.href);
    const done = await toClipboard(text);
    const label = button.textContent;
    button.textContent = done ? "Copied" : "Link is in the address bar";
    setTimeout(() => { button.textContent = label; }, 1800);
  }

  async function toClipboard(text) {
    if (!navigator.clipboard) return false; // plain http from another machine: browsers allow no clipboard there
    return navigator.clipboard.writeText(text).then(() => true, () => false);
  }

  return { update, copy, current: () => state };
}
