/**
 * Credentials end to end: the operator's side encrypts for the agent's public key, and only the holder of the private key can
 * read.  An ephemeral P-256 key, ECDH, HKDF-SHA-256 without salt over the shared x with info `humanops/credential/v1/` + task id
 * (so that a blob opens for its own task alone), AES-256-GCM with a random iv of 12 bytes and the tag at the ciphertext's end.
 * tests/vectors/e2ee.json holds every value between.
 */
import { fromBase64, fromUtf8, toBase64, toUtf8, webCrypto } from './bytes.mjs';
import { HumanOpsError } from './errors.mjs';

/** @typedef {import('../types/api.d.ts').EncryptedCredential} EncryptedCredential */
/**
 * A private key: base64 of PKCS#8 as {@link generateKeyPair} makes it, a JWK, or a CryptoKey that may derive bits.
 * @typedef {string | JsonWebKey | CryptoKey} PrivateKey
 */

export const ALGORITHM = 'ECDH-P256-AES-256-GCM';
/** The longest credential, in bytes of its UTF-8 JSON. */
export const PLAINTEXT_MAX = 64 * 1024;
const INFO = 'humanops/credential/v1/';
const POINT_SIZE = 65,
  IV_SIZE = 12,
  TAG_SIZE = 16,
  UNCOMPRESSED = 4;
const CURVE = { name: 'ECDH', namedCurve: 'P-256' };
/* What stands before the raw point in the one form of SubjectPublicKeyInfo that a P-256 key has (RFC 5480). */
const SPKI_HEAD = fromBase64('MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgA=');

/** @param {string} code @param {string} message @param {unknown} [cause] */
const fault = (code, message, cause) => new HumanOpsError({ code, message, cause });

/**
 * A new pair.  `publicKey` goes to the service as `agent_public_key`; `privateKey` stays with you until the credential is read.
 * @returns {Promise<{ publicKey: string, privateKey: string }>} base64 of the raw point, base64 of PKCS#8
 */
export async function generateKeyPair() {
  const { subtle } = await webCrypto();
  const pair = /** @type {CryptoKeyPair} */ (await subtle.generateKey(CURVE, true, ['deriveBits']));
  return {
    publicKey: toBase64(await subtle.exportKey('raw', pair.publicKey)),
    privateKey: toBase64(await subtle.exportKey('pkcs8', pair.privateKey)),
  };
}

/** The raw point in base64 of raw or SPKI. @param {unknown} text */
function pointOf(text) {
  const bytes = fromBase64(text),
    head = /** @type {Uint8Array} */ (SPKI_HEAD);
  if (bytes !== null && bytes.length === head.length + POINT_SIZE && head.every((byte, i) => bytes[i] === byte))
    return bytes.slice(head.length);
  return bytes;
}

/** Refuses a point that is not on the curve. @param {Uint8Array<ArrayBuffer> | null} point @param {string} what */
async function importPoint(point, what) {
  const { subtle } = await webCrypto();
  try {
    if (point?.length !== POINT_SIZE || point[0] !== UNCOMPRESSED)
      throw new TypeError('not an uncompressed P-256 point');
    return await subtle.importKey('raw', point, CURVE, false, []);
  } catch (cause) {
    throw fault('key_invalid', `${what} is no P-256 public key.`, cause);
  }
}

/** @param {PrivateKey} key @returns {Promise<CryptoKey>} */
async function importPrivate(key) {
  const { subtle } = await webCrypto();
  try {
    if (typeof key === 'string') {
      const bytes = fromBase64(key);
      if (bytes === null) throw new TypeError('not base64');
      return await subtle.importKey('pkcs8', bytes, CURVE, false, ['deriveBits']);
    }
    if ('kty' in key)
      return await subtle.importKey('jwk', { kty: key.kty, crv: key.crv, d: key.d, x: key.x, y: key.y }, CURVE, false, [
        'deriveBits',
      ]);
    const own = /** @type {CryptoKey} */ (key);
    if (!own.usages.includes('deriveBits')) throw new TypeError('may not derive bits');
    return own;
  } catch (cause) {
    throw fault('key_invalid', 'This is no P-256 private key: base64 of PKCS#8, a JWK or a CryptoKey.', cause);
  }
}

