// @ts-check
/** One Mac: what runs on it, what it has, and whether it is well. */

import { phaseChip } from "../../components/chip.js";
import { looks } from "../../components/looks.js";
import { link } from "../../components/text.js";
import { between, duration } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { heldNodes, isDrained, placedByNode, slotLimit, slotsOf } from "../fleet/slots.pure.js";
import { stateChip, templateOf, whyOf, wordOf } from "../fleet/tile.js";
import { ownerOf, titleOf } from "../queue/actions.js";
import { bars } from "./bars.js";
import { nodeButtons } from "./buttons.js";
import { conditions, devices, events, tasks, templates, versions } from "./facts.js";
import { lastInstances, usageLines } from "./history.js";
import { drainText } from "./node.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/** @param {Context} ctx */
const find = (ctx) => ctx.store.get("nodes", ctx.route.params["id"]);

/** @param {Context} ctx @param {import("../fleet/slots.pure.js").Slot[]} slots */
function slotList(ctx, slots) {
  if (!slots.length) return html`<p class="dim">No VM runs here.</p>`;
  return html`<ul class="slot-list">${slots.map(({ kind, instance }) => {
    if (!instance) return html`<li class="slot-line slot-${kind}">${kind === "free" ? "free" : "a VM that is not listed"}</li>`;
    const ran = between(instance.startedAt ?? instance.scheduledAt ?? instance.created, ctx.now);
    return html`<li class="slot-line" data-id=${instance.id}>${phaseChip(instance.phase, instance.message)}
      <span class="grow">${link("instances", instance.id, titleOf(instance))} <small>${ownerOf(instance)}</small></span>
      <span>${templateOf(instance)}</span>
      <span class="num">${instance.phase === "Pulling" && instance.percent !== undefined ? `${instance.percent} %` : duration(ran)}</span></li>`;
  })}</ul>`;
}

/** @param {Context} ctx @param {NodeRow} node */
function page(ctx, node) {
  const instances = ctx.store.rows("instances");
  const placed = placedByNode(instances).get(node.id) ?? [];
  const slots = slotsOf(node, placed);
  const taken = slots.filter((slot) => slot.kind !== "free").length;
  const held = heldNodes(instances).get(node.id);
  return html`<div class="node-page" data-id=${node.id}>
    <header class="mac-page-head">
      <p class="mac-page-state"><span class="mac-page-title" aria-hidden="true">${node.name}</span> ${stateChip(node)} <span>${wordOf(node) === "Active" ? nothing : whyOf(node)}</span></p>
      <p>${node.groups.map((id) => html`<a class="badge" href="#/groups?open=${encodeURIComponent(id)}">${ctx.store.get("groups", id)?.name ?? id}</a> `)}
        ${node.groups.length ? nothing : html`<span class="dim">in no group</span>`}
        <a href="#/logs?machine=${encodeURIComponent(node.id)}">its logs</a></p>
      <div class="button-row" role="toolbar" aria-label="What to do with this Mac">${nodeButtons(ctx, node)}</div>
      ${isDrained(node) ? html`<p class="note" data-drain>Drains: ${drainText(placed, ctx.now)}.</p>` : nothing}
      ${held ? html`<p class="note">Kept free for ${link("instances", held.id, titleOf(held))}, which waits longer than others.</p>` : nothing}
      ${node.problem ? html`<p class="note note-bad">${node.problem}</p>` : nothing}
    </header>
    <div class="cards-wide">
      <section class="card"><h2>Slots <small>${taken} of ${slotLimit(node) ?? slots.length} in use</small></h2>${slotList(ctx, slots)}</section>
      <section class="card"><h2>Capacity and use</h2>${bars(node, slotLimit(node), taken)}<h3>Last hour</h3>${usageLines(ctx, node)}</section>
    </div>
    ${lastInstances(ctx, node)}
    <div class="cards-wide">${versions(ctx, node)} <div>${conditions(ctx, node)} ${tasks(ctx, node)}</div></div>
    ${templates(ctx, node)}
    <div class="cards-wide">${devices(node)}</div>
    ${events(ctx, node)}
  </div>`;
}

/** @type {import("../../core/types").View} */
export default {
  name: "node",
  path: "nodes/:id",
  title: (ctx) => find(ctx)?.name ?? "Mac",
  right: "list_nodes",
  same(ctx) {
    const id = ctx.route.params["id"] ?? "NODE";
    return {
      kubectl: [
        `kubectl describe ankanode ${id}`,
        `kubectl patch ankanode ${id} --type merge -p '{"spec":{"drainMode":true}}'`,
        `kubectl get ankainstances -A --field-selector status.nodeName=${id}`,
      ],
      curl: [
        ctx.api.curl("GET", `/api/v1/node?id=${encodeURIComponent(id)}`),
        ctx.api.curl("POST", "/api/v1/node/config", { node_id: id, drain_mode: true }),
      ],
    };
  },
  render(ctx) {
    const node = find(ctx);
    return looks({
      state: ctx.store.state("nodes"),
      seconds: ctx.store.staleSeconds("nodes"),
      right: ctx.store.denied("nodes"),
      what: "this Mac",
      isEmpty: !node,
      empty: { title: "There is no such Mac.", hint: html`It may have been deleted. <a href="#/nodes">All Macs</a>` },
      content: () => (node ? page(ctx, node) : nothing),
    });
  },
};
