// @ts-check
/** One Mac on the map. */

import { chip, nodeTone, phaseTone } from "../../components/chip.js";
import { meter, progress } from "../../components/graphs.js";
import { between, bytes, count, roughly } from "../../core/format.js";
import { classMap, html, ifDefined, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { STATES, stateOf } from "./fleet.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */
/** @typedef {import("./fleet.pure.js").Tile} Tile */
/** @typedef {import("./slots.pure.js").Slot} Slot */

/** @type {Map<string, string>} */
const WORDS = new Map(STATES);

/** @param {import("../../core/types").NodeRow} node */
export const wordOf = (node) => WORDS.get(stateOf(node)) ?? stateOf(node);

/** @param {import("../../core/types").NodeRow} node why it is in its state, where that is known */
export const whyOf = (node) => node.problem ?? node.conditions?.find(({ type }) => type === "Ready")?.message ?? "";

/** @param {import("../../core/types").NodeRow} node */
export const stateChip = (node) => chip(nodeTone(wordOf(node)), wordOf(node), whyOf(node));

/** @param {InstanceRow} row */
export function templateOf(row) {
  const { name, id, tag } = row.template;
  return `${name ?? id ?? "template"}${tag ? `:${tag}` : ""}`;
}

/** @param {InstanceRow} row @param {number} now */
export const ageOf = (row, now) => roughly(between(row.startedAt ?? row.created, now) ?? 0);

/**
 * @param {Slot} slot
 * @param {Tile} tile
 * @param {Context} ctx
 * @param {boolean} isCurrent
 */
function box(slot, tile, ctx, isCurrent) {
  const row = slot.instance;
  if (row) {
    const words = `${row.displayName ?? row.name}: ${row.phase}, ${templateOf(row)}, ${ageOf(row, ctx.now)}`;
    return html`<li><a class="slot slot-vm tone-${phaseTone(row.phase)}" href=${formatHash(`instances/${encodeURIComponent(row.id)}`)}
      tabindex=${isCurrent ? 0 : -1} title=${words} data-phase=${row.phase}><span class="slot-text">${templateOf(row)}</span
      ><span class="slot-age">${ageOf(row, ctx.now)}</span></a></li>`;
  }
  if (slot.kind === "other") {
    const words = "A VM that is not listed: a failed one that was kept, or one that you may not see";
    return html`<li><span class="slot slot-other" title=${words}><span class="slot-text">other VM</span></span></li>`;
  }
  const held = tile.heldFor;
  const words = held ? `Kept free for ${held.displayName ?? held.name}, which waits longer` : tile.free ? "Free" : "Not in use; takes no VM now";
  return html`<li><span class=${`slot slot-free${held ? " slot-held" : tile.free ? "" : " slot-closed"}`} title=${words}
    ><span class="slot-text">${held ? "held" : tile.free ? "free" : "–"}</span></span></li>`;
}

/** @param {Tile} tile @param {Context} ctx what is being downloaded to this Mac */
function pulls({ node, slots }, ctx) {
  const tasks = (node.tasks ?? []).filter((task) => !task.done);
  const starting = slots.flatMap(({ instance }) => (instance?.phase === "Pulling" ? [instance] : []));
  return [
    ...starting.map((row) => ({ label: `${templateOf(row)} for ${row.displayName ?? row.name}`, percent: row.percent })),
    ...tasks.map((task) => ({ label: templateOfTask(task.name, ctx), percent: task.percent })),
  ].map(({ label, percent }) => html`<div class="mac-pull" title=${label}><span class="mac-pull-name">${label}</span>${progress({ label: `Pull of ${label}`, percent })}</div>`);
}

/** @param {string} name @param {Context} ctx */
function templateOfTask(name, ctx) {
  const rule = /^keep:([^:]+):(.+)$/.exec(name);
  if (rule) return `${ctx.store.get("templates", rule[1])?.name ?? rule[1]}:${rule[2]}`;
  const found = ctx.store.get("distributions", name)?.template;
  return found?.name ? `${found.name}${found.tag ? `:${found.tag}` : ""}` : name;
}

/** @param {Tile} tile @param {Context} ctx @param {string} section */
function marks({ node, free, freeVcpus, heldFor }, ctx, section) {
  const failures = node.failures?.count ?? 0;
  const last = node.failures?.last;
  const others = node.groups.filter((id) => id !== section).map((id) => ctx.store.get("groups", id)?.name ?? id);
  const wanted = node.wantedAgentVersion && node.wantedAgentVersion !== node.agentVersion ? node.wantedAgentVersion : "";
  return html`<p class="mac-marks">
    ${failures
      ? html`<span class="flag flag-failed" title=${`${last?.reason ?? ""} ${last?.message ?? ""}`.trim()} data-failures=${failures}
          >${count(failures, "failure")}</span>`
      : nothing}
    ${wanted ? html`<span class="flag" title=${node.update?.message ?? ""}>${node.update?.failed ? "update failed" : `agent → ${wanted}`}</span>` : nothing}
    ${node.leaving ? html`<span class="flag">leaves</span>` : nothing}
    ${heldFor ? html`<span class="flag">held</span>` : nothing}
    ${free ? html`<span class="flag flag-free">${free} free</span>` : freeVcpus ? html`<span class="flag flag-free">${freeVcpus} vCPUs free</span>` : nothing}
    <span class="flag flag-quiet">${node.arch ?? "arch not known"}</span>
    ${others.map((name) => html`<span class="flag flag-quiet">${name}</span>`)}
  </p>`;
}

/**
 * @param {Tile} tile
 * @param {{ctx: Context, section: string, isCurrent: boolean, isSelected: boolean, isCompact: boolean, onSelect: () => void,
 *   onOpen: () => void}} options
 */
export function tileOf(tile, { ctx, section, isCurrent, isSelected, isCompact, onSelect, onOpen }) {
  const { node, slots } = tile;
  const taken = slots.filter((slot) => slot.kind !== "free").length;
  const word = wordOf(node);
  const failures = node.failures?.count ?? 0;
  const words = `${node.name}: ${word}, ${taken} of ${slots.length} slots in use${failures ? `, ${count(failures, "failure")}` : ""}`;
  const disk = node.disk;
  return html`<li class=${classMap({ mac: true, "mac-selected": isSelected, "mac-compact": isCompact, [`tone-${nodeTone(word)}`]: true })}
    data-id=${node.id} @click=${(/** @type {MouseEvent} */ event) => {
      if (!(event.target instanceof Element) || event.target.closest("a, input, button, label")) return;
      onOpen();
    }}>
    <div class="mac-head">
      <input type="checkbox" aria-label="Select ${node.name}" tabindex=${isCurrent ? 0 : -1} .checked=${isSelected} @change=${onSelect}>
      <a class="mac-name" data-tile=${node.id} href=${formatHash(`nodes/${encodeURIComponent(node.id)}`)} tabindex=${isCurrent ? 0 : -1}
        aria-label=${words} title=${ifDefined(isCompact ? words : undefined)}>${node.name}</a>
      ${isCompact
        ? html`${failures ? html`<span class="flag flag-failed" data-failures=${failures}>${failures}</span>` : nothing}${chip(nodeTone(word), word.slice(0, 1), `${word} ${whyOf(node)}`)}`
        : stateChip(node)}
    </div>
    <ol class="slots" aria-label="Slots of ${node.name}">${slots.map((slot) => box(slot, tile, ctx, isCurrent))}</ol>
    ${isCompact
      ? nothing
      : html`${pulls(tile, ctx)}
          ${disk?.sizeBytes
            ? html`<div class="mac-disk">${meter({
                label: "Disk", value: disk.sizeBytes - (disk.freeBytes ?? 0), max: disk.sizeBytes, text: `${bytes(disk.freeBytes)} free`,
              })}</div>`
            : nothing}
          ${marks(tile, ctx, section)}`}
  </li>`;
}
