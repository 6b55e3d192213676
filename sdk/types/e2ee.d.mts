/**
 * A new pair.  `publicKey` goes to the service as `agent_public_key`; `privateKey` stays with you until the credential is read.
 * @returns {Promise<{ publicKey: string, privateKey: string }>} base64 of the raw point, base64 of PKCS#8
 */
export function generateKeyPair(): Promise<{
    publicKey: string;
    privateKey: string;
}>;
/**
 * Encrypts a credential, any JSON value, as an operator's side does: for the agent's public key and one task.
 * @param {string} publicKey base64 of the raw point or of SPKI
 * @param {string} taskId
 * @param {unknown} credential
 * @returns {Promise<EncryptedCredential>}
 * Throws HumanOpsError `key_invalid`, `credential_too_long`.
 */
export function encryptCredential(publicKey: string, taskId: string, credential: unknown): Promise<EncryptedCredential>;
/**
 * Opens a credential of a task, as {@link HumanOpsClient.encryptedCredential} gives it.
 * @param {PrivateKey} privateKey
 * @param {string} taskId
 * @param {EncryptedCredential} blob
 * @returns {Promise<any>} the credential, as the operator's side wrote it: data of a stranger
 * Throws HumanOpsError `key_invalid`, `credential_invalid` (not of this shape), `decryption_failed` (other key, task or bytes).
 */
export function decryptCredential(privateKey: PrivateKey, taskId: string, blob: EncryptedCredential): Promise<any>;
/** @typedef {import('../types/api.d.ts').EncryptedCredential} EncryptedCredential */
/**
 * A private key: base64 of PKCS#8 as {@link generateKeyPair} makes it, a JWK, or a CryptoKey that may derive bits.
 * @typedef {string | JsonWebKey | CryptoKey} PrivateKey
 */
export const ALGORITHM: "ECDH-P256-AES-256-GCM";
/** The longest credential, in bytes of its UTF-8 JSON. */
export const PLAINTEXT_MAX: number;
export type EncryptedCredential = import("../types/api.d.ts").EncryptedCredential;
/**
 * A private key: base64 of PKCS#8 as {@link generateKeyPair} makes it, a JWK, or a CryptoKey that may derive bits.
 */
export type PrivateKey = string | JsonWebKey | CryptoKey;
