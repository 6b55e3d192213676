/* What the agent and the operator of a task say to each other. */
import { h, replace } from '../shared/dom.mjs';
import { announce, busy, empty, field } from '../shared/widgets.mjs';
import { back, explain, formats, heading } from './parts.mjs';

const POLL_MS = 10_000;

export async function show(app, { params, signal }) {
  const { t } = app,
    path = `/operator/tasks/${encodeURIComponent(params.id)}/messages`,
    list = h('ol', { class: 'talk', tabindex: '0', 'aria-label': t('messages.title') });
  let seen = -1;
  const load = async () => {
    const { data } = await app.api.get(path, { signal });
    if (data.length === seen) return;
    if (seen >= 0 && data.at(-1)?.sender !== 'operator') announce(t('messages.new'));
    seen = data.length;
    replace(
      list,
      data.length === 0
        ? h('li', {}, empty(t('messages.none'), t('messages.none_text')))
        : data.map((message) => bubble(app, message)),
    );
    list.scrollTop = list.scrollHeight;
  };
  await load();
  const timer = setInterval(() => {
    if (!document.hidden) load().catch(() => {});
  }, POLL_MS);
  return {
    title: t('messages.title'),
    stop: () => clearInterval(timer),
    body: [
      back(`#/mine/${params.id}`, t('messages.back')),
      heading(t('messages.title')),
      h('section', { class: 'card stack' }, list, composer(app, path, load)),
    ],
  };
}

const bubble = (app, { sender, message, created_at }) =>
  h(
    'li',
    { class: ['bubble', sender === 'operator' && 'own'] },
    h('span', { class: 'hidden-visually' }, `${app.t(sender === 'operator' ? 'messages.you' : 'messages.agent')}: `),
    h('span', { class: 'lines' }, message),
    h('small', {}, formats(app).time(created_at)),
  );

function composer(app, path, load) {
  const { t } = app,
    text = h('textarea', { name: 'message', rows: 2, maxlength: app.settings.message_max_chars, required: true });
  const fault = h('p', { class: 'notice bad', role: 'alert', hidden: true }),
    button = h('button', { class: 'button main', type: 'submit' }, t('messages.send'));
  const form = h(
    'form',
    {
      class: 'stack tight',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        const message = text.value.trim();
        if (message === '') return text.focus();
        return busy(button, async () => {
          fault.hidden = true;
          try {
            await app.api.post(path, { message });
            text.value = '';
            await load();
          } catch (error) {
            /* What was typed stays, to be sent once more. */
            fault.textContent = explain(app, error);
            fault.hidden = false;
          }
        });
      },
    },
    field(t('messages.label'), text),
    fault,
    h('div', { class: 'row' }, h('div', { class: 'push' }, button)),
  );
  return form;
}
