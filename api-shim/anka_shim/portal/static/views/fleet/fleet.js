// @ts-check
/** Start page: every Mac with its slots, and the figures of the whole cloud. */

import { filterBar } from "../../components/filter-bar.js";
import { looks } from "../../components/looks.js";
import { isOneOf, matches } from "../../core/filters.js";
import { count } from "../../core/format.js";
import { guard, html, nothing, repeat } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { picker } from "../parts/picker.js";
import { breakdown } from "./breakdown.js";
import { figuresBar } from "./figures.js";
import { STATES, figuresOf, sectionsOf, sortTiles, stateOf, tilesOf } from "./fleet.pure.js";
import { legend } from "./legend.js";
import { nodeDrawer } from "./node-drawer.js";
import { moveByKey, selectedIds, selectionBar, toggle } from "./selection.js";
import { heldNodes, placedByNode } from "./slots.pure.js";
import { tileOf } from "./tile.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./fleet.pure.js").Tile} Tile */
/** @typedef {import("./fleet.pure.js").Section} Section */

/** More Macs than this are shown as small tiles, unless somebody says otherwise. */
const MANY = 60;

const allTiles = memo(
  (/** @type {Context} */ { store }) => [store, store.version("nodes"), store.version("instances")],
  ({ store }) => {
    const instances = store.rows("instances");
    const tiles = tilesOf(store.rows("nodes"), placedByNode(instances), heldNodes(instances));
    return { tiles, figures: figuresOf(tiles, instances) };
  },
);

/** @param {Context} ctx @returns {Tile[]} those that the filters let pass, sorted */
function shownTiles(ctx) {
  const { q, group, state, arch, failing, sort } = ctx.route.query;
  const { store } = ctx;
  const shown = allTiles(ctx).tiles.filter(({ node }) => {
    if (!isOneOf(stateOf(node), state) || !isOneOf(node.arch, arch)) return false;
    if (group && !node.groups.includes(group)) return false;
    if (failing && !node.failures?.count) return false;
    const groups = node.groups.map((id) => store.get("groups", id)?.name ?? id);
    return matches([node.name, node.id, node.ip, node.anka?.version, ...groups].join(" "), q);
  });
  return sortTiles(shown, sort ?? "name");
}

/**
 * The first is the default. Whoever looks for the one that fails most does not want it in the middle of a section.
 * @param {Context} ctx
 * @returns {[string, string][]}
 */
function sectionChoices(ctx) {
  /** @type {[string, string][]} */
  const choices = [["group", "by group"], ["state", "by state"], ["arch", "by arch"]];
  const none = /** @type {[string, string]} */ (["none", "none"]);
  return ctx.route.query["sort"] ? [none, ...choices] : [...choices, none];
}

/** @param {Context} ctx */
function filters(ctx) {
  const groups = [...ctx.store.rows("groups")].sort((a, b) => a.name.localeCompare(b.name));
  return filterBar(ctx, {
    placeholder: "Search Macs",
    fields: [
      { key: "group", label: "Group", options: groups.map(({ id, name }) => ({ value: id, label: name })) },
      { key: "state", label: "State", options: STATES.map(([value, label]) => ({ value, label })) },
      { key: "arch", label: "Arch", options: ["arm64", "amd64"] },
      { key: "failing", label: "Failures", options: [{ value: "yes", label: "last 24 h" }] },
    ],
    extra: html`${picker(ctx, { key: "by", label: "Sections", options: sectionChoices(ctx) })}
      ${picker(ctx, { key: "sort", label: "Order", options: [["name", "name"], ["failures", "most failures"], ["free", "most free"], ["cpu", "most CPU used"], ["disk", "least disk free"]] })}
      ${picker(ctx, { key: "density", label: "Tiles", options: [["", "as fits"], ["full", "large"], ["compact", "small"]] })}`,
  });
}

