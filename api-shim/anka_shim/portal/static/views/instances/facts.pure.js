// @ts-check
/** What the row of an instance means to people: words, links, what may be done with it. Pure. */
import { matches } from "../../core/filters.js";

/** @typedef {import("../../core/types").InstanceRow} Instance */
/** @typedef {import("../../core/types").Session} Session */

const GOING = ["Terminating", "Terminated"];
const RESTARTABLE = ["Started", "Stopped"];
const MAX_KEYS = 200;

/** @param {Instance} row */
export function stateWord(row) {
  return row.legacyState || row.phase;
}

/** In the old portal's words: `Pulling (49%)`, `Error (what happened)`. @param {Instance} row */
export function stateText(row) {
  const state = stateWord(row);
  if (state === "Pulling" && row.percent != null) return `Pulling (${Math.round(row.percent)}%)`;
  return state === "Error" && row.message ? `Error (${row.message})` : state;
}

/** @param {Instance} row */
export function templateName(row) {
  return row.template.name || row.template.id || "";
}

/** Without a tag, the old portal's word for the newest. @param {Instance} row */
export function tagName(row) {
  if (row.template.tag) return row.template.tag;
  return row.template.version == null ? "latest" : `version ${row.template.version}`;
}

/** @param {Instance} row */
export function instanceName(row) {
  return row.displayName || row.name;
}

/**
 * A text that a user chose, as an address to go to, if it is one of the web: `javascript:` and the like stay text.
 * @param {string | null | undefined} text
 */
export function webAddress(text) {
  if (!text || !/^https?:\/\//i.test(text)) return null;
  try {
    return new URL(text).href;
  } catch {
    return null;
  }
}

/** What a viewer of screens opens. @param {string | null | undefined} text */
export function vncAddress(text) {
  return text && /^vnc:\/\/[^\s/][^\s]*$/i.test(text) ? text : null;
}

/** Of these instances, sorted. @param {readonly Instance[]} rows */
export function metadataKeys(rows) {
  const keys = new Set(rows.flatMap((row) => Object.keys(row.metadata ?? {})));
  return [...keys].sort((a, b) => (a < b ? -1 : 1)).slice(0, MAX_KEYS);
}

/** @param {Instance} row @param {string} key */
export function metadataText(row, key) {
  const values = row.metadata ?? {};
  return Object.hasOwn(values, key) ? String(values[key]) : "";
}

/** @param {Instance} row */
export function isGoing(row) {
  return GOING.includes(row.phase) || GOING.includes(stateWord(row));
}

/** What the shim writes down of who asks: names of different logins are never the same. @param {Session | null} session */
export function accountOf(session) {
  if (!session || session.login === "root" || session.login === "none") return session?.user;
  if (session.login !== "apiKey") return `${session.login}:${session.user}`;
  return session.user.includes(":") || session.user === "root" ? `api-key:${session.user}` : session.user;
}

/** What nobody had to log in for belongs to everybody. @param {Instance} row @param {Session | null} session */
export function isMine(row, session) {
  return !row.requestedBy || row.requestedBy === accountOf(session);
}

/** Why it cannot be restarted now, or null. @param {Instance} row */
export function whyNotRestart(row) {
  if (row.managedBy) return `${row.managedBy} manages it.`;
  if (RESTARTABLE.includes(row.phase) && !isGoing(row)) return null;
  return `It is ${stateWord(row)}, and must be Started or Stopped.`;
}

/** Why it cannot be saved now, or null. @param {Instance} row */
export function whyNotSave(row) {
  if (row.managedBy) return `${row.managedBy} manages it.`;
  return row.phase === "Started" && !isGoing(row) ? null : `It is ${stateWord(row)}, and must be Started.`;
}

/** Why it cannot be terminated now, or null. @param {Instance} row */
export function whyNotTerminate(row) {
  if (row.managedBy) return `${row.managedBy} manages it.`;
  return isGoing(row) ? `It is ${stateWord(row)} already.` : null;
}

/** The line that enters the VM, where its port 22 is forwarded. @param {Instance} row */
export function sshLine(row) {
  const port = row.ports?.find((rule) => rule.guest === 22 && rule.host);
  return port && row.hostIp ? `ssh -p ${port.host} anka@${row.hostIp}` : null;
}

/** All texts by which somebody may look for it. @param {Instance} row */
function searched(row) {
  return [
    row.id, row.name, row.displayName, row.externalId, row.node, row.group, row.ip, row.hostIp, row.macAddress,
    row.template.name, row.template.id, row.template.tag, row.requestedBy, stateText(row), row.reason, row.message,
    ...Object.entries(row.metadata ?? {}).map(([key, value]) => `${key}=${value}`),
  ].filter(Boolean).join("\n");
}

/**
 * @param {readonly Instance[]} rows
 * @param {Record<string, string | undefined>} filter phase (a list), node, group, template, mine, q
 * @param {Session | null} session
 */
export function select(rows, filter, session) {
  const phases = filter.phase?.split(",").filter(Boolean) ?? [];
  const q = filter.q?.trim();
  return rows.filter(
    (row) =>
      (phases.length === 0 || phases.includes(stateWord(row)) || phases.includes(row.phase)) &&
      (!filter.node || row.node === filter.node) &&
      (!filter.group || row.group === filter.group) &&
      (!filter.template || row.template.id === filter.template || row.template.name === filter.template) &&
      (!filter.mine || isMine(row, session)) &&
      (!q || matches(searched(row), q)),
  );
}

/**
 * How much care it takes to terminate these (R5): a dialog for one of one's own; a list, and a number to type, for
 * many or somebody else's.
 * @param {readonly Instance[]} rows @param {Session | null} session @returns {2 | 3}
 */
export function terminationDegree(rows, session) {
  return rows.length === 1 && rows.every((row) => isMine(row, session)) ? 2 : 3;
}
