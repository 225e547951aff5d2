// @ts-check
/** Templates × Macs: where a tag is already, where it is coming, where it does not fit. */
import { button } from "../../components/button.js";
import { filterBar } from "../../components/filter-bar.js";
import { looks } from "../../components/looks.js";
import { link } from "../../components/text.js";
import { bytes, count } from "../../core/format.js";
import { matches } from "../../core/filters.js";
import { cssVars, guard, html, nothing, repeat } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { groupName, groupOptions, templateTitle } from "../instances/names.js";
import { WORDS, cellText, columnsOf, coverage } from "./coverage.pure.js";
import { openDistribute } from "./distribute-dialog.js";
import { ruleText } from "./usage.pure.js";
import { compare } from "../../core/sort.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("./coverage.pure.js").Row} Row */
/** @typedef {import("./coverage.pure.js").Cell} Cell */

/** @type {Readonly<Record<Cell["state"], string>>} */
const MARKS = Object.freeze({ has: "●", pulling: "◐", queued: "○", missing: "·", tooBig: "✕" });
/** More Macs than that make narrow columns without names. */
const WIDE = 24;

/** @param {Context} ctx @returns {Set<string>} templates of which all tags are shown */
function openedTags(ctx) {
  return new Set((ctx.route.query["tags"] ?? "").split(",").filter(Boolean));
}

const model = memo(
  (/** @type {Context} */ ctx) => [
    ...(/** @type {const} */ (["nodes", "instances", "templates", "distributions", "groups"])).map((kind) => ctx.store.version(kind)),
    ctx.route.query["q"], ctx.route.query["group"], ctx.route.query["tags"],
  ],
  (ctx) => {
    const { q, group } = ctx.route.query;
    const nodes = ctx.store.rows("nodes").filter((node) => !group || node.groups.includes(group));
    const columns = columnsOf(nodes, ctx.store.rows("groups"));
    const templates = ctx.store.rows("templates")
      .filter((row) => matches([row.name, row.displayName, row.id, ...(row.versions ?? []).map(({ tag }) => tag)].join("\n"), q))
      .sort((a, b) => compare(templateTitle(a), templateTitle(b)));
    const inOrder = columns.flatMap((column) => column.nodes);
    const rows = coverage({
      templates, nodes: inOrder, instances: ctx.store.rows("instances"), distributions: ctx.store.rows("distributions"), opened: openedTags(ctx),
    });
    return { columns, nodes: inOrder, rows, head: columns.map(({ name, nodes: macs }) => [name, ...macs.map(({ name: mac, state }) => `${mac} ${state}`)].join("|")).join("\n") };
  },
);

/** @type {import("../../core/types").View} */
export default {
  name: "matrix",
  path: "matrix",
  title: () => "Templates × Macs",
  right: "registry_list",
  letter: "m",
  nav: { section: "Templates", order: 20, icon: "columns", label: "On Macs" },
  render(ctx) {
    const { rows, nodes } = model(ctx);
    return html`
      ${filterBar(ctx, {
        placeholder: "Search template, tag",
        fields: [{ key: "group", label: "Group", options: groupOptions(ctx) }],
        extra: button({ label: "Distribute", ctx, icon: "nodes", right: "registry_distribute", run: () => openDistribute(ctx) }),
      })}
      ${looks({
        state: ctx.store.state("templates"), what: "templates", isEmpty: rows.length === 0 || nodes.length === 0,
        empty: { title: nodes.length ? "No template matches." : "No Macs here." },
        content: () => grid(ctx),
      })}
      ${legend()}`;
  },
  same: (ctx) => ({
    kubectl: [
      "kubectl get ankatemplates -o custom-columns=NAME:.status.name,MACS:.status.nodes[*].nodeName",
      "kubectl get templatedistributions",
    ],
    curl: [ctx.api.curl("GET", "/api/v1/node")],
  }),
};

