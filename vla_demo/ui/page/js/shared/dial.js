// One stage's dial: a precision from a list, a sentence of what it does, and, folded away, the options its scheme has. Speaks precisions as
// text, as in `int4-b64-a8`: the scheme, then every option that is not the default. Which there are comes from the server.

import { make } from "./dom.js";

export function createDial({ label, precisions, choice }, onChange) {
  const select = make("select", { class: "precision", "aria-label": `${label} precision`, onchange: () => { fold(); told(); } },
    ...precisions.map(({ scheme }) => make("option", { value: scheme })));
  const fields = make("div", { class: "fields" });
  const more = make("details", { class: "more" }, make("summary", { "aria-label": `${label} options` }, make("span", {}, "options")), fields);
  const does = make("p", { class: "does" });
  let picks = []; // the selects of the options, one a group

  const entry = () => precisions.find(({ scheme }) => scheme === select.value);
  const chosen = () => picks.map((pick, i) => entry().groups[i].options.find(({ value }) => value === pick.value));
  const operands = (one) => (one === entry() && chosen().find((option) => option.operands)?.operands) || one.operands;

  function set(text) {
    const own = precisions.map(({ scheme }) => scheme).filter((scheme) => text === scheme || text.startsWith(`${scheme}-`));
    select.value = own.sort((a, b) => b.length - a.length)[0] ?? precisions[0].scheme;
    fold(text.slice(select.value.length).split("-"));
  }

  function fold(options = []) {
    picks = entry().groups.map((group) => {
      const pick = make("select", { "aria-label": `${label} ${group.label.toLowerCase()}`, onchange: told }, ...group.options.map(({ value, label: name }) => make("option", { value }, name)));
      pick.value = (group.options.find(({ value }) => options.includes(value)) ?? group.options.find((option) => option.default)).value;
      return pick;
    });
    fields.replaceChildren(...picks.map((pick, i) => make("label", {}, entry().groups[i].label, pick)));
    more.classList.toggle("none", picks.length === 0);
    write();
  }

  function told() {
    write();
    onChange();
  }

  function write() {
    [...select.options].forEach((option, i) => { option.textContent = `${precisions[i].label} · ${operands(precisions[i])}`; });
    does.textContent = chosen().find((option) => option.about)?.about ?? entry().about;
  }

  function value() {
    return [select.value, ...chosen().filter((option) => !option.default).map((option) => option.value)].join("-");
  }

  function name() {
    return [entry().label, ...chosen().filter((option) => !option.default).map((option) => option.value)].join(" ");
  }

  document.addEventListener("pointerdown", (event) => { if (!more.contains(event.target)) more.open = false; });
  more.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !more.open) return;
    event.stopPropagation();
    more.open = false;
    more.firstChild.focus();
  });
  set(choice);
  return { nodes: [select, more], does, set, value, name };
}
