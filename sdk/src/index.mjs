export { HumanOpsClient } from './client.mjs';
export { HumanOpsError } from './errors.mjs';
export { Listing } from './listing.mjs';
export { ALGORITHM, decryptCredential, encryptCredential, generateKeyPair, PLAINTEXT_MAX } from './e2ee.mjs';
export { signWebhook, verifyWebhook } from './webhook.mjs';
export { verifyReceipt } from './receipt.mjs';
export { VERSION } from './version.mjs';
/** @typedef {import('./transport.mjs').ClientOptions} ClientOptions */
/** @typedef {import('./transport.mjs').RequestOptions} RequestOptions */
/** @typedef {import('./client.mjs').WaitOptions} WaitOptions */
/** @typedef {import('./e2ee.mjs').PrivateKey} PrivateKey */
