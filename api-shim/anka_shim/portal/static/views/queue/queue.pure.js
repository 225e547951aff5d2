// @ts-check
/** The queue in the scheduler's order, and why it waits. Pure. */

import { compareKeys } from "../../core/sort.js";

/** @typedef {import("../../core/types").InstanceRow} InstanceRow */
/** @typedef {{row: InstanceRow, position: number}} Waiting */

/** @param {InstanceRow} instance */
export const isWaiting = (instance) => instance.phase === "Scheduling" && !instance.node;

/**
 * @param {readonly InstanceRow[]} instances all
 * @returns {{queue: Waiting[], never: InstanceRow[]}} `never`: waiting does not change their answer
 */
export function splitWaiting(instances) {
  const waiting = instances.filter(isWaiting).sort((a, b) => compareKeys(a.queueKey ?? [], b.queueKey ?? []));
  return {
    queue: waiting.filter((row) => !row.never).map((row, index) => ({row, position: index + 1})),
    never: waiting.filter((row) => row.never),
  };
}

/** @param {InstanceRow} row since when it waits */
export const waitsSince = (row) => row.waitingSince ?? row.created;

/**
 * @param {readonly InstanceRow[]} rows
 * @returns {InstanceRow|undefined} the one that has waited longest
 */
export function oldestOf(rows) {
  /** @type {InstanceRow|undefined} */
  let oldest;
  for (const row of rows) if (!oldest || waitsSince(row) < waitsSince(oldest)) oldest = row;
  return oldest;
}

/**
 * What they wait for, the most frequent first.
 * @param {readonly InstanceRow[]} rows
 * @returns {{message: string, rows: InstanceRow[]}[]}
 */
export function groupByMessage(rows) {
  /** @type {Map<string, InstanceRow[]>} */
  const found = new Map();
  for (const row of rows) {
    const message = row.message || "The scheduler has not looked at it yet";
    const there = found.get(message);
    if (there) there.push(row);
    else found.set(message, [row]);
  }
  return [...found]
    .map(([message, there]) => ({message, rows: there}))
    .sort((a, b) => b.rows.length - a.rows.length || (a.message < b.message ? -1 : 1));
}

/**
 * "is full" of one Mac is "full" of several.
 * @param {string|null|undefined} why
 */
const phraseOf = (why) => (why ? why.replace(/^is /, "") : "cannot take it");

/**
 * The Macs of an explanation, by what rules them out: "full: mac-01, mac-02".
 * @param {readonly {node: string, fits: boolean, why?: string|null, needsPull?: boolean}[]} assessments
 * @returns {{why: string, fits: boolean, nodes: string[]}[]} those that fit first, then the most frequent reason
 */
export function groupAssessments(assessments) {
  /** @type {Map<string, {why: string, fits: boolean, nodes: string[]}>} */
  const found = new Map();
  for (const {node, fits, why, needsPull} of assessments) {
    const words = fits ? (needsPull ? "could take it, and would pull the template first" : "could take it, and has the template") : phraseOf(why);
    const there = found.get(words);
    if (there) there.nodes.push(node);
    else found.set(words, {why: words, fits, nodes: [node]});
  }
  return [...found.values()].sort((a, b) => Number(b.fits) - Number(a.fits) || b.nodes.length - a.nodes.length);
}
