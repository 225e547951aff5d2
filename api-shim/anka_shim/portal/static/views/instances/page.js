// @ts-check
/** One instance: how its start went, how to enter it, what its script said, why it failed. */
import { chip, phaseTone } from "../../components/chip.js";
import { looks } from "../../components/looks.js";
import { conditionList, eventList, section, yamlBlock } from "../../components/object-sections.js";
import { chosenTab, tabs } from "../../components/tabs.js";
import { html, nothing } from "../../core/html.js";
import { pageActions } from "./actions.js";
import { objectDetail, timelineDetail } from "./detail.js";
import { accessFacts, facts } from "./page-facts.js";
import { instanceName, stateWord } from "./facts.pure.js";
import { logFiles, scriptOutput } from "./page-sections.js";
import { timelineBars } from "./timeline-bar.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} Instance */

const TABS = [{ key: "overview", label: "Overview" }, { key: "events", label: "Events" }, { key: "yaml", label: "YAML" }];

/** @param {Context} ctx */
function idOf(ctx) {
  return ctx.route.params["id"] ?? "";
}

/** What it is, also after it has gone: people read why it ended. @param {Context} ctx @returns {Instance | undefined} */
function rowOf(ctx) {
  const row = ctx.store.get("instances", idOf(ctx));
  if (row) ctx.local["last"] = row;
  return row ?? ctx.local["last"];
}

/** @type {import("../../core/types").View} */
export default {
  name: "instance",
  path: "instances/:id",
  title: (ctx) => {
    const row = ctx.store.get("instances", idOf(ctx));
    return row ? `Instance ${instanceName(row)}` : "Instance";
  },
  right: "list_vms",
  render(ctx) {
    const row = rowOf(ctx);
    return looks({
      state: ctx.store.state("instances"),
      seconds: ctx.store.staleSeconds("instances"),
      what: "the instance",
      isEmpty: !row,
      empty: {
        title: "There is no such instance.",
        hint: html`It has ended, or is about to appear: <a href="#/instances">all instances</a>.`,
      },
      content: () => (row ? page(ctx, row) : nothing),
    });
  },
  same(ctx) {
    const row = rowOf(ctx);
    const id = idOf(ctx);
    const name = row ? `${row.name} -n ${row.namespace}` : id;
    return {
      kubectl: [`kubectl describe ankainstance ${name}`, `kubectl get ankainstance ${name} -o yaml`, `kubectl delete ankainstance ${name}`],
      curl: [
        ctx.api.curl("GET", `/api/v1/vm?id=${encodeURIComponent(id)}`),
        ctx.api.curl("POST", "/api/v1/rpc/vm/restart", { id }),
        ctx.api.curl("DELETE", "/api/v1/vm", { id }),
      ],
    };
  },
};

/** @param {Context} ctx @param {Instance} row */
function page(ctx, row) {
  const isThere = ctx.store.get("instances", row.id) !== undefined;
  const tab = chosenTab(ctx, TABS);
  return html`
    <header class="page-head">
      <p class="page-title"><a href="#/instances">Instances</a> / <strong>${instanceName(row)}</strong>
        ${isThere ? chip(row.never ? "bad" : phaseTone(stateWord(row)), row.never ? "Can never run" : stateWord(row)) : html`<span class="dim">has ended: this is what was last seen</span>`}</p>
      ${isThere ? pageActions(ctx, row) : nothing}
    </header>
    ${row.never ? html`<p class="banner bad" role="alert">This instance can never run: ${row.message ?? row.reason}. Waiting does not change it.</p>` : nothing}
    ${stateWord(row) === "Error" ? html`<p class="banner bad">${row.reason ? html`<strong>${row.reason}</strong>: ` : nothing}${row.message ?? "It failed."}</p>` : nothing}
    ${tabs(ctx, TABS)}
    ${tab === "overview" ? overview(ctx, row) : isThere ? (tab === "yaml" ? yaml(ctx, row) : events(ctx, row)) : gone()}`;
}

function gone() {
  return html`<p class="dim">The object is gone, and this with it.</p>`;
}

/** @param {Context} ctx @param {Instance} row */
function overview(ctx, row) {
  const isThere = ctx.store.get("instances", row.id) !== undefined;
  const detail = isThere ? objectDetail(ctx, "instances", row.id) : null;
  const status = detail?.value?.object.status;
  if (isThere) ctx.local["timeline"] = timelineDetail(ctx, row.id);
  const timeline = ctx.local["timeline"] ?? { state: "ready" };
  return html`
    ${section("Timeline", looks({
      state: timeline.state, error: timeline.error ?? "", what: "the timeline",
      content: () => (timeline.value ? timelineBars(timeline.value, ctx.now) : nothing),
    }))}
    <div class="panels">
      ${section("What it is", facts(ctx, row))}
      ${section("How to reach it", accessFacts(ctx, row))}
    </div>
    ${status?.startupScript ? section("Startup script", scriptOutput(status.startupScript)) : nothing}
    ${detail ? section("Conditions", looks({
      state: detail.state, error: detail.error ?? "", what: "conditions",
      content: () => conditionList(ctx, status?.conditions ?? []),
    })) : nothing}
    ${status?.refusals?.length
      ? section("Macs that could not start it", html`<ul>${status.refusals.map((one) =>
          html`<li><a href="#/nodes/${encodeURIComponent(one.nodeName)}">${one.nodeName}</a>: ${one.reason}: ${one.message}</li>`)}</ul>`)
      : nothing}
    ${row.node ? section("Logs", logFiles(ctx, row)) : nothing}`;
}

/** @param {Context} ctx @param {Instance} row */
function events(ctx, row) {
  const detail = objectDetail(ctx, "instances", row.id);
  return looks({
    state: detail.state, error: detail.error ?? "", what: "events",
    content: () => eventList(ctx, detail.value?.events ?? []),
  });
}

/** @param {Context} ctx @param {Instance} row */
function yaml(ctx, row) {
  const detail = objectDetail(ctx, "instances", row.id);
  return looks({
    state: detail.state, error: detail.error ?? "", what: "the object",
    content: () => yamlBlock(ctx, detail.value?.yaml ?? ""),
  });
}
