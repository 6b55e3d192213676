/* Stuck payouts, webhooks that were given up, the ledger's audit, and the log of what staff did. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { money, shorten, words } from '../shared/format.mjs';
import { link } from '../shared/route.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import { facts, table } from '../shared/table.mjs';
import { card, copyable, stamp, when } from '../shared/taskview.mjs';
import { badge, confirm, dialog, empty, field, pager } from '../shared/widgets.mjs';
import { accountName, findingName, logPage, otherFigures } from './rules.mjs';

const PAGE = 50;

/* payouts */

const FILTERS = [
  ['stuck', 'Stuck'],
  ['open', 'Open'],
  ['all', 'All'],
];

const payout = (p) =>
  h(
    'li',
    { class: 'card', dataset: { payout: p.payout_id } },
    h(
      'header',
      {},
      h('h2', {}, money(p.amount_usd)),
      badge(p.status),
      p.state === 'stuck' && badge('stuck'),
      p.cancelling && badge('cancelling', 'Being ended', 'warn'),
    ),
    p.problem && h('div', { class: 'notice warn' }, h('p', { class: 'lines' }, p.problem)),
    facts([
      ['Payout', copyable(p.payout_id)],
      ['Party', (p.operator_id ?? p.agent_id) && copyable(p.operator_id ?? p.agent_id)],
      ['To', p.to_address && copyable(p.to_address)],
      [
        'Net',
        typeof p.net_amount_usd === 'number'
          ? `${money(p.net_amount_usd)} after ${money(p.gas_fee_usd)} for gas`
          : null,
      ],
      ['State', p.state && words(p.state)],
      ['Transaction', p.tx_hash && copyable(p.tx_hash)],
      ['Nonce', p.nonce],
      ['Signed', p.signed_at && stamp(p.signed_at)],
      ['Asked for', p.created_at && when(p.created_at)],
      ['Settled', p.settled_at && stamp(p.settled_at)],
    ]),
    p.status === 'PENDING_ONCHAIN' &&
      h(
        'div',
        { class: 'row', style: { 'margin-top': 'var(--s4)' } },
        wishButton('Try again', 'retry', { p }, 'main'),
        !p.cancelling && wishButton('Fail…', 'fail', { p }, 'danger'),
      ),
  );

/* A reason that staff has to give; the act is in the audit log with it. */
function askReason(title, ok, text, send) {
  const reason = h('textarea', { name: 'reason', maxlength: 2000, rows: 3 });
  return dialog({
    title,
    ok,
    isDangerous: true,
    body: [h('p', {}, text), field('Reason, for the audit log', reason)],
    onsubmit: () => send({ reason: reason.value.trim() }),
  });
}

export async function payouts({ api, query, signal, refresh }) {
  const status = query.status ?? 'stuck',
    list = h('ul', { class: 'cards small' });
  /* Asked for once before there is a list: an installation without a chain has no such call. */
  let first = await api.get('/admin/payouts', { signal, query: { status, limit: PAGE } }).catch((error) => {
    if (error.code !== 'not_found') throw error;
    return null;
  });
  if (first === null)
    return {
      title: 'Payouts',
      body: [
        heading('Payouts'),
        empty('Payouts are not available', 'This installation does not pay out on a chain.'),
      ],
    };
  const pages = pager({
    list,
    emptyState: empty(
      status === 'stuck' ? 'No payout is stuck' : 'No payouts here',
      'Payouts that are not confirmed in time come here.',
    ),
    load: async (cursor = null) => {
      const page = first ?? (await api.get('/admin/payouts', { signal, query: { status, cursor, limit: PAGE } }));
      first = null;
      return { items: page.data, next: page.pagination?.next_cursor ?? null };
    },
    render: (items) => list.append(...items.map(payout)),
  });
  await pages.ready;
  onWish(pages, {
    retry: async ({ p }) => {
      if (
        !(await confirm({
          title: 'Go on with this payout?',
          text: 'The worker looks at it again now. Whatever is sent bears the same nonce: it can arrive once only.',
          ok: 'Try again',
        }))
      )
        return null;
      await api.post(`/admin/payouts/${part(p.payout_id)}/retry`, {});
      await refresh();
      return 'It is being tried again.';
    },
    fail: async ({ p }) =>
      (await askReason(
        `Fail the payout of ${money(p.amount_usd)}?`,
        'Fail it',
        'If nothing was signed yet, the money is available again at once. Otherwise the chain decides whether it still arrives, and nothing is paid twice.',
        (body) => api.post(`/admin/payouts/${part(p.payout_id)}/fail`, body),
      )) && (await refresh(), 'It is being ended.'),
  });
  return {
    title: 'Payouts',
    body: [
      heading('Payouts'),
      h(
        'nav',
        { class: 'chips', 'aria-label': 'Which payouts' },
        FILTERS.map(([value, label]) =>
          h(
            'a',
            {
              class: 'chip',
              'aria-current': value === status ? 'true' : null,
              href: link('/payouts', { status: value }),
            },
            label,
          ),
        ),
      ),
      pages,
    ],
  };
}

