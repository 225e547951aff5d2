// @ts-check
/** The bar of a start: each step with its seconds, beside the median of its template. */
import { duration } from "../../core/format.js";
import { html, nothing, svg } from "../../core/html.js";
import { SCALE, layOut, slowestStep } from "./timeline.pure.js";

/** @typedef {import("./timeline.pure.js").Segment} Segment */

const HEIGHT = 18;

/** @param {Segment[]} parts @param {string} label */
function bar(parts, label) {
  const words = parts.map((part) => `${part.label} ${seconds(part.seconds)}`).join(", ");
  return html`<svg class="timeline-bar" viewBox="0 0 ${SCALE} ${HEIGHT}" preserveAspectRatio="none" role="img" aria-label="${label}: ${words}">
    ${parts.map((part) => svg`<rect class="step step-${part.name}${part.isRunning ? " is-running" : ""}" x=${part.at}
      width=${Math.max(part.width, part.seconds > 0 ? 1 : 0)} height=${HEIGHT}><title>${part.label}: ${seconds(part.seconds)}</title></rect>`)}
  </svg>`;
}

/** Short steps with a decimal, long ones in words. @param {number} value */
export function seconds(value) {
  return value < 10 ? `${value.toFixed(1)} s` : duration(value * 1000);
}

/** @param {import("./timeline.pure.js").Timeline} timeline @param {number} now */
export function timelineBars(timeline, now) {
  const laid = layOut(timeline, now);
  if (!laid.own.length) return html`<p class="dim">Nothing has happened yet.</p>`;
  const slow = slowestStep(laid.own);
  const missing = laid.median.filter((part) => !laid.own.some(({ name }) => name === part.name));
  return html`<div class="timeline">
    <p class="timeline-name">This start <strong>${seconds(laid.total)}</strong></p>${bar(laid.own, "This start")}
    ${laid.median.length
      ? html`<p class="timeline-name dim">Median of ${laid.of} <strong>${seconds(laid.medianTotal)}</strong></p>${bar(laid.median, "Median")}`
      : nothing}
    <ol class="timeline-steps">${laid.own.map((part) => html`<li class=${part === slow ? "is-slow" : ""}>
      <span class="swatch step-${part.name}" aria-hidden="true"></span>${part.label}
      <strong>${part.isRunning ? `${seconds(part.seconds)}…` : seconds(part.seconds)}</strong>
      ${part.median == null ? nothing : html`<span class="dim">usually ${seconds(part.median)}</span>`}
      ${part.isSeen ? nothing : html`<span class="dim">with the pull, if there was one</span>`}</li>`)}${missing.map((part) => html`<li class="dim">
      <span class="swatch step-${part.name}" aria-hidden="true"></span>${part.label} not here, usually ${seconds(part.seconds)}</li>`)}</ol>
    ${slow ? html`<p class="timeline-note">Slower than usual: ${slow.label.toLowerCase()}.</p>` : nothing}
    ${laid.median.length ? nothing : html`<p class="dim">No other start of this template is known to compare with.</p>`}
  </div>`;
}
