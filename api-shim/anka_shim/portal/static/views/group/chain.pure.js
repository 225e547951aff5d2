// @ts-check
/** Which groups take over, one after another. Pure. */

/** @typedef {import("../../core/types").GroupRow} GroupRow */
/** @typedef {import("../../core/types").NodeRow} NodeRow */

/**
 * @typedef {object} Link
 * @property {string} id
 * @property {string} name
 * @property {"known"|"missing"|"circle"} kind `circle`: it stands further left already
 */

/**
 * @param {readonly GroupRow[]} groups
 * @param {string} id of the group to begin with
 * @returns {Link[]} the group itself, its fallback, that one's fallback, …
 */
export function chainOf(groups, id) {
  const known = new Map(groups.map((group) => [group.id, group]));
  /** @type {Link[]} */
  const chain = [];
  const seen = new Set();
  /** @type {string|null|undefined} */
  let next = id;
  while (next) {
    const group = known.get(next);
    if (!group) return [...chain, {id: next, name: next, kind: "missing"}];
    if (seen.has(next)) return [...chain, {id: next, name: group.name, kind: "circle"}];
    seen.add(next);
    chain.push({id: next, name: group.name, kind: "known"});
    next = group.fallback;
  }
  return chain;
}

/**
 * Groups that may become the fallback of `id`: not itself, and none that leads back to it.
 * @param {readonly GroupRow[]} groups
 * @param {string|undefined} id absent: of a new group
 * @returns {GroupRow[]}
 */
export function possibleFallbacks(groups, id) {
  return groups.filter((group) => !id || !chainOf(groups, group.id).some((link) => link.id === id));
}

/**
 * @param {readonly NodeRow[]} nodes
 * @param {string} id of a group
 */
export const membersOf = (nodes, id) => nodes.filter((node) => (node.groups ?? []).includes(id));
