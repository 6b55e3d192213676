/*
 * What the pages do besides being read: code names this installation and a deadline to come, can be copied, and shows one language
 * at a time.  Without scripts all of it is there to be read.
 */
import { h } from '/shared/dom.mjs';
import { announce, applyTheme } from '/shared/widgets.mjs';
import { deadlineFrom, tabAfter } from './docs-rules.mjs';

const LANGUAGE = 'humanops.docs.language';

function remembered() {
  try {
    return localStorage.getItem(LANGUAGE);
  } catch {
    return null;
  }
}

function remember(name) {
  try {
    localStorage.setItem(LANGUAGE, name);
  } catch {
    /* for this page only */
  }
}

function fill() {
  for (const span of document.querySelectorAll('[data-origin]')) span.textContent = location.origin;
  for (const span of document.querySelectorAll('[data-deadline]')) span.textContent = deadlineFrom(Date.now());
}

function addCopy(figure) {
  const label = figure.querySelector('figcaption').textContent;
  const button = h(
    'button',
    {
      class: 'copy',
      type: 'button',
      'aria-label': `Copy: ${label}`,
      onclick: async () => {
        await navigator.clipboard.writeText(`${figure.querySelector('code').textContent}\n`);
        button.textContent = 'Copied';
        announce('Copied');
        setTimeout(() => {
          button.textContent = 'Copy';
        }, 2000);
      },
    },
    'Copy',
  );
  figure.querySelector('figcaption').append(button);
}

/* Shows one of the sections of each group that has it. */
function choose(name, groups = document.querySelectorAll('.tabs')) {
  for (const group of groups) {
    const sections = [...group.querySelectorAll(':scope > section')];
    if (!sections.some((section) => section.dataset.tab === name)) continue;
    for (const section of sections) section.hidden = section.dataset.tab !== name;
    for (const tab of group.querySelectorAll('[role="tab"]')) {
      tab.setAttribute('aria-selected', String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
  }
}

function addTabs(group, number) {
  const sections = [...group.querySelectorAll(':scope > section')],
    names = sections.map((section) => section.dataset.tab);
  const list = h('div', { role: 'tablist', 'aria-label': 'Language' });
  for (const section of sections) {
    const name = section.dataset.tab,
      id = `tabs-${number}-${name}`;
    section.id = id;
    section.setAttribute('role', 'tabpanel');
    section.setAttribute('aria-labelledby', `${id}-tab`);
    list.append(
      h(
        'button',
        {
          role: 'tab',
          type: 'button',
          id: `${id}-tab`,
          'aria-controls': id,
          dataset: { tab: name },
          onclick: () => {
            choose(name);
            remember(name);
          },
        },
        section.getAttribute('aria-label'),
      ),
    );
    section.removeAttribute('aria-label');
  }
  list.addEventListener('keydown', (event) => {
    const next = tabAfter(names, event.target.dataset.tab, event.key);
    if (next === null) return;
    event.preventDefault();
    choose(next);
    remember(next);
    list.querySelector(`[data-tab="${next}"]`).focus();
  });
  group.prepend(list);
  choose(names[0], [group]);
  group.classList.add('ready');
}

function addAnchors() {
  for (const heading of document.querySelectorAll('main > h2[id]'))
    heading.append(
      h('a', { class: 'anchor', href: `#${heading.id}`, 'aria-label': `Link to: ${heading.textContent}` }, '#'),
    );
}

/* The list of pages is open where there is room beside the text. */
function foldContents() {
  const contents = document.querySelector('.side > details'),
    isWide = matchMedia('(min-width: 60rem)');
  const follow = () => {
    contents.open = isWide.matches;
  };
  isWide.addEventListener('change', follow);
  follow();
  contents.parentElement.classList.add('ready');
}

applyTheme();
foldContents();
fill();
document.querySelectorAll('.tabs').forEach(addTabs);
document.querySelectorAll('figure.code').forEach(addCopy);
addAnchors();
if (remembered()) choose(remembered());
