// @ts-check
/** What the server knows of a Mac beside its row. */

/** @typedef {import("../../core/types").Context} Context */

const EVERY = 15_000;

/**
 * @typedef {object} NodeHistory
 * @property {string} [since]
 * @property {import("./node.pure.js").HistoryEntry[]} instances
 * @property {[number, number, number, number][]} usage time, VMs, CPU and RAM in percent
 */

/** @param {Context} ctx @param {string} id @returns {import("../../core/types").Resource<NodeHistory>} */
export const loadNodeHistory = (ctx, id) =>
  ctx.resource(`node-history/${id}`, (signal) =>
    ctx.api.call("GET", `/portal/v1/nodes/history?id=${encodeURIComponent(id)}`, undefined, { signal }), { every: EVERY });

/**
 * @param {Context} ctx
 * @param {string} id
 * @returns {import("../../core/types").Resource<{object: unknown, yaml: string, events: {at: string, type?: string, reason?: string,
 *   message?: string, count?: number, by?: string}[], eventsProblem?: string}>}
 */
export const loadNodeObject = (ctx, id) =>
  ctx.resource(`node-object/${id}`, (signal) =>
    ctx.api.call("GET", `/portal/v1/object?kind=nodes&id=${encodeURIComponent(id)}`, undefined, { signal }), { every: EVERY });
