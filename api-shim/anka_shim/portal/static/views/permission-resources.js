// @ts-check
/** The resources of a permission group: one row for each node or template, one tick for each permission. */
import { button } from "../components/button.js";
import { html, live, nothing } from "../core/html.js";

/**
 * @typedef {import("../core/types").Context} Context
 * @typedef {import("../core/permission-sets.js").Resource} Resource
 * @typedef {{resource_type: string, permissions: Record<string, {label: string, description: string}>}} ResourceKind
 */

/** @type {Record<string, {title: string, add: string, kind: "nodes" | "templates", first: string[]}>} */
const TYPES = {
  node: { title: "Nodes", add: "Add a node", kind: "nodes", first: ["create_instance", "list"] },
  template: { title: "Templates", add: "Add a template", kind: "templates", first: ["get_config", "list", "pull"] },
};

/** @param {Context} ctx @param {Resource[]} next */
function change(ctx, next) {
  ctx.local["resources"] = next;
  ctx.update();
}

/** @param {Context} ctx @param {Resource[]} draft @param {Resource} resource @param {string} permission */
function toggle(ctx, draft, resource, permission) {
  const has = resource.permissions.includes(permission);
  const permissions = has ? resource.permissions.filter((id) => id !== permission) : [...resource.permissions, permission];
  change(ctx, draft.map((one) => (one === resource ? { ...one, permissions } : one)));
}

/** @param {Context} ctx @param {ResourceKind[]} kinds @param {Resource[]} draft */
export function resourcesTab(ctx, kinds, draft) {
  return html`${ctx.session?.features?.resourcePermissions
    ? nothing
    : html`<p class="stale-note">These are stored, but count only with the REST API's --enable-resource-permissions.</p>`}
    ${kinds.map((kind) => section(ctx, kind, draft))}`;
}

/** @param {Context} ctx @param {ResourceKind} kind @param {Resource[]} draft */
function section(ctx, { resource_type: type, permissions }, draft) {
  const { title, add, kind, first } = TYPES[type] ?? { title: type, add: "", kind: "nodes", first: [] };
  const ids = Object.keys(permissions).sort();
  const rows = draft.filter((one) => one.type === type);
  const may = ctx.can("update_permission_groups").ok;
  const others = ctx.store.rows(kind).filter((row) => !rows.some((one) => one.id === row.id));
  /** @param {string} id */
  const nameOf = (id) => ctx.store.get(kind, id)?.name ?? "";
  return html`<section class="card"><h2>${title}</h2>
    ${rows.length
      ? html`<div class="scroll-x" tabindex="0" role="region" aria-label=${title}><table class="plain"><thead><tr><th scope="col">Id</th><th scope="col">Name</th>
          ${ids.map((id) => html`<th scope="col" title=${permissions[id]?.description ?? ""}>${permissions[id]?.label ?? id}</th>`)}<th></th></tr></thead>
        <tbody>${rows.map((one) => html`<tr data-id=${one.id}><th scope="row">${one.id}</th><td>${nameOf(one.id)}</td>
          ${ids.map((id) => html`<td><input type="checkbox" aria-label="${permissions[id]?.label ?? id}: ${nameOf(one.id) || one.id}"
            ?disabled=${!may} .checked=${live(one.permissions.includes(id))} @change=${() => toggle(ctx, draft, one, id)}></td>`)}
          <td>${button({
            label: `Remove ${nameOf(one.id) || one.id}`, ctx, icon: "trash", iconOnly: true, quiet: true, right: "update_permission_groups",
            run: () => change(ctx, draft.filter((other) => other !== one)),
          })}</td></tr>`)}</tbody></table></div>`
      : html`<p class="dim">${type === "node" ? "None: its instances may run on every node." : "None: its members see no template."}</p>`}
    <label class="choice"><span>${add}</span><select ?disabled=${!may} .value=${live("")} @change=${(/** @type {Event} */ event) => {
      const id = /** @type {HTMLSelectElement} */ (event.target).value;
      if (id) change(ctx, [...draft, { type, id, permissions: first }]);
    }}><option value="">choose</option>${others.map((row) => html`<option value=${row.id}>${row.name}</option>`)}</select></label>
  </section>`;
}
