// @ts-check
/**
 * Fields of dialogs. A form is a plain object that its dialog keeps: each field changes one key of it.
 *
 * @typedef {import("../core/types").Content} Content
 * @typedef {import("../core/types").Context} Context
 * @typedef {{label: string, hint?: Content, error?: string | undefined, required?: boolean, disabled?: boolean}} Words
 * @typedef {{value: string, label: string}} Option
 */
import { html, ifDefined, live, nothing } from "../core/html.js";

/** The note is no part of the name, or screen readers would read it twice. @param {Words} words @param {string} id @param {Content} control */
function framed({ label, hint, error, required }, id, control) {
  const note = error
    ? html`<small class="field-error" id="${id}-note">${error}</small>`
    : hint ? html`<small class="field-hint" id="${id}-note">${hint}</small>` : nothing;
  return html`<div class=${error ? "field has-error" : "field"}>
    <label for=${id}>${label}${required ? html` <span class="dim">(required)</span>` : nothing}</label>${control}${note}
  </div>`;
}

/** @param {Words} words @param {string} id */
function noteOf({ error, hint }, id) {
  return ifDefined(error || hint ? `${id}-note` : undefined);
}

/** @param {Words} words */
function invalid({ error }) {
  return ifDefined(error ? /** @type {const} */ ("true") : undefined);
}

/** @param {Event} event */
function valueOf(event) {
  return /** @type {HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement} */ (event.target).value;
}

/**
 * @template {object} F
 * @param {Context} ctx @param {F} form @param {keyof F & string} key
 * @param {Words & {placeholder?: string, inputmode?: "text" | "numeric", autofocus?: boolean}} words
 */
export function textField(ctx, form, key, words) {
  const id = `field-${key}`;
  return framed(words, id, html`<input id=${id} autocomplete="off" spellcheck="false" maxlength="4096"
    placeholder=${ifDefined(words.placeholder)} inputmode=${words.inputmode ?? "text"} ?autofocus=${words.autofocus}
    ?disabled=${words.disabled} aria-invalid=${invalid(words)} aria-describedby=${noteOf(words, id)}
    .value=${live(String(form[key]))} @input=${(/** @type {Event} */ event) => {
      /** @type {any} */ (form)[key] = valueOf(event);
      ctx.update();
    }}>`);
}

/**
 * @template {object} F
 * @param {Context} ctx @param {F} form @param {keyof F & string} key
 * @param {Words & {placeholder?: string, rows?: number}} words
 */
export function textArea(ctx, form, key, words) {
  const id = `field-${key}`;
  return framed(words, id, html`<textarea id=${id} rows=${words.rows ?? 3} spellcheck="false"
    placeholder=${ifDefined(words.placeholder)} ?disabled=${words.disabled} aria-invalid=${invalid(words)}
    aria-describedby=${noteOf(words, id)} .value=${live(String(form[key]))} @input=${(/** @type {Event} */ event) => {
      /** @type {any} */ (form)[key] = valueOf(event);
      ctx.update();
    }}></textarea>`);
}

/**
 * @template {object} F
 * @param {Context} ctx @param {F} form @param {keyof F & string} key
 * @param {Words & {options: Option[], autofocus?: boolean, onChange?: (value: string) => void}} words
 */
export function selectField(ctx, form, key, words) {
  const id = `field-${key}`;
  const chosen = String(form[key]);
  return framed(words, id, html`<select id=${id} ?disabled=${words.disabled} ?autofocus=${words.autofocus}
    aria-invalid=${invalid(words)} aria-describedby=${noteOf(words, id)} @change=${(/** @type {Event} */ event) => {
      /** @type {any} */ (form)[key] = valueOf(event);
      words.onChange?.(valueOf(event));
      ctx.update();
    }}>${words.options.map(
      ({ value, label }) => html`<option value=${value} .selected=${live(value === chosen)}>${label}</option>`,
    )}</select>`);
}

/**
 * @template {object} F
 * @param {Context} ctx @param {F} form @param {keyof F & string} key
 * @param {Words & {why?: string}} words why: it is grey
 */
export function checkField(ctx, form, key, { label, hint, why }) {
  return html`<label class="check" title=${ifDefined(why)}><input type="checkbox" ?disabled=${why !== undefined}
      .checked=${live(Boolean(form[key]))} @change=${(/** @type {Event} */ event) => {
        /** @type {any} */ (form)[key] = /** @type {HTMLInputElement} */ (event.target).checked;
        ctx.update();
      }}><span>${label}${hint || why ? html` <small class="field-hint">${why ?? hint}</small>` : nothing}</span></label>`;
}

/**
 * One of a few, all in sight.
 *
 * @template {object} F
 * @param {Context} ctx @param {F} form @param {keyof F & string} key
 * @param {{label: string, options: (Option & {why?: string})[]}} words why: that one is grey
 */
export function radioField(ctx, form, key, { label, options }) {
  return html`<fieldset class="radios"><legend>${label}</legend>${options.map(
    ({ value, label: text, why }) => html`<label class="check" title=${ifDefined(why)}><input type="radio" name="field-${key}"
      value=${value} ?disabled=${why !== undefined} .checked=${live(form[key] === value)} @change=${() => {
        /** @type {any} */ (form)[key] = value;
        ctx.update();
      }}><span>${text}</span></label>`,
  )}</fieldset>`;
}

/** Reads a file of text into a key. @template {object} F @param {Context} ctx @param {F} form @param {keyof F & string} key @param {string} label */
export function fileField(ctx, form, key, label) {
  return html`<label class="field"><span>${label}</span><input type="file" @change=${async (/** @type {Event} */ event) => {
    const file = /** @type {HTMLInputElement} */ (event.target).files?.[0];
    if (!file) return;
    try {
      /** @type {any} */ (form)[key] = await file.text();
    } catch {
      ctx.say(`${file.name} could not be read.`);
    }
    ctx.update();
  }}></label>`;
}
