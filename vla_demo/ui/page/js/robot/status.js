// The status strip: what the arm does and why, some figures, how old the news is, and Stop. It never scrolls away.

import { make } from "../shared/dom.js";
import { milliseconds } from "../shared/format.js";

export function createStatus(at, onStop) {
  const cells = at("cells");
  const OLD = 1500; // ms without news: longer than the board goes on without a heartbeat
  let heard = performance.now();
  let roundTrip = 0;

  function show(news) {
    heard = performance.now();
    roundTrip = news.roundTrip;
    lamp(news.state, news.state === "running" ? "the task runs" : news.reason);
    const named = [...news.cells, { name: "link", value: "", about: "there and back, age" }];
    if (cells.children.length !== named.length) {
      cells.replaceChildren(...named.map(({ name }) => make("div", { "data-cell": name }, make("dt", {}, name), make("dd"), make("small"))));
    }
    named.forEach(({ value, about }, i) => {
      const [, dd, small] = cells.children[i].children;
      if (value) write(dd, value);
      write(small, about);
    });
    age();
  }

  function lamp(state, reason) {
    at("lamp").dataset.state = state;
    write(at("lamp").firstElementChild, state.toUpperCase());
    write(at("lamp").lastElementChild, reason);
    at("lamp").lastElementChild.title = reason; // a long one is cut short
  }

  function write(node, text) {
    if (node.textContent !== text) node.textContent = text;
  }

  // Also when nothing is heard any more: then above all.
  function age() {
    const last = cells.lastElementChild;
    if (!last) return;
    const ms = performance.now() - heard;
    last.classList.toggle("old", ms > OLD);
    write(last.children[1], ms > OLD ? `silent for ${(ms / 1000).toFixed(1)} s` : `${milliseconds(roundTrip)}, ${(ms / 1000).toFixed(1)} s`);
  }

  // The page begins below it, however high it is.
  new ResizeObserver(() => document.body.style.setProperty("--strip", `${at("status").offsetHeight}px`)).observe(at("status"));
  at("stop").addEventListener("click", onStop);
  return { show, age, lamp, silent: () => performance.now() - heard > OLD, clear: () => cells.replaceChildren() };
}
