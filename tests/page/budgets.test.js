// The budgets of the house for scripts, counted from the syntax tree: no function over 60 lines, no file over 250.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import ts from "typescript";

const PAGE = new URL("../../vla_demo/ui/page/js/", import.meta.url);
const MAX_FUNCTION_LINES = 60;
const MAX_FILE_LINES = 250;

function longFunctions(name, text) {
  const source = ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true);
  const line = (position) => source.getLineAndCharacterOfPosition(position).line;
  const found = [];
  (function visit(node) {
    const lines = line(node.end) - line(node.getStart(source)) + 1;
    if (ts.isFunctionLike(node) && lines > MAX_FUNCTION_LINES) found.push(`${name}:${line(node.getStart(source)) + 1}: ${lines} lines`);
    ts.forEachChild(node, visit);
  })(source);
  return found;
}

const lines = (text) => text.split("\n").length - 1;
const files = readdirSync(PAGE, { recursive: true }).filter((name) => /\.(js|ts)$/.test(name));
const texts = files.map((name) => [name, readFileSync(new URL(name, PAGE), "utf8")]);

test("no function is long", () => {
  assert.ok(texts.length > 30);
  assert.deepEqual(
    texts.flatMap(([name, text]) => longFunctions(name, text)),
    [],
  );
});

test("no file is long", () => {
  assert.deepEqual(
    texts.filter(([, text]) => lines(text) > MAX_FILE_LINES).map(([name]) => name),
    [],
  );
});

for (const [kind, open] of [
  ["function", "function f() {"],
  ["arrow", "const f = () => {"],
  ["method", "class C { m() {"],
]) {
  test(`a long ${kind} is found, one at the limit is not`, () => {
    const close = kind === "method" ? "}}" : "}";
    const body = (count) => [open, ...Array(count - 2).fill("  1;"), close].join("\n");
    assert.deepEqual(longFunctions("a.js", body(60)), []);
    assert.deepEqual(longFunctions("a.js", body(61)), ["a.js:1: 61 lines"]);
  });
}
