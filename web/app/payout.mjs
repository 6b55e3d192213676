/*
 * Taking money out: amount and wallet, then fee and net to agree to, then what becomes of it.  The idempotency key is kept until
 * the server has answered, so that a payout whose answer was lost is asked for again and not made again.
 */
import { h } from '../shared/dom.mjs';
import { money, parseMoney, shorten } from '../shared/format.mjs';
import { badge, busy, clearFaults, copyButton, dialog, field, showFaults } from '../shared/widgets.mjs';
import { back, explain, formats, heading } from './parts.mjs';
import { facts } from '../shared/table.mjs';
import { isPayoutOpen, payoutFault, payoutStatus } from './rules.mjs';

const KEPT = 'payout';
const EXPLORERS = { 8453: 'https://basescan.org/tx/' };

export async function show(app, { signal }) {
  const { t, settings } = app,
    earnings = await app.api.get('/operator/earnings', { signal }),
    kept = await app.store.get('keep', KEPT);
  const available = earnings.available_balance,
    { min_usd: min } = settings.payout;
  const amount = h('input', {
    name: 'amount_usd',
    inputmode: 'decimal',
    autocomplete: 'off',
    required: true,
    value: kept?.body.amount_usd ?? '',
    placeholder: '0.00',
  });
  const address = h('input', {
    name: 'wallet_address',
    autocomplete: 'off',
    spellcheck: 'false',
    autocapitalize: 'off',
    required: true,
    maxlength: 42,
    class: 'code',
    value: kept?.body.wallet_address ?? (await app.store.get('keep', 'wallet')) ?? '',
    placeholder: '0x…',
  });
  const fault = h('p', { class: 'notice bad', role: 'alert', hidden: true }),
    button = h('button', { class: 'button main whole', type: 'submit' }, t('payout.check'));
  const say = (text) => {
    fault.textContent = text;
    fault.hidden = false;
  };
  const takeAll = () => {
    amount.value = (Math.floor(available * 100 + 1e-6) / 100).toFixed(2);
  };
  const form = h(
    'form',
    {
      class: 'card stack',
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        clearFaults(form);
        fault.hidden = true;
        const wanted = { amount: parseMoney(amount.value), address: address.value },
          wrong = payoutFault(wanted, { min, available });
        if (wrong) return say(t(`payout.fault_${wrong}`, { min: money(min), available: money(available) }));
        return busy(button, async () => {
          try {
            await ask(app, {
              amount_usd: wanted.amount,
              method: 'usdc',
              wallet_address: wanted.address.trim(),
              chain: settings.payout.chain,
            });
          } catch (error) {
            if (error.status === 404) say(t('payout.unavailable'));
            else if (!showFaults(form, error)) say(explain(app, error));
          }
        });
      },
    },
    h('p', {}, t('payout.you_have', { amount: money(available) })),
    field(t('payout.amount'), amount, { hint: t('payout.amount_hint', { min: money(min) }) }),
    h('div', {}, h('button', { class: 'button little', type: 'button', onclick: takeAll }, t('payout.all'))),
    field(t('payout.address'), address, { hint: t('payout.address_hint') }),
    fault,
    button,
  );
  return {
    title: t('payout.title'),
    body: [
      back('#/earnings', t('earnings.title')),
      heading(t('payout.title')),
      kept && h('p', { class: 'notice warn' }, t('payout.unanswered', { amount: money(kept.body.amount_usd) })),
      form,
    ],
  };
}

/* Fee and net are shown before anything moves. */
async function ask(app, body) {
  const { t } = app,
    quote = await app.api.get('/operator/payout/quote', { query: { amount_usd: body.amount_usd } });
  const made = await dialog({
    title: t('payout.confirm'),
    ok: t('payout.send', { amount: money(quote.net_amount_usd) }),
    cancel: t('cancel'),
    body: [
      facts([
        [t('payout.amount'), money(quote.amount_usd)],
        [t('payout.fee'), `− ${money(quote.gas_fee_usd)}`],
        [t('payout.you_get'), h('strong', {}, t('payout.usdc', { amount: money(quote.net_amount_usd) }))],
        [t('payout.address'), h('code', {}, body.wallet_address)],
      ]),
      h('p', { class: 'soft small' }, t('payout.final')),
    ],
    onsubmit: () =>
      send(app, body).catch((error) => {
        throw new Error(explain(app, error), { cause: error });
      }),
  });
  if (made) app.go(`#/payouts/${made.payout_id}`);
}

async function send(app, body) {
  const kept = await app.store.get('keep', KEPT),
    isSame = JSON.stringify(kept?.body) === JSON.stringify(body);
  const key = isSame ? kept.key : crypto.randomUUID();
  await app.store.put('keep', { key, body }, KEPT);
  try {
    const made = await app.api.post('/operator/payout', body, { idempotencyKey: key });
    await app.store.delete('keep', KEPT);
    await app.store.put('keep', body.wallet_address, 'wallet');
    return made;
  } catch (error) {
    /* A plain refusal is an answer; anything else leaves it open, and the key stays for the next try. */
    if (error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 401)
      await app.store.delete('keep', KEPT);
    throw error;
  }
}

export async function showOne(app, { params, signal }) {
  const { t } = app,
    f = formats(app),
    payout = await app.api.get(`/operator/payout/status/${encodeURIComponent(params.id)}`, { signal });
  const status = payoutStatus(payout),
    explorer = EXPLORERS[app.settings.payout.chain_id];
  return {
    title: t('payout.one'),
    live: isPayoutOpen(payout),
    body: [
      back('#/earnings', t('earnings.title')),
      heading(t('payout.one'), badge(status, t(`payout.${status}`))),
      h(
        'section',
        { class: 'card stack' },
        h('p', {}, t(status === 'PENDING_ONCHAIN' && !payout.tx_hash ? 'payout.reserved' : `payout.${status}_text`)),
        facts([
          [t('payout.amount'), money(payout.amount_usd)],
          [t('payout.fee_taken'), moneyOr(payout.gas_fee_usd)],
          [t('payout.got'), moneyOr(payout.net_amount_usd)],
          [t('payout.address'), payout.to_address ? h('code', {}, payout.to_address) : null],
          [t('payout.when'), payout.created_at ? f.time(payout.created_at) : null],
          [t('payout.tx'), payout.tx_hash ? transaction(app, payout.tx_hash, explorer) : null],
        ]),
      ),
    ],
  };
}

const moneyOr = (usd) => (usd === undefined ? null : money(usd));

/* The hash, with a way to look at it where there is one. */
function transaction(app, hash, explorer) {
  const short = shorten(hash, 10, 8);
  return h(
    'span',
    { class: 'row' },
    explorer
      ? h('a', { href: explorer + hash, target: '_blank', rel: 'noopener noreferrer' }, short)
      : h('code', {}, short),
    copyButton(hash, { label: app.t('copy') }),
  );
}
