/*
 * The photos of a proof on the screen: taken by the camera or chosen, each with how far it has got, to be taken out again.  What
 * is drawn is what the outbox has.
 */
import { h } from '../shared/dom.mjs';
import { bytes as size } from '../shared/format.mjs';
import { icon } from '../shared/icons.mjs';
import { busy, toast } from '../shared/widgets.mjs';
import { hasCamera, openCamera } from './camera.mjs';
import { explain, locate } from './parts.mjs';
import { isFresh, proofForm } from './rules.mjs';

const LOCATE_MS = 5000;

export class Photos {
  #app;
  #task;
  #form;
  #urls = new Map(); /* photo id → address of its bytes in this page */
  #photos = [];
  #empty = null;

  /* isFixed: they cannot be changed now. */
  constructor(app, task, { isFixed }) {
    this.#app = app;
    this.#task = task;
    this.#form = proofForm(task);
    this.isFixed = isFixed;
    this.list = h('ul', { class: 'photos proof-photos' });
  }

  stop() {
    this.isOver = true;
    this.#urls.forEach((url) => URL.revokeObjectURL(url));
  }

  /* The card with the buttons; status: a line about all of them, the caller's. */
  section(status) {
    const { t, settings } = this.#app,
      { isFile } = this.#form;
    const types = settings.upload.media_types.filter((type) => isFile || type.startsWith('image/'));
    const input = h('input', {
      type: 'file',
      name: 'photos',
      multiple: true,
      class: 'hidden-visually',
      tabindex: '-1',
      'aria-hidden': 'true',
      accept: types.join(','),
      onchange: () => this.#choose(input),
    });
    const camera =
      this.#form.hasCamera &&
      hasCamera() &&
      h(
        'button',
        {
          class: 'button main',
          type: 'button',
          onclick: () => busy(camera, () => this.#camera(input)),
        },
        icon('camera', 18),
        t('proof.camera'),
      );
    const choose = h(
      'button',
      { class: ['button', !camera && 'main'], type: 'button', onclick: () => input.click() },
      icon('image', 18),
      t(isFile ? 'proof.files' : 'proof.choose'),
    );
    this.#empty = h('p', { class: 'soft' }, t(this.#form.minPhotos > 0 ? 'proof.no_photos' : 'proof.photos_optional'));
    return h(
      'section',
      { class: 'card stack', 'aria-labelledby': 'photos-title' },
      h('h2', { id: 'photos-title' }, t(isFile ? 'proof.files_title' : 'proof.photos')),
      this.#empty,
      this.list,
      status,
      h('div', { class: 'row' }, camera, choose, input),
    );
  }

  /* Draws what is new and takes out what is gone; what stays as it is stays. */
  async draw(photos) {
    this.#photos = photos;
    if (this.#empty) this.#empty.hidden = photos.length > 0;
    const wanted = new Set(photos.map((photo) => photo.id));
    [...this.list.children].forEach((item) => {
      if (!wanted.has(item.dataset.photo)) item.remove();
    });
    for (const [i, photo] of photos.entries()) {
      const old = this.list.querySelector(`[data-photo="${photo.id}"]`),
        state = `${Boolean(photo.url)} ${photo.error}`;
      if (old?.dataset.state === state) continue;
      const item = await this.#item(photo, i + 1, state);
      if (this.isOver) return;
      if (old?.isConnected) old.replaceWith(item);
      else this.list.append(item);
    }
    this.drawProgress();
  }

  /* A bar below each photo that is on its way. */
  drawProgress() {
    for (const item of this.list.children) {
      const part = this.#app.outbox.progress.get(item.dataset.photo),
        bar = item.querySelector('progress');
      bar.hidden = part === undefined;
      if (part !== undefined) bar.value = part;
    }
  }

  async #item(photo, n, state) {
    const { t } = this.#app,
      url = await this.#url(photo),
      isPicture = /^image\/(jpeg|png|webp)$/.test(photo.type);
    const remove =
      !this.isFixed &&
      h(
        'button',
        {
          class: 'button little remove',
          type: 'button',
          'aria-label': t('proof.remove', { n }),
          onclick: () => busy(remove, () => this.#remove(photo)),
        },
        '✕',
      );
    return h(
      'li',
      { dataset: { photo: photo.id, state } },
      isPicture && url
        ? h('img', { src: url, alt: t('handed.photo', { n }), width: 160, height: 120 })
        : h('span', { class: 'file' }, icon('image', 28), photo.name || t('handed.file', { n })),
      remove,
      h('span', { class: 'photo-facts' }, this.#facts(photo)),
      h('progress', { max: 1, value: 0, hidden: true, 'aria-label': t('proof.uploading', { n }) }),
    );
  }

  #facts(photo) {
    const { t } = this.#app,
      fault = photo.error && explain(this.#app, { code: photo.error, message: photo.message });
    return [
      fault
        ? h('strong', { class: 'bad-text' }, fault)
        : photo.url
          ? h('span', { class: 'good-text' }, t('proof.saved'))
          : h('span', {}, t('proof.on_device')),
      h('span', { class: 'soft' }, size(photo.size)),
      photo.place
        ? h('span', { class: 'soft' }, t('proof.placed'))
        : this.#task.task_domain !== 'DIGITAL' && h('span', { class: 'warn-text' }, t('proof.unplaced')),
    ];
  }

  async #url(photo) {
    if (!this.#urls.has(photo.id)) {
      const bytes = await this.#app.outbox.bytesOf(photo.id);
      if (!bytes) return null;
      this.#urls.set(photo.id, URL.createObjectURL(new Blob([bytes], { type: photo.type })));
    }
    return this.#urls.get(photo.id);
  }

  async #remove(photo) {
    await this.#app.outbox.removePhoto(this.#task.task_id, photo.id);
    URL.revokeObjectURL(this.#urls.get(photo.id));
    this.#urls.delete(photo.id);
  }

  #room() {
    return this.#app.settings.upload.max_photos - this.#photos.length;
  }

  async #add(file) {
    const { settings, outbox } = this.#app;
    if (this.#room() <= 0) throw Object.assign(new Error('full'), { code: 'too_many' });
    if (file.bytes.byteLength > settings.upload.max_bytes)
      throw Object.assign(new Error('large'), { code: 'body_too_large' });
    await outbox.addPhoto(this.#task.task_id, file);
    /* Asked once there is something to lose: the browser is not to clear it away when space runs short. */
    navigator.storage?.persist?.().catch(() => {});
  }

  async #camera(input) {
    try {
      await openCamera(this.#app, { room: this.#room(), onshot: (photo) => this.#add(photo) });
    } catch (error) {
      toast(explain(this.#app, error), {
        kind: 'bad',
        action: { label: this.#app.t('proof.choose'), run: () => input.click() },
      });
    }
  }

  /* A photo that the phone's camera has just taken was taken here; of an older one that is not said. */
  async #choose(input) {
    const files = [...input.files],
      now = Date.now(),
      isOnSite = this.#task.task_domain !== 'DIGITAL';
    input.value = '';
    const isAnyNew = isOnSite && files.some((file) => isFresh(file.lastModified, now));
    const here = isAnyNew ? await locate({ timeout: LOCATE_MS }).catch(() => null) : null;
    const place = here && { lat: here.lat, lng: here.lng, accuracy_m: here.accuracy_m };
    for (const file of files) {
      try {
        await this.#add({
          bytes: await file.arrayBuffer(),
          type: file.type || 'image/jpeg',
          name: file.name.slice(0, 100),
          place: isFresh(file.lastModified, now) ? place : null,
          captured_at: file.lastModified,
        });
      } catch (error) {
        toast(`${file.name}: ${explain(this.#app, error)}`, { kind: 'bad' });
      }
    }
  }
}
