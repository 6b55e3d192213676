/*
 * Credentials, encrypted in the page so that only the agent can read them (spec 9): an ephemeral P-256 key, ECDH, HKDF-SHA-256,
 * AES-256-GCM.  WebCrypto alone, so that it runs in Node's tests as in the page.
 */

export const ALGORITHM = 'ECDH-P256-AES-256-GCM';
export const PLAINTEXT_MAX = 64 * 1024;
const POINT_SIZE = 65,
  IV_SIZE = 12;
/* What stands before the raw point in the one form of SubjectPublicKeyInfo that a P-256 key has (RFC 5480). */
const SPKI_HEAD = [
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
  0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const P256 = { name: 'ECDH', namedCurve: 'P-256' };
const subtle = () => globalThis.crypto.subtle;

/* The key is none, or the credential is too long: `code` is key_invalid or too_long. */
export class SealError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.name = 'SealError';
    this.code = code;
  }
}

export const toBase64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
export const fromBase64 = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/* The raw point of a public key in base64, raw or SPKI.  Throws SealError key_invalid. */
function pointOf(publicKey) {
  let bytes;
  try {
    bytes = fromBase64(publicKey);
  } catch (cause) {
    throw new SealError('key_invalid', cause);
  }
  if (bytes.length === SPKI_HEAD.length + POINT_SIZE && SPKI_HEAD.every((byte, i) => bytes[i] === byte))
    bytes = bytes.slice(SPKI_HEAD.length);
  if (bytes.length !== POINT_SIZE || bytes[0] !== 4) throw new SealError('key_invalid');
  return bytes;
}

/* Refuses a point that is not on the curve. */
async function importPoint(point) {
  try {
    return await subtle().importKey('raw', point, P256, false, []);
  } catch (cause) {
    throw new SealError('key_invalid', cause);
  }
}

/* What two people compare to know that they mean the same key: SHA-256 of the raw point, 16 groups of four hex digits. */
export async function fingerprint(publicKey) {
  const hash = new Uint8Array(await subtle().digest('SHA-256', pointOf(publicKey)));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0'))
    .join('')
    .match(/.{4}/g)
    .join(' ');
}

async function keyOf(own, other, task) {
  const shared = await subtle().deriveBits({ name: 'ECDH', public: other }, own, 256);
  const secret = await subtle().importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const info = new TextEncoder().encode(`humanops/credential/v1/${task}`);
  return subtle().deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info },
    secret,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt'],
  );
}

/*
 * seal(publicKey, taskId, credential): the credential (any JSON value) as POST /operator/tasks/:id/submit takes it.  A new
 * ephemeral key each time; its private half is gone with this call.  Throws SealError.
 */
export async function seal(publicKey, task, credential) {
  const plain = new TextEncoder().encode(JSON.stringify(credential));
  if (plain.length > PLAINTEXT_MAX) throw new SealError('too_long');
  const other = await importPoint(pointOf(publicKey));
  const own = await subtle().generateKey(P256, false, ['deriveBits']);
  const iv = globalThis.crypto.getRandomValues(new Uint8Array(IV_SIZE));
  const ciphertext = await subtle().encrypt({ name: 'AES-GCM', iv }, await keyOf(own.privateKey, other, task), plain);
  return {
    ciphertext: toBase64(new Uint8Array(ciphertext)),
    iv: toBase64(iv),
    ephemeralPublicKey: toBase64(new Uint8Array(await subtle().exportKey('raw', own.publicKey))),
    algorithm: ALGORITHM,
  };
}
