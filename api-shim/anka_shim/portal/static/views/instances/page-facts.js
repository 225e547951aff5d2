// @ts-check
/** Facts about one instance, as two lists. */
import { codeLines, details, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { html, nothing } from "../../core/html.js";
import { vncLink, webLink } from "./columns.js";
import { sshLine, tagName, templateName } from "./facts.pure.js";
import { groupName, nodeLink, nodeName } from "./names.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} Instance */

/** @param {Context} ctx @param {Instance} row */
export function facts(ctx, row) {
  const metadata = Object.entries(row.metadata ?? {});
  return details([
    ["ID", html`<code>${row.id}</code>`],
    ["Name", row.displayName],
    ["External ID", row.externalId ? webLink(row.externalId) : null],
    ["Template", html`${link("templates", row.template.id ?? row.template.name, templateName(row))} ${tagName(row)}`],
    ["Node", row.node ? nodeLink(ctx, row.node) : row.requestedNode ? html`wants ${nodeName(ctx, row.requestedNode)}` : "none yet"],
    ["Node group", row.group ? link("groups", row.group, groupName(ctx, row.group)) : null],
    ["Permission group", row.permissionGroup],
    ["Priority", row.priority],
    ["Requested by", row.requestedBy ?? "nobody had to log in"],
    ["Managed by", row.managedBy],
    ["Created", time(row.created, ctx)],
    ["Started", row.startedAt ? time(row.startedAt, ctx) : null],
    ["Ended", row.finishedAt ? time(row.finishedAt, ctx) : null],
    ["Has to start by", row.deadline ? time(row.deadline, ctx) : null],
    ["Namespace", row.namespace],
    ["Metadata", metadata.length
      ? html`<ul class="pairs">${metadata.map(([key, value]) => html`<li><code>${key}</code> ${webLink(String(value))}</li>`)}</ul>`
      : null],
  ]);
}

/** @param {Context} ctx @param {Instance} row */
export function accessFacts(ctx, row) {
  const ssh = sshLine(row);
  const ports = row.ports ?? [];
  return html`${details([
      ["VM address", row.ip],
      ["Mac's address", row.hostIp],
      ["Screen (VNC)", row.vncUrl ? vncLink(row.vncUrl) : null],
      ["MAC address", row.macAddress],
      ["Architecture", row.arch],
      ["vCPUs", row.vcpus],
      ["RAM", row.ram],
      ["Ready", row.ready ? "yes" : "no"],
    ])}
    ${ports.length
      ? html`<table class="plain"><caption>Forwarded ports</caption>
          <thead><tr><th scope="col">Rule</th><th scope="col" class="num">In the VM</th><th scope="col" class="num">On the Mac</th><th scope="col">Protocol</th></tr></thead>
          <tbody>${ports.map((port) => html`<tr><td>${port.name ?? ""}</td><td class="num">${port.guest}</td><td class="num">${port.host}</td><td>${port.protocol ?? ""}</td></tr>`)}</tbody></table>`
      : html`<p class="dim">No port is forwarded.</p>`}
    ${ssh ? html`<h3>Enter it</h3>${codeLines(ctx, [ssh])}<p class="dim">The user is that of Anka's own templates: yours may have another.</p>` : nothing}`;
}
