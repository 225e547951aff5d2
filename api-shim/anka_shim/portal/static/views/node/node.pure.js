// @ts-check
/** What a Mac's page says about it. Pure. */

import { between, count, roughly } from "../../core/format.js";
import { vcpuLimit } from "../fleet/slots.pure.js";

/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */

/** RAM that a Mac keeps for itself where VMs are limited by resources. */
const RAM_FOR_MACOS_GIB = 2;

/** @param {NodeRow} node */
export function ramLimitGib(node) {
  return node.ramOverrideGib || Math.max(0, (node.ramGib ?? 0) - RAM_FOR_MACOS_GIB);
}

/**
 * "2 VMs left, the longest since 3 h"
 * @param {readonly InstanceRow[]} placed what still runs there
 * @param {number} now
 */
export function drainText(placed, now) {
  if (!placed.length) return "empty: no VM is left";
  const longest = Math.max(...placed.map((row) => between(row.startedAt ?? row.scheduledAt ?? row.created, now) ?? 0));
  return `${count(placed.length, "VM")} left, the longest since ${roughly(longest)}`;
}

/**
 * @typedef {object} Bar
 * @property {string} label
 * @property {number} value
 * @property {number} max
 * @property {string} text
 */

/**
 * What is handed out to VMs, and what the Mac really uses: two different things.
 * @param {NodeRow} node
 * @param {number|null} slots
 * @param {number} taken
 * @returns {{allocated: Bar[], used: Bar[]}}
 */
export function barsOf(node, slots, taken) {
  const { usage, disk } = node;
  const ramGib = Math.round((usage?.ramMib ?? 0) / 102.4) / 10;
  /** @type {Bar[]} */
  const allocated = [];
  if (slots !== null) allocated.push({ label: "VMs", value: taken, max: slots, text: `${taken} of ${slots}` });
  const vcpus = vcpuLimit(node) ?? 2 * (node.vcpus ?? 0);
  allocated.push({ label: "vCPUs", value: usage?.vcpus ?? 0, max: vcpus, text: `${usage?.vcpus ?? 0} of ${vcpus}` });
  const ram = ramLimitGib(node);
  allocated.push({ label: "RAM", value: ramGib, max: ram, text: `${ramGib} of ${ram} GiB` });
  const cpu = usage?.cpuPercent ?? 0;
  const memory = usage?.ramPercent ?? 0;
  /** @type {Bar[]} */
  const used = [
    { label: "CPU", value: cpu, max: 100, text: `${cpu} %` },
    { label: "RAM", value: memory, max: 100, text: `${memory} %` },
  ];
  if (disk?.sizeBytes) {
    const share = Math.round(100 * (1 - (disk.freeBytes ?? 0) / disk.sizeBytes));
    used.push({ label: "Disk", value: share, max: 100, text: `${share} %` });
  }
  return { allocated, used };
}

/**
 * @typedef {object} HistoryEntry
 * @property {string} id
 * @property {string} [name]
 * @property {string} [template]
 * @property {string} [tag]
 * @property {string} [startedAt]
 * @property {string} [finishedAt]
 * @property {string} result
 * @property {string} [reason]
 * @property {string} [message]
 */

/**
 * @param {readonly HistoryEntry[]} entries
 * @returns {{ok: number, failed: number, reasons: [string, number][]}}
 */
export function resultsOf(entries) {
  const failed = entries.filter((entry) => entry.result === "Error");
  /** @type {Map<string, number>} */
  const reasons = new Map();
  for (const { reason } of failed) reasons.set(reason ?? "Failed", (reasons.get(reason ?? "Failed") ?? 0) + 1);
  return { ok: entries.length - failed.length, failed: failed.length, reasons: [...reasons].sort((a, b) => b[1] - a[1]) };
}

/**
 * A task of a Mac in words: `keep:<template>:<tag>` is one that a rule asks for.
 * @param {{name: string}} task
 * @param {(id: string) => string|undefined} templateName
 */
export function taskTitle(task, templateName) {
  const rule = /^keep:([^:]+):(.+)$/.exec(task.name);
  if (rule) return `rule: ${templateName(rule[1] ?? "") ?? rule[1]}:${rule[2]}`;
  return `distribution ${task.name}`;
}
