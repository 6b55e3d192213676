/*
 * The operators' app: starts what the screens need, finds out who is here, and shows one screen at a time by the address after
 * the #.  A screen is a function of (app, { params, query, signal }) that gives { title, body }, and where it likes `stop`
 * (called when it goes), `live` (asked anew now and then) or `goTo` (another address instead).
 */
import { Api } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { findRoute, parseHash } from '../shared/route.mjs';
import { texts } from '../shared/text.mjs';
import { announce, applyTheme, errorState, loading, toast, useWords } from '../shared/widgets.mjs';
import { Frame } from './frame.mjs';
import { register, suspended, welcome } from './onboarding.mjs';
import { Outbox } from './outbox.mjs';
import { explain, heading, startClock } from './parts.mjs';
import { forgetWish, renew } from './push.mjs';
import { focusOf, lookOf } from './redraw.mjs';
import { Session } from './session.mjs';
import { loadSettings } from './settings.mjs';
import { Stops } from './stops.mjs';
import { Store } from './store.mjs';
import { serve } from './update.mjs';
import { upload } from './upload.mjs';
import { Work } from './work.mjs';
import en from './text.en.mjs';
import es from './text.es.mjs';

const WIDGET_WORDS = [
  'close',
  'cancel',
  'ok',
  'copy',
  'copied',
  'copyFailed',
  'loading',
  'retry',
  'more',
  'end',
  'failed',
  'offline',
  'requestId',
  'theme',
  'themeAuto',
  'themeLight',
  'themeDark',
];
const OLD_MS = 90 * 86_400_000; /* of a draft: nobody is at that task any more */
const LIVE_MS = 20_000;

/* Loaded when they are wanted; the service worker has them all. */
const from =
  (file, name = 'show') =>
  async (...args) =>
    (await import(file))[name](...args);
const routes = [
  { path: '/tasks', tab: 'tasks', show: from('./tasks.mjs') },
  { path: '/map', tab: 'tasks', show: from('./tasks.mjs', 'showMap') },
  { path: '/tasks/:id', tab: 'tasks', show: from('./task.mjs') },
  { path: '/mine', tab: 'work', show: from('./worklist.mjs') },
  { path: '/mine/:id', tab: 'work', show: from('./job.mjs') },
  { path: '/mine/:id/proof', tab: 'work', show: from('./proof.mjs') },
  { path: '/mine/:id/messages', tab: 'work', show: from('./messages.mjs') },
  { path: '/earnings', tab: 'earnings', show: from('./earnings.mjs') },
  { path: '/payout', tab: 'earnings', show: from('./payout.mjs') },
  { path: '/payouts/:id', tab: 'earnings', show: from('./payout.mjs', 'showOne') },
  { path: '/profile', tab: 'profile', show: from('./profile.mjs') },
  { path: '/welcome', tab: 'profile', show: welcome },
];

class App {
  place = null; /* of the device, once asked for; kept in memory only */
  me = null;
  install = null; /* the browser's offer to install, if it made one */
  waiting = 0; /* proofs that have not arrived */
  isPicking = false; /* development: somebody without an operator registers one */
  #gate = null; /* a screen instead of those of the address */
  #screen = null;
  #visit = null;
  #drawn = 0;
  #look = '';
  #isFirst = true;
  #isLoading = false;

  constructor(root) {
    this.root = root;
    this.texts = texts({ en, es }, { isStrict: false });
    this.t = this.texts.t;
  }

  has(key) {
    return en[key] !== undefined;
  }

  explain(error) {
    return explain(this, error);
  }

