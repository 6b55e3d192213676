/*
 * Making a proof: photos, words, a credential.  Every change is kept on the device at once and sent when there is a network;
 * this screen shows what the outbox has and asks it for changes.
 */
import { h, replace } from '../shared/dom.mjs';
import { busy, clearFaults, confirm, field, showFaults, toast } from '../shared/widgets.mjs';
import { credentialForm } from './credential.mjs';
import { back, explain, heading, requirements } from './parts.mjs';
import { Photos } from './photos.mjs';
import { lacks, proofForm } from './rules.mjs';
import { askSync } from './update.mjs';

const SAVE_MS = 400;
const AWAY = ['offline', 'timeout', 'aborted'];

export async function show(app, { params, signal }) {
  const { t } = app,
    { task } = await app.work.find(params.id, signal);
  if (!['ACCEPTED', 'IN_PROGRESS'].includes(task.status)) return { goTo: `#/mine/${task.task_id}` };
  const screen = new ProofScreen(app, task);
  await screen.draw();
  return {
    title: t('proof.title'),
    stop: () => screen.stop(),
    body: [back(`#/mine/${task.task_id}`, task.title), heading(t('proof.title')), screen.node],
  };
}

/* Which of the three views a proof of the outbox is shown in. */
const viewOf = (proof) => (proof?.state === 'queued' ? 'waiting' : proof?.state === 'refused' ? 'refused' : 'draft');

class ProofScreen {
  #timer = null;
  #view = null;
  #drawing = Promise.resolve();

  constructor(app, task) {
    Object.assign(this, { app, task, id: task.task_id, form: proofForm(task), node: h('div', { class: 'stack' }) });
    this.onchange = ({ detail }) => {
      if (detail === null || detail === this.id) this.draw();
    };
    this.onprogress = () => this.#drawProgress();
    this.onhide = () => {
      if (document.hidden) this.#save();
    };
    app.outbox.addEventListener('change', this.onchange);
    app.outbox.addEventListener('progress', this.onprogress);
    document.addEventListener('visibilitychange', this.onhide);
  }

  stop() {
    this.#save();
    this.app.outbox.removeEventListener('change', this.onchange);
    this.app.outbox.removeEventListener('progress', this.onprogress);
    document.removeEventListener('visibilitychange', this.onhide);
    this.photos.stop();
    this.isOver = true;
  }

  /* One drawing at a time: each waits for the store, and two at once would show things twice. */
  draw() {
    this.#drawing = this.#drawing.catch(() => {}).then(() => this.#drawNow());
    return this.#drawing;
  }

  async #drawNow() {
    const proof = await this.app.outbox.find(this.id),
      view = viewOf(proof);
    if (this.isOver) return;
    /* Gone: it has arrived, perhaps from another page, or was thrown away. */
    if (this.proof && proof === null) {
      this.app.go(`#/mine/${this.id}`);
      return;
    }
    this.proof = proof;
    if (view !== this.#view) {
      this.#view = view;
      this.photos?.stop();
      this.photos = new Photos(this.app, this.task, { isFixed: view !== 'draft' });
      this.status = h('p', { class: 'notice', role: 'status' });
      replace(this.node, view === 'draft' ? this.#draft() : view === 'waiting' ? this.#waiting() : this.#refused());
    }
    await this.photos.draw(proof?.photos ?? []);
    this.#drawProgress();
  }

  /* Views */

