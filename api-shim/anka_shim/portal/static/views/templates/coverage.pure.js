// @ts-check
/** Templates × Macs: which Mac has which tag, pulls it, waits for it, lacks it. Pure. */
import { isGoing } from "../instances/facts.pure.js";
import { newestFirst } from "./usage.pure.js";
import { compare } from "../../core/sort.js";

/**
 * @typedef {import("../../core/types").InstanceRow} Instance
 * @typedef {import("../../core/types").TemplateRow} Template
 * @typedef {import("../../core/types").NodeRow} Node
 * @typedef {import("../../core/types").GroupRow} Group
 * @typedef {import("../../core/types").DistributionRow} Distribution
 * @typedef {"has" | "pulling" | "queued" | "missing" | "tooBig"} CellState
 * @typedef {{node: Node, state: CellState, percent: number, isPinned: boolean, note: string}} Cell
 * @typedef {{
 *   key: string, template: Template, tag: string, isLatest: boolean, isFirst: boolean, olderTags: number,
 *   sizeBytes: number | undefined, have: number, of: number, running: number, cells: Cell[], signature: string,
 * }} Row
 */

/** @type {Readonly<Record<CellState, string>>} */
export const WORDS = Object.freeze({
  has: "has it",
  pulling: "pulls it",
  queued: "is about to pull it",
  missing: "lacks it",
  tooBig: "lacks it, and has too little disk",
});

/** @param {string | undefined} template @param {string | undefined} tag */
function keyOf(template, tag) {
  return `${template ?? ""}\n${tag ?? ""}`;
}

/**
 * Macs by group, then those of no group. A Mac of several groups stands with its first.
 * @param {readonly Node[]} nodes @param {readonly Group[]} groups
 */
export function columnsOf(nodes, groups) {
  const names = new Map(groups.map((group) => [group.id, group.name]));
  /** @type {Map<string, {id: string, name: string, nodes: Node[]}>} */
  const columns = new Map();
  const inOrder = [...nodes].sort((a, b) => compare(a.name, b.name));
  for (const node of inOrder) {
    const id = node.groups[0] ?? "";
    const column = columns.get(id) ?? { id, name: id ? (names.get(id) ?? id) : "no group", nodes: [] };
    column.nodes.push(node);
    columns.set(id, column);
  }
  return [...columns.values()].sort((a, b) => Number(!a.id) - Number(!b.id) || (a.name < b.name ? -1 : 1));
}

/** What one Mac is about to have, by template and tag. @param {Node} node @param {Map<string, Distribution>} distributions @param {readonly Instance[]} placed */
function pullsOf(node, distributions, placed) {
  /** @type {Map<string, {percent: number, note: string}>} */
  const pulls = new Map();
  for (const task of node.tasks ?? []) {
    if (task.done) continue;
    const key = taskKey(task.name, distributions);
    if (key) pulls.set(key, { percent: task.percent ?? 0, note: task.message ?? "" });
  }
  for (const row of placed) {
    if (row.phase !== "Pulling") continue;
    const key = keyOf(row.template.id, row.template.tag);
    pulls.set(key, { percent: Math.max(row.percent ?? 0, pulls.get(key)?.percent ?? 0), note: "for an instance" });
  }
  return pulls;
}

/** `keep:<template>:<tag>`, or the name of a distribution. @param {string} name @param {Map<string, Distribution>} distributions */
function taskKey(name, distributions) {
  if (name.startsWith("keep:")) {
    const [, template, ...tag] = name.split(":");
    return keyOf(template, tag.join(":"));
  }
  const found = distributions.get(name);
  return found && found.action !== "Remove" ? keyOf(found.template.id, found.template.tag) : null;
}

/** Distributions that still have something to do, by name; and what they want, by Mac. @param {readonly Distribution[]} rows */
function openDistributions(rows) {
  const byName = new Map(rows.map((row) => [row.name, row]));
  /** @type {Map<string, {key: string, failed: string | null}[]>} */
  const wanted = new Map();
  for (const row of rows) {
    if (row.action === "Remove" || row.cancelled || row.finishedAt) continue;
    for (const entry of row.nodes ?? []) {
      if (entry.done && !entry.message) continue;
      const list = wanted.get(entry.node) ?? [];
      list.push({ key: keyOf(row.template.id, row.template.tag), failed: entry.done ? (entry.message ?? null) : null });
      wanted.set(entry.node, list);
    }
  }
  return { byName, wanted };
}

