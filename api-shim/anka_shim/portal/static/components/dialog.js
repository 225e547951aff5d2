// @ts-check
/** @typedef {import("../core/types").Content} Content @typedef {import("../core/types").Context} Context */
import { html, nothing, ref } from "../core/html.js";
import { button } from "./button.js";

/** Once it stands in the document: it is drawn outside first. @param {Element | undefined} element */
function showModal(element) {
  queueMicrotask(() => {
    if (element instanceof HTMLDialogElement && element.isConnected && !element.open) element.showModal();
  });
}

/**
 * A native dialog: it keeps the focus inside, and Esc closes it.
 *
 * @param {{title: string, body: Content, actions?: Content, onClose: () => void, wide?: boolean}} options
 */
export function dialog({ title, body, actions, onClose, wide }) {
  const close = (/** @type {Event} */ event) => {
    event.preventDefault();
    onClose();
  };
  return html`<dialog class=${wide ? "dialog wide" : "dialog"} aria-labelledby="dialog-title" ${ref(showModal)} @cancel=${close} @close=${onClose}>
    <header class="dialog-head"><h2 id="dialog-title">${title}</h2>
      <button type="button" class="button quiet icon-only" aria-label="Close" @click=${close}>✕</button></header>
    <div class="dialog-body">${body}</div>
    ${actions ? html`<footer class="dialog-actions">${actions}</footer>` : nothing}
  </dialog>`;
}

/**
 * Asks before what cannot be undone. 1: it can, so it is done at once. 2: a dialog. 3: many, or somebody else's: the text
 * `typed` (the number of things, say) must be written, too.
 *
 * @param {Context} ctx
 * @param {{
 *   title: string, text: Content, list?: Content[], degree: 1 | 2 | 3, typed?: string, action: string, run: () => void,
 *   danger?: boolean,
 * }} options
 */
export function confirm(ctx, { title, text, list = [], degree, typed, action, run, danger = true }) {
  if (degree === 1) {
    run();
    return;
  }
  if (degree === 3 && !typed) throw new Error("degree 3 names the text to type");
  let written = "";
  const act = () => {
    ctx.close();
    run();
  };
  ctx.open(() => {
    const isReady = degree < 3 || written.trim() === typed;
    return dialog({
      title,
      onClose: () => ctx.close(),
      body: html`<p>${text}</p>
        ${list.length ? html`<ul class="confirm-list" tabindex="0" aria-label="What it is about">${list.map((line) => html`<li>${line}</li>`)}</ul>` : nothing}
        ${degree === 3
          ? html`<label class="field"><span>Type <strong>${typed}</strong> to go on</span>
              <input autocomplete="off" autofocus .value=${written} @input=${(/** @type {InputEvent} */ event) => {
                written = /** @type {HTMLInputElement} */ (event.target).value;
                ctx.update();
              }} @keydown=${(/** @type {KeyboardEvent} */ event) => {
                if (event.key !== "Enter") return;
                event.preventDefault(); // else it would press the button that has the focus after this
                if (written.trim() === typed) act();
              }}></label>`
          : nothing}`,
      actions: html`${button({ label: "Keep as it is", ctx, run: () => ctx.close() })}
        ${button({ label: action, ctx, danger, primary: !danger, run: act, disabled: !isReady, why: `Type ${typed} first.` })}`,
    });
  });
}
