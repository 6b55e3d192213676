/*
 * Calls of the HTTP API from a page.  An answer is its parsed JSON; whatever goes wrong is one ApiError.  A call that
 * may safely be sent twice (a GET, or one with an idempotency key) is sent again when the service says that it is
 * busy.
 */

const RETRIES = 2;
const RETRY_MAX_S = 10; /* whoever waits longer than this is told, rather than kept */
const TIMEOUT_MS = 25_000; /* a little longer than the server's own */
const SAFE = new Set(['GET', 'HEAD']);
/* Worth the same question again: the rate window, a restart, and the first of two equal requests still running. */
const PASSING = new Set(['rate_limited', 'unavailable', 'idempotency_in_progress']);

/*
 * status: of the answer, 0 if there was none; code: the API's, or `offline` (no connection), `timeout`, `aborted`,
 * `unreadable`; details: as the API gives them, {} if it gives none; retryAfter: seconds or null.
 */
export class ApiError extends Error {
  constructor({ status = 0, code, message, details = {}, requestId = null, retryAfter = null, cause }) {
    super(message, { cause });
    this.name = 'ApiError';
    Object.assign(this, { status, code, details, requestId, retryAfter });
  }

  /* The faulty fields of a 400, by name; {} for anything else. */
  get fields() {
    return this.details?.fields ?? {};
  }
}

/* Parameters in the order given; null and undefined are left out. */
export function queryString(query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`;
}

/*
 * A part of a path: what a stranger wrote must not reach another address.  Dots alone would climb, %2E too (URL
 * standard, 4.1); encoded twice they are just a name that nothing has.
 */
export const part = (text) =>
  encodeURIComponent(String(text)).replace(/^\.+$/, (dots) => '%252E'.repeat(dots.length));

/* Seconds of a Retry-After header, which may be a date too (RFC 9110, 10.2.3); null without one. */
export function retryAfter(header, now = Date.now()) {
  if (header === null || header === undefined || header === '') return null;
  if (/^\d+$/.test(header.trim())) return Number(header);
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - now) / 1000));
}

const pause = (ms, signal) =>
  new Promise((done, fail) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        fail(signal.reason);
      },
      { once: true },
    );
  });

/*
 * base: path or origin with path; headers: function, may be async, asked anew for every attempt; fetch and wait for
 * tests.
 */
export class Api {
  #base;
  #headers;
  #fetch;
  #wait;

  constructor({
    base = '/api/v1',
    headers = () => ({}),
    fetch = (...a) => globalThis.fetch(...a),
    wait = pause,
  } = {}) {
    this.#base = base;
    this.#headers = headers;
    this.#fetch = fetch;
    this.#wait = wait;
  }

  get(path, options) {
    return this.request('GET', path, undefined, options);
  }
  post(path, body, options) {
    return this.request('POST', path, body, options);
  }
  put(path, body, options) {
    return this.request('PUT', path, body, options);
  }
  patch(path, body, options) {
    return this.request('PATCH', path, body, options);
  }
  delete(path, body, options) {
    return this.request('DELETE', path, body, options);
  }

  /*
   * body: sent as JSON, or as it is if it is FormData or a Blob.  options: query (object), idempotencyKey, signal,
   * timeout (ms, of each attempt), headers (more of them), accept ('text/csv': the answer is then its text).
   */
  async request(method, path, body, options = {}) {
    const mayRepeat = SAFE.has(method) || options.idempotencyKey !== undefined;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(method, path, body, options);
      } catch (error) {
        const wait = error.retryAfter ?? 1;
        if (!(mayRepeat && attempt < RETRIES && PASSING.has(error.code) && wait <= RETRY_MAX_S)) throw error;
        await this.#wait(wait * 1000, options.signal).catch((cause) => {
          throw aborted(cause);
        });
      }
    }
  }

  async #once(
    method,
    path,
    body,
    { query, idempotencyKey, signal, timeout = TIMEOUT_MS, headers = {}, accept = 'application/json' },
  ) {
    const own = await this.#headers();
    const isBytes = body instanceof Blob || body instanceof FormData;
    const control = new AbortController();
    const forward = () => control.abort(signal.reason);
    const timer = setTimeout(
      () => control.abort(new ApiError({ code: 'timeout', message: 'The service took too long to answer.' })),
      timeout,
    );
    if (signal?.aborted) forward();
    signal?.addEventListener('abort', forward);
    try {
      const answer = await this.#fetch(this.#base + path + queryString(query), {
        method,
        headers: {
          Accept: accept,
          ...(body !== undefined && !isBytes ? { 'Content-Type': 'application/json' } : {}),
          ...(idempotencyKey !== undefined ? { 'Idempotency-Key': idempotencyKey } : {}),
          ...own,
          ...headers,
        },
        body: body === undefined ? undefined : isBytes ? body : JSON.stringify(body),
        signal: control.signal,
        /* Who asks stands in a header of ours; no cookie of anyone's, no stored copy of an answer. */
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
      });
      return await read(answer, accept);
    } catch (error) {
      if (control.signal.reason instanceof ApiError) throw control.signal.reason;
      if (error instanceof ApiError) throw error;
      if (control.signal.aborted) throw aborted(error);
      throw new ApiError({ code: 'offline', message: 'There is no connection to the service.', cause: error });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', forward);
    }
  }
}

const aborted = (cause) => new ApiError({ code: 'aborted', message: 'The request was given up.', cause });

async function read(answer, accept) {
  const text = await answer.text(),
    type = answer.headers.get('Content-Type') ?? '';
  const id = answer.headers.get('X-Request-Id');
  let json = null;
  if (/\bjson\b/.test(type) && text !== '') {
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new ApiError({
        status: answer.status,
        code: 'unreadable',
        message: 'The answer cannot be read.',
        requestId: id,
        cause,
      });
    }
  }
  if (answer.ok) {
    if (json !== null || text === '') return json;
    if (accept !== 'application/json') return text;
    throw new ApiError({
      status: answer.status,
      code: 'unreadable',
      message: 'The answer is not JSON.',
      requestId: id,
    });
  }
  throw new ApiError({
    status: answer.status,
    code: typeof json?.code === 'string' ? json.code : `http_${answer.status}`,
    message: typeof json?.error === 'string' ? json.error : `The service answered with status ${answer.status}.`,
    details: json?.details ?? {},
    requestId: json?.request_id ?? id,
    retryAfter: retryAfter(answer.headers.get('Retry-After')),
  });
}
