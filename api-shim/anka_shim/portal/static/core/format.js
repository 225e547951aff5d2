// @ts-check
/** Numbers and times as people read them. Pure. */

/** @param {number | null | undefined} ms `1 min 5 s` */
export function duration(ms) {
  if (ms == null || !Number.isFinite(ms)) return "–";
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return withRest(minutes, "min", seconds % 60, "s");
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return withRest(hours, "h", minutes % 60, "min");
  return withRest(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** @param {number} n @param {string} unit @param {number} rest @param {string} restUnit */
function withRest(n, unit, rest, restUnit) {
  return rest ? `${n} ${unit} ${rest} ${restUnit}` : `${n} ${unit}`;
}

/** The largest unit only. @param {number} ms */
export function roughly(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** `3 min ago`, `in 2 h` @param {string | null | undefined} iso @param {number} now */
export function relative(iso, now) {
  const at = iso ? Date.parse(iso) : NaN;
  if (Number.isNaN(at)) return "–";
  const ms = now - at;
  if (Math.abs(ms) < 1500) return "now";
  return ms > 0 ? `${roughly(ms)} ago` : `in ${roughly(-ms)}`;
}

/** ms from one time to another, or null. @param {string | null | undefined} from @param {string | number | null | undefined} to */
export function between(from, to) {
  const start = from ? Date.parse(from) : NaN;
  const end = typeof to === "number" ? to : to ? Date.parse(to) : NaN;
  return Number.isNaN(start) || Number.isNaN(end) ? null : end - start;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/** Powers of 1000, as Apple counts. @param {number | null | undefined} n */
export function bytes(n) {
  if (n == null || !Number.isFinite(n)) return "–";
  let value = Math.max(0, n);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const text = unit === 0 || value >= 99.95 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, "");
  return `${text} ${UNITS[unit]}`;
}

/** `1 VM`, `1,200 VMs` @param {number} n @param {string} one @param {string} [many] */
export function count(n, one, many = `${one}s`) {
  return `${number(n)} ${n === 1 ? one : many}`;
}

/** @param {number | null | undefined} n */
export function number(n) {
  return n == null || !Number.isFinite(n) ? "–" : n.toLocaleString("en-US");
}

/** @param {number | null | undefined} n */
export function percent(n) {
  return n == null || !Number.isFinite(n) ? "–" : `${Math.round(n)} %`;
}
