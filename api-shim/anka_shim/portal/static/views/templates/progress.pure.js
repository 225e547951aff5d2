// @ts-check
/** How far a distribution is. Pure. */

/** @typedef {import("../../core/types").DistributionRow} Distribution */
/** @typedef {NonNullable<Distribution["nodes"]>[number]} Entry */

const ORDER = ["failed", "running", "waiting", "done"];

/** @param {Entry} entry @returns {"failed" | "running" | "waiting" | "done"} */
export function entryState(entry) {
  if (entry.done) return entry.message ? "failed" : "done";
  return (entry.percent ?? 0) > 0 ? "running" : "waiting";
}

/** @param {Distribution} row */
export function isOpen(row) {
  return !row.finishedAt && !row.cancelled;
}

/** Macs by what they do, those that have finished and left the list included. @param {Distribution} row */
export function summary(row) {
  const counts = { done: row.finished ?? 0, failed: 0, running: 0, waiting: row.waiting ?? 0 };
  let percent = counts.done * 100;
  for (const entry of row.nodes ?? []) {
    counts[entryState(entry)] += 1;
    percent += entry.done ? 100 : (entry.percent ?? 0);
  }
  const all = counts.done + counts.failed + counts.running + counts.waiting;
  return { ...counts, all, percent: all ? Math.round(percent / all) : 0 };
}

/** Those that need somebody's eyes first. @param {Distribution} row */
export function inOrder(row) {
  return [...(row.nodes ?? [])].sort(
    (a, b) => ORDER.indexOf(entryState(a)) - ORDER.indexOf(entryState(b)) || (a.node < b.node ? -1 : 1),
  );
}

/** Open ones first, then the latest. @param {readonly Distribution[]} rows */
export function latestFirst(rows) {
  return [...rows].sort(
    (a, b) => Number(isOpen(b)) - Number(isOpen(a)) || (a.created < b.created ? 1 : a.created > b.created ? -1 : a.id < b.id ? -1 : 1),
  );
}
