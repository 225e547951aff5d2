// @ts-check
/** The last hour in figures: text for a spreadsheet, and points of a chart. Pure. */

/**
 * `GET /portal/v1/history`
 * @typedef {object} History
 * @property {string} since
 * @property {number} step seconds between two samples
 * @property {Record<string, (number|null)[]>} series `t` has the times, in seconds since 1970
 * @property {Record<string, number>} [failures] by reason
 * @property {Record<string, {p50: number, p95: number, n: number}>} [startSeconds] by template
 * @property {{p50: number, p95: number, n: number}} [waitSeconds]
 * @property {{cached: number, pulled: number}} [pullHits]
 */

/** @param {unknown} value quoted where a spreadsheet would split it; no formula is run */
function cell(value) {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * @param {readonly (readonly unknown[])[]} rows
 * @returns {string}
 */
export const toCsv = (rows) => rows.map((row) => `${row.map(cell).join(",")}\r\n`).join("");

/**
 * The samples, one in a line.
 * @param {History} history
 */
export function seriesCsv(history) {
  const names = Object.keys(history.series).filter((name) => name !== "t");
  const times = history.series["t"] ?? [];
  const lines = times.map((t, i) => [
    new Date(1000 * (t ?? 0)).toISOString(),
    ...names.map((name) => history.series[name]?.[i] ?? null),
  ]);
  return toCsv([["time", ...names], ...lines]);
}

/**
 * A round number above the highest value, and the lines below it.
 * @param {number} highest
 * @returns {number[]} from 0 to the top
 */
export function ticksUpTo(highest) {
  if (!(highest > 0)) return [0, 1];
  const raw = highest / 3;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw) ?? 10 * power);
  /** @type {number[]} */
  const ticks = [];
  for (let n = 0; n < highest + step; n += step) ticks.push(n);
  return ticks;
}

/**
 * `d` of an SVG path. A value that is missing breaks the line.
 * @param {readonly (number|null|undefined)[]} values
 * @param {number} width
 * @param {number} height
 * @param {number} top the value at the upper edge
 * @param {boolean} [isStepped] a figure that holds until the next sample
 */
export function pathOf(values, width, height, top, isStepped = false) {
  const last = Math.max(1, values.length - 1);
  let path = "";
  let isOn = false;
  values.forEach((value, i) => {
    if (value === null || value === undefined) {
      isOn = false;
      return;
    }
    const x = round((i / last) * width);
    const y = round(height - (Math.min(value, top) / (top || 1)) * height);
    path += !isOn ? `M${x} ${y}` : isStepped ? `H${x}V${y}` : `L${x} ${y}`;
    isOn = true;
  });
  return path;
}

/** @param {number} n */
const round = (n) => Math.round(10 * n) / 10;

/**
 * Sums over `size` samples each, so that bars are wide enough to be seen.
 * @param {readonly (number|null|undefined)[]} values
 * @param {number} bars
 */
export function sumInto(values, bars) {
  const size = Math.max(1, Math.ceil(values.length / bars));
  /** @type {number[]} */
  const sums = [];
  for (let i = 0; i < values.length; i += size) {
    sums.push(values.slice(i, i + size).reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0));
  }
  return sums;
}

/**
 * @param {readonly (number|null|undefined)[]|undefined} values
 * @returns {number} the latest that is known
 */
export function latest(values) {
  const known = (values ?? []).filter((value) => value !== null && value !== undefined);
  return known[known.length - 1] ?? 0;
}

/** @param {readonly (number|null|undefined)[]|undefined} values */
export const total = (values) => (values ?? []).reduce((/** @type {number} */ sum, value) => sum + (value ?? 0), 0);

/** @param {readonly (number|null|undefined)[]|undefined} values */
export const highest = (values) => Math.max(0, ...(values ?? []).map((value) => value ?? 0));
