// How numbers are written on the page: few digits, a unit on each, a true minus sign.

export const MINUS = "\u2212";

/** @param {number} value @param {number} digits */
export function fixed(value, digits) {
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? MINUS + text : text;
}

/** @param {number} t */
export const seconds = (t) => `${fixed(t, 2)} s`;

/** @param {number | null | undefined} value @param {string} unit */
export function withUnit(value, unit, digits = 1) {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  return unit === "%" ? `${fixed(value, digits)} %` : `${fixed(value, digits)}${unit}`;
}

/** @param {number} bytes */
export function megabytes(bytes) {
  const size = bytes / 1e6;
  return `${size.toFixed(size < 10 ? 1 : 0)} MB`;
}

/** A time that was measured. @param {number} ms */
export function milliseconds(ms) {
  return ms >= 1000 ? `${(ms / 1000).toFixed(2)} s` : `${ms.toFixed(ms < 10 ? 1 : 0)} ms`;
}

/** A latency that was chosen, not measured: whole milliseconds, three digits of seconds. @param {number} ms */
export const latencyText = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${Number((ms / 1000).toPrecision(3))} s`);
