// @ts-check
/** Groups of Macs, and which of them takes over when one is full. */

import { button } from "../../components/button.js";
import { chip } from "../../components/chip.js";
import { filterBar } from "../../components/filter-bar.js";
import { meter } from "../../components/graphs.js";
import { table } from "../../components/table.js";
import { copyButton, details, drawer, link } from "../../components/text.js";
import { matches } from "../../core/filters.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { tilesOf } from "../fleet/fleet.pure.js";
import { heldNodes, placedByNode } from "../fleet/slots.pure.js";
import { stateChip } from "../fleet/tile.js";
import { changeGroups } from "../node/actions.js";
import { openDistribute } from "../templates/distribute-dialog.js";
import { chainOf, membersOf } from "./chain.pure.js";
import { deleteGroup, openAddMacs, openEditor } from "./dialogs.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").GroupRow} GroupRow */

/** @param {Context} ctx @param {GroupRow} group */
function chain(ctx, group) {
  const links = chainOf(ctx.store.rows("groups"), group.id).slice(1);
  if (!links.length) return html`<span class="dim">none: its instances wait</span>`;
  return html`<span class="chain">${links.map(
    ({ id, name, kind }) => html`<span class="chain-arrow" aria-hidden="true">→</span><span class="offscreen"> then </span>${kind === "known"
      ? html`<a class="badge" href="#/groups?open=${encodeURIComponent(id)}">${name}</a>`
      : chip("bad", kind === "missing" ? `${name}: no such group` : `${name}: a circle`)}`)}</span>`;
}

/** Slots of a group's Macs: in use, and all. @param {Context} ctx @param {GroupRow} group */
function slots(ctx, group) {
  const tiles = tilesOf(membersOf(ctx.store.rows("nodes"), group.id), placedByNode(ctx.store.rows("instances")), heldNodes([]));
  const all = tiles.flatMap((tile) => tile.slots);
  return { all: all.length, taken: all.filter(({ kind }) => kind !== "free").length, free: tiles.reduce((sum, tile) => sum + tile.free, 0) };
}

/** @param {Context} ctx @returns {import("../../core/types").Column<GroupRow>[]} */
function columns(ctx) {
  return [
    { key: "name", label: "Name", width: "14rem", always: true, sort: (row) => row.name, render: (row) => html`<a href="#/groups?open=${encodeURIComponent(row.id)}">${row.name}</a>` },
    { key: "nodes", label: "Macs", num: true, width: "5rem", sort: (row) => row.nodes, render: (row) => row.nodes ?? 0 },
    { key: "active", label: "Active", num: true, width: "6rem", sort: (row) => row.activeNodes, render: (row) => row.activeNodes ?? 0 },
    { key: "fallback", label: "While it is full", width: "18rem", always: true, sort: (row) => chainOf(ctx.store.rows("groups"), row.id).length, render: (row) => chain(ctx, row) },
    {
      key: "slots", label: "Slots in use", width: "10rem",
      render: (row) => {
        const { all, taken } = slots(ctx, row);
        return meter({ label: "Slots", tone: "busy", value: taken, max: all, text: `${taken} of ${all}` });
      },
    },
    { key: "free", label: "Free now", num: true, width: "6rem", render: (row) => slots(ctx, row).free },
    { key: "waiting", label: "Waiting", num: true, width: "6rem", render: (row) => ctx.store.rows("instances").filter((instance) => instance.group === row.id && instance.phase === "Scheduling" && !instance.node).length },
    { key: "description", label: "Description", width: "18rem", sort: (row) => row.description, render: (row) => row.description ?? "" },
    { key: "reason", label: "State", width: "10rem", sort: (row) => row.reason, render: (row) => (row.reason && row.reason !== "Ready" ? chip(row.reason === "Empty" ? "off" : "bad", row.reason) : chip("ok", "Ready")) },
    { key: "id", label: "Id", width: "14rem", hidden: true, sort: (row) => row.id, render: (row) => html`<code>${row.id}</code>${copyButton(ctx, row.id, `Copy the id of ${row.name}`)}` },
  ];
}

