// How numbers are written on the page: few digits, a unit on each, a true minus sign.

const MINUS = "\u2212";

function fixed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

function seconds(t) {
  return `${fixed(t, 2)} s`;
}

function withUnit(value, unit, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  return unit === "%" ? `${fixed(value, digits)} %` : `${fixed(value, digits)}${unit}`;
}

function megabytes(bytes) {
  const size = bytes / 1e6;
  return `${size.toFixed(size < 10 ? 1 : 0)} MB`;
}

function milliseconds(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(2)} s`;
  return `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}
