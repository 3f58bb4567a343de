import assert from "node:assert/strict";
import { test } from "node:test";
import { addressOf, sharedAddress } from "../../vla_demo/ui/page/js/shared/link.js";

const KEYS = ["policy", "variant", "t"];

test("a tab writes its own keys and leaves no other tab's, and nobody else's alone", () => {
  const opened = "http://localhost:7860/?tab=loop&fps=30&__theme=dark";
  const address = addressOf(opened, KEYS, { policy: "act", variant: "vision=int8,action_expert=fp32", t: 0 });
  assert.equal(address, "http://localhost:7860/?__theme=dark&policy=act&variant=vision=int8,action_expert=fp32&t=0");
});

test("what is not known does not stand in the address", () => {
  assert.equal(addressOf("http://localhost/?t=3", KEYS, { policy: "act", variant: null, t: undefined }), "http://localhost/?policy=act");
});

test("a folder stays readable, and comes back as it was", () => {
  const address = addressOf("http://localhost/", KEYS, { policy: "user/name & more" });
  assert.match(address, /policy=user\/name/);
  assert.equal(new URL(address).searchParams.get("policy"), "user/name & more");
});

test("whoever opens a copied link keeps their own light or dark", () => {
  assert.equal(sharedAddress("http://localhost/?__theme=dark&policy=act"), "http://localhost/?policy=act");
});
