/*
 * Notifications by web push: the browser's subscription is made for our key and told to the server.  Browsers change
 * subscriptions by themselves, so it is told again at each start; only the operator's own wish is remembered here.
 */
import { h, replace } from '../shared/dom.mjs';
import { busy, toast } from '../shared/widgets.mjs';
import { explain } from './parts.mjs';

const WISH = 'humanops.push';

export const canPush = () =>
  'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis;

const wish = {
  get: () => {
    try {
      return localStorage.getItem(WISH) === 'on';
    } catch {
      return false;
    }
  },
  set: (isOn) => {
    try {
      localStorage.setItem(WISH, isOn ? 'on' : 'off');
    } catch {
      /* for this visit */
    }
  },
};

export const forgetWish = () => wish.set(false);

const keyBytes = (text) =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (c) => c.charCodeAt(0));
const sameKey = (buffer, bytes) => buffer !== null && new Uint8Array(buffer).every((byte, i) => byte === bytes[i]);

async function subscription(app) {
  const { pushManager } = await navigator.serviceWorker.ready,
    key = keyBytes(app.settings.push_key);
  const old = await pushManager.getSubscription();
  /* A server that was set up anew has another key, and the old subscription is of no use to it. */
  if (old && !sameKey(old.options?.applicationServerKey ?? null, key)) await old.unsubscribe();
  else if (old) return old;
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function tell(app) {
  const { endpoint, keys } = (await subscription(app)).toJSON();
  await app.api.post('/operator/push', { endpoint, keys: { p256dh: keys.p256dh, auth: keys.auth } });
}

export async function turnOn(app) {
  if ((await Notification.requestPermission()) !== 'granted')
    throw Object.assign(new Error('denied'), { code: 'push_denied' });
  await tell(app);
  wish.set(true);
}

/* The server forgets it first: a notification that nobody asked for is worse than a subscription that nobody uses. */
export async function turnOff(app) {
  wish.set(false);
  const registration = await navigator.serviceWorker.getRegistration('/app/'),
    old = await registration?.pushManager.getSubscription();
  if (!old) return;
  await app.api.delete('/operator/push', { endpoint: old.endpoint });
  await old.unsubscribe();
}

/* At each start, quietly. */
export async function renew(app) {
  if (!canPush() || !wish.get() || Notification.permission !== 'granted') return;
  await tell(app).catch((error) => console.warn('push', error.code ?? error.name));
}

/* The switch with its words; says so where a browser cannot. */
export async function pushCard(app) {
  const { t } = app,
    node = h('section', { class: 'card stack tight' });
  const draw = () => {
    const state = !canPush()
      ? 'unable'
      : Notification.permission === 'denied'
        ? 'denied'
        : wish.get() && Notification.permission === 'granted'
          ? 'on'
          : 'off';
    const button =
      (state === 'on' || state === 'off') &&
      h(
        'button',
        {
          class: ['button', state === 'off' && 'main'],
          type: 'button',
          onclick: () =>
            busy(button, async () => {
              try {
                await (state === 'on' ? turnOff(app) : turnOn(app));
                toast(t(state === 'on' ? 'push.is_off' : 'push.is_on'));
              } catch (error) {
                toast(app.has(`error.${error.code}`) ? explain(app, error) : t('push.failed'), { kind: 'bad' });
              }
              draw();
            }),
        },
        t(state === 'on' ? 'push.turn_off' : 'push.turn_on'),
      );
    replace(
      node,
      h('h2', {}, t('push.title')),
      h('p', { class: 'soft' }, t(`push.${state}`)),
      button && h('div', {}, button),
    );
  };
  draw();
  return node;
}
