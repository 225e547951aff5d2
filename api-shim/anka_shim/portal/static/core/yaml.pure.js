// @ts-check
/**
 * Plain data as YAML for people to keep in Git. Pure. Every text that could be read as something else, or that goes
 * over several lines, is written as a JSON string, which YAML reads as it is.
 */

/** @typedef {null | boolean | number | string | Value[] | { [key: string]: Value | undefined }} Value */

const PLAIN = /^[A-Za-z_/][A-Za-z0-9_./-]*$/;
const NO_TEXT = /^(true|false|yes|no|on|off|y|n|null|nan|inf)$/i;

/** One document. Keys whose value is undefined are left out. @param {any} value */
export function toYaml(value) {
  return `${lines(value, 0).join("\n")}\n`;
}

/** @param {Value} value @param {number} depth @returns {string[]} */
function lines(value, depth) {
  const indent = "  ".repeat(depth);
  if (!isNested(value)) return [indent + scalar(value)];
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const [first = "", ...rest] = lines(item, depth + 1);
      return [`${indent}- ${first.trimStart()}`, ...rest];
    });
  }
  return entries(value).flatMap(([key, item]) => {
    const name = indent + text(key);
    return isNested(item) ? [`${name}:`, ...lines(item, depth + 1)] : [`${name}: ${scalar(item)}`];
  });
}

/** @param {Value} value @returns {value is Value[] | {[key: string]: Value | undefined}} */
function isNested(value) {
  if (value === null || typeof value !== "object") return false;
  return Array.isArray(value) ? value.length > 0 : entries(value).length > 0;
}

/** @param {{ [key: string]: Value | undefined }} map */
function entries(map) {
  return /** @type {[string, Value][]} */ (Object.entries(map).filter(([, value]) => value !== undefined));
}

/** @param {Value} value */
function scalar(value) {
  if (Array.isArray(value)) return "[]";
  if (value !== null && typeof value === "object") return "{}";
  return typeof value === "string" ? text(value) : String(value);
}

/** @param {string} word */
function text(word) {
  return PLAIN.test(word) && !NO_TEXT.test(word) ? word : JSON.stringify(word);
}
