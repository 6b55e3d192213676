/* The operator's profile, notifications, language and colours, installing, signing out. */
import { h } from '../shared/dom.mjs';
import { busy, clearFaults, confirm, field, showFaults, themeSwitch, toast } from '../shared/widgets.mjs';
import { explain, heading } from './parts.mjs';
import { kycCard, profileFields } from './onboarding.mjs';
import { pushCard } from './push.mjs';

export async function show(app) {
  const { t, me } = app;
  return {
    title: t('profile.title'),
    body: [
      heading(
        t('profile.title'),
        typeof me.rating === 'number' &&
          h('span', { class: 'badge good plain' }, t('profile.rating', { rating: me.rating, n: me.rating_count })),
      ),
      kycCard(app),
      h(
        'div',
        { class: 'halves' },
        editor(app),
        h('div', { class: 'stack' }, await pushCard(app), installCard(app), settingsCard(app), accountCard(app)),
      ),
    ],
  };
}

function editor(app) {
  const { t } = app,
    fields = profileFields(app, app.me),
    fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
  const button = h('button', { class: 'button main', type: 'submit' }, t('profile.save'));
  const form = h(
    'form',
    {
      class: 'card stack',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        busy(button, async () => {
          clearFaults(form);
          fault.hidden = true;
          try {
            if (!fields.hasSkills() && (app.me.skills ?? []).length > 0) throw new Error(t('profile.skills_one'));
            app.me = await app.api.patch('/operator/me', fields.read());
            await app.work.remember(app.me);
            toast(t('profile.saved'));
          } catch (error) {
            if (showFaults(form, error)) return;
            fault.textContent = explain(app, error);
            fault.hidden = false;
          }
        });
      },
    },
    h('h2', {}, t('profile.about')),
    fields.node,
    fault,
    h('div', {}, button),
  );
  return form;
}

/* Only where the browser has offered it, or on Apple's, which never do. */
function installCard(app) {
  const { t } = app,
    isInstalled = matchMedia('(display-mode: standalone)').matches || navigator.standalone === true;
  if (isInstalled) return null;
  if (app.install) {
    const button = h(
      'button',
      {
        class: 'button',
        type: 'button',
        onclick: async () => {
          const offer = app.install;
          app.install = null;
          await offer.prompt();
          await app.refresh();
        },
      },
      t('install.go'),
    );
    return h(
      'section',
      { class: 'card stack tight' },
      h('h2', {}, t('install.title')),
      h('p', { class: 'soft' }, t('install.text')),
      h('div', {}, button),
    );
  }
  return /iphone|ipad/i.test(navigator.userAgent)
    ? h(
        'section',
        { class: 'card stack tight' },
        h('h2', {}, t('install.title')),
        h('p', { class: 'soft' }, t('install.apple')),
      )
    : null;
}

function settingsCard(app) {
  const { t, texts } = app,
    language = h(
      'select',
      { name: 'language', value: texts.language, onchange: (event) => app.speak(event.target.value) },
      texts.languages.map((tag) =>
        h('option', { value: tag, lang: tag }, new Intl.DisplayNames([tag], { type: 'language' }).of(tag)),
      ),
    );
  const theme = themeSwitch();
  theme.removeAttribute('aria-label');
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('profile.look')),
    field(t('profile.language'), language),
    field(t('profile.theme'), theme),
  );
}

function accountCard(app) {
  const { t, me } = app;
  return h(
    'section',
    { class: 'card stack tight' },
    h('h2', {}, t('profile.account')),
    h('p', { class: 'soft' }, me.email ?? ''),
    h('p', { class: 'soft small' }, h('code', {}, me.operator_id)),
    h(
      'div',
      {},
      h(
        'button',
        {
          class: 'button',
          type: 'button',
          onclick: async () => {
            const waiting = (await app.outbox.proofs()).length,
              stops = (await app.stops.all()).length;
            if (
              waiting + stops > 0 &&
              !(await confirm({
                title: t('out.title'),
                text: [waiting > 0 && t('out.waiting', { n: waiting }), stops > 0 && t('out.stopped')]
                  .filter(Boolean)
                  .join(' '),
                ok: t('profile.sign_out'),
                cancel: t('keep'),
              }))
            )
              return;
            await app.signOut();
          },
        },
        t('profile.sign_out'),
      ),
    ),
    h('p', { class: 'soft small' }, t('profile.version', { version: app.settings.version })),
  );
}
