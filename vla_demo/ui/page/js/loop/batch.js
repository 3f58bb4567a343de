// The batch of rollouts: the protocol's starts, one row a batch, the article's table beside them. What it hears joins what `main` hears; what is
// set above it, it asks `main` for when it begins.

import { make } from "../shared/dom.js";
import { newId } from "../shared/work.js";

export function createBatch({ at, trigger, source, settings }) {
  let rolling = null; // id of the batch going on
  let filming = null; // {id, row}: the film being made
  const chosenRows = []; // ids of the rows to be compared, at most two

  const batchHears = {
    batch({ rows, judged, article, intro, how }) {
      at("batch").replaceChildren(...frame(intro, how), articleTable(article));
      for (const row of [...judged].reverse()) addJudged(row);
      for (const row of [...rows].reverse()) addRow(row);
      tell();
    },

    batch_progress(message) {
      if (message.run === rolling) sayBatch(message);
    },

    batch_row({ run, row }) {
      if (run === rolling) addRow(row);
    },

    batch_done({ run }) {
      if (run === rolling) endBatch("");
    },

    batch_failed({ run }) {
      if (run === rolling) endBatch("");
      if (run === filming?.id) endFilm(null);
    },

    film_progress({ run, text, fraction }) {
      if (run === filming?.id) filmBox().textContent = fraction === null ? text : `Filming this start: ${Math.round(fraction * 100)} %`;
    },

    film({ run, url }) {
      if (run === filming?.id) endFilm(url);
    },

    pair({ first, second, sentence }) {
      if (chosenRows[0] === first && chosenRows[1] === second) at("pair").textContent = sentence;
    },
  };

  function frame(intro, how) {
    const head = make("div", { class: "batch-head" },
      make("h2", {}, "The protocol"),
      make("p", {}, intro),
      make("div", { class: "act", role: "group", "aria-label": "Batch" },
        make("button", { type: "button", class: "go", "data-at": "roll", onclick: rollOut }, "Run the protocol"),
        make("button", { type: "button", "data-at": "unroll", disabled: true, onclick: () => stopBatch() }, "Stop"),
        make("p", { class: "rolling", "data-at": "rolling", role: "status" }, "Tries the lanes as they are set above.")),
      make("div", { class: "track", "data-at": "rolled", role: "progressbar", "aria-label": "Starts tried", "aria-valuemin": 0, "aria-valuemax": 100, hidden: true }, make("i")));
    const columns = ["", "Policy", "Mode", "Latency", "Success of 30", "Idle", "Jerk", "Jump", "Time"];
    const table = make("table", { "data-at": "table", hidden: true },
      make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))));
    const results = make("div", { class: "results" },
      make("p", { class: "empty", "data-at": "empty" }, "No batch has been tried here yet."),
      make("p", { class: "pair", "data-at": "pair", role: "status" }),
      table,
      make("p", { class: "how" }, how));
    return [head, results];
  }

  function tell() {
    const count = at("table").querySelectorAll("tbody[data-row]").length;
    at("table").hidden = !at("table").tBodies.length;
    at("empty").hidden = !at("table").hidden;
    if (count > 1 && chosenRows.length < 2) at("pair").textContent = "Tick two rows to compare them in pairs, start by start.";
  }

  function addRow(row) {
    const box = make("input", { type: "checkbox", "aria-label": `Compare ${row.policy}, ${row.variant}, ${row.mode}, latency ${row.latency}`, onchange: () => choose(row.id, box) });
    const cell = (label, ...content) => make("td", { "data-label": label }, ...content);
    const small = (text, title) => make("small", { title }, text);
    const body = make("tbody", { "data-row": row.id },
      make("tr", {},
        make("td", { class: "tick" }, box),
        make("th", { scope: "row" }, row.policy, small(row.variant, row.stages), row.shipped ? small("came with the app") : null),
        cell("Mode", row.mode, small(row.fps)),
        cell("Latency", row.latency, small(row.kind, row.source)),
        make("td", { class: "success", "data-label": "Success of 30" }, rate(row), small(`test ${row.splits.test} · validation ${row.splits.validation}`)),
        cell("Idle", row.idle), cell("Jerk", row.jerk), cell("Jump", row.jump), cell("Time", row.time)),
      make("tr", { class: "failures" }, make("td", { colspan: 9 }, failures(row), make("div", { class: "film", role: "status" }))));
    at("table").tHead.after(body);
    tell();
  }

  // Tasks on a robot: a count like the others, but of starts as they came, so that it is not compared in pairs.
  function addJudged(row) {
    const cell = (label, ...content) => make("td", { "data-label": label }, ...content);
    const small = (text, title) => make("small", { title }, text);
    at("table").tHead.after(make("tbody", { class: "judged" },
      make("tr", {},
        make("td", { class: "tick" }),
        make("th", { scope: "row" }, row.policy, small(row.variant, row.stages), small(row.board)),
        cell("Mode", row.mode),
        cell("Latency", row.latency, small(row.kind, row.source)),
        make("td", { class: "success", "data-label": "Success" }, rate(row), small("judged by a person")),
        ...["Idle", "Jerk", "Jump", "Time"].map((label) => cell(label, "–")))));
    tell();
  }

  // The count over its interval: a band from Wilson's low to high, a notch where the share is.
  function rate({ successes, n, low, high }) {
    const percent = (share) => `${(100 * share).toFixed(1)}%`;
    const text = `${successes} of ${n}, 95 % interval ${low.toFixed(2)} to ${high.toFixed(2)}`;
    return make("span", { class: "rate", title: text },
      make("b", {}, `${successes}/${n}`),
      make("span", { class: "band", role: "img", "aria-label": text },
        make("i", { style: `left:${percent(low)};width:${percent(high - low)}` }),
        make("em", { style: `left:${percent(successes / n)}` })),
      make("span", { class: "span", "aria-hidden": "true" }, `${low.toFixed(2)} to ${high.toFixed(2)}`));
  }

  function failures(row) {
    if (!row.failed.length) return make("p", {}, "No start failed.");
    const button = (one) => make("button", { type: "button", title: `Film of ${one.about}`, "aria-label": `Film of ${one.about}`, onclick: () => film(row.id, one) }, one.label);
    return make("p", {}, "Failed, with film: ", ...row.failed.map(button));
  }

  function choose(id, box) {
    const place = chosenRows.indexOf(id);
    if (place >= 0) chosenRows.splice(place, 1);
    if (box.checked) chosenRows.push(id);
    while (chosenRows.length > 2) at("table").querySelector(`[data-row="${chosenRows.shift()}"] input`).checked = false;
    at("pair").textContent = "";
    if (chosenRows.length === 2) trigger("pair_rows", { first: chosenRows[0], second: chosenRows[1] });
    else tell();
  }

  function rollOut() {
    if (rolling) return;
    if (!source()) return at("source").focus();
    rolling = newId();
    at("roll").disabled = true;
    at("unroll").disabled = false;
    sayBatch({ text: "Starting…", fraction: null });
    trigger("run_batch", {
      run: rolling, ...settings(),
    });
  }

  function sayBatch({ text, fraction, lane, lanes: count, done, of, successes }) {
    const which = count > 1 ? `Lane ${"AB"[lane]}: ` : "";
    at("rolling").textContent = done === undefined ? `${which}${text}` : `${which}${done} of ${of} starts tried, ${successes} solved`;
    at("rolled").hidden = false;
    at("rolled").classList.toggle("unknown", fraction === null);
    at("rolled").firstChild.style.width = fraction === null ? "" : `${fraction * 100}%`;
    if (fraction === null) at("rolled").removeAttribute("aria-valuenow");
    else at("rolled").setAttribute("aria-valuenow", Math.round(fraction * 100));
  }

  function stopBatch() {
    if (!rolling) return;
    trigger("stop_batch", { run: rolling });
    endBatch("Stopped. What was tried is kept: the same settings go on from there.");
  }

  function endBatch(text) {
    rolling = null;
    at("roll").disabled = false;
    at("unroll").disabled = true;
    at("rolled").hidden = true;
    at("rolling").textContent = text || "Tries the lanes as they are set above.";
  }

  const filmBox = () => at("table").querySelector(`[data-row="${filming.row}"] .film`);

  function film(row, start) {
    if (filming) { trigger("stop_batch", { run: filming.id }); endFilm(null); }
    filming = { id: newId(), row, start };
    filmBox().textContent = "Filming this start: it is tried again…";
    trigger("film_start", { run: filming.id, row, start: start.start });
  }

  function endFilm(url) {
    const box = filmBox();
    const { start } = filming;
    filming = null;
    if (!url) return box.replaceChildren();
    const video = make("video", { controls: true, playsinline: true, autoplay: !matchMedia("(prefers-reduced-motion: reduce)").matches, "aria-label": `Film of ${start.about}` });
    video.muted = true;
    video.src = `${window.gradio_config?.root ?? ""}/${url}`;
    const caption = `${start.about}. Tried again and filmed on this machine, ten pictures a second; below, green: acting, red: no action.`;
    box.replaceChildren(make("figure", {}, video, make("figcaption", {}, caption[0].toUpperCase() + caption.slice(1))));
  }

  function articleTable({ title, link: address, rows, notes }) {
    const columns = ["Policy", "Latency", "Test", "Val.", "Global", "Counted"];
    const print = (text) => text ?? "–";
    const line = (row) => make("tr", {},
      make("th", { scope: "row" }, row.policy, make("small", {}, row.format)),
      make("td", {}, row.latency), make("td", {}, print(row.test)), make("td", {}, print(row.validation)),
      make("td", {}, row.slip ? make("mark", { title: row.slip }, row.overall) : print(row.overall)),
      make("td", {}, row.successes === null ? "–" : rate(row)));
    const slips = rows.filter(({ slip }) => slip).map((row) => make("li", { class: "slip" }, `${row.policy}, ${row.format}: ${row.slip}.`));
    return make("aside", { class: "article", "aria-label": "The article's results" },
      make("h3", {}, "The article's table, as printed"),
      make("p", { class: "from" }, make("a", { href: address, target: "_blank", rel: "noreferrer" }, title)),
      make("table", {}, make("thead", {}, make("tr", {}, ...columns.map((name) => make("th", { scope: "col" }, name)))), make("tbody", {}, ...rows.map(line))),
      make("ul", {}, ...slips, ...notes.map((note) => make("li", {}, note))));
  }

  trigger("open_batch", {});
  return batchHears;
}