/** @param {Context} ctx @param {GroupRow} group */
function groupDrawer(ctx, group) {
  const members = membersOf(ctx.store.rows("nodes"), group.id).sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const { all, taken, free } = slots(ctx, group);
  return drawer({
    label: `Group ${group.name}`,
    title: group.name,
    onClose: () => ctx.setQuery({ open: null }),
    body: html`${group.description ? html`<p>${group.description}</p>` : nothing}
      <div class="button-row">
        ${button({ ctx, label: "Add Macs…", icon: "plus", right: "add_node_to_group", run: () => openAddMacs(ctx, group) })}
        ${button({ ctx, label: "Change…", icon: "edit", right: "update_group", run: () => openEditor(ctx, group) })}
        ${button({ ctx, label: "Distribute…", icon: "templates", right: "registry_distribute", disabled: !members.length, why: "It has no Macs.",
          run: () => openDistribute(ctx, { nodes: members.map(({ id }) => id) }) })}
        ${button({ ctx, label: "Delete…", icon: "trash", danger: true, right: "delete_group", run: () => deleteGroup(ctx, group) })}
      </div>
      ${details([
        ["Slots", `${taken} of ${all} in use, ${free} free now`],
        ["While it is full", chain(ctx, group)],
        ["Id", html`<code>${group.id}</code>`],
      ])}
      <h3>${count(members.length, "Mac")}</h3>
      ${members.length
        ? html`<ul class="plain-list">${members.map(
            (node) => html`<li data-id=${node.id}>${stateChip(node)} <span class="grow">${link("nodes", node.id, node.name)}</span>
              ${button({ ctx, label: `Remove ${node.name}`, icon: "close", iconOnly: true, quiet: true, right: "remove_group_from_node", run: () => void changeGroups(ctx, [node], [group.id], false) })}</li>`)}</ul>`
        : html`<p class="dim">None: what asks for this group ${group.fallback ? "goes to its fallback" : "can never run"}.</p>`}`,
  });
}

/** @type {import("../../core/types").View} */
export default {
  name: "groups",
  path: "groups",
  title: () => "Groups",
  right: "get_groups",
  letter: "p",
  nav: { section: "Fleet", order: 40, label: "Groups", icon: "groups" },
  keys: {
    c: { title: "Create a group", run: (ctx) => (ctx.can("create_group").ok ? openEditor(ctx) : undefined) },
    Escape: { title: "Close the group", run: (ctx) => ctx.setQuery({ open: null }) },
  },
  same: (ctx) => ({
    kubectl: ["kubectl get nodegroups", `kubectl patch ankanode NODE --type merge -p '{"spec":{"groups":["GROUP"]}}'`],
    curl: [ctx.api.curl("GET", "/api/v1/group"), ctx.api.curl("POST", "/api/v1/node/group", { group_ids: ["GROUP"], node_ids: ["NODE"] })],
  }),
  render(ctx) {
    const groups = ctx.store.rows("groups");
    const { q, open } = ctx.route.query;
    const opened = groups.find(({ id }) => id === open);
    return html`<div class="split"><div class="split-main">
      ${filterBar(ctx, {
        placeholder: "Search groups",
        extra: button({ ctx, label: "Create a group…", icon: "plus", primary: true, right: "create_group", run: () => openEditor(ctx) }),
      })}
      ${table({
        id: "groups", label: "Groups", ctx, columns: columns(ctx), rowId: ({ id }) => id, sort: "name", what: "groups", state: ctx.store.state("groups"),
        rows: groups.filter((row) => matches([row.name, row.id, row.description].join(" "), q)),
        onOpen: ({ id }) => ctx.setQuery({ open: id }),
        empty: groups.length ? { title: "No group matches the search." } : { title: "There are no groups yet.", hint: "Every Mac takes every instance." },
      })}
      </div>${opened ? groupDrawer(ctx, opened) : nothing}
    </div>`;
  },
};
