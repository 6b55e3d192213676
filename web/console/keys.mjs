/* API keys with scopes, daily budgets and an end. */
import { ApiError, part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { money, words } from '../shared/format.mjs';
import { heading, onWish, wish, wishButton } from '../shared/shell.mjs';
import { table } from '../shared/table.mjs';
import { stamp, when } from '../shared/taskview.mjs';
import { confirm, copyButton, dialog, field, showFaults } from '../shared/widgets.mjs';
import { SCOPES, keyBody } from './rules.mjs';

const scopesOf = (key) =>
  key.scopes === null || key.scopes === undefined || key.scopes.length === SCOPES.length
    ? 'all'
    : key.scopes.map(words).join(', ');

function askKey(api) {
  const name = h('input', { name: 'name', maxlength: 100, autocomplete: 'off', placeholder: 'ci-pipeline' });
  const budget = h('input', {
    name: 'max_daily_spend_usd',
    inputmode: 'decimal',
    autocomplete: 'off',
    placeholder: 'no limit of its own',
  });
  const expires = h('input', { name: 'expires_at', type: 'datetime-local' }),
    fault = h('span', { class: 'fault', hidden: true, role: 'alert' });
  const boxes = SCOPES.map(([value, label, what]) =>
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'checkbox', name: 'scope', value, checked: true }),
      h('span', {}, label, h('span', { class: 'soft small' }, ` – ${what}`)),
    ),
  );
  return dialog({
    title: 'A new API key',
    ok: 'Make the key',
    body: [
      field('Name', name),
      h('fieldset', { class: 'field' }, h('legend', {}, 'It may'), boxes, fault),
      h(
        'div',
        { class: 'fields' },
        field('Budget a day, in dollars', budget),
        field('Good until', expires, { hint: 'in your time zone; empty for no end' }),
      ),
    ],
    onsubmit: async (form) => {
      const { body, fields } = keyBody({
        name: name.value,
        budget: budget.value,
        expires: expires.value,
        scopes: boxes
          .map((box) => box.firstChild)
          .filter((box) => box.checked)
          .map((box) => box.value),
      });
      showFaults(form, { fields });
      fault.hidden = !fields.scopes;
      fault.textContent = fields.scopes ?? '';
      if (Object.keys(fields).length > 0) return false;
      try {
        return await api.post('/agents/keys', body);
      } catch (error) {
        if (error.fields.scopes)
          throw new ApiError({ code: error.code, message: `The scopes: ${error.fields.scopes}` });
        throw error;
      }
    },
  });
}

/* Shown once; Escape does not close it, so that no stray key press loses the key. */
const showKey = (made) =>
  dialog({
    title: 'Keep this key now',
    ok: 'I have kept it',
    cancel: null,
    mustAnswer: true,
    body: [
      h('p', {}, 'It is not shown again, here or anywhere.'),
      h('pre', { tabindex: '0', 'aria-label': 'API key' }, h('code', {}, made.api_key)),
      h('div', { class: 'row' }, copyButton(made.api_key, { label: 'Copy the key' })),
    ],
  });

export async function keys({ api, signal, refresh }) {
  const { data } = await api.get('/agents/keys', { signal });
  const list = table(
    'API keys',
    [
      { label: 'Key', isHead: true, cell: (k) => [h('strong', {}, k.name), ' ', h('code', {}, k.keyPrefix)] },
      { label: 'May', cell: scopesOf },
      {
        label: 'Budget a day',
        isNumber: true,
        cell: (k) => (k.max_daily_spend_usd === null ? '–' : money(k.max_daily_spend_usd)),
      },
      { label: 'Last used', cell: (k) => (k.lastUsed ? when(k.lastUsed) : 'never') },
      { label: 'Made', cell: (k) => stamp(k.createdAt) },
      { label: 'Good until', cell: (k) => (k.expires_at ? stamp(k.expires_at) : 'no end') },
      {
        label: 'Revoke',
        cell: (k) =>
          h(
            'button',
            {
              type: 'button',
              class: 'button danger little',
              'aria-label': `Revoke ${k.name} ${k.keyPrefix}`,
              onclick: (event) => wish(event.currentTarget, 'revoke', { key: k }),
            },
            'Revoke',
          ),
      },
    ],
    data,
  );
  const body = h(
    'div',
    { class: 'stack' },
    heading('API keys', wishButton('New key', 'make', {}, 'main')),
    h(
      'p',
      { class: 'soft' },
      'Give each program a key of its own, with no more rights and no more money a day than it needs.',
    ),
    h('div', { class: 'card flush' }, h('div', { class: 'table' }, list)),
  );
  onWish(body, {
    make: async () => {
      const made = await askKey(api);
      if (made === null) return;
      await showKey(made);
      await refresh();
    },
    revoke: async ({ key }) => {
      if (
        !(await confirm({
          title: `Revoke ${key.name}?`,
          text: `Whatever uses ${key.keyPrefix} is refused at once. This cannot be undone.`,
          ok: 'Revoke',
          isDangerous: true,
        }))
      )
        return null;
      await api.delete(`/agents/keys/${part(key.id)}`);
      await refresh();
      return 'The key is revoked.';
    },
  });
  return { title: 'API keys', body };
}