  #draft() {
    const { t } = this.app,
      { proof, task, form } = this,
      words = form.isConfirmation;
    const text = (name, rows, max) => h('textarea', { name, rows, maxlength: max, value: proof?.[name] ?? '' });
    this.notes = words ? null : text('notes', 3, 5000);
    this.confirmation = words ? text('confirmation_text', 6, 10_000) : null;
    this.reference = words
      ? h('input', {
          name: 'reference_url',
          type: 'url',
          inputmode: 'url',
          maxlength: 2048,
          value: proof?.reference_url ?? '',
          placeholder: 'https://',
        })
      : null;
    this.credential = form.isCredential ? credentialForm(this.app, task) : null;
    this.fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    this.send = h('button', { class: 'button main whole', type: 'submit' }, t('proof.send'));
    const onsubmit = (event) => {
      event.preventDefault();
      busy(this.send, () => this.#submit());
    };
    this.formNode = h(
      'form',
      { class: 'stack', novalidate: true, oninput: () => this.#saveSoon(), onsubmit },
      h('section', { class: 'card stack' }, h('h2', {}, t('task.proof')), requirements(task.proof_requirements)),
      this.credential?.node,
      !form.isCredential && this.photos.section(this.status),
      h(
        'section',
        { class: 'card stack' },
        words && field(t('proof.confirmation'), this.confirmation, { hint: t('proof.confirmation_hint') }),
        words && field(t('proof.reference'), this.reference, { hint: t('profile.optional') }),
        !words && field(t('proof.notes'), this.notes, { hint: t('profile.optional') }),
      ),
      this.fault,
      this.send,
      h('p', { class: 'soft small centred' }, t('proof.kept')),
    );
    if (proof?.faults)
      queueMicrotask(() => showFaults(this.formNode, { fields: proof.faults }) || this.#say(proof.message));
    return this.formNode;
  }

  #waiting() {
    const { t, outbox } = this.app;
    const now = h(
      'button',
      { class: 'button main', type: 'button', onclick: () => busy(now, () => outbox.run({ isNow: true })) },
      t('proof.now'),
    );
    return h(
      'section',
      { class: 'card stack' },
      h('h2', {}, t('proof.waiting')),
      this.status,
      h('p', { class: 'soft' }, t('proof.waiting_text')),
      this.photos.list,
      h('div', { class: 'row' }, now, this.#recall('')),
    );
  }

  #refused() {
    const { t } = this.app,
      { error, message } = this.proof;
    const drop = h('button', { class: 'button danger', type: 'button', onclick: () => this.#drop() }, t('proof.drop'));
    return h(
      'section',
      { class: 'card stack' },
      h('h2', {}, t('proof.refused')),
      h('p', { class: 'notice bad' }, explain(this.app, { code: error, message: message ?? error })),
      h('p', { class: 'soft' }, t('proof.refused_text')),
      this.photos.list,
      h('div', { class: 'row' }, this.#recall('main'), drop),
    );
  }

  /* A button that takes the proof back to change it. */
  #recall(kind) {
    const { t, outbox } = this.app;
    const recall = () => outbox.recall(this.id).catch((error) => toast(explain(this.app, error), { kind: 'bad' }));
    const button = h(
      'button',
      { class: ['button', kind], type: 'button', onclick: () => busy(button, recall) },
      t('proof.change'),
    );
    return button;
  }

  async #drop() {
    const { t, outbox } = this.app;
    const isSure = await confirm({
      title: t('proof.drop_title'),
      text: t('proof.drop_text'),
      ok: t('proof.drop'),
      cancel: t('keep'),
      isDangerous: true,
    });
    if (isSure) await outbox.discard(this.id);
  }

  /* One line about all of it. */
  #drawProgress() {
    const { t } = this.app,
      [key, kind] = this.#progress(),
      photos = this.proof?.photos ?? [],
      left = photos.filter((photo) => !photo.url).length;
    this.photos.drawProgress();
    this.status.hidden = key === null;
    this.status.className = `notice ${kind}`;
    const text =
      key === null
        ? ''
        : t(`status.${key}`, { n: left, done: photos.length - left, all: photos.length, why: this.#why() });
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  /* What that line says, and how it looks. */
  #progress() {
    const { proof, app } = this,
      photos = proof?.photos ?? [],
      isQueued = proof?.state === 'queued';
    const isAnyLeft = photos.some((photo) => !photo.url),
      isUnder = photos.some((photo) => app.outbox.progress.has(photo.id));
    if ((isAnyLeft || isQueued) && (!navigator.onLine || AWAY.includes(proof?.error))) return ['away', 'warn'];
    if (proof?.error === 'photo_refused') return ['photo_refused', 'bad'];
    if (isUnder) return ['uploading', 'quiet'];
    if (isQueued) return proof.error ? ['error', 'warn'] : ['sending', 'quiet'];
    if (isAnyLeft) return ['left', 'quiet'];
    return photos.length > 0 ? ['all', 'good'] : [null, ''];
  }

  #why() {
    const { error, next_at: next } = this.proof ?? {};
    return error
      ? explain(this.app, {
          code: error,
          message: error,
          retryAfter: Math.max(1, Math.ceil((next - Date.now()) / 1000)),
        })
      : '';
  }

  /* Words */

  #fields() {
    const value = (control) => control?.value.trim() || null;
    return {
      notes: value(this.notes),
      confirmation_text: value(this.confirmation),
      reference_url: value(this.reference),
    };
  }

  #saveSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_MS);
  }

  #save() {
    clearTimeout(this.#timer);
    if (this.#view !== 'draft' || this.isOver) return;
    const now = this.#fields(),
      had = this.proof ?? {};
    if (Object.entries(now).every(([name, value]) => value === (had[name] ?? null))) return;
    this.app.outbox.save(this.id, now).catch((error) => {
      if (error.code !== 'not_draft' && error.code !== 'signed_out') this.#say(explain(this.app, error));
    });
  }

  #say(text) {
    this.fault.textContent = text;
    this.fault.hidden = false;
    this.fault.scrollIntoView({ block: 'center' });
  }

  async #submit() {
    const { t, outbox } = this.app,
      fields = this.#fields();
    clearTimeout(this.#timer);
    clearFaults(this.formNode);
    this.fault.hidden = true;
    const missing = lacks(this.task, {
      photos: this.proof?.photos.length ?? 0,
      confirmation_text: fields.confirmation_text ?? '',
      hasCredential: this.credential?.isFilled(),
    });
    if (missing.length > 0) {
      this.#say(missing.map((name) => t(`lacks.${name}`)).join(' '));
      return;
    }
    try {
      const credential = this.credential ? await this.credential.seal() : null;
      await outbox.queue(this.id, { ...fields, credential });
      this.credential?.clear();
      if (!navigator.onLine) toast(t('proof.later'));
      askSync();
    } catch (error) {
      this.#say(explain(this.app, error));
    }
  }
}
