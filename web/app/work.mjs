/*
 * The operator's own tasks: from the server where there is a network, else as they were when there last was one.  The copy lies
 * in IndexedDB, not in the cache of files, and goes with signing out.
 */

const KEY = 'work',
  LIMIT = 100;
const isAway = (error) =>
  ['offline', 'timeout', 'expired'].includes(error.code) || error.status >= 500 || error.status === 401;

export class Work {
  #api;
  #store;

  constructor({ api, store }) {
    this.#api = api;
    this.#store = store;
  }

  /* { tasks, at, isStale }: at is when the server said so. */
  async list(signal) {
    try {
      const { data } = await this.#api.get('/operator/tasks/mine', { query: { limit: LIMIT }, signal });
      const at = Date.now();
      await this.#store.put('keep', { tasks: data, at }, KEY);
      return { tasks: data, at, isStale: false };
    } catch (error) {
      const kept = isAway(error) ? await this.#store.get('keep', KEY) : null;
      if (!kept) throw error;
      return { ...kept, isStale: true };
    }
  }

  /* { task, isStale } */
  async find(id, signal) {
    try {
      const task = await this.#api.get(`/operator/tasks/${encodeURIComponent(id)}`, { signal });
      await this.#keep(task);
      return { task, isStale: false };
    } catch (error) {
      const kept = isAway(error)
        ? (await this.#store.get('keep', KEY))?.tasks.find((task) => task.task_id === id)
        : null;
      if (!kept) throw error;
      return { task: kept, isStale: true };
    }
  }

  #keep(task) {
    if (task.status === 'PENDING') return null;
    return this.#store.write(['keep'], async (of, settled) => {
      const kept = (await settled(of('keep').get(KEY))) ?? { tasks: [], at: Date.now() };
      const tasks = [task, ...kept.tasks.filter((other) => other.task_id !== task.task_id)].slice(0, LIMIT);
      of('keep').put({ ...kept, tasks }, KEY);
    });
  }

  /* A task that is no longer the operator's. */
  gone(id) {
    return this.#store.write(['keep'], async (of, settled) => {
      const kept = await settled(of('keep').get(KEY));
      if (kept) of('keep').put({ ...kept, tasks: kept.tasks.filter((task) => task.task_id !== id) }, KEY);
    });
  }

  /* Who was here last, for times without a network: { operator_id, name, … } or null. */
  me() {
    return this.#store.get('keep', 'me');
  }

  remember(me) {
    return this.#store.put('keep', me, 'me');
  }

  /* Nothing of the operator stays but proofs that have not arrived. */
  forget() {
    return this.#store.write(['keep'], (of) => {
      of('keep').clear();
    });
  }
}
