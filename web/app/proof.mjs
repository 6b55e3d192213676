/*
 * Making a proof: photos, words, a credential.  Every change is kept on the device at once and sent when there is a network;
 * this screen shows what the outbox has and asks it for changes.
 */
import { h, replace } from '../shared/dom.mjs';
import { bytes as size } from '../shared/format.mjs';
import { busy, clearFaults, confirm, field, showFaults, toast } from '../shared/widgets.mjs';
import { icon } from '../shared/icons.mjs';
import { back, explain, heading, locate, requirements } from './parts.mjs';
import { hasCamera, openCamera } from './camera.mjs';
import { credentialForm } from './credential.mjs';
import { isFresh, lacks, proofForm } from './rules.mjs';

const SAVE_MS = 400;

export async function show(app, { params, signal }) {
  const { t } = app, { task } = await app.work.find(params.id, signal);
  if (!['ACCEPTED', 'IN_PROGRESS'].includes(task.status)) return { goTo: `#/work/${task.task_id}` };
  const screen = new ProofScreen(app, task);
  await screen.draw();
  return { title: t('proof.title'), stop: () => screen.stop(), body: [back(`#/work/${task.task_id}`, task.title), heading(t('proof.title')), screen.node] };
}

class ProofScreen {
  #urls = new Map();
  #timer = null;
  #shown = null;        /* which of the three views */

