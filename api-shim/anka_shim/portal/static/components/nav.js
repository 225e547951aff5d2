// @ts-check
/** @typedef {import("../core/types").View} View */
import { html, ifDefined, nothing } from "../core/html.js";
import { icon } from "./icon.js";

const SECTIONS = ["Fleet", "Work", "Templates", "Access", "Cloud"];

/** @param {import("../core/app.js").App} app */
export function nav(app) {
  const { ctx } = app;
  return html`<nav class=${app.isNavOpen ? "nav is-open" : "nav"} id="nav" aria-label="Views">
    ${SECTIONS.map((section) => {
      const views = inSection(app.views, section);
      if (!views.length) return nothing;
      return html`<section><h2>${section}</h2><ul>${views.map((view) => {
        const isHere = ctx.route.path === view.path || ctx.route.path.startsWith(`${view.path}/`);
        const badge = view.nav?.badge?.(ctx);
        const may = ctx.can(view.right);
        return html`<li><a href="#/${view.path}" aria-current=${ifDefined(isHere ? "page" : undefined)}
          class=${may.ok ? "" : "denied"} title=${ifDefined(may.ok ? undefined : may.why)}>
          ${icon(view.nav?.icon ?? view.name)}<span>${view.nav?.label ?? view.title(ctx)}</span>
          ${badge == null || badge === 0 || badge === "" ? nothing : html`<span class="badge">${badge}</span>`}</a></li>`;
      })}</ul></section>`;
    })}
  </nav>`;
}

/** @param {View[]} views @param {string} section */
function inSection(views, section) {
  return views.filter((view) => view.nav?.section === section).sort((a, b) => (a.nav?.order ?? 0) - (b.nav?.order ?? 0));
}
