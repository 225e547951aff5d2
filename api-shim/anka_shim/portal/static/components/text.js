// @ts-check
/** Small pieces of text. @typedef {import("../core/types").Content} Content @typedef {import("../core/types").Context} Context */
import { html, nothing } from "../core/html.js";
import { formatHash } from "../core/router.js";
import { button } from "./button.js";

/** A link to a view of one thing. @param {string} view its path, `instances` @param {string | null | undefined} id @param {Content} [text] */
export function link(view, id, text) {
  if (!id) return html`<span class="dim">–</span>`;
  return html`<a href=${formatHash(`${view}/${encodeURIComponent(id)}`)}>${text ?? id}</a>`;
}

/** @param {[string, Content][]} list lines without a value are left out */
export function details(list) {
  const known = list.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return html`<dl class="details">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** Over plain HTTP browsers have no clipboard for pages: then the text is selected by an old command. @param {string} text */
export async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "offscreen";
  (document.querySelector("dialog[open]") ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** @param {Context} ctx @param {string} text @param {string} [label] */
export function copyButton(ctx, text, label = "Copy") {
  return button({
    label, ctx, icon: "copy", quiet: true, iconOnly: true,
    run: () => void copy(text).then(() => ctx.say("Copied."), () => ctx.say("The browser does not allow it.")),
  });
}

/** Lines for a terminal, each with a button. @param {Context} ctx @param {string[]} lines */
export function codeLines(ctx, lines) {
  return html`<ul class="code-lines">${lines.map(
    (line) => html`<li><code tabindex="0">${line}</code>${copyButton(ctx, line, `Copy: ${line}`)}</li>`,
  )}</ul>`;
}

/** A panel at the side of a list. @param {{title: Content, body: Content, onClose: () => void, label: string}} options */
export function drawer({ title, body, onClose, label }) {
  return html`<aside class="drawer" aria-label=${label}>
    <header class="drawer-head"><h2>${title}</h2>
      <button type="button" class="button quiet icon-only" aria-label="Close" @click=${onClose}>✕</button></header>
    <div class="drawer-body">${body}</div>
  </aside>`;
}

/** The same with kubectl and curl. @param {Context} ctx @param {import("../core/types").Same | undefined} same */
export function sameWith(ctx, same) {
  if (!same || !(same.kubectl?.length || same.curl?.length)) return nothing;
  return html`<details class="same"><summary>The same with kubectl or curl</summary>
    ${same.kubectl?.length ? html`<h3>kubectl</h3>${codeLines(ctx, same.kubectl)}` : nothing}
    ${same.curl?.length
      ? html`<h3>curl</h3><p class="dim">ANKA is the address of this page, ${location.origin}</p>${codeLines(ctx, same.curl)}`
      : nothing}
  </details>`;
}
