// @ts-check
/** What ids are called. @typedef {import("../../core/types").Context} Context */
import { link } from "../../components/text.js";
import { compare } from "../../core/sort.js";

/** @param {Context} ctx @param {string | null | undefined} id */
export function nodeName(ctx, id) {
  return ctx.store.get("nodes", id)?.name ?? id ?? "";
}

/** @param {Context} ctx @param {string | null | undefined} id */
export function groupName(ctx, id) {
  return ctx.store.get("groups", id)?.name ?? id ?? "";
}

/** @param {Context} ctx @param {string | null | undefined} id */
export function nodeLink(ctx, id) {
  return link("nodes", id, nodeName(ctx, id));
}

/** @param {import("../../core/types").TemplateRow} template */
export function templateTitle(template) {
  return template.displayName || template.name || template.id;
}

/** Templates as choices, in order. @param {Context} ctx */
export function templateOptions(ctx) {
  return ctx.store
    .rows("templates")
    .map((row) => ({ value: row.id, label: row.arch ? `${templateTitle(row)} (${row.arch})` : templateTitle(row) }))
    .sort((a, b) => compare(a.label, b.label));
}

/** Tags of a template as choices, newest first. @param {Context} ctx @param {string} id @param {string} [none] */
export function tagOptions(ctx, id, none = "latest") {
  const template = ctx.store.get("templates", id);
  const latest = template?.latestTag;
  const tags = [...(template?.versions ?? [])].reverse().flatMap(({ tag }) => (tag ? [{ value: tag, label: tag }] : []));
  return [{ value: "", label: latest ? `${none} (now ${latest})` : none }, ...tags];
}

/** @param {Context} ctx */
export function groupOptions(ctx) {
  return ctx.store
    .rows("groups")
    .map((row) => ({ value: row.id, label: row.name }))
    .sort((a, b) => compare(a.label, b.label));
}

/** @param {Context} ctx */
export function nodeOptions(ctx) {
  return ctx.store
    .rows("nodes")
    .map((row) => ({ value: row.id, label: row.state === "Active" ? row.name : `${row.name} (${row.state ?? "joining"})` }))
    .sort((a, b) => compare(a.label, b.label));
}
