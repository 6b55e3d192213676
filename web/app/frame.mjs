/* What stands around every screen: the bar with the state of the network, and the four sections. */
import { h } from '../shared/dom.mjs';
import { icon } from '../shared/icons.mjs';

const SECTIONS = [
  ['tasks', 'search'],
  ['work', 'tasks'],
  ['earnings', 'money'],
  ['profile', 'person'],
];

export class Frame {
  #links;
  #net = h('p', { class: 'net', role: 'status', hidden: true });
  #mark = h('span', { class: 'mark', hidden: true });
  #nav;
  #t;

  constructor(t) {
    this.#t = t;
    this.main = h('main', { id: 'main', tabindex: '-1' });
    this.#links = new Map(
      SECTIONS.map(([name, drawing]) => [
        name,
        h(
          'a',
          { href: `#/${name}` },
          icon(drawing, 24),
          h('span', {}, t(`tab.${name}`)),
          name === 'work' && this.#mark,
        ),
      ]),
    );
    this.#nav = h('nav', { class: 'tabs', 'aria-label': t('nav') }, [...this.#links.values()]);
    const skip = (event) => {
      event.preventDefault();
      this.main.focus();
    };
    this.nodes = [
      h('a', { class: 'skip', href: '#main', onclick: skip }, t('skip')),
      h(
        'header',
        { class: 'appbar' },
        h(
          'a',
          { class: 'brand', href: '#/tasks', 'aria-label': t('home') },
          h('img', { src: '/shared/mark.svg', alt: '', width: 28, height: 28 }),
          h('span', {}, 'HumanOps'),
        ),
        this.#net,
      ),
      h('div', { class: 'frame' }, this.#nav, this.main),
    ];
  }

  /* The section that one is in; null before anybody is signed in, when there are none. */
  go(section) {
    this.#nav.hidden = section === null;
    this.#links.forEach((link, name) => {
      if (name === section) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    });
  }

  /* queued: proofs on their way; refused: those that need the operator. */
  tell({ isOff, queued, refused }) {
    const t = this.#t;
    this.#net.hidden = !isOff && queued === 0;
    this.#net.className = `net ${isOff ? 'off' : ''}`;
    this.#net.textContent = [isOff && t('net.off'), queued > 0 && t('net.waiting', { n: queued })]
      .filter(Boolean)
      .join(' · ');
    this.#mark.hidden = queued + refused === 0;
    this.#mark.textContent = String(queued + refused);
  }
}
