/*
 * Small parts that every app uses: notices, dialogs, copying, paging, signs of a status, and what stands where there is
 * nothing yet.  Their own words are English; useWords() puts an app's language in their place.
 */
import { h, replace, s } from './dom.mjs';
import { words as readable } from './format.mjs';

const words = {
  close: 'Close',
  cancel: 'Cancel',
  ok: 'OK',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Copying is not allowed here; select the text instead.',
  loading: 'Loading…',
  retry: 'Try again',
  more: 'Show more',
  end: 'That is all.',
  failed: 'This did not work',
  offline: 'You are offline',
  requestId: 'Request id',
  wait: 'Try again in {n} s.',
  notices: 'Notices',
  theme: 'Colours',
  themeAuto: 'As the system',
  themeLight: 'Light',
  themeDark: 'Dark',
};

export function useWords(changes) {
  Object.assign(words, changes);
}

let counter = 0;
export const newId = (prefix = 'id') => `${prefix}-${++counter}`;

/* Saying things */

let region = null;

/* A popover lies above open dialogs too, and the live regions are read out wherever the focus is. */
function toasts() {
  if (region?.isConnected) return region;
  region = h(
    'div',
    { class: 'toasts', popover: 'manual', role: 'region', 'aria-label': words.notices },
    h('div', { class: 'hidden-visually', role: 'status' }),
    h('div', { class: 'hidden-visually', role: 'alert' }),
  );
  document.body.append(region);
  return region;
}

/* Read out by screen readers, shown to nobody.  isUrgent interrupts. */
export function announce(text, { isUrgent = false } = {}) {
  const place = toasts().children[isUrgent ? 1 : 0];
  place.textContent = '';
  /* The same text twice is news only if there was another in between. */
  requestAnimationFrame(() => {
    place.textContent = text;
  });
}

/* A short notice at the page's foot.  kind: '' or 'bad'; action: { label, run }; ms: 0 stays until closed. */
export function toast(text, { kind = '', action = null, ms = kind === 'bad' || action ? 12_000 : 5000 } = {}) {
  const box = toasts();
  const end = () => {
    node.remove();
    if (!box.querySelector('.toast')) box.hidePopover?.();
  };
  const node = h(
    'div',
    { class: ['toast', kind] },
    h('span', {}, text),
    action &&
      h(
        'button',
        {
          class: 'button little',
          type: 'button',
          onclick: () => {
            end();
            action.run();
          },
        },
        action.label,
      ),
    h('button', { class: 'button little', type: 'button', 'aria-label': words.close, onclick: end }, '✕'),
  );
  box.append(node);
  /* Shown anew, so that it comes above a dialog opened since. */
  box.hidePopover?.();
  box.showPopover?.();
  announce(text, { isUrgent: kind === 'bad' });
  if (ms > 0) setTimeout(end, ms);
  return end;
}

/* Dialogs */

/*
 * A modal dialog with a form; gives what onsubmit gives, or null if it was closed.  actions are further buttons;
 * onsubmit may be async and may throw: the dialog then stays and shows why.  mustAnswer: Escape does not close it.
 */
export function dialog({
  title,
  body = [],
  ok = words.ok,
  cancel = words.cancel,
  isDangerous = false,
  mustAnswer = false,
  onsubmit = () => true,
  actions = [],
}) {
  return new Promise((done) => {
    const id = newId('dialog'),
      fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
    const confirmButton =
      ok && h('button', { class: ['button', 'main', isDangerous && 'danger'], type: 'submit' }, ok);
    let result = null;
    const form = h(
      'form',
      {
        method: 'dialog',
        novalidate: true,
        onsubmit: (event) => {
          event.preventDefault();
          submit();
        },
      },
      h('h2', { id }, title),
      body,
      fault,
      h(
        'div',
        { class: 'actions' },
        actions,
        cancel && h('button', { class: 'button', type: 'button', onclick: () => node.close() }, cancel),
        confirmButton,
      ),
    );
    const node = h(
      'dialog',
      {
        'aria-labelledby': id,
        oncancel: (event) => {
          if (mustAnswer) event.preventDefault();
        },
        onclose: () => {
          node.remove();
          done(result);
        },
      },
      form,
    );
    async function submit() {
      if (confirmButton.getAttribute('aria-busy') === 'true') return;
      confirmButton.setAttribute('aria-busy', 'true');
      fault.hidden = true;
      try {
        result = await onsubmit(form);
        if (result !== false) node.close();
      } catch (error) {
        fault.hidden = showFaults(form, error) && true;
        fault.textContent = error.message;
      } finally {
        confirmButton.removeAttribute('aria-busy');
      }
    }
    document.body.append(node);
    node.showModal();
  });
}

