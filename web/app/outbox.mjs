/*
 * Proofs from the first photo to the server's word that it has them.  Everything lies in the store before it is tried, so that
 * closing the app, a dead battery or a dead network loses nothing; and nothing is handed in twice:
 *
 * - there is one proof for each operator and task;
 * - one page at a time sends (a Web Lock), the others tell it that there is something new (a broadcast channel);
 * - a photo has its link only when the server's answer came; one whose answer was lost is uploaded again, and only the link that
 *   did come is handed in;
 * - before a proof is handed in, that is written down.  Without an answer the task itself is asked first what became of it.
 *
 * States of a proof: draft (the operator is at it), queued (waits to be sent or is under way), refused (the server will not have
 * it; the operator decides).  One that has arrived is removed.
 */

import { ApiError } from '../shared/api.mjs';

const BACKOFF_MS = 2000,
  BACKOFF_MAX_MS = 5 * 60_000;
const CHANNEL = 'humanops-outbox',
  LOCK = 'humanops-outbox';
const PATIENT = new Set(['offline', 'timeout', 'aborted', 'unreadable']);
/* What is wrong with the file itself. */
const FILE_FAULTS = new Set([400, 413, 415, 422]);

/* A proof changed under one's hands, or may not be changed any more. */
export class OutboxError extends Error {
  constructor(code, cause) {
    super(code, { cause });
    this.name = 'OutboxError';
    this.code = code;
  }
}

/* The API itself has answered; a hotel's sign-in page or a broken proxy has no say in what becomes of a proof. */
export const isAnswer = (error) =>
  error instanceof ApiError && error.status > 0 && !PATIENT.has(error.code) && !/^http_/.test(error.code);

/* later: try again by itself; sign_in: a person must sign in first; refused: no use in trying again. */
export function classify(error) {
  if (error.code === 'expired' || (isAnswer(error) && error.status === 401)) return 'sign_in';
  if (!isAnswer(error) || error.status === 429 || error.status === 403 || error.status >= 500) return 'later';
  return 'refused';
}

/* Milliseconds to the next try: doubling, a little uneven so that many devices do not come at once; never before Retry-After. */
export function backoff(tries, retryAfter = null, random = Math.random()) {
  const usual = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** Math.min(tries, 20)) * (0.75 + random / 2);
  return Math.max(usual, (retryAfter ?? 0) * 1000);
}

