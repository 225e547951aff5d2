// @ts-check
/** Capacity, names and logs of one Mac or of several. Only what is changed is sent. */

import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { html, nothing } from "../../core/html.js";
import { RIGHTS, nameThem, toRows } from "./actions.js";
import { configBody } from "./configure.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */
/** @typedef {import("./configure.pure.js").ConfigForm} ConfigForm */

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 */
export function openConfigure(ctx, nodes) {
  const [first] = nodes;
  if (!first) return;
  const isOne = nodes.length === 1;
  /** @type {ConfigForm} */
  const before = isOne
    ? {
        name: first.name,
        host: first.host ?? "",
        mode: first.capacityMode ?? "number",
        maxVms: String(first.maxVms ?? ""),
        vcpus: String(first.vcpuOverride ?? ""),
        ram: String(first.ramOverrideGib ?? ""),
        logging: first.centralLogging === false ? "off" : "on",
      }
    : { name: "", host: "", mode: "", maxVms: "", vcpus: "", ram: "", logging: "" };
  const form = { ...before };

  const save = () => {
    const body = configBody(before, form);
    ctx.close();
    if (!Object.keys(body).length) return;
    void ctx.tasks.run({
      title: `Configure ${nameThem(nodes)}`,
      rows: toRows(nodes),
      each: async ({ id }) => {
        await ctx.api.call("POST", "/api/v1/node/config", { node_id: id, ...body });
        return Object.entries(body)
          .map(([key, value]) => `${key} ${value}`)
          .join(", ");
      },
    });
  };

  ctx.open((now) =>
    dialog({
      title: `Configure ${nameThem(nodes)}`,
      body: html`<form
        class="form"
        @submit=${(/** @type {Event} */ event) => {
          event.preventDefault();
          save();
        }}
      >
        ${isOne ? nothing : html`<p class="hint">What is left empty stays as it is: ${nodes.map((node) => node.name).join(", ")}</p>`}
        ${isOne ? [field(ctx, form, "name", "Name for people", "text"), field(ctx, form, "host", "Address of its VMs", "text")] : nothing}
        ${choice(ctx, form, "mode", "What limits its VMs", [
          ["number", "their number"],
          ["resource", "their vCPUs and RAM"],
        ], !isOne)}
        ${field(ctx, form, "maxVms", "Most VMs at a time", "number", { min: 0, max: 256 })}
        ${form.mode === "number"
          ? nothing
          : [
              field(ctx, form, "vcpus", "vCPUs to hand out (0: twice the cores)", "number", { min: 0, max: 1024 }),
              field(ctx, form, "ram", "RAM to hand out, in GiB (0: all but 2)", "number", { min: 0, max: 65536 }),
            ]}
        ${choice(ctx, form, "logging", "Its logs", [
          ["on", "go to the registry"],
          ["off", "stay on the Mac"],
        ], !isOne)}
        <p class="hint">On arm64 Apple permits two VMs at a time: a third one does not start.</p>
        <button type="submit" hidden></button>
      </form>`,
      actions: [
        button({ ctx: now, label: "Cancel", run: () => ctx.close() }),
        button({ ctx: now, label: "Save", right: RIGHTS.configure, run: save, primary: true }),
      ],
      onClose: () => ctx.close(),
    }),
  );
}

/**
 * @param {Context} ctx
 * @param {ConfigForm} form
 * @param {keyof ConfigForm} key
 * @param {string} label
 * @param {string} type
 * @param {{min?: number, max?: number}} [limits]
 */
function field(ctx, form, key, label, type, limits = {}) {
  return html`<label class="field"
    ><span>${label}</span
    ><input
      name=${key}
      type=${type}
      min=${limits.min ?? nothing}
      max=${limits.max ?? nothing}
      maxlength="253"
      .value=${form[key]}
      @input=${(/** @type {Event & {target: HTMLInputElement}} */ event) => {
        form[key] = event.target.value;
        ctx.update();
      }}
  /></label>`;
}

/**
 * @param {Context} ctx
 * @param {ConfigForm} form
 * @param {keyof ConfigForm} key
 * @param {string} label
 * @param {[string, string][]} options
 * @param {boolean} mayStay
 */
function choice(ctx, form, key, label, options, mayStay) {
  const all = mayStay ? [["", "as it is"], ...options] : options;
  return html`<label class="field"
    ><span>${label}</span
    ><select
      name=${key}
      @change=${(/** @type {Event & {target: HTMLSelectElement}} */ event) => {
        form[key] = event.target.value;
        ctx.update();
      }}
    >
      ${all.map(([value, words]) => html`<option value=${value ?? ""} ?selected=${form[key] === value}>${words}</option>`)}
    </select></label
  >`;
}
