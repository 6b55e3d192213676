/* The app's own camera: one photo after another, each with the time and, where the device knows it, the place of that moment. */
import { h, replace } from '../shared/dom.mjs';
import { announce } from '../shared/widgets.mjs';
import { icon } from '../shared/icons.mjs';
import { stamp } from './exif.mjs';

const QUALITY = 0.92,
  PLACE_AGE_MS = 60_000;
const WANTED = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 2560 }, height: { ideal: 1920 } },
};

export const hasCamera = () => Boolean(navigator.mediaDevices?.getUserMedia);

/* Where the device is, kept up to date: place() is { lat, lng, accuracy_m } or null, also when it is too old. */
export function watchPlace(onchange) {
  let last = null;
  const id = navigator.geolocation?.watchPosition(
    ({ coords, timestamp }) => {
      last = { lat: coords.latitude, lng: coords.longitude, accuracy_m: coords.accuracy, at: timestamp };
      onchange('found');
    },
    (error) => onchange(error.code === 1 ? 'denied' : 'unknown'),
    { enableHighAccuracy: true, maximumAge: 10_000 },
  );
  return {
    place: () =>
      last && Date.now() - last.at < PLACE_AGE_MS
        ? { lat: last.lat, lng: last.lng, accuracy_m: last.accuracy_m }
        : null,
    stop: () => {
      if (id !== undefined) navigator.geolocation.clearWatch(id);
    },
  };
}

/* The picture that the video shows now, as a stamped JPEG. */
async function shoot(video, place) {
  const canvas = document.createElement('canvas'),
    at = Date.now();
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  canvas.getContext('2d').drawImage(video, 0, 0);
  const blob = await new Promise((done) => {
    canvas.toBlob(done, 'image/jpeg', QUALITY);
  });
  if (!blob) throw Object.assign(new Error('no picture'), { code: 'camera_failed' });
  return {
    bytes: stamp(new Uint8Array(await blob.arrayBuffer()), { at, place }).buffer,
    type: 'image/jpeg',
    name: '',
    place,
    captured_at: at,
  };
}

/*
 * Opens the camera until it is closed or room photos are taken; onshot(photo) keeps each, and its fault is shown.  Throws
 * { code: 'camera_denied' | 'camera_failed' } if there is none.
 */
export async function openCamera(app, { room, onshot }) {
  const { t } = app;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia(WANTED);
  } catch (error) {
    throw Object.assign(new Error(error.message, { cause: error }), {
      code: error.name === 'NotAllowedError' ? 'camera_denied' : 'camera_failed',
    });
  }
  const video = h('video', {
    autoplay: true,
    playsinline: true,
    muted: true,
    srcObject: stream,
    'aria-label': t('camera.picture'),
  });
  const where = h('p', { class: 'camera-place', role: 'status' }, t('camera.place_wait')),
    said = h('p', { class: 'camera-count', role: 'status' });
  const watch = watchPlace((state) => replace(where, t(`camera.place_${state}`)));
  let taken = 0;
  const shutter = h('button', { class: 'shutter', type: 'button', 'aria-label': t('camera.shoot') });
  const node = h(
    'dialog',
    { class: 'camera', 'aria-label': t('camera.title') },
    video,
    h(
      'div',
      { class: 'camera-bar' },
      h('div', {}, where, said),
      shutter,
      h(
        'button',
        { class: 'button', type: 'button', onclick: () => node.close() },
        icon('check', 18),
        t('camera.done'),
      ),
    ),
  );
  shutter.addEventListener('click', async () => {
    if (shutter.disabled || video.videoWidth === 0) return;
    shutter.disabled = true;
    try {
      await onshot(await shoot(video, watch.place()));
      replace(said, t('camera.count', { n: ++taken }));
    } catch (error) {
      replace(said, app.explain(error));
      announce(app.explain(error), { isUrgent: true });
    }
    shutter.disabled = false;
    if (taken >= room) node.close();
    else shutter.focus();
  });
  document.body.append(node);
  node.showModal();
  shutter.focus();
  await new Promise((done) => {
    node.addEventListener('close', done, { once: true });
  });
  watch.stop();
  stream.getTracks().forEach((track) => track.stop());
  node.remove();
  return taken;
}
