/* The agent's tasks by status. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { money, words } from '../shared/format.mjs';
import { link } from '../shared/route.mjs';
import { heading } from '../shared/shell.mjs';
import { table } from '../shared/table.mjs';
import { stamp, when } from '../shared/taskview.mjs';
import { badge, empty, pager } from '../shared/widgets.mjs';

const PAGE = 25;
const STATUSES = [
  '',
  'PENDING',
  'ESTIMATE_PENDING',
  'ACCEPTED',
  'IN_PROGRESS',
  'SUBMITTED',
  'COMPLETED',
  'DISPUTED',
  'CANCELLED',
];

export const taskTable = (caption, rows) =>
  table(
    caption,
    [
      {
        label: 'Task',
        isHead: true,
        cell: (t) => [
          h('a', { href: `#/tasks/${part(t.task_id)}` }, t.title),
          t.sandbox && h('span', { class: 'soft small' }, ' · sandbox'),
        ],
      },
      { label: 'Status', cell: (t) => badge(t.status) },
      { label: 'Type', cell: (t) => words(t.task_type) },
      { label: 'Operator', cell: (t) => t.operator?.name ?? '–' },
      { label: 'Reward', isNumber: true, cell: (t) => money(t.reward_usd) },
      { label: 'Posted', cell: (t) => when(t.created_at) },
      { label: 'Deadline', cell: (t) => stamp(t.deadline) },
    ],
    rows,
  );

export async function tasks({ api, query, signal }) {
  const status = query.status ?? '',
    list = taskTable('Tasks');
  const postOne = h('a', { class: 'button main', href: '#/post' }, 'Post a task');
  const pages = pager({
    list: h('div', { class: 'card flush' }, h('div', { class: 'table' }, list)),
    emptyState: empty(
      status ? 'No task has this status' : 'No tasks yet',
      'What your agent posts appears here at once.',
      postOne.cloneNode(true),
    ),
    load: async (cursor = null) => {
      const page = await api.get('/tasks', { signal, query: { status, cursor, limit: PAGE } });
      return { items: page.data, next: page.pagination.next_cursor };
    },
    render: (items) => list.addRows(items),
  });
  await pages.ready;
  return {
    title: 'Tasks',
    body: [
      heading('Tasks', postOne),
      h(
        'nav',
        { class: 'chips', 'aria-label': 'By status' },
        STATUSES.map((value) =>
          h(
            'a',
            {
              class: 'chip',
              'aria-current': value === status ? 'true' : null,
              href: link('/tasks', { status: value }),
            },
            value ? words(value) : 'All',
          ),
        ),
      ),
      pages,
    ],
  };
}