/** @param {CryptoKey} own @param {CryptoKey} other @param {string} taskId @param {KeyUsage} usage */
async function deriveKey(own, other, taskId, usage) {
  const { subtle } = await webCrypto();
  const shared = await subtle.importKey(
    'raw',
    await subtle.deriveBits({ name: 'ECDH', public: other }, own, 256),
    'HKDF',
    false,
    ['deriveKey'],
  );
  return subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: toUtf8(INFO + taskId) },
    shared,
    { name: 'AES-GCM', length: 256 },
    false,
    [usage],
  );
}

/**
 * Encrypts a credential, any JSON value, as an operator's side does: for the agent's public key and one task.
 * @param {string} publicKey base64 of the raw point or of SPKI
 * @param {string} taskId
 * @param {unknown} credential
 * @returns {Promise<EncryptedCredential>}
 * Throws HumanOpsError `key_invalid`, `credential_too_long`.
 */
export async function encryptCredential(publicKey, taskId, credential) {
  const plain = toUtf8(JSON.stringify(credential) ?? 'null');
  if (plain.length > PLAINTEXT_MAX)
    throw fault('credential_too_long', `A credential has at most ${PLAINTEXT_MAX} bytes of JSON.`);
  const other = await importPoint(pointOf(publicKey), 'agent_public_key');
  const crypto = await webCrypto(),
    { subtle } = crypto;
  const own = /** @type {CryptoKeyPair} */ (await subtle.generateKey(CURVE, false, ['deriveBits']));
  const iv = crypto.getRandomValues(new Uint8Array(IV_SIZE));
  const ciphertext = await subtle.encrypt(
    { name: 'AES-GCM', iv },
    await deriveKey(own.privateKey, other, taskId, 'encrypt'),
    plain,
  );
  return {
    ciphertext: toBase64(ciphertext),
    iv: toBase64(iv),
    ephemeralPublicKey: toBase64(await subtle.exportKey('raw', own.publicKey)),
    algorithm: ALGORITHM,
  };
}

/**
 * Opens a credential of a task, as {@link HumanOpsClient.encryptedCredential} gives it.
 * @param {PrivateKey} privateKey
 * @param {string} taskId
 * @param {EncryptedCredential} blob
 * @returns {Promise<any>} the credential, as the operator's side wrote it: data of a stranger
 * Throws HumanOpsError `key_invalid`, `credential_invalid` (not of this shape), `decryption_failed` (other key, task or bytes).
 */
export async function decryptCredential(privateKey, taskId, blob) {
  const ciphertext = fromBase64(blob?.ciphertext),
    iv = fromBase64(blob?.iv),
    point = fromBase64(blob?.ephemeralPublicKey);
  if (blob?.algorithm !== ALGORITHM) throw fault('credential_invalid', `Only ${ALGORITHM} is known here.`);
  if (
    ciphertext === null ||
    iv === null ||
    iv.length !== IV_SIZE ||
    ciphertext.length < TAG_SIZE ||
    ciphertext.length > PLAINTEXT_MAX + TAG_SIZE
  )
    throw fault('credential_invalid', 'The encrypted credential is damaged.');
  const own = await importPrivate(privateKey);
  const { subtle } = await webCrypto();
  let plain;
  try {
    plain = await subtle.decrypt(
      { name: 'AES-GCM', iv },
      await deriveKey(own, await importPoint(point, 'ephemeralPublicKey'), taskId, 'decrypt'),
      ciphertext,
    );
  } catch (cause) {
    throw fault('decryption_failed', 'This key does not open the credential of this task.', cause);
  }
  try {
    return JSON.parse(fromUtf8(plain));
  } catch {
    /* Without a cause: a parser's message quotes what it has read. */
    throw fault('credential_invalid', 'What was decrypted is not JSON.');
  }
}
