// @ts-check
/** The login page. @typedef {import("../core/app.js").App} App */
import { html, nothing } from "../core/html.js";
import { explain, keyHeader, logIn, rootHeader, tokenHeader } from "../core/login.js";

/**
 * @typedef {{isOpen: boolean, why: string, isBusy?: boolean, method?: string, file?: string,
 *   methods?: {root?: boolean, apiKeys?: boolean, kubernetesTokens?: boolean, oidc?: string | null}}} Login
 */

/** @type {Record<string, {label: string, feature: "root" | "apiKeys" | "kubernetesTokens"}>} */
const METHODS = {
  root: { label: "Root token", feature: "root" },
  key: { label: "API key", feature: "apiKeys" },
  kubernetes: { label: "Kubernetes token", feature: "kubernetesTokens" },
};

/** @type {(path: string, init: RequestInit) => Promise<Response>} */
const send = (path, init) => fetch(path, { cache: "no-store", ...init });

/** @param {App} app */
export function loginPage(app) {
  const login = /** @type {Login} */ (app.login);
  const methods = login.methods;
  const offered = Object.entries(METHODS).filter(([, { feature }]) => methods?.[feature] !== false);
  const chosen = offered.find(([name]) => name === login.method)?.[0] ?? offered[0]?.[0];
  return html`<main class="login" data-view="login" id="main">
    <h1>Anka</h1>
    ${login.why ? html`<p class="login-why" role="alert">${login.why}</p>` : nothing}
    ${methods?.oidc
      ? html`<a class="button primary" href="/oidc/v1/login">Log in with ${methods.oidc}</a>
          ${offered.length ? html`<p class="login-or">or with</p>` : nothing}`
      : nothing}
    ${offered.length > 1
      ? html`<div class="tabs" role="tablist" aria-label="How to log in">${offered.map(
          ([name, { label }]) => html`<button type="button" role="tab" id="tab-${name}" aria-controls="login-form"
            aria-selected=${/** @type {"true" | "false"} */ (String(name === chosen))} tabindex=${name === chosen ? 0 : -1}
            @click=${() => choose(app, name)} @keydown=${(/** @type {KeyboardEvent} */ event) => turn(event, app, offered, name)}
            >${label}</button>`)}</div>`
      : nothing}
    ${chosen
      ? html`<form id="login-form" role=${offered.length > 1 ? "tabpanel" : "form"} aria-label="Log in"
          @submit=${(/** @type {SubmitEvent} */ event) => void submit(event, app, chosen)}>
          ${fields(app, login, chosen)}
          <button class="button primary" ?disabled=${login.isBusy}>${login.isBusy ? "Logging in…" : "Log in"}</button>
        </form>`
      : nothing}
  </main>`;
}

/** @param {App} app @param {Login} login @param {string} method */
function fields(app, login, method) {
  if (method === "root") return secret("root", "Root token", "Whoever has it may do everything.", "root");
  if (method === "kubernetes") return secret("token", "Kubernetes token", "kubectl create token NAME --audience anka prints one.", "token");
  return html`<label class="field"><span>Id of the key</span>
      <input name="id" required autocomplete="username" spellcheck="false" maxlength="512" autofocus></label>
    <label class="field"><span>Private key: PEM, or the key string</span>
      <textarea name="key" rows="6" spellcheck="false" autocomplete="off" maxlength="20000" .value=${login.file ?? ""}></textarea></label>
    <label class="field"><span>Or its file</span>
      <input type="file" accept=".pem,.key,.txt" @change=${(/** @type {Event} */ event) => void read(event, app)}></label>
    <p class="dim">The private key stays in this browser. It is not stored.</p>`;
}

/** @param {string} name @param {string} label @param {string} hint @param {string} user what password managers keep it under */
function secret(name, label, hint, user) {
  return html`<input class="offscreen" name="user" autocomplete="username" tabindex="-1" aria-hidden="true" .value=${user}>
    <label class="field"><span>${label}</span>
      <input name=${name} type="password" required autocomplete="current-password" maxlength="16000" autofocus></label>
    <p class="dim">${hint}</p>`;
}

/** @param {App} app @param {string} name */
function choose(app, name) {
  app.login["method"] = name;
  app.login["file"] = "";
  app.login.why = "";
  app.update();
}

/** @param {KeyboardEvent} event @param {App} app @param {[string, unknown][]} offered @param {string} name */
function turn(event, app, offered, name) {
  const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (!by) return;
  event.preventDefault();
  const at = offered.findIndex(([one]) => one === name);
  const next = offered[(at + by + offered.length) % offered.length]?.[0] ?? name;
  choose(app, next);
  document.getElementById(`tab-${next}`)?.focus();
}

/** @param {Event} event @param {App} app */
async function read(event, app) {
  const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
  if (!file) return;
  app.login["file"] = file.size > 20_000 ? "" : await file.text();
  app.login.why = file.size > 20_000 ? `${file.name} is too large for a private key.` : "";
  app.update();
}

/** @param {SubmitEvent} event @param {App} app @param {string} method */
async function submit(event, app, method) {
  event.preventDefault();
  const form = /** @type {HTMLFormElement} */ (event.target);
  const data = new FormData(form);
  const text = (/** @type {string} */ name) => String(data.get(name) ?? "");
  app.login["isBusy"] = true;
  app.login.why = "";
  app.update();
  try {
    const header =
      method === "root" ? rootHeader(text("root").trim())
      : method === "kubernetes" ? tokenHeader(text("token"))
      : await keyHeader(send, text("id").trim(), text("key"));
    await logIn(send, header);
    form.reset();
    app.login["file"] = "";
    await app.enter("The login succeeded, but the browser did not keep its cookie: cookies of this site are blocked, or it is not served by HTTPS.");
  } catch (error) {
    app.login.why = explain(error);
  }
  app.login["isBusy"] = false;
  app.update();
}
