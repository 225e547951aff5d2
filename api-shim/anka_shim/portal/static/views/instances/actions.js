// @ts-check
/** What is done to instances: through the REST API, each result in the task drawer. */
import { button } from "../../components/button.js";
import { confirm } from "../../components/dialog.js";
import { count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { openSave } from "../saves/save-dialog.js";
import { instanceName, stateWord, tagName, templateName, terminationDegree, whyNotRestart, whyNotSave, whyNotTerminate } from "./facts.pure.js";
import { nodeName } from "./names.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").InstanceRow} Instance */

/** Of a list to confirm: who selects more has seen them in the table. */
const LINES = 200;

/** @param {Instance[]} rows */
function toTaskRows(rows) {
  return rows.map((row) => ({ id: row.id, label: instanceName(row) }));
}

/** Name, what it is, where, and whose. @param {Context} ctx @param {Instance} row */
function line(ctx, row) {
  const where = row.node ? ` on ${nodeName(ctx, row.node)}` : "";
  const who = row.requestedBy ? `requested by ${row.requestedBy}` : "nobody had to log in for it";
  return html`<strong>${instanceName(row)}</strong>: ${stateWord(row)}, ${templateName(row)} ${tagName(row)}${where}, ${who}`;
}

/** @param {Context} ctx @param {Instance[]} rows */
function lines(ctx, rows) {
  const shown = rows.slice(0, LINES).map((row) => line(ctx, row));
  return rows.length > LINES ? [...shown, html`and ${rows.length - LINES} more`] : shown;
}

/** @param {Context} ctx @param {Instance[]} all */
export function askTerminate(ctx, all) {
  const rows = all.filter((row) => !whyNotTerminate(row));
  if (!rows.length) {
    ctx.say(all[0] ? (whyNotTerminate(all[0]) ?? "") : "Select instances first.");
    return;
  }
  const what = count(rows.length, "instance");
  const left = all.length - rows.length;
  confirm(ctx, {
    title: `Terminate ${what}?`,
    text: `Each VM is stopped and deleted, with all that is in it.${left ? ` ${count(left, "other")} of the selection cannot be terminated now.` : ""}`,
    list: lines(ctx, rows),
    degree: terminationDegree(rows, ctx.session),
    typed: String(rows.length),
    action: "Terminate",
    run: () => {
      ctx.local["selected"]?.clear();
      void ctx.tasks.run({
        title: `Terminate ${what}`,
        rows: toTaskRows(rows),
        each: async ({ id }) => {
          await ctx.api.call("DELETE", "/api/v1/vm", { id });
          return "terminating";
        },
      });
    },
  });
}

/** @param {Context} ctx @param {Instance[]} all */
export function askRestart(ctx, all) {
  const rows = all.filter((row) => !whyNotRestart(row));
  if (!rows.length) {
    ctx.say(all[0] ? (whyNotRestart(all[0]) ?? "") : "Select instances first.");
    return;
  }
  const what = count(rows.length, "instance");
  confirm(ctx, {
    title: `Restart ${what}?`,
    text: "The VM is stopped by force and started again. What is on its disk stays; what runs in it ends.",
    list: lines(ctx, rows),
    degree: terminationDegree(rows, ctx.session),
    typed: String(rows.length),
    action: "Restart",
    run: () =>
      void ctx.tasks.run({
        title: `Restart ${what}`,
        rows: toTaskRows(rows),
        each: async ({ id }) => {
          await ctx.api.call("POST", "/api/v1/rpc/vm/restart", { id });
          return "restarting";
        },
      }),
  });
}

/** For the selected rows of a list. @param {Context} ctx @param {Instance[]} rows */
export function bulkActions(ctx, rows) {
  const hasRestartable = rows.some((row) => !whyNotRestart(row));
  return html`
    ${button({ label: "Restart", ctx, icon: "refresh", right: "update_vm", disabled: !hasRestartable,
      why: "None of them is Started or Stopped.", run: () => askRestart(ctx, rows) })}
    ${button({ label: "Terminate", ctx, icon: "trash", right: "terminate_vm", danger: true, run: () => askTerminate(ctx, rows) })}`;
}

/** For the page of one. @param {Context} ctx @param {Instance} row */
export function pageActions(ctx, row) {
  const [restart, save, terminate] = [whyNotRestart(row), whyNotSave(row), whyNotTerminate(row)];
  return html`<div class="actions">
    ${button({ label: "Restart", ctx, icon: "refresh", right: "update_vm", disabled: restart !== null, why: restart ?? "",
      run: () => askRestart(ctx, [row]) })}
    ${button({ label: "Save image", ctx, icon: "download", right: "save_image", disabled: save !== null, why: save ?? "",
      run: () => openSave(ctx, row) })}
    ${button({ label: "Terminate", ctx, icon: "trash", right: "terminate_vm", danger: true, disabled: terminate !== null,
      why: terminate ?? "", run: () => askTerminate(ctx, [row]) })}
  </div>`;
}