/**
 * @param {{
 *   templates: readonly Template[], nodes: readonly Node[], instances: readonly Instance[],
 *   distributions: readonly Distribution[], opened?: ReadonlySet<string>,
 * }} input nodes in the order of the columns; opened: templates of which all tags are shown
 * @returns {Row[]}
 */
export function coverage({ templates, nodes, instances, distributions, opened = new Set() }) {
  const { byName, wanted } = openDistributions(distributions);
  /** @type {Map<string, Instance[]>} */
  const placed = new Map();
  /** @type {Map<string, number>} */
  const running = new Map();
  for (const row of instances) {
    if (isGoing(row)) continue;
    const key = keyOf(row.template.id, row.template.tag);
    running.set(key, (running.get(key) ?? 0) + 1);
    if (row.node) placed.set(row.node, [...(placed.get(row.node) ?? []), row]);
  }
  const macs = nodes.map((node) => ({
    node,
    held: new Set((node.templates ?? []).map((held) => keyOf(held.id, held.tag))),
    kept: new Set((node.kept ?? []).map((kept) => keyOf(kept.template, kept.tag))),
    pulls: pullsOf(node, byName, placed.get(node.id) ?? []),
    queued: wanted.get(node.id) ?? [],
  }));
  const inUse = new Set(macs.flatMap((mac) => [...mac.held, ...mac.kept, ...mac.pulls.keys(), ...mac.queued.map((one) => one.key)]));
  return templates.flatMap((template) => {
    const versions = newestFirst(template);
    const shown = versions.filter((version, i) => i === 0 || opened.has(template.id) || inUse.has(keyOf(template.id, version.tag)));
    return shown.map((version, i) => {
      const key = keyOf(template.id, version.tag);
      const cells = macs.map((mac) => cellOf(mac, key, version.sizeBytes));
      return {
        key, template, tag: version.tag ?? String(version.number), isLatest: version === versions[0], isFirst: i === 0,
        olderTags: versions.length - shown.length, sizeBytes: version.sizeBytes,
        have: cells.filter((cell) => cell.state === "has").length, of: cells.length, running: running.get(key) ?? 0, cells,
        signature: cells.map((cell) => `${cell.state}${cell.percent}${cell.isPinned ? "!" : ""}${cell.note}`).join("|"),
      };
    });
  });
}

/**
 * @param {{
 *   node: Node, held: Set<string>, kept: Set<string>, pulls: Map<string, {percent: number, note: string}>,
 *   queued: {key: string, failed: string | null}[],
 * }} mac
 * @param {string} key @param {number | undefined} size
 * @returns {Cell}
 */
function cellOf(mac, key, size) {
  const { node } = mac;
  const isPinned = mac.kept.has(key);
  const pull = mac.pulls.get(key);
  if (pull) return { node, state: "pulling", percent: Math.round(pull.percent), isPinned, note: pull.note };
  if (mac.held.has(key)) return { node, state: "has", percent: 100, isPinned, note: "" };
  const queued = mac.queued.find((one) => one.key === key);
  if (queued && !queued.failed) return { node, state: "queued", percent: 0, isPinned, note: "" };
  const free = node.disk?.freeBytes;
  const isTooBig = size != null && free != null && size > free;
  return { node, state: isTooBig ? "tooBig" : "missing", percent: 0, isPinned, note: queued?.failed ?? "" };
}

/** What a cell says to those who cannot see its colour. @param {Cell} cell */
export function cellText(cell) {
  const words = cell.state === "pulling" ? `pulls it: ${cell.percent} %` : WORDS[cell.state];
  return `${cell.node.name} ${words}${cell.isPinned ? ", a rule keeps it there" : ""}${cell.note ? ` (${cell.note})` : ""}`;
}
