// @ts-check
/** What actions on many rows have come to. */
import { count } from "../core/format.js";
import { html, nothing } from "../core/html.js";
import { failures, isRunning } from "../core/tasks.js";
import { button } from "./button.js";
import { chip } from "./chip.js";
import { time } from "./time.js";

/** @type {Record<string, import("../core/types").Tone>} */
const TONES = { waiting: "wait", running: "busy", done: "ok", failed: "bad" };

/** @param {import("../core/types").Context} ctx */
export function taskDrawer(ctx) {
  const { tasks } = ctx;
  if (!tasks.isOpen) return nothing;
  return html`<section class="task-drawer" aria-label="Tasks">
    <header><h2>Tasks</h2>
      ${button({ label: "Clear", ctx, quiet: true, run: () => tasks.clear() })}
      ${button({ label: "Close", ctx, quiet: true, icon: "close", iconOnly: true, run: () => tasks.toggle(false) })}</header>
    ${tasks.list.length ? nothing : html`<p class="dim">Nothing was done since this page was opened.</p>`}
    ${tasks.list.map((task, i) => {
      const done = task.rows.filter(({ state }) => state === "done" || state === "failed").length;
      const failed = failures(task);
      return html`<details class="task" data-task=${task.id} ?open=${i === 0 || isRunning(task) || failed > 0}>
        <summary><strong>${task.title}</strong> <span>${done} of ${task.rows.length}</span>
          ${failed ? chip("bad", count(failed, "failure")) : nothing}
          ${time(new Date(task.started).toISOString(), ctx)}</summary>
        <ul>${task.rows.map(
          (row) => html`<li data-task-row=${row.id}>${chip(TONES[row.state] ?? "wait", row.state)} <span>${row.label}</span>
            <span class=${row.state === "failed" ? "bad-text" : "dim"}>${row.text}</span></li>`,
        )}</ul>
      </details>`;
    })}
  </section>`;
}
