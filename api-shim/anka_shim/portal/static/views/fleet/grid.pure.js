// @ts-check
/** Which tile an arrow key leads to, by where the tiles are on the screen. Pure. */

/** @typedef {{left: number, top: number}} Place */

/**
 * @param {readonly Place[]} places in the order of reading
 * @param {number} from index of the present one
 * @param {string} key as KeyboardEvent.key has it
 * @returns {number} the index to go to; `from` where the key leads nowhere
 */
export function nextTile(places, from, key) {
  const here = places[from];
  if (!here) return places.length ? 0 : -1;
  if (key === "ArrowRight") return Math.min(places.length - 1, from + 1);
  if (key === "ArrowLeft") return Math.max(0, from - 1);
  if (key === "Home") return 0;
  if (key === "End") return places.length - 1;
  if (key !== "ArrowDown" && key !== "ArrowUp") return from;
  const sign = key === "ArrowDown" ? 1 : -1;
  const rows = places.filter((place) => sign * (place.top - here.top) > 0).map((place) => place.top);
  if (!rows.length) return from;
  const row = sign > 0 ? Math.min(...rows) : Math.max(...rows);
  let best = from;
  let distance = Infinity;
  places.forEach((place, index) => {
    const away = Math.abs(place.left - here.left);
    if (place.top === row && away < distance) [best, distance] = [index, away];
  });
  return best;
}
