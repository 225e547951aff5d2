// @ts-check
/** Lines or bars of the last hour, with figures at the axes. */

import { html, nothing, svg } from "../../core/html.js";
import { highest, pathOf, sumInto, ticksUpTo } from "./history.pure.js";

const WIDTH = 400;
const HEIGHT = 130;
const LEFT = 34;
const BOTTOM = 20;
const BARS = 60;

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {readonly (number|null)[]} values
 * @property {import("../../core/types").Tone} tone
 * @property {boolean} [isDashed]
 */

/** @param {number} seconds of the clock on the wall of whoever looks */
const clock = (seconds) => new Date(1000 * seconds).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });

/**
 * @param {number[]} ticks
 * @param {readonly (number|null)[]} times
 */
function axes(ticks, times) {
  const top = ticks[ticks.length - 1] ?? 1;
  const [first, last] = [times[0], times[times.length - 1]];
  return svg`${ticks.map((tick) => {
      const y = HEIGHT - (tick / top) * HEIGHT;
      return svg`<line class="grid" x1=${LEFT} x2=${LEFT + WIDTH} y1=${y} y2=${y}></line><text class="tick" x=${LEFT - 6} y=${y + 4} text-anchor="end">${tick}</text>`;
    })}
    ${first == null || last == null
      ? nothing
      : [0, 0.25, 0.5, 0.75, 1].map(
          (share) => svg`<text class="tick" x=${LEFT + share * WIDTH} y=${HEIGHT + BOTTOM - 4} text-anchor=${share === 0 ? "start" : share === 1 ? "end" : "middle"}
            >${clock(first + share * (last - first))}</text>`)}`;
}

/**
 * @param {string} title
 * @param {readonly Line[]} lines
 * @param {import("../../core/types").Content} chart
 */
function framed(title, lines, chart) {
  const words = lines.map(({ label, values }) => `${label}: at most ${highest(values)}`).join("; ");
  return html`<figure class="chart"><figcaption>${title}<span class="chart-keys">${lines.map(
      ({ label, tone, isDashed }) => html`<span class="chart-key tone-${tone} ${isDashed ? "dashed" : ""}">${label}</span>`)}</span></figcaption>
    <svg viewBox="0 -8 ${LEFT + WIDTH + 8} ${HEIGHT + BOTTOM + 8}" role="img" aria-label="${title}. ${words}">${chart}</svg></figure>`;
}

/**
 * @param {{title: string, times: readonly (number|null)[], lines: readonly Line[]}} options
 */
export function lineChart({ title, times, lines }) {
  const ticks = ticksUpTo(Math.max(...lines.map(({ values }) => highest(values))));
  const top = ticks[ticks.length - 1] ?? 1;
  return framed(title, lines, svg`${axes(ticks, times)}${lines.map(
    ({ values, tone, isDashed }) => svg`<path class="line tone-${tone} ${isDashed ? "dashed" : ""}" transform="translate(${LEFT} 0)" d=${pathOf(values, WIDTH, HEIGHT, top, true)}></path>`)}`);
}

/**
 * Several samples are one bar; parts stand on each other.
 * @param {{title: string, times: readonly (number|null)[], lines: readonly Line[]}} options
 */
export function barChart({ title, times, lines }) {
  const parts = lines.map((line) => ({ ...line, sums: sumInto(line.values, BARS) }));
  const bars = Math.max(1, ...parts.map(({ sums }) => sums.length));
  const sums = Array.from({ length: bars }, (_, i) => parts.reduce((sum, part) => sum + (part.sums[i] ?? 0), 0));
  const ticks = ticksUpTo(highest(sums));
  const top = ticks[ticks.length - 1] ?? 1;
  const step = WIDTH / bars;
  const base = Array.from({ length: bars }, () => 0);
  return framed(title, lines, svg`${axes(ticks, times)}${parts.map(({ sums: values, tone, label }) => values.map((value, i) => {
    if (!value) return nothing;
    const height = (value / top) * HEIGHT;
    const y = HEIGHT - (base[i] ?? 0) - height;
    base[i] = (base[i] ?? 0) + height;
    return svg`<rect class="bar-part tone-${tone}" x=${LEFT + i * step} y=${y} width=${Math.max(1, step - 1)} height=${height}><title>${label}: ${value}</title></rect>`;
  }))}`);
}
