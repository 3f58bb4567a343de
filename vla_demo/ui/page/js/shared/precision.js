// Precisions as text, as in `int4-b64-a8`: a scheme, then every option that is not the default. Plain data in, plain data out.

/** @import { Precision, PrecisionOption } from "./messages" */

/** The precision whose scheme the text begins with; the first one where none does. @param {Precision[]} precisions @param {string} text */
export function precisionOf(precisions, text) {
  const fitting = precisions.filter(({ scheme }) => text === scheme || text.startsWith(`${scheme}-`));
  return fitting.sort((a, b) => b.scheme.length - a.scheme.length)[0] ?? precisions[0];
}

/** Of each of its groups the option that the text names, or the default. @param {Precision} precision @param {string} text */
export function optionsOf({ scheme, groups }, text) {
  const named = text.slice(scheme.length).split("-");
  return groups.map(
    ({ options }) => options.find(({ value }) => named.includes(value)) ?? options.find((one) => one.default) ?? options[0],
  );
}

/** @param {string} name @param {PrecisionOption[]} options */
export function textOf(name, options, joint = "-") {
  return [name, ...options.filter((option) => !option.default).map(({ value }) => value)].join(joint);
}

/** A variant's parts by name: `vision=int8,steps=4`. @param {string} text @returns {Record<string, string>} */
export const partsOf = (text) => Object.fromEntries(text.split(",").map((part) => part.split("=")));
