// The lanes: what acts in each, in which mode. One lane, or two side by side; a few presets say what stands beside what.

import { make } from "../shared/dom.js";
import { createStrip } from "../shared/strip.js";

const LETTERS = ["A", "B"];

export function createLanes(host, presets, onChange) {
  const lanes = LETTERS.map((letter) => lane(letter));
  let count = 2;
  let modes = [];
  let stages = [];
  host.replaceChildren(...lanes.map(({ node }) => node));

  const shapes = [
    ["One lane", () => { count = 1; }, () => count === 1],
    ["Sync beside async", () => { count = 2; lanes[0].mode = "sync"; lanes[1].mode = "async"; lanes[1].strip.turn(lanes[0].strip.variant() ?? ""); },
      () => stands("sync", "async") && lanes[0].strip.variant() === lanes[1].strip.variant()],
    ["FP32 beside INT8", () => { count = 2; lanes[1].mode = lanes[0].mode = "async"; lanes[0].strip.turn(everywhere("fp32")); lanes[1].strip.turn(everywhere("int8")); },
      () => stands("async", "async") && lanes[0].strip.variant() === everywhere("fp32") && lanes[1].strip.variant() === everywhere("int8")],
  ];
  presets.replaceChildren(...shapes.map(([label, choose]) => make("button", { type: "button", onclick: () => { choose(); draw(); onChange(); } }, label)));

  const stands = (...wanted) => count === 2 && wanted.every((mode, i) => lanes[i].mode === mode);

  function lane(letter) {
    const choices = make("div", { class: "choose", role: "group", "aria-label": `Mode of lane ${letter}` });
    const about = make("p", { class: "about" });
    const box = make("div", { class: "strip compact", role: "group", "aria-label": `Stages of lane ${letter}` });
    const node = make("section", { class: "lane", "aria-label": `Lane ${letter}` }, make("div", { class: "lane-head" }, make("b", { class: "letter" }, letter), choices, about), box);
    return { node, choices, about, strip: createStrip(box, () => { draw(); onChange(); }), mode: "async" };
  }

  function everywhere(precision) {
    const steps = lanes[0].strip.variant()?.match(/steps=\d+/)?.[0];
    return [...stages.map((role) => `${role}=${precision}`), ...(steps ? [steps] : [])].join(",");
  }

  function view(asked) {
    count = asked.length;
    asked.forEach(({ mode }, i) => { lanes[i].mode = mode; });
    draw();
  }

  function load(strips, offered, ready) {
    modes = offered;
    stages = strips[0].stages.map(({ role }) => role);
    const usable = modes.filter(({ problem }) => !problem).map(({ mode }) => mode);
    lanes.forEach((one, i) => {
      one.strip.load(strips[i] ?? strips[0], ready);
      if (!usable.includes(one.mode)) one.mode = "async";
    });
    draw();
  }

  function wait(text) {
    for (const one of lanes) one.strip.wait(text);
  }

  function draw() {
    host.dataset.count = count;
    lanes.forEach((one, i) => {
      one.node.hidden = i >= count;
      one.about.textContent = modes.find(({ mode }) => mode === one.mode)?.about ?? "";
      one.choices.replaceChildren(...modes.map((offer) => modeButton(one, offer)));
    });
    [...presets.children].forEach((button, i) => button.setAttribute("aria-pressed", String(shapes[i][2]())));
  }

  function modeButton(one, { mode, label, problem, about }) {
    const choose = () => {
      if (problem) { one.about.textContent = problem; return; }
      one.mode = mode;
      draw();
      onChange();
      one.choices.querySelector("[aria-pressed=true]")?.focus();
    };
    return make("button", { type: "button", "aria-pressed": String(one.mode === mode), "aria-disabled": problem ? "true" : null, title: problem || about, onclick: choose }, label);
  }

  const shown = () => lanes.slice(0, count);
  const modeLabel = (one) => modes.find(({ mode }) => mode === one.mode)?.label ?? one.mode;

  // What tells the lanes apart comes first.
  function labels() {
    return shown().map((one, i) => `${count > 1 ? `${LETTERS[i]} · ` : ""}${modeLabel(one)}${one.strip.variant() ? `, ${plainLabel(one)}` : ""}`);
  }

  function plainLabel(one) {
    const parts = one.strip.variant().split(",").filter((part) => !part.startsWith("steps="));
    const kinds = [...new Set(parts.map((part) => part.split("=")[1]))];
    return kinds.length === 1 ? kinds[0].toUpperCase() : one.strip.label();
  }

  return {
    view, load, wait, labels,
    ready: () => lanes[0].strip.ready(),
    chosen: () => shown().map((one) => ({ mode: one.mode, variant: one.strip.variant() ?? "" })),
  };
}
