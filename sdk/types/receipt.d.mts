/**
 * Checks a receipt (JWS, ES256) against the service's keys and gives its claims.
 * @param {string} receipt as GET /tasks/:id/receipt gives it
 * @param {Jwks} jwks as /.well-known/jwks.json gives it; keep a copy and no network is needed
 * @param {{ issuer?: string, taskId?: string }} [expected] whose receipt and of which task it must be
 * @returns {Promise<ReceiptClaims>}
 * Throws HumanOpsError `receipt_invalid`.
 */
export function verifyReceipt(receipt: string, jwks: Jwks, { issuer, taskId }?: {
    issuer?: string;
    taskId?: string;
}): Promise<ReceiptClaims>;
export type ReceiptClaims = import("../types/api.d.ts").ReceiptClaims;
export type Jwks = import("../types/api.d.ts").Jwks;
