// @ts-check
/** What a form asks for, as a manifest and as curl: below the form that makes it. */
import { toYaml } from "../core/yaml.pure.js";
import { html } from "../core/html.js";
import { button } from "./button.js";
import { copyButton } from "./text.js";

/**
 * @param {import("../core/types").Context} ctx
 * @param {{manifests: object[], file: string, method: string, path: string, body: unknown}} request
 */
export function requestText(ctx, { manifests, file, method, path, body }) {
  const yaml = manifests.map(toYaml).join("---\n");
  const curl = ctx.api.curl(method, path, body);
  return html`<details class="same request-text"><summary>As YAML, as curl</summary>
    <h3>As YAML</h3><p class="dim">For <code>kubectl create -f ${file}</code></p>
    ${codeBlock(ctx, yaml, "the YAML")}
    ${button({ label: `Save as ${file}`, ctx, icon: "download", quiet: true, run: () => saveFile(file, yaml) })}
    <h3>As curl</h3>${codeBlock(ctx, curl, "the curl command")}
  </details>`;
}

/** @param {import("../core/types").Context} ctx @param {string} text @param {string} what */
export function codeBlock(ctx, text, what) {
  return html`<div class="code-block"><pre tabindex="0" role="region" aria-label=${what}>${text}</pre>${copyButton(ctx, text, `Copy ${what}`)}</div>`;
}

/** Through the browser's own download. @param {string} name @param {string} text */
export function saveFile(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
