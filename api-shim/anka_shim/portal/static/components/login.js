// @ts-check
/** The login page. @typedef {import("../core/app.js").App} App */
import { html, nothing } from "../core/html.js";
import { base64 } from "../core/bytes.js";

/** @param {App} app */
export function loginPage(app) {
  const { login } = app;
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    login["isBusy"] = true;
    login.why = "";
    app.update();
    login.why = await logInAsRoot(String(form.get("token") ?? ""));
    login["isBusy"] = false;
    if (!login.why) await app.enter();
    app.update();
  };
  return html`<main class="login" data-view="login"><h1>Anka</h1>
    ${login.why ? html`<p class="login-why" role="alert">${login.why}</p>` : nothing}
    <form @submit=${submit}>
      <label class="field"><span>Root token</span><input name="token" type="password" required autocomplete="current-password" autofocus></label>
      <button class="button primary" ?disabled=${login["isBusy"]}>Log in</button>
    </form></main>`;
}

/** @param {string} token @returns {Promise<string>} why not */
async function logInAsRoot(token) {
  const credential = base64(new TextEncoder().encode(`root:${token}`));
  try {
    const response = await fetch("/portal/v1/login", {
      method: "POST", headers: { Authorization: `Basic ${credential}`, "X-Anka-Portal": "1" }, credentials: "same-origin",
    });
    const answer = await response.json();
    return answer.status === "OK" ? "" : answer.message || "The server refused it.";
  } catch {
    return "The server cannot be reached.";
  }
}
