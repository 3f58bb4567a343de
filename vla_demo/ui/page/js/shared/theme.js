// Light and dark: what the style sheet's colors are now, and when that changes.

/**
 * The page's variables in a value, as in `var(--ink)`, replaced by what they are in the theme that is on.
 * @param {any} value text, or lists and objects of it
 * @param {Pick<CSSStyleDeclaration, "getPropertyValue">} look
 * @returns {any}
 */
export function resolveColors(value, look = getComputedStyle(document.body)) {
  if (typeof value === "string") return value.replace(/^var\((--[\w-]+)\)$/, (_, name) => look.getPropertyValue(name).trim());
  if (Array.isArray(value)) return value.map((item) => resolveColors(item, look));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, resolveColors(item, look)]));
}

/** Calls back after each change between light and dark. Returns what ends that. @param {() => void} callback */
export function onTheme(callback) {
  const observer = new MutationObserver(callback);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  return () => observer.disconnect();
}
