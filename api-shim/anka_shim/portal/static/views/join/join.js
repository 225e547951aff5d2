// @ts-check
/** To add a Mac: the lines to paste, then waiting until it is there. */

import { button } from "../../components/button.js";
import { chip } from "../../components/chip.js";
import { codeLines, link } from "../../components/text.js";
import { time } from "../../components/time.js";
import { html, nothing } from "../../core/html.js";
import { changeGroups } from "../node/actions.js";
import { checksOf, joinByHand, nameProblem, toName } from "./join.pure.js";

/** @typedef {import("../../core/types").Context} Context */

/** A token must outlive the installation of the agent. */
const SECONDS = 3600;

/**
 * @typedef {object} JoinState
 * @property {string} name
 * @property {Set<string>} groups ids
 * @property {{command: string[], expires: string}|null} made
 * @property {string} failure why the server makes none
 * @property {boolean} isAsking
 * @property {string} waitsFor name of the Mac
 */

/** @param {Context} ctx @returns {JoinState} */
const stateOf = (ctx) => (ctx.local["join"] ??= { name: "", groups: new Set(), made: null, failure: "", isAsking: false, waitsFor: "" });

/** @param {Context} ctx */
async function make(ctx) {
  const state = stateOf(ctx);
  Object.assign(state, { isAsking: true, failure: "", made: null, waitsFor: state.name });
  ctx.update();
  try {
    state.made = await ctx.api.call("POST", "/portal/v1/join", { name: state.name, seconds: SECONDS });
  } catch (error) {
    state.failure = error instanceof Error ? error.message : String(error);
  }
  state.isAsking = false;
  ctx.update();
}

/** @param {Context} ctx @param {JoinState} state */
function form(ctx, state) {
  const problem = nameProblem(state.name);
  const taken = ctx.store.get("nodes", state.name);
  const groups = [...ctx.store.rows("groups")].sort((a, b) => a.name.localeCompare(b.name));
  const why = problem || (taken ? `There is a Mac ${state.name} already: choose another name, or delete that one first.` : "");
  const ask = () => {
    if (!why && !state.isAsking) void make(ctx);
  };
  return html`<section class="card"><h2>1. Its name</h2>
    <form class="form" @submit=${(/** @type {Event} */ event) => {
      event.preventDefault();
      if (ctx.can("change_node_config").ok) ask();
    }}>
      <label class="field"><span>Name of the Mac</span><input name="name" maxlength="248" autocomplete="off" spellcheck="false" placeholder="mac-03"
        .value=${state.name} aria-describedby="join-name-hint" @input=${(/** @type {Event} */ event) => {
          const input = /** @type {HTMLInputElement} */ (event.target);
          state.name = input.value.trim();
          ctx.update();
        }} @change=${() => {
          state.name = toName(state.name);
          ctx.update();
        }}></label>
      <p class="hint" id="join-name-hint">${state.name && why ? why : "Small letters, digits and '-'; it becomes the name of its AnkaNode."}</p>
      ${groups.length
        ? html`<fieldset class="choices"><legend>Groups that it shall be in</legend>${groups.map(({ id, name }) => html`<label class="choice"><input type="checkbox" .checked=${state.groups.has(id)}
            @change=${() => {
              if (!state.groups.delete(id)) state.groups.add(id);
              ctx.update();
            }}><span>${name}</span></label>`)}</fieldset>`
        : nothing}
      <div class="button-row">${button({ ctx, label: state.isAsking ? "Asking…" : "Make the lines", primary: true, right: "change_node_config", run: ask,
        disabled: Boolean(why) || state.isAsking, why: why || "The server is asked already." })}</div>
      <button type="submit" hidden></button>
    </form></section>`;
}

/** @param {Context} ctx @param {JoinState} state */
function lines(ctx, state) {
  const { made, failure, name } = state;
  const shown = nameProblem(name) ? "mac-03" : name;
  const groups = [...state.groups].map((id) => ctx.store.get("groups", id)?.name ?? id);
  const byHand = joinByHand(shown, groups);
  const install = html`<p>The agent must be installed there: <code>sudo sh install.sh anka_cloud-VERSION-py3-none-any.whl</code>, from a release.</p>`;
  if (made) {
    return html`<section class="card" data-join="made"><h2>2. Paste this on the Mac</h2>${install}${codeLines(ctx, made.command)}
      <p class="hint">The token lets in this one Mac, and ends ${time(made.expires, ctx)}. Nobody can see it again: if it is lost, make new lines.</p></section>`;
  }
  return html`<section class="card" data-join="by-hand"><h2>2. ${failure ? "Make the token with kubectl" : "Paste the lines on the Mac"}</h2>
    ${failure ? html`<p class="note lines" role="alert">${failure}</p>` : install}
    <details><summary>With kubectl</summary>${codeLines(ctx, byHand.kubectl)}
      <p class="hint">The last line prints the one for the Mac.</p></details></section>`;
}

/**
 * A token to join permits no groups: who makes it gives them afterwards.
 * @param {Context} ctx
 * @param {JoinState} state
 * @param {import("../../core/types").NodeRow} node
 */
function groupButton(ctx, state, node) {
  const missing = [...state.groups].filter((id) => !node.groups.includes(id));
  if (!missing.length) return nothing;
  const names = missing.map((id) => ctx.store.get("groups", id)?.name ?? id).join(", ");
  return button({ ctx, label: `Add it to ${names}`, icon: "groups", primary: true, right: "add_node_to_group", run: () => void changeGroups(ctx, [node], missing, true) });
}

/** @param {Context} ctx @param {JoinState} state */
function waiting(ctx, state) {
  const name = state.waitsFor;
  if (!name) return nothing;
  const node = ctx.store.get("nodes", name);
  const tone = /** @type {const} */ ({ ok: "ok", bad: "bad", wait: "wait" });
  return html`<section class="card" aria-live="polite" data-waits=${name} data-joined=${String(Boolean(node))}><h2>3. ${node ? html`${link("nodes", node.id, node.name)} has joined` : `Waiting for ${name}…`}</h2>
    <ul class="plain-list">${checksOf(node, ctx.now).map(({ title, state: mark, text }) => html`<li>${chip(tone[mark], title)} <span>${text}</span></li>`)}</ul>
    ${node ? groupButton(ctx, state, node) : html`<p class="hint">This page shows it as soon as its agent reports.</p>`}</section>`;
}

/** @type {import("../../core/types").View} */
export default {
  name: "join",
  path: "join",
  title: () => "Join a Mac",
  right: "list_nodes",
  letter: "j",
  nav: { section: "Fleet", order: 60, label: "Join a Mac", icon: "plus" },
  same(ctx) {
    const { name } = stateOf(ctx);
    return { kubectl: [...joinByHand(nameProblem(name) ? "mac-03" : name, []).kubectl, "kubectl get ankanodes --watch"] };
  },
  render(ctx) {
    const state = stateOf(ctx);
    return html`<div class="join">${form(ctx, state)} ${lines(ctx, state)} ${waiting(ctx, state)}</div>`;
  },
};
