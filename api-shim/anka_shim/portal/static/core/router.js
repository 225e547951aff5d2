// @ts-check
/**
 * Routes are in the hash: `#/instances/abc?phase=Started`. Pure.
 *
 * @typedef {import("./types").Route} Route
 */

/** @param {string} hash @returns {{path: string, query: Record<string, string>}} */
export function parseHash(hash) {
  const text = hash.replace(/^#?\/?/, "");
  const at = text.indexOf("?");
  const path = (at < 0 ? text : text.slice(0, at)).replace(/\/+$/, "");
  /** @type {Record<string, string>} */
  const query = {};
  if (at >= 0) for (const [key, value] of new URLSearchParams(text.slice(at + 1))) query[key] = value;
  return { path, query };
}

/** @param {string} path @param {Record<string, string | null | undefined>} [query] */
export function formatHash(path, query = {}) {
  const known = Object.entries(query).filter(([, value]) => value != null && value !== "");
  const text = new URLSearchParams(/** @type {[string, string][]} */ (known)).toString();
  return `#/${path}${text ? `?${text}` : ""}`;
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a lone % that somebody typed
  }
}

/**
 * @param {string} pattern `instances/:id`
 * @param {string} path
 * @returns {Record<string, string> | null}
 */
export function matchPath(pattern, path) {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return null;
  /** @type {Record<string, string>} */
  const params = {};
  for (const [i, part] of wanted.entries()) {
    const text = decode(given[i] ?? "");
    if (part.startsWith(":")) {
      if (!text) return null;
      params[part.slice(1)] = text;
    } else if (part !== text) return null;
  }
  return params;
}

/**
 * The view that a hash names, or null.
 *
 * @template {{name: string, path: string, aliases?: string[]}} V
 * @param {readonly V[]} views
 * @param {string} hash
 * @returns {{view: V, route: Route} | null}
 */
export function findRoute(views, hash) {
  const { path, query } = parseHash(hash);
  for (const view of views) {
    for (const pattern of [view.path, ...(view.aliases ?? [])]) {
      const params = matchPath(pattern, path);
      if (params) return { view, route: { view: view.name, path, params, query } };
    }
  }
  return null;
}
