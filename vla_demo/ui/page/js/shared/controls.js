// The row of controls: which policy, what the buttons may do, how far a preparation is.

import { fillSelect, part, saySentences, scope } from "./dom.js";

const NAME_ONE = "Name a checkpoint folder or a Hub id, then press Enter.";
const OTHER = "other"; // the entry of the policy picker that opens the field for a folder or Hub id

/** @import { Offered } from "./messages" */

/** What to do about a policy that is not opened by itself. @param {string} policy may be empty */
export const notYet = (policy) => (policy ? `Press Run to fetch and prepare ${policy}.` : NAME_ONE);

/** Why the policy could not be opened. @param {string} [why] */
export const noPolicy = (why) => `No policy is open${why ? `: ${why}` : ""}. Choose another, or press Run to try again.`;

/** Leaves nothing of a tab but the sentences that say why. @param {HTMLElement} element @param {string[]} why */
export function showMissing(element, why) {
  saySentences(scope(element)("missing"), why);
  part(element, "[data-state]").dataset.state = "missing";
}

/**
 * The picker calls the tab: `openPolicy` for the policy that was chosen, `wait` with what is missing until then, `leavePolicy` before another.
 * @param {HTMLElement} element
 * @param {{ openPolicy: () => void, wait: (text: string) => void, leavePolicy?: () => void }} tab
 */
export function createControls(element, tab) {
  const at = scope(element);

  /** @param {Offered} offered @param {string} chosen */
  function fillPolicies({ policies, missing }, chosen) {
    saySentences(at("missing"), missing);
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
    part(element, ".source").hidden = !place;
    return place;
  }

  const source = () => (at("policy").value === OTHER ? at("source").value.trim() : at("policy").value);

  function openPolicy() {
    if (source()) tab.openPolicy();
    else at("source").focus();
  }

  at("policy").addEventListener("change", () => {
    tab.leavePolicy?.();
    if (!namesPlace()) return openPolicy();
    tab.wait(NAME_ONE);
    at("source").focus();
  });
  at("source").addEventListener("keydown", ({ key }) => {
    if (key === "Enter") openPolicy();
  });

  return {
    fillPolicies,
    choosePolicy,
    source,
    openPolicy,
    progress: (message) => showProgress(at("progress"), message),
    label: () => (at("policy").value === OTHER ? source() : (at("policy").selectedOptions[0]?.textContent ?? "")),
    state(name) {
      part(element, "[data-state]").dataset.state = name;
      at("run").disabled = name === "loading" || name === "running"; // pressed while a policy is being prepared, it waits for it
      at("stop").disabled = name === "loading" || name === "idle";
      if (name === "idle") showProgress(at("progress"), null);
    },
  };
}

function showProgress(box, message) {
  box.classList.toggle("off", !message);
  if (!message) return;
  fillTrack(part(box, ".track"), message.fraction);
  part(box, "span").textContent = message.text;
}

/** How far work is: a share, or null while that is not known. @param {HTMLElement} track @param {number | null} fraction */
export function fillTrack(track, fraction) {
  const known = fraction !== null;
  track.classList.toggle("unknown", !known);
  part(track, "i").style.width = known ? `${fraction * 100}%` : "";
  if (known) track.setAttribute("aria-valuenow", String(Math.round(fraction * 100)));
  else track.removeAttribute("aria-valuenow");
}