const nameOf = (link) => link.split('/files/').pop().split(/[?#]/)[0];

/* Whether the proof that a task has is this one.  A credential cannot be compared: only the agent can read it. */
export function isSame(handedIn, proof, photos) {
  const theirs = (handedIn.photos ?? []).map(nameOf).sort(),
    ours = photos
      .filter((p) => p.url)
      .map((p) => nameOf(p.url))
      .sort();
  return (
    JSON.stringify(theirs) === JSON.stringify(ours) &&
    (handedIn.confirmation_text ?? '') === (proof.confirmation_text ?? '')
  );
}

const body = (proof, photos) => ({
  ...(photos.length > 0 ? { photos: photos.map((photo) => photo.url) } : {}),
  ...(proof.notes ? { notes: proof.notes } : {}),
  ...(proof.confirmation_text ? { confirmation_text: proof.confirmation_text } : {}),
  ...(proof.reference_url ? { reference_url: proof.reference_url } : {}),
  ...(proof.credential ? { encrypted_credential: proof.credential } : {}),
});

/*
 * Events: `change` (detail: the task's id or null), `progress` (detail: the photo's id), `sent` (detail: { task_id }), `sign-in` (a person is needed),
 * `fault` (detail: the error; this device's storage fails).
 * api: get and post; upload(photo, bytes, onprogress) gives the API's answer; both throw errors with code and status.
 */
export class Outbox extends EventTarget {
  #store;
  #api;
  #upload;
  #locks;
  #channel;
  #now;
  #operator = null;
  #running = null;
  #again = null;
  #timer = null;

  constructor({
    store,
    api,
    upload,
    locks = globalThis.navigator?.locks,
    channel = new BroadcastChannel(CHANNEL),
    now = Date.now,
  }) {
    super();
    this.#store = store;
    this.#api = api;
    this.#upload = upload;
    this.#locks = locks;
    this.#channel = channel;
    this.#now = now;
    this.progress = new Map(); /* photo id → part of it that is sent, 0 to 1 */
    this.#channel.onmessage = ({ data }) => {
      this.#emit('change', data);
      this.run();
    };
  }

  /* Whose proofs these are from now on; null: nobody's. */
  use(operator) {
    this.#operator = operator;
    clearTimeout(this.#timer);
    this.#emit('change', null);
  }

  close() {
    clearTimeout(this.#timer);
    this.#operator = null;
    this.#channel.close();
  }

  #id(task) {
    if (this.#operator === null) throw new OutboxError('signed_out');
    return `${this.#operator}/${task}`;
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #changed(task) {
    this.#emit('change', task);
    this.#channel.postMessage(task);
  }

  /* What the operator has here, newest last. */
  async proofs() {
    const own = this.#operator === null ? [] : await this.#store.all('proofs');
    return own.filter((proof) => proof.operator === this.#operator).sort((a, b) => a.created_at - b.created_at);
  }

  /* The proof of a task with its photos in order, or null. */
  async find(task) {
    const proof = await this.#store.get('proofs', this.#id(task));
    return proof ? { ...proof, photos: await this.#photos(proof.id) } : null;
  }

  async #photos(proof) {
    return (await this.#store.photosOf(proof)).sort((a, b) => a.order - b.order);
  }

  bytesOf(photo) {
    return this.#store.get('files', photo);
  }

  /* Changes a draft, which it makes if there is none.  Fails: not_draft. */
  async #edit(task, change) {
    const id = this.#id(task),
      operator = this.#operator;
    const result = await this.#store.write(['proofs', 'photos', 'files'], async (of, settled) => {
      const proof = (await settled(of('proofs').get(id))) ?? {
        id,
        operator,
        task_id: task,
        state: 'draft',
        created_at: this.#now(),
        tries: 0,
        next_at: 0,
      };
      if (proof.state === 'queued') throw new OutboxError('not_draft');
      const value = await change(proof, of, settled);
      of('proofs').put(proof);
      return value;
    });
    this.#changed(task);
    return result;
  }

  /* Keeps what was typed. */
  save(task, { notes, confirmation_text, reference_url }) {
    return this.#edit(task, (proof) => Object.assign(proof, { notes, confirmation_text, reference_url }));
  }

  /* file: { bytes (ArrayBuffer), type, name, place ({ lat, lng, accuracy_m } or null), captured_at (ms or null) }. */
  async addPhoto(task, { bytes, type, name = '', place = null, captured_at = null }) {
    const id = globalThis.crypto.randomUUID();
    const photo = await this.#edit(task, (proof, of) => {
      proof.next_order = (proof.next_order ?? 0) + 1;
      const added = {
        id,
        proof: proof.id,
        task_id: task,
        order: proof.next_order,
        type,
        name,
        size: bytes.byteLength,
        place,
        captured_at,
        url: null,
        error: null,
      };
      of('photos').put(added);
      of('files').put(bytes, id);
      return added;
    });
    this.run();
    return photo;
  }

  removePhoto(task, photo) {
    return this.#edit(task, async (proof, of, settled) => {
      of('photos').delete(photo);
      of('files').delete(photo);
      this.progress.delete(photo);
      const rest = (await settled(of('photos').index('proof').getAll(proof.id))).filter((p) => p.id !== photo);
      if (proof.error === 'photo_refused' && !rest.some((p) => p.error)) proof.error = null;
    });
  }

  /* Done: it goes out as soon as it can.  credential: what seal() made.  Fails: photo_refused. */
  async queue(task, { notes, confirmation_text, reference_url, credential = null }) {
    await this.#edit(task, async (proof, of, settled) => {
      const photos = await settled(of('photos').index('proof').getAll(proof.id));
      if (photos.some((photo) => photo.error)) throw new OutboxError('photo_refused');
      Object.assign(proof, {
        notes,
        confirmation_text,
        reference_url,
        credential,
        state: 'queued',
        queued_at: this.#now(),
        tries: 0,
        next_at: 0,
        error: null,
        faults: null,
      });
    });
    return this.run();
  }

  /* Takes a queued proof back to change it.  Fails: under_way, once it may have reached the server. */
  async recall(task) {
    await this.#store.write(['proofs'], async (of, settled) => {
      const proof = await settled(of('proofs').get(this.#id(task)));
      if (!proof) throw new OutboxError('gone');
      if (proof.is_submitting) throw new OutboxError('under_way');
      of('proofs').put({ ...proof, state: 'draft', credential: null, error: null });
    });
    this.#changed(task);
  }

  /* Throws a proof away with its photos; never one that may be under way. */
  async discard(task) {
    const proof = await this.#store.get('proofs', this.#id(task));
    if (proof?.is_submitting && proof.state === 'queued') throw new OutboxError('under_way');
    if (proof) await this.#remove(proof);
    this.#changed(task);
  }

  /* Drafts and refused proofs that nobody has come back to for so long; what is queued stays. */
  async tidy(age) {
    for (const proof of await this.proofs())
      if (proof.state !== 'queued' && proof.created_at < this.#now() - age) await this.#remove(proof);
  }

  async #remove(proof) {
    const photos = await this.#store.photosOf(proof.id);
    await this.#store.write(['proofs', 'photos', 'files'], (of) => {
      of('proofs').delete(proof.id);
      photos.forEach(({ id }) => {
        of('photos').delete(id);
        of('files').delete(id);
        this.progress.delete(id);
      });
    });
  }

  /*
   * Sends what is due and comes back by itself for the rest; any number of calls at once are one.  isNow: also what was to wait
   * a little, because the network is back or the person asks.
   */
  run({ isNow = false } = {}) {
    if (this.#running) {
      this.#again = { isNow: isNow || this.#again?.isNow === true };
      return this.#running;
    }
    const work = Promise.resolve(this.#exclusive(() => this.#drain(isNow)));
    /* A store that fails under it is told; one that was closed, because the page goes, is nobody's concern. */
    this.#running = work
      .catch((error) => {
        if (this.#operator !== null) this.#emit('fault', error);
      })
      .finally(() => {
        const again = this.#again;
        this.#running = this.#again = null;
        if (again && this.#operator !== null) this.run(again);
      });
    return this.#running;
  }

  #exclusive(work) {
    if (!this.#locks) return work();
    return this.#locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? work() : null));
  }

  async #drain(isNow) {
    const operator = this.#operator;
    clearTimeout(this.#timer);
    if (operator === null) return;
    for (const { id, state, next_at } of await this.proofs()) {
      if (this.#operator !== operator) return;
      if (state === 'refused' || (!isNow && next_at > this.#now())) continue;
      const outcome = await this.#send(id);
      if (outcome === 'sign_in') {
        this.#emit('sign-in', null);
        return;
      }
    }
    await this.#schedule();
  }

  async #schedule() {
    const waiting = (await this.proofs())
      .filter((proof) => proof.next_at > this.#now() && proof.state !== 'refused')
      .map((proof) => proof.next_at);
    if (waiting.length > 0)
      this.#timer = setTimeout(() => this.run(), Math.min(Math.min(...waiting) - this.#now(), 2 ** 31 - 1));
  }

  /* Changes a proof that may have changed meanwhile; gives it as it now is, or null if it is gone. */
  #patch(id, change) {
    return this.#store.write(['proofs'], async (of, settled) => {
      const proof = await settled(of('proofs').get(id));
      if (!proof) return null;
      Object.assign(proof, typeof change === 'function' ? change(proof) : change);
      of('proofs').put(proof);
      return proof;
    });
  }

  /* One proof as far as it gets: 'sent', 'draft' (its photos are up), 'later', 'refused', 'sign_in'. */
  async #send(id) {
    let outcome,
      task = null;
    try {
      const proof = await this.#store.get('proofs', id);
      if (!proof) return 'gone';
      task = proof.task_id;
      outcome = proof.is_submitting ? await this.#settle(id) : 'open';
      if (outcome === 'open') outcome = await this.#uploadAll(id);
      if (outcome === 'open') outcome = await this.#submit(id);
    } catch (error) {
      outcome = classify(error);
      await this.#note(id, outcome, error);
    }
    if (outcome === 'sent') this.#emit('sent', { task_id: task });
    if (outcome !== 'draft') this.#changed(task);
    return outcome;
  }

  #note(id, outcome, error) {
    if (outcome === 'refused')
      return this.#patch(id, { state: 'refused', error: error.code, message: error.message, is_submitting: false });
    return this.#patch(id, (proof) => ({
      tries: proof.tries + 1,
      next_at: this.#now() + backoff(proof.tries, error.retryAfter),
      error: error.code,
    }));
  }

  async #uploadAll(id) {
    for (const photo of await this.#photos(id)) {
      if (photo.url || photo.error) continue;
      const bytes = await this.#store.get('files', photo.id);
      if (!bytes) continue; /* taken out meanwhile */
      const isIn = await this.#uploadOne(photo, bytes);
      this.#changed(photo.task_id);
      if (!isIn) return 'refused';
    }
    const proof = await this.#store.get('proofs', id);
    if (proof?.tries > 0 && proof.state === 'draft')
      await this.#patch(id, (now) => ({
        tries: 0,
        next_at: 0,
        error: now.error === 'photo_refused' ? now.error : null,
      }));
    return 'open';
  }

  /* False if the server will not have this file: the operator must take it out. */
  async #uploadOne(photo, bytes) {
    const keep = (change) =>
      this.#store.write(['proofs', 'photos'], async (of, settled) => {
        const now = await settled(of('photos').get(photo.id));
        if (!now) return;
        of('photos').put({ ...now, ...change });
        if (!change.error) return;
        const proof = await settled(of('proofs').get(photo.proof));
        of('proofs').put({ ...proof, state: 'draft', error: 'photo_refused' });
      });
    try {
      const answer = await this.#upload(photo, bytes, (part) => {
        this.progress.set(photo.id, part);
        this.#emit('progress', photo.id);
      });
      await keep({ url: answer.url, evidence: answer.evidence ?? null });
      return true;
    } catch (error) {
      if (!isAnswer(error) || !FILE_FAULTS.has(error.status)) throw error;
      await keep({ error: error.code, message: error.message });
      return false;
    } finally {
      this.progress.delete(photo.id);
    }
  }

  async #submit(id) {
    const photos = await this.#photos(id);
    /* Only what the operator has handed in.  Written down before it is tried; a recall at the same moment comes before or after
     * this, not between. */
    const proof = await this.#patch(id, (now) => (now.state === 'queued' ? { is_submitting: true } : {}));
    if (!proof || proof.state !== 'queued') return 'draft';
    try {
      await this.#api.post(`/operator/tasks/${proof.task_id}/submit`, body(proof, photos));
    } catch (error) {
      if (isAnswer(error) && error.status === 400) return this.#mend(id, photos, error);
      if (isAnswer(error) && [404, 409, 410].includes(error.status)) return this.#settle(id, error);
      /* The server answered that it did nothing. */
      if (isAnswer(error) && [401, 403, 429].includes(error.status)) await this.#patch(id, { is_submitting: false });
      throw error;
    }
    await this.#remove(proof);
    return 'sent';
  }

  /* A link that the server no longer knows is got anew, once; any other fault is the operator's to mend. */
  async #mend(id, photos, error) {
    const lost = photos.filter((photo, i) => error.fields?.[`photos[${i}]`]);
    const isLinks = lost.length > 0 && Object.keys(error.fields).every((name) => name.startsWith('photos['));
    const proof = await this.#patch(id, (now) =>
      isLinks && !now.has_mended
        ? { is_submitting: false, has_mended: true }
        : {
            is_submitting: false,
            state: 'draft',
            error: error.code,
            message: error.message,
            faults: error.fields ?? {},
          },
    );
    if (proof?.state !== 'queued') return 'refused';
    await this.#store.write(['photos'], (of) => lost.forEach((photo) => of('photos').put({ ...photo, url: null })));
    this.#again ??= { isNow: false };
    return 'later';
  }

  /*
   * What became of a proof whose answer did not come, or was no (error): 'sent' if the task has it, 'open' if it may be handed
   * in again, 'refused' otherwise.
   */
  async #settle(id, error = null) {
    const proof = await this.#store.get('proofs', id);
    let task = null;
    try {
      task = await this.#api.get(`/operator/tasks/${proof.task_id}`);
    } catch (cause) {
      if (classify(cause) !== 'refused') throw cause;
      error ??= cause;
    }
    if (task?.submitted_at && task.proof && isSame(task.proof, proof, await this.#photos(id))) {
      await this.#remove(proof);
      return 'sent';
    }
    if (task && error === null && (task.status === 'ACCEPTED' || task.status === 'IN_PROGRESS')) {
      await this.#patch(id, { is_submitting: false });
      return 'open';
    }
    await this.#patch(id, {
      state: 'refused',
      is_submitting: false,
      error: task?.submitted_at ? 'already_submitted' : (error?.code ?? 'task_state_conflict'),
      message: error?.message ?? null,
    });
    return 'refused';
  }
}
