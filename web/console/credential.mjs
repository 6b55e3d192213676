/*
 * The agent's half of a credential's way from end to end (spec 9): a P-256 key pair made in the page, and the opening
 * of what an operator sealed for it.  WebCrypto does both; the private key leaves the page as a file that the user
 * saves, and no other way.
 */
const ALGORITHM = 'ECDH-P256-AES-256-GCM';
const CURVE = { name: 'ECDH', namedCurve: 'P-256' };
const POINT_BYTES = 65,
  IV_BYTES = 12;

const toBase64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

function fromBase64(text, what) {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw new Error(`${what} is not base64`);
  }
}

/* { publicKey: the raw point in base64, as the API takes it; privateKey: a JWK to be kept }. */
export async function newKeyPair() {
  const pair = await crypto.subtle.generateKey(CURVE, true, ['deriveBits']);
  return {
    publicKey: toBase64(await crypto.subtle.exportKey('raw', pair.publicKey)),
    privateKey: await crypto.subtle.exportKey('jwk', pair.privateKey),
  };
}

/* The file in which a private key is kept, and what such a file says. */
export const keyFile = ({ publicKey, privateKey }) =>
  JSON.stringify({ format: 'humanops-credential-key', version: 1, publicKey, privateKey }, null, 2);

export function readKeyFile(text) {
  let file;
  try {
    file = JSON.parse(text);
  } catch {
    throw new Error('This is not a key file: it is no JSON.');
  }
  const { kty, crv, d } = file?.privateKey ?? {};
  if (kty !== 'EC' || crv !== 'P-256' || typeof d !== 'string')
    throw new Error('This is not a key file of this console.');
  return { publicKey: file.publicKey, privateKey: file.privateKey };
}

/*
 * Opens an encrypted_credential with a private key (JWK); the task's id is part of the key, so a blob of another task
 * fails.
 */
export async function openCredential(privateKey, taskId, blob) {
  if (blob.algorithm !== ALGORITHM) throw new Error(`This page does not know the algorithm ${blob.algorithm}.`);
  const point = fromBase64(blob.ephemeralPublicKey, 'The ephemeral key'),
    iv = fromBase64(blob.iv, 'The iv');
  if (point.length !== POINT_BYTES || iv.length !== IV_BYTES) throw new Error('The encrypted credential is damaged.');
  try {
    const own = await crypto.subtle.importKey('jwk', { ...privateKey, key_ops: ['deriveBits'] }, CURVE, false, [
      'deriveBits',
    ]);
    const peer = await crypto.subtle.importKey('raw', point, CURVE, false, []);
    const shared = await crypto.subtle.importKey(
      'raw',
      await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, own, 256),
      'HKDF',
      false,
      ['deriveKey'],
    );
    const key = await crypto.subtle.deriveKey(
      {
        name: 'HKDF',
        hash: 'SHA-256',
        salt: new Uint8Array(),
        info: new TextEncoder().encode(`humanops/credential/v1/${taskId}`),
      },
      shared,
      { name: 'AES-GCM', length: 256 },
      false,
      ['decrypt'],
    );
    const plain = await crypto.subtle.decrypt(
      { name: 'AES-GCM', iv },
      key,
      fromBase64(blob.ciphertext, 'The ciphertext'),
    );
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain));
  } catch (cause) {
    throw new Error('This key does not open the credential of this task.', { cause });
  }
}
