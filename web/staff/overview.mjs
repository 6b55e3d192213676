/* What waits for staff, counted; each figure leads to where it is dealt with. */
import { h } from '../shared/dom.mjs';
import { heading } from '../shared/shell.mjs';
import { count, waiting } from './rules.mjs';

const LIMIT = 200; /* a list's longest page: more than this reads as "200+" */

const figure = ({ label, value, kind, href, note }) =>
  h(
    'a',
    { class: 'card', href },
    h(
      'div',
      { class: 'figure' },
      h('span', { class: 'label' }, label),
      h('span', { class: ['value', kind && `${kind}-text`] }, value),
      h('span', { class: 'soft small' }, note),
    ),
  );

/* A list that cannot be had now says so in its own place, and the others still stand. */
const tryList = (promise) =>
  promise.then(
    (page) => page.data,
    (error) => {
      if (['staff_only', 'offline', 'aborted'].includes(error.code)) throw error;
      return null;
    },
  );

export async function overview({ api, signal }) {
  const get = (path, query = {}) => tryList(api.get(path, { signal, query: { limit: LIMIT, ...query } }));
  const [kyc, disputes, appeals, payouts, webhooks, audit] = await Promise.all([
    get('/admin/operators', { kyc_status: 'PENDING' }),
    get('/admin/disputes'),
    get('/admin/appeals'),
    get('/admin/payouts', { status: 'stuck', limit: 100 }),
    get('/admin/webhooks/failed'),
    api.get('/admin/ledger/audit', { signal }),
  ]);
  const rows = [
    ['Identities to check', kyc, '#/operators?kyc_status=PENDING', 'operators waiting for a verdict'],
    ['Open disputes', disputes, '#/disputes', 'money held until resolved'],
    ['Appeals', appeals, '#/appeals', 'tasks that screening blocked'],
    ['Stuck payouts', payouts, '#/payouts', 'sent, but not confirmed in time'],
    ['Failed webhooks', webhooks, '#/webhooks', 'given up after all attempts'],
  ];
  return {
    title: 'Overview',
    body: [
      heading('Overview'),
      h(
        'div',
        { class: ['notice', audit.balanced ? 'good' : 'bad'] },
        audit.balanced
          ? 'The books balance: every invariant of the ledger holds.'
          : h(
              'span',
              {},
              `The books do not balance: ${audit.findings.length} findings. `,
              h('a', { href: '#/ledger' }, 'See the audit'),
            ),
      ),
      h(
        'div',
        { class: 'figures' },
        rows.map(([label, list, href, note]) =>
          figure({
            label,
            href,
            note: list === null ? 'not available here' : note,
            value: count(list, LIMIT),
            kind: waiting(list) ? 'warn' : '',
          }),
        ),
      ),
    ],
  };
}
