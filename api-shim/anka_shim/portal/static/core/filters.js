// @ts-check
/** Filters of lists. Pure. */

/** Every word of the search stands somewhere in the text. @param {string} text @param {string | undefined} q */
export function matches(text, q) {
  if (!q) return true;
  const where = text.toLowerCase();
  return q.toLowerCase().split(/\s+/).every((word) => where.includes(word));
}

/** One of a list in the query, `Started,Error`; an empty query lets all pass. @param {string | null | undefined} value @param {string | undefined} wanted */
export function isOneOf(value, wanted) {
  return !wanted || wanted.split(",").includes(value ?? "");
}
