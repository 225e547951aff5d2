// @ts-check
/** Events of the event log, in words. Pure. */

/**
 * @typedef {{event_id: string, name: string, type?: string, sub_type?: string, time: number, machineName?: string,
 *   user?: string, instance_id?: string, template_id?: string, node_id?: string | null, node_name?: string,
 *   external_id?: string, request_id?: string, message?: string, state?: string, tag?: string, [key: string]: unknown}} CloudEvent
 */

/** @type {Record<string, {title: string, tone: import("./types").Tone}>} */
export const EVENTS = {
  StartVM: { title: "VM requested", tone: "wait" },
  VMStarted: { title: "VM started", tone: "ok" },
  VMFailedToStart: { title: "VM failed to start", tone: "bad" },
  TerminateVM: { title: "VM ends", tone: "busy" },
  VMTerminated: { title: "VM ended", tone: "off" },
  DistributeTemplateToNodes: { title: "Template distributed", tone: "busy" },
  TemplatePulled: { title: "Template pulled", tone: "ok" },
  DeleteRegistryVm: { title: "Template deleted from the registry", tone: "warn" },
  ConfigNode: { title: "Mac configured", tone: "warn" },
  DeleteNode: { title: "Mac deleted", tone: "warn" },
  NodeUnregistered: { title: "Mac left", tone: "warn" },
};

/** Said elsewhere in the row. */
const SHOWN = new Set([
  "event_id", "name", "type", "sub_type", "time", "machineName", "user", "instance_id", "template_id", "node_id", "node_name",
]);

/** @param {CloudEvent} event */
export function titleOf(event) {
  return EVENTS[event.name]?.title ?? event.name;
}

/** What else it says: `tag base, priority 10`. @param {CloudEvent} event */
export function detailOf(event) {
  return Object.entries(event)
    .filter(([key, value]) => !SHOWN.has(key) && value !== null && value !== "")
    .map(([key, value]) => `${key.replaceAll("_", " ")} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

/** Older ones behind newer ones, each once. @param {CloudEvent[]} newer @param {CloudEvent[]} older */
export function joinPages(newer, older) {
  const known = new Set(newer.map(({ event_id: id }) => id));
  return [...newer, ...older.filter(({ event_id: id }) => !known.has(id))];
}
