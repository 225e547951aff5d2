// @ts-check
/** The columns of the list of instances: those of the old portal, and what it did not show. */
import { phaseTone, chip } from "../../components/chip.js";
import { link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { html } from "../../core/html.js";
import { instanceName, metadataText, stateText, stateWord, tagName, templateName, vncAddress, webAddress } from "./facts.pure.js";
import { groupName, nodeLink, nodeName } from "./names.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} Instance */
/** @typedef {import("../../core/types").Column<Instance>} Column */

/** A text of a user: a link where it is an address of the web. @param {string | undefined} text */
export function webLink(text) {
  const address = webAddress(text);
  return address ? html`<a href=${address} target="_blank" rel="noopener noreferrer">${text}</a>` : (text ?? "");
}

/** @param {string | undefined} text */
export function vncLink(text) {
  const address = vncAddress(text);
  return address ? html`<a href=${address}>${address}</a>` : (text ?? "");
}

/** @param {Instance} row */
export function stateChip(row) {
  if (row.never) return chip("bad", "Can never run", row.message || row.reason);
  return chip(phaseTone(stateWord(row)), stateText(row), row.message || row.reason);
}

/** @param {Instance} row */
export function portsText(row) {
  return (row.ports ?? []).map(({ name, guest, host, protocol }) =>
    `${name ? `${name} ` : ""}${guest}→${host}${protocol && protocol !== "tcp" ? `/${protocol}` : ""}`).join(", ");
}

/** @param {Context} ctx @param {string[]} metadataKeys @returns {Column[]} */
export function instanceColumns(ctx, metadataKeys) {
  return [
    { key: "name", label: "Name", always: true, width: "13rem", sort: instanceName,
      render: (row) => link("instances", row.id, instanceName(row)) },
    { key: "state", label: "State", width: "11rem", sort: stateWord, render: stateChip },
    { key: "node", label: "Node", width: "8rem", sort: (row) => nodeName(ctx, row.node), render: (row) => nodeLink(ctx, row.node) },
    { key: "template", label: "Template", width: "10rem", sort: templateName, render: templateName },
    { key: "tag", label: "Tag", width: "7rem", sort: tagName, render: tagName },
    { key: "created", label: "Created", width: "7rem", sort: (row) => Date.parse(row.created), render: (row) => time(row.created, ctx) },
    { key: "group", label: "Node group", width: "7rem", sort: (row) => groupName(ctx, row.group), render: (row) => groupName(ctx, row.group) },
    { key: "vnc", label: "VNC", width: "11rem", sort: (row) => row.vncUrl, render: (row) => vncLink(row.vncUrl) },
    { key: "arch", label: "Arch", width: "5rem", sort: (row) => row.arch, render: (row) => row.arch ?? "" },
    { key: "external", label: "External ID", width: "11rem", sort: (row) => row.externalId, render: (row) => webLink(row.externalId) },
    { key: "by", label: "Requested by", width: "8rem", sort: (row) => row.requestedBy, render: (row) => row.requestedBy ?? "" },
    { key: "id", label: "ID", width: "19rem", sort: (row) => row.id, render: (row) => html`<code>${row.id}</code>` },
    { key: "ip", label: "VM address", hidden: true, sort: (row) => row.ip, render: (row) => row.ip ?? "" },
    { key: "host", label: "Mac address (IP)", hidden: true, sort: (row) => row.hostIp, render: (row) => row.hostIp ?? "" },
    { key: "ports", label: "Ports", hidden: true, width: "14rem", render: portsText },
    { key: "ready", label: "Ready", hidden: true, width: "5rem", sort: (row) => row.ready === true, render: (row) => (row.ready ? "yes" : "no") },
    { key: "reason", label: "Reason", hidden: true, width: "16rem", sort: (row) => row.reason, render: (row) => row.message ?? row.reason ?? "" },
    { key: "priority", label: "Priority", hidden: true, num: true, width: "5rem", sort: (row) => row.priority, render: (row) => row.priority ?? "" },
    { key: "started", label: "Started", hidden: true, width: "7rem", sort: (row) => Date.parse(row.startedAt ?? ""), render: (row) => time(row.startedAt, ctx) },
    { key: "permissionGroup", label: "Permission group", hidden: true, sort: (row) => row.permissionGroup, render: (row) => row.permissionGroup ?? "" },
    { key: "namespace", label: "Namespace", hidden: true, sort: (row) => row.namespace, render: (row) => row.namespace },
    ...metadataKeys.map((key) => /** @type {Column} */ ({
      key: `(metadata)${key}`, label: `(metadata)${key}`, hidden: true,
      sort: (row) => metadataText(row, key), render: (row) => webLink(metadataText(row, key)),
    })),
  ];
}
