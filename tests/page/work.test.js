import assert from "node:assert/strict";
import { webcrypto } from "node:crypto";
import { beforeEach, test } from "node:test";
import { listen, Work } from "../../vla_demo/ui/page/js/shared/work.js";

const browserHas = (crypto) => Object.defineProperty(globalThis, "crypto", { value: crypto, configurable: true });

beforeEach(() => browserHas(webcrypto));

function page() {
  const sent = [];
  const states = [];
  const trigger = (event, parts) => sent.push([event, parts]);
  const work = new Work({ trigger, stopEvent: "stop_run", show: (state) => states.push(state) });
  const heard = [];
  const note = (message) => heard.push(message.number);
  const view = { props: {}, watch: (_, hear) => Object.assign(view, { hear }) };
  listen(view, { receive: { steps: note, report: note, episode: note }, work });
  function say(kind, number, run) {
    view.props.value = JSON.stringify({ kind, number, run });
    view.hear();
  }
  return { work, sent, states, heard, say };
}

test("a message that is repeated counts once, one of no work always", () => {
  const { heard, say } = page();
  for (const number of [7, 7, 8, 7]) say("episode", number);
  say("unheard of", 9);
  assert.deepEqual(heard, [7, 8]);
});

test("a message of work that has ended is late and dropped; of work that was stopped the report is welcome", () => {
  const { work, sent, heard, say } = page();
  work.begin("running", "run_variant", { seed: 3 });
  const [event, { run, seed }] = sent[0];
  assert.deepEqual([event, seed, work.busy], ["run_variant", 3, true]);
  say("steps", 1, run);
  say("steps", 2, "another");
  assert.equal(work.stop(), "running");
  assert.deepEqual(sent[1], ["stop_run", { run }]);
  say("steps", 3, run);
  say("report", 4, run);
  assert.deepEqual(heard, [1, 4]);
  work.begin("running", "run_variant");
  say("report", 5, run);
  assert.deepEqual(heard, [1, 4]);
});

test("stopping what does not run asks nothing of the server", () => {
  const { work, sent, states } = page();
  work.rest();
  assert.equal(work.stop(), null);
  assert.deepEqual([sent, states], [[], ["idle"]]);
});

test("work has a name where the browser makes none", () => {
  browserHas({}); // as over plain http from another machine
  const { work, sent } = page();
  work.begin("running", "run_variant");
  work.begin("running", "run_variant");
  assert.ok(sent[0][1].run);
  assert.notEqual(sent[0][1].run, sent[1][1].run);
});
