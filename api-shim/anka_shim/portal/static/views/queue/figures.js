// @ts-check
/** How long one waits, now and in the last hour. */

import { sparkline } from "../../components/graphs.js";
import { between, count, duration } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { highest } from "../use/history.pure.js";
import { loadHistory } from "../use/load.js";
import { titleOf } from "./actions.js";
import { oldestOf, waitsSince } from "./queue.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} InstanceRow */

/** @param {number|undefined} seconds */
const words = (seconds) => (seconds === undefined ? "–" : duration(1000 * seconds));

/**
 * @param {Context} ctx
 * @param {readonly InstanceRow[]} waiting without those that can never run
 * @param {number} never
 */
export function queueFigures(ctx, waiting, never) {
  const oldest = oldestOf(waiting);
  const { value } = loadHistory(ctx);
  const waits = value?.waitSeconds;
  const line = value?.series["waiting"] ?? [];
  return html`<dl class="figures">
    <div class="figure" data-figure="waiting"><dt>Waiting</dt><dd class="figure-value">${waiting.length}</dd>
      <dd class="figure-words">${line.length
        ? sparkline({ values: line, label: `Waiting in the last hour: at most ${highest(line)}`, tone: "wait" })
        : never ? `and ${never} that can never run` : "no history yet"}</dd></div>
    <div class="figure" data-figure="oldest"><dt>Oldest wait</dt>
      <dd class="figure-value">${oldest ? duration(between(waitsSince(oldest), ctx.now)) : "–"}</dd>
      <dd class="figure-words">${oldest
        ? html`<a href=${formatHash("queue", { open: oldest.id })}>${titleOf(oldest)}</a>: ${oldest.message ?? "the scheduler has not looked at it yet"}`
        : "nothing waits"}</dd></div>
    <div class="figure" data-figure="waits"><dt>Waits of the last hour</dt>
      <dd class="figure-value">${words(waits?.p50)}<small> median</small></dd>
      <dd class="figure-words">95 of 100 waited at most ${words(waits?.p95)}${waits?.n ? html`, of ${count(waits.n, "start")}` : nothing}</dd></div>
  </dl>`;
}
