/* Tasks that screening blocked and whose agents ask for a second look. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { words } from '../shared/format.mjs';
import { link } from '../shared/route.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import { facts } from '../shared/table.mjs';
import { copyable, textBlock, when } from '../shared/taskview.mjs';
import { badge, dialog, empty, field, pager } from '../shared/widgets.mjs';

const PAGE = 25;

const appeal = (a) =>
  h(
    'li',
    { class: 'card stack' },
    h('header', {}, h('h2', {}, a.title), badge(a.category, words(a.category), 'warn')),
    h(
      'div',
      { class: 'halves' },
      h(
        'div',
        { class: 'stack' },
        h('div', {}, h('h3', {}, 'The task'), h('p', { class: 'lines' }, a.description)),
        textBlock('Instructions', a.digital_instructions),
      ),
      h(
        'div',
        { class: 'stack' },
        h('div', {}, h('h3', {}, 'Why it was blocked'), h('p', { class: 'lines' }, a.reason)),
        h('div', {}, h('h3', {}, 'The agent’s appeal'), h('p', { class: 'lines' }, a.appeal)),
      ),
    ),
    facts([
      ['Type', words(a.task_type)],
      ['Rule', a.rule],
      [
        'Agent',
        h(
          'span',
          { class: 'row' },
          copyable(a.agent_id),
          h('a', { href: link('/accounts', { id: a.agent_id }) }, 'Suspend…'),
        ),
      ],
      ['Appealed', when(a.appealed_at)],
    ]),
    h(
      'div',
      { class: 'row' },
      wishButton('Allow the task', 'decide', { a, decision: 'ALLOWED' }, 'main'),
      wishButton('Uphold the block', 'decide', { a, decision: 'UPHELD' }, 'danger'),
    ),
  );

function ask(api, a, decision) {
  const note = h('textarea', { name: 'note', maxlength: 2000, rows: 3 }),
    isAllowed = decision === 'ALLOWED';
  return dialog({
    title: isAllowed ? 'Allow this task?' : 'Uphold the block?',
    ok: isAllowed ? 'Allow' : 'Uphold',
    isDangerous: !isAllowed,
    body: [
      h(
        'p',
        {},
        isAllowed
          ? 'The agent is told and may post exactly this task again.'
          : 'The agent is told; the task stays blocked.',
      ),
      field('Note (optional)', note),
    ],
    onsubmit: () =>
      api.post(`/admin/appeals/${part(a.screening_id)}`, {
        decision,
        ...(note.value.trim() ? { note: note.value.trim() } : {}),
      }),
  });
}

export async function appeals({ api, signal, refresh }) {
  const list = h('ul', { class: 'cards' });
  const pages = pager({
    list,
    emptyState: empty('No appeals', 'A task that screening blocked can be put before you by its agent.'),
    load: async (offset = 0) => {
      const { data } = await api.get('/admin/appeals', { signal, query: { limit: PAGE, offset } });
      return { items: data, next: data.length === PAGE ? offset + PAGE : null };
    },
    render: (items) => list.append(...items.map(appeal)),
  });
  onWish(pages, {
    decide: async ({ a, decision }) =>
      (await ask(api, a, decision)) && (await refresh(), 'Decided; the agent is told.'),
  });
  await pages.ready;
  return { title: 'Appeals', body: [heading('Appeals'), pages] };
}
