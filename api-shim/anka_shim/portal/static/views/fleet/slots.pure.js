// @ts-check
/** What the slots of a Mac hold, and how many are free. Pure. */

/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */

/**
 * @typedef {object} Slot
 * @property {"vm"|"other"|"free"} kind `other`: a VM that no row shows: a failed one that is kept, or one of which this
 * user may see nothing.
 * @property {InstanceRow} [instance]
 */

/** Phases that do not change by themselves: no slot is theirs. */
const FINISHED = new Set(["Error", "Stopped", "Terminated"]);

/** As the scheduler counts, where people override nothing. */
const VCPUS_FOR_EACH_CORE = 2;

/** @param {NodeRow} node */
export const isDrained = (node) => Boolean(node.draining) || (node.state ?? "").startsWith("Drain");

/**
 * Whether new VMs start on it.
 * @param {NodeRow} node
 */
export function isAccepting(node) {
  if (node.state !== "Active" || node.draining || node.leaving || node.problem) return false;
  return !(node.conditions ?? []).some((condition) => condition.type === "ClockSkewed" && condition.status === "True");
}

/**
 * The most VMs at a time, which also counts by resources on arm64, as for the scheduler; null where only vCPUs and RAM
 * limit them.
 * @param {NodeRow} node
 * @returns {number|null}
 */
export function slotLimit(node) {
  const isByResources = node.capacityMode === "resource" && node.arch !== "arm64";
  return isByResources ? null : (node.maxVms ?? 0);
}

/**
 * vCPUs that VMs may take; null where their number is the limit.
 * @param {NodeRow} node
 */
export function vcpuLimit(node) {
  if (node.capacityMode !== "resource") return null;
  return node.vcpuOverride || VCPUS_FOR_EACH_CORE * (node.vcpus ?? 0);
}

/**
 * What takes up capacity on each Mac, oldest first.
 * @param {readonly InstanceRow[]} instances
 * @returns {Map<string, InstanceRow[]>} by the Mac's id
 */
export function placedByNode(instances) {
  /** @type {Map<string, InstanceRow[]>} */
  const placed = new Map();
  for (const instance of instances) {
    if (!instance.node || FINISHED.has(instance.phase)) continue;
    const there = placed.get(instance.node);
    if (there) there.push(instance);
    else placed.set(instance.node, [instance]);
  }
  for (const there of placed.values()) there.sort((a, b) => (a.created < b.created ? -1 : a.created > b.created ? 1 : 0));
  return placed;
}

/**
 * @param {NodeRow} node
 * @param {readonly InstanceRow[]} placed those on this Mac
 * @returns {Slot[]}
 */
export function slotsOf(node, placed) {
  /** @type {Slot[]} */
  const slots = placed.map((instance) => ({kind: "vm", instance}));
  const others = Math.max(0, (node.usage?.vms ?? 0) - placed.length);
  for (let i = 0; i < others; i += 1) slots.push({kind: "other"});
  const limit = slotLimit(node);
  while (limit !== null && slots.length < limit) slots.push({kind: "free"});
  return slots;
}

/**
 * How many more VMs could start on it now; for a Mac that only vCPUs limit, how many vCPUs are left.
 * @param {NodeRow} node
 * @param {number} taken VMs that hold a slot
 * @returns {{vms: number, vcpus: number}}
 */
export function freeOn(node, taken) {
  if (!isAccepting(node)) return {vms: 0, vcpus: 0};
  const limit = slotLimit(node);
  if (limit !== null) return {vms: Math.max(0, limit - taken), vcpus: 0};
  return {vms: 0, vcpus: Math.max(0, (vcpuLimit(node) ?? 0) - (node.usage?.vcpus ?? 0))};
}

/**
 * Macs that are kept free for an instance which has waited for long: the message of its condition names up to three.
 * @param {readonly InstanceRow[]} instances
 * @returns {Map<string, InstanceRow>} by the Mac's id
 */
export function heldNodes(instances) {
  /** @type {Map<string, InstanceRow>} */
  const held = new Map();
  for (const instance of instances) {
    if (instance.node || !instance.keptFree) continue;
    const words = /; (.+?)(?: and \d+ more)? (?:is|are) kept free for it$/.exec(instance.message ?? "");
    for (const name of words?.[1]?.split(", ") ?? []) held.set(name, instance);
  }
  return held;
}