  async start() {
    applyTheme();
    this.#speakWidgets();
    try {
      this.settings = await loadSettings();
      this.store = await Store.open();
    } catch (error) {
      replace(
        this.root,
        h(
          'main',
          { class: 'boot' },
          errorState(error, () => location.reload()),
        ),
      );
      return;
    }
    this.session = new Session({ settings: this.settings });
    this.api = this.#makeApi();
    this.work = new Work({ api: this.api, store: this.store });
    this.stops = new Stops({ store: this.store, api: this.api });
    this.outbox = new Outbox({
      store: this.store,
      api: this.api,
      upload: (...args) => this.#believed(async () => upload(...args, { headers: await this.session.headers() })),
    });
    this.#listen();
    this.#build();
    await this.#comeBack();
    await this.restart();
    startClock();
    serve(this.t, (data, ports) => this.#hear(data, ports));
  }

  /* A token that the API does not believe is got anew once; work makes its headers each time. */
  async #believed(work) {
    try {
      return await work();
    } catch (error) {
      if (error.status !== 401 || !this.session.canSignIn) throw error;
      this.session.refused();
      return work();
    }
  }

  #makeApi() {
    const api = new Api({ headers: () => this.session.headers() }),
      once = api.request.bind(api);
    api.request = (...args) => this.#believed(() => once(...args));
    return api;
  }

  async #comeBack() {
    if (location.search === '') return;
    try {
      const after = await this.session.back(location.search);
      this.isFresh = after !== null;
      history.replaceState(null, '', `/app/${after ?? location.hash}`);
    } catch (error) {
      history.replaceState(null, '', '/app/');
      toast(explain(this, error), { kind: 'bad' });
    }
  }

  /* Who is here?  Then to the address, or to what stands before it. */
  async restart(hash = null) {
    this.#gate = null;
    this.isAway = false;
    const remembered = await this.work.me();
    if (this.session.isSignedIn && remembered && this.#isSame(remembered)) this.#takeFor(remembered);
    else if (this.session.isSignedIn) await this.#findMe(remembered);
    else if (remembered && !navigator.onLine) this.#stayAway(remembered);
    else await this.#askIn(remembered);
    if (hash !== null && location.hash !== hash) history.replaceState(null, '', hash);
    await this.show();
  }

  /* Whether the one who was here last is the one who is signed in: a new sign-in may be anybody's. */
  #isSame(remembered) {
    return this.session.picked === null ? !this.isFresh : this.session.picked === remembered.operator_id;
  }

  /* Shows the app at once to whom it knows, and asks the server meanwhile. */
  #takeFor(remembered) {
    this.me = remembered;
    this.#use(remembered.operator_id);
    this.#findMe(remembered).then(() => {
      if (this.#gate !== null || this.me.operator_id !== remembered.operator_id) this.show();
      else if (JSON.stringify(this.me) !== JSON.stringify(remembered)) this.refresh({ isQuiet: true });
      else this.#tellNet();
    });
  }

  #use(operator) {
    this.stops.use(operator);
    this.outbox.use(operator);
  }

  /* What waits for a network, what was stopped first: its proof is not wanted any more. */
  async #send() {
    await this.stops.run({ isNow: true });
    await this.outbox.run({ isNow: true });
  }

  async #findMe(remembered) {
    try {
      this.me = await this.api.get('/operator/me');
      this.isPicking = this.isFresh = false;
      /* Nothing of the one who was here before is shown to another. */
      if (remembered && remembered.operator_id !== this.me.operator_id) await this.work.forget();
      await this.work.remember(this.me);
      this.#use(this.me.operator_id);
      this.outbox.tidy(OLD_MS).then(() => this.#send());
      renew(this);
    } catch (error) {
      if (error.code === 'operator_required') this.#gate = () => register(this);
      else if (error.code === 'operator_suspended') this.#gate = () => suspended(this);
      else if (error.status === 401 || error.code === 'expired') {
        await this.session.end();
        await this.#askIn(remembered);
      } else if (remembered && this.#isSame(remembered)) this.#stayAway(remembered);
      else
        this.#gate = () => {
          throw error;
        };
    }
  }

  /* Without a network the operator's own work is at hand all the same, and proofs can be made. */
  #stayAway(remembered) {
    this.me = remembered;
    this.isAway = true;
    this.#use(remembered.operator_id);
  }

  async #askIn(remembered) {
    this.me = null;
    this.#use(null);
    await this.#tellNet();
    this.#gate = this.isPicking
      ? () => register(this)
      : async () => (await import('./sign-in.mjs')).show(this, { remembered });
  }

  /* Development: makes a new operator. */
  register() {
    this.isPicking = true;
    return this.restart();
  }

  async signOut() {
    this.isPicking = false;
    const { pushManager } = (await navigator.serviceWorker?.getRegistration('/app/')) ?? {},
      push = await pushManager?.getSubscription().catch(() => null);
    /* The next person at this device is not told this one's news. */
    forgetWish();
    if (push) {
      await this.api.delete('/operator/push', { endpoint: push.endpoint }).catch(() => {});
      await push.unsubscribe().catch(() => {});
    }
    this.#use(null);
    await this.work.forget();
    const away = await this.session.end();
    if (away) location.assign(away);
    else await this.restart('#/tasks');
  }

  speak(tag) {
    this.texts.choose(tag);
    this.#speakWidgets();
    this.#build();
    this.#isFirst = true;
    return this.show();
  }

  #speakWidgets() {
    document.documentElement.lang = this.texts.language;
    useWords({
      ...Object.fromEntries(WIDGET_WORDS.map((name) => [name, this.t(`widget.${name}`)])),
      wait: this.t('widget.wait', { n: '{n}' }),
    });
  }

  /* The frame */

  #build() {
    this.frame = new Frame(this.t);
    this.main = this.frame.main;
    replace(this.root, this.frame.nodes);
  }

  async #tellNet() {
    /* Before anybody is signed in: whoever's they are. */
    const proofs = this.me ? await this.outbox.proofs() : await this.store.all('proofs'),
      queued = proofs.filter((proof) => proof.state === 'queued').length;
    const refused = proofs.filter((proof) => proof.state === 'refused').length;
    this.waiting = queued;
    this.frame.tell({ isOff: !navigator.onLine || this.isAway, queued, refused });
  }

  #listen() {
    addEventListener('hashchange', () => this.show());
    addEventListener('online', () => this.#online());
    addEventListener('offline', () => this.#tellNet());
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.install = event;
    });
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) return;
      this.#send();
      if (this.#screen?.live) this.refresh({ isQuiet: true });
    });
    setInterval(() => {
      if (!document.hidden && this.#screen?.live && !document.querySelector('dialog[open]'))
        this.refresh({ isQuiet: true });
    }, LIVE_MS);
    this.outbox.addEventListener('sent', () => toast(this.t('sent')));
    this.stops.addEventListener('told', ({ detail }) => this.#stopped(detail));
    for (const waiting of [this.outbox, this.stops]) {
      waiting.addEventListener('change', () => {
        this.#tellNet();
        if (this.#screen?.live) this.refresh({ isQuiet: true });
      });
      waiting.addEventListener('fault', ({ detail }) =>
        toast(`${this.t('error.storage')} ${detail.message ?? ''}`, { kind: 'bad' }),
      );
      waiting.addEventListener('sign-in', () =>
        toast(this.t('error.expired'), {
          kind: 'bad',
          action: { label: this.t('signin.go'), run: () => this.#signInAgain() },
        }),
      );
    }
  }

  /* The server knows of a stop; status null: there was nothing to stop any more. */
  async #stopped({ task_id: id, status }) {
    if (status === null) return;
    await this.work.gone(id);
    toast(this.t(status === 'CANCELLED' ? 'stop.ended' : 'stop.told'));
    /* What is being loaded may be older than the stop. */
    if (parseHash(location.hash).path.startsWith(`/mine/${id}`)) this.go('#/mine');
    else if (this.#screen?.live) this.refresh();
  }

  async #signInAgain() {
    if (this.session.canSignIn)
      await this.session.go(location.hash).catch((error) => toast(explain(this, error), { kind: 'bad' }));
    else await this.restart();
  }

  async #online() {
    if (this.isAway || this.me === null) await this.restart();
    else {
      this.#send();
      if (this.#screen?.live || this.#screen?.isFault) this.refresh({ isQuiet: true });
    }
    this.#tellNet();
  }

  /* Screens */

  go(hash) {
    if (location.hash === hash) return this.show();
    location.hash = hash;
    return null;
  }

  /* isQuiet: of the app's own accord; then whatever the person is waiting for goes first. */
  refresh({ isQuiet = false } = {}) {
    return isQuiet && this.#isLoading ? null : this.show({ isRefresh: true, isQuiet });
  }

  async show({ isRefresh = false, isQuiet = false } = {}) {
    const { path, query } = parseHash(location.hash),
      found = this.#gate
        ? { route: { show: this.#gate }, params: {} }
        : (findRoute(routes, path) ?? (path === '/' ? { route: routes[0], params: {} } : null));
    const control = new AbortController();
    this.#visit?.abort();
    this.#visit = control;
    this.frame.go(this.#gate === null ? (found?.route.tab ?? '') : null);
    this.#tellNet();
    this.#isLoading = true;
    const slow = isRefresh ? null : setTimeout(() => replace(this.main, loading(this.t('widget.loading'))), 150);
    let screen;
    try {
      screen =
        found === null
          ? this.#nowhere()
          : await found.route.show(this, { params: found.params, query, signal: control.signal });
    } catch (error) {
      if (control.signal.aborted || isQuiet) {
        this.#isLoading &&= control.signal.aborted;
        return clearTimeout(slow);
      }
      if (error.code === 'expired' || (error.status === 401 && !this.#gate)) {
        clearTimeout(slow);
        return this.restart();
      }
      screen = this.#failed(error);
    }
    clearTimeout(slow);
    if (control.signal.aborted) return screen.stop?.();
    this.#isLoading = false;
    if (screen.goTo) {
      history.replaceState(null, '', screen.goTo);
      return this.show();
    }
    return this.#draw(screen, isRefresh, isQuiet);
  }

  #draw(screen, isRefresh, isQuiet) {
    const look = lookOf(screen.body);
    /* Nothing new: whoever is reading, listening or about to tap is left in peace. */
    if (isQuiet && look === this.#look) {
      screen.stop?.();
      return;
    }
    this.#look = look;
    /* What somebody is at must not be taken away either. */
    const focused = isRefresh ? focusOf(this.main) : null;
    this.#screen?.stop?.();
    this.#screen = screen;
    document.title = `${screen.title} – HumanOps`;
    replace(this.main, screen.body);
    this.main.dataset.ready = String(++this.#drawn); /* tells tests that it is another drawing */
    if (!isRefresh) {
      scrollTo(0, 0);
      if (!this.#isFirst) {
        this.main.querySelector('h1')?.focus({ preventScroll: true });
        announce(screen.title);
      }
      this.#isFirst = false;
    } else if (focused) {
      focused();
    }
  }

  #failed(error) {
    const title = this.t('widget.failed'),
      { code, requestId } = error;
    return {
      title,
      isFault: true,
      body: [
        h('h1', { class: 'hidden-visually', tabindex: '-1' }, title),
        errorState({ code, requestId, message: explain(this, error) }, () => this.show()),
      ],
    };
  }

  #nowhere() {
    const { t } = this;
    return {
      title: t('nowhere.title'),
      body: [
        heading(t('nowhere.title')),
        h('p', { class: 'soft' }, t('nowhere.text')),
        h('a', { class: 'button', href: '#/tasks' }, t('tab.tasks')),
      ],
    };
  }

  async #hear(data, ports) {
    if (data.type === 'open') this.go(data.hash);
    if (data.type === 'news' && this.#screen?.live) this.refresh({ isQuiet: true });
    if (data.type === 'send') {
      await this.#send();
      const left = (await this.outbox.proofs()).filter((proof) => proof.state === 'queued').length;
      ports[0]?.postMessage(left + (await this.stops.all()).length === 0);
    }
  }
}

/* Once in a while at most, so that two servers that disagree make no circle of it, and never while somebody types. */
function beginAnew() {
  const last = Number(sessionStorage.getItem('humanops.anew') ?? 0),
    now = Date.now();
  if (now - last < 60_000 || document.activeElement?.matches('input, textarea, select')) return;
  sessionStorage.setItem('humanops.anew', String(now));
  location.reload();
}

function storedSettings() {
  try {
    return JSON.parse(localStorage.getItem(SETTINGS) ?? 'null');
  } catch {
    return null;
  }
}

new App(document.getElementById('app')).start();
