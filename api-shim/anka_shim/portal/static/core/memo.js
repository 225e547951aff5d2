// @ts-check
/**
 * `const sums = memo((ctx) => [ctx.store.version("nodes")], (ctx) => …)`: computed anew when a key has changed.
 *
 * @template {any[]} A
 * @template R
 * @param {(...args: A) => unknown[]} keys
 * @param {(...args: A) => R} compute
 * @returns {(...args: A) => R}
 */
export function memo(keys, compute) {
  /** @type {unknown[] | null} */
  let last = null;
  /** @type {R} */
  let value;
  return (...args) => {
    const now = keys(...args);
    if (!last || last.length !== now.length || last.some((key, i) => !Object.is(key, now[i]))) {
      value = compute(...args);
      last = now;
    }
    return value;
  };
}
