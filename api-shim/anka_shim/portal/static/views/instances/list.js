// @ts-check
/** All instances: the old portal's list, with filters, columns of metadata, and bulk actions. */
import { button } from "../../components/button.js";
import { filterBar } from "../../components/filter-bar.js";
import { table } from "../../components/table.js";
import { html } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { bulkActions } from "./actions.js";
import { instanceColumns } from "./columns.js";
import { openCreate } from "./create-dialog.js";
import { metadataKeys, select, stateWord, templateName } from "./facts.pure.js";
import { groupOptions, nodeOptions } from "./names.js";
import { compare } from "../../core/sort.js";

/** @typedef {import("../../core/types").Context} Context */

const FILTERS = ["phase", "node", "group", "template", "mine", "q"];

/** @param {Context} ctx */
function filterOf(ctx) {
  return Object.fromEntries(FILTERS.map((key) => [key, ctx.route.query[key]]));
}

const shown = memo(
  (/** @type {Context} */ ctx) => [ctx.store.version("instances"), ctx.session, ...FILTERS.map((key) => ctx.route.query[key])],
  (ctx) => select(ctx.store.rows("instances"), filterOf(ctx), ctx.session),
);

const choices = memo(
  (/** @type {Context} */ ctx) => [ctx.store.version("instances")],
  (ctx) => {
    const rows = ctx.store.rows("instances");
    return {
      phases: [...new Set(rows.map(stateWord))].sort(),
      templates: [...new Map(rows.map((row) => [row.template.id ?? row.template.name ?? "", templateName(row)]))]
        .map(([value, label]) => ({ value, label }))
        .sort((a, b) => compare(a.label, b.label)),
      keys: metadataKeys(rows),
    };
  },
);

/** @type {import("../../core/types").View} */
export default {
  name: "instances",
  path: "instances",
  title: () => "Instances",
  right: "list_vms",
  letter: "i",
  nav: { section: "Work", order: 20, icon: "instances" },
  render(ctx) {
    const { phases, templates, keys } = choices(ctx);
    const rows = shown(ctx);
    const isFiltered = FILTERS.some((key) => ctx.route.query[key]);
    return html`
      ${filterBar(ctx, {
        search: true,
        placeholder: "Search name, ID, metadata, address…",
        fields: [
          { key: "phase", label: "State", options: phases },
          { key: "node", label: "Node", options: nodeOptions(ctx) },
          { key: "group", label: "Group", options: groupOptions(ctx) },
          { key: "template", label: "Template", options: templates },
          { key: "mine", label: "Whose", options: [{ value: "1", label: "mine" }] },
        ],
        extra: button({ label: "Create instances", ctx, icon: "plus", right: "start_vm", primary: true, run: () => openCreate(ctx) }),
      })}
      ${table({
        id: "instances", label: "Instances", what: "instances", ctx, rows, rowId: (row) => row.id, selectable: true,
        columns: instanceColumns(ctx, keys), state: ctx.store.state("instances"), sort: "-created",
        onOpen: (row) => ctx.go(`#/instances/${encodeURIComponent(row.id)}`),
        empty: isFiltered
          ? { title: "No instance matches these filters.", hint: "Clear the filters to see all." }
          : { title: "No instances.", hint: "Create one here, or let a CI system ask for it." },
        actions: (selected) => bulkActions(ctx, selected),
      })}`;
  },
  keys: { c: { title: "Create instances", run: (ctx) => { if (ctx.can("start_vm").ok) openCreate(ctx); } } },
  same(ctx) {
    const namespace = ctx.store.get("cloud", "cloud")?.namespace ?? "anka-ci";
    return {
      kubectl: [`kubectl get ankainstances -n ${namespace} -o wide`, `kubectl get ankainstances -n ${namespace} --field-selector status.phase=Error`],
      curl: [ctx.api.curl("GET", "/api/v1/vm")],
    };
  },
};
