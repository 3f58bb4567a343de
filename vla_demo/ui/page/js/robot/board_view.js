// What is seen of a board: who it is, the pictures of its cameras, and which buttons can be pressed.

import { fillSelect, make, part } from "../shared/dom.js";
import { listBoards } from "./boards.js";

/** @import { Scope } from "../shared/elements" */
/** @import { Connected, News, RobotSetting } from "./messages" */
/** @import { Pictures } from "../shared/messages" */

/** @param {Scope} at @param {RobotSetting} setting */
export function showSetting(at, { starts, about, hosted }) {
  fillSelect(at("starts"), starts, starts[0].value);
  at("about").textContent = about;
  at("connect").hidden = hosted;
  listBoards(at);
}

/** @param {Scope} at @param {Connected} board */
export function showBoard(at, { greeting, simulated, cameras }) {
  at("token").value = "";
  at("greeting").textContent = greeting;
  at("desk").hidden = !simulated;
  at("starts").selectedIndex = 0; // as a simulated board begins
  const figure = (camera) =>
    make("figure", { "data-camera": camera }, make("img", { alt: `${camera} camera` }), make("figcaption", {}, camera));
  at("views").replaceChildren(...cameras.map(figure));
}

/** @param {Scope} at @param {Pictures} pictures */
export function showPictures(at, pictures) {
  for (const [camera, jpeg] of Object.entries(pictures)) {
    part(at("views"), `[data-camera="${camera}"] img`).src = `data:image/jpeg;base64,${jpeg}`;
  }
}

/** @param {Scope} at @param {{ news: News | null, idle: boolean, ready: boolean }} state `news`: null while there is none; `ready`: a policy is chosen */
export function setButtons(at, { news, idle, ready }) {
  const mine = Boolean(news?.mine);
  const stands = mine && news?.state !== "running";
  at("simulated").disabled = at("open").disabled = !idle;
  at("load").disabled = !(idle && stands && ready);
  at("arm").disabled = !(idle && stands && news?.loaded && news.state !== "ready");
  at("start").disabled = !(idle && mine && news?.loaded && news.state === "ready");
  at("pause").disabled = !mine || stands;
  at("starts").disabled = at("set").disabled = !(idle && stands);
}
