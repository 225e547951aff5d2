// @ts-check
/** One log: its last lines, the newest first, and each that is added. */
import { button } from "../components/button.js";
import { chip } from "../components/chip.js";
import { filterBar } from "../components/filter-bar.js";
import { table } from "../components/table.js";
import { details, drawer } from "../components/text.js";
import { absolute } from "../components/time.js";
import { matches } from "../core/filters.js";
import { count } from "../core/format.js";
import { html, nothing } from "../core/html.js";
import { describeFields, isGraveEnough, LEVELS, textOf } from "../core/log-lines.js";
import { LogReader, MAX_LINES } from "../core/log-reader.js";

/** @typedef {import("../core/types").Context} Context @typedef {import("../core/log-lines.js").LogLine} LogLine */

const VIEWED_BYTES = 2 << 20;
const SELECTING = ["node_id", "instance_id", "service"];

/** @type {Record<string, import("../core/types").Tone>} */
const TONES = { DEBUG: "off", INFO: "ok", WARNING: "warn", ERROR: "bad", CRITICAL: "bad" };

/** The query of /logs/… @param {Context} ctx */
function selecting({ route: { query } }) {
  return new URLSearchParams(SELECTING.flatMap((key) => (query[key] ? [[key, query[key]]] : []))).toString();
}

/** @param {Context} ctx @returns {LogReader} */
function reader(ctx) {
  const isFollowing = Boolean(ctx.route.query["follow"]);
  const query = selecting(ctx);
  const url = isFollowing ? `/logs/stream?${query}` : `/logs/file?${query}&last_bytes=${VIEWED_BYTES}`;
  if (ctx.local["reader"]?.url !== url) {
    ctx.local["reader"]?.stop();
    ctx.local["reader"] = new LogReader({ url, isFollowing, update: ctx.update });
  }
  return ctx.local["reader"];
}

/** @param {Context} ctx @param {LogLine} line */
function opened(ctx, line) {
  /** @type {[string, import("../core/types").Content][]} */
  const list = [
    ["Time", absolute(line.at)], ["Level", line.level], ["Logger", line.logger],
    .../** @type {[string, string][]} */ (
      Object.entries(line.fields).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)])
    ),
  ];
  return drawer({
    title: "Line", label: "Line of the log", onClose: () => open(ctx, null),
    body: html`<p class="log-message">${line.message}</p>${details(list)}`,
  });
}

/** @param {Context} ctx @param {LogLine | null} line */
function open(ctx, line) {
  ctx.local["line"] = line;
  ctx.update();
}

/** @type {import("../core/types").View} */
export default {
  name: "log",
  path: "logs/view",
  title(ctx) {
    const { node_id: node, instance_id: instance, service } = ctx.route.query;
    const of = instance ? `instance ${instance}` : (ctx.store.get("nodes", node)?.name ?? node ?? "");
    return service === "event" ? "Event log" : `Log of ${of}`;
  },
  right: "view_logs",
  render(ctx) {
    const log = reader(ctx);
    const { q, level } = ctx.route.query;
    const rows = log.buffer.lines.filter((line) => isGraveEnough(line, level) && matches(textOf(line), q));
    const query = selecting(ctx);
    const extra = html`
      ${log.isFollowing
        ? button({
          label: log.isPaused ? `Go on${log.waiting.length ? ` (${log.waiting.length} new)` : ""}` : "Pause", ctx,
          icon: log.isPaused ? "play" : "pause", run: () => log.pause(!log.isPaused),
        })
        : button({ label: "Follow", ctx, icon: "play", run: () => ctx.setQuery({ follow: "1" }) })}
      <a class="button" href="/logs/file?${query}" download>Download</a>
      <a class="button" href="/logs/archive?${query}" download>Archive</a>`;
    return html`<p class="crumbs"><a href="#/logs">Logs</a> / <strong>${this.title(ctx)}</strong></p>
    ${filterBar(ctx, {
      placeholder: "Search in the lines", extra,
      fields: [{ key: "level", label: "At least", options: LEVELS }],
    })}
    ${log.error ? html`<p class="stale-note" role="status">${log.error}${log.isFollowing ? " It is read again in a moment." : ""}</p>` : nothing}
    ${log.buffer.dropped
      ? html`<p class="dim">The last ${count(MAX_LINES, "line")} are kept here; the download has all.</p>`
      : nothing}
    ${log.state === "failed"
      ? nothing
      : html`<div class="beside">${table({
        id: "log", label: "Lines of the log", ctx, rows, rowId: (line) => String(line.n), what: "lines", state: log.state,
        sort: "-n", onOpen: (line) => open(ctx, line),
        empty: { title: log.buffer.lines.length ? "No line matches." : "The log is empty." },
        rowClass: (line) => (TONES[line.level] === "bad" ? "row-bad" : ""),
        columns: [
          { key: "n", label: "#", sort: (line) => line.n, render: (line) => line.n, num: true, width: "4.5rem" },
          { key: "at", label: "Time", sort: (line) => line.at, render: (line) => absolute(line.at), width: "15rem" },
          { key: "level", label: "Level", sort: (line) => LEVELS.indexOf(line.level), width: "7rem",
            render: (line) => chip(TONES[line.level] ?? "off", line.level) },
          { key: "message", label: "Message", render: (line) => line.message, width: "24rem", always: true },
          { key: "fields", label: "Fields", render: (line) => describeFields(line.fields), width: "24rem" },
          { key: "logger", label: "Logger", render: (line) => line.logger, width: "12rem", hidden: true },
        ],
      })}${ctx.local["line"] ? opened(ctx, ctx.local["line"]) : nothing}</div>`}`;
  },
  leave(ctx) {
    ctx.local["reader"]?.stop();
  },
  same(ctx) {
    const query = selecting(ctx);
    return { curl: [`curl -sN "$ANKA/logs/stream?${query}"`, `curl -sOJ "$ANKA/logs/archive?${query}"`] };
  },
};
