// @ts-check
/** How long to wait before the next try to connect. Pure. */
const FIRST = 200;
const MOST = 5000;

/** @param {number} failures in a row, 1 or more @param {number} chance 0 … 1: replicas that restart must not be met by all tabs at once */
export function backoff(failures, chance) {
  const longest = Math.min(MOST, FIRST * 2 ** (failures - 1));
  return longest / 2 + (longest / 2) * chance;
}
