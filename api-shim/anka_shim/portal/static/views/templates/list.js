// @ts-check
/** Templates of the registry, and the versions of each. */
import { button } from "../../components/button.js";
import { filterBar } from "../../components/filter-bar.js";
import { table } from "../../components/table.js";
import { time } from "../../components/time.js";
import { bytes } from "../../core/format.js";
import { matches } from "../../core/filters.js";
import { html, nothing } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { formatHash } from "../../core/router.js";
import { templateTitle } from "../instances/names.js";
import { askDelete } from "./delete-dialog.js";
import { openDistribute } from "./distribute-dialog.js";
import { countByTemplate, holders } from "./usage.pure.js";
import { templateDrawer } from "./versions.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").TemplateRow} Template */

const runningCounts = memo(
  (/** @type {Context} */ ctx) => [ctx.store.version("instances")],
  (ctx) => countByTemplate(ctx.store.rows("instances")),
);

/** @param {Context} ctx @returns {import("../../core/types").Column<Template>[]} */
function columns(ctx) {
  const running = runningCounts(ctx);
  return [
    { key: "name", label: "Name", always: true, width: "14rem", sort: templateTitle, 
      render: (row) => html`<a href=${formatHash("templates", { ...ctx.route.query, open: row.id })}>${templateTitle(row)}</a>` },
    { key: "latest", label: "Latest tag", width: "9rem", sort: (row) => row.latestTag, render: (row) => row.latestTag ?? "" },
    { key: "versions", label: "Versions", num: true, width: "6rem", sort: (row) => row.versions?.length ?? 0, render: (row) => row.versions?.length ?? 0 },
    { key: "size", label: "Total size", num: true, width: "7rem", sort: (row) => row.sizeBytes, render: (row) => bytes(row.sizeBytes) },
    { key: "arch", label: "Arch", width: "5rem", sort: (row) => row.arch, render: (row) => row.arch ?? "" },
    { key: "pull", label: "Last pull", width: "7rem", sort: (row) => Date.parse(row.lastPull ?? ""), render: (row) => time(row.lastPull, ctx) },
    { key: "push", label: "Last push", width: "7rem", sort: (row) => Date.parse(row.lastPush ?? ""), render: (row) => time(row.lastPush, ctx) },
    { key: "running", label: "Instances", num: true, width: "6rem", sort: running, render: (row) => running(row) || "" },
    { key: "macs", label: "On Macs", num: true, width: "6rem", sort: (row) => holders(row).length, render: (row) => holders(row).length || "" },
    { key: "rules", label: "Kept by rules", num: true, width: "7rem", sort: (row) => row.rules?.length ?? 0, render: (row) => row.rules?.length || "" },
    { key: "id", label: "ID", width: "19rem", sort: (row) => row.id, render: (row) => html`<code>${row.id}</code>` },
    { key: "registryName", label: "Name in the registry", hidden: true, sort: (row) => row.name, render: (row) => row.name },
    { key: "message", label: "Note", hidden: true, width: "16rem", sort: (row) => row.message, render: (row) => row.message ?? "" },
  ];
}

/** @param {Context} ctx @param {Template[]} rows */
function actions(ctx, rows) {
  return html`
    ${button({ label: "Distribute", ctx, icon: "nodes", right: "registry_distribute", disabled: rows.length !== 1,
      why: "Select one template.", run: () => openDistribute(ctx, { template: rows[0]?.id ?? "" }) })}
    ${button({ label: "Delete", ctx, icon: "trash", right: "registry_delete", danger: true, run: () => askDelete(ctx, rows) })}`;
}

/** Beside the list: by a link of another view, or opened here. @param {Context} ctx */
function openedId(ctx) {
  return ctx.route.query["open"] ?? ctx.route.params["id"];
}

/** @param {Context} ctx */
function render(ctx) {
  const q = ctx.route.query["q"];
  const rows = ctx.store.rows("templates").filter((row) =>
    matches([row.name, row.displayName, row.id, row.arch, ...(row.versions ?? []).map(({ tag }) => tag)].join("\n"), q));
  const id = openedId(ctx);
  const opened = ctx.store.get("templates", id) ?? ctx.store.rows("templates").find(({ name }) => name === id);
  return html`
    ${filterBar(ctx, {
      placeholder: "Search name, ID, tag",
      extra: button({ label: "Distribute to Macs", ctx, icon: "nodes", right: "registry_distribute", run: () => openDistribute(ctx) }),
    })}
    <div class="with-drawer">
      ${table({
        id: "templates", label: "Templates", what: "templates", ctx, rows, rowId: (row) => row.id, selectable: true,
        columns: columns(ctx), state: ctx.store.state("templates"), sort: "name",
        onOpen: (row) => ctx.setQuery({ open: row.id }),
        empty: q
          ? { title: "No template matches." }
          : { title: "No templates.", hint: "Push one to the registry from a Mac: anka registry push." },
        actions: (selected) => actions(ctx, selected),
      })}
      ${opened ? templateDrawer(ctx, opened) : nothing}
    </div>`;
}

/** @param {Context} ctx */
function same(ctx) {
  const id = openedId(ctx);
  return id
    ? {
        kubectl: [`kubectl describe ankatemplate ${id}`],
        curl: [ctx.api.curl("GET", `/api/v1/registry/vm?id=${encodeURIComponent(id)}`)],
      }
    : { kubectl: ["kubectl get ankatemplates"], curl: [ctx.api.curl("GET", "/api/v1/registry/vm")] };
}

/** @type {import("../../core/types").View} */
export default {
  name: "templates",
  path: "templates",
  aliases: ["templates/:id"],
  title: () => "Templates",
  right: "registry_list",
  letter: "t",
  nav: { section: "Templates", order: 10, icon: "templates" },
  render,
  same,
};