/* webhooks */

export async function failedWebhooks({ api, signal }) {
  const { data } = await api.get('/admin/webhooks/failed', { signal, query: { limit: 200 } });
  const rows = table(
    'Failed webhooks',
    [
      { label: 'Event', isHead: true, cell: (d) => h('strong', {}, d.event) },
      { label: 'Last error', cell: (d) => d.last_error ?? '–' },
      { label: 'Attempts', isNumber: true, cell: (d) => d.attempts },
      { label: 'Task', cell: (d) => h('code', { title: d.task_id }, shorten(d.task_id, 10, 6)) },
      { label: 'Agent', cell: (d) => h('code', { title: d.agent_id }, shorten(d.agent_id, 10, 6)) },
      { label: 'Since', cell: (d) => when(d.created_at) },
    ],
    data,
  );
  return {
    title: 'Failed webhooks',
    body: [
      heading('Failed webhooks'),
      h('p', { class: 'soft' }, 'Given up after all attempts. The agent can have each sent again from its console.'),
      data.length > 0
        ? h('div', { class: 'card flush' }, h('div', { class: 'table' }, rows))
        : empty('Every webhook arrived', 'Deliveries that are given up come here.'),
    ],
  };
}

/* ledger */

const KNOWN = ['trial_balance', 'findings', 'balanced', 'reserves'];
const figureText = (name, value) =>
  typeof value === 'boolean'
    ? value
      ? 'yes'
      : 'no'
    : /usd|balance|amount/.test(name) && typeof value === 'number'
      ? money(value)
      : String(value);

/* Wishes: unfreeze, where payouts stand still because chain and books differed. */
function reservesCard(reserves) {
  if (reserves === undefined) return null;
  if (reserves === null)
    return card(
      'Reserves on the chain',
      h('p', { class: 'soft' }, 'Not compared: this installation is connected to no chain, or has not looked yet.'),
    );
  const { is_frozen: isFrozen, reason, checked_at: checked, ...figures } = reserves;
  return card(
    'Reserves on the chain',
    h(
      'div',
      { class: 'stack' },
      isFrozen &&
        h(
          'div',
          { class: 'notice bad' },
          h('p', {}, h('strong', {}, 'Payouts stand still. '), reason),
          wishButton('Let payouts go on…', 'unfreeze', {}),
        ),
      facts(
        Object.entries(figures)
          .filter(([, v]) => v === null || typeof v !== 'object')
          .map(([name, value]) => [
            words(name.replace(/_usd$/, '')),
            value === null ? 'not known' : figureText(name, value),
          ]),
      ),
      checked && h('p', { class: 'soft small' }, 'Compared ', when(checked)),
    ),
  );
}

