// @ts-check
/**
 * Logging in. Whatever somebody gives ends as one Authorization header at /portal/v1/login, which sets the cookie.
 * A private key never leaves the browser: it decrypts what the server sends.
 */
import { ApiError, readEnvelope } from "./api.js";
import { base64, fromBase64 } from "./bytes.js";
import { KeyFormatError, readPrivateKey } from "./private-key.js";

const OAEP = { name: "RSA-OAEP", hash: "SHA-256" };
const encoder = new TextEncoder();

/** @typedef {(path: string, init: RequestInit) => Promise<{status: number, text(): Promise<string>}>} Fetch */

/** @param {string} token */
export function rootHeader(token) {
  return `Basic ${base64(encoder.encode(`root:${token}`))}`;
}

/** @param {string} token */
export function tokenHeader(token) {
  return `Bearer ${token.trim()}`;
}

/**
 * The login of machines, as CI plugins do it: the hand gets a secret for this key, the shake gives it back.
 *
 * @param {Fetch} send @param {string} id @param {string} key @returns {Promise<string>} the header
 */
export async function keyHeader(send, id, key) {
  const { subtle } = globalThis.crypto ?? {};
  if (!subtle) throw new KeyFormatError("Browsers decrypt only on pages that come by HTTPS, or from localhost.");
  const der = readPrivateKey(key);
  let privateKey;
  try {
    privateKey = await subtle.importKey("pkcs8", der, OAEP, false, ["decrypt"]);
  } catch {
    throw new KeyFormatError("This is no RSA private key.");
  }
  const hand = await ask(send, "/tap/v1/hand", { id });
  let secret;
  try {
    secret = new TextDecoder().decode(await subtle.decrypt(OAEP, privateKey, fromBase64(hand)));
  } catch {
    throw new KeyFormatError(`This private key does not belong to the API key ${id}.`);
  }
  const shake = JSON.parse(await ask(send, "/tap/v1/shake", { id, secret }));
  return `Bearer ${base64(encoder.encode(JSON.stringify(shake.data)))}`;
}

/** @param {Fetch} send @param {string} path @param {unknown} body @returns {Promise<string>} */
async function ask(send, path, body) {
  const answer = await send(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const text = await answer.text();
  if (answer.status !== 200) readEnvelope(answer.status, text);
  return text;
}

/** @param {Fetch} send @param {string} header */
export async function logIn(send, header) {
  const headers = { Authorization: header, "X-Anka-Portal": "1" };
  const answer = await send("/portal/v1/login", { method: "POST", headers, credentials: "same-origin" });
  readEnvelope(answer.status, await answer.text());
}

/** Why it failed, for whoever tried. @param {unknown} error */
export function explain(error) {
  if (error instanceof KeyFormatError) return error.message;
  if (error instanceof ApiError) {
    if (error.code === 401) return `The server refused it: ${error.message}.`.replace(/\.\.$/, ".");
    if (error.code === 429) return "Too many wrong logins came from this address. Wait a minute, then try again.";
    return error.message;
  }
  return "The server cannot be reached.";
}
