// @ts-check
/** Make an API key, or change who it is and until when. */
import { button } from "../components/button.js";
import { dialog } from "../components/dialog.js";
import { copyButton } from "../components/text.js";
import { html, live, nothing } from "../core/html.js";
import { toPem } from "../core/permission-sets.js";

/**
 * @typedef {import("../core/types").Context} Context
 * @typedef {import("../core/types").ApiKeyRow} ApiKeyRow
 * @typedef {{id: string, groups: Set<string>, other: string, until: string, publicKey: string, error: string,
 *   isBusy: boolean, secret: string}} Draft
 */

const DAY_MS = 86_400_000;
const DEFAULT_DAYS = 90;

/** @param {Context} ctx @param {ApiKeyRow} [key] */
export function openKeyDialog(ctx, key) {
  /** @type {Draft} */
  const draft = {
    id: key?.id ?? "", groups: new Set(key?.groups ?? []), other: "", publicKey: "", error: "", isBusy: false, secret: "",
    until: key ? "" : day(ctx.now + DEFAULT_DAYS * DAY_MS),
  };
  ctx.open(() => (draft.secret ? secretDialog(ctx, draft) : keyDialog(ctx, draft, key)));
}

/** `2026-11-30` where the browser is. @param {number} at */
function day(at) {
  const date = new Date(at);
  return [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((n) => String(n).padStart(2, "0")).join("-");
}

/** Seconds to the end of that day. @param {string} text @param {number} now */
export function secondsUntil(text, now) {
  const end = new Date(`${text}T23:59:59`).getTime();
  return Number.isNaN(end) ? 0 : Math.floor((end - now) / 1000);
}

/** @param {Context} ctx @param {Draft} draft @param {ApiKeyRow} [key] */
async function send(ctx, draft, key) {
  const groups = [...draft.groups, ...draft.other.split(",").map((name) => name.trim()).filter(Boolean)];
  const body = {
    id: draft.id.trim(), groups,
    ...(draft.until ? { ttl: secondsUntil(draft.until, ctx.now) } : {}),
    ...(!key && draft.publicKey.trim() ? { publicKey: draft.publicKey.trim() } : {}),
  };
  draft.isBusy = true;
  draft.error = "";
  ctx.update();
  try {
    const secret = await ctx.api.call(key ? "PUT" : "POST", "/api/v1/apikey", body);
    if (typeof secret === "string" && secret) draft.secret = secret;
    else ctx.close();
  } catch (error) {
    draft.error = /** @type {Error} */ (error).message;
  }
  draft.isBusy = false;
  ctx.update();
}

/** @param {Context} ctx @param {Draft} draft @param {ApiKeyRow} [key] */
function keyDialog(ctx, draft, key) {
  /** @param {"id" | "other" | "until" | "publicKey"} name */
  const set = (name) => (/** @type {InputEvent} */ event) => {
    draft[name] = /** @type {HTMLInputElement} */ (event.target).value;
    ctx.update();
  };
  const names = new Set([...ctx.store.rows("permissionGroups").map(({ name }) => name), ...draft.groups]);
  const isReady = draft.id.trim() !== "" && !draft.isBusy;
  return dialog({
    title: key ? `API key ${key.id}` : "New API key", onClose: () => ctx.close(),
    body: html`
      ${key ? nothing : html`<label class="field"><span>Id, which the program logs in with</span>
        <input maxlength="253" autofocus .value=${live(draft.id)} @input=${set("id")}></label>`}
      <fieldset class="ticks"><legend>Permission groups</legend>
        ${[...names].sort().map((name) => html`<label class="tick"><input type="checkbox" .checked=${live(draft.groups.has(name))}
          @change=${() => {
            if (!draft.groups.delete(name)) draft.groups.add(name);
            ctx.update();
          }}><span>${name}</span></label>`)}
        <label class="field"><span>Others, with commas: a group may be made later</span>
          <input .value=${live(draft.other)} @input=${set("other")}></label></fieldset>
      <label class="field"><span>${key ? "New end (as before if empty)" : "Valid till end of"}</span>
        <input type="date" .value=${live(draft.until)} min=${day(ctx.now)} @input=${set("until")}></label>
      ${key ? nothing : html`<details><summary>I have a key pair already</summary><label class="field">
        <span>Public key: RSA, PEM or the text in it. Without one, a pair is made.</span>
        <textarea .value=${live(draft.publicKey)} @input=${set("publicKey")}></textarea></label></details>`}
      ${draft.error ? html`<p class="login-why" role="alert">${draft.error}</p>` : nothing}`,
    actions: html`${button({ label: "Cancel", ctx, run: () => ctx.close() })}
      ${button({
        label: key ? "Save" : "Create", ctx, primary: true, right: key ? "update_api_key" : "create_api_key", disabled: !isReady,
        why: draft.isBusy ? "On its way." : "Give it an id.", run: () => void send(ctx, draft, key),
      })}`,
  });
}

/** @param {Context} ctx @param {Draft} draft */
function secretDialog(ctx, { id, secret }) {
  return dialog({
    title: `The private key of ${id}`, onClose: () => ctx.close(),
    body: html`<p>It is shown once, and kept nowhere: save it now.</p>
      <div class="form-actions">${button({ label: "Download PEM file", ctx, primary: true, icon: "download", run: () => download(`${id}.pem`, toPem(secret)) })}</div>
      <label class="field"><span>The same as one text (UAK string), for plugins that ask for it ${copyButton(ctx, secret, "Copy the UAK string")}</span>
        <textarea readonly rows="5">${secret}</textarea></label>`,
    actions: button({ label: "I have saved it", ctx, run: () => ctx.close() }),
  });
}

/** @param {string} name @param {string} text */
function download(name, text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/x-pem-file" }));
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name.replace(/[^\w.-]+/g, "_");
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