  constructor(app, task) {
    Object.assign(this, { app, task, id: task.task_id, form: proofForm(task), node: h('div', { class: 'stack' }) });
    this.onchange = ({ detail }) => { if (detail === null || detail === this.id) this.draw(); };
    this.onprogress = () => this.#drawProgress();
    this.onhide = () => { if (document.hidden) this.#save(); };
    app.outbox.addEventListener('change', this.onchange);
    app.outbox.addEventListener('progress', this.onprogress);
    document.addEventListener('visibilitychange', this.onhide);
  }

  stop() {
    this.#save();
    this.app.outbox.removeEventListener('change', this.onchange);
    this.app.outbox.removeEventListener('progress', this.onprogress);
    document.removeEventListener('visibilitychange', this.onhide);
    this.#urls.forEach((url) => URL.revokeObjectURL(url));
    this.isOver = true;
  }

  async draw() {
    const proof = await this.app.outbox.find(this.id);
    if (this.isOver) return;
    /* Gone: it has arrived, perhaps from another page, or was thrown away. */
    if (this.proof && proof === null) {
      this.app.go(`#/work/${this.id}`);
      return;
    }
    const view = proof?.state === 'queued' ? 'waiting' : proof?.state === 'refused' ? 'refused' : 'draft';
    this.proof = proof;
    this.photos = proof?.photos ?? [];
    if (view !== this.#shown) {
      this.#shown = view;
      this.list = h('ul', { class: 'photos proof-photos' });
      this.status = h('p', { class: 'notice', role: 'status' });
      replace(this.node, view === 'draft' ? this.#draft() : view === 'waiting' ? this.#waiting() : this.#refused());
    }
    await this.#drawPhotos();
    this.#drawProgress();
  }

  /* Views */

  #draft() {
    const { t } = this.app, { proof, task } = this;
    const text = (name, rows, max) => h('textarea', { name, rows, maxlength: max, value: proof?.[name] ?? '' });
    this.notes = this.form.isConfirmation ? null : text('notes', 3, 5000);
    this.confirmation = this.form.isConfirmation ? text('confirmation_text', 6, 10_000) : null;
    this.reference = this.form.isConfirmation ? h('input', { name: 'reference_url', type: 'url', maxlength: 2048, inputmode: 'url', value: proof?.reference_url ?? '', placeholder: 'https://' }) : null;
    this.credential = this.form.isCredential ? credentialForm(this.app, task) : null;
    this.fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    this.send = h('button', { class: 'button main whole', type: 'submit' }, t('proof.send'));
    this.formNode = h('form', { class: 'stack', novalidate: true, oninput: () => this.#saveSoon(), onsubmit: (event) => { event.preventDefault(); busy(this.send, () => this.#submit()); } },
      h('section', { class: 'card stack' }, h('h2', {}, t('task.proof')), requirements(task.proof_requirements)),
      this.credential?.node,
      !this.form.isCredential && this.#photoSection(),
      h('section', { class: 'card stack' },
        this.confirmation && field(t('proof.confirmation'), this.confirmation, { hint: t('proof.confirmation_hint') }),
        this.reference && field(t('proof.reference'), this.reference, { hint: t('profile.optional') }),
        this.notes && field(t('proof.notes'), this.notes, { hint: t('profile.optional') })),
      this.fault, this.send, h('p', { class: 'soft small centred' }, t('proof.kept')));
    if (proof?.faults) queueMicrotask(() => showFaults(this.formNode, { fields: proof.faults }) || this.#say(proof.message));
    return this.formNode;
  }

  #photoSection() {
    const { t, settings } = this.app, { isFile } = this.form;
    const input = h('input', { type: 'file', name: 'photos', multiple: true, class: 'hidden-visually', tabindex: '-1', 'aria-hidden': 'true',
      accept: (isFile ? settings.upload.media_types : settings.upload.media_types.filter((type) => type.startsWith('image/'))).join(','),
      onchange: () => this.#choose(input) });
    const camera = this.form.hasCamera && hasCamera() && h('button', { class: 'button main', type: 'button', onclick: () => busy(camera, () => this.#camera(input)) }, icon('camera', 18), t('proof.camera'));
    const choose = h('button', { class: ['button', !camera && 'main'], type: 'button', onclick: () => input.click() }, icon('image', 18), t(isFile ? 'proof.files' : 'proof.choose'));
    this.empty = h('p', { class: 'soft' }, t(this.form.minPhotos > 0 ? 'proof.no_photos' : 'proof.photos_optional'));
    return h('section', { class: 'card stack', 'aria-labelledby': 'photos-title' }, h('h2', { id: 'photos-title' }, t(isFile ? 'proof.files_title' : 'proof.photos')),
      this.empty, this.list, this.status, h('div', { class: 'row' }, camera, choose, input));
  }

  #waiting() {
    const { t } = this.app;
    const now = h('button', { class: 'button main', type: 'button', onclick: () => busy(now, () => this.app.outbox.run({ isNow: true })) }, t('proof.now'));
    const change = h('button', { class: 'button', type: 'button', onclick: () => busy(change, () => this.app.outbox.recall(this.id)
      .catch((error) => toast(explain(this.app, error), { kind: 'bad' }))) }, t('proof.change'));
    return h('section', { class: 'card stack' }, h('h2', {}, t('proof.waiting')), this.status, h('p', { class: 'soft' }, t('proof.waiting_text')), this.list,
      h('div', { class: 'row' }, now, change));
  }

  #refused() {
    const { t } = this.app, { error, message } = this.proof;
    const again = h('button', { class: 'button main', type: 'button', onclick: () => this.app.outbox.recall(this.id) }, t('proof.change'));
    const drop = h('button', { class: 'button danger', type: 'button', onclick: async () => {
      if (!await confirm({ title: t('proof.drop_title'), text: t('proof.drop_text'), ok: t('proof.drop'), cancel: t('keep'), isDangerous: true })) return;
      await this.app.outbox.discard(this.id);
      this.app.go(`#/work/${this.id}`);
    } }, t('proof.drop'));
    return h('section', { class: 'card stack' }, h('h2', {}, t('proof.refused')),
      h('p', { class: 'notice bad' }, this.app.has(`error.${error}`) ? t(`error.${error}`) : message ?? error),
      h('p', { class: 'soft' }, t('proof.refused_text')), this.list, h('div', { class: 'row' }, again, drop));
  }

  /* Photos */

  async #drawPhotos() {
    if (this.empty) this.empty.hidden = this.photos.length > 0;
    const wanted = new Set(this.photos.map((photo) => photo.id));
    [...this.list.children].forEach((item) => { if (!wanted.has(item.dataset.photo)) item.remove(); });
    for (const [i, photo] of this.photos.entries()) {
      const old = this.list.querySelector(`[data-photo="${photo.id}"]`), state = `${Boolean(photo.url)} ${photo.error}`;
      if (old?.dataset.state === state) continue;
      const item = await this.#photo(photo, i, state);
      if (this.isOver) return;
      if (old?.isConnected) old.replaceWith(item);
      else this.list.append(item);
    }
  }

  async #url(photo) {
    if (!this.#urls.has(photo.id)) {
      const bytes = await this.app.outbox.bytesOf(photo.id);
      if (!bytes) return null;
      this.#urls.set(photo.id, URL.createObjectURL(new Blob([bytes], { type: photo.type })));
    }
    return this.#urls.get(photo.id);
  }

  async #photo(photo, i, state) {
    const { t } = this.app, n = i + 1, url = await this.#url(photo);
    const remove = this.#shown === 'draft' && h('button', { class: 'button little remove', type: 'button', 'aria-label': t('proof.remove', { n }), onclick: () => busy(remove, () => this.#remove(photo)) }, '✕');
    const isPicture = /^image\/(jpeg|png|webp)$/.test(photo.type);
    return h('li', { dataset: { photo: photo.id, state } },
      isPicture && url ? h('img', { src: url, alt: t('handed.photo', { n }), width: 160, height: 120 }) : h('span', { class: 'file' }, icon('image', 28), photo.name || t('handed.file', { n })),
      remove,
      h('span', { class: 'photo-facts' },
        photo.error ? h('strong', { class: 'bad-text' }, this.app.has(`error.${photo.error}`) ? t(`error.${photo.error}`) : photo.message)
          : photo.url ? h('span', { class: 'good-text' }, t('proof.saved')) : h('span', { class: 'photo-state' }, t('proof.on_device')),
        h('span', { class: 'soft' }, size(photo.size)), photo.place ? h('span', { class: 'soft' }, t('proof.placed')) : this.task.task_domain !== 'DIGITAL' && h('span', { class: 'warn-text' }, t('proof.unplaced'))),
      h('progress', { max: 1, value: 0, hidden: true, 'aria-label': t('proof.uploading', { n }) }));
  }

  async #remove(photo) {
    await this.app.outbox.removePhoto(this.id, photo.id);
    URL.revokeObjectURL(this.#urls.get(photo.id));
    this.#urls.delete(photo.id);
  }

  /* One line about all of it, and a bar below each photo that is on its way. */
  #drawProgress() {
    const { t, outbox } = this.app, { photos, proof } = this;
    for (const item of this.list.children) {
      const part = outbox.progress.get(item.dataset.photo), bar = item.querySelector('progress');
      bar.hidden = part === undefined;
      if (part !== undefined) bar.value = part;
    }
    const left = photos.filter((photo) => !photo.url).length, isUnder = photos.some((photo) => outbox.progress.has(photo.id));
    const isAway = !navigator.onLine || ['offline', 'timeout', 'aborted'].includes(proof?.error);
    const [key, kind] = isAway && (left > 0 || proof?.state === 'queued') ? ['away', 'warn'] : proof?.error === 'photo_refused' ? ['photo_refused', 'bad']
      : proof?.error && this.#shown === 'waiting' && !isUnder ? ['error', 'warn'] : isUnder ? ['uploading', 'quiet'] : proof?.state === 'queued' ? ['sending', 'quiet']
        : left > 0 ? ['left', 'quiet'] : photos.length > 0 ? ['all', 'good'] : [null, ''];
    this.status.hidden = key === null;
    this.status.className = `notice ${kind}`;
    const text = key === null ? '' : t(`status.${key}`, { n: left, done: photos.length - left, all: photos.length,
      why: proof?.error && this.app.has(`error.${proof.error}`) ? t(`error.${proof.error}`, { n: Math.max(1, Math.ceil((proof.next_at - Date.now()) / 1000)) }) : proof?.error ?? '' });
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  #room() {
    return this.app.settings.upload.max_photos - this.photos.length;
  }

  async #add(file) {
    if (this.#room() <= 0) throw Object.assign(new Error('full'), { code: 'too_many' });
    if (file.bytes.byteLength > this.app.settings.upload.max_bytes) throw Object.assign(new Error('large'), { code: 'body_too_large' });
    await this.app.outbox.addPhoto(this.id, file);
    /* Asked once there is something to lose: the browser is not to clear it away when space runs short. */
    navigator.storage?.persist?.().catch(() => {});
  }

  async #camera(input) {
    try {
      await openCamera(this.app, { room: this.#room(), onshot: (photo) => this.#add(photo) });
    } catch (error) {
      toast(explain(this.app, error), { kind: 'bad', action: { label: this.app.t('proof.choose'), run: () => input.click() } });
    }
  }

  async #choose(input) {
    const files = [...input.files], now = Date.now();
    input.value = '';
    /* A photo that the phone's camera has just taken was taken here. */
    const place = files.some((file) => isFresh(file.lastModified, now)) && this.task.task_domain !== 'DIGITAL' ? await locate({ timeout: 5000 }).catch(() => null) : null;
    for (const file of files) {
      const isNew = isFresh(file.lastModified, now);
      try {
        await this.#add({ bytes: await file.arrayBuffer(), type: file.type || 'image/jpeg', name: file.name.slice(0, 100),
          place: isNew && place ? { lat: place.lat, lng: place.lng, accuracy_m: place.accuracy_m } : null, captured_at: file.lastModified });
      } catch (error) {
        toast(`${file.name}: ${error.name === 'QuotaExceededError' ? this.app.t('error.storage_full') : explain(this.app, error)}`, { kind: 'bad' });
      }
    }
  }

  /* Words */

  #fields() {
    const value = (control) => control?.value.trim() || null;
    return { notes: value(this.notes), confirmation_text: value(this.confirmation), reference_url: value(this.reference) };
  }

  #saveSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_MS);
  }

  #save() {
    clearTimeout(this.#timer);
    if (this.#shown !== 'draft' || this.isOver) return;
    const now = this.#fields(), had = this.proof ?? {};
    if (Object.entries(now).every(([name, value]) => value === (had[name] ?? null))) return;
    this.app.outbox.save(this.id, now).catch((error) => { if (error.code !== 'not_draft' && error.code !== 'signed_out') this.#say(explain(this.app, error)); });
  }

  #say(text) {
    this.fault.textContent = text;
    this.fault.hidden = false;
    this.fault.scrollIntoView({ block: 'center' });
  }

  async #submit() {
    const { t } = this.app, fields = this.#fields();
    clearTimeout(this.#timer);
    clearFaults(this.formNode);
    this.fault.hidden = true;
    const missing = lacks(this.task, { photos: this.photos.length, confirmation_text: fields.confirmation_text ?? '', hasCredential: this.credential?.isFilled() });
    if (missing.length > 0) return this.#say(missing.map((name) => t(`lacks.${name}`)).join(' '));
    try {
      const credential = this.credential ? await this.credential.seal() : null;
      await this.app.outbox.queue(this.id, { ...fields, credential });
      this.credential?.clear();
      if (!navigator.onLine) toast(t('proof.later'));
      this.app.askSync();
    } catch (error) {
      this.#say(explain(this.app, error));
    }
    return undefined;
  }
}
