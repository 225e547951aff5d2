// @ts-check
/** @typedef {import("../core/app.js").App} App */
import { bytes } from "../core/format.js";
import { html, ifDefined, nothing } from "../core/html.js";
import { failures, isRunning } from "../core/tasks.js";
import { button } from "./button.js";
import { chip } from "./chip.js";
import { helpDialog } from "./help.js";
import { icon } from "./icon.js";

/** @type {Record<import("../core/types").Live, string>} */
const WORDS = {
  connecting: "connecting", live: "live", reconnecting: "reconnecting", stale: "not in step", login: "logged out",
  off: "paused",
};

/** @param {App} app */
export function header(app) {
  const { ctx } = app;
  const cloud = ctx.store.get("cloud", "cloud");
  const running = ctx.tasks.list.filter(isRunning).length;
  const failed = ctx.tasks.list.reduce((sum, task) => sum + failures(task), 0);
  return html`<header class="head">
    <button type="button" class="button quiet icon-only nav-button" aria-label="Menu" aria-controls="nav"
      aria-expanded=${/** @type {"true" | "false"} */ (String(app.isNavOpen))} @click=${() => {
        app.isNavOpen = !app.isNavOpen;
        app.update();
      }}>${icon("menu")}</button>
    <a class="brand" href="#/fleet">Anka <span>${cloud?.namespace ?? ""}</span></a>
    <span class="head-facts">${facts(cloud)}</span>
    ${app.newVersion
      ? html`<button type="button" class="button" data-new-version @click=${() => location.reload()}>Version
          ${app.newVersion} is here: reload</button>`
      : nothing}
    <span class="head-space"></span>
    ${app.session?.authentication === false
      ? html`<span data-open-to-everyone>${chip("warn", "open to everyone", "Nobody has to log in: authentication is off.")}</span>`
      : nothing}
    ${liveDot(app)}
    ${button({ label: running ? `${running} running` : failed ? `${failed} failed` : "Tasks", ctx, icon: "tasks", quiet: true,
      pressed: ctx.tasks.isOpen, run: () => ctx.tasks.toggle() })}
    ${button({ label: "Keys", ctx, icon: "help", quiet: true, iconOnly: true, run: () => ctx.open(() => helpDialog(ctx, app)) })}
    ${account(app)}
  </header>`;
}

/** @param {import("../core/types").CloudRow | undefined} cloud */
function facts(cloud) {
  if (!cloud) return nothing;
  const { registry } = cloud;
  return html`<span>${cloud.version}</span>
    ${registry?.url ? html`<span title=${registry.url}>registry ${registry.status ?? ""}${registry.freeBytes == null
      ? "" : `, ${bytes(registry.freeBytes)} free`}</span>` : nothing}
    ${cloud.licenses?.length ? html`<span>licence ${cloud.licenses.join(", ")}</span>` : nothing}`;
}

/** @param {App} app */
function liveDot(app) {
  const behind = app.live === "live" ? slowest(app) : 0;
  const live = behind > 0 ? "stale" : app.live;
  const words = live === "stale" ? `not in step for ${Math.round(behind)} s` : WORDS[live];
  return html`<span class="live" data-live=${live} role="status" title=${ifDefined(app.why || undefined)}><span
    class="live-dot" aria-hidden="true"></span><span class="live-text">${words}</span></span>`;
}

/** The longest that a kind is behind. @param {App} app */
function slowest(app) {
  return Math.max(0, ...[...app.store.kinds.values()].map(({ stale }) => stale));
}

/** @param {App} app */
function account(app) {
  const { session } = app;
  if (!session?.authentication) return nothing;
  return html`<details class="account"><summary class="button quiet">${icon("user")}<span>${session.user}</span></summary>
    <div class="account-menu"><p>${session.user} <span class="dim">(${LOGINS[session.login]})</span></p>
      ${session.login === "certificate"
        ? html`<p class="dim">The browser sends the certificate by itself: there is nothing to log out of.</p>`
        : button({ label: "Log out", ctx: app.ctx, run: () => void app.logOut() })}
    </div></details>`;
}

/** @type {Record<import("../core/types").Session["login"], string>} */
const LOGINS = {
  root: "root token", apiKey: "API key", oidc: "OpenID Connect", kubernetes: "Kubernetes token",
  certificate: "certificate", none: "nobody",
};
