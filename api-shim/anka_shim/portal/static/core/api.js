// @ts-check
/** Requests to the REST API, and the same as a line for a terminal. */

export class ApiError extends Error {
  /** @param {string} message @param {number} code the HTTP status; 0: no answer */
  constructor(message, code) {
    super(message);
    this.name = "ApiError";
    this.code = code;
  }
}

/** Single quotes for a shell. @param {string} text */
export function quote(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** @param {string} method @param {string} path @param {unknown} [body] */
export function curl(method, path, body) {
  const parts = ["curl -s"];
  if (method !== "GET") parts.push(`-X ${method}`);
  parts.push(`"$ANKA"${quote(path)}`);
  if (body !== undefined) parts.push(`-d ${quote(JSON.stringify(body))}`);
  return parts.join(" ");
}

/**
 * The body of the envelope, or an error with the server's own words.
 *
 * @param {number} code @param {string} text @returns {any}
 */
export function readEnvelope(code, text) {
  let answer;
  try {
    answer = JSON.parse(text);
  } catch {
    const words = text.trim().split("\n")[0]?.slice(0, 200);
    throw new ApiError(words || `The server answered ${code} without a reason.`, code);
  }
  if (answer?.status === "OK") return answer.body;
  throw new ApiError(answer?.message || `The server answered ${code} without a reason.`, code);
}

/**
 * @param {{onLoggedOut: () => void}} options
 * @returns {import("./types").Api}
 */
export function createApi({ onLoggedOut }) {
  return {
    curl,
    async call(method, path, body, { signal } = {}) {
      /** @type {Record<string, string>} */
      const headers = { "X-Anka-Portal": "1", Accept: "application/json" };
      /** @type {RequestInit} */
      const request = { method, headers, credentials: "same-origin", cache: "no-store" };
      if (signal) request.signal = signal;
      if (body !== undefined) {
        headers["Content-Type"] = "application/json";
        request.body = JSON.stringify(body);
      }
      let response;
      try {
        response = await fetch(path, request);
      } catch (error) {
        if (signal?.aborted) throw error;
        throw new ApiError("The server cannot be reached.", 0);
      }
      if (response.status === 401) onLoggedOut();
      return readEnvelope(response.status, await response.text());
    },
  };
}
