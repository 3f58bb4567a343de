// The Closed loop tab: lets one or two lanes act in the twin under a latency, shows it while it happens, and the batch below it.

const link = createLink(["tab", "policy"]);
let running = null; // id of the work going on; messages of any other are late and dropped

const receive = {
  setting({ policies, chosen, starts, missing }) {
    fillPolicies(policies, new URLSearchParams(location.search).get("policy") ?? chosen);
    fillSelect(at("start"), starts.map(({ number, label }) => ({ value: number, label })), starts[0]?.number);
    at("missing").textContent = missing;
    at("missing").hidden = !missing;
    at("live").hidden = at("batch").hidden = Boolean(missing);
    state("idle");
    link.update({ tab: "loop", policy: source() });
  },

  progress,

  failed() {
    running = null;
    state("idle");
    progress(null);
  },

  ...batchHears,
};

function onMessage() {
  const message = props.value;
  if (isNews(message)) receive[message.kind]?.(message);
}

document.addEventListener("vla-tab", ({ detail }) => { if (detail === "loop") link.update({}); });
watch("value", onMessage);
onMessage(); // what there is was said when the page was loaded
