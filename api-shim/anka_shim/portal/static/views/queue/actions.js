// @ts-check
/** To end what waits. */

import { confirm } from "../../components/dialog.js";
import { count } from "../../core/format.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */

/** @param {InstanceRow} row */
export const titleOf = (row) => row.displayName ?? row.name;

/** @param {InstanceRow} row who asked for it, as far as that is known */
export const ownerOf = (row) => row.externalId ?? row.requestedBy ?? "";

/**
 * @param {Context} ctx
 * @param {readonly InstanceRow[]} rows
 */
export function cancel(ctx, rows) {
  const [first] = rows;
  if (!first) return;
  const isOne = rows.length === 1;
  const title = isOne ? `Cancel ${titleOf(first)}` : `Cancel ${count(rows.length, "instance")}`;
  confirm(ctx, {
    title,
    text: "Whoever asked for it gets no VM.",
    list: rows.map((row) => [titleOf(row), ownerOf(row)].filter(Boolean).join(", asked for by ")),
    degree: isOne ? 2 : 3,
    typed: String(rows.length),
    action: "Cancel it",
    run: () =>
      ctx.tasks.run({
        title,
        rows: rows.map((row) => ({ id: row.id, label: titleOf(row) })),
        each: async ({ id }) => {
          await ctx.api.call("DELETE", "/api/v1/vm", { id });
          return "cancelled";
        },
      }),
  });
}
