/**
 * WebCrypto: of the browser, or of Node, where version 18 has it in a module only.
 * @returns {Promise<Crypto>}
 */
export function webCrypto(): Promise<Crypto>;
/** @param {Uint8Array | ArrayBuffer} bytes */
export function toBase64(bytes: Uint8Array | ArrayBuffer): string;
/**
 * Strict: one text for each value (RFC 4648, 3.5), padding included.  null for anything else.
 * @param {unknown} text
 * @returns {Uint8Array<ArrayBuffer> | null}
 */
export function fromBase64(text: unknown): Uint8Array<ArrayBuffer> | null;
/**
 * base64url without padding (RFC 7515, 2), as strict.
 * @param {unknown} text
 */
export function fromBase64url(text: unknown): Uint8Array<ArrayBuffer> | null;
export function toUtf8(text: string): Uint8Array<ArrayBuffer>;
export function fromUtf8(bytes: Uint8Array | ArrayBuffer): string;
