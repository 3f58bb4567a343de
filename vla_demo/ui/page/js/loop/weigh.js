// Asks the server what a latency means, and writes the settings into the address.

let asking = false;
let again = false;

// Asks what the latency means; while an answer is on its way only the newest question counts.
async function settle() {
  remember();
  if (!policy) return;
  if (asking) { again = true; return; }
  asking = true;
  const found = await server.weigh(question()).finally(() => { asking = false; });
  if (again) { again = false; settle(); }
  if (!policy) return; // another policy was chosen meanwhile
  setVerdict(at("verdict"), found);
  if (found.problem || found.lanes.length !== lanes.chosen().length) return;
  expected = found.lanes;
  latency.foretell(found.predicted[0]);
  latency.onBoards(found.boards);
  if (loop.dataset.state === "running") return;
  timeline.expect(found.lanes, lanes.chosen().map(({ mode }) => policy.actions[mode]), span());
}

function span() {
  const cycle = latency.ms() / 1000 + policy.actions.async / Number(at("fps").value);
  return Math.min(60, Math.max(12, Math.ceil(2.4 * cycle)));
}

function question() {
  const asked = lanes.chosen().map(({ mode, variant }) => ({ mode, variant, actions: policy.actions[mode] }));
  return { latency: latency.ms(), fps: Number(at("fps").value), threshold: Number(at("threshold").value), chunk: policy.actions.async, window: span(), policy: source(), lanes: asked };
}

function remember() {
  const named = lanes.chosen().map(({ mode, variant }) => (variant ? `${mode}:${variant}` : mode));
  link.update({ tab: "loop", policy: source(), lane: named[0], beside: named[1] ?? null, start: at("start").value, fps: at("fps").value, threshold: at("threshold").value, latency: latency.ms(), seed: Number(at("seed").value) || null });
}
