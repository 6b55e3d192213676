/* Bytes and texts, and the platform's WebCrypto. */
import { HumanOpsError } from './errors.mjs';

/**
 * WebCrypto: of the browser, or of Node, where version 18 has it in a module only.
 * @returns {Promise<Crypto>}
 */
export async function webCrypto() {
  const crypto =
    globalThis.crypto ??
    /** @type {any} */ (await import(/* @vite-ignore */ /* webpackIgnore: true */ nodeCrypto)).webcrypto;
  if (crypto?.subtle === undefined)
    throw new HumanOpsError({
      code: 'crypto_missing',
      message: 'There is no WebCrypto here; browsers have it on https pages and localhost only.',
    });
  return crypto;
}
const nodeCrypto = 'node:crypto';

/** @param {Uint8Array | ArrayBuffer} bytes */
export function toBase64(bytes) {
  const view = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes);
  let text = '';
  for (let at = 0; at < view.length; at += 0x8000) text += String.fromCharCode(...view.subarray(at, at + 0x8000));
  return btoa(text);
}

/**
 * Strict: one text for each value (RFC 4648, 3.5), padding included.  null for anything else.
 * @param {unknown} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function fromBase64(text) {
  if (typeof text !== 'string' || !/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text))
    return null;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return toBase64(bytes) === text ? bytes : null;
}

/**
 * base64url without padding (RFC 7515, 2), as strict.
 * @param {unknown} text
 */
export function fromBase64url(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]*$/.test(text) || text.length % 4 === 1) return null;
  return fromBase64(text.replaceAll('-', '+').replaceAll('_', '/') + '='.repeat((4 - (text.length % 4)) % 4));
}

/** @param {string} text */
export const toUtf8 = (text) => new TextEncoder().encode(text);

/** Throws on what is not UTF-8. @param {Uint8Array | ArrayBuffer} bytes */
export const fromUtf8 = (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