/* Asks yes or no; true for yes. */
export const confirm = ({ title, text, ok, cancel, isDangerous }) =>
  dialog({ title, body: [text && h('p', {}, text)], ok, cancel, isDangerous, onsubmit: () => true }).then(
    (yes) => yes === true,
  );

/* Forms */

/*
 * A labelled control with a hint and a place for what is wrong with it; the control's name is that of the API's field.
 */
export function field(label, control, { hint = null, isWhole = false } = {}) {
  control.id ||= newId('field');
  const hintId = `${control.id}-hint`,
    faultId = `${control.id}-fault`;
  control.setAttribute('aria-describedby', `${hint ? `${hintId} ` : ''}${faultId}`);
  /* Whoever mends it need not look at the old complaint. */
  control.addEventListener('input', () => {
    if (control.getAttribute('aria-invalid') !== 'true') return;
    control.removeAttribute('aria-invalid');
    document.getElementById(faultId)?.setAttribute('hidden', '');
  });
  return h(
    'div',
    { class: ['field', isWhole && 'whole'] },
    h('label', { for: control.id }, label),
    control,
    hint && h('span', { class: 'hint', id: hintId }, hint),
    h('span', { class: 'fault', id: faultId, hidden: true }),
  );
}

/*
 * Shows an ApiError's faulty fields beside their controls (location.lat at the control named so,
 * proof_requirements[0] at proof_requirements) and brings the first into view.  True if each fault found its place.
 */
export function showFaults(form, error) {
  clearFaults(form);
  const entries = Object.entries(error?.fields ?? {});
  let first = null,
    placed = 0;
  for (const [name, sentence] of entries) {
    const control = form.elements.namedItem(name) ?? form.elements.namedItem(name.replace(/\[\d+\].*$/, ''));
    const place = control?.id ? document.getElementById(`${control.id}-fault`) : null;
    if (place === null) continue;
    control.setAttribute('aria-invalid', 'true');
    place.textContent = sentence.charAt(0).toUpperCase() + sentence.slice(1);
    place.hidden = false;
    first ??= control;
    placed++;
  }
  first?.focus();
  return entries.length > 0 && placed === entries.length;
}

export function clearFaults(form) {
  form.querySelectorAll('[aria-invalid="true"]').forEach((control) => control.removeAttribute('aria-invalid'));
  form.querySelectorAll('.fault').forEach((place) => {
    place.hidden = true;
    place.textContent = '';
  });
}

/* Runs a button's work once at a time and shows that it runs. */
export async function busy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
  }
}

/* Copies a text, or what a function gives at that moment. */
export function copyButton(text, { label = words.copy, name = null } = {}) {
  const button = h(
    'button',
    {
      class: 'button little',
      type: 'button',
      'aria-label': name,
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(typeof text === 'function' ? text() : text);
          button.textContent = words.copied;
          announce(words.copied);
          setTimeout(() => {
            button.textContent = label;
          }, 2000);
        } catch {
          toast(words.copyFailed, { kind: 'bad' });
        }
      },
    },
    label,
  );
  return button;
}

/* Signs */

const KINDS = {
  good: ['COMPLETED', 'VERIFIED', 'APPROVE', 'ACTIVE', 'confirmed', 'completed', 'delivered', 'succeeded', 'ALLOWED'],
  warn: ['ESTIMATE_PENDING', 'MANUAL_REVIEW', 'pending', 'PENDING_ONCHAIN', 'retrying', 'SANDBOX', 'stuck'],
  bad: ['DISPUTED', 'REJECTED', 'REJECT', 'FAILED', 'failed', 'dead', 'reversed', 'SUSPENDED', 'UPHELD'],
  info: ['ACCEPTED', 'IN_PROGRESS', 'SUBMITTED', 'STANDARD'],
};

/* good, warn, bad, info, or '' for what calls for nothing. */
export const kindOf = (status) => Object.keys(KINDS).find((kind) => KINDS[kind].includes(status)) ?? '';

