// How numbers are written on the page: few digits, a unit on each, a true minus sign.

export const MINUS = "\u2212";

export function fixed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

export function seconds(t) {
  return `${fixed(t, 2)} s`;
}

export function withUnit(value, unit, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  return unit === "%" ? `${fixed(value, digits)} %` : `${fixed(value, digits)}${unit}`;
}

export function megabytes(bytes) {
  const size = bytes / 1e6;
  return `${size.toFixed(size < 10 ? 1 : 0)} MB`;
}

export function milliseconds(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
