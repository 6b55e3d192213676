/**
 * The service refused a call, or could not be asked.
 *
 * `code` is the API's (`insufficient_balance`, `validation_failed`, …) or one of this package: `connection_failed`, `timeout`,
 * `unreadable` (the answer is not what the service sends), `too_large`, `redirect_refused`, `task_ended`, and those of
 * {@link decryptCredential}, {@link verifyWebhook} and {@link verifyReceipt}.
 */
export class HumanOpsError extends Error {
    /**
     * @param {{ code: string, message: string, status?: number, details?: Record<string, any>, requestId?: string | null,
     *   retryAfter?: number | null, cause?: unknown }} options
     */
    constructor({ code, message, status, details, requestId, retryAfter, cause }: {
        code: string;
        message: string;
        status?: number;
        details?: Record<string, any>;
        requestId?: string | null;
        retryAfter?: number | null;
        cause?: unknown;
    });
    /** The API's name of the fault, or one of this package. */
    code: string;
    /** HTTP status of the answer; 0 if there was none. */
    status: number;
    /** What the service tells beside the sentence, for example `fields` of a 400. */
    details: Record<string, any>;
    /** Name it when you ask for help: it stands in the service's logs. */
    requestId: string | null;
    /** Seconds after which the service wants to be asked again, or null. */
    retryAfter: number | null;
    /** Whether the same request may succeed later. */
    get isRetryable(): boolean;
    /** The faulty fields of a 400 by name; {} for anything else. @returns {Record<string, string>} */
    get fields(): Record<string, string>;
}
