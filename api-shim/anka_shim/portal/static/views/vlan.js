// @ts-check
/** VLANs: which Macs have them, and which VMs are in them. */
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { link } from "../components/text.js";
import { listVlans } from "../core/devices.js";
import { matches } from "../core/filters.js";
import { count } from "../core/format.js";
import { html, nothing } from "../core/html.js";

const NAMED = 6;

/** The first of them, and how many more. @template R @param {R[]} rows @param {(row: R) => import("../core/types").Content} draw */
function some(rows, draw) {
  const more = rows.length - NAMED;
  return html`${rows.slice(0, NAMED).map((row, i) => html`${i ? ", " : nothing}${draw(row)}`)}${more > 0 ? ` and ${more} more` : nothing}`;
}

/** @type {import("../core/types").View} */
export default {
  name: "vlan",
  path: "vlan",
  title: () => "VLANs",
  right: "list_nodes",
  nav: { section: "Fleet", order: 70, label: "VLAN", icon: "groups" },
  render(ctx) {
    const all = listVlans(ctx.store.rows("nodes"), ctx.store.rows("instances"));
    const { q } = ctx.route.query;
    const rows = all.filter((vlan) => matches(`${vlan.id} ${vlan.nodes.map((node) => node.name).join(" ")}`, q));
    return html`${filterBar(ctx, { placeholder: "Search VLAN, Mac" })}
    ${table({
      id: "vlan", label: "VLANs", ctx, rows, rowId: (vlan) => vlan.id, what: "VLANs", state: ctx.store.state("nodes"), sort: "vlan",
      empty: all.length
        ? { title: "No VLAN matches." }
        : { title: "No Mac has a VLAN.", hint: "A Mac reports the VLANs of its bridges; a VM is put into one with vlan_tag." },
      columns: [
        { key: "vlan", label: "VLAN", sort: (vlan) => Number(vlan.id) || vlan.id, render: (vlan) => vlan.id, width: "6rem", always: true },
        { key: "macs", label: "Macs", sort: (vlan) => vlan.nodes.length, render: (vlan) => count(vlan.nodes.length, "Mac"), width: "7rem" },
        { key: "names", label: "Which", width: "24rem", render: (vlan) => some(vlan.nodes, (node) => link("nodes", node.id, node.name)) },
        { key: "vms", label: "VMs in it", sort: (vlan) => vlan.instances.length, width: "24rem",
          render: (vlan) => some(vlan.instances, (i) => link("instances", i.id, i.displayName ?? i.name)) },
      ],
    })}`;
  },
  same: () => ({
    kubectl: [`kubectl get ankanodes -o custom-columns='MAC:.metadata.name,VLANS:.status.vlans'`],
    curl: ['curl -s "$ANKA"/api/v1/vlan'],
  }),
};
