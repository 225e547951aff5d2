// @ts-check
/** What waits for a Mac, in the scheduler's order, and why. */

import { button } from "../../components/button.js";
import { chip } from "../../components/chip.js";
import { filterBar } from "../../components/filter-bar.js";
import { looks } from "../../components/looks.js";
import { table } from "../../components/table.js";
import { link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { isOneOf, matches } from "../../core/filters.js";
import { count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { templateOf } from "../fleet/tile.js";
import { cancel, ownerOf, titleOf } from "./actions.js";
import { queueFigures } from "./figures.js";
import { groupByMessage, splitWaiting, waitsSince } from "./queue.pure.js";
import { waitingDrawer } from "./waiting-drawer.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */
/** @typedef {import("./queue.pure.js").Waiting} Waiting */

/** Reasons that are listed above the queue; the others are fewer each. */
const REASONS = 5;

/** Instances that can never run: so many of a reason are listed, and so few are open from the start. */
const SHOWN = 20;
const FEW = 5;

const split = memo(
  (/** @type {Context} */ { store }) => [store, store.version("instances")],
  ({ store }) => splitWaiting(store.rows("instances")),
);

/** @param {Context} ctx @param {InstanceRow} row */
const groupOf = (ctx, row) => (row.group ? (ctx.store.get("groups", row.group)?.name ?? row.group) : "");

/** @param {Context} ctx @param {InstanceRow} row */
function isShown(ctx, row) {
  const { q, group } = ctx.route.query;
  if (!isOneOf(groupOf(ctx, row), group)) return false;
  return matches([titleOf(row), row.id, ownerOf(row), templateOf(row), row.message, groupOf(ctx, row)].join(" "), q);
}

/** @param {Context} ctx @param {readonly InstanceRow[]} never */
function neverRuns(ctx, never) {
  if (!never.length) return nothing;
  const groups = groupByMessage(never);
  return html`<section class="card card-bad" data-never=${never.length}>
    <h2>${chip("bad", "Can never run")} <small>${count(never.length, "instance")}: waiting does not change it</small></h2>
    ${groups.map(({ message, rows }) => html`<details class="never-group" ?open=${groups.length === 1 && rows.length <= FEW}>
      <summary><strong>${rows.length} ${rows[0]?.reason}</strong>: ${message}</summary>
      <ul class="plain-list">${rows.slice(0, SHOWN).map((row) => neverLine(ctx, row))}
        <li>${rows.length > SHOWN ? html`<span class="grow dim">and ${rows.length - SHOWN} more</span>` : html`<span class="grow"></span>`}
          ${rows.length > 1 ? button({ ctx, label: `Cancel all ${rows.length}…`, right: "terminate_vm", danger: true, run: () => cancel(ctx, rows) }) : nothing}</li></ul>
    </details>`)}
  </section>`;
}

/** @param {Context} ctx @param {InstanceRow} row */
const neverLine = (ctx, row) => html`<li data-id=${row.id}><span class="grow">${link("instances", row.id, titleOf(row))} <small>${ownerOf(row)}, ${templateOf(row)}</small></span>
  ${button({ ctx, label: "Why?", quiet: true, run: () => ctx.setQuery({ open: row.id }) })}
  ${button({ ctx, label: "Cancel…", right: "terminate_vm", danger: true, run: () => cancel(ctx, [row]) })}</li>`;

/** @param {readonly InstanceRow[]} waiting */
function reasons(waiting) {
  const groups = groupByMessage(waiting);
  if (groups.length < 2) return nothing;
  return html`<details class="card" open><summary>What they wait for</summary><ul class="plain-list">${groups
    .slice(0, REASONS)
    .map(({ message, rows }) => html`<li><strong>${rows.length}</strong> <span class="grow">${message}</span></li>`)}
    ${groups.length > REASONS ? html`<li class="dim">${groups.length - REASONS} more reasons</li>` : nothing}</ul></details>`;
}

/** @param {Context} ctx @returns {import("../../core/types").Column<Waiting>[]} */
const columns = (ctx) => [
  { key: "position", label: "#", num: true, width: "4rem", always: true, sort: ({ position }) => position, render: ({ position }) => position },
  { key: "name", label: "Instance", width: "14rem", always: true, sort: ({ row }) => titleOf(row), render: ({ row }) => link("instances", row.id, titleOf(row)) },
  { key: "since", label: "Waits since", width: "8rem", sort: ({ row }) => waitsSince(row), render: ({ row }) => time(waitsSince(row), ctx) },
  { key: "why", label: "Why", width: "24rem", always: true, sort: ({ row }) => row.message, render: ({ row }) => row.message ?? "the scheduler has not looked at it yet" },
  { key: "template", label: "Template", width: "13rem", sort: ({ row }) => templateOf(row), render: ({ row }) => templateOf(row) },
  { key: "group", label: "Group", sort: ({ row }) => groupOf(ctx, row), render: ({ row }) => groupOf(ctx, row) },
  { key: "priority", label: "Priority", num: true, width: "6rem", sort: ({ row }) => row.priority, render: ({ row }) => row.priority },
  { key: "owner", label: "Asked for by", width: "12rem", sort: ({ row }) => ownerOf(row), render: ({ row }) => ownerOf(row) },
  { key: "deadline", label: "Gives up", width: "8rem", sort: ({ row }) => row.deadline, render: ({ row }) => (row.deadline ? time(row.deadline, ctx) : "") },
];

/** @type {import("../../core/types").View} */
export default {
  name: "queue",
  path: "queue",
  title: () => "Queue",
  right: "list_vms",
  letter: "q",
  nav: {
    section: "Fleet", order: 20, label: "Queue", icon: "queue",
    badge: (ctx) => {
      const { queue, never } = split(ctx);
      return queue.length + never.length || null;
    },
  },
  keys: {
    Escape: { title: "Close the answer", run: (ctx) => ctx.setQuery({ open: null }) },
  },
  same(ctx) {
    const namespace = ctx.store.get("cloud", "cloud")?.namespace ?? "NAMESPACE";
    return {
      kubectl: [
        `kubectl get ankainstances -n ${namespace} --field-selector status.phase=Scheduling -o wide`,
        `kubectl get events -n ${namespace} --field-selector reason=FailedScheduling`,
      ],
      curl: [ctx.api.curl("GET", "/api/v1/vm"), ctx.api.curl("GET", "/api/v1/stats")],
    };
  },
  render(ctx) {
    const { queue, never } = split(ctx);
    const waiting = queue.map(({ row }) => row);
    const shown = queue.filter(({ row }) => isShown(ctx, row));
    const opened = ctx.route.query["open"];
    const open = [...waiting, ...never].find((row) => row.id === opened);
    const groups = [...new Set(waiting.map((row) => groupOf(ctx, row)).filter(Boolean))].sort();
    return looks({
      state: ctx.store.state("instances"),
      seconds: ctx.store.staleSeconds("instances"),
      right: ctx.store.denied("instances"),
      what: "the queue",
      content: () => html`<div class="split"><div class="split-main queue">
        ${queueFigures(ctx, waiting, never.length)} ${neverRuns(ctx, never)} ${reasons(waiting)}
        ${filterBar(ctx, { placeholder: "Search the queue", fields: [{ key: "group", label: "Group", options: groups }] })}
        ${table({
          id: "queue", label: "Queue", ctx, columns: columns(ctx), rows: shown, rowId: ({ row }) => row.id, sort: "position", selectable: true,
          what: "instances", onOpen: ({ row }) => ctx.setQuery({ open: row.id }),
          empty: queue.length
            ? { title: "Nothing that waits matches the filters." }
            : { title: "Nothing waits.", hint: "Every instance that was asked for has a Mac." },
          actions: (selected) => button({ ctx, label: "Cancel…", danger: true, right: "terminate_vm", run: () => cancel(ctx, selected.map(({ row }) => row)) }),
        })}
        </div>${open ? waitingDrawer(ctx, open, queue.find(({ row }) => row.id === opened)?.position) : nothing}
      </div>`,
    });
  },
};
