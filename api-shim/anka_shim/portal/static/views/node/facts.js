// @ts-check
/** What a Mac has and what is said about it: templates, pulls, devices, versions, conditions, events. */

import { chip } from "../../components/chip.js";
import { progress } from "../../components/graphs.js";
import { looks } from "../../components/looks.js";
import { details, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { bytes, count } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { loadNodeObject } from "./load.js";
import { taskTitle } from "./node.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("../../core/types").Content} Content */

/**
 * @param {string} title
 * @param {string[]} heads
 * @param {Content[][]} lines
 * @param {string} none
 */
function panel(title, heads, lines, none) {
  return html`<section class="card"><h2>${title} <small>${lines.length || ""}</small></h2>${lines.length
    ? html`<div class="scroll-x" tabindex="0" role="region" aria-label=${title}><table class="plain-table">
        <thead><tr>${heads.map((head) => (head ? html`<th scope="col">${head}</th>` : html`<td></td>`))}</tr></thead>
        <tbody>${lines.map((cells) => html`<tr>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`
    : html`<p class="dim">${none}</p>`}</section>`;
}

/** @param {Context} ctx @param {NodeRow} node */
export function templates(ctx, node) {
  const kept = new Set((node.kept ?? []).map(({ template, tag }) => `${template}:${tag}`));
  const lines = [...(node.templates ?? [])]
    .sort((a, b) => (a.name ?? "").localeCompare(b.name ?? ""))
    .map(({ id, name, tag, sizeBytes, lastUsed }) => [
      link("templates", id, name ?? id), tag ?? "", bytes(sizeBytes), time(lastUsed, ctx),
      kept.has(`${id}:${tag}`) ? html`<span class="badge" title="A rule of the template keeps this tag here">kept by a rule</span>` : "",
    ]);
  return panel("Templates on its disk", ["Template", "Tag", "Size", "Last used", ""], lines, "None.");
}

/** @param {Context} ctx @param {NodeRow} node */
export function tasks(ctx, node) {
  const name = (/** @type {string} */ id) => ctx.store.get("templates", id)?.name;
  const lines = (node.tasks ?? []).map((task) => [
    taskTitle(task, name),
    task.done ? (task.message ? chip("bad", "failed") : chip("ok", "done")) : progress({ label: taskTitle(task, name), percent: task.percent }),
    task.message ?? "",
  ]);
  return panel("Distributions", ["For", "Progress", ""], lines, "Nothing is pulled or removed.");
}

/** @param {NodeRow} node */
export function devices(node) {
  const usb = (node.usb ?? []).map(({ name, location, group, available }) => [
    name ?? "", html`<code>${location}</code>`, group ?? "", available === false ? chip("busy", "in use") : chip("ok", "free"),
  ]);
  return html`${panel("USB devices", ["Device", "Location", "Group", ""], usb, "None.")}
    <section class="card"><h2>VLANs</h2><p>${(node.vlans ?? []).join(", ") || html`<span class="dim">None is named.</span>`}</p></section>`;
}

/** @param {Context} ctx @param {NodeRow} node */
export function versions(ctx, node) {
  const { anka, update } = node;
  const valid = anka?.licenseStatus;
  return html`<section class="card"><h2>About it</h2>${details([
    ["Id", html`<code>${node.id}</code>`],
    ["Address", node.ip],
    ["VMs reached at", node.host],
    ["Architecture", node.arch],
    ["Cores, RAM", node.vcpus ? `${node.vcpus} cores, ${node.ramGib ?? "?"} GiB` : null],
    ["Disk", node.disk?.sizeBytes ? `${bytes(node.disk.freeBytes)} of ${bytes(node.disk.sizeBytes)} free, Anka uses ${bytes(node.disk.ankaBytes)}` : null],
    ["Disk kept free", node.reservePercent === undefined ? null : `${node.reservePercent} %`],
    ["Anka", anka?.version ? `${anka.version}${anka.build ? ` (${anka.build})` : ""}` : null],
    ["Licence", anka?.license ? html`${anka.license} ${valid ? chip(valid === "valid" ? "ok" : "bad", valid) : nothing}` : null],
    ["Licence expires", anka?.expires],
    ["Agent", node.agentVersion],
    ["Agent asked for", node.wantedAgentVersion && node.wantedAgentVersion !== node.agentVersion ? node.wantedAgentVersion : null],
    ["Update", update ? html`${chip(update.failed ? "bad" : "busy", update.failed ? "failed" : "goes on")} ${update.message}` : null],
    ["Logs", node.centralLogging === false ? "stay on the Mac" : "go to the registry"],
    ["Heartbeat", node.heartbeatAt ? time(node.heartbeatAt, ctx) : "none yet"],
    ["Its clock", node.clockAheadSeconds ? `${Math.abs(node.clockAheadSeconds)} s ${node.clockAheadSeconds > 0 ? "ahead" : "behind"}` : null],
    ["Joined", time(node.created, ctx)],
    ["Asked for by", node.requestedBy],
  ])}</section>`;
}

/** @param {Context} ctx @param {NodeRow} node */
export function conditions(ctx, node) {
  const lines = (node.conditions ?? []).map(({ type, status, reason, message, since }) => [
    type, status, reason ?? "", message ?? "", time(since, ctx),
  ]);
  return panel("Conditions", ["Type", "Status", "Reason", "Message", "Since"], lines, "All as they should be.");
}

/** @param {Context} ctx @param {NodeRow} node */
export function events(ctx, node) {
  const found = loadNodeObject(ctx, node.id);
  const lines = (found.value?.events ?? []).map(({ at, type, reason, message, count: times, by }) => [
    time(at, ctx), chip(type === "Warning" ? "warn" : "ok", reason ?? ""), message ?? "", times && times > 1 ? count(times, "time") : "", by ?? "",
  ]);
  return html`${looks({
      state: found.state, what: "the events", error: found.error,
      content: () => panel("Events", ["When", "Reason", "Message", "", "By"], lines, "Kubernetes keeps them for an hour; there are none."),
    })}
    ${found.value?.eventsProblem ? html`<p class="note">${found.value.eventsProblem}</p>` : nothing}
    ${found.value ? html`<details class="card"><summary>YAML</summary><pre class="yaml" tabindex="0">${found.value.yaml}</pre></details>` : nothing}`;
}
