// @ts-check
/** One permission group: its ticks, its resources, and who has it. */
import { button } from "../components/button.js";
import { confirm } from "../components/dialog.js";
import { looks } from "../components/looks.js";
import { html, live, nothing } from "../core/html.js";
import { areResourcesChanged, byCategory, isChanged, RECOMMENDED, setAll } from "../core/permission-sets.js";
import { PATH, partIsOff } from "./permission-groups.js";
import { resourcesTab } from "./permission-resources.js";

/**
 * @typedef {import("../core/types").Context} Context
 * @typedef {import("../core/permission-sets.js").Permission} Permission
 */

/** @param {Context} ctx */
function nameOf(ctx) {
  return ctx.route.params["name"] ?? "";
}

/** @param {Context} ctx */
function find(ctx) {
  return ctx.store.rows("permissionGroups").find((group) => group.name === nameOf(ctx));
}

/** @param {Context} ctx @param {string} path @param {unknown} body @param {string} key of the draft that is saved */
async function save(ctx, path, body, key) {
  try {
    await ctx.api.call("POST", `${PATH}/group/${encodeURIComponent(nameOf(ctx))}/${path}`, body);
    delete ctx.local[key];
    ctx.say("Saved.");
  } catch (error) {
    ctx.say(/** @type {Error} */ (error).message);
  }
}

/** @param {Context} ctx */
function remove(ctx) {
  const holders = ctx.store.rows("apiKeys").filter((key) => key.groups?.includes(nameOf(ctx)));
  confirm(ctx, {
    title: `Delete ${nameOf(ctx)}?`, degree: 2, action: "Delete group",
    text: holders.length ? "These API keys lose what it permits at their next request:" : "Its members lose what it permits at their next request.",
    list: holders.map((key) => key.id),
    run: () => void ctx.api.call("DELETE", `${PATH}/group/${encodeURIComponent(nameOf(ctx))}`)
      .then(() => ctx.go("#/permission-groups"), (/** @type {Error} */ error) => ctx.say(error.message)),
  });
}

/** @param {Context} ctx @param {Permission[]} known */
function permissionsTab(ctx, known) {
  const saved = find(ctx)?.controller ?? [];
  /** @type {Set<string>} */
  const draft = ctx.local["draft"] ?? new Set(saved);
  /** @param {string[]} ids @param {boolean} isOn */
  const set = (ids, isOn) => {
    ctx.local["draft"] = draft;
    setAll(draft, ids, isOn);
    ctx.update();
  };
  /** @type {readonly string[]} */
  const shown = RECOMMENDED.find(({ name }) => name === ctx.local["highlight"])?.ids ?? [];
  const hasChanged = isChanged(saved, draft) || !find(ctx);
  const may = ctx.can("update_permission_groups").ok;
  return html`<div class="filter-bar" role="group" aria-label="Recommended sets">
      ${RECOMMENDED.map(({ name, title }) => html`<span title=${title}>${button({
        label: name, ctx, pressed: ctx.local["highlight"] === name,
        run: () => {
          ctx.local["highlight"] = ctx.local["highlight"] === name ? "" : name;
          ctx.update();
        },
      })}</span>`)}
      ${shown.length
        ? button({ label: "Tick the marked ones", ctx, quiet: true, right: "update_permission_groups", run: () => set([...shown], true) })
        : nothing}
    </div>
    <div class="cards">${byCategory(known).map(({ category, permissions }) => {
      const ids = permissions.map(({ id }) => id);
      const on = ids.filter((id) => draft.has(id)).length;
      return html`<fieldset class="card ticks" ?disabled=${!may}><legend><label><input type="checkbox"
          .checked=${live(on === ids.length)} .indeterminate=${live(on > 0 && on < ids.length)}
          @change=${() => set(ids, on < ids.length)}> ${category}</label></legend>
        ${permissions.map(({ id, label, description }) => html`<label class=${shown.includes(id) ? "tick is-marked" : "tick"}><input
          type="checkbox" .checked=${live(draft.has(id))} @change=${() => set([id], !draft.has(id))}>
          <span>${label}${shown.includes(id) ? html` <span class="mark">recommended</span>` : nothing}<small>${description} · <code>${id}</code></small></span></label>`)}
      </fieldset>`;
    })}</div>
    ${footer(ctx, hasChanged, "draft", () => save(ctx, "permissions", [...draft].sort(), "draft"), "Save permissions")}`;
}

