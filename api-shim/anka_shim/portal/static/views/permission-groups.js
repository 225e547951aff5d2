// @ts-check
/** Permission groups: what those may do who have logged in. */
import { button } from "../components/button.js";
import { dialog } from "../components/dialog.js";
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { link } from "../components/text.js";
import { matches } from "../core/filters.js";
import { count } from "../core/format.js";
import { html, nothing } from "../core/html.js";
import { formatHash } from "../core/router.js";

/** @typedef {import("../core/types").Context} Context */

export const PATH = "/admin/api/v1/permission";

/** @param {string} what @param {string} flag */
export function partIsOff(what, flag) {
  return html`<div class="look look-empty" data-look="empty"><p class="look-title">${what}</p>
    <p>The REST API's <code>${flag}</code> turns them on.</p></div>`;
}

/** @param {Context} ctx */
function create(ctx) {
  let name = "";
  const go = () => {
    if (!name.trim()) return;
    ctx.close();
    ctx.go(formatHash(`permission-groups/${encodeURIComponent(name.trim())}`));
  };
  ctx.open(() => dialog({
    title: "New permission group", onClose: () => ctx.close(),
    body: html`<label class="field"><span>Name, as API keys, certificates and the login provider spell it</span>
        <input maxlength="253" autofocus .value=${name} @input=${(/** @type {InputEvent} */ event) => {
          name = /** @type {HTMLInputElement} */ (event.target).value;
          ctx.update();
        }} @keydown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && go()}></label>
      <p class="dim">It exists once its permissions are saved.</p>`,
    actions: html`${button({ label: "Cancel", ctx, run: () => ctx.close() })}
      ${button({ label: "Choose permissions", ctx, primary: true, disabled: !name.trim(), why: "Give it a name.", run: go })}`,
  }));
}

/** @type {import("../core/types").View} */
export default {
  name: "permission-groups",
  path: "permission-groups",
  title: () => "Permission groups",
  right: "view_permission_groups",
  nav: { section: "Access", order: 10, icon: "access" },
  render(ctx) {
    if (!ctx.session?.features?.authorization) {
      return partIsOff("Everybody who has logged in may do everything: there are no permission groups.", "--enable-authorization");
    }
    const all = ctx.store.rows("permissionGroups");
    const keys = ctx.store.rows("apiKeys");
    const rows = all.filter((group) => matches(group.name, ctx.route.query["q"]));
    return html`${filterBar(ctx, {
      placeholder: "Search name",
      extra: button({ label: "New group", ctx, icon: "plus", primary: true, right: "update_permission_groups", run: () => create(ctx) }),
    })}
    ${table({
      id: "permission-groups", label: "Permission groups", ctx, rows, rowId: (group) => group.id, what: "permission groups",
      state: ctx.store.state("permissionGroups"), sort: "name",
      onOpen: (group) => ctx.go(formatHash(`permission-groups/${encodeURIComponent(group.name)}`)),
      empty: all.length
        ? { title: "No group matches." }
        : { title: "No permission group yet.", hint: "Without one, only the root token may do anything." },
      columns: [
        { key: "name", label: "Name", sort: (group) => group.name, width: "16rem", always: true,
          render: (group) => link("permission-groups", group.name) },
        { key: "permissions", label: "Permissions", sort: (group) => group.controller?.length ?? 0, width: "9rem",
          render: (group) => count(group.controller?.length ?? 0, "permission") },
        { key: "resources", label: "Resources", sort: (group) => group.resources?.length ?? 0, width: "9rem",
          render: (group) => (group.resources?.length ? count(group.resources.length, "resource") : nothing) },
        { key: "keys", label: "API keys", width: "18rem",
          render: (group) => keys.filter((key) => key.id === group.name || key.groups?.includes(group.name)).map((key) => key.id).join(", ") },
        { key: "namespace", label: "Namespace", sort: (group) => group.namespace, render: (group) => group.namespace ?? "", width: "10rem" },
      ],
    })}`;
  },
  keys: { c: { title: "New group", run: (ctx) => ctx.can("update_permission_groups").ok && create(ctx) } },
  same: () => ({ kubectl: ["kubectl get permissiongroups"], curl: [`curl -s "$ANKA${PATH}/group"`] }),
};
