/* Before anybody is signed in: by the issuer, or, in development, by picking, typing or making an operator. */
import { h } from '../shared/dom.mjs';
import { field, busy, toast } from '../shared/widgets.mjs';
import { explain } from './parts.mjs';

export function show(app, { remembered = null } = {}) {
  const { t, session } = app;
  return {
    title: t('signin.title'),
    body: h(
      'div',
      { class: 'gate stack' },
      h('img', { src: '/shared/mark.svg', alt: '', width: 64, height: 64, class: 'gate-mark' }),
      h('h1', { tabindex: '-1' }, t('signin.title')),
      h('p', { class: 'soft' }, t('signin.intro')),
      session.canSignIn && issuer(app, remembered),
      session.canPick && development(app),
      !session.canSignIn && !session.canPick && h('p', { class: 'notice warn' }, t('signin.none')),
      app.waiting > 0 && h('p', { class: 'notice warn' }, t('signin.waiting', { n: app.waiting })),
    ),
  };
}

function issuer(app, remembered) {
  const { t } = app;
  const button = h(
    'button',
    {
      class: 'button main whole',
      type: 'button',
      onclick: () =>
        busy(button, async () => {
          try {
            await app.session.go(location.hash);
          } catch (error) {
            toast(explain(app, error), { kind: 'bad' });
          }
        }),
    },
    remembered ? t('signin.again', { name: remembered.name }) : t('signin.go'),
  );
  return h('div', { class: 'card stack' }, button, h('p', { class: 'soft small' }, t('signin.where')));
}

function development(app) {
  const { t, session } = app,
    known = session.known();
  const id = h('input', {
    name: 'operator_id',
    required: true,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: 'op_…',
    pattern: 'op_[0-9a-z]+',
  });
  const pick = (operator, name) => {
    session.pick(operator, name);
    app.restart();
  };
  return h(
    'section',
    { class: 'card stack', 'aria-labelledby': 'dev-title' },
    h('header', {}, h('h2', { id: 'dev-title' }, t('dev.title')), h('span', { class: 'badge warn' }, t('dev.badge'))),
    known.length > 0 &&
      h(
        'ul',
        { class: 'picks' },
        known.map((operator) =>
          h(
            'li',
            {},
            h(
              'button',
              { class: 'button whole', type: 'button', onclick: () => pick(operator.id, operator.name) },
              t('dev.as', { name: operator.name }),
            ),
          ),
        ),
      ),
    h('button', { class: 'button main whole', type: 'button', onclick: () => app.register() }, t('dev.create')),
    h(
      'form',
      {
        class: 'stack tight',
        onsubmit: (event) => {
          event.preventDefault();
          pick(id.value.trim(), null);
        },
      },
      field(t('dev.id'), id, { hint: t('dev.id_hint') }),
      h('button', { class: 'button whole', type: 'submit' }, t('dev.use')),
    ),
  );
}
