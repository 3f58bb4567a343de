// The connection of this page to a board: questions about it, the newest news of it, and whether any comes.

import { follow, question } from "./talk.js";

/** @import { Connected, News } from "./messages" */
/** @import { Answer, View } from "../shared/messages" */

const AGAIN = 500; // ms until the next question after one that failed

export class Connection {
  /** @type {Connected | null} */ board = null;
  /** @type {News | null} */ news = null; // the newest
  troubled = false; // the last answer was that there is none
  #server;
  #listener;

  /** @param {View["server"]} server @param {{ onNews: (news: News) => void, onTrouble: (answer: Answer<object>) => void }} listener */
  constructor(server, listener) {
    this.#server = server;
    this.#listener = listener;
  }

  ask(what, parts = {}) {
    return question(this.#server, what, { key: this.board?.key ?? "", ...parts });
  }

  /** Until another connection is made. */
  open(board, node) {
    this.board = board;
    this.news = null;
    let tick = 0;
    let seen = 0;
    const goesOn = () => this.board === board && node.isConnected;
    const ask = () => this.ask("watch", { tick, seen });
    follow(goesOn, ask, async (answer) => {
      if (answer.problem) {
        this.troubled = true;
        this.#listener.onTrouble(answer);
        if (this.board) await new Promise((done) => setTimeout(done, AGAIN));
        return;
      }
      this.news = answer;
      tick = answer.ticks.number || tick;
      seen = answer.seen;
      this.#listener.onNews(answer);
      this.troubled = false;
    });
  }

  leave() {
    if (this.board) this.#server.command({ key: this.board.key, verb: "leave" }).catch(() => {});
    this.board = this.news = null;
    this.troubled = false;
  }
}
