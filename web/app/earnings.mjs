/* What the operator has earned: what can be had when, from which task, and what was paid out. */
import { h } from '../shared/dom.mjs';
import { money } from '../shared/format.mjs';
import { badge, empty, errorState } from '../shared/widgets.mjs';
import { formats, heading } from './parts.mjs';
import { earningState, payoutStatus } from './rules.mjs';

export async function show(app, { signal }) {
  const { t } = app,
    [earnings, payouts] = await Promise.all([app.api.get('/operator/earnings', { signal }), listPayouts(app, signal)]);
  const figure = (key, usd, hint) =>
    h(
      'div',
      { class: 'card figure' },
      h('dt', {}, t(`earnings.${key}`)),
      h('dd', {}, money(usd)),
      hint && h('dd', { class: 'figure-hint' }, hint),
    );
  const min = app.settings.payout.min_usd,
    canPay = earnings.available_balance >= min;
  return {
    title: t('earnings.title'),
    live: true,
    body: [
      heading(t('earnings.title')),
      h(
        'dl',
        { class: 'figures' },
        figure('available', earnings.available_balance),
        figure('pending', earnings.pending_balance, nextLine(app, earnings.earnings)),
        earnings.in_flight_balance > 0 && figure('in_flight', earnings.in_flight_balance),
        figure('total', earnings.total_earned),
      ),
      payouts.isMissing
        ? h('p', { class: 'notice quiet' }, t('payout.unavailable'))
        : h(
            'div',
            { class: 'row' },
            h('a', { class: ['button', canPay && 'main'], href: '#/payout' }, t('payout.go')),
            !canPay && h('span', { class: 'soft small' }, t('payout.from', { amount: money(min) })),
          ),
      h('div', { class: 'halves' }, list(app, earnings), history(app, payouts)),
    ],
  };
}

/* The list, or that this server has no payouts (yet). */
export async function listPayouts(app, signal) {
  try {
    const { data } = await app.api.get('/operator/payouts', { signal });
    return { data, isMissing: false };
  } catch (error) {
    if (error.status === 404) return { data: [], isMissing: true };
    return { data: [], isMissing: false, error };
  }
}

/* When the next pending money becomes available. */
function nextLine(app, rows) {
  const times = rows
    .filter((row) => row.state === 'pending' && row.available_at)
    .map((row) => Date.parse(row.available_at));
  return times.length === 0 ? null : app.t('earnings.next', { when: formats(app).day(Math.min(...times)) });
}

function list(app, { earnings, recent_tasks: tasks }) {
  const { t } = app,
    f = formats(app),
    titles = new Map(tasks.map((task) => [task.task_id, task.title]));
  const kinds = { pending: 'warn', settling: 'warn', available: 'good', frozen: 'bad', returned: '' };
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'earned-title' },
    h('h2', { id: 'earned-title' }, t('earnings.list')),
    earnings.length === 0
      ? empty(t('earnings.none'), t('earnings.none_text'))
      : h(
          'ul',
          { class: 'list' },
          earnings.map((row) => {
            const { key, at } = earningState(row, Date.now());
            return h(
              'li',
              { class: 'money-row' },
              h(
                'div',
                {},
                h('a', { href: `#/mine/${row.task_id}` }, titles.get(row.task_id) ?? t('earnings.task')),
                h('p', { class: 'soft small' }, t(`earning.${key}_text`, { when: at === null ? '' : f.time(at) })),
              ),
              h(
                'div',
                { class: 'money-side' },
                h('strong', {}, money(row.amount_usd)),
                badge(key, t(`earning.${key}`), kinds[key]),
              ),
            );
          }),
        ),
  );
}

function history(app, { data, isMissing, error }) {
  const { t } = app,
    f = formats(app);
  if (isMissing) return null;
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'paid-title' },
    h('h2', { id: 'paid-title' }, t('payout.history')),
    error
      ? errorState(error, () => app.refresh())
      : data.length === 0
        ? h('p', { class: 'soft' }, t('payout.none'))
        : h(
            'ul',
            { class: 'list' },
            data.map((payout) =>
              h(
                'li',
                { class: 'money-row' },
                h(
                  'div',
                  {},
                  h('a', { href: `#/payouts/${payout.payout_id}` }, t('payout.of', { when: f.day(payout.created_at) })),
                  h('p', { class: 'soft small' }, t('payout.net', { amount: money(payout.net_amount_usd) })),
                ),
                h(
                  'div',
                  { class: 'money-side' },
                  h('strong', {}, money(payout.amount_usd)),
                  badge(payoutStatus(payout), t(`payout.${payoutStatus(payout)}`)),
                ),
              ),
            ),
          ),
  );
}
