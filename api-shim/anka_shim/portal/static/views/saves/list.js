// @ts-check
/** Requests to save an instance as an image: how far, what the script said, why one failed. */
import { chip, phaseChip } from "../../components/chip.js";
import { filterBar } from "../../components/filter-bar.js";
import { looks } from "../../components/looks.js";
import { table } from "../../components/table.js";
import { details, drawer, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { isOneOf, matches } from "../../core/filters.js";
import { html, nothing } from "../../core/html.js";
import { nodeLink, nodeName, templateTitle } from "../instances/names.js";
import { scriptOutput } from "../instances/page-sections.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").SaveRow} Save */

const IMAGE_MS = 5000;

/** What it becomes. @param {Context} ctx @param {Save} row */
function targetText(ctx, row) {
  if (row.newTemplateName) return `${row.newTemplateName} (new)`;
  const template = ctx.store.get("templates", row.targetTemplate);
  return template ? templateTitle(template) : (row.targetTemplate ?? "");
}

/** Where it is: the old API knows pending, done and error. @param {Save} row */
function stepChip(row) {
  if (row.phase !== "Pending" && row.phase) return phaseChip(row.phase);
  if (row.pushedAt) return chip("busy", "Pushed", "The registry has it; its AnkaTemplate shows it next.");
  return row.node ? chip("busy", "Saving", "The Mac saves it.") : chip("wait", "Pending", "It waits until the instance is Started, or for requests before it.");
}

/** @param {Save} row */
function scriptText(row) {
  if (!row.script) return "";
  return row.script.timedOut ? "timed out" : `exit code ${row.script.code}`;
}

/** @param {Context} ctx @returns {import("../../core/types").Column<Save>[]} */
function columns(ctx) {
  return [
    { key: "created", label: "Requested", width: "7rem", sort: (row) => Date.parse(row.created), render: (row) => time(row.created, ctx) },
    { key: "phase", label: "State", always: true, width: "8rem", sort: (row) => row.phase, render: stepChip },
    { key: "instance", label: "Instance", width: "14rem", sort: (row) => row.instance,
      render: (row) => (ctx.store.get("instances", row.instance) ? link("instances", row.instance) : (row.instance ?? "")) },
    { key: "target", label: "Template", width: "11rem", sort: (row) => targetText(ctx, row), render: (row) => targetText(ctx, row) },
    { key: "tag", label: "Tag", width: "8rem", sort: (row) => row.tag, render: (row) => row.tag ?? "" },
    { key: "node", label: "Node", width: "8rem", sort: (row) => nodeName(ctx, row.node), render: (row) => nodeLink(ctx, row.node) },
    { key: "script", label: "Script", width: "8rem", sort: scriptText, render: scriptText },
    { key: "error", label: "Error", width: "18rem", sort: (row) => row.error, render: (row) => row.error ?? "" },
    { key: "by", label: "Requested by", width: "8rem", sort: (row) => row.requestedBy, render: (row) => row.requestedBy ?? "" },
    { key: "id", label: "ID", width: "19rem", hidden: true, sort: (row) => row.id, render: (row) => html`<code>${row.id}</code>` },
  ];
}

/** @type {import("../../core/types").View} */
export default {
  name: "saves",
  path: "saves",
  title: () => "Save-image jobs",
  right: "list_images",
  nav: {
    section: "Templates", order: 40, icon: "download", label: "Saves",
    badge: (ctx) => ctx.store.rows("saves").filter(({ phase }) => phase === "Pending").length || null,
  },
  render(ctx) {
    const { query } = ctx.route;
    const rows = ctx.store.rows("saves").filter((row) =>
      isOneOf(row.phase, query["phase"]) &&
      matches([row.instance, row.tag, targetText(ctx, row), row.error, row.requestedBy, row.id].join("\n"), query["q"]));
    const opened = ctx.store.get("saves", query["open"]);
    return html`
      ${filterBar(ctx, { fields: [{ key: "phase", label: "State", options: ["Pending", "Done", "Error"] }] })}
      <div class="with-drawer">
        ${table({
          id: "saves", label: "Save-image jobs", what: "save-image jobs", ctx, rows, rowId: (row) => row.id, columns: columns(ctx),
          state: ctx.store.state("saves"), sort: "-created", onOpen: (row) => ctx.setQuery({ open: row.id }),
          empty: query["q"] || query["phase"]
            ? { title: "No job matches these filters." }
            : { title: "No save-image jobs.", hint: "Save one on the page of an instance that is Started." },
        })}
        ${opened ? drawer({ title: `Save ${opened.tag ?? ""}`, label: "Save-image job", body: job(ctx, opened), onClose: () => ctx.setQuery({ open: null }) }) : nothing}
      </div>`;
  },
  same(ctx) {
    const namespace = ctx.store.get("cloud", "cloud")?.namespace ?? "anka-ci";
    return { kubectl: [`kubectl get saveimages -n ${namespace}`], curl: [ctx.api.curl("GET", "/api/v1/image")] };
  },
};

/** @param {Context} ctx @param {Save} row */
function job(ctx, row) {
  const image = row.script ? ctx.resource(
    `image:${row.id}`,
    async (signal) => ctx.api.call("GET", `/api/v1/image?id=${encodeURIComponent(row.id)}`, undefined, { signal }),
    { every: IMAGE_MS },
  ) : null;
  return html`
    <p>${stepChip(row)}</p>
    ${row.phase === "Pending" && !row.pushedAt ? html`<progress aria-label="It is being saved"></progress>` : nothing}
    ${row.error ? html`<p class="banner bad">${row.error}</p>` : nothing}
    ${details([
      ["Template", targetText(ctx, row)], ["Tag", row.tag], ["Description", row.description], ["Instance", row.instance],
      ["Node", row.node ? nodeLink(ctx, row.node) : null], ["Requested", time(row.created, ctx)],
      ["Pushed", row.pushedAt ? time(row.pushedAt, ctx) : null], ["Requested by", row.requestedBy],
      ["ID", html`<code>${row.id}</code>`],
    ])}
    ${image ? html`<h3>Script</h3>${looks({
      state: image.state, error: image.error ?? "", what: "its output",
      content: () => result(image.value?.script_result),
    })}` : nothing}`;
}

/** @param {{return_code: number, did_timeout: boolean, stdout: string, stderr: string, errors: string[] | null} | null | undefined} one */
function result(one) {
  if (!one) return nothing;
  return scriptOutput({ returnCode: one.return_code, didTimeout: one.did_timeout, stdout: one.stdout, stderr: one.stderr, errors: one.errors ?? [] });
}
