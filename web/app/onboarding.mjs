/* Becoming an operator, and what stands between a new operator and the first claim: the identity check. */
import { h, replace } from '../shared/dom.mjs';
import { busy, clearFaults, field, showFaults } from '../shared/widgets.mjs';
import { explain, heading, locate, typeName } from './parts.mjs';
import { pushCard } from './push.mjs';

/* The fields of a profile; me: what stands in them at first.  `read` gives them as the API takes them. */
export function profileFields(app, me = {}, { isNew = false } = {}) {
  const { t, settings } = app;
  const place = { lat: me.location?.lat ?? null, lng: me.location?.lng ?? null };
  const name = h('input', { name: 'name', value: me.name ?? '', required: true, maxlength: 100, autocomplete: 'name' });
  const email = h('input', {
    name: 'email',
    type: 'email',
    value: me.email ?? '',
    required: true,
    maxlength: 254,
    autocomplete: 'email',
  });
  const phone = h('input', { name: 'phone', type: 'tel', value: me.phone ?? '', maxlength: 30, autocomplete: 'tel' });
  const city = h('input', {
    name: 'location.city',
    value: me.location?.city ?? '',
    maxlength: 100,
    autocomplete: 'address-level2',
  });
  const country = h('input', {
    name: 'location.country',
    value: me.location?.country ?? '',
    maxlength: 60,
    autocomplete: 'country-name',
  });
  const skills = settings.task_types.map((type) => ({
    type,
    box: h('input', { type: 'checkbox', name: 'skills', value: type, checked: (me.skills ?? []).includes(type) }),
  }));
  const text = (control) => control.value.trim() || undefined;
  return {
    node: [
      h(
        'div',
        { class: 'fields' },
        field(t('profile.name'), name, { hint: t('profile.name_hint') }),
        isNew && field(t('profile.email'), email, { hint: t('profile.email_hint') }),
        field(t('profile.phone'), phone, { hint: t('profile.optional') }),
        field(t('profile.city'), city),
        field(t('profile.country'), country),
      ),
      positionField(app, place),
      h(
        'fieldset',
        { class: 'field' },
        h('legend', {}, t('profile.skills')),
        h('span', { class: 'hint' }, t('profile.skills_hint')),
        h(
          'div',
          { class: 'chips' },
          skills.map(({ type, box }) => h('label', { class: 'chip' }, box, typeName(app, type))),
        ),
      ),
    ],
    hasSkills: () => skills.some(({ box }) => box.checked),
    read: () => ({
      name: text(name),
      ...(isNew ? { email: text(email) } : {}),
      ...(text(phone) ? { phone: text(phone) } : {}),
      location: {
        ...(text(city) ? { city: text(city) } : {}),
        ...(text(country) ? { country: text(country) } : {}),
        ...(place.lat === null ? {} : { lat: place.lat, lng: place.lng }),
      },
      /* The API takes no empty list. */
      ...(skills.some(({ box }) => box.checked)
        ? { skills: skills.filter(({ box }) => box.checked).map(({ type }) => type) }
        : {}),
    }),
  };
}

function positionField(app, place) {
  const { t } = app,
    said = h('span', { class: 'hint', role: 'status' });
  const tell = () =>
    replace(
      said,
      place.lat === null
        ? t('position.none')
        : t('position.set', { lat: place.lat.toFixed(3), lng: place.lng.toFixed(3) }),
    );
  const button = h(
    'button',
    {
      class: 'button',
      type: 'button',
      onclick: () =>
        busy(button, async () => {
          try {
            const found = await locate();
            Object.assign(place, { lat: found.lat, lng: found.lng });
            app.place = found;
            tell();
          } catch (error) {
            replace(said, t(`error.${error.code}`));
          }
        }),
    },
    t('position.use'),
  );
  tell();
  return h(
    'div',
    { class: 'field' },
    h('span', { class: 'label' }, t('position.label')),
    h('div', { class: 'row' }, button),
    said,
  );
}

/* The form for a person who is signed in but no operator yet. */
export function register(app) {
  const { t } = app,
    fields = profileFields(app, app.isPicking ? {} : app.session.claims, { isNew: true }),
    fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
  const button = h('button', { class: 'button main whole', type: 'submit' }, t('register.go'));
  const form = h(
    'form',
    {
      class: 'card stack wide',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        busy(button, async () => {
          clearFaults(form);
          fault.hidden = true;
          try {
            const made = await app.api.post('/operator/register', fields.read());
            if (app.isPicking) app.session.pick(made.operator_id, made.name);
            await app.restart('#/welcome');
          } catch (error) {
            if (showFaults(form, error)) return;
            fault.textContent = explain(app, error);
            fault.hidden = false;
            fault.scrollIntoView({ block: 'center' });
          }
        });
      },
    },
    fields.node,
    fault,
    button,
  );
  return {
    title: t('register.title'),
    body: [
      heading(t('register.title')),
      h('p', { class: 'soft' }, t('register.intro')),
      form,
      h(
        'div',
        { class: 'row' },
        h(
          'button',
          { class: 'button bare', type: 'button', onclick: () => app.signOut({ isAsked: false }) },
          t('register.other'),
        ),
      ),
    ],
  };
}

/* The state of the identity check, and what to do about it. */
export function kycCard(app) {
  const { t, me } = app,
    kinds = { VERIFIED: 'good', PENDING: 'warn', REJECTED: 'bad' };
  return h(
    'section',
    { class: ['notice', kinds[me.kyc_status] ?? 'quiet'] },
    h('h2', { class: 'notice-title' }, t(`kyc.${me.kyc_status}`)),
    h('p', {}, t(`kyc.${me.kyc_status}_text`, { email: me.email })),
    me.kyc_status === 'REJECTED' && me.kyc_note && h('p', { class: 'lines' }, t('kyc.note', { note: me.kyc_note })),
  );
}

/* The first screen of a new operator. */
export async function welcome(app) {
  const { t, me } = app;
  return {
    title: t('welcome.title', { name: me.name }),
    body: [
      heading(t('welcome.title', { name: me.name })),
      kycCard(app),
      h(
        'section',
        { class: 'card' },
        h('h2', {}, t('welcome.how')),
        h(
          'ol',
          { class: 'how' },
          ['claim', 'approve', 'do', 'paid'].map((step) =>
            h('li', {}, h('strong', {}, t(`welcome.${step}`)), ' ', t(`welcome.${step}_text`)),
          ),
        ),
      ),
      await pushCard(app),
      h('a', { class: 'button main whole', href: '#/tasks' }, t('welcome.go')),
    ],
  };
}

export function suspended(app) {
  const { t } = app;
  return {
    title: t('suspended.title'),
    body: [
      heading(t('suspended.title')),
      h('p', { class: 'notice bad' }, t('suspended.text')),
      h(
        'button',
        { class: 'button', type: 'button', onclick: () => app.signOut({ isAsked: false }) },
        t('profile.sign_out'),
      ),
    ],
  };
}
