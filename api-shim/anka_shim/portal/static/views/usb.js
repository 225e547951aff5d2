// @ts-check
/** USB devices of all Macs, and who has them. */
import { chip } from "../components/chip.js";
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { link } from "../components/text.js";
import { countDevices, listDevices } from "../core/devices.js";
import { matches } from "../core/filters.js";
import { html, nothing } from "../core/html.js";

/** @typedef {import("../core/devices.js").Device} Device */

/** @type {Record<Device["state"], import("../core/types").Tone>} */
const TONES = { free: "ok", claimed: "busy", "in use on the Mac": "warn", "Mac offline": "off" };

/** @param {Device} device */
function textOf(device) {
  return `${device.name} ${device.group} ${device.location} ${device.node.name} ${device.holder?.name ?? ""}`;
}

/** @type {import("../core/types").View} */
export default {
  name: "usb",
  path: "usb",
  title: () => "USB devices",
  right: "list_nodes",
  nav: { section: "Fleet", order: 60, label: "USB", icon: "nodes" },
  render(ctx) {
    const all = listDevices(ctx.store.rows("nodes"), ctx.store.rows("instances"));
    const { q, state, group } = ctx.route.query;
    const rows = all.filter((device) =>
      (!state || device.state === state) && (!group || device.group === group) && matches(textOf(device), q));
    const counts = countDevices(all);
    return html`${counts.length
      ? html`<div class="tiles">${counts.slice(0, 8).map(({ name, free, busy }) => html`<div class="tile">
          <strong>${free} of ${free + busy}</strong><span>free of ${name}</span></div>`)}</div>`
      : nothing}
    ${filterBar(ctx, {
      placeholder: "Search device, group, Mac",
      fields: [
        { key: "state", label: "State", options: Object.keys(TONES) },
        { key: "group", label: "Group", options: [...new Set(all.map((device) => device.group).filter(Boolean))].sort() },
      ],
    })}
    ${table({
      id: "usb", label: "USB devices", ctx, rows, rowId: (device) => device.id, what: "USB devices",
      state: ctx.store.state("nodes"), sort: "group",
      empty: all.length
        ? { title: "No device matches." }
        : { title: "No Mac has a USB device.", hint: "Instances claim one by its group or location; Macs report what is plugged in." },
      columns: [
        { key: "group", label: "Group", sort: (device) => device.group, width: "9rem", always: true,
          render: (device) => device.group || html`<span class="dim">none</span>` },
        { key: "name", label: "Device", sort: (device) => device.name, render: (device) => device.name, width: "12rem" },
        { key: "location", label: "Location", sort: (device) => device.location, width: "9rem",
          render: (device) => html`<code>${device.location}</code>` },
        { key: "mac", label: "Mac", sort: (device) => device.node.name, width: "12rem",
          render: (device) => link("nodes", device.node.id, device.node.name) },
        { key: "state", label: "State", sort: (device) => device.state, width: "11rem",
          render: (device) => chip(TONES[device.state], device.state) },
        { key: "holder", label: "Instance", sort: (device) => device.holder?.name, width: "14rem",
          render: (device) => (device.holder ? link("instances", device.holder.id, device.holder.displayName ?? device.holder.name) : nothing) },
      ],
    })}`;
  },
  same: () => ({
    kubectl: [`kubectl get ankanodes -o custom-columns='MAC:.metadata.name,USB:.status.usbDevices[*].group'`],
    curl: ['curl -s "$ANKA"/api/v1/usb'],
  }),
};
