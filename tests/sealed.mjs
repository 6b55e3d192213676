/* Credentials end to end (spec 9), both sides: sealed for a public key and a task, opened by the private key's holder. */
import { createCipheriv, createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';

/* The agent's keys: ecdh, and publicKey as the raw point in base64. */
export function keyPair() {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return { ecdh, publicKey: ecdh.getPublicKey('base64') };
}

const keyOf = (shared, task) => Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), `humanops/credential/v1/${task}`, 32));

export function seal(publicKey, task, credential) {
  const own = keyPair(), iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(own.ecdh.computeSecret(Buffer.from(publicKey, 'base64')), task), iv);
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(credential)), cipher.final(), cipher.getAuthTag()]);
  return { ciphertext: ciphertext.toString('base64'), iv: iv.toString('base64'), ephemeralPublicKey: own.publicKey, algorithm: 'ECDH-P256-AES-256-GCM' };
}

export function unseal({ ecdh }, task, blob) {
  const bytes = Buffer.from(blob.ciphertext, 'base64'), at = bytes.length - 16;
  const key = keyOf(ecdh.computeSecret(Buffer.from(blob.ephemeralPublicKey, 'base64')), task);
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(blob.iv, 'base64'));
  decipher.setAuthTag(bytes.subarray(at));
  return JSON.parse(Buffer.concat([decipher.update(bytes.subarray(0, at)), decipher.final()]));
}
