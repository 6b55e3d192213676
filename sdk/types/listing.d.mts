/**
 * @template T
 * @typedef {{ data: T[], pagination: { next_cursor?: string | null, has_more?: boolean } & Record<string, any> }} Page
 */
/**
 * A list: `await` gives its first page, `for await` every item of every page, `pages()` the pages.
 * @template T
 * @template {Page<T>} P
 * @implements {PromiseLike<P>}
 */
export class Listing<T, P extends Page<T>> implements PromiseLike<P> {
    /**
     * @param {(cursor: string | undefined) => Promise<P>} load
     * @param {{ cursor?: string, wait?: () => Promise<void> }} [options] wait: called at the list's end instead of stopping there
     */
    constructor(load: (cursor: string | undefined) => Promise<P>, { cursor, wait }?: {
        cursor?: string;
        wait?: () => Promise<void>;
    });
    /**
     * Behind the last page whose items have all been taken: go on from there another time.
     * @type {string | undefined}
     */
    cursor: string | undefined;
    /**
     * @template A
     * @template [B=never]
     * @param {((page: P) => A | PromiseLike<A>) | null} [done]
     * @param {((error: any) => B | PromiseLike<B>) | null} [fail]
     * @returns {Promise<A | B>}
     */
    then<A, B = never>(done?: ((page: P) => A | PromiseLike<A>) | null, fail?: ((error: any) => B | PromiseLike<B>) | null): Promise<A | B>;
    /** @template B @param {(error: any) => B | PromiseLike<B>} fail @returns {Promise<P | B>} */
    catch<B>(fail: (error: any) => B | PromiseLike<B>): Promise<P | B>;
    /** @param {() => void} done @returns {Promise<P>} */
    finally(done: () => void): Promise<P>;
    /** @returns {AsyncGenerator<P, void, undefined>} */
    pages(): AsyncGenerator<P, void, undefined>;
    /** @returns {AsyncGenerator<T, void, undefined>} */
    [Symbol.asyncIterator](): AsyncGenerator<T, void, undefined>;
    #private;
}
export type Page<T> = {
    data: T[];
    pagination: {
        next_cursor?: string | null;
        has_more?: boolean;
    } & Record<string, any>;
};
