/* Proof receipts: anyone who holds one and the service's public keys can check it, offline. */
import { fromBase64url, fromUtf8, toUtf8, webCrypto } from './bytes.mjs';
import { HumanOpsError } from './errors.mjs';

/** @typedef {import('../types/api.d.ts').ReceiptClaims} ReceiptClaims */
/** @typedef {import('../types/api.d.ts').Jwks} Jwks */

const ALGORITHM = 'ES256',
  TYPE = 'receipt+jwt';
const RECEIPT_MAX = 1024 * 1024;

/** @param {string} message @param {unknown} [cause] */
const refused = (message, cause) => new HumanOpsError({ code: 'receipt_invalid', message, cause });

/** @param {string} part @param {string} what */
function objectOf(part, what) {
  try {
    const bytes = fromBase64url(part);
    const value = bytes === null ? null : JSON.parse(fromUtf8(bytes));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    /* below */
  }
  throw refused(`The receipt's ${what} cannot be read.`);
}

/**
 * Checks a receipt (JWS, ES256) against the service's keys and gives its claims.
 * @param {string} receipt as GET /tasks/:id/receipt gives it
 * @param {Jwks} jwks as /.well-known/jwks.json gives it; keep a copy and no network is needed
 * @param {{ issuer?: string, taskId?: string }} [expected] whose receipt and of which task it must be
 * @returns {Promise<ReceiptClaims>}
 * Throws HumanOpsError `receipt_invalid`.
 */
export async function verifyReceipt(receipt, jwks, { issuer, taskId } = {}) {
  const parts = typeof receipt === 'string' && receipt.length <= RECEIPT_MAX ? receipt.split('.') : [];
  if (parts.length !== 3) throw refused('This is no receipt.');
  const header = objectOf(parts[0], 'header'),
    signature = fromBase64url(parts[2]);
  /* The algorithm is ours to say, never the token's; what crit demands is not known here (RFC 7515, 4.1.11). */
  if (header.alg !== ALGORITHM || header.typ !== TYPE || header.crit !== undefined)
    throw refused('The receipt is not of the kind that the service signs.');
  if (signature === null || signature.length !== 64) throw refused('The signature cannot be read.');
  const jwk = jwks?.keys?.find((key) => key.kid === header.kid && key.kty === 'EC' && key.crv === 'P-256');
  if (jwk === undefined || typeof header.kid !== 'string')
    throw refused('The receipt is signed with a key that is not among these.');
  const { subtle } = await webCrypto(),
    curve = { name: 'ECDSA', namedCurve: 'P-256' };
  let isGood;
  try {
    const key = await subtle.importKey('jwk', { kty: 'EC', crv: 'P-256', x: jwk.x, y: jwk.y }, curve, false, [
      'verify',
    ]);
    isGood = await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, toUtf8(`${parts[0]}.${parts[1]}`));
  } catch (cause) {
    throw refused('The key cannot be used.', cause);
  }
  if (!isGood) throw refused('The signature does not match.');
  const claims = objectOf(parts[1], 'claims');
  if (issuer !== undefined && claims.iss !== issuer) throw refused('The receipt is of another service.');
  if (taskId !== undefined && claims.sub !== taskId) throw refused('The receipt is of another task.');
  return claims;
}
