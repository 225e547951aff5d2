// @ts-check
/** What runs here, what is turned on, and where to get what belongs to it. */
import { chip } from "../../components/chip.js";
import { looks } from "../../components/looks.js";
import { details, link } from "../../components/text.js";
import { bytes, count, duration } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { memo } from "../../core/memo.js";
import { countVersions, findSkew, listFeatures } from "./about.pure.js";

/** @typedef {import("../../core/types").Context} Context */

const SHOWN = 20;

const versions = memo(
  (/** @type {Context} */ { store }) => [store.version("nodes"), store.version("cloud"), store.state("nodes")],
  ({ store }) => {
    const nodes = store.rows("nodes");
    return {
      agents: countVersions(nodes.map(({ agentVersion }) => agentVersion)),
      anka: countVersions(nodes.map(({ anka }) => anka?.version && `${anka.version}${anka.build ? ` (${anka.build})` : ""}`)),
      skew: findSkew(nodes, store.get("cloud", "cloud")?.version),
    };
  },
);

/** @type {import("../../core/types").View} */
export default {
  name: "about",
  path: "about",
  title: () => "About",
  right: null,
  letter: "a",
  nav: { section: "Cloud", order: 90, icon: "about" },
  render(ctx) {
    return looks({
      state: ctx.store.state("cloud"),
      what: "the cloud",
      seconds: ctx.store.staleSeconds("cloud"),
      content: () => html`<div class="cards">${cloud(ctx)}${running(ctx)}${features(ctx)}${downloads()}</div>`,
    });
  },
  same(ctx) {
    const space = ctx.store.get("cloud", "cloud")?.namespace ?? "default";
    return {
      kubectl: [`kubectl get anka --namespace ${space}`, "kubectl get ankanodes -o wide", "kubectl version"],
      curl: [ctx.api.curl("GET", "/api/v1/status")],
    };
  },
};

/** @param {Context} ctx */
function cloud(ctx) {
  const row = ctx.store.get("cloud", "cloud");
  const replicas = row?.replicas;
  const registry = row?.registry;
  return html`<section class="card"><h2>Cloud</h2>${details([
    ["Version", row?.version],
    ["Instances in", row?.namespace && html`namespace <code>${row.namespace}</code>`],
    ["Macs join in", row?.nodeNamespace && html`namespace <code>${row.nodeNamespace}</code>`],
    ["Replicas", replicas && `${count(replicas.total, "replica")}, ${replicas.reached} reached`],
    ["Registry", registry?.url && html`<code>${registry.url}</code>`],
    ["", registry?.status && chip(registry.status === "Running" ? "ok" : "warn", registry.status)],
    ["Registry disk", registry?.totalBytes && `${bytes(registry.freeBytes)} of ${bytes(registry.totalBytes)} free`],
    ["Licences", row?.licenses?.join(", ")],
    ["Average wait", row?.averageQueueSeconds != null ? duration(row.averageQueueSeconds * 1000) : null],
  ])}</section>`;
}

/** @param {Context} ctx */
function running(ctx) {
  const state = ctx.store.state("nodes");
  return html`<section class="card"><h2>On the Macs</h2>
    ${looks({
      state, what: "Macs", right: ctx.store.denied("nodes"), isEmpty: ctx.store.rows("nodes").length === 0,
      empty: { title: "No Mac has joined." },
      content: () => {
        const { agents, anka, skew } = versions(ctx);
        return html`${list("Agent", agents)}${list("Anka", anka)}
          ${skew.length
            ? html`<p>${chip("warn", count(skew.length, "Mac"))} ${skew.length === 1 ? "has" : "have"} another agent than they should:
                ${skew.slice(0, SHOWN).map((node, i) => html`${i ? ", " : ""}${link("nodes", node.id, node.name)}`)}
                ${skew.length > SHOWN ? ` and ${skew.length - SHOWN} more` : nothing}</p>`
            : html`<p>${chip("ok", "in step")} All agents have the version that they should.</p>`}`;
      },
    })}</section>`;
}

/** @param {string} name @param {{version: string, count: number}[]} versions */
function list(name, versions) {
  return details(versions.map(({ version, count: n }) => [`${name} ${version}`, count(n, "Mac")]));
}

/** @param {Context} ctx */
function features(ctx) {
  return html`<section class="card"><h2>Turned on</h2>
    <ul class="stack-small">${listFeatures(ctx.session).map(
      ({ name, isOn, text }) => html`<li>${chip(isOn ? "ok" : "off", isOn ? "on" : "off")} ${name}
        ${isOn ? nothing : html`<span class="dim">(<code>${text}</code>)</span>`}</li>`,
    )}</ul></section>`;
}

function downloads() {
  return html`<section class="card"><h2>Get and read</h2><ul class="stack-small">
    <li><a href="#/join">Join a Mac</a>, with the agent's package from this server</li>
    <li><a href="/docs">The REST API</a>, to try out</li>
    <li><a href="/openapi.json">Its description</a>, OpenAPI</li>
    <li><code>kubectl get anka</code> shows the same objects</li>
    <li>Press <kbd>?</kbd> for the keys</li>
  </ul></section>`;
}
