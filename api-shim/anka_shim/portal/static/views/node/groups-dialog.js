// @ts-check
/** Which groups Macs come into, and which they leave. */

import { button } from "../../components/button.js";
import { dialog } from "../../components/dialog.js";
import { html } from "../../core/html.js";
import { RIGHTS, changeGroups, nameThem } from "./actions.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/**
 * @param {Context} ctx
 * @param {readonly NodeRow[]} nodes
 */
export function openGroups(ctx, nodes) {
  /** @type {Set<string>} */
  const chosen = new Set();
  /** @param {boolean} isJoining */
  const run = (isJoining) => {
    ctx.close();
    void changeGroups(ctx, nodes, [...chosen], isJoining);
  };
  ctx.open((now) => {
    const groups = [...now.store.rows("groups")].sort((a, b) => a.name.localeCompare(b.name));
    const none = { disabled: !chosen.size, why: "Choose a group first" };
    return dialog({
      title: `Groups of ${nameThem(nodes)}`,
      body: groups.length
        ? html`<fieldset class="choices">
            <legend class="hint">${nodes.map((node) => node.name).join(", ")}</legend>
            ${groups.map((group) => {
              const there = nodes.filter((node) => node.groups.includes(group.id)).length;
              return html`<label class="choice"
                ><input
                  type="checkbox"
                  .checked=${chosen.has(group.id)}
                  @change=${() => {
                    if (!chosen.delete(group.id)) chosen.add(group.id);
                    ctx.update();
                  }}
                /><span>${group.name}</span><small>${there} of ${nodes.length} in it</small></label
              >`;
            })}
          </fieldset>`
        : html`<p>There are no groups yet. <a href="#/groups">Create one</a></p>`,
      actions: [
        button({ ctx: now, label: "Cancel", run: () => ctx.close() }),
        button({ ctx: now, label: "Remove from these", right: RIGHTS.leave, run: () => run(false), ...none }),
        button({ ctx: now, label: "Add to these", right: RIGHTS.join, run: () => run(true), primary: true, ...none }),
      ],
      onClose: () => ctx.close(),
    });
  });
}
