// @ts-check
/** Small figures, as SVG and native elements: nothing that needs a style attribute. @typedef {import("../core/types").Tone} Tone */
import { html, svg } from "../core/html.js";

/**
 * How much of a fixed amount is used.
 *
 * @param {{label: string, value?: number | null, max?: number | null, text?: string, tone?: Tone}} options
 */
export function meter({ label, value, max, text, tone }) {
  const share = value != null && max ? Math.min(1, Math.max(0, value / max)) : 0;
  const colour = tone ?? (share >= 0.95 ? "bad" : share >= 0.8 ? "warn" : "ok");
  const words = text ?? (value == null || max == null ? "–" : `${value} / ${max}`);
  return html`<span class="meter" title="${label}: ${words}">
    <svg class="bar tone-${colour}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}: ${words}">
      <rect class="track" width="100" height="6"></rect><rect class="fill" width=${share * 100} height="6"></rect>
    </svg><span class="meter-text">${words}</span>
  </span>`;
}

/** @param {{label: string, percent?: number | null}} options without a percentage: it goes on, nobody knows how far */
export function progress({ label, percent }) {
  if (percent == null) return html`<span class="progress"><progress aria-label=${label} max="100"></progress></span>`;
  const value = Math.min(100, Math.max(0, Math.round(percent)));
  return html`<span class="progress"
    ><progress aria-label=${label} max="100" value=${value}></progress><span class="meter-text">${value} %</span></span>`;
}

/** @param {{values: (number | null)[], label: string, max?: number, width?: number, height?: number, tone?: Tone}} options */
export function sparkline({ values, label, max, width = 160, height = 32, tone = "ok" }) {
  const known = values.filter((value) => value != null);
  const top = Math.max(max ?? 0, ...known, 1e-9);
  const step = width / Math.max(1, values.length - 1);
  let path = "";
  let isDrawing = false;
  values.forEach((value, i) => {
    if (value == null) {
      isDrawing = false; // a gap stays a gap
      return;
    }
    const y = height - 2 - (value / top) * (height - 4);
    path += `${isDrawing ? "L" : "M"}${(i * step).toFixed(1)} ${y.toFixed(1)}`;
    isDrawing = true;
  });
  return html`<svg class="sparkline tone-${tone}" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label=${label}>
    ${svg`<path class="line" d=${path}></path>`}
  </svg>`;
}

/**
 * One bar of several parts.
 *
 * @param {{label: string, parts: {label: string, value: number, tone: Tone}[], max?: number}} options
 */
export function stackedBar({ label, parts, max }) {
  const total = max ?? parts.reduce((sum, { value }) => sum + value, 0);
  const words = parts.map((part) => `${part.label} ${part.value}`).join(", ");
  let x = 0;
  return html`<svg class="bar stacked" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}: ${words}">
    <rect class="track" width="100" height="6"></rect>
    ${parts.map(({ value, tone, label: name }) => {
      const width = total ? (value / total) * 100 : 0;
      const from = x;
      x += width;
      return svg`<rect class="fill tone-${tone}" x=${from} width=${width} height="6"><title>${name}: ${value}</title></rect>`;
    })}
  </svg>`;
}