function legend() {
  return html`<ul class="legend" aria-label="Legend">${/** @type {Cell["state"][]} */ (Object.keys(WORDS)).map(
    (state) => html`<li><span class="cell cell-${state}" aria-hidden="true">${MARKS[state]}</span>${WORDS[state]}</li>`,
  )}<li><span class="cell is-pinned" aria-hidden="true">●</span>underlined: a rule keeps it there</li></ul>`;
}

/** @param {Context} ctx */
function grid(ctx) {
  const { columns, nodes, rows, head } = model(ctx);
  const isDense = nodes.length > WIDE;
  return html`<div class="matrix-scroll" tabindex="0" role="region" aria-label="Templates and Macs">
    <table class=${isDense ? "matrix is-dense" : "matrix"} ${cssVars({ "--macs": nodes.length })}>
      ${guard([head, isDense], () => html`<thead>
        <tr><th rowspan="2" scope="col" class="matrix-name">Template, tag</th><th rowspan="2" scope="col" class="num">Coverage</th>
          ${columns.map((column) => html`<th scope="colgroup" colspan=${column.nodes.length} class="matrix-group">${column.name}</th>`)}</tr>
        <tr>${nodes.map((node) => html`<th scope="col" class="matrix-mac" title="${node.name}: ${node.state ?? "joining"}"><a
          href="#/nodes/${encodeURIComponent(node.id)}"><span>${node.name}</span></a></th>`)}</tr>
      </thead>`)}
      <tbody>${repeat(rows, (row) => row.key, (row) => guard(
        [row.signature, row.have, row.of, row.running, row.isLatest, row.olderTags, head, row.template, ctx.can("registry_distribute").ok, ctx.route.query["tags"]],
        () => line(ctx, row),
      ))}</tbody>
    </table>
  </div>`;
}

/** @param {Context} ctx @param {Row} row */
function line(ctx, row) {
  const missing = row.cells.filter((cell) => cell.state === "missing").map((cell) => cell.node.id);
  return html`<tr data-id="${row.template.id} ${row.tag}" class=${row.isFirst ? "is-first" : ""}>
    <th scope="row" class="matrix-name">
      ${row.isFirst ? html`<p>${link("templates", row.template.id, templateTitle(row.template))}
        ${row.template.rules?.map((rule) => html`<small class="dim">${ruleText(rule, (id) => groupName(ctx, id))}</small>`)}</p>` : nothing}
      <p><strong>${row.tag}</strong>${row.isLatest ? html` <span class="chip tone-ok">latest</span>` : nothing}
        <small class="dim">${bytes(row.sizeBytes)}${row.running ? `, ${count(row.running, "instance")}` : ""}</small></p>
      <p class="matrix-actions">${button({ label: `Distribute ${row.tag}`, ctx, quiet: true, icon: "nodes", right: "registry_distribute", disabled: missing.length === 0,
        why: "Each Mac has it, gets it, or has too little disk.", run: () => openDistribute(ctx, { template: row.template.id, tag: row.tag, nodes: missing }) })}
        ${row.isFirst && row.olderTags > 0 ? button({ label: `${count(row.olderTags, "more tag")}`, ctx, quiet: true, run: () => showTags(ctx, row.template.id) }) : nothing}</p>
    </th>
    <td class="num"><strong>${row.have}</strong>/${row.of}</td>
    ${row.cells.map((cell) => html`<td class="cell cell-${cell.state}${cell.isPinned ? " is-pinned" : ""}" title=${cellText(cell)}><span
      aria-hidden="true">${cell.state === "pulling" ? `${cell.percent}` : MARKS[cell.state]}</span><span class="offscreen">${cellText(cell)}</span></td>`)}
  </tr>`;
}

/** @param {Context} ctx @param {string} id */
function showTags(ctx, id) {
  ctx.setQuery({ tags: [...openedTags(ctx), id].join(",") });
}
