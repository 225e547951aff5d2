// @ts-check
/** The event log: what happened to VMs, templates and Macs, and who asked for it. */
import { button } from "../components/button.js";
import { chip } from "../components/chip.js";
import { filterBar } from "../components/filter-bar.js";
import { looks } from "../components/looks.js";
import { table } from "../components/table.js";
import { details, drawer, link } from "../components/text.js";
import { time } from "../components/time.js";
import { detailOf, EVENTS, joinPages, titleOf } from "../core/event-words.js";
import { matches } from "../core/filters.js";
import { html, nothing } from "../core/html.js";

/**
 * @typedef {import("../core/types").Context} Context
 * @typedef {import("../core/event-words.js").CloudEvent} CloudEvent
 * @typedef {{events: CloudEvent[], more: boolean}} Page
 */

const LIMIT = 500;
const EVERY_MS = 5000;

/** @param {CloudEvent} event */
function iso(event) {
  return new Date(event.time * 1000).toISOString();
}

/** @param {Context} ctx @param {CloudEvent} event */
function about(ctx, event) {
  if (event.instance_id) return link("instances", event.instance_id, ctx.store.get("instances", event.instance_id)?.name);
  if (event.template_id) {
    return link("templates", event.template_id, ctx.store.get("templates", event.template_id)?.name);
  }
  const node = event.node_id ?? "";
  return node ? link("nodes", node, ctx.store.get("nodes", node)?.name ?? event.node_name) : nothing;
}

/** @param {Context} ctx @param {CloudEvent} last */
async function loadOlder(ctx, last) {
  ctx.local["isLoading"] = true;
  ctx.update();
  try {
    const query = new URLSearchParams({ limit: String(LIMIT), before: last.event_id });
    /** @type {Page} */
    const page = await ctx.api.call("GET", `/portal/v1/events?${query}`);
    ctx.local["older"] = joinPages(ctx.local["older"] ?? [], page.events);
    ctx.local["hasMore"] = page.more;
  } catch (error) {
    ctx.say(/** @type {Error} */ (error).message);
  }
  ctx.local["isLoading"] = false;
  ctx.update();
}

/** @param {CloudEvent[]} rows */
function download(rows) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(rows, null, 2)], { type: "application/json" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = "anka-events.json";
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** @param {Context} ctx @param {CloudEvent} event */
function opened(ctx, event) {
  return drawer({
    title: titleOf(event), label: "Event",
    onClose: () => open(ctx, null),
    body: details(Object.entries(event).map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)])),
  });
}

/** @param {Context} ctx @param {CloudEvent | null} event */
function open(ctx, event) {
  ctx.local["opened"] = event;
  ctx.update();
}

/** @param {Context} ctx @param {Page} page @param {CloudEvent[]} all */
function list(ctx, page, all) {
  const { q, name, type } = ctx.route.query;
  const rows = all.filter((event) => (!name || event.name === name) && (!type || event.type === type)
    && matches(`${titleOf(event)} ${event.name} ${event.user ?? ""} ${event.instance_id ?? ""} ${event.node_name ?? ""} ${detailOf(event)}`, q));
  const last = all[all.length - 1];
  const hasMore = ctx.local["hasMore"] ?? page.more;
  return html`${filterBar(ctx, {
    placeholder: "Search event, person, instance",
    fields: [
      { key: "name", label: "Event", options: Object.entries(EVENTS).map(([value, { title }]) => ({ value, label: title })) },
      { key: "type", label: "By", options: [{ value: "apiAction", label: "people and programs" }, { value: "systemAction", label: "the cloud itself" }] },
    ],
    extra: html`${button({ label: "Export JSON", ctx, icon: "download", run: () => download(rows), disabled: !rows.length, why: "No event to export." })}
      ${last && hasMore
        ? button({ label: "Load older", ctx, disabled: Boolean(ctx.local["isLoading"]), why: "On its way.", run: () => void loadOlder(ctx, last) })
        : nothing}`,
  })}
  <div class="beside">${table({
    id: "events", label: "Events", ctx, rows, rowId: (event) => event.event_id, what: "events", sort: "-time",
    onOpen: (event) => open(ctx, event),
    empty: { title: all.length ? "No event matches." : "Nothing has happened yet." },
    columns: [
      { key: "time", label: "Time", sort: (event) => event.time, render: (event) => time(iso(event), ctx), width: "8rem" },
      { key: "event", label: "Event", sort: titleOf, width: "15rem", always: true,
        render: (event) => chip(EVENTS[event.name]?.tone ?? "off", titleOf(event)) },
      { key: "about", label: "About", width: "18rem", render: (event) => about(ctx, event) },
      { key: "user", label: "Asked by", sort: (event) => event.user, render: (event) => event.user ?? "", width: "14rem" },
      { key: "detail", label: "Details", render: detailOf, width: "24rem" },
    ],
  })}${ctx.local["opened"] ? opened(ctx, ctx.local["opened"]) : nothing}</div>`;
}

/** @type {import("../core/types").View} */
export default {
  name: "events",
  path: "events",
  title: () => "Events",
  right: "view_logs",
  letter: "e",
  nav: { section: "Cloud", order: 20, icon: "tasks" },
  render(ctx) {
    const found = ctx.resource("events", () => ctx.api.call("GET", `/portal/v1/events?limit=${LIMIT}`), { every: EVERY_MS });
    if (found.state === "failed") {
      return html`<div class="look look-empty" data-look="empty"><p class="look-title">No event log.</p><p>${found.error}</p></div>`;
    }
    return looks({
      state: found.state, error: found.error ?? "", what: "events",
      content: () => list(ctx, found.value, joinPages(found.value.events, ctx.local["older"] ?? [])),
    });
  },
  same: () => ({
    kubectl: ["kubectl get events -n anka-ci --sort-by=.lastTimestamp"],
    curl: [`curl -s "$ANKA/logs/file?node_id=event&service=event"`],
  }),
};
