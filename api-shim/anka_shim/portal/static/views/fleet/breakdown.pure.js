// @ts-check
/** How many instances there are of each state and of each template. Pure. */

/**
 * @template R
 * @param {readonly R[]} rows
 * @param {(row: R) => string} key
 * @param {number} most further ones become one line
 * @returns {{label: string, value: number}[]} the most frequent first
 */
export function countBy(rows, key, most) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const row of rows) counts.set(key(row), (counts.get(key(row)) ?? 0) + 1);
  const all = [...counts].map(([label, value]) => ({ label, value })).sort((a, b) => b.value - a.value || (a.label < b.label ? -1 : 1));
  if (all.length <= most) return all;
  const rest = all.slice(most - 1);
  return [...all.slice(0, most - 1), { label: `${rest.length} more`, value: rest.reduce((sum, { value }) => sum + value, 0) }];
}
