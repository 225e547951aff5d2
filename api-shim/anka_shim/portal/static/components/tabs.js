// @ts-check
/** Parts of a page, of which the address names one: `tab=yaml`. */
import { html, ifDefined } from "../core/html.js";
import { formatHash } from "../core/router.js";

/**
 * Links, as each leads to an address of its own.
 *
 * @param {import("../core/types").Context} ctx @param {{key: string, label: string}[]} tabs the first needs no `tab=`
 */
export function tabs(ctx, tabs) {
  const chosen = chosenTab(ctx, tabs);
  return html`<nav class="tabs" aria-label="Parts of this page">${tabs.map(({ key, label }, i) => {
    const query = { ...ctx.route.query, tab: i === 0 ? null : key };
    return html`<a href=${formatHash(ctx.route.path, query)} aria-current=${ifDefined(key === chosen ? "page" : undefined)}>${label}</a>`;
  })}</nav>`;
}

/** @param {import("../core/types").Context} ctx @param {{key: string}[]} tabs */
export function chosenTab(ctx, tabs) {
  const wanted = ctx.route.query["tab"];
  return tabs.some(({ key }) => key === wanted) ? wanted : tabs[0]?.key;
}
