import assert from "node:assert/strict";
import { constants, createPublicKey, generateKeyPairSync, publicEncrypt } from "node:crypto";
import { test } from "node:test";

import { from } from "./from.mjs";

const { KeyFormatError, readPrivateKey } = await from("core/private-key.js");
const { explain, keyHeader, logIn, rootHeader, tokenHeader } = await from("core/login.js");
const { ApiError } = await from("core/api.js");

const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicKey = createPublicKey(privateKey);
const PKCS1 = String(privateKey.export({ type: "pkcs1", format: "pem" }));
const PKCS8 = String(privateKey.export({ type: "pkcs8", format: "pem" }));
const STRING = privateKey.export({ type: "pkcs1", format: "der" }).toString("base64");

const answer = (status, text) => ({ status, text: async () => text });

/** What the shim does: a secret that only this key decrypts. */
function shim(asked = []) {
  return async (path, { body, headers }) => {
    asked.push([path, body ? JSON.parse(body) : headers]);
    if (path === "/tap/v1/hand") {
      const oaep = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
      return answer(200, publicEncrypt(oaep, new TextEncoder().encode("the secret")).toString("base64"));
    }
    if (JSON.parse(body).secret !== "the secret") return answer(401, '{"status":"FAIL","message":"no"}');
    return answer(200, JSON.stringify({ id: "ci", data: { userName: "ci", sessionId: "s", token: "t" } }));
  };
}

for (const [name, key] of Object.entries({ PKCS1, PKCS8, STRING, spaced: `\n  ${PKCS1}\n` })) {
  test(`the handshake with ${name}`, async () => {
    const asked = [];
    const header = await keyHeader(shim(asked), "ci", key);
    const session = JSON.parse(atob(header.replace("Bearer ", "")));
    assert.deepEqual(session, { userName: "ci", sessionId: "s", token: "t" });
    assert.deepEqual(asked.map(([path]) => path), ["/tap/v1/hand", "/tap/v1/shake"]);
    assert.ok(!JSON.stringify(asked).includes(STRING.slice(40, 80)), "nothing of the key was sent");
  });
}

test("all forms are one key", () => {
  const der = [...privateKey.export({ type: "pkcs8", format: "der" })];
  for (const text of [PKCS1, PKCS8, STRING]) assert.deepEqual([...readPrivateKey(text)], der);
});

test("what is no private key is told apart", () => {
  const encrypted = String(privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-128-cbc", passphrase: "x" }));
  for (const [text, words] of [
    ["", /missing/], ["  ", /missing/], ["hello world!", /neither PEM nor base64/], ["aGVsbG8=", /no RSA private key/],
    [encrypted, /passphrase/], [String(publicKey.export({ type: "spki", format: "pem" })), /public part/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----", /another kind/],
    ["x".repeat(30_000), /too long/],
  ])
    assert.throws(() => readPrivateKey(text), (error) => error instanceof KeyFormatError && words.test(error.message), text.slice(0, 40));
});

test("any bytes are a key or are refused with words", async () => {
  for (let i = 0; i < 500; i += 1) {
    const bytes = Uint8Array.from({ length: 1 + (i % 40) }, (_, n) => (n === 0 ? 0x30 : (i * 31 + n * n * 17) & 0xff));
    try {
      readPrivateKey(btoa(String.fromCharCode(...bytes)));
    } catch (error) {
      assert.ok(error instanceof KeyFormatError);
    }
  }
});

test("a key of somebody else is refused before the shake", async () => {
  const other = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const asked = [];
  await assert.rejects(keyHeader(shim(asked), "ci", String(other.export({ type: "pkcs1", format: "pem" }))), /does not belong to the API key ci/);
  assert.equal(asked.length, 1);
});

test("the server's words reach whoever tried", async () => {
  const refuse = (status, message) => async () => answer(status, JSON.stringify({ status: "FAIL", message }));
  const words = async (send) => {
    try {
      await logIn(send, "Bearer x");
    } catch (error) {
      return explain(error);
    }
    return assert.fail("it did not throw");
  };
  assert.equal(await words(refuse(401, "Authentication required")), "The server refused it: Authentication required.");
  assert.equal(await words(refuse(200, "cookies need HTTPS")), "cookies need HTTPS");
  assert.match(await words(refuse(429, "slow down")), /Too many wrong logins/);
  assert.equal(explain(new TypeError("fetch failed")), "The server cannot be reached.");
  assert.equal(explain(new ApiError("API keys are off", 404)), "API keys are off");
});

test("headers", () => {
  assert.equal(atob(rootHeader("pä:ss").slice(6)), "root:p\u00c3\u00a4:ss", "UTF-8");
  assert.equal(tokenHeader(" ey.J.x\n"), "Bearer ey.J.x");
});
