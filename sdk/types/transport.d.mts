/**
 * The service's origin and path before /api/v1, which may or may not stand at the end of what is given.
 * @param {string} text @param {boolean} allowInsecure
 */
export function readBaseUrl(text: string, allowInsecure?: boolean): string;
/**
 * A part of a path: what a stranger wrote must not reach another address.  Dots alone would climb, %2E too (URL standard, 4.1);
 * encoded twice they are just a name that nothing has.
 * @param {unknown} text
 */
export function part(text: unknown): string;
/** A new idempotency key: 128 random bits. */
export function newKey(): Promise<string>;
export function isLoopback(host: string): boolean;
export function pause(ms: number, signal?: AbortSignal): Promise<void>;
export function backoff(attempt: number): number;
export class Transport {
    /** @param {ClientOptions} options */
    constructor(options: ClientOptions);
    /** Without /api/v1. */
    origin: string;
    /** The same with another key. @param {string} apiKey */
    with(apiKey: string): Transport;
    /**
     * @param {string} method
     * @param {string} path below /api/v1, or from the origin with `whole`
     * @param {{ query?: Record<string, any>, body?: unknown, accept?: string, headers?: Record<string, string>, whole?: boolean,
     *   isMoney?: boolean, isRepeatable?: boolean }} call isMoney: the service takes an idempotency key; isRepeatable: another way makes sure that a repeat does no harm
     * @param {RequestOptions} [options]
     * @returns {Promise<any>}
     */
    request(method: string, path: string, call: {
        query?: Record<string, any>;
        body?: unknown;
        accept?: string;
        headers?: Record<string, string>;
        whole?: boolean;
        isMoney?: boolean;
        isRepeatable?: boolean;
    }, options?: RequestOptions): Promise<any>;
    #private;
}
/**
 * signal: ends the call; timeout: milliseconds for each attempt; idempotencyKey: of calls that move money, one is made for each
 * call unless you give one, which you want if you may have to repeat the call from another process.
 */
export type RequestOptions = {
    signal?: AbortSignal;
    timeout?: number;
    maxRetries?: number;
    idempotencyKey?: string;
};
/**
 * apiKey and baseUrl: in Node HUMANOPS_API_KEY and HUMANOPS_API_URL if not given; maxRetryWait: the longest Retry-After, in
 * milliseconds, that is waited for; allowInsecure: plain http to other machines, within a network that you trust.
 */
export type ClientOptions = {
    apiKey?: string;
    baseUrl?: string;
    fetch?: typeof globalThis.fetch;
    timeout?: number;
    maxRetries?: number;
    maxRetryWait?: number;
    allowInsecure?: boolean;
};
