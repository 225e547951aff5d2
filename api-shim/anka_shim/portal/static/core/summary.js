// @ts-check
/** What there is, in one line for screen readers. Pure. */
import { count } from "./format.js";

/** @param {import("./types").Store} store */
export function summarize(store) {
  const parts = [];
  if (store.state("instances") !== "denied" && store.state("instances") !== "loading") {
    const rows = store.rows("instances");
    const waiting = rows.filter(({ phase }) => phase === "Scheduling").length;
    const failed = rows.filter(({ phase }) => phase === "Error").length;
    parts.push(count(rows.length, "instance"));
    if (waiting) parts.push(`${waiting} waiting`);
    if (failed) parts.push(`${failed} in error`);
  }
  if (store.state("nodes") !== "denied" && store.state("nodes") !== "loading") {
    const rows = store.rows("nodes");
    const active = rows.filter(({ state }) => state === "Active").length;
    parts.push(`${active} of ${count(rows.length, "Mac")} active`);
  }
  return parts.join(", ");
}
