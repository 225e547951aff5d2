// @ts-check
/** The script's output and the logs, on the page of an instance. */
import { chip } from "../../components/chip.js";
import { looks } from "../../components/looks.js";
import { time } from "../../components/time.js";
import { bytes } from "../../core/format.js";
import { html, nothing } from "../../core/html.js";
import { formatHash } from "../../core/router.js";
import { instanceLogs } from "./detail.js";

/** @typedef {import("../../core/types").Context} Context */

/** @param {{returnCode: number, didTimeout?: boolean, stdout?: string, stderr?: string, errors?: string[]}} result */
export function scriptOutput({ returnCode, didTimeout, stdout, stderr, errors }) {
  const outcome = didTimeout ? chip("bad", "did not end in time") : chip(returnCode === 0 ? "ok" : "bad", `exit code ${returnCode}`);
  return html`<p>${outcome}</p>
    ${errors?.length ? html`<ul>${errors.map((error) => html`<li>${error}</li>`)}</ul>` : nothing}
    ${output("Standard output", stdout)}${output("Standard error", stderr)}`;
}

/** @param {string} name @param {string | undefined} text */
function output(name, text) {
  if (!text) return nothing;
  return html`<h3>${name}</h3><pre class="output" tabindex="0" role="region" aria-label=${name}>${text}</pre>`;
}

/** As the old portal: the files of an instance, each to download. @param {Context} ctx @param {import("../../core/types").InstanceRow} row */
export function logFiles(ctx, row) {
  const may = ctx.can("view_logs");
  if (!may.ok) return html`<p class="dim">${may.why}</p>`;
  const node = row.node ?? "";
  const logs = instanceLogs(ctx, node, row.id);
  return looks({
    state: logs.state, error: logs.error ?? "", what: "logs", isEmpty: logs.value?.length === 0,
    empty: { title: "No log of it yet.", hint: "The Mac's agent sends them to the registry, unless central logging is off there." },
    content: () => html`<ul class="files">${(logs.value ?? []).map((log) => html`<li>
        ${log.file
          ? html`<a href=${log.file} download>${log.instance_id ? "Log of this instance" : "Log of the Mac's agent"}</a>`
          : log.service}
        <span class="dim">${bytes(log.size)}, ${time(log.modified, ctx)}</span></li>`)}</ul>
      <p><a href=${formatHash("logs", { node })}>All logs of ${node}</a></p>`,
  });
}
