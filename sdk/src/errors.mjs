/* What goes wrong with a call, in one class. */

/* Worth the same request again, later: the rate window, a restart, the web server's own troubles, and what never reached the service. */
const PASSING_STATUS = new Set([429, 502, 503, 504]);
const PASSING_CODE = new Set(['idempotency_in_progress', 'connection_failed', 'timeout']);

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
  constructor({ code, message, status = 0, details = {}, requestId = null, retryAfter = null, cause }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HumanOpsError';
    /** The API's name of the fault, or one of this package. */
    this.code = code;
    /** HTTP status of the answer; 0 if there was none. */
    this.status = status;
    /** What the service tells beside the sentence, for example `fields` of a 400. */
    this.details = details;
    /** Name it when you ask for help: it stands in the service's logs. */
    this.requestId = requestId;
    /** Seconds after which the service wants to be asked again, or null. */
    this.retryAfter = retryAfter;
  }

  /** Whether the same request may succeed later. */
  get isRetryable() {
    return PASSING_STATUS.has(this.status) || PASSING_CODE.has(this.code);
  }

  /** The faulty fields of a 400 by name; {} for anything else. @returns {Record<string, string>} */
  get fields() {
    return this.details.fields ?? {};
  }
}
