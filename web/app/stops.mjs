/*
 * Work that the operator stops.  It is written down before it is told, so that a dead network or a closed app delays the telling
 * and nothing else; and nothing is told twice:
 *
 * - a stop is of one claim, known by the moment it was made: what the operator claims anew is not stopped by an old one;
 * - the task is asked for before it is told that somebody stops, so that one whose answer was lost is found to have arrived;
 * - one page at a time tells (a Web Lock).
 */
import { backoff, classify, isAnswer } from './outbox.mjs';

const LOCK = 'humanops-stops';
/* There is nothing to stop any more: told already, handed in, cancelled. */
const OVER = new Set([404, 409]);
/* The server answered that it did nothing. */
const UNDONE = new Set([400, 401, 403, 429]);

/* Whether a task (of GET /operator/tasks/:id) is still the claim that was stopped. */
export const isSameClaim = (task, stop) =>
  ['ACCEPTED', 'IN_PROGRESS'].includes(task.status) && (task.estimate?.claimed_at ?? null) === stop.claimed_at;

/*
 * Events: `change`, `told` (detail: { task_id, status }, the status that the task has then), `sign-in` (a person is needed), `fault`
 * (detail: the error; this device's storage fails).  api: get and post, as the outbox takes it.
 */
export class Stops extends EventTarget {
  #store;
  #api;
  #locks;
  #now;
  #operator = null;
  #running = null;
  #timer = null;

  constructor({ store, api, locks = globalThis.navigator?.locks, now = Date.now }) {
    super();
    this.#store = store;
    this.#api = api;
    this.#locks = locks;
    this.#now = now;
  }

  /* Whose stops these are from now on; null: nobody's. */
  use(operator) {
    this.#operator = operator;
    clearTimeout(this.#timer);
  }

  #emit(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /* The operator's own that have not been told, oldest first. */
  async all() {
    const own = this.#operator === null ? [] : await this.#store.all('stops');
    return own.filter((stop) => stop.operator === this.#operator).sort((a, b) => a.created_at - b.created_at);
  }

  /* Ids of the tasks that the operator has stopped here. */
  async tasks() {
    return new Set((await this.all()).map((stop) => stop.task_id));
  }

  /* task: as the operator sees it; reason: unsafe or cannot_complete; note: for the agent, or ''.  Told by run(). */
  async add(task, { reason, note = '' }) {
    const id = `${this.#operator}/${task.task_id}`;
    await this.#store.put('stops', {
      id,
      operator: this.#operator,
      task_id: task.task_id,
      claimed_at: task.estimate?.claimed_at ?? null,
      reason,
      note,
      created_at: this.#now(),
      tries: 0,
      next_at: 0,
      may_be_told: false,
    });
    this.#emit('change');
  }

  /* Takes a stop back; false if it was told before.  Fails as the API does, if it may have been and nobody can say. */
  async undo(task) {
    return this.#exclusive(async () => {
      const stop = (await this.all()).find((own) => own.task_id === task);
      if (!stop) return false;
      const isOpen = !stop.may_be_told || (await this.#isOpen(stop));
      await this.#remove(stop);
      this.#emit('change');
      return isOpen;
    });
  }

  /* Tells what is due and comes back by itself for the rest; isNow: also what was to wait a little. */
  run({ isNow = false } = {}) {
    this.#running ??= Promise.resolve(this.#exclusive(() => this.#drain(isNow), { ifAvailable: true }))
      .catch((error) => {
        if (this.#operator !== null) this.#emit('fault', error);
      })
      .finally(() => {
        this.#running = null;
      });
    return this.#running;
  }

  #exclusive(work, options = {}) {
    if (!this.#locks) return work();
    return this.#locks.request(LOCK, options, (lock) => (lock ? work() : null));
  }

  async #drain(isNow) {
    clearTimeout(this.#timer);
    for (const stop of await this.all()) {
      if (this.#operator !== stop.operator) return null;
      if (!isNow && stop.next_at > this.#now()) continue;
      const outcome = await this.#send(stop);
      if (outcome === 'sign_in') return this.#emit('sign-in');
    }
    const due = (await this.all()).map((stop) => stop.next_at);
    if (due.length > 0)
      this.#timer = setTimeout(() => this.run(), Math.min(Math.max(Math.min(...due) - this.#now(), 0), 2 ** 31 - 1));
    return null;
  }

  async #isOpen(stop) {
    try {
      return isSameClaim(await this.#api.get(`/operator/tasks/${stop.task_id}`), stop);
    } catch (error) {
      if (isAnswer(error) && OVER.has(error.status)) return false;
      throw error;
    }
  }

  async #send(stop) {
    let status = null;
    try {
      if (await this.#isOpen(stop)) status = await this.#tell(stop);
    } catch (error) {
      const outcome = classify(error);
      await this.#patch(stop, (now) => ({
        tries: now.tries + 1,
        next_at: this.#now() + backoff(now.tries, error.retryAfter),
        may_be_told: now.may_be_told && !(isAnswer(error) && UNDONE.has(error.status)),
        /* A note that the server will not have must not keep the operator on the task. */
        note: isAnswer(error) && error.status === 400 ? '' : now.note,
      }));
      return outcome;
    }
    await this.#remove(stop);
    this.#emit('told', { task_id: stop.task_id, status });
    this.#emit('change');
    return 'told';
  }

  /* The status that the task has then; null if there was nothing to stop any more. */
  async #tell(stop) {
    await this.#patch(stop, () => ({ may_be_told: true }));
    try {
      const answer = await this.#api.post(`/operator/tasks/${stop.task_id}/abort`, {
        reason: stop.reason,
        ...(stop.note ? { note: stop.note } : {}),
      });
      return answer.status;
    } catch (error) {
      if (isAnswer(error) && OVER.has(error.status)) return null;
      throw error;
    }
  }

  /* Changes a stop, unless it was taken back meanwhile. */
  #patch(stop, change) {
    return this.#store.write(['stops'], async (of, settled) => {
      const now = await settled(of('stops').get(stop.id));
      if (now?.created_at === stop.created_at) of('stops').put({ ...now, ...change(now) });
    });
  }

  #remove(stop) {
    return this.#store.delete('stops', stop.id);
  }
}
