/* Adding money: USDC on Base, and card or bank transfer; and taking unused money back. */
import { h, replace } from '../shared/dom.mjs';
import { money, parseMoney } from '../shared/format.mjs';
import { heading } from '../shared/shell.mjs';
import { card } from '../shared/taskview.mjs';
import { badge, busy, empty, field, showFaults } from '../shared/widgets.mjs';
import { usdc } from './onchain.mjs';
import { withdrawal } from './withdraw.mjs';

/* What these answers mean here: this installation has no chain. */
const NO_CHAIN = ['not_found', 'chain_unavailable'];
const orNull = (promise) =>
  promise.catch((error) => {
    if (NO_CHAIN.includes(error.code)) return null;
    throw error;
  });

/* Card or bank transfer. */
function fiat(api, credited) {
  const amount = h('input', { name: 'amount_usd', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const method = h(
    'select',
    { name: 'payment_method' },
    h('option', { value: 'card' }, 'Card'),
    h('option', { value: 'bank_transfer' }, 'Bank transfer'),
  );
  const out = h('div', { role: 'status' }),
    button = h('button', { class: 'button main', type: 'submit' }, 'Deposit');
  let idempotencyKey = crypto.randomUUID();
  const form = h(
    'form',
    {
      class: 'stack',
      novalidate: true,
      oninput: () => {
        idempotencyKey = crypto.randomUUID();
      },
      onsubmit: (event) => {
        event.preventDefault();
        busy(button, async () => {
          const usd = parseMoney(amount.value);
          showFaults(form, { fields: usd === null ? { amount_usd: 'An amount in dollars.' } : {} });
          if (usd === null) return;
          try {
            const answer = await api.post(
              '/agents/deposit',
              { amount_usd: usd, payment_method: method.value, return_url: `${location.origin}/console/` },
              { idempotencyKey },
            );
            idempotencyKey = crypto.randomUUID();
            replace(
              out,
              h(
                'div',
                { class: ['notice', answer.status === 'completed' && 'good'] },
                h('p', {}, badge(answer.status), ` ${answer.message}`),
                answer.redirect_url &&
                  h(
                    'p',
                    {},
                    h(
                      'a',
                      { href: answer.redirect_url, target: '_blank', rel: 'noopener noreferrer' },
                      'Go on to pay',
                    ),
                  ),
              ),
            );
            if (answer.status === 'completed') credited();
          } catch (error) {
            if (!showFaults(form, error))
              replace(
                out,
                h(
                  'div',
                  { class: 'notice bad' },
                  error.code === 'fiat_unavailable'
                    ? 'Deposits by card or bank transfer are not possible here at present.'
                    : error.message,
                ),
              );
          }
        });
      },
    },
    h(
      'div',
      { class: 'fields' },
      field('Amount in dollars', amount, { hint: '$5.00 to $10,000.00' }),
      field('By', method),
    ),
    h('div', {}, button),
    out,
  );
  return form;
}

export async function deposit({ api, signal }) {
  const balance = h('span', { class: 'soft' });
  const showBalance = async () => {
    balance.textContent = `${money((await api.get('/agents/balance', { signal })).deposit_balance)} in deposit`;
  };
  const [info] = await Promise.all([orNull(api.get('/agents/deposit-address', { signal })), showBalance()]);
  const credited = () => showBalance().catch(() => {});
  return {
    title: 'Deposit',
    body: [
      heading('Deposit', balance),
      h('h2', {}, 'USDC on Base'),
      info === null
        ? h(
            'div',
            { class: 'card' },
            empty('USDC deposits are not available', 'This installation is not connected to a chain.'),
          )
        : usdc(api, info, signal, credited),
      card('Card or bank transfer', fiat(api, credited)),
      info !== null && card('Withdraw unused money', withdrawal(api, signal, credited)),
    ],
  };
}
