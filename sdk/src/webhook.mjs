/**
 * Checks of webhooks, in Node and browsers.  The service signs each with the task's callback_secret in two ways: Standard Webhooks
 * (`webhook-id`, `webhook-timestamp`, `webhook-signature`), which also tells when it was sent, and `X-HumanOps-Signature`, the
 * HMAC-SHA256 of the body in hex, which an old message sent again still bears.
 */
import { fromBase64, fromUtf8, toBase64, toUtf8, webCrypto } from './bytes.mjs';
import { HumanOpsError } from './errors.mjs';

/** @typedef {import('../types/api.d.ts').WebhookEvent} WebhookEvent */
/** @typedef {Headers | Record<string, string | string[] | undefined>} HeadersLike */

const TOLERANCE_S = 300;
const SIGNATURES_MAX = 10; /* a sender that rotates keys sends two */
const HMAC = { name: 'HMAC', hash: 'SHA-256' };

/** @param {string} message */
const refused = (message) => new HumanOpsError({ code: 'signature_invalid', message });

/** A header whatever its case; of several the first. @param {HeadersLike} headers @param {string} name */
function header(headers, name) {
  if (typeof (/** @type {Headers} */ (headers).get) === 'function')
    return /** @type {Headers} */ (headers).get(name) ?? undefined;
  const found = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return Array.isArray(found) ? found[0] : found;
}

/**
 * The key that a secret of Standard Webhooks stands for: whsec_ and base64, or the text itself.
 * @param {string} secret
 */
const standardKey = (secret) =>
  (secret.startsWith('whsec_') ? fromBase64(secret.slice('whsec_'.length)) : null) ?? toUtf8(secret);

/** @param {Uint8Array<ArrayBuffer>} key @param {'sign' | 'verify'} usage */
async function hmacKey(key, usage) {
  return (await webCrypto()).subtle.importKey('raw', key, HMAC, false, [usage]);
}

/** @param {string | Uint8Array | ArrayBuffer} payload */
const bytesOf = (payload) => new Uint8Array(typeof payload === 'string' ? toUtf8(payload) : payload);

/** What is signed by Standard Webhooks. @param {string} id @param {string} timestamp @param {Uint8Array} body */
function standardContent(id, timestamp, body) {
  const head = toUtf8(`${id}.${timestamp}.`),
    content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

/** @param {string} hex */
function fromHex(hex) {
  return /^[0-9a-f]{64}$/i.test(hex) ? Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16)) : null;
}

/**
 * @param {Uint8Array} body
 * @param {HeadersLike} headers
 * @param {string} secret
 * @param {number} tolerance
 * @param {number} now
 */
async function checkStandard(body, headers, secret, tolerance, now) {
  const id = header(headers, 'webhook-id'),
    timestamp = header(headers, 'webhook-timestamp'),
    signature = header(headers, 'webhook-signature');
  if (!id || !timestamp || !signature)
    throw refused('The headers webhook-id, webhook-timestamp and webhook-signature are needed.');
  if (!/^\d{1,12}$/.test(timestamp)) throw refused('webhook-timestamp is no time.');
  if (!(Math.abs(now / 1000 - Number(timestamp)) <= tolerance))
    throw refused('The message is too old or from the future.');
  const { subtle } = await webCrypto();
  const key = await hmacKey(standardKey(secret), 'verify'),
    content = standardContent(id, timestamp, body);
  let isGood = false;
  for (const part of signature.split(' ').slice(0, SIGNATURES_MAX)) {
    const sent = part.startsWith('v1,') ? fromBase64(part.slice('v1,'.length)) : null;
    /* WebCrypto compares in constant time. */
    if (sent !== null && (await subtle.verify('HMAC', key, sent, content))) isGood = true;
  }
  if (!isGood) throw refused('The signature does not match.');
}

/** @param {Uint8Array<ArrayBuffer>} body @param {HeadersLike} headers @param {string} secret */
async function checkHex(body, headers, secret) {
  const sent = fromHex(header(headers, 'x-humanops-signature') ?? '');
  if (sent === null) throw refused('The header X-HumanOps-Signature is needed: 64 hex digits.');
  if (!(await (await webCrypto()).subtle.verify('HMAC', await hmacKey(toUtf8(secret), 'verify'), sent, body)))
    throw refused('The signature does not match.');
}

/**
 * Checks a webhook and gives its event.
 * @param {{ payload: string | Uint8Array | ArrayBuffer, headers: HeadersLike, secret: string, scheme?: 'standard' | 'humanops',
 *   tolerance?: number, now?: number }} options
 *   payload: the body as it came, before any parsing; secret: the task's callback_secret; scheme `humanops` checks
 *   X-HumanOps-Signature instead of the Standard Webhooks headers and so cannot tell a repeat; tolerance: seconds that
 *   webhook-timestamp may be off (300); now: milliseconds.
 * @returns {Promise<WebhookEvent>} the same `id` on every attempt: remember it to do things once
 * Throws HumanOpsError `signature_invalid`, `unreadable` (signed, but no JSON).
 */
export async function verifyWebhook({
  payload,
  headers,
  secret,
  scheme = 'standard',
  tolerance = TOLERANCE_S,
  now = Date.now(),
}) {
  if (typeof secret !== 'string' || secret === '') throw new TypeError('verifyWebhook needs the secret');
  if (typeof payload !== 'string' && !(payload instanceof ArrayBuffer) && !ArrayBuffer.isView(payload))
    throw new TypeError(
      'verifyWebhook needs the body as it came, text or bytes: what was parsed and printed again has other bytes',
    );
  const body = bytesOf(payload);
  if (scheme === 'humanops') await checkHex(body, headers, secret);
  else await checkStandard(body, headers, secret, tolerance, now);
  try {
    return JSON.parse(fromUtf8(body));
  } catch (cause) {
    throw new HumanOpsError({ code: 'unreadable', message: 'The webhook is signed, but it is not JSON.', cause });
  }
}

/**
 * The headers that the service would send with a body, by both schemes: for tests of a receiver, and `humanops listen`.
 * @param {{ id: string, payload: string | Uint8Array, secret: string, now?: number }} options
 * @returns {Promise<Record<string, string>>}
 */
export async function signWebhook({ id, payload, secret, now = Date.now() }) {
  const body = bytesOf(payload),
    timestamp = String(Math.floor(now / 1000)),
    { subtle } = await webCrypto();
  const standard = await subtle.sign(
    'HMAC',
    await hmacKey(standardKey(secret), 'sign'),
    standardContent(id, timestamp, body),
  );
  const plain = await subtle.sign('HMAC', await hmacKey(toUtf8(secret), 'sign'), body);
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${toBase64(standard)}`,
    'X-HumanOps-Signature': Array.from(new Uint8Array(plain), (byte) => byte.toString(16).padStart(2, '0')).join(''),
  };
}
