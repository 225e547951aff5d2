// @ts-check
/**
 * Private keys as people have them: PEM of either kind, or the one line that the old controller calls the key string.
 * Pure: text in, the bytes that WebCrypto imports (PKCS#8) out.
 */
import { fromBase64 } from "./bytes.js";

const RSA = [0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
const SEQUENCE = 0x30;
const INTEGER = 0x02;
const OCTETS = 0x04;
const LONGEST = 20_000;

/** What is wrong with a key, for whoever gave it. */
export class KeyFormatError extends Error {}

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
export function readPrivateKey(text) {
  const trimmed = text.trim();
  if (!trimmed) throw new KeyFormatError("The private key is missing.");
  if (trimmed.length > LONGEST) throw new KeyFormatError("This is too long for a private key.");
  if (/ENCRYPTED/.test(trimmed)) {
    throw new KeyFormatError("The key has a passphrase. Remove it first: openssl rsa -in key.pem -out plain.pem");
  }
  if (/BEGIN (PUBLIC KEY|RSA PUBLIC KEY|CERTIFICATE)/.test(trimmed)) {
    throw new KeyFormatError("This is the public part. The private key begins with BEGIN PRIVATE KEY or BEGIN RSA PRIVATE KEY.");
  }
  if (/BEGIN (EC|OPENSSH|DSA)/.test(trimmed)) throw new KeyFormatError("API keys are RSA keys in PEM; this is another kind.");
  const inside = /-----BEGIN (?:RSA )?PRIVATE KEY-----([\s\S]*?)-----END (?:RSA )?PRIVATE KEY-----/.exec(trimmed);
  const base64 = inside ? /** @type {string} */ (inside[1]) : trimmed;
  let der;
  try {
    der = fromBase64(base64);
  } catch {
    throw new KeyFormatError("This is neither PEM nor base64.");
  }
  return toPkcs8(der);
}

/** @param {Uint8Array<ArrayBuffer>} der @returns {Uint8Array<ArrayBuffer>} */
function toPkcs8(der) {
  const unknown = new KeyFormatError("This is no RSA private key.");
  if (der[0] !== SEQUENCE) throw unknown;
  const start = contentStart(der);
  // Version 0, then: the modulus (PKCS#1), or the algorithm (PKCS#8).
  if (der[start] !== INTEGER || der[start + 1] !== 1 || der[start + 2] !== 0) throw unknown;
  const next = der[start + 3];
  if (next === SEQUENCE) return der;
  if (next !== INTEGER) throw unknown;
  const octets = wrap(OCTETS, der);
  return wrap(SEQUENCE, Uint8Array.from([INTEGER, 1, 0, ...RSA, ...octets]));
}

/** Where the content of the outer element begins. @param {Uint8Array} der */
function contentStart(der) {
  const length = der[1] ?? 0;
  return length < 0x80 ? 2 : 2 + (length & 0x7f);
}

/** @param {number} tag @param {Uint8Array} content @returns {Uint8Array<ArrayBuffer>} */
function wrap(tag, content) {
  const { length } = content;
  if (length < 0x80) return Uint8Array.from([tag, length, ...content]);
  const digits = [];
  for (let rest = length; rest > 0; rest >>= 8) digits.unshift(rest & 0xff);
  return Uint8Array.from([tag, 0x80 | digits.length, ...digits, ...content]);
}