export const badge = (status, label = readable(status), kind = kindOf(status)) =>
  h('span', { class: ['badge', kind], dataset: { status } }, label);

/* States of a place that has nothing to show */

const drawing = (...paths) =>
  s(
    'svg',
    {
      width: 40,
      height: 40,
      viewBox: '0 0 24 24',
      fill: 'none',
      stroke: 'currentColor',
      'stroke-width': 1.5,
      'stroke-linecap': 'round',
      'stroke-linejoin': 'round',
      'aria-hidden': 'true',
    },
    paths.map((d) => s('path', { d })),
  );

export const loading = (text = words.loading) =>
  h(
    'div',
    { class: 'state', role: 'status', 'aria-live': 'polite' },
    h('span', { class: 'spinner', 'aria-hidden': 'true' }),
    h('p', {}, text),
  );

export const empty = (title, text = null, action = null) =>
  h(
    'div',
    { class: 'state' },
    drawing('M3 8l2.5-4h13L21 8v10a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z', 'M3 8h5a4 4 0 0 0 8 0h5'),
    h('h2', {}, title),
    text && h('p', {}, text),
    action,
  );

/* What an error means and what to do; retry: function. */
export function errorState(error, retry = null) {
  const isOffline = error.code === 'offline';
  return h(
    'div',
    { class: 'state', role: 'alert' },
    isOffline
      ? drawing(
          'M2 8.5a15 15 0 0 1 20 0',
          'M5 12a10.5 10.5 0 0 1 14 0',
          'M8.5 15.5a5.5 5.5 0 0 1 7 0',
          'M12 19h.01',
          'M3 3l18 18',
        )
      : drawing(
          'M12 8v5',
          'M12 16.5h.01',
          'M10.3 3.9L2.4 17.6A2 2 0 0 0 4.1 20.6h15.8a2 2 0 0 0 1.7-3L13.7 3.9a2 2 0 0 0-3.4 0z',
        ),
    h('h2', {}, isOffline ? words.offline : words.failed),
    h('p', {}, error.message, error.retryAfter ? ` ${words.wait.replace('{n}', error.retryAfter)}` : ''),
    error.requestId && h('p', { class: 'small' }, `${words.requestId}: `, h('code', {}, error.requestId)),
    retry && h('button', { class: 'button', type: 'button', onclick: retry }, words.retry),
  );
}

/*
 * A list that grows by a button.  load(cursor) gives { items, next } (next null at the end), render(items, list) adds
 * them; emptyState: shown if there is nothing at all.
 */
export function pager({ load, render, list, emptyState }) {
  const foot = h('div', { class: 'row', style: { 'justify-content': 'center', 'padding-block': 'var(--s3)' } }),
    node = h('div', {}, list, foot);
  let next;
  async function more() {
    replace(foot, loading());
    try {
      const isFirst = next === undefined,
        page = await load(next);
      next = page.next;
      if (isFirst && page.items.length === 0) return replace(node, emptyState);
      render(page.items, list);
      replace(
        foot,
        next !== null &&
          next !== undefined &&
          h('button', { class: 'button', type: 'button', onclick: more }, words.more),
      );
      if (!isFirst) announce(`${words.more}: ${page.items.length}`);
    } catch (error) {
      replace(foot, errorState(error, more));
    }
    return node;
  }
  node.ready = more();
  return node;
}

/* Colours */

const THEME = 'humanops.theme';

/* Called as early as possible by every page: what the user chose stands before the first paint that matters. */
export function applyTheme() {
  let chosen = null;
  try {
    chosen = localStorage.getItem(THEME);
  } catch {
    /* as the system has it */
  }
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
  return chosen ?? 'auto';
}

export function themeSwitch() {
  const select = h(
    'select',
    {
      class: 'theme-switch',
      'aria-label': words.theme,
      onchange: () => {
        try {
          localStorage.setItem(THEME, select.value);
        } catch {
          /* for this page only */
        }
        if (select.value === 'auto') delete document.documentElement.dataset.theme;
        else document.documentElement.dataset.theme = select.value;
      },
      value: applyTheme(),
    },
    h('option', { value: 'auto' }, words.themeAuto),
    h('option', { value: 'light' }, words.themeLight),
    h('option', { value: 'dark' }, words.themeDark),
  );
  return select;
}
