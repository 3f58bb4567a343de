import assert from "node:assert/strict";
import { test } from "node:test";
import { nextPoint, plainText } from "../../vla_demo/ui/page/js/shared/figure.js";
import { fold } from "../../vla_demo/ui/page/js/shared/plotly.js";
import { resolveColors } from "../../vla_demo/ui/page/js/shared/theme.js";
import { legible, mix } from "../../vla_demo/ui/page/js/trap/heatmap.js";
import { quoted } from "../../vla_demo/ui/page/js/trap/section.js";

const points = [0, 0, 0, 2, 2].map((curve) => ({ curve })); // three points of a line, two of another

test("arrows go from point to point and from line to line, and around", () => {
  assert.equal(nextPoint(points, -1, "ArrowLeft"), 0);
  assert.equal(nextPoint(points, 0, "ArrowRight"), 1);
  assert.equal(nextPoint(points, 4, "ArrowRight"), 0);
  assert.equal(nextPoint(points, 0, "ArrowLeft"), 4);
  assert.equal(nextPoint(points, 1, "ArrowDown"), 3);
  assert.equal(nextPoint(points, 4, "ArrowDown"), 0);
  assert.equal(nextPoint(points, 4, "ArrowUp"), 0);
});

test("what is spoken has no markup", () => {
  assert.equal(plainText("a &lt;b&gt;<br>c &amp;lt;"), "a <b> c &lt;");
});

test("lines break at spaces, and a long word stays whole", () => {
  assert.deepEqual(fold("one two three", 8), ["one two", "three"]);
  assert.deepEqual(fold("unbreakable one", 4), ["unbreakable", "one"]);
  assert.deepEqual(fold("", 4), []);
});

test("the page's variables become colors, and nothing else changes", () => {
  const look = { getPropertyValue: (name) => ({ "--ink": " #1b1f24 " })[name] ?? "" };
  const drawn = { line: { color: "var(--ink)" }, x: [1, null, "var(--ink)"], text: "as in var(--ink)", on: false };
  assert.deepEqual(resolveColors(drawn, look), {
    line: { color: "#1b1f24" },
    x: [1, null, "#1b1f24"],
    text: "as in var(--ink)",
    on: false,
  });
});

test("a share of the way through three colors", () => {
  const heat = ["#000000", "#808080", "#ffffff"];
  assert.deepEqual(
    [0, 0.25, 0.5, 1].map((share) => mix(heat, share)),
    ["#000000", "#404040", "#808080", "#ffffff"],
  );
});

test("text on a color is black or white, whichever stands out more", () => {
  assert.deepEqual(["#ffffff", "#e3964d", "#7d2305", "#000000"].map(legible), ["#000000", "#000000", "#ffffff", "#ffffff"]);
});

test("a value of a CSV file is quoted where it must be", () => {
  assert.deepEqual([1.5, null, 'a "b"', "c,d", "e\nf"].map(quoted), ["1.5", "", '"a ""b"""', '"c,d"', '"e\nf"']);
});