/** @param {Context} ctx @param {Section[]} sections @param {boolean} isCompact */
function map(ctx, sections, isCompact) {
  const selected = selectedIds(ctx);
  const first = sections[0]?.tiles[0]?.node.id;
  const all = new Set(sections.flatMap(({ tiles }) => tiles.map(({ node }) => node.id)));
  const current = all.has(ctx.local["current"]) ? ctx.local["current"] : first;
  const minute = Math.floor(ctx.now / 60_000);
  const groups = ctx.store.version("groups");
  return html`<div class="map" @keydown=${(/** @type {KeyboardEvent} */ event) => moveByKey(ctx, event)}
    @focusin=${(/** @type {FocusEvent} */ event) => {
      const id = event.target instanceof Element ? event.target.closest(".mac")?.getAttribute("data-id") : null;
      if (!id || id === ctx.local["current"]) return;
      ctx.local["current"] = id;
      ctx.update();
    }}>${repeat(
      sections,
      ({ id }) => id,
      ({ id, title, note, tiles }) => html`<section class="map-section">
        <h2>${title} <small>${count(tiles.length, "Mac")}${note ? `, ${note}` : ""}${free(tiles)}</small></h2>
        <ul class="mac-grid ${isCompact ? "mac-grid-compact" : ""}">${repeat(
          tiles,
          ({ node }) => node.id,
          (tile) => {
            const options = { isCurrent: tile.node.id === current, isSelected: selected.has(tile.node.id), isCompact };
            const rows = tile.slots.map((slot) => slot.instance ?? slot.kind);
            return guard([tile.node, ...rows, tile.heldFor, ...Object.values(options), minute, groups, id], () =>
              tileOf(tile, {
                ctx, section: id, ...options,
                onSelect: () => toggle(ctx, tile.node.id),
                onOpen: () => ctx.setQuery({ mac: tile.node.id }),
              }));
          },
        )}</ul></section>`,
    )}</div>`;
}

/** @param {readonly Tile[]} tiles */
function free(tiles) {
  const slots = tiles.reduce((sum, tile) => sum + tile.free, 0);
  return slots ? `, ${count(slots, "free slot")}` : "";
}

/** @type {import("../../core/types").View} */
export default {
  name: "fleet",
  path: "fleet",
  aliases: ["", "dashboard"],
  title: () => "Fleet",
  right: "list_nodes",
  letter: "f",
  nav: { section: "Fleet", order: 10, label: "Fleet", icon: "fleet" },
  keys: {
    x: {
      title: "Choose the Mac, or not",
      run: (ctx) => {
        const id = document.activeElement?.closest(".mac")?.getAttribute("data-id");
        if (id) toggle(ctx, id);
      },
    },
    o: {
      title: "Show the Mac beside the map",
      run: (ctx) => {
        const id = document.activeElement?.closest(".mac")?.getAttribute("data-id");
        if (id) ctx.setQuery({ mac: id });
      },
    },
    Escape: {
      title: "Close it",
      run: (ctx) => {
        if (ctx.route.query["mac"]) ctx.setQuery({ mac: null });
        else selectedIds(ctx).clear();
        ctx.update();
      },
    },
  },
  same: (ctx) => ({
    kubectl: ["kubectl get ankanodes -o wide", `kubectl get ankainstances -n ${ctx.store.get("cloud", "cloud")?.namespace ?? "NAMESPACE"}`],
    curl: [ctx.api.curl("GET", "/api/v1/node"), ctx.api.curl("GET", "/api/v1/status")],
  }),
  render(ctx) {
    const { tiles, figures } = allTiles(ctx);
    const shown = shownTiles(ctx);
    const { density, by, mac } = ctx.route.query;
    const isCompact = density ? density === "compact" : shown.length > MANY;
    const sections = sectionsOf(shown, by ?? sectionChoices(ctx)[0]?.[0] ?? "none", ctx.store.rows("groups"));
    const open = mac ? tiles.find(({ node }) => node.id === mac) : undefined;
    return looks({
      state: ctx.store.state("nodes"),
      seconds: ctx.store.staleSeconds("nodes"),
      right: ctx.store.denied("nodes"),
      what: "Macs",
      isEmpty: !tiles.length,
      empty: { title: "No Mac has joined yet.", hint: html`<a href="#/join">Join the first one</a>` },
      content: () => html`<div class="split"><div class="split-main">
        ${figuresBar(figures, ctx)} ${filters(ctx)} ${selectionBar(ctx, sections.flatMap((section) => section.tiles.map(({ node }) => node)))}
        ${shown.length ? map(ctx, sections, isCompact) : html`<p class="look look-empty">No Mac matches these filters.</p>`}
        ${legend()} ${breakdown(ctx.store.rows("instances"))} </div>${open ? nodeDrawer(ctx, open) : nothing}</div>`,
    });
  },
};
