/*
 * The frame of the staff console and the agents' console: bar, sections, one screen at a time by the address after the #, and
 * what happens between screens (title, focus, a fault, being signed out).  A screen is an async function of
 *   { params, query, signal, refresh, go }
 * that gives { title, body }; it aborts with the signal once another screen is wanted.  What its parts wish for comes up as
 * events (wish, onWish); they change nothing by themselves.
 */
import { h, replace } from './dom.mjs';
import { icon } from './icons.mjs';
import { findRoute, parseHash } from './route.mjs';
import { announce, applyTheme, busy, errorState, field, loading, themeSwitch, toast } from './widgets.mjs';

/* An event that says what the user wants: name, and what about it. */
export function wish(node, name, detail = {}) {
  node.dispatchEvent(new CustomEvent('wish', { bubbles: true, detail: { name, button: node, ...detail } }));
}

/* A button that wishes. */
export const wishButton = (label, name, detail, kind = '') =>
  h(
    'button',
    { type: 'button', class: ['button', kind], onclick: (event) => wish(event.currentTarget, name, detail) },
    label,
  );

/*
 * Carries out what comes up from the node: acts[name](detail) may be async; its button shows that it runs, its fault
 * is told, and what it gives, a sentence, too.
 */
export function onWish(node, acts) {
  node.addEventListener('wish', (event) => {
    const { name, button } = event.detail;
    if (!acts[name]) return;
    event.stopPropagation();
    busy(button, async () => {
      try {
        const said = await acts[name](event.detail);
        if (typeof said === 'string') toast(said);
      } catch (error) {
        toast(error.message, { kind: 'bad' });
      }
    });
  });
  return node;
}

export const heading = (title, ...more) =>
  h('div', { class: 'screen-head' }, h('h1', { tabindex: '-1' }, title), h('div', { class: 'row' }, more));

export class Shell {
  #control = null;
  #sections;
  #visits = 0;

  /*
   * name: of the console; sections: [{ path, label, icon, mark? }]; routes: [{ path, show }]; signOut: forgets who is
   * here.
   */
  constructor({ name, home, sections, routes, signOut, who }) {
    Object.assign(this, { name, home, routes, signOut });
    this.main = h('main', { id: 'main', tabindex: '-1' });
    this.#sections = sections;
    this.node = this.#build(who);
    this.onhash = () => this.show();
  }

  #build(who) {
    this.links = this.#sections.map((section) =>
      h('a', { href: `#${section.path}` }, icon(section.icon), h('span', {}, section.label)),
    );
    this.nav = h(
      'nav',
      { class: 'side', id: 'sections', 'aria-label': 'Sections' },
      this.links,
      field('Colours', themeSwitch()),
    );
    this.menu = h(
      'button',
      {
        class: 'button little menu',
        type: 'button',
        'aria-label': 'Menu',
        'aria-expanded': 'false',
        'aria-controls': 'sections',
        onclick: () => this.#openMenu(this.menu.getAttribute('aria-expanded') !== 'true'),
      },
      icon('menu'),
      h('span', { class: 'wide-only' }, 'Menu'),
    );
    return [
      h(
        'a',
        {
          class: 'skip',
          href: '#main',
          onclick: (event) => {
            event.preventDefault();
            this.main.focus();
          },
        },
        'Skip to the content',
      ),
      h(
        'header',
        { class: 'bar' },
        this.menu,
        h(
          'a',
          { class: 'brand', href: this.home },
          h('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }),
          h('span', {}, 'HumanOps'),
          h('span', { class: 'console-name' }, this.name),
        ),
        h(
          'div',
          { class: 'row push' },
          who && h('span', { class: 'who soft small' }, who),
          h(
            'button',
            { class: 'button little', type: 'button', 'aria-label': 'Sign out', onclick: this.signOut },
            icon('out', 18),
            h('span', { class: 'wide-only' }, 'Sign out'),
          ),
        ),
      ),
      h('div', { class: 'frame' }, this.nav, this.main),
    ];
  }

  #openMenu(isOpen) {
    this.menu.setAttribute('aria-expanded', String(isOpen));
    this.nav.classList.toggle('open', isOpen);
  }

  start(root) {
    applyTheme();
    replace(root, this.node);
    addEventListener('hashchange', this.onhash);
    return this.show();
  }

  stop() {
    removeEventListener('hashchange', this.onhash);
    this.#control?.abort();
  }

  go(hash) {
    if (location.hash === hash) return this.show();
    location.hash = hash;
    return null;
  }

  /* Draws the screen of the address.  isRefresh: the same screen with newer data; where one was in it stays. */
  async show({ isRefresh = false } = {}) {
    const { path, query } = parseHash(location.hash),
      found = findRoute(this.routes, path);
    this.#control?.abort();
    const control = new AbortController();
    this.#control = control;
    this.#openMenu(false);
    this.#sections.forEach((section, i) => this.links[i].toggleAttribute('aria-current', false));
    const at = this.#sections.findLastIndex(
      (section) => path === section.path || path.startsWith(`${section.path}/`),
    );
    if (at >= 0) this.links[at].setAttribute('aria-current', 'page');
    if (!isRefresh) replace(this.main, loading());
    try {
      const { title, body } =
        found === null
          ? nowhere()
          : await found.route.show({
              params: found.params,
              query,
              signal: control.signal,
              refresh: () => (control.signal.aborted ? null : this.show({ isRefresh: true })),
              go: (hash) => this.go(hash),
            });
      if (control.signal.aborted) return;
      document.title = `${title} – HumanOps ${this.name}`;
      replace(this.main, body);
      if (!isRefresh) this.#arrive(title);
    } catch (error) {
      if (control.signal.aborted || error.code === 'aborted') return;
      document.title = `HumanOps ${this.name}`;
      replace(
        this.main,
        heading('This screen'),
        errorState(error, () => this.show()),
      );
    }
    this.main.dataset.ready = String(++this.#visits);
  }

  /*
   * Whoever uses keyboard or screen reader is taken to the new screen's beginning; the first one begins at the page's.
   */
  #arrive(title) {
    scrollTo(0, 0);
    if (this.#visits > 0) (this.main.querySelector('h1') ?? this.main).focus({ preventScroll: true });
    else announce(title);
  }
}

const nowhere = () => ({
  title: 'Not found',
  body: [heading('Nothing is here'), h('p', {}, 'This address leads nowhere. Choose a section.')],
});
