// The recorded episodes: a switch, a list, a download. `ask(what, more)` asks the server, `download(ids)` begins the long work.

import { make } from "../shared/dom.js";

export function createEpisodes({ at, ask, download, complain, remark }) {
  const chosen = new Set();
  let known = new Set();
  let mine = false;
  let free = false; // no task runs, and no other long work
  let state = "";
  const PATIENCE = 5000; // ms between the two presses of "Remove"
  let sure = null; // the timer of the first
  let waiting = null;

  async function request(verb, more = {}) {
    clearTimeout(waiting);
    const found = await ask("episodes", { verb, ...more });
    if (verb === "list") remark(found.problem);
    else complain(found.problem);
    if (found.rows) show(found);
    else if (verb === "record") at("record").checked = !more.on; // it was refused
  }

  function show(found) {
    at("record").checked = found.on;
    at("where").textContent = found.where;
    at("unkept").textContent = found.why;
    at("unkept").hidden = !found.why;
    if (found.rows.length !== known.size || found.rows.some(({ id }) => !known.has(id))) doubt(); // what was meant was another list
    for (const { id } of found.rows) if (!known.has(id)) chosen.add(id);
    known = new Set(found.rows.map(({ id }) => id));
    for (const id of [...chosen]) if (!known.has(id)) chosen.delete(id);
    at("episodes").replaceChildren(...(found.rows.length ? [table(found.rows)] : []));
    if (found.closing) waiting = setTimeout(() => request("list"), 500);
    buttons();
  }

  function table(rows) {
    const names = { length: "length", frames: "frames", whole: "recording", judged: "judged", policy: "policy", ended: "ended", size: "size" };
    const head = make("tr", {}, ...["Episodes on the board", ...Object.values(names)].map((name) => make("th", { scope: "col" }, name)));
    return make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows.map((row) => line(row, Object.keys(names)))));
  }

  function line(row, keys) {
    const when = new Date(row.at * 1000).toLocaleString();
    const box = make("input", { type: "checkbox", "aria-label": `Episode of ${when}`, onchange: () => choose(row.id, box.checked) });
    box.checked = chosen.has(row.id);
    const cells = keys.map((key) => make("td", { class: key === "whole" && !row.complete ? "not" : null }, row[key]));
    return make("tr", {}, make("td", {}, make("label", {}, box, when)), ...cells);
  }

  function choose(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    doubt();
  }

  function doubt() {
    clearTimeout(sure);
    sure = null;
    buttons();
  }

  function buttons() {
    at("record").disabled = !mine || !free;
    at("download").disabled = at("forget").disabled = !mine || !free || !chosen.size;
    at("download").hidden = at("forget").hidden = !known.size;
    const text = sure ? `Remove ${chosen.size} for good` : "Remove from the board";
    if (at("forget").textContent !== text) at("forget").textContent = text;
  }

  // Of every news: an episode appears when a task has ended.
  function hear(news, idle) {
    mine = news.mine;
    free = idle && news.state !== "running";
    if (state && state !== news.state && known) waiting = setTimeout(() => request("list"), 300);
    state = news.state;
    buttons();
  }

  function open() {
    doubt();
    chosen.clear();
    known = new Set();
    state = "";
    at("downloaded").hidden = true;
    request("list");
  }

  function downloaded({ text, archive, name, command }) {
    at("downloaded").replaceChildren(
      make("span", {}, text, " ", make("a", { href: archive, download: name }, "Save it as a zip")),
      make("span", {}, "Replay a policy over it: ", make("code", {}, command)));
    at("downloaded").hidden = false;
  }

  at("record").addEventListener("change", () => request("record", { on: at("record").checked }));
  at("download").addEventListener("click", () => download([...chosen]));
  at("forget").addEventListener("click", () => {
    if (sure) {
      doubt();
      return request("forget", { ids: [...chosen] });
    }
    sure = setTimeout(doubt, PATIENCE);
    buttons();
  });
  return { open, hear, downloaded, refresh: () => request("list"), close: () => clearTimeout(waiting) };
}
