/*
 * The form for a credential: pairs of a name and a value, sealed for the agent when the proof is sent.  What is typed here stays
 * in this form; neither the draft nor the outbox has it in clear.
 */
import { h, replace } from '../shared/dom.mjs';
import { field } from '../shared/widgets.mjs';
import { icon } from '../shared/icons.mjs';
import { fingerprint, seal } from './seal.mjs';
import { credentialOf } from './rules.mjs';

/* What each kind of task usually yields. */
const USUAL = {
  ACCOUNT_CREATION: ['username', 'password', 'login_url'],
  API_KEY_PROCUREMENT: ['api_key', 'dashboard_url'],
  PHONE_VERIFICATION: ['code'],
  SUBSCRIPTION_SETUP: ['username', 'password', 'plan'],
};

/* { node, isFilled(), seal(), clear() } */
export function credentialForm(app, task) {
  const { t } = app,
    rows = h('div', { class: 'stack' }),
    print = h('code', { class: 'print' }, '…'),
    pairs = [];
  function add(name = '', isOwn = false) {
    const value = h('input', {
      name: 'credential',
      autocomplete: 'off',
      spellcheck: 'false',
      autocapitalize: 'off',
      'data-1p-ignore': true,
    });
    const label = isOwn
      ? h('input', { autocomplete: 'off', maxlength: 60, spellcheck: 'false', autocapitalize: 'off' })
      : null;
    pairs.push({ name: () => (label ? label.value : name), value });
    rows.append(
      label
        ? h('div', { class: 'fields' }, field(t('credential.name'), label), field(t('credential.value'), value))
        : field(name, value),
    );
    return label ?? value;
  }
  (USUAL[task.task_type] ?? ['value']).forEach((name) => add(name));
  fingerprint(task.agent_public_key).then(
    (text) => replace(print, text),
    () => replace(print, t('error.key_invalid')),
  );
  const read = () => credentialOf(pairs.map(({ name, value }) => [name(), value.value]));
  return {
    node: h(
      'section',
      { class: 'card stack', 'aria-labelledby': 'credential-title' },
      h('h2', { id: 'credential-title' }, t('credential.title')),
      h(
        'div',
        { class: 'notice quiet row top' },
        icon('shield', 20),
        h(
          'div',
          { class: 'grow' },
          h('p', {}, t('credential.text')),
          h('p', { class: 'small' }, t('credential.print'), h('br'), print),
        ),
      ),
      rows,
      h(
        'div',
        {},
        h(
          'button',
          { class: 'button little', type: 'button', onclick: () => add('', true).focus() },
          icon('add', 18),
          t('credential.more'),
        ),
      ),
    ),
    isFilled: () => Object.keys(read()).length > 0,
    seal: () => seal(task.agent_public_key, task.task_id, read()),
    clear: () =>
      pairs.forEach(({ value }) => {
        value.value = '';
      }),
  };
}
