/* Unused money back to the wallet that is bound. */
import { part } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { money, parseMoney } from '../shared/format.mjs';
import { facts } from '../shared/table.mjs';
import { copyable } from '../shared/taskview.mjs';
import { badge, busy, confirm, field, showFaults, toast } from '../shared/widgets.mjs';
import { CONFIRM_TRIES, pause } from './onchain.mjs';

/* A form for what is not set aside; moved() is called when the balance has changed. */
export function withdrawal(api, signal, moved) {
  const amount = h('input', { name: 'amount_usd', inputmode: 'decimal', autocomplete: 'off', placeholder: '0.00' }),
    out = h('div', { role: 'status' }),
    button = h('button', { class: 'button', type: 'submit' }, 'Withdraw');
  let idempotencyKey = crypto.randomUUID();
  const show = (w) =>
    replace(
      out,
      h(
        'div',
        { class: ['notice', w.status === 'COMPLETED' && 'good', w.status === 'FAILED' && 'bad'] },
        h('p', {}, badge(w.status), ` ${w.message ?? ''}`),
        facts([
          ['Arrives', `${money(w.net_amount_usd)} after ${money(w.gas_fee_usd)} for gas`],
          ['To', w.to_address && copyable(w.to_address)],
          ['Transaction', w.tx_hash && copyable(w.tx_hash)],
        ]),
      ),
    );
  const follow = async (w) => {
    for (let tries = 0; tries < CONFIRM_TRIES && w.status === 'PENDING_ONCHAIN' && !signal.aborted; tries++) {
      show(w);
      await pause();
      w = await api.get(`/agents/withdraw/status/${part(w.payout_id)}`, { signal });
    }
    show(w);
    moved();
  };
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
          if (
            usd === null ||
            !(await confirm({
              title: `Withdraw ${money(usd)}?`,
              text: 'It is sent to the bound wallet, less the gas of the transfer.',
              ok: 'Withdraw',
            }))
          )
            return;
          try {
            const made = await api.post('/agents/withdraw', { amount_usd: usd }, { idempotencyKey });
            idempotencyKey = crypto.randomUUID();
            moved();
            follow(made).catch((error) => {
              if (error.code !== 'aborted') toast(error.message, { kind: 'bad' });
            });
          } catch (error) {
            if (showFaults(form, error)) return;
            const most = error.details?.withdrawable_usd;
            replace(
              out,
              h(
                'div',
                { class: 'notice bad', role: 'alert' },
                error.message,
                typeof most === 'number' &&
                  ` ${money(most)} can be withdrawn now; a deposit counts for this once the chain holds it for final.`,
              ),
            );
          }
        });
      },
    },
    field('Amount in dollars', amount, {
      hint: 'What is not set aside for open tasks goes back to the wallet that is bound.',
    }),
    h('div', {}, button),
    out,
  );
  return form;
}
