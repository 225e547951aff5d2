// @ts-check
/** Order of rows. Pure. */

const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

/**
 * Missing values last, whichever way it is sorted: they are no smallest value.
 *
 * @param {unknown} a @param {unknown} b @param {number} way 1 or -1
 */
export function compare(a, b, way = 1) {
  const lacksA = a == null || a === "" || Number.isNaN(a);
  const lacksB = b == null || b === "" || Number.isNaN(b);
  if (lacksA || lacksB) return Number(lacksA) - Number(lacksB);
  if (typeof a === "string" || typeof b === "string") return way * collator.compare(String(a), String(b));
  return way * (Number(a) - Number(b));
}

/** `-created` @param {string | undefined} text @returns {{key: string, way: 1 | -1} | null} */
export function parseSort(text) {
  if (!text) return null;
  return text.startsWith("-") ? { key: text.slice(1), way: -1 } : { key: text, way: 1 };
}

/**
 * @template R
 * @param {readonly R[]} rows
 * @param {((row: R) => unknown) | undefined} by
 * @param {1 | -1} way
 * @param {(row: R) => string} id ties have a fixed order, or rows would jump with each change
 * @returns {R[]}
 */
export function sorted(rows, by, way, id) {
  if (!by) return [...rows];
  const keyed = rows.map((row) => ({ row, key: by(row), id: id(row) }));
  keyed.sort((a, b) => compare(a.key, b.key, way) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  return keyed.map(({ row }) => row);
}

/** Element by element, as the scheduler compares. @param {readonly (string | number)[]} a @param {readonly (string | number)[]} b */
export function compareKeys(a, b) {
  for (let i = 0; i < Math.min(a.length, b.length); i += 1) {
    const x = a[i];
    const y = b[i];
    if (x === y) continue;
    return /** @type {any} */ (x) < /** @type {any} */ (y) ? -1 : 1;
  }
  return a.length - b.length;
}
