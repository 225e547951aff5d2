// @ts-check
/** All Macs as a table, with the columns of the old portal. */

import { button } from "../../components/button.js";
import { filterBar } from "../../components/filter-bar.js";
import { meter } from "../../components/graphs.js";
import { table } from "../../components/table.js";
import { copyButton, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { isOneOf, matches } from "../../core/filters.js";
import { bytes, count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { STATES, stateOf, tilesOf } from "../fleet/fleet.pure.js";
import { heldNodes, isDrained, placedByNode, slotLimit, vcpuLimit } from "../fleet/slots.pure.js";
import { stateChip, whyOf, wordOf } from "../fleet/tile.js";
import { openDistribute } from "../templates/distribute-dialog.js";
import { RIGHTS, drain, remove, resume, updateAgents } from "./actions.js";
import { openConfigure } from "./configure-dialog.js";
import { openGroups } from "./groups-dialog.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("../fleet/fleet.pure.js").Tile} Tile */

const ARCHES = /** @type {Record<string, string>} */ ({ arm64: "Arm", amd64: "Intel" });

const allTiles = memo(
  (/** @type {Context} */ { store }) => [store, store.version("nodes"), store.version("instances")],
  ({ store }) => {
    const instances = store.rows("instances");
    return tilesOf(store.rows("nodes"), placedByNode(instances), heldNodes(instances));
  },
);

/** @param {Context} ctx @param {NodeRow} node */
const groupNames = (ctx, node) => node.groups.map((id) => ctx.store.get("groups", id)?.name ?? id);

/** @param {Tile} tile */
const taken = ({ slots }) => slots.filter((slot) => slot.kind !== "free").length;

/** @param {NodeRow} node */
function capacityOf(node) {
  const limit = slotLimit(node);
  return limit === null ? `${vcpuLimit(node)} vCPUs` : count(limit, "VM");
}

/** @param {Context} ctx @returns {import("../../core/types").Column<Tile>[]} */
function columns(ctx) {
  return [
    {
      key: "name", label: "Name", width: "16rem", always: true, sort: ({ node }) => node.name,
      render: ({ node }) => html`${link("nodes", node.id, node.name)} ${groupNames(ctx, node).map((name) => html`<span class="badge">${name}</span>`)}`,
    },
    { key: "state", label: "State", width: "9rem", always: true, sort: ({ node }) => STATES.findIndex(([state]) => state === stateOf(node)), render: ({ node }) => stateChip(node) },
    { key: "running", label: "VMs", num: true, width: "5rem", sort: taken, render: taken },
    { key: "capacity", label: "Capacity", width: "7rem", sort: ({ node }) => slotLimit(node) ?? vcpuLimit(node), render: ({ node }) => capacityOf(node) },
    { key: "failures", label: "Failures, 24 h", num: true, width: "8rem", sort: ({ node }) => node.failures?.count ?? 0, render: ({ node }) => node.failures?.count ?? 0 },
    { key: "version", label: "Anka", width: "6rem", sort: ({ node }) => node.anka?.version, render: ({ node }) => node.anka?.version ?? "" },
    { key: "arch", label: "Arch", width: "5rem", sort: ({ node }) => node.arch, render: ({ node }) => ARCHES[node.arch ?? ""] ?? node.arch ?? "" },
    { key: "ip", label: "IP", width: "8rem", sort: ({ node }) => node.ip, render: ({ node }) => node.ip ?? "" },
    { key: "disk", label: "Disk size", num: true, width: "6rem", sort: ({ node }) => node.disk?.sizeBytes, render: ({ node }) => bytes(node.disk?.sizeBytes) },
    { key: "free", label: "Free space", num: true, width: "7rem", sort: ({ node }) => node.disk?.freeBytes, render: ({ node }) => bytes(node.disk?.freeBytes) },
    { key: "anka", label: "Anka usage", num: true, width: "7rem", sort: ({ node }) => node.disk?.ankaBytes, render: ({ node }) => bytes(node.disk?.ankaBytes) },
    { key: "cpu", label: "CPU", num: true, width: "4rem", sort: ({ node }) => node.vcpus, render: ({ node }) => node.vcpus ?? "" },
    { key: "cpuUse", label: "CPU usage", width: "8rem", sort: ({ node }) => node.usage?.cpuPercent, render: ({ node }) => use("CPU", node.usage?.cpuPercent) },
    { key: "ram", label: "RAM", num: true, width: "5rem", sort: ({ node }) => node.ramGib, render: ({ node }) => (node.ramGib ? `${node.ramGib} GiB` : "") },
    { key: "ramUse", label: "RAM usage", width: "8rem", sort: ({ node }) => node.usage?.ramPercent, render: ({ node }) => use("RAM", node.usage?.ramPercent) },
    { key: "id", label: "Id", width: "12rem", sort: ({ node }) => node.id, render: ({ node }) => html`<code>${node.id}</code>${copyButton(ctx, node.id, `Copy the id of ${node.name}`)}` },
    { key: "agent", label: "Agent", width: "7rem", hidden: true, sort: ({ node }) => node.agentVersion, render: ({ node }) => node.agentVersion ?? "" },
    { key: "heartbeat", label: "Heartbeat", width: "7rem", hidden: true, sort: ({ node }) => node.heartbeatAt, render: ({ node }) => time(node.heartbeatAt, ctx) },
    { key: "why", label: "Why", width: "18rem", hidden: true, sort: ({ node }) => whyOf(node), render: ({ node }) => whyOf(node) },
  ];
}

/** @param {string} label @param {number|undefined} value */
const use = (label, value) => (value === undefined ? "–" : meter({ label, value, max: 100, text: `${value} %` }));

/** @param {Context} ctx @param {NodeRow[]} nodes */
function actions(ctx, nodes) {
  const right = RIGHTS.configure;
  const drained = nodes.filter(isDrained);
  const others = nodes.filter((node) => !isDrained(node));
  const online = nodes.filter((node) => wordOf(node) !== "Offline");
  return html`${button({ ctx, label: "Drain", right, run: () => void drain(ctx, others), disabled: !others.length, why: "They are draining already." })}
    ${button({ ctx, label: "Resume", right, run: () => void resume(ctx, drained), disabled: !drained.length, why: "None of them is draining." })}
    ${button({ ctx, label: "Groups…", right: RIGHTS.join, run: () => openGroups(ctx, nodes) })}
    ${button({ ctx, label: "Configure…", right, run: () => openConfigure(ctx, nodes) })}
    ${button({ ctx, label: "Distribute…", right: "registry_distribute", run: () => openDistribute(ctx, { nodes: nodes.map(({ id }) => id) }) })}
    ${button({ ctx, label: "Update agents…", right, run: () => updateAgents(ctx, nodes) })}
    ${button({ ctx, label: "Delete…", danger: true, right: RIGHTS.remove, run: () => remove(ctx, nodes), disabled: online.length > 0,
      why: `Not Offline: ${online.map((node) => node.name).slice(0, 3).join(", ")}` })}`;
}

/** @param {Context} ctx @param {Tile} tile */
function isShown(ctx, { node }) {
  const { q, group, state, arch } = ctx.route.query;
  if (!isOneOf(stateOf(node), state) || !isOneOf(node.arch, arch)) return false;
  if (group && !node.groups.includes(group)) return false;
  return matches([node.name, node.id, node.ip, node.anka?.version, node.agentVersion, ...groupNames(ctx, node)].join(" "), q);
}

/** @type {import("../../core/types").View} */
export default {
  name: "nodes",
  path: "nodes",
  title: () => "Macs",
  right: "list_nodes",
  letter: "n",
  nav: { section: "Fleet", order: 30, label: "Macs", icon: "nodes" },
  same: (ctx) => ({
    kubectl: ["kubectl get ankanodes -o wide", "kubectl get ankanodes -o jsonpath='{range .items[*]}{.metadata.name} {.status.usage.cpuPercent}{\"\\n\"}{end}'"],
    curl: [ctx.api.curl("GET", "/api/v1/node"), ctx.api.curl("POST", "/api/v1/node/config", { node_id: "NODE", drain_mode: true })],
  }),
  render(ctx) {
    const tiles = allTiles(ctx);
    const groups = [...ctx.store.rows("groups")].sort((a, b) => a.name.localeCompare(b.name));
    return html`<div class="split-main">
      ${filterBar(ctx, {
        placeholder: "Search Macs",
        fields: [
          { key: "group", label: "Group", options: groups.map(({ id, name }) => ({ value: id, label: name })) },
          { key: "state", label: "State", options: STATES.map(([value, label]) => ({ value, label })) },
          { key: "arch", label: "Arch", options: Object.entries(ARCHES).map(([value, label]) => ({ value, label })) },
        ],
        extra: html`<a class="button quiet" href="#/groups">Manage groups</a><a class="button quiet" href="#/join">Join a Mac</a>`,
      })}
      ${table({
        id: "nodes", label: "Macs", ctx, columns: columns(ctx), rows: tiles.filter((tile) => isShown(ctx, tile)), rowId: ({ node }) => node.id,
        selectable: true, sort: "name", state: ctx.store.state("nodes"), what: "Macs", onOpen: ({ node }) => ctx.go(`#/nodes/${encodeURIComponent(node.id)}`),
        empty: tiles.length ? { title: "No Mac matches these filters." } : { title: "No Mac has joined yet.", hint: html`<a href="#/join">Join the first one</a>` },
        rowClass: ({ node }) => (node.failures?.count ? "has-failures" : ""),
        actions: (selected) => actions(ctx, selected.map(({ node }) => node)),
      })}
    </div>`;
  },
};
