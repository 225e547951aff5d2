// @ts-check
/** Logs that Macs, operator and REST API have sent to the registry. */
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { link } from "../components/text.js";
import { time } from "../components/time.js";
import { matches } from "../core/filters.js";
import { bytes } from "../core/format.js";
import { html, nothing } from "../core/html.js";
import { formatHash } from "../core/router.js";

/**
 * @typedef {import("../core/types").Context} Context
 * @typedef {{node_id: string, instance_id: string | null, service: string, size: number, modified: string | null,
 *   file: string | null}} Log
 */

/** @type {Record<string, string>} */
const NAMES = {
  anka_agent: "Agent", anka_operator: "Operator", anka_shim: "REST API", event: "Event log",
};

/** @param {Log} log */
export function nameOf(log) {
  return NAMES[log.service] ?? (log.instance_id ? "Instance" : log.service);
}

/** The query of /logs/… @param {Log} log */
export function queryOf(log) {
  return log.file?.split("?")[1] ?? "";
}

/** @param {Log} log */
function idOf(log) {
  return `${log.node_id}/${log.service}`;
}

/** @param {Log} log @param {boolean} isFollowing */
function pageOf(log, isFollowing) {
  return formatHash("logs/view", {
    ...Object.fromEntries(new URLSearchParams(queryOf(log))), follow: isFollowing ? "1" : null,
  });
}

/** @param {Context} ctx @param {Log} log */
function machine(ctx, log) {
  const node = ctx.store.get("nodes", log.node_id);
  return node ? link("nodes", node.id, node.name) : log.node_id;
}

/** @param {Log} log */
function links(log) {
  if (!log.file) return html`<span class="dim">only on the registry's disk</span>`;
  const name = `${nameOf(log)} of ${log.node_id}`;
  const query = queryOf(log);
  return html`<span class="row-links"><a href=${pageOf(log, false)} aria-label="View: ${name}">View</a>
    <a href=${pageOf(log, true)} aria-label="Follow: ${name}">Follow</a>
    <a href="/logs/file?${query}" download aria-label="Download: ${name}">Download</a>
    <a href="/logs/archive?${query}" download aria-label="Archive: ${name}">Archive</a></span>`;
}

/** @type {import("../core/types").View} */
export default {
  name: "logs",
  path: "logs",
  title: () => "Logs",
  right: "view_logs",
  letter: "l",
  nav: { section: "Cloud", order: 10, icon: "logs" },
  render(ctx) {
    const found = ctx.resource("logs", () => ctx.api.call("GET", "/api/v1/logs"), { every: 15_000 });
    /** @type {Log[]} */
    const all = found.value ?? [];
    const { q, service, machine: on } = ctx.route.query;
    const rows = all.filter((log) => {
      const name = ctx.store.get("nodes", log.node_id)?.name ?? "";
      return (!service || nameOf(log) === service) && (!on || log.node_id === on)
        && matches(`${nameOf(log)} ${log.service} ${log.node_id} ${name} ${log.instance_id ?? ""}`, q);
    });
    return html`${filterBar(ctx, {
      placeholder: "Search service, Mac, instance",
      fields: [
        { key: "service", label: "Service", options: [...new Set(all.map(nameOf))].sort() },
        { key: "machine", label: "Mac or pod", options: [...new Set(all.map((log) => log.node_id))].sort() },
      ],
    })}
    ${found.state === "failed"
      ? html`<p class="stale-note" role="status">${found.error}</p>`
      : table({
        id: "logs", label: "Logs", ctx, rows, rowId: idOf, what: "logs", state: found.state, sort: "machine",
        onOpen: (log) => log.file && ctx.go(pageOf(log, true)),
        empty: all.length
          ? { title: "No log matches." }
          : { title: "Nobody has sent a log yet.", hint: "Agents send theirs to the registry every 2 s, if there is one." },
        columns: [
          { key: "service", label: "Service", sort: nameOf, render: nameOf, width: "8rem", always: true },
          { key: "machine", label: "Mac or pod", sort: (log) => log.node_id, render: (log) => machine(ctx, log), width: "13rem" },
          {
            key: "instance", label: "Instance", sort: (log) => log.instance_id, width: "14rem",
            render: (log) => (log.instance_id ? link("instances", log.instance_id) : nothing),
          },
          { key: "size", label: "Size", sort: (log) => log.size, render: (log) => bytes(log.size), num: true, width: "6rem" },
          { key: "modified", label: "Last line", sort: (log) => log.modified, render: (log) => time(log.modified, ctx), width: "8rem" },
          { key: "links", label: "Open", render: links, width: "17rem", always: true },
        ],
      })}`;
  },
  same: () => ({
    kubectl: ["kubectl logs -n anka-system deployment/anka-operator --tail=100 --follow"],
    curl: ['curl -s "$ANKA"/api/v1/logs', 'curl -sN "$ANKA/logs/stream?node_id=NODE"', 'curl -sO -J "$ANKA/logs/archive?node_id=NODE"'],
  }),
};
