// @ts-check
/** The last hour, as one replica of the server remembers it. */

/** @typedef {import("../../core/types").Context} Context */

const EVERY = 10_000;

/**
 * @param {Context} ctx
 * @returns {import("../../core/types").Resource<import("./history.pure.js").History>}
 */
export const loadHistory = (ctx) =>
  ctx.resource("history", (signal) => ctx.api.call("GET", "/portal/v1/history", undefined, { signal }), { every: EVERY });
