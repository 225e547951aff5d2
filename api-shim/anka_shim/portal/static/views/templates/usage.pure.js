// @ts-check
/** What runs on a template, and what goes when it, or one of its tags, goes. Pure. */
import { isGoing } from "../instances/facts.pure.js";

/** @typedef {import("../../core/types").InstanceRow} Instance */
/** @typedef {import("../../core/types").TemplateRow} Template */
/** @typedef {NonNullable<Template["versions"]>[number]} Version */

/** Until it is resolved, a row has the word of the request: an id or a name. @param {Template} template @param {Instance} row */
function isFrom(template, row) {
  const word = row.template.id ?? row.template.name;
  return word === template.id || word === template.name;
}

/** Instances of it that have not gone. @param {Template} template @param {readonly Instance[]} instances */
export function runningOn(template, instances) {
  return instances.filter((row) => isFrom(template, row) && !isGoing(row));
}

/** How many run on each template: a function of the template. @param {readonly Instance[]} instances */
export function countByTemplate(instances) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const row of instances) {
    const word = row.template.id ?? row.template.name;
    if (word && !isGoing(row)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return /** @param {Template} template */ (template) =>
    (counts.get(template.id) ?? 0) + (counts.get(template.name) ?? 0);
}

/** Newest first, as people look for them. @param {Template} template */
export function newestFirst(template) {
  return [...(template.versions ?? [])].reverse();
}

/** What a revert to before this version removes: it, and all newer ones, oldest first. @param {Template} template @param {number} number */
export function removedBy(template, number) {
  return (template.versions ?? []).filter((version) => version.number >= number);
}

/** Nodes that hold it, each once. @param {Template} template */
export function holders(template) {
  return [...new Set((template.nodes ?? []).map((location) => location.node))];
}

/** Which of these tags the instances run on. @param {readonly Version[]} versions @param {readonly Instance[]} running */
export function runningOnTags(versions, running) {
  const tags = new Set(versions.map((version) => version.tag));
  return running.filter((row) => tags.has(row.template.tag));
}

/** A rule as a sentence: `keeps 15.2 on group ios`. @param {NonNullable<Template["rules"]>[number]} rule @param {(id: string) => string} groupName */
export function ruleText(rule, groupName) {
  const tag = rule.tag || "the latest";
  const groups = rule.groups ?? [];
  const nodes = rule.nodes ?? [];
  const places = [
    ...(groups.length ? [`${groups.length === 1 ? "group" : "groups"} ${groups.map(groupName).join(", ")}`] : []),
    ...(nodes.length ? [nodes.join(", ")] : []),
  ];
  return `keeps ${tag} on ${places.join(" and ") || "all Macs"}`;
}
