// @ts-check
/** A Mac beside the map: what is on it, and the next steps. */

import { phaseChip } from "../../components/chip.js";
import { details, drawer, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { html, nothing } from "../../core/html.js";
import { bars } from "../node/bars.js";
import { nodeButtons } from "../node/buttons.js";
import { slotLimit } from "./slots.pure.js";
import { ageOf, stateChip, templateOf, whyOf, wordOf } from "./tile.js";

/**
 * @param {import("../../core/types").Context} ctx
 * @param {import("./fleet.pure.js").Tile} tile
 */
export function nodeDrawer(ctx, { node, slots }) {
  const placed = slots.flatMap(({ instance }) => (instance ? [instance] : []));
  const last = node.failures?.last;
  return drawer({
    label: `Mac ${node.name}`,
    title: link("nodes", node.id, node.name),
    onClose: () => ctx.setQuery({ mac: null }),
    body: html`<p>${stateChip(node)} ${wordOf(node) === "Active" ? nothing : whyOf(node)}</p>
      <div class="button-row">${nodeButtons(ctx, node)}</div>
      ${bars(node, slotLimit(node), slots.filter((slot) => slot.kind !== "free").length)}
      <h3>VMs</h3>
      ${placed.length
        ? html`<ul class="plain-list">${placed.map(
            (row) => html`<li>${phaseChip(row.phase, row.message)} ${link("instances", row.id, row.displayName ?? row.name)}
              <small>${templateOf(row)}, ${ageOf(row, ctx.now)}</small></li>`)}</ul>`
        : html`<p class="dim">None.</p>`}
      ${last
        ? html`<h3>Last failure</h3><p>${time(last.at, ctx)}: <strong>${last.reason}</strong> ${last.message}
            ${last.instance ? link("instances", last.instance, "instance") : nothing}</p>`
        : nothing}
      ${details([
        ["Groups", node.groups.map((id) => ctx.store.get("groups", id)?.name ?? id).join(", ") || "none"],
        ["Address", node.ip], ["Anka", node.anka?.version], ["Agent", node.agentVersion],
      ])}`,
  });
}
