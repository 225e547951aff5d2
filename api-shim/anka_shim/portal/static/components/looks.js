// @ts-check
/** Loading, empty, stale, failed and denied look different: an empty list is a statement. */
import { html, nothing } from "../core/html.js";
import { icon } from "./icon.js";

/**
 * @param {{
 *   state?: string, isEmpty?: boolean, what?: string, error?: string, right?: string, seconds?: number,
 *   empty?: {title: string, hint?: import("../core/types").Content},
 *   content: () => import("../core/types").Content,
 * }} options what: of what it is, "instances"
 */
export function looks({ state = "ready", isEmpty = false, what = "rows", error, right, seconds, empty, content }) {
  if (state === "loading") {
    return html`<div class="look look-loading" role="status" data-look="loading">
      <span class="spinner" aria-hidden="true"></span><p>Loading ${what}…</p>
    </div>`;
  }
  if (state === "denied") {
    return html`<div class="look look-denied" data-look="denied">${icon("access")}
      <p class="look-title">You may not see ${what}.</p>
      <p>${right ? html`Your permission groups lack <code>${right}</code>.` : "Your permission groups do not allow it."}</p>
    </div>`;
  }
  if (state === "failed") {
    return html`<div class="look look-failed" role="alert" data-look="failed">${icon("warn")}
      <p class="look-title">Could not load ${what}.</p><p>${error ?? "The server did not say why."}</p>
    </div>`;
  }
  const stale =
    state === "stale"
      ? html`<p class="stale-note" role="status" data-look="stale">${icon("warn")}<span
            >${seconds ? `Not live: ${what} as they were ${Math.round(seconds)} s ago.` : `Not live: ${what} may have changed.`}
            ${error ?? ""}</span></p>`
      : nothing;
  if (isEmpty) {
    return html`${stale}<div class="look look-empty" data-look="empty">
        <p class="look-title">${empty?.title ?? `No ${what}.`}</p>${empty?.hint ? html`<p>${empty.hint}</p>` : nothing}
      </div>`;
  }
  return html`${stale}${content()}`;
}
