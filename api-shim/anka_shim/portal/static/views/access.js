// @ts-check
/** How people and programs log in, and which group may do what. */
import { chip } from "../components/chip.js";
import { looks } from "../components/looks.js";
import { link } from "../components/text.js";
import { byCategory } from "../core/permission-sets.js";
import { html, nothing } from "../core/html.js";
import { PATH } from "./permission-groups.js";

/** @typedef {import("../core/types").Context} Context */

/** @param {Context} ctx @returns {[string, boolean, string][]} */
function methods(ctx) {
  const features = ctx.session?.features ?? {};
  return [
    ["Root token", Boolean(ctx.session?.authentication), "--enable-auth, --root-token-file"],
    ["API keys", Boolean(features.apiKeys), "--enable-api-keys"],
    ["Tokens of Kubernetes", Boolean(features.kubernetesTokens), "--enable-kubernetes-tokens"],
    [features.oidc ? `Login with ${features.oidc}` : "Login provider (OIDC)", Boolean(features.oidc), "--oidc-provider-url"],
    ["Permission groups", Boolean(features.authorization), "--enable-authorization"],
    ["Permissions of single Macs and templates", Boolean(features.resourcePermissions), "--enable-resource-permissions"],
  ];
}

/** @param {Context} ctx @param {import("../core/permission-sets.js").Permission[]} permissions */
function matrix(ctx, permissions) {
  const groups = [...ctx.store.rows("permissionGroups")].sort((a, b) => a.name.localeCompare(b.name));
  if (!groups.length) return nothing;
  return html`<section class="card"><h2>Who may do what</h2>
    <div class="scroll-x" tabindex="0" role="region" aria-label="Permissions by group"><table class="plain"><thead><tr><th scope="col">Permission</th>
      ${groups.map((group) => html`<th scope="col">${link("permission-groups", group.name)}</th>`)}</tr></thead>
    ${byCategory(permissions).map((one) => html`<tbody><tr><th scope="rowgroup" colspan=${groups.length + 1} class="category">${one.category}</th></tr>
      ${one.permissions.map(({ id, label, description }) => html`<tr><th scope="row" title=${description}>${label}</th>
        ${groups.map((group) => html`<td>${group.controller?.includes(id) ? html`<span class="yes">yes</span>` : html`<span class="dim">–</span>`}</td>`)}</tr>`)}
      </tbody>`)}</table></div></section>`;
}

/** @type {import("../core/types").View} */
export default {
  name: "access",
  path: "access",
  title: () => "Access",
  right: null,
  nav: { section: "Access", order: 5, label: "Overview", icon: "user" },
  render(ctx) {
    const isOn = Boolean(ctx.session?.features?.authorization) && ctx.can("view_permissions").ok && ctx.can("view_permission_groups").ok;
    const known = isOn ? ctx.resource("permissions", () => ctx.api.call("GET", `${PATH}/permissions`)) : null;
    return html`
      ${ctx.session?.authentication
        ? nothing
        : html`<p class="stale-note">${chip("warn", "open")} Whoever reaches this address may do everything: authentication is off.</p>`}
      <section class="card"><h2>Ways to log in</h2><table class="plain"><tbody>
        ${methods(ctx).map(([name, has, flag]) => html`<tr><th scope="row">${name}</th><td>${has ? chip("ok", "on") : chip("off", "off")}</td>
          <td>${has ? nothing : html`<code>${flag}</code>`}</td></tr>`)}
      </tbody></table></section>
      ${known ? looks({ state: known.state, error: known.error ?? "", what: "permissions", content: () => matrix(ctx, known.value ?? []) }) : nothing}`;
  },
  same: () => ({ kubectl: ["kubectl get apikeys,permissiongroups"], curl: ['curl -s "$ANKA"/config/v1/auth'] }),
};
