/*
 * What this device keeps in IndexedDB: proofs that are being made or wait to be sent, their photos, work that was stopped
 * without a network, and a copy of the operator's own work.  No token is ever kept here.  Gone with signing out, but for what has
 * not been sent.
 */

const NAME = 'humanops-app',
  VERSION = 2;
/* photos has what is said about each file, files the bytes: a list of photos must not load them all. */
const STORES = { proofs: { keyPath: 'id' }, photos: { keyPath: 'id' }, files: {}, stops: { keyPath: 'id' }, keep: {} };

const settled = (request) =>
  new Promise((done, fail) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => fail(request.error);
  });

export class Store {
  #db;

  constructor(db) {
    this.#db = db;
    /* Another tab with a newer app must not wait for this one. */
    db.onversionchange = () => db.close();
  }

  static async open(idb = globalThis.indexedDB, name = NAME) {
    const request = idb.open(name, VERSION);
    request.onupgradeneeded = () => {
      const { result: db, transaction } = request;
      for (const [store, options] of Object.entries(STORES))
        if (!db.objectStoreNames.contains(store)) db.createObjectStore(store, options);
      const photos = transaction.objectStore('photos');
      if (!photos.indexNames.contains('proof')) photos.createIndex('proof', 'proof');
    };
    return new Store(await settled(request));
  }

  close() {
    this.#db.close();
  }

  get(store, key) {
    return settled(this.#db.transaction(store).objectStore(store).get(key));
  }

  all(store) {
    return settled(this.#db.transaction(store).objectStore(store).getAll());
  }

  photosOf(proof) {
    return settled(this.#db.transaction('photos').objectStore('photos').index('proof').getAll(proof));
  }

  /*
   * All of a change or none of it.  work gets a function store → object store and makes its requests at once or from their
   * answers; it gives what write gives when everything lies on the disk, not merely in a buffer.
   */
  write(stores, work) {
    return new Promise((done, fail) => {
      const transaction = this.#db.transaction(stores, 'readwrite', { durability: 'strict' });
      let result,
        cause = null;
      transaction.oncomplete = () => done(result);
      transaction.onabort = () => fail(cause ?? transaction.error ?? new Error('aborted'));
      Promise.resolve(work((name) => transaction.objectStore(name), settled)).then(
        (value) => {
          result = value;
        },
        (error) => {
          cause = error;
          try {
            transaction.abort();
          } catch {
            /* over already: its own end tells why */
          }
        },
      );
    });
  }

  put(store, value, key) {
    return this.write([store], (of) => {
      of(store).put(value, key);
    });
  }

  delete(store, key) {
    return this.write([store], (of) => {
      of(store).delete(key);
    });
  }
}
