// @ts-check
import { html, ifDefined, nothing } from "../core/html.js";
import { icon as drawIcon } from "./icon.js";

/**
 * A button that says why it is grey. It stays reachable by keyboard, so that everybody can read the reason.
 *
 * @param {{
 *   label: string, ctx: import("../core/types").Context, run: (event: Event) => void, icon?: string, right?: string | null,
 *   danger?: boolean, primary?: boolean, disabled?: boolean, why?: string, quiet?: boolean, pressed?: boolean,
 *   iconOnly?: boolean,
 * }} options
 */
export function button({ label, ctx, run, icon, right, danger, primary, disabled, why, quiet, pressed, iconOnly }) {
  const may = ctx.can(right);
  const reason = may.ok ? (disabled ? (why ?? "Not possible now.") : "") : may.why;
  const classes = ["button", danger && "danger", primary && "primary", quiet && "quiet", iconOnly && "icon-only"];
  return html`<button type="button" class=${classes.filter(Boolean).join(" ")}
    aria-disabled=${ifDefined(reason ? "true" : undefined)} title=${ifDefined(reason || (iconOnly ? label : undefined))}
    aria-description=${ifDefined(reason || undefined)} aria-label=${ifDefined(iconOnly ? label : undefined)}
    aria-pressed=${ifDefined(pressed === undefined ? undefined : /** @type {"true" | "false"} */ (String(pressed)))}
    @click=${(/** @type {Event} */ event) => {
      if (reason) ctx.say(reason);
      else run(event);
    }}>${icon ? drawIcon(icon) : nothing}${iconOnly ? nothing : html`<span>${label}</span>`}</button>`;
}
