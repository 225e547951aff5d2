// @ts-check
/** The fleet in figures and in sections. Pure. */

import { compareKeys } from "../../core/sort.js";
import {freeOn, isAccepting, slotLimit, slotsOf} from "./slots.pure.js";

/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */
/** @typedef {import("../../core/types").GroupRow} GroupRow */
/** @typedef {import("./slots.pure.js").Slot} Slot */

/**
 * A Mac as the map shows it.
 * @typedef {object} Tile
 * @property {NodeRow} node
 * @property {Slot[]} slots
 * @property {number} free
 * @property {number} freeVcpus
 * @property {InstanceRow|undefined} heldFor the waiting instance for which it is kept free
 */

/** @typedef {{id: string, title: string, note: string, tiles: Tile[]}} Section */

/** States in the order in which people look for them, with the word that is shown. */
export const STATES = /** @type {const} */ ([
  ["Active", "Active"],
  ["Drain Mode", "Drain"],
  ["Updating", "Updating"],
  ["Unhealthy", "Unhealthy"],
  ["Inactive (Invalid License)", "Inactive"],
  ["Offline", "Offline"],
]);

/** @param {NodeRow} node */
export function stateOf(node) {
  const state = node.state ?? "Offline";
  return node.draining && state === "Active" ? "Drain Mode" : state;
}

/**
 * @param {readonly NodeRow[]} nodes
 * @param {Map<string, InstanceRow[]>} placed
 * @param {Map<string, InstanceRow>} held
 * @returns {Tile[]}
 */
export function tilesOf(nodes, placed, held) {
  return nodes.map((node) => {
    const slots = slotsOf(node, placed.get(node.id) ?? []);
    const free = freeOn(node, slots.filter((slot) => slot.kind !== "free").length);
    return {node, slots, free: free.vms, freeVcpus: free.vcpus, heldFor: held.get(node.id)};
  });
}

/** @param {readonly number[]} values */
const mean = (values) => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0);

/**
 * @param {readonly Tile[]} tiles
 * @param {readonly InstanceRow[]} instances
 */
export function figuresOf(tiles, instances) {
  /** @type {Record<string, number>} */
  const states = {};
  for (const {node} of tiles) states[stateOf(node)] = (states[stateOf(node)] ?? 0) + 1;
  const active = tiles.filter(({node}) => isAccepting(node));
  const waiting = instances.filter((instance) => instance.phase === "Scheduling" && !instance.node);
  return {
    states,
    taken: sum(tiles, ({slots}) => slots.filter((slot) => slot.kind !== "free").length),
    capacity: sum(tiles, ({node, slots}) => Math.max(slotLimit(node) ?? 0, slots.filter((s) => s.kind !== "free").length)),
    running: instances.filter((instance) => instance.phase === "Started").length,
    free: sum(tiles, ({free}) => free),
    freeVcpus: sum(tiles, ({freeVcpus}) => freeVcpus),
    byResource: active.filter(({node}) => slotLimit(node) === null).length,
    waiting: waiting.filter((instance) => !instance.never).length,
    never: waiting.filter((instance) => instance.never).length,
    cpu: mean(active.map(({node}) => node.usage?.cpuPercent ?? 0)),
    ram: mean(active.map(({node}) => node.usage?.ramPercent ?? 0)),
    failures: sum(tiles, ({node}) => node.failures?.count ?? 0),
  };
}

/**
 * @template T
 * @param {readonly T[]} list
 * @param {(item: T) => number} value
 */
const sum = (list, value) => list.reduce((total, item) => total + value(item), 0);

/** @type {Record<string, (tile: Tile) => (string|number)[]>} */
const ORDERS = {
  name: () => [],
  failures: ({node}) => [-(node.failures?.count ?? 0)],
  free: ({free, freeVcpus}) => [-free, -freeVcpus],
  cpu: ({node}) => [-(node.usage?.cpuPercent ?? 0)],
  disk: ({node}) => [diskLeft(node)],
};

/** @param {NodeRow} node the share of the disk that is free, 0 to 1 */
export const diskLeft = (node) => (node.disk?.sizeBytes ? (node.disk.freeBytes ?? 0) / node.disk.sizeBytes : 1);

const names = new Intl.Collator("en", {numeric: true});

/**
 * @param {readonly Tile[]} tiles
 * @param {string} order a key of ORDERS
 */
export function sortTiles(tiles, order) {
  const key = ORDERS[order] ?? ORDERS["name"];
  return tiles
    .map((tile) => ({tile, key: key?.(tile) ?? []}))
    .sort((a, b) => compareKeys(a.key, b.key) || names.compare(a.tile.node.name, b.tile.node.name))
    .map(({tile}) => tile);
}

/** @type {Record<string, (node: NodeRow) => string>} */
const KEYS = {
  state: (node) => stateOf(node),
  arch: (node) => node.arch ?? "not known yet",
  none: () => "",
};

/**
 * Every Mac once: under the first of its groups by name; its other groups stand on its tile.
 * @param {readonly Tile[]} tiles in order
 * @param {string} by group, state, arch or none
 * @param {readonly GroupRow[]} groups
 * @returns {Section[]}
 */
export function sectionsOf(tiles, by, groups) {
  const key = KEYS[by];
  if (key) {
    const found = bucket(tiles, ({node}) => key(node));
    return [...found.keys()].sort(names.compare).map((id) => ({id, title: id || "All Macs", note: "", tiles: found.get(id) ?? []}));
  }
  const known = new Map(groups.map((group) => [group.id, group]));
  /** @param {string} id */
  const title = (id) => known.get(id)?.name ?? id;
  const found = bucket(tiles, ({node}) => [...(node.groups ?? [])].sort((a, b) => names.compare(title(a), title(b)))[0] ?? "");
  return [...found.keys()]
    .sort((a, b) => Number(!a) - Number(!b) || names.compare(title(a), title(b)))
    .map((id) => {
      const group = known.get(id);
      const fallback = group?.fallback ? `falls back to ${title(group.fallback)}` : "";
      return {id, title: id ? title(id) : "In no group", note: fallback, tiles: found.get(id) ?? []};
    });
}

/**
 * @param {readonly Tile[]} tiles
 * @param {(tile: Tile) => string} key
 */
function bucket(tiles, key) {
  /** @type {Map<string, Tile[]>} */
  const found = new Map();
  for (const tile of tiles) {
    const there = found.get(key(tile));
    if (there) there.push(tile);
    else found.set(key(tile), [tile]);
  }
  return found;
}
