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
export function verifyWebhook({ payload, headers, secret, scheme, tolerance, now, }: {
    payload: string | Uint8Array | ArrayBuffer;
    headers: HeadersLike;
    secret: string;
    scheme?: "standard" | "humanops";
    tolerance?: number;
    now?: number;
}): Promise<WebhookEvent>;
/**
 * The headers that the service would send with a body, by both schemes: for tests of a receiver, and `humanops listen`.
 * @param {{ id: string, payload: string | Uint8Array, secret: string, now?: number }} options
 * @returns {Promise<Record<string, string>>}
 */
export function signWebhook({ id, payload, secret, now }: {
    id: string;
    payload: string | Uint8Array;
    secret: string;
    now?: number;
}): Promise<Record<string, string>>;
export type WebhookEvent = import("../types/api.d.ts").WebhookEvent;
export type HeadersLike = Headers | Record<string, string | string[] | undefined>;
