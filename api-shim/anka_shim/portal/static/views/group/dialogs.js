// @ts-check
/** To create, change and delete a group, and to choose its Macs. */

import { button } from "../../components/button.js";
import { confirm, dialog } from "../../components/dialog.js";
import { count } from "../../core/format.js";
import { html } from "../../core/html.js";
import { wordOf } from "../fleet/tile.js";
import { changeGroups } from "../node/actions.js";
import { membersOf, possibleFallbacks } from "./chain.pure.js";

/** @typedef {import("../../core/types").Context} Context */
/** @typedef {import("../../core/types").GroupRow} GroupRow */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/**
 * @param {Context} ctx
 * @param {GroupRow} [group] absent: a new one
 */
export function openEditor(ctx, group) {
  const form = { name: group?.name ?? "", description: group?.description ?? "", fallback: group?.fallback ?? "" };
  let failure = "";
  const save = async () => {
    const body = { name: form.name.trim(), description: form.description, fallback_group_id: form.fallback || null };
    try {
      await (group
        ? ctx.api.call("PUT", `/api/v1/group?id=${encodeURIComponent(group.id)}`, body)
        : ctx.api.call("POST", "/api/v1/group", body));
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      ctx.update();
      return;
    }
    ctx.close();
    ctx.say(group ? `${body.name} is changed.` : `${body.name} is created.`);
  };
  /** @param {"name"|"description"|"fallback"} key */
  const input = (key) => (/** @type {Event} */ event) => {
    form[key] = /** @type {HTMLInputElement} */ (event.target).value;
    ctx.update();
  };
  ctx.open((now) => {
    const body = { name: form.name.trim() || "NAME", description: form.description, fallback_group_id: form.fallback || null };
    return dialog({
      title: group ? `Change ${group.name}` : "Create a group",
      onClose: () => ctx.close(),
      body: html`<form class="form" @submit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        if (form.name.trim()) void save();
      }}>
        <label class="field"><span>Name</span><input name="name" maxlength="256" required autofocus .value=${form.name} @input=${input("name")}></label>
        <label class="field"><span>Description</span><input name="description" maxlength="1024" .value=${form.description} @input=${input("description")}></label>
        <label class="field"><span>While it is full, its instances go to</span><select name="fallback" @change=${input("fallback")}>
          <option value="" ?selected=${!form.fallback}>nowhere: they wait</option>
          ${possibleFallbacks(now.store.rows("groups"), group?.id).map(
            ({ id, name }) => html`<option value=${id} ?selected=${id === form.fallback}>${name}</option>`)}
        </select></label>
        ${failure ? html`<p class="note note-bad" role="alert">${failure}</p>` : ""}
        <details><summary>As curl</summary><pre tabindex="0">${group
          ? ctx.api.curl("PUT", `/api/v1/group?id=${encodeURIComponent(group.id)}`, body)
          : ctx.api.curl("POST", "/api/v1/group", body)}</pre></details>
        <button type="submit" hidden></button>
      </form>`,
      actions: html`${button({ ctx: now, label: "Cancel", run: () => ctx.close() })}
        ${button({ ctx: now, label: group ? "Save" : "Create", right: group ? "update_group" : "create_group", primary: true, run: () => void save(),
          disabled: !form.name.trim(), why: "Give it a name first." })}`,
    });
  });
}

/** @param {Context} ctx @param {GroupRow} group */
export function deleteGroup(ctx, group) {
  const members = membersOf(ctx.store.rows("nodes"), group.id);
  const followers = ctx.store.rows("groups").filter((other) => other.fallback === group.id);
  const waiting = ctx.store.rows("instances").filter((row) => row.group === group.id && !row.node).length;
  confirm(ctx, {
    title: `Delete ${group.name}`,
    text: "Its Macs stay, but leave it.",
    list: [
      members.length ? `${count(members.length, "Mac")} leave it: ${members.slice(0, 5).map((node) => node.name).join(", ")}${members.length > 5 ? ", …" : ""}` : "It has no Macs.",
      ...(followers.length ? [`${followers.map(({ name }) => name).join(", ")} will have no fallback`] : []),
      ...(waiting ? [`${count(waiting, "instance")} that wait for it can then never run`] : []),
    ],
    degree: members.length || waiting ? 3 : 2,
    typed: group.name,
    action: "Delete",
    run: () =>
      ctx.tasks.run({
        title: `Delete group ${group.name}`,
        rows: [{ id: group.id, label: group.name }],
        each: async ({ id }) => {
          await ctx.api.call("DELETE", `/api/v1/group?id=${encodeURIComponent(id)}`, { id });
          return "deleted";
        },
      }),
  });
}

/** @param {Context} ctx @param {GroupRow} group */
export function openAddMacs(ctx, group) {
  /** @type {Set<string>} */
  const chosen = new Set();
  let q = "";
  ctx.open((now) => {
    const others = now.store.rows("nodes").filter((node) => !node.groups.includes(group.id));
    const shown = others
      .filter((node) => node.name.toLowerCase().includes(q.toLowerCase()))
      .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    const nodes = others.filter((node) => chosen.has(node.id));
    return dialog({
      title: `Add Macs to ${group.name}`,
      onClose: () => ctx.close(),
      body: html`<label class="field"><span>Search</span><input type="search" autofocus .value=${q} @input=${(/** @type {Event} */ event) => {
          q = /** @type {HTMLInputElement} */ (event.target).value;
          ctx.update();
        }}></label>
        <fieldset class="choices"><legend class="hint">${count(others.length, "Mac")} not in it</legend>${shown.map(
          (node) => html`<label class="choice"><input type="checkbox" .checked=${chosen.has(node.id)} @change=${() => {
            if (!chosen.delete(node.id)) chosen.add(node.id);
            ctx.update();
          }}><span>${node.name}</span><small>${[node.arch, wordOf(node)].filter(Boolean).join(", ")}</small></label>`)}</fieldset>`,
      actions: html`${button({ ctx: now, label: "Cancel", run: () => ctx.close() })}
        ${button({ ctx: now, label: nodes.length ? `Add ${count(nodes.length, "Mac")}` : "Add", right: "add_node_to_group", primary: true,
          disabled: !nodes.length, why: "Choose a Mac first.", run: () => {
            ctx.close();
            void changeGroups(ctx, nodes, [group.id], true);
          } })}`,
    });
  });
}
