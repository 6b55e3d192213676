/*
 * Webhooks that were sent for the agent's tasks, each attempt of them, and sending one again; and the feed of events.
 */
import { part } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { actorName, eventText } from '../shared/facts.mjs';
import { money, shorten, words } from '../shared/format.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import { table } from '../shared/table.mjs';
import { stamp, when } from '../shared/taskview.mjs';
import { badge, empty, pager } from '../shared/widgets.mjs';

const TASKS_PAGE = 10,
  EVENTS_PAGE = 500,
  EVENTS_PAGES = 20,
  EVENTS_SHOWN = 200;

const attempt = (a) =>
  h(
    'li',
    {},
    `${a.attempt}. `,
    stamp(a.at),
    ' – ',
    a.status === null
      ? h('span', { class: 'bad-text' }, a.error ?? 'no answer')
      : h(
          'span',
          { class: a.status < 300 ? 'good-text' : 'bad-text' },
          `status ${a.status}${a.error ? `, ${a.error}` : ''}`,
        ),
    typeof a.duration_ms === 'number' && h('span', { class: 'soft' }, ` in ${a.duration_ms} ms`),
  );

function delivery(taskId, d) {
  return h(
    'li',
    { dataset: { delivery: d.delivery_id } },
    h(
      'div',
      { class: 'row' },
      h('strong', {}, d.event),
      badge(d.state),
      h('span', { class: 'soft small' }, when(d.created_at)),
      d.state !== 'pending' &&
        h('span', { class: 'push' }, wishButton('Send again', 'redeliver', { taskId, id: d.delivery_id }, 'little')),
    ),
    d.next_attempt_at &&
      d.state === 'pending' &&
      h('p', { class: 'soft small' }, 'Next attempt ', when(d.next_attempt_at)),
    d.attempts.length > 0 &&
      h(
        'details',
        {},
        h('summary', { class: 'small' }, d.attempts.length === 1 ? '1 attempt' : `${d.attempts.length} attempts`),
        h('ol', { class: 'evidence' }, d.attempts.map(attempt)),
      ),
  );
}

/*
 * A task's deliveries with a button each; it draws itself anew after one was sent again.  known: the answer, if there
 * is one already.
 */
export async function deliveryList(api, taskId, signal, known = null) {
  const node = h('div', {});
  async function draw(from = null) {
    const { data } = from ?? (await api.get(`/tasks/${part(taskId)}/webhooks`, { signal }));
    replace(
      node,
      data.length === 0
        ? h('p', { class: 'soft' }, 'Nothing has been sent yet.')
        : h(
            'ul',
            { class: 'list' },
            data.map((d) => delivery(taskId, d)),
          ),
    );
  }
  onWish(node, {
    redeliver: async ({ taskId: of, id }) => {
      await api.post(`/tasks/${part(of)}/webhooks/${part(id)}/redeliver`, {});
      await draw();
      return 'It is being sent again.';
    },
  });
  await draw(known);
  return node;
}

/* The log by task, newest first: tasks without a callback have none and are left out. */
export async function webhooks({ api, signal }) {
  const list = h('ul', { class: 'cards' });
  let shown = 0;
  const note = h(
    'p',
    { class: 'soft', hidden: true },
    'None of these tasks has sent a webhook. A task sends them to the callback address it is posted with.',
  );
  const pages = pager({
    list: h('div', {}, list, note),
    emptyState: empty(
      'No tasks yet',
      'A task sends webhooks to the callback address it is posted with.',
      h('a', { class: 'button', href: '#/post' }, 'Post a task'),
    ),
    load: async (cursor = null) => {
      const page = await api.get('/tasks', { signal, query: { cursor, limit: TASKS_PAGE } });
      const logs = await Promise.all(page.data.map((t) => api.get(`/tasks/${part(t.task_id)}/webhooks`, { signal })));
      const items = await Promise.all(
        page.data.map(async (t, i) =>
          logs[i].data.length === 0 ? null : { t, node: await deliveryList(api, t.task_id, signal, logs[i]) },
        ),
      );
      return { items: page.data.length === 0 ? [] : [items.filter(Boolean)], next: page.pagination.next_cursor };
    },
    render: ([items = []]) => {
      shown += items.length;
      note.hidden = shown > 0;
      list.append(
        ...items.map(({ t, node }) =>
          h(
            'li',
            { class: 'card' },
            h('header', {}, h('h2', {}, h('a', { href: `#/tasks/${part(t.task_id)}` }, t.title)), badge(t.status)),
            node,
          ),
        ),
      );
    },
  });
  await pages.ready;
  return {
    title: 'Webhooks',
    body: [
      heading('Webhooks'),
      h(
        'p',
        { class: 'soft' },
        'Sent at least once, with the same id on every attempt; ten attempts over three days, then given up.',
      ),
      pages,
    ],
  };
}

/* activity */

const about = (e) =>
  e.task_id
    ? h('a', { href: `#/tasks/${part(e.task_id)}` }, h('code', {}, shorten(e.task_id, 9, 4)))
    : typeof e.amount_usd === 'number'
      ? money(e.amount_usd)
      : '–';

export async function activity({ api, signal }) {
  /* The feed runs forward from its cursor; a person reads backwards, so its end is looked for first. */
  const events = [];
  let cursor = null,
    isWhole = true;
  for (let n = 0; n < EVENTS_PAGES; n++) {
    const page = await api.get('/events', { signal, query: { cursor, limit: EVENTS_PAGE } });
    events.push(...page.data);
    isWhole = !page.pagination.has_more;
    if (isWhole) break;
    cursor = page.pagination.next_cursor;
  }
  const rows = events.slice(-EVENTS_SHOWN).reverse();
  const list = table(
    'Events',
    [
      { label: 'Event', isHead: true, cell: (e) => h('strong', {}, eventText({ ...e, type: e.event })) },
      { label: 'About', cell: about },
      { label: 'By', cell: (e) => actorName(e.actor) || '–' },
      { label: 'Now', cell: (e) => (e.to ? badge(e.to) : '–') },
      {
        label: 'What',
        cell: (e) =>
          e.message ??
          (e.guardian_result
            ? `${words(e.guardian_result.decision)}, confidence ${e.guardian_result.confidence}`
            : '–'),
      },
      { label: 'At', cell: (e) => stamp(e.timestamp) },
    ],
    rows,
  );
  return {
    title: 'Activity',
    body: [
      heading('Activity'),
      h(
        'p',
        { class: 'soft' },
        'Every change and message, newest first: what GET /events tells a program that has missed a webhook.',
      ),
      !isWhole &&
        h(
          'p',
          { class: 'notice quiet' },
          `These are the first ${events.length.toLocaleString('en-US')} events of this agent; GET /events has those after them.`,
        ),
      rows.length > 0
        ? h('div', { class: 'card flush' }, h('div', { class: 'table' }, list))
        : empty('Nothing has happened yet', 'Post a task, and its steps appear here.'),
    ],
  };
}
