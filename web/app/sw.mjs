/*
 * The service worker: the app's files from one cache, whole and of one version; notifications; a word to the pages when the
 * network is back.  No answer of the API is ever kept here.
 *
 * BUILD is put in when the app is installed (Makefile), from the content of the files: another content is another worker, which
 * fetches everything anew and waits until the person wants it.
 */
import { texts } from '../shared/text.mjs';
import { files } from './files.mjs';
import en from './text.en.mjs';
import es from './text.es.mjs';

const BUILD = '@BUILD@',
  PREFIX = 'humanops-app-',
  CACHE = PREFIX + BUILD;
const START = '/app/index.html',
  ICON = '/app/icon-192.png',
  BADGE = '/app/badge-96.png';
/* Used only by some; kept once they were. */
const LATER = /^\/vendor\/leaflet\//;
const ASK_MS = 60_000;

self.addEventListener('install', (event) => {
  /* All or nothing, and past the browser's own cache, which may be older. */
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll(files.map((file) => new Request(file, { cache: 'reload' })))),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

/* The page says when: a version is not swapped under somebody's hands. */
self.addEventListener('message', (event) => {
  if (event.data === 'take-over') self.skipWaiting();
});

self.addEventListener('fetch', (event) => {
  const { request } = event,
    url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== self.location.origin) return;
  if (request.mode === 'navigate' && /^\/app\/(index\.html)?$/.test(url.pathname))
    event.respondWith(fromCache(START, request));
  else if (url.search === '' && (files.includes(url.pathname) || LATER.test(url.pathname)))
    event.respondWith(fromCache(url.pathname, request));
});

async function fromCache(path, request) {
  const cache = await caches.open(CACHE),
    kept = await cache.match(path);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && LATER.test(path)) await cache.put(path, answer.clone());
  return answer;
}

/* Notifications */

function read(data) {
  try {
    const message = data.json();
    return typeof message?.title === 'string' ? message : null;
  } catch {
    return null;
  }
}

self.addEventListener('push', (event) => {
  /* Browsers take the permission away from an app that is woken and shows nothing. */
  const message = (event.data && read(event.data)) ?? { title: 'HumanOps', text: '' };
  /* News of one task takes the place of what was said of it before. */
  const tag = message.task_id ?? message.notice;
  event.waitUntil(
    Promise.all([
      self.registration.showNotification(message.title, {
        body: message.text,
        icon: ICON,
        badge: BADGE,
        tag,
        renotify: Boolean(tag),
        data: { task_id: message.task_id ?? null },
      }),
      tell({ type: 'news', task_id: message.task_id ?? null }),
    ]),
  );
});

async function tell(message) {
  const pages = await self.clients.matchAll({ type: 'window' });
  pages.forEach((page) => page.postMessage(message));
}

const addressOf = (task) => `/app/#${/^task_[0-9a-z]+$/.test(task ?? '') ? `/mine/${task}` : '/mine'}`;

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(
    (async () => {
      const address = addressOf(event.notification.data?.task_id),
        [page] = await self.clients.matchAll({ type: 'window' });
      if (!page) return self.clients.openWindow(address);
      page.postMessage({ type: 'open', hash: address.replace('/app/', '') });
      return page.focus();
    })(),
  );
});

/*
 * The network is back while a proof waits (Background Sync).  Tokens live in pages, so a page does the sending; without one the
 * person is asked to open the app, if they want to be told such things at all.
 */
self.addEventListener('sync', (event) => {
  if (event.tag === 'outbox') event.waitUntil(send(event.lastChance));
});

async function send(isLast) {
  const pages = await self.clients.matchAll({ type: 'window' });
  if (pages.length === 0) {
    const { t } = texts({ en, es });
    if (self.Notification?.permission === 'granted')
      await self.registration.showNotification(t('sync.title'), {
        body: t('sync.text'),
        icon: ICON,
        badge: BADGE,
        tag: 'outbox',
        data: { task_id: null },
      });
    return;
  }
  const isDone = await ask(pages[0]);
  if (!isDone && !isLast) throw new Error('not all is sent'); /* the browser tries again later */
}

function ask(page) {
  return new Promise((done) => {
    const channel = new MessageChannel();
    setTimeout(() => done(false), ASK_MS);
    channel.port1.onmessage = ({ data }) => done(data === true);
    page.postMessage({ type: 'send' }, [channel.port2]);
  });
}
