/* The agent at a glance: money, limits and their use, spend, what waits for an answer. */
import { h } from '../shared/dom.mjs';
import { owedText } from '../shared/facts.mjs';
import { DAY, money, words } from '../shared/format.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import { facts } from '../shared/table.mjs';
import { card, copyable } from '../shared/taskview.mjs';
import { badge, empty } from '../shared/widgets.mjs';
import { spendChart } from './chart.mjs';
import { entriesSince } from './entries.mjs';
import { spendByDay } from './rules.mjs';
import { taskTable } from './tasks.mjs';

const DAYS = 30;

const figure = (label, value, note, href) =>
  h(
    href ? 'a' : 'div',
    { class: 'card', href },
    h(
      'div',
      { class: 'figure' },
      h('span', { class: 'label' }, label),
      h('span', { class: 'value' }, value),
      h('span', { class: 'soft small' }, note),
    ),
  );

/* Today's use of a limit, in words and as a bar. */
function use(label, used, most, print) {
  const share = most > 0 ? Math.min(100, (100 * used) / most) : 0;
  return h(
    'div',
    { class: 'stack tight' },
    h(
      'div',
      { class: 'row' },
      h('span', {}, label),
      h('span', { class: 'push number' }, `${print(used)} of ${print(most)}`),
    ),
    h('div', { class: 'meter', 'aria-hidden': 'true' }, h('span', { style: { width: `${share}%` } })),
  );
}

function account(me) {
  return card(
    'Account',
    h(
      'div',
      { class: 'stack' },
      facts([
        ['Agent', copyable(me.agent_id)],
        [
          'E-mail',
          h(
            'span',
            { class: 'row' },
            me.email,
            me.email_verified ? badge('VERIFIED') : wishButton('Send the mail again', 'resend', {}, 'little'),
          ),
        ],
        ['Company', me.company],
        [
          'Fee',
          `${me.fee.percent} % (${words(me.fee.tier).toLowerCase()}), at least ${money(me.fee.minimum_usd)} a task`,
        ],
      ]),
      use('Tasks today', me.used_today.tasks, me.limits.max_daily_tasks, String),
      use('Spend today', me.used_today.spend_usd, me.limits.max_daily_spend_usd, money),
      h('p', { class: 'soft small' }, `At most ${money(me.limits.max_task_value_usd)} a task.`),
    ),
  );
}

export async function overview({ api, signal, refresh }) {
  const now = Date.now();
  const [me, balance, recent, waiting, spend] = await Promise.all([
    api.get('/agents/me', { signal }),
    api.get('/agents/balance', { signal }),
    api.get('/tasks', { signal, query: { limit: 6 } }),
    api.get('/tasks', { signal, query: { status: 'ESTIMATE_PENDING', limit: 20 } }),
    entriesSince(api, now - DAYS * DAY, { signal }),
  ]);
  const body = h(
    'div',
    { class: 'stack' },
    heading(
      'Overview',
      badge(me.tier, words(me.tier)),
      h('a', { class: 'button main', href: '#/post' }, 'Post a task'),
    ),
    balance.owed_usd > 0 &&
      h('div', { class: 'notice bad' }, h('p', {}, owedText(balance.owed_usd))),
    me.tier !== 'STANDARD' && h('div', { class: 'notice' }, h('p', {}, me.how_to_upgrade)),
    h(
      'div',
      { class: 'figures' },
      figure('Deposit', money(balance.deposit_balance), 'free for new tasks', '#/deposit'),
      figure('Escrow', money(balance.escrow_balance), 'set aside for open tasks', '#/statement'),
      figure('Spend in 30 days', money(me.fee.spend_30_days_usd), 'rewards of tasks posted', '#/statement'),
      figure('Tasks', recent.pagination.total.toLocaleString('en-US'), 'posted in all', '#/tasks'),
    ),
    waiting.data.length > 0 &&
      h(
        'section',
        { class: 'card flush' },
        h(
          'header',
          {},
          h('h2', {}, 'Waiting for your answer'),
          badge('ESTIMATE_PENDING', String(waiting.data.length)),
        ),
        h('div', { class: 'table' }, taskTable('Estimates to answer', waiting.data)),
      ),
    h(
      'div',
      { class: 'halves' },
      h(
        'section',
        { class: 'card' },
        h(
          'header',
          {},
          h('h2', {}, 'Paid by day'),
          h('span', { class: 'soft small' }, 'rewards and fees of finished tasks'),
          h('a', { class: 'push small', href: '#/statement' }, 'Statement'),
        ),
        spendChart(spendByDay(spend.entries, now, DAYS)),
      ),
      account(me),
    ),
    recent.data.length === 0
      ? empty(
          'No tasks yet',
          'Post the first one; in the sandbox it completes by itself within seconds.',
          h('a', { class: 'button main', href: '#/post' }, 'Post a task'),
        )
      : h(
          'section',
          { class: 'card flush' },
          h('header', {}, h('h2', {}, 'Latest tasks'), h('a', { class: 'push small', href: '#/tasks' }, 'All tasks')),
          h('div', { class: 'table' }, taskTable('Latest tasks', recent.data)),
        ),
  );
  onWish(body, {
    resend: async () => (
      await api.post('/agents/resend-verification', {}),
      await refresh(),
      'A new mail is on its way; earlier links no longer work.'
    ),
  });
  return { title: 'Overview', body };
}
