// The stage strip: the policy drawn as the pipeline it is, one block a stage with its dial inside, and what the last run measured there.
// Which stages, precisions and steps there are comes from the server; a third family needs no change here.

import { createDial } from "./dial.js";
import { make } from "./dom.js";
import { megabytes, milliseconds } from "./format.js";

export function createStrip(host, onChange) {
  let policy = null;
  const dials = new Map(); // role -> its dial
  let ready = false; // false: a sketch, drawn while the package is made
  let asked = null; // what was chosen when the run started: the dials may have moved since
  let measured = null; // of the last run: {choices, steps, stages: {role: ...}, total}

  function wait(text) {
    policy = null;
    ready = false;
    host.replaceChildren(make("p", { class: "waiting", role: "status" }, text));
  }

  function load(next, isReady) {
    const dialed = policy && !ready ? { choices: choices(), steps: chosenSteps() } : null; // on the sketch, while the package was made
    policy = next;
    ready = isReady;
    measured = null;
    dials.clear();
    const blocks = policy.stages.flatMap((stage) => [block(stage), make("span", { class: "arrow", "aria-hidden": "true" }, "→")]);
    host.replaceChildren(...blocks, outcome());
    if (dialed) dial(dialed);
    facts();
  }

  function dial({ choices: chosen, steps }) {
    for (const { role } of policy.stages) if (role in chosen) dials.get(role).set(chosen[role]);
    const slider = host.querySelector(".steps input");
    if (!slider || !steps) return;
    slider.max = Math.max(slider.max, steps);
    slider.value = steps;
    slider.nextSibling.replaceChildren(...stepsParts(steps));
  }

  function block(stage) {
    const own = createDial(stage, changed);
    dials.set(stage.role, own);
    return make("fieldset", { class: "stage", "data-role": stage.role },
      make("legend", {}, stage.label),
      make("p", { class: "about" }, stage.about),
      make("div", { class: "dials" }, ...own.nodes, stage.steps ? steps(stage.steps) : null),
      own.does,
      make("p", { class: "facts" }),
      make("p", { class: "facts proof" }));
  }

  function steps({ choice, most }) {
    const input = make("input", { type: "range", min: 1, max: most, step: 1, value: choice, "aria-label": "Denoising steps", oninput: changed });
    return make("span", { class: "steps" }, input, make("output", {}, ...stepsParts(choice)));
  }

  const stepsWord = (count) => (Number(count) === 1 ? "step" : "steps");
  const stepsParts = (count) => [String(count), make("span", {}, ` ${stepsWord(count)}`)];

  function changed() {
    const slider = host.querySelector(".steps");
    if (slider) slider.querySelector("output").replaceChildren(...stepsParts(slider.querySelector("input").value));
    facts();
    onChange(variant());
  }

  function outcome() {
    return make("div", { class: "stage outcome" },
      make("h2", {}, `${policy.chunk.actions} actions`),
      make("p", { class: "about" }, policy.chunk.about),
      make("div", { class: "bar", "aria-hidden": "true" }, make("i")),
      make("p", { class: "facts" }));
  }

  function facts() {
    for (const stage of policy.stages) {
      const found = measured?.stages[stage.role];
      const [line, proof] = host.querySelectorAll(`[data-role="${stage.role}"] .facts`);
      line.replaceChildren(...stageFacts(stage, found));
      proof.replaceChildren(...(found?.proof ?? []).map(([text, title]) => make("span", { title: title || null }, text)));
      for (const one of [line, proof]) one.classList.toggle("stale", Boolean(measured) && !matches(stage.role));
    }
    outcomeFacts();
  }

  function stageFacts(stage, found) {
    if (!found) return [stage.bytes ? fact(megabytes(stage.bytes), "in FP32") : "being prepared"];
    return [fact(megabytes(found.bytes), ""), fact(milliseconds(found.ms), ""), found.speed ? speed(found.speed) : null].filter(Boolean);
  }

  const speed = (times) => make("span", { class: times < 0.95 ? "slow" : "" }, make("b", {}, `${times.toFixed(1)}×`), times < 0.95 ? " FP32: slower here" : " as fast as FP32");
  const fact = (value, rest) => make("span", {}, make("b", {}, value), rest ? ` ${rest}` : "");

  function matches(role) {
    const now = choices();
    return now[role] === measured.choices[role] && (!host.querySelector(`[data-role="${role}"] .steps`) || chosenSteps() === measured.steps);
  }

  function outcomeFacts() {
    const box = host.querySelector(".outcome");
    const bar = box.querySelector(".bar");
    const line = box.querySelector(".facts");
    bar.hidden = !measured;
    line.classList.toggle("stale", Boolean(measured) && !policy.stages.every(({ role }) => matches(role)));
    if (!measured) return line.replaceChildren("not measured yet");
    const due = policy.chunk.seconds * 1000; // ms until the next plan must be there
    const share = measured.total / due;
    bar.firstChild.style.width = `${Math.min(share, 1) * 100}%`;
    bar.classList.toggle("late", share > 1);
    line.replaceChildren(fact(milliseconds(measured.total), `of ${milliseconds(due)} until the next is due`), fact("", measured.source));
  }

  const choices = () => Object.fromEntries([...dials].map(([role, own]) => [role, own.value()]));
  const chosenSteps = () => Number(host.querySelector(".steps input")?.value ?? 0);

  function variant() {
    if (!policy) return null;
    const parts = Object.entries(choices()).map(([role, precision]) => `${role}=${precision}`);
    if (chosenSteps()) parts.push(`steps=${chosenSteps()}`);
    return parts.join(",");
  }

  function label() {
    const parts = policy.stages.map(({ role, label }) => `${label.split(" ")[0].toLowerCase()} ${dials.get(role).name()}`);
    return parts.join(", ") + (chosenSteps() ? `, ${chosenSteps()} ${stepsWord(chosenSteps())}` : "");
  }

  function remember() {
    asked = { choices: choices(), steps: chosenSteps() };
  }

  function measure(report) {
    measured = { ...report, ...asked };
    facts();
  }

  function forget() {
    measured = null;
    if (policy) facts();
  }

  function turn(text) {
    if (!policy) return;
    const parts = Object.fromEntries(text.split(",").map((part) => part.split("=")));
    dial({ choices: parts, steps: Number(parts.steps) });
    changed();
  }

  return { wait, load, turn, remember, measure, forget, variant, label, reference: () => policy.reference, ready: () => ready };
}
