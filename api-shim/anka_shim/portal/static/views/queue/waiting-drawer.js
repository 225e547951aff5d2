// @ts-check
/** One that waits: why, where it could go, and what helps. */

import { button } from "../../components/button.js";
import { codeLines, details, drawer, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { html, nothing } from "../../core/html.js";
import { templateOf } from "../fleet/tile.js";
import { openDistribute } from "../templates/distribute-dialog.js";
import { cancel, titleOf } from "./actions.js";
import { explanationPanel } from "./explanation.js";
import { waitsSince } from "./queue.pure.js";

/**
 * @param {import("../../core/types").Context} ctx
 * @param {import("../../core/types").InstanceRow} row
 * @param {number|undefined} position
 */
export function waitingDrawer(ctx, row, position) {
  const template = row.template.id;
  const urgent = `kubectl patch ankainstance ${row.name} -n ${row.namespace} --type merge -p '{"spec":{"priority":1}}'`;
  return drawer({
    label: `Why ${titleOf(row)} waits`,
    title: link("instances", row.id, titleOf(row)),
    onClose: () => ctx.setQuery({ open: null }),
    body: html`<div class="button-row">
        ${button({ ctx, label: "Cancel…", icon: "trash", danger: true, right: "terminate_vm", run: () => cancel(ctx, [row]) })}
        ${button({ ctx, label: "Pull the template now…", icon: "templates", right: "registry_distribute", disabled: !template,
          why: "Its template is not known.", run: () => openDistribute(ctx, { ...(template ? { template } : {}), ...(row.template.tag ? { tag: row.template.tag } : {}) }) })}
      </div>
      <h3>Where would it go?</h3>
      ${ctx.can("list_nodes").ok ? explanationPanel(ctx, { id: row.id }) : html`<p>${row.message}</p>`}
      ${details([
        ["Position", position],
        ["Template", templateOf(row)],
        ["Waits since", time(waitsSince(row), ctx)],
        ["Gives up", row.deadline ? time(row.deadline, ctx) : null],
        ["Priority", row.priority],
        ["Group", row.group ? ctx.store.get("groups", row.group)?.name ?? row.group : null],
        ["Mac asked for", row.requestedNode],
        ["External id", row.externalId],
        ["Asked for by", row.requestedBy],
        ["Macs kept free for it", row.keptFree],
      ])}
      ${row.never ? nothing : html`<h3>To let it go first</h3><p class="dim">A lower number is more urgent; the REST API cannot change it.</p>${codeLines(ctx, [urgent])}`}`,
  });
}
