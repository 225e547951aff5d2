// @ts-check
/** What the page of an instance loads beside its row. @typedef {import("../../core/types").Context} Context */

/**
 * @typedef {{
 *   object: {status?: {conditions?: import("../../core/types").Condition[] & {lastTransitionTime?: string}[],
 *     startupScript?: {returnCode: number, didTimeout?: boolean, stdout?: string, stderr?: string, errors?: string[]},
 *     refusals?: {nodeName: string, reason: string, message: string}[], restartedAt?: string}, spec?: Record<string, any>},
 *   yaml: string, events: {at: string, type: string, reason: string, message: string, count?: number, by?: string}[],
 * }} ObjectDetail
 * @typedef {{node_id: string, instance_id: string | null, service: string, size: number, modified: string | null, file: string | null}} Log
 */

const OBJECT_MS = 5000;
const LOGS_MS = 30_000;

/** @param {Context} ctx @param {string} kind @param {string} id */
export function objectDetail(ctx, kind, id) {
  return ctx.resource(
    `object:${kind}:${id}`,
    async (signal) => /** @type {ObjectDetail} */ (
      await ctx.api.call("GET", `/portal/v1/object?kind=${kind}&id=${encodeURIComponent(id)}`, undefined, { signal })
    ),
    { every: OBJECT_MS },
  );
}

/** @param {Context} ctx @param {string} id */
export function timelineDetail(ctx, id) {
  return ctx.resource(
    `timeline:${id}`,
    async (signal) => /** @type {import("./timeline.pure.js").Timeline} */ (
      await ctx.api.call("GET", `/portal/v1/timeline?id=${encodeURIComponent(id)}`, undefined, { signal })
    ),
    { every: OBJECT_MS },
  );
}

/** The logs of its Mac's agent, and of its VM. @param {Context} ctx @param {string} node @param {string} instance */
export function instanceLogs(ctx, node, instance) {
  return ctx.resource(
    `logs:${node}:${instance}`,
    async (signal) => {
      const logs = /** @type {Log[]} */ (
        await ctx.api.call("GET", `/api/v1/logs?node_id=${encodeURIComponent(node)}`, undefined, { signal })
      );
      return logs.filter((log) => log.instance_id === instance || (!log.instance_id && log.service === "anka_agent"));
    },
    { every: LOGS_MS },
  );
}
