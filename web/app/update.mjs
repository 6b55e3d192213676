/* The page's side of the service worker: having one, hearing it, and a new version when the person wants it. */
import { toast } from '../shared/widgets.mjs';

const UPDATE_MS = 30 * 60_000;

/* hear(data, ports): what the worker says to the page. */
export async function serve(t, hear) {
  if (!('serviceWorker' in navigator)) return;
  navigator.serviceWorker.addEventListener('message', ({ data, ports }) => hear(data ?? {}, ports));
  reloadWithNext();
  try {
    const registration = await navigator.serviceWorker.register('/app/sw.mjs', {
      type: 'module',
      scope: '/app/',
      updateViaCache: 'none',
    });
    offerUpdates(registration, t);
    setInterval(() => registration.update().catch(() => {}), UPDATE_MS);
  } catch (error) {
    console.warn('service worker', error.message);
  }
}

/* The first worker takes a page over as it is; one that comes after it brings other files. */
function reloadWithNext() {
  let isServed = navigator.serviceWorker.controller !== null,
    isReloading = false;
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (isServed && !isReloading) {
      isReloading = true;
      location.reload();
    }
    isServed = true;
  });
}

function offerUpdates(registration, t) {
  const offer = (worker) =>
    toast(t('update.text'), { ms: 0, action: { label: t('update.go'), run: () => worker.postMessage('take-over') } });
  if (registration.waiting && navigator.serviceWorker.controller) offer(registration.waiting);
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing;
    worker?.addEventListener('statechange', () => {
      if (worker.state === 'installed' && navigator.serviceWorker.controller) offer(worker);
    });
  });
}

/* What is queued is to be sent when the network is back, also while the page sleeps. */
export async function askSync() {
  const registration = await navigator.serviceWorker?.ready;
  await registration?.sync?.register('outbox').catch(() => {});
}
