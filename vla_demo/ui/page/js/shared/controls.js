// The row of controls: which policy, what the buttons may do, how far a preparation is.

import { fillSelect, scope } from "./dom.js";

const OTHER = "other"; // the entry of the policy picker that opens the field for a folder or Hub id

export function createControls(element) {
  const at = scope(element);

  function fillPolicies(policies, chosen) {
    const known = policies.map(({ id, label }) => ({ value: id, label }));
    fillSelect(at("policy"), [...known, { value: OTHER, label: "Folder or Hub id…" }], chosen);
    choosePolicy(chosen);
  }

  function choosePolicy(chosen) {
    at("policy").value = chosen;
    if (at("policy").selectedIndex < 0) {
      at("policy").value = OTHER;
      at("source").value = chosen;
    }
    namesPlace();
  }

  function namesPlace() {
    const place = at("policy").value === OTHER;
    element.querySelector(".source").hidden = !place;
    return place;
  }

  function source() {
    return at("policy").value === OTHER ? at("source").value.trim() : at("policy").value;
  }

  function state(name) {
    element.querySelector("[data-state]").dataset.state = name;
    at("run").disabled = name === "loading" || name === "running"; // pressed while a policy is being prepared, it waits for it
    at("stop").disabled = name === "loading" || name === "idle";
  }

  function progress(message) {
    const box = at("progress");
    box.classList.toggle("off", !message);
    if (!message) return;
    const track = box.querySelector(".track");
    const known = message.fraction !== null;
    track.classList.toggle("unknown", !known);
    track.firstChild.style.width = known ? `${message.fraction * 100}%` : "";
    if (known) track.setAttribute("aria-valuenow", Math.round(message.fraction * 100));
    else track.removeAttribute("aria-valuenow");
    box.querySelector("span").textContent = message.text;
  }

  function label() {
    const [chosen] = at("policy").selectedOptions;
    return !chosen || chosen.value === OTHER ? source() : chosen.textContent;
  }

  return { fillPolicies, choosePolicy, namesPlace, source, label, state, progress };
}
