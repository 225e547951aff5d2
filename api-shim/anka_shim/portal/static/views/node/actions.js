// @ts-check
/** What one does to Macs, one or several at once: each reports in the task drawer. */

import { confirm } from "../../components/dialog.js";
import { count } from "../../core/format.js";
import { drainText } from "./node.pure.js";
import { placedByNode } from "../fleet/slots.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/** The right that each action needs, as the API has it. */
export const RIGHTS = /** @type {const} */ ({
  configure: "change_node_config",
  remove: "delete_node",
  join: "add_node_to_group",
  leave: "remove_group_from_node",
});

/** @param {readonly NodeRow[]} nodes */
export const toRows = (nodes) => nodes.map((node) => ({ id: node.id, label: node.name }));

/** @param {readonly NodeRow[]} nodes */
export const nameThem = (nodes) => (nodes.length === 1 ? (nodes[0]?.name ?? "") : count(nodes.length, "Mac"));

/**
 * Undone by `resume`: no question is asked.
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 */
export function drain(ctx, nodes) {
  return ctx.tasks.run({
    title: `Drain ${nameThem(nodes)}`,
    rows: toRows(nodes),
    each: async ({ id }) => {
      await ctx.api.call("POST", "/api/v1/node/config", { node_id: id, drain_mode: true });
      return drainText(placedByNode(ctx.store.rows("instances")).get(id) ?? [], ctx.now);
    },
  });
}

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 */
export function resume(ctx, nodes) {
  return ctx.tasks.run({
    title: `Resume ${nameThem(nodes)}`,
    rows: toRows(nodes),
    each: async ({ id }) => {
      await ctx.api.call("POST", "/api/v1/node/config", { node_id: id, drain_mode: false });
      return "takes new VMs";
    },
  });
}

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 */
export function updateAgents(ctx, nodes) {
  confirm(ctx, {
    title: `Update the agent of ${nameThem(nodes)}`,
    text: "The agent is replaced by the version of this cloud, a few Macs at a time. Running VMs go on.",
    list: nodes.map((node) => `${node.name}: ${node.agentVersion ?? "version not known"}`),
    degree: nodes.length > 1 ? 3 : 2,
    typed: String(nodes.length),
    danger: false,
    action: "Update",
    run: () =>
      ctx.tasks.run({
        title: `Update the agent of ${nameThem(nodes)}`,
        rows: toRows(nodes),
        each: async ({ id }) => {
          await ctx.api.call("PUT", "/api/v1/node/update", { node_ids: [id] });
          return "asked for";
        },
      }),
  });
}

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes all of them Offline
 */
export function remove(ctx, nodes) {
  const placed = placedByNode(ctx.store.rows("instances"));
  const lost = nodes.reduce((sum, node) => sum + (placed.get(node.id)?.length ?? 0), 0);
  const effect = lost ? `${count(lost, "instance")} on it will fail, or start on another Mac if its spec says so.` : "";
  confirm(ctx, {
    title: `Delete ${nameThem(nodes)}`,
    text: `For Macs that no longer exist. One that comes back must join again. ${effect}`,
    list: nodes.map((node) => node.name),
    degree: nodes.length > 1 || lost ? 3 : 2,
    typed: nodes.length > 1 ? String(nodes.length) : nameThem(nodes),
    action: "Delete",
    run: () =>
      ctx.tasks.run({
        title: `Delete ${nameThem(nodes)}`,
        rows: toRows(nodes),
        each: async ({ id }) => {
          await ctx.api.call("DELETE", "/api/v1/node", { node_id: id });
          return "deleted";
        },
      }),
  });
}

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 * @param {readonly string[]} groups ids
 * @param {boolean} isJoining
 */
export function changeGroups(ctx, nodes, groups, isJoining) {
  const title = (/** @type {string} */ id) => ctx.store.get("groups", id)?.name ?? id;
  const names = groups.map(title).join(", ");
  return ctx.tasks.run({
    title: `${isJoining ? "Add to" : "Remove from"} ${names}: ${nameThem(nodes)}`,
    rows: toRows(nodes),
    each: async ({ id }) => {
      await ctx.api.call(isJoining ? "POST" : "DELETE", "/api/v1/node/group", { group_ids: groups, node_ids: [id] });
      return isJoining ? `in ${names}` : `no longer in ${names}`;
    },
  });
}
