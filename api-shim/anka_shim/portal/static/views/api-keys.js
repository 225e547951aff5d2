// @ts-check
/** API keys of programs: who has one, with which groups, until when. */
import { button } from "../components/button.js";
import { chip } from "../components/chip.js";
import { confirm } from "../components/dialog.js";
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { time } from "../components/time.js";
import { matches } from "../core/filters.js";
import { html, nothing } from "../core/html.js";
import { openKeyDialog } from "./api-key-dialog.js";
import { partIsOff } from "./permission-groups.js";

/** @typedef {import("../core/types").Context} Context @typedef {import("../core/types").ApiKeyRow} ApiKeyRow */

/** @param {Context} ctx @param {ApiKeyRow[]} keys */
function remove(ctx, keys) {
  confirm(ctx, {
    title: keys.length === 1 ? `Delete ${keys[0]?.id}?` : `Delete ${keys.length} API keys?`, action: "Delete",
    degree: keys.length === 1 ? 2 : 3, typed: String(keys.length),
    text: "Whoever uses it is locked out at the next request:", list: keys.map((key) => key.id),
    run: () => void ctx.tasks.run({
      title: "Delete API keys", rows: keys.map(({ id }) => ({ id, label: id })),
      each: async ({ id }) => {
        await ctx.api.call("DELETE", "/api/v1/apikey", { id });
        return "deleted";
      },
    }),
  });
}

/** @param {Context} ctx @param {ApiKeyRow} key */
function expiry(ctx, key) {
  const isOver = key.expires !== undefined && Date.parse(key.expires) <= ctx.now;
  return html`${time(key.expires, ctx)}${isOver ? html` ${chip("bad", "expired")}` : nothing}`;
}

/** @type {import("../core/types").View} */
export default {
  name: "api-keys",
  path: "api-keys",
  title: () => "API keys",
  right: "get_api_key",
  nav: { section: "Access", order: 20, icon: "access" },
  render(ctx) {
    if (!ctx.session?.features?.apiKeys) return partIsOff("Nobody logs in with an API key.", "--enable-api-keys");
    const all = ctx.store.rows("apiKeys");
    const rows = all.filter((key) => matches(`${key.id} ${(key.groups ?? []).join(" ")}`, ctx.route.query["q"]));
    return html`${filterBar(ctx, {
      placeholder: "Search id, group",
      extra: button({ label: "New API key", ctx, icon: "plus", primary: true, right: "create_api_key", run: () => openKeyDialog(ctx) }),
    })}
    ${table({
      id: "api-keys", label: "API keys", ctx, rows, rowId: (key) => key.id, what: "API keys", selectable: true,
      state: ctx.store.state("apiKeys"), sort: "id",
      onOpen: (key) => ctx.can("update_api_key").ok && openKeyDialog(ctx, key),
      actions: (keys) => button({ label: "Delete", ctx, danger: true, right: "delete_api_key", run: () => remove(ctx, keys) }),
      empty: all.length ? { title: "No API key matches." } : { title: "No API key yet.", hint: "A program logs in with one instead of the root token." },
      columns: [
        { key: "id", label: "Id", sort: (key) => key.id, render: (key) => key.id, width: "14rem", always: true },
        { key: "groups", label: "Permission groups", width: "20rem",
          render: (key) => (key.groups?.length ? key.groups.join(", ") : html`<span class="dim">only a group of its own name</span>`) },
        { key: "created", label: "Created", sort: (key) => key.created, render: (key) => time(key.created, ctx), width: "9rem" },
        { key: "expires", label: "Expires", sort: (key) => key.expires, render: (key) => expiry(ctx, key), width: "12rem" },
        { key: "do", label: "Change", width: "11rem", always: true,
          render: (key) => html`${button({
            label: `Edit ${key.id}`, ctx, icon: "edit", iconOnly: true, quiet: true, right: "update_api_key", run: () => openKeyDialog(ctx, key),
          })}${button({
            label: `Delete ${key.id}`, ctx, icon: "trash", iconOnly: true, quiet: true, right: "delete_api_key", run: () => remove(ctx, [key]),
          })}` },
      ],
    })}`;
  },
  keys: { c: { title: "New API key", run: (ctx) => ctx.can("create_api_key").ok && openKeyDialog(ctx) } },
  same: (ctx) => ({
    kubectl: ["kubectl get apikeys"],
    curl: ['curl -s "$ANKA"/api/v1/apikey', ctx.api.curl("POST", "/api/v1/apikey", { id: "jenkins", ttl: 7776000, groups: ["ci"] })],
  }),
};
