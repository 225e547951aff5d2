// @ts-check
import { relative } from "../core/format.js";
import { html } from "../core/html.js";

/** `3 min ago`; the exact time is its title. @param {string | null | undefined} iso @param {{now: number}} ctx */
export function time(iso, ctx) {
  if (!iso) return html`<span class="dim">–</span>`;
  return html`<time datetime=${iso} title=${absolute(iso)}>${relative(iso, ctx.now)}</time>`;
}

/** In the zone of whoever looks. @param {string | null | undefined} iso */
export function absolute(iso) {
  const at = iso ? new Date(iso) : null;
  if (!at || Number.isNaN(at.getTime())) return iso ?? "";
  return at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
}
