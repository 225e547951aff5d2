// @ts-check
/** How long each step of a start took, beside the median of its template: the lengths of two bars. Pure. */

/**
 * @typedef {{name: string, from: string, to: string | null, seconds: number, seen?: boolean}} Step
 * @typedef {{steps: Step[], median?: Record<string, number>, of?: number, since?: string}} Timeline
 * @typedef {{
 *   name: string, label: string, seconds: number, at: number, width: number, isRunning: boolean, isSeen: boolean,
 *   median: number | null,
 * }} Segment
 */

/** @type {Readonly<Record<string, string>>} */
const LABELS = Object.freeze({
  wait: "Wait for a Mac",
  pull: "Pull",
  clone: "Clone",
  start: "Boot",
  network: "Address",
  script: "Script",
});

/** The whole of the longer bar. */
export const SCALE = 1000;
const SLOW_SECONDS = 5;

/** @param {Timeline} timeline @param {number} now in milliseconds */
export function layOut(timeline, now) {
  const medians = timeline.median ?? {};
  const own = timeline.steps.map((step) => ({
    name: step.name, seconds: secondsOf(step, now), isRunning: !step.to, isSeen: step.seen !== false,
  }));
  const usual = Object.keys(LABELS)
    .filter((name) => timeline.of && Number(medians[name]) > 0)
    .map((name) => ({ name, seconds: Number(medians[name]), isRunning: false, isSeen: true }));
  const total = sum(own);
  const medianTotal = sum(usual);
  const whole = Math.max(total, medianTotal);
  return { own: place(own, whole, medians), median: place(usual, whole, medians), total, medianTotal, of: timeline.of ?? 0 };
}

/** @param {Step} step @param {number} now */
function secondsOf(step, now) {
  const from = Date.parse(step.from);
  return Math.max(0, step.to || Number.isNaN(from) ? step.seconds : (now - from) / 1000);
}

/**
 * @param {{name: string, seconds: number, isRunning: boolean, isSeen: boolean}[]} parts
 * @param {number} whole @param {Record<string, number>} medians
 */
function place(parts, whole, medians) {
  let at = 0;
  return parts.map((part) => {
    const width = whole > 0 ? (part.seconds / whole) * SCALE : 0;
    /** @type {Segment} */
    const segment = { ...part, label: LABELS[part.name] ?? part.name, at, width, median: medians[part.name] ?? null };
    at += width;
    return segment;
  });
}

/** @param {{seconds: number}[]} parts */
function sum(parts) {
  return parts.reduce((all, part) => all + part.seconds, 0);
}

/** The step that makes this start slower than usual, or null. @param {readonly Segment[]} own */
export function slowestStep(own) {
  const slow = own.filter((part) => part.median != null && part.seconds >= SLOW_SECONDS && part.seconds > 2 * part.median);
  return slow.reduce((worst, part) => (!worst || excess(part) > excess(worst) ? part : worst), /** @type {Segment | null} */ (null));
}

/** @param {Segment} part */
function excess(part) {
  return part.seconds - (part.median ?? 0);
}
