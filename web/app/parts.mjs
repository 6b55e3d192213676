/* Small parts that several screens show: rewards, timers, places, kinds of tasks, cards. */
import { h } from '../shared/dom.mjs';
import { DAY, HOUR, countdown, day, distance, distanceKm, money, relative, time } from '../shared/format.mjs';
import { icon } from '../shared/icons.mjs';

const TICK_MS = 1000;

/* Time left, counted down by one clock for the whole page. */
export const timer = (until) =>
  h(
    'time',
    { class: 'timer', datetime: new Date(until).toISOString(), dataset: { until: String(until) } },
    countdown(until - Date.now()),
  );

export function startClock(root = document) {
  setInterval(() => {
    if (root.hidden) return;
    for (const node of root.querySelectorAll('[data-until]')) {
      const text = countdown(Number(node.dataset.until) - Date.now());
      if (node.textContent !== text) node.textContent = text;
    }
  }, TICK_MS);
}

/* Format functions in the app's language, as it is written where the person lives. */
export function formats(app) {
  const language = navigator.languages.find((tag) => tag.split('-')[0] === app.texts.language) ?? app.texts.language;
  return {
    time: (at) => time(at, { language }),
    day: (at) => day(at, { language }),
    relative: (at) => nearest(at, language),
    distance: (km) => distance(km, { language }),
  };
}

/* In three days is what has 2 days and 23 hours to go. */
function nearest(at, language, now = Date.now()) {
  const left = Date.parse(at) - now,
    unit = [DAY, HOUR].find((length) => Math.abs(left) >= length);
  return relative(unit ? now + Math.round(left / unit) * unit : at, now, { language });
}

export const typeName = (app, type) => app.t(`type.${type}`);

const TYPE_ICONS = { VERIFICATION: 'check', PHOTO: 'camera', DELIVERY: 'parcel', INSPECTION: 'search' };
export const typeIcon = (task) => TYPE_ICONS[task.task_type] ?? (task.agent_public_key ? 'key' : 'screen');

/* Kilometres from where the operator is, as far as that is known: the device's place, else the profile's. */
export function distanceTo(app, location) {
  const from = app.place ?? (typeof app.me?.location?.lat === 'number' ? app.me.location : null);
  if (!from || typeof location?.lat !== 'number' || typeof location?.lng !== 'number') return null;
  return distanceKm(from, location);
}

/* "1.2 km · 123 Main St", or that it can be done anywhere. */
export function placeLine(app, task) {
  if (task.task_domain === 'DIGITAL') return app.t('task.remote');
  const km = task.distance_km ?? distanceTo(app, task.location);
  return (
    [km === null || km === undefined ? null : formats(app).distance(km), task.location?.address]
      .filter(Boolean)
      .join(' · ') || app.t('task.no_place')
  );
}

export const reward = (usd) => h('span', { class: 'reward' }, money(usd));

export const line = (name, ...children) => h('span', { class: 'line' }, icon(name, 16), h('span', {}, children));

/* One of a list: the whole card is the link's.  level: of its heading among the others. */
export function card({ href, title, badge = null, usd, lines = [], level = 'h3' }) {
  return h(
    'li',
    { class: 'task-card card' },
    h('div', { class: 'task-head' }, h(level, {}, h('a', { href, class: 'cover' }, title)), reward(usd)),
    badge,
    h('div', { class: 'lines-of' }, lines),
  );
}

/* Requirements of a proof, as a list of things to tick off with the eye. */
export const requirements = (list) =>
  h(
    'ul',
    { class: 'requirements' },
    (list ?? []).map((text) => h('li', {}, icon('check', 18), h('span', {}, text))),
  );

export const heading = (title, ...more) =>
  h(
    'div',
    { class: 'screen-head' },
    h('h1', { tabindex: '-1' }, title),
    more.length > 0 && h('div', { class: 'row' }, more),
  );

export const back = (href, text) => h('a', { class: 'back', href }, icon('back', 18), text);

/* The words of an error: those that the app has for its code, else the server's own, down to the fields that it names. */
export function explain(app, error) {
  /* The browser's own errors have a number there, and their name says more. */
  const key = `error.${typeof error.code === 'string' ? error.code : error.name}`;
  if (app.has(key)) return app.t(key, { n: error.retryAfter ?? 1 });
  return [error.message, ...Object.entries(error.fields ?? {}).map(([name, why]) => `${name} ${why}`)].join(' ');
}

/* The device's place: { lat, lng, accuracy_m, at }.  Throws { code: 'position_denied' | 'position_unknown' }. */
export function locate({ timeout = 15_000, maximumAge = 30_000 } = {}) {
  return new Promise((done, fail) => {
    const refuse = (code) => fail(Object.assign(new Error(code), { code }));
    if (!navigator.geolocation) return refuse('position_unknown');
    return navigator.geolocation.getCurrentPosition(
      ({ coords, timestamp }) =>
        done({ lat: round(coords.latitude), lng: round(coords.longitude), accuracy_m: coords.accuracy, at: timestamp }),
      (error) => refuse(error.code === 1 ? 'position_denied' : 'position_unknown'),
      { enableHighAccuracy: true, timeout, maximumAge },
    );
  });
}

/* About a decimetre: more is noise. */
const round = (degrees) => Math.round(degrees * 1e6) / 1e6;
