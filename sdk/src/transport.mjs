/* One call over HTTP: its form, its limits, and when it is sent again. */
import { webCrypto } from './bytes.mjs';
import { HumanOpsError } from './errors.mjs';
import { VERSION } from './version.mjs';

const BASE_URL = 'https://api.humanops.io',
  API = '/api/v1';
const TIMEOUT_MS = 30_000; /* a little longer than the server's own */
const RETRIES = 4,
  RETRY_FIRST_MS = 250,
  RETRY_MAX_MS = 8_000;
const RETRY_WAIT_MAX_MS = 65_000; /* a whole rate window; whoever would have to wait longer is told */
const ANSWER_MAX = 16 * 1024 * 1024;
/* Node's names for connections that never came to be: nothing was sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/**
 * @typedef {{
 *   signal?: AbortSignal,
 *   timeout?: number,
 *   maxRetries?: number,
 *   idempotencyKey?: string,
 * }} RequestOptions
 * signal: ends the call; timeout: milliseconds for each attempt; idempotencyKey: of calls that move money, one is made for each
 * call unless you give one, which you want if you may have to repeat the call from another process.
 *
 * @typedef {{
 *   apiKey?: string,
 *   baseUrl?: string,
 *   fetch?: typeof globalThis.fetch,
 *   timeout?: number,
 *   maxRetries?: number,
 *   maxRetryWait?: number,
 *   allowInsecure?: boolean,
 * }} ClientOptions
 * apiKey and baseUrl: in Node HUMANOPS_API_KEY and HUMANOPS_API_URL if not given; maxRetryWait: the longest Retry-After, in
 * milliseconds, that is waited for; allowInsecure: plain http to other machines, within a network that you trust.
 */

/* Browsers say themselves who they are. */
const isNode = /** @type {any} */ (globalThis).process?.versions?.node !== undefined;

/** @param {string} name @returns {string | undefined} */
const environment = (name) => /** @type {any} */ (globalThis).process?.env?.[name] || undefined;

/** Whether a host is this machine. @param {string} host of a URL */
export const isLoopback = (host) =>
  host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

/**
 * The service's origin and path before /api/v1, which may or may not stand at the end of what is given.
 * @param {string} text @param {boolean} allowInsecure
 */
export function readBaseUrl(text, allowInsecure = false) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new TypeError('baseUrl is no URL');
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError('baseUrl must begin with https://');
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowInsecure)
    throw new TypeError('baseUrl must begin with https://: over plain http anybody on the way could read the API key');
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    throw new TypeError('baseUrl is an origin and a path, no more');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`.replace(/\/api\/v1$/, '');
}

/** A key as a header takes it; what is wrong with it is never shown. @param {unknown} key */
function readKey(key) {
  if (typeof key !== 'string' || !/^[\x21-\x7e]{1,500}$/.test(key))
    throw new TypeError('apiKey must be a text without blanks');
  return key;
}

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} */
export const pause = (ms, signal) =>
  new Promise((done, fail) => {
    if (signal?.aborted) return fail(signal.reason);
    const stop = () => {
      clearTimeout(timer);
      fail(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      done();
    }, ms);
    signal?.addEventListener('abort', stop, { once: true });
  });

/**
 * Between half and all of what is due after so many attempts, so that many clients do not come back at once.
 * @param {number} attempt
 */
export const backoff = (attempt) => Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** attempt) * (0.5 + Math.random() / 2);

/** Seconds of a Retry-After, which may be a date too (RFC 9110, 10.2.3). @param {string | null} value */
function retryAfter(value) {
  if (value === null || value.trim() === '') return null;
  if (/^\d+$/.test(value.trim())) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, Math.ceil((at - Date.now()) / 1000));
}

/** Parameters in the order given, without those that are absent. @param {Record<string, any>} [query] */
function queryString(query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  return entries.length === 0 ? '' : `?${new URLSearchParams(entries.map(([name, value]) => [name, String(value)]))}`;
}

/**
 * A part of a path: what a stranger wrote must not reach another address.  Dots alone would climb, %2E too (URL standard, 4.1);
 * encoded twice they are just a name that nothing has.
 * @param {unknown} text
 */
export function part(text) {
  if (typeof text !== 'string' || text === '') throw new TypeError('an id is a text that is not empty');
  return encodeURIComponent(text).replace(/^\.+$/, (dots) => '%252E'.repeat(dots.length));
}

/** A new idempotency key: 128 random bits. */
export async function newKey() {
  const bytes = (await webCrypto()).getRandomValues(new Uint8Array(16));
  return `sdk_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** The body, if it is not longer than we read. @param {Response} answer */
