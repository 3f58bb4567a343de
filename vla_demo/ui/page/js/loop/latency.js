// The latency: a slider on a logarithmic scale with the published points marked, the prediction's band, and a number beside it.

import { make } from "../shared/dom.js";

const LEAST_MS = 10; // the slider's left end but one; its very left is 0
const MOST_MS = 35000;

const toPlace = (ms) => (ms <= 0 ? 0 : Math.max(0.004, Math.log(Math.max(ms, LEAST_MS) / LEAST_MS) / Math.log(MOST_MS / LEAST_MS)));
const toMs = (place) => (place < 0.004 ? 0 : LEAST_MS * (MOST_MS / LEAST_MS) ** place);
const inWords = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toPrecision(3))} s`);

export function createLatency(host, { onChange, onMeasure }) {
  const slider = make("input", { type: "range", min: 0, max: 1, step: "any", "aria-label": "Simulated latency of an inference" });
  const number = make("input", { type: "number", min: 0, max: MOST_MS, step: 10, "aria-label": "Latency in milliseconds", inputmode: "numeric" });
  const marks = make("div", { class: "marks" });
  const band = make("i", { class: "band", hidden: true });
  const about = make("p", { class: "source-of" });
  const measure = make("button", { type: "button", class: "quiet", onclick: () => (measured ? set(measured) : onMeasure()) }, "Measure here");
  const predict = make("button", { type: "button", class: "quiet", hidden: true, onclick: () => set(predicted) }, "Predicted for the i.MX95");
  let ms = 0;
  let known = []; // the published points
  let measured = null;
  let predicted = null;
  let boards = []; // what boards have measured of this policy
  let wanted = null; // {board, variant}: what a link asks for, until boards are known
  let chosen = null; // the source that was pressed: others may say the same

  const there = make("span", { class: "there", role: "group", "aria-label": "Measured on boards" });

  host.replaceChildren(
    make("div", { class: "name" }, make("span", {}, "An inference takes"), make("label", { class: "ms" }, number, " ms")),
    make("div", { class: "rail" }, make("div", { class: "band-rail" }, band), slider, marks),
    make("div", { class: "sources" }, measure, predict, there),
    about);

  function load(published, family) {
    known = [...published].sort((one, other) => one.ms - other.ms);
    marks.replaceChildren(...known.map((one) => mark(one, family)));
  }

  function mark(one, family) {
    const own = !family || one.family === family;
    const [name, ...rest] = one.label.split(" ");
    return make("button", { type: "button", class: own ? "own" : "", style: `--place: ${toPlace(one.ms)}`, title: one.about, "aria-label": `Published: ${one.label}`, onclick: () => set(one) },
      make("span", {}, `${name} `), rest.join(" "));
  }

  function set(source) {
    wanted = null;
    chosen = source;
    put(source.ms);
    onChange();
  }

  function by(hand) {
    wanted = null;
    put(hand);
    onChange();
  }

  function put(value) {
    ms = Math.min(Math.max(Math.round(Number(value) || 0), 0), MOST_MS);
    slider.value = toPlace(ms);
    slider.setAttribute("aria-valuetext", inWords(ms));
    if (document.activeElement !== number) number.value = ms;
    say();
  }

  function say() {
    const near = [chosen, ...known, ...boards, measured, predicted].find((one) => one && Math.abs(one.ms - ms) < 1);
    about.textContent = about.title = near ? near.about : "As the slider stands: nobody measured this one.";
  }

  function foretell(found) {
    predicted = found;
    predict.hidden = band.hidden = !found;
    if (found) {
      predict.textContent = `i.MX95 predicted ${inWords(found.ms)}`;
      predict.title = found.about;
      band.style.setProperty("--from", toPlace(found.low));
      band.style.setProperty("--to", toPlace(found.high));
    }
    say();
  }

  function onBoards(found) {
    const asked = wanted && (found.find((one) => one.board === wanted.board && one.variant === wanted.variant) ?? found.find((one) => one.board === wanted.board));
    if (asked) set(asked);
    if (JSON.stringify(found) === JSON.stringify(boards)) return;
    boards = found;
    there.replaceChildren(...boards.map((one) => make("button", { type: "button", class: "quiet", title: one.about, onclick: () => set(one) }, one.label)));
    say();
  }

  function want(board, variant) {
    wanted = board ? { board, variant } : null;
  }

  function timed(found) {
    measured = found;
    measure.textContent = found ? `Here ${inWords(found.ms)}` : "Measure here";
    measure.title = found?.about ?? "Run a few inferences of the first lane's variant on this machine";
    if (found) set(found);
  }

  slider.addEventListener("input", () => by(roundly(toMs(Number(slider.value)))));
  number.addEventListener("input", () => by(number.value));
  for (const done of ["blur", "change"]) number.addEventListener(done, () => { number.value = ms; }); // what is out of range is put right in sight
  return { load, put, want, foretell, onBoards, timed, ms: () => ms, measured: () => measured };
}

// Two digits that count: nobody slides to the millisecond.
const roundly = (ms) => (ms < 10 ? Math.round(ms) : Number(ms.toPrecision(ms < 1000 ? 2 : 3)));