export async function ledger({ api, signal, refresh }) {
  const audit = await api.get('/admin/ledger/audit', { signal });
  const balance = table(
    'Trial balance',
    [
      { label: 'Account', isHead: true, cell: (a) => h('strong', {}, accountName(a.account)) },
      { label: 'Accounts', isNumber: true, cell: (a) => a.accounts.toLocaleString('en-US') },
      { label: 'Balance', isNumber: true, cell: (a) => money(a.balance_usd) },
    ],
    audit.trial_balance,
  );
  const findings = table(
    'Findings',
    [
      { label: 'What is broken', isHead: true, cell: (f) => h('strong', {}, findingName(f.broken)) },
      { label: 'Account', cell: (f) => (f.account ? accountName(f.account) : '–') },
      { label: 'Id', cell: (f) => (f.id ? h('code', {}, f.id) : '–') },
      {
        label: 'Off by',
        isNumber: true,
        cell: (f) => h('span', { class: 'bad-text' }, money(f.off_by_usd, { sign: true })),
      },
    ],
    audit.findings,
  );
  const body = h(
    'div',
    { class: 'stack' },
    heading('Ledger audit', wishButton('Audit again', 'again', {})),
    h(
      'div',
      { class: ['notice', audit.balanced ? 'good' : 'bad'], role: 'status' },
      audit.balanced
        ? 'The books balance: every transaction adds up to zero, every balance equals its postings, escrow equals the open tasks.'
        : `The books do not balance: ${audit.findings.length} findings.`,
    ),
    audit.findings.length > 0 &&
      h(
        'section',
        { class: 'card flush' },
        h('header', {}, h('h2', {}, 'Findings')),
        h('div', { class: 'table' }, findings),
      ),
    h(
      'section',
      { class: 'card flush' },
      h(
        'header',
        {},
        h('h2', {}, 'Trial balance'),
        h(
          'span',
          { class: 'soft small' },
          'What is owed stands positive, what is held negative; together they are zero.',
        ),
      ),
      h('div', { class: 'table' }, balance),
    ),
    reservesCard(audit.reserves),
    otherFigures(audit, KNOWN).length > 0 &&
      card(
        'Further figures',
        facts(otherFigures(audit, KNOWN).map(([name, value]) => [words(name), figureText(name, value)])),
      ),
  );
  onWish(body, {
    again: async () => (await refresh(), 'Audited just now.'),
    unfreeze: async () =>
      (await askReason(
        'Let payouts go on?',
        'Go on',
        'Do this once you know why chain and books differed.',
        (reason) => api.post('/admin/payouts/unfreeze', reason),
      )) && (await refresh(), 'Payouts go on.'),
  });
  return { title: 'Ledger audit', body };
}

/* log */

const target = (id) =>
  /^task_/.test(id)
    ? h('a', { href: `#/disputes/${part(id)}` }, h('code', {}, shorten(id, 10, 6)))
    : /^(agent|op)_/.test(id)
      ? h('a', { href: link('/accounts', { id }) }, h('code', {}, shorten(id, 10, 6)))
      : h('code', {}, shorten(id, 12, 6));

export async function log({ api, signal }) {
  const list = table('What staff did', [
    { label: 'Act', isHead: true, cell: (e) => h('strong', {}, words(e.act)) },
    { label: 'On', cell: (e) => target(e.target) },
    {
      label: 'Details',
      cell: (e) =>
        Object.entries(e.data ?? {})
          .filter(([, v]) => v !== null)
          .map(([name, value]) => `${words(name)}: ${value}`)
          .join(', ') || '–',
    },
    { label: 'At', cell: (e) => stamp(e.at) },
  ]);
  const seen = new Set();
  const pages = pager({
    list: h('div', { class: 'card flush' }, h('div', { class: 'table' }, list)),
    emptyState: empty('Nothing yet', 'Every act of staff is recorded here and cannot be changed.'),
    load: async (before = null) => {
      const { data } = await api.get('/admin/log', { signal, query: { before, limit: PAGE } });
      return logPage(data, seen, PAGE);
    },
    render: (items) => list.addRows(items),
  });
  await pages.ready;
  return {
    title: 'Audit log',
    body: [
      heading('Audit log'),
      h('p', { class: 'soft' }, 'Append-only: the database itself refuses to change it.'),
      pages,
    ],
  };
}
