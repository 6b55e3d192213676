/* Every movement of deposit and escrow, with the spend of thirty days above it. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { entryName } from '../shared/facts.mjs';
import { DAY, money, shorten, sum } from '../shared/format.mjs';
import { heading } from '../shared/shell.mjs';
import { table } from '../shared/table.mjs';
import { stamp } from '../shared/taskview.mjs';
import { busy, empty, pager, toast } from '../shared/widgets.mjs';
import { spendChart } from './chart.mjs';
import { entriesSince } from './entries.mjs';
import { save } from './files.mjs';
import { spendByDay } from './rules.mjs';

const PAGE = 50,
  CSV_PAGE = 100,
  DAYS = 30;

const change = (usd) =>
  usd === 0
    ? h('span', { class: 'soft' }, '–')
    : h('span', { class: usd > 0 ? 'good-text' : '' }, money(usd, { sign: true }));

/* All pages as one file: the first one's heading, then rows. */
export async function wholeCsv(api) {
  const rows = [];
  let heading = null,
    cursor = null;
  do {
    const json = await api.get('/agents/transactions', { query: { cursor, limit: CSV_PAGE } });
    const [head, ...lines] = (
      await api.get('/agents/transactions', { query: { cursor, limit: CSV_PAGE }, accept: 'text/csv' })
    )
      .split('\r\n')
      .filter(Boolean);
    heading ??= head;
    rows.push(...lines);
    cursor = json.pagination.next_cursor;
  } while (cursor !== null);
  return `${[heading, ...rows].join('\r\n')}\r\n`;
}

export async function statement({ api, signal }) {
  const now = Date.now();
  const list = table('Statement', [
    { label: 'What', isHead: true, cell: (e) => h('strong', {}, entryName(e.type)) },
    {
      label: 'Task',
      cell: (e) =>
        e.task_id ? h('a', { href: `#/tasks/${part(e.task_id)}` }, h('code', {}, shorten(e.task_id, 9, 4))) : '–',
    },
    { label: 'Deposit', isNumber: true, cell: (e) => change(e.deposit_change_usd) },
    { label: 'Escrow', isNumber: true, cell: (e) => change(e.escrow_change_usd) },
    {
      label: 'Deposit after',
      isNumber: true,
      cell: (e) => (e.deposit_balance === undefined ? '' : money(e.deposit_balance)),
    },
    { label: 'At', cell: (e) => stamp(e.created_at) },
  ]);
  const pages = pager({
    list: h('div', { class: 'card flush' }, h('div', { class: 'table' }, list)),
    emptyState: empty(
      'No movements yet',
      'Deposits and what tasks cost appear here. Simulated tasks move no money.',
      h('a', { class: 'button', href: '#/deposit' }, 'Deposit'),
    ),
    load: async (cursor = null) => {
      const page = await api.get('/agents/transactions', { signal, query: { cursor, limit: PAGE } });
      return { items: page.data, next: page.pagination.next_cursor };
    },
    render: (items) => list.addRows(items),
  });
  const [{ entries, isWhole }] = await Promise.all([entriesSince(api, now - DAYS * DAY, { signal }), pages.ready]);
  const series = spendByDay(entries, now, DAYS);
  const csv = h(
    'button',
    {
      class: 'button',
      type: 'button',
      onclick: () =>
        busy(csv, async () => {
          try {
            save('humanops-statement.csv', await wholeCsv(api), 'text/csv');
          } catch (error) {
            toast(error.message, { kind: 'bad' });
          }
        }),
    },
    'Download CSV',
  );
  return {
    title: 'Statement',
    body: [
      heading('Statement', csv),
      h(
        'section',
        { class: 'card' },
        h(
          'header',
          {},
          h('h2', {}, 'Paid by day'),
          h('span', { class: 'soft small' }, 'rewards and fees of finished tasks'),
          h('span', { class: 'push soft' }, `${money(sum(series.map((point) => point.usd)))} in 30 days`),
        ),
        !isWhole &&
          h('p', { class: 'notice quiet' }, 'There are more movements than are drawn; the file has them all.'),
        spendChart(series),
      ),
      pages,
    ],
  };
}
