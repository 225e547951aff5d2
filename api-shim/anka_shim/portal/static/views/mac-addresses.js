// @ts-check
/** MAC addresses that the cloud manages: pools, and who has which address. */
import { filterBar } from "../components/filter-bar.js";
import { meter } from "../components/graphs.js";
import { table } from "../components/table.js";
import { details, link } from "../components/text.js";
import { matches } from "../core/filters.js";
import { duration, number } from "../core/format.js";
import { html } from "../core/html.js";

/** @typedef {import("../core/types").MacPoolRow} MacPoolRow */

/** @param {MacPoolRow} pool */
function card(pool) {
  const total = (pool.free ?? 0) + (pool.inUse ?? 0);
  const isFull = pool.free === 0;
  return html`<section class="card" data-id=${pool.id}><h2>${pool.name}</h2>
    ${meter({
      label: `Addresses of ${pool.name} in use`, value: pool.inUse ?? 0, max: Math.max(total, 1), tone: isFull ? "bad" : "ok",
      text: `${number(pool.inUse ?? 0)} of ${number(total)} in use${isFull ? ": instances wait for one" : ""}`,
    })}
    ${details([
      ["Ranges", html`${(pool.ranges ?? []).map((range) => html`<code>${range}</code> `)}`],
      ["Rest after use", pool.reuseAfterSeconds == null ? null : duration(pool.reuseAfterSeconds * 1000)],
    ])}</section>`;
}

/** @type {import("../core/types").View} */
export default {
  name: "mac-addresses",
  path: "mac-addresses",
  title: () => "MAC addresses",
  right: "mac_address",
  nav: { section: "Fleet", order: 80, icon: "copy" },
  render(ctx) {
    if (!ctx.session?.features?.macPools) {
      return html`<div class="look look-empty" data-look="empty"><p class="look-title">MAC addresses are not managed.</p>
        <p>Anka gives each VM an address at random. The REST API's <code>--manage-mac-addresses</code> and a MACAddressPool
        let the cloud choose it instead.</p></div>`;
    }
    const pools = ctx.store.rows("macPools");
    const all = ctx.store.rows("instances").filter((instance) => instance.macAddress);
    const rows = all.filter((i) => matches(`${i.macAddress} ${i.name} ${i.displayName ?? ""}`, ctx.route.query["q"]));
    return html`<div class="cards">${pools.map(card)}</div>
    ${filterBar(ctx, { placeholder: "Search address, instance" })}
    ${table({
      id: "mac-addresses", label: "MAC addresses in use", ctx, rows, rowId: (i) => i.id, what: "addresses",
      state: ctx.store.state("instances"), sort: "address",
      empty: { title: all.length ? "No address matches." : "No instance has an address yet." },
      columns: [
        { key: "address", label: "Address", sort: (i) => i.macAddress, render: (i) => html`<code>${i.macAddress}</code>`, width: "11rem", always: true },
        { key: "instance", label: "Instance", sort: (i) => i.displayName ?? i.name, width: "18rem",
          render: (i) => link("instances", i.id, i.displayName ?? i.name) },
        { key: "mac", label: "Mac", sort: (i) => i.node, width: "14rem",
          render: (i) => link("nodes", i.node, ctx.store.get("nodes", i.node)?.name) },
      ],
    })}`;
  },
  same: () => ({
    kubectl: ["kubectl get macaddresspools"],
    curl: ['curl -s "$ANKA/api/v1/macaddr?count=1"', 'curl -s "$ANKA/api/v1/macaddr?in_use=1&limit=500"'],
  }),
};