/** @param {Context} ctx @param {boolean} hasChanged @param {string} key @param {() => void} run @param {string} label */
function footer(ctx, hasChanged, key, run, label) {
  const why = "Nothing has changed.";
  return html`<div class="form-actions">
    ${button({ label, ctx, primary: true, right: "update_permission_groups", disabled: !hasChanged, why, run })}
    ${button({
      label: "Clear changes", ctx, disabled: !ctx.local[key], why,
      run: () => {
        delete ctx.local[key];
        ctx.update();
      },
    })}
    ${button({
      label: "Delete group", ctx, danger: true, right: "delete_permission_groups", disabled: !find(ctx), why: "It is not saved yet.",
      run: () => remove(ctx),
    })}</div>`;
}

/** @type {import("../core/types").View} */
export default {
  name: "permission-group",
  path: "permission-groups/:name",
  title: (ctx) => `Permission group ${nameOf(ctx)}`,
  right: "view_permission_groups",
  render(ctx) {
    if (!ctx.session?.features?.authorization) return partIsOff("There are no permission groups.", "--enable-authorization");
    const known = ctx.resource("permissions", () => ctx.api.call("GET", `${PATH}/permissions`));
    const kinds = ctx.resource("kinds", () => ctx.api.call("GET", `${PATH}/resources/permissions`));
    const tab = ctx.route.query["tab"] ?? "permissions";
    const saved = find(ctx)?.resources ?? [];
    const draft = ctx.local["resources"] ?? saved;
    return html`<p class="crumbs"><a href="#/permission-groups">Permission groups</a> / <strong>${nameOf(ctx)}</strong>
        ${find(ctx) ? nothing : html` <span class="dim">not saved yet</span>`}</p>
      <div class="tabs" role="tablist">${["permissions", "resources"].map((name) => html`<button type="button" role="tab"
        aria-selected=${name === tab ? "true" : "false"} @click=${() => ctx.setQuery({ tab: name })}>${
          name === "permissions" ? "Permissions" : "Resources"}</button>`)}</div>
      ${tab === "permissions"
        ? looks({ state: known.state, error: known.error ?? "", what: "permissions", content: () => permissionsTab(ctx, known.value ?? []) })
        : looks({
          state: kinds.state, error: kinds.error ?? "", what: "resources",
          content: () => html`${resourcesTab(ctx, kinds.value ?? [], draft)}
            ${footer(ctx, areResourcesChanged(saved, draft), "resources", () => saveResources(ctx, saved, draft), "Save resources")}`,
        })}`;
  },
  same(ctx) {
    const name = nameOf(ctx);
    return {
      kubectl: [`kubectl get permissiongroups -o yaml`],
      curl: [
        ctx.api.curl("POST", `${PATH}/group/${encodeURIComponent(name)}/permissions`, find(ctx)?.controller ?? []),
        ctx.api.curl("GET", `${PATH}/group/${encodeURIComponent(name)}/resources`),
      ],
    };
  },
};

/**
 * A request replaces the types that it names; only an empty one replaces all.
 *
 * @param {Context} ctx
 * @param {import("../core/permission-sets.js").Resource[]} saved
 * @param {import("../core/permission-sets.js").Resource[]} draft
 */
async function saveResources(ctx, saved, draft) {
  const gone = new Set(saved.map(({ type }) => type).filter((type) => !draft.some((one) => one.type === type)));
  if (gone.size && draft.length) await save(ctx, "resources", [], "");
  await save(ctx, "resources", draft, "resources");
}
