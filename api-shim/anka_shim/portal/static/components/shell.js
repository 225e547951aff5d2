// @ts-check
/** The frame around a view. @typedef {import("../core/app.js").App} App */
import { html, keyed, nothing } from "../core/html.js";
import { loginPage } from "./login.js";
import { header } from "./header.js";
import { looks } from "./looks.js";
import { nav } from "./nav.js";
import { taskDrawer } from "./task-drawer.js";
import { sameWith } from "./text.js";

/** @param {App} app */
export function shell(app) {
  const { ctx } = app;
  if (app.login.isOpen) {
    document.title = "Log in – Anka";
    return loginPage(app);
  }
  if (!app.session) {
    return html`<p class="starting" role="status">${app.why || "Connecting…"}</p>`;
  }
  const title = app.view?.title(ctx) ?? "";
  document.title = `${title} – Anka`;
  return html`
    <a class="skip" href="#main" @click=${(/** @type {Event} */ event) => {
      event.preventDefault();
      document.getElementById("main")?.focus();
    }}>To the content</a>
    ${header(app)}
    <div class="frame">
      ${nav(app)}
      <main id="main" tabindex="-1" data-view=${app.view?.name ?? ""}>
        ${keyed(ctx.route.path, html`<h1 class=${app.view?.nav ? "" : "offscreen"}>${title}</h1>${content(app)}`)}
      </main>
    </div>
    ${taskDrawer(ctx)}
    <p class="offscreen" aria-live="polite">${app.summary}</p>
    <div class="said" role="status" aria-live="polite">${app.said}</div>
    ${app.dialog ? app.dialog(ctx) : nothing}`;
}

/** @param {App} app */
function content(app) {
  const { ctx, view } = app;
  if (!view) return nothing;
  const may = ctx.can(view.right);
  if (!may.ok) {
    return looks({ state: "denied", what: view.title(ctx), right: view.right ?? "", content: () => nothing });
  }
  return html`${view.render(ctx)}${sameWith(ctx, view.same?.(ctx))}`;
}
