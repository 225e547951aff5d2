/** Where the modules are that these tests are about. */
export const STATIC = new URL("../../api-shim/anka_shim/portal/static/", import.meta.url);

/** @param {string} path */
export const from = (path) => import(new URL(path, STATIC).href);

/** A small generator, so that a failure can be seen again. @param {number} seed */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
