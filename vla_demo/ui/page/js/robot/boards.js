// The boards this browser has been connected to: their addresses. A token is kept nowhere.

import { make } from "../shared/dom.js";

/** @import { Scope } from "../shared/elements" */

const KNOWN_BOARDS = "vla-demo.boards";

function knownBoards() {
  try {
    return JSON.parse(localStorage.getItem(KNOWN_BOARDS) ?? "[]").filter((one) => typeof one === "string");
  } catch {
    return [];
  }
}

/** @param {Scope} at @param {string} address */
export function rememberBoard(at, address) {
  const others = knownBoards().filter((one) => one !== address);
  try {
    localStorage.setItem(KNOWN_BOARDS, JSON.stringify([address, ...others].slice(0, 8)));
  } catch {
    // a browser that keeps nothing
  }
  listBoards(at);
}

/** @param {Scope} at */
export function listBoards(at) {
  const known = knownBoards();
  at("boards").replaceChildren(...known.map((value) => make("option", { value })));
  if (!at("address").value && known.length) at("address").value = known[0];
}
