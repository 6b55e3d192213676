/* Lists that come in pages. */

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
export class Listing {
  #load;
  #wait;
  /** @type {Promise<P> | null} */
  #first = null;

  /**
   * @param {(cursor: string | undefined) => Promise<P>} load
   * @param {{ cursor?: string, wait?: () => Promise<void> }} [options] wait: called at the list's end instead of stopping there
   */
  constructor(load, { cursor, wait } = {}) {
    this.#load = load;
    this.#wait = wait;
    /**
     * Behind the last page whose items have all been taken: go on from there another time.
     * @type {string | undefined}
     */
    this.cursor = cursor;
  }

  /* One first page, however often and in whatever way it is asked for. */
  #page() {
    return (this.#first ??= this.#load(this.cursor));
  }

  /**
   * @template A
   * @template [B=never]
   * @param {((page: P) => A | PromiseLike<A>) | null} [done]
   * @param {((error: any) => B | PromiseLike<B>) | null} [fail]
   * @returns {Promise<A | B>}
   */
  then(done, fail) {
    return this.#page().then(/** @type {any} */ (done), fail);
  }

  /** @template B @param {(error: any) => B | PromiseLike<B>} fail @returns {Promise<P | B>} */
  catch(fail) {
    return this.#page().catch(fail);
  }

  /** @param {() => void} done @returns {Promise<P>} */
  finally(done) {
    return this.#page().finally(done);
  }

  /** @returns {AsyncGenerator<P, void, undefined>} */
  async *pages() {
    for (let page = await this.#page(); ; page = await this.#load(this.cursor)) {
      const { next_cursor: next, has_more: hasMore } = page.pagination;
      yield page;
      if (typeof next === 'string') this.cursor = next;
      if (hasMore ?? typeof next === 'string') continue;
      if (this.#wait === undefined) return;
      await this.#wait();
    }
  }

  /** @returns {AsyncGenerator<T, void, undefined>} */
  async *[Symbol.asyncIterator]() {
    for await (const page of this.pages()) yield* page.data;
  }
}