async function readText(answer) {
  const reader = answer.body?.getReader(),
    decoder = new TextDecoder();
  let text = '',
    size = 0;
  if (reader === undefined) return answer.text();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.length;
    if (size > ANSWER_MAX) {
      await reader.cancel().catch(() => {});
      throw new HumanOpsError({
        code: 'too_large',
        status: answer.status,
        message: 'The answer is longer than any of the service.',
      });
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** The answer's content, or the error that it tells of. @param {Response} answer @param {string} accept */
async function read(answer, accept) {
  const requestId = answer.headers.get('X-Request-Id'),
    { status } = answer;
  if (answer.type === 'opaqueredirect' || (status >= 300 && status < 400))
    throw new HumanOpsError({
      code: 'redirect_refused',
      status,
      requestId,
      message: 'The address answers with a redirect; the API key goes nowhere but to the address configured.',
    });
  const text = await readText(answer),
    isJson = /\bjson\b/.test(answer.headers.get('Content-Type') ?? '');
  let json = null;
  if (isJson && text !== '') {
    try {
      json = JSON.parse(text);
    } catch (cause) {
      throw new HumanOpsError({ code: 'unreadable', status, requestId, message: 'The answer cannot be read.', cause });
    }
  }
  if (answer.ok) {
    if (!accept.includes('json')) return text;
    if (typeof json === 'object' && json !== null) return json;
    throw new HumanOpsError({
      code: 'unreadable',
      status,
      requestId,
      message: 'The answer is not JSON: is this the address of the service?',
    });
  }
  throw new HumanOpsError({
    status,
    code: typeof json?.code === 'string' ? json.code : `http_${status}`,
    message: typeof json?.error === 'string' ? json.error : `The service answered with status ${status}.`,
    details: typeof json?.details === 'object' && json.details !== null ? json.details : {},
    requestId: typeof json?.request_id === 'string' ? json.request_id : requestId,
    retryAfter: retryAfter(answer.headers.get('Retry-After')),
  });
}

/**
 * Whether a failed call may be sent again.  A GET and whatever bears an idempotency key may in any case; anything else only if it
 * surely was not carried out.
 * @param {HumanOpsError} error @param {boolean} isRepeatable
 */
function mayRetry(error, isRepeatable) {
  const cause = /** @type {any} */ (error.cause)?.cause?.code ?? /** @type {any} */ (error.cause)?.code;
  return error.isRetryable && (isRepeatable || error.status === 429 || NOT_SENT.has(cause));
}

export class Transport {
  #options;
  #key;
  #fetch;

  /** @param {ClientOptions} options */
  constructor(options) {
    const {
      apiKey = environment('HUMANOPS_API_KEY'),
      baseUrl = environment('HUMANOPS_API_URL') ?? BASE_URL,
      timeout = TIMEOUT_MS,
      maxRetries = RETRIES,
      maxRetryWait = RETRY_WAIT_MAX_MS,
      allowInsecure = false,
    } = options;
    this.#key = apiKey === undefined ? undefined : readKey(apiKey);
    this.#options = { timeout, maxRetries, maxRetryWait, allowInsecure };
    /** Without /api/v1. */
    this.origin = readBaseUrl(baseUrl, allowInsecure);
    /* Called late, so that a fetch put in place by tests or tracing is heeded. */
    this.#fetch = options.fetch ?? ((/** @type {[any, any]} */ ...args) => globalThis.fetch(...args));
  }

  /** The same with another key. @param {string} apiKey */
  with(apiKey) {
    return new Transport({ ...this.#options, baseUrl: this.origin, fetch: this.#fetch, apiKey });
  }

  /**
   * @param {string} method
   * @param {string} path below /api/v1, or from the origin with `whole`
   * @param {{ query?: Record<string, any>, body?: unknown, accept?: string, headers?: Record<string, string>, whole?: boolean,
   *   isMoney?: boolean, isRepeatable?: boolean }} call isMoney: the service takes an idempotency key; isRepeatable: another way makes sure that a repeat does no harm
   * @param {RequestOptions} [options]
   * @returns {Promise<any>}
   */
  async request(method, path, call, options = {}) {
    const { maxRetries = this.#options.maxRetries, signal } = options;
    const idempotencyKey = call.isMoney ? (options.idempotencyKey ?? (await newKey())) : undefined;
    const isRepeatable = method === 'GET' || idempotencyKey !== undefined || call.isRepeatable === true;
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#once(method, path, { ...call, idempotencyKey }, options);
      } catch (error) {
        if (!(error instanceof HumanOpsError) || attempt >= maxRetries || !mayRetry(error, isRepeatable)) throw error;
        const wanted = (error.retryAfter ?? 0) * 1000;
        if (wanted > this.#options.maxRetryWait) throw error;
        await pause(Math.max(wanted, backoff(attempt)), signal);
      }
    }
  }

  /**
   * @param {string} method @param {string} path
   * @param {{ query?: Record<string, any>, body?: unknown, accept?: string, headers?: Record<string, string>, whole?: boolean, idempotencyKey?: string }} call
   * @param {RequestOptions} options
   */
  async #once(
    method,
    path,
    { query, body, accept = 'application/json', headers, whole = false, idempotencyKey },
    { signal, timeout = this.#options.timeout },
  ) {
    signal?.throwIfAborted();
    const control = new AbortController(),
      expired = new HumanOpsError({ code: 'timeout', message: `There was no answer within ${timeout} ms.` });
    const forward = () => control.abort(signal?.reason);
    const timer = setTimeout(() => control.abort(expired), timeout);
    signal?.addEventListener('abort', forward);
    try {
      const answer = await this.#fetch(`${this.origin}${whole ? '' : API}${path}${queryString(query)}`, {
        method,
        headers: {
          Accept: accept,
          ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'Idempotency-Key': idempotencyKey }),
          ...(this.#key === undefined ? {} : { 'X-API-Key': this.#key }),
          ...(isNode ? { 'User-Agent': `humanops-js/${VERSION}` } : {}),
          ...headers,
        },
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: control.signal,
        /* Who asks stands in a header of ours; no cookie of anyone's, no stored copy, and the key goes to no other host. */
        credentials: 'omit',
        cache: 'no-store',
        redirect: 'manual',
        referrerPolicy: 'no-referrer',
      });
      return await read(answer, accept);
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if (control.signal.aborted) throw expired;
      if (cause instanceof HumanOpsError) throw cause;
      throw new HumanOpsError({ code: 'connection_failed', message: 'The service cannot be reached.', cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', forward);
    }
  }
}
