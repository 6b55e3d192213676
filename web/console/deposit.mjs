/*
 * Adding money: USDC on Base in steps (bind the wallet by a signature, send, confirm), by an injected wallet or by hand, and by
 * card or bank transfer.  The page holds no key; what moves is decided by the wallet's owner and counted from the chain.
 */
import { part } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { money, parseMoney, shorten } from '../shared/format.mjs';
import { heading } from '../shared/shell.mjs';
import { facts } from '../shared/table.mjs';
import { card, copyable } from '../shared/taskview.mjs';
import { announce, badge, busy, confirm, copyButton, empty, field, showFaults, toast } from '../shared/widgets.mjs';
import { isAddress, isHash, unitsOf } from './rules.mjs';
import { Wallet, findWallets } from './wallet.mjs';

const CONFIRM_EVERY_MS = 5000, CONFIRM_TRIES = 60;

/* What these answers mean here: this installation has no chain. */
const NO_CHAIN = ['not_found', 'chain_unavailable'];
const orNull = (promise) => promise.catch((error) => { if (NO_CHAIN.includes(error.code)) return null; throw error; });
const pause = () => new Promise((done) => { setTimeout(done, CONFIRM_EVERY_MS); });

/* A button whose work may fail; the fault is told beside it. */
function act(label, kind, work) {
  const fault = h('p', { class: 'bad-text small', role: 'alert', hidden: true });
  const button = h('button', { type: 'button', class: ['button', kind], onclick: () => busy(button, async () => {
    fault.hidden = true;
    try {
      await work();
    } catch (error) {
      fault.textContent = [error.message, ...Object.entries(error.fields ?? {}).map(([name, sentence]) => `${name} ${sentence}`)].join(' ');
      fault.hidden = false;
    }
  }) }, label);
  return h('div', { class: 'stack tight' }, h('div', {}, button), fault);
}

/* Step 1: which wallet the money will come from. */
function bindStep(api, info, bound) {
  const node = h('div', { class: 'stack' });
  const bind = async (address, nonce, signature) => {
    const { wallet_address: now } = await api.put('/agents/wallet', { wallet_address: address, nonce, signature, chain: 'base' });
    announce('The wallet is bound.');
    bound(now);
  };
  const withWallet = ({ name, provider }) => act(`Sign with ${name}`, 'main', async () => {
    const wallet = new Wallet(provider), account = await wallet.connect();
    const { message, nonce } = await api.post('/agents/wallet/challenge', {});
    await bind(account, nonce, await wallet.sign(message, account));
  });

  /* Without an injected wallet: the text is signed elsewhere and its signature brought back. */
  async function byHand() {
    const { message, nonce } = await api.post('/agents/wallet/challenge', {});
    const address = h('input', { name: 'wallet_address', autocomplete: 'off', spellcheck: 'false', class: 'code', placeholder: '0x…' }), signature = h('textarea', { name: 'signature', rows: 3, spellcheck: 'false', class: 'code', placeholder: '0x…' });
    replace(node, h('p', {}, 'Sign this text with your wallet (personal_sign). It works for ten minutes and once.'),
      h('pre', { tabindex: '0', 'aria-label': 'Text to sign' }, h('code', {}, message)), h('div', {}, copyButton(message, { label: 'Copy the text' })), field('Wallet address', address), field('Signature', signature),
      act('Bind this wallet', 'main', () => bind(address.value.trim(), nonce, signature.value.trim())));
  }

  const wallets = findWallets();
  replace(node, h('p', {}, 'You sign a short text with the wallet that you will pay from. This proves that it is yours, so that nobody else can claim your transfer.'),
    wallets.map(withWallet), wallets.length === 0 && h('p', { class: 'soft' }, 'No wallet is installed in this browser.'), act('Sign by hand', wallets.length > 0 ? 'bare' : '', byHand));
  return node;
}

/* Step 2: sending it; sent(hash, amount). */
function sendStep(info, wallet, sent) {
  const amount = h('input', { name: 'amount', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const dollars = () => {
    const usd = parseMoney(amount.value);
    if (usd === null || usd < info.min_deposit || usd > info.max_deposit) throw new Error(`An amount from ${money(info.min_deposit)} to ${money(info.max_deposit)}.`);
    return usd;
  };
  /* In test mode there is no address: what is confirmed is believed. */
  if (!isAddress(info.address)) return h('p', { class: 'soft' }, info.message ?? 'There is no address to send to.');
  return h('div', { class: 'stack' }, facts([['To', copyable(info.address)], ['Token', h('span', {}, `${info.currency} `, copyable(info.contract_address))], ['Chain', `Base (${info.chain_id})`], ['From', copyable(wallet)]]),
    field('Amount in dollars', amount, { hint: `${money(info.min_deposit)} to ${money(info.max_deposit)}` }),
    findWallets().map(({ name, provider }) => act(`Send with ${name}`, 'main', async () => {
      const usd = dollars(), own = new Wallet(provider), account = await own.connect();
      if (account.toLowerCase() !== wallet.toLowerCase()) throw new Error(`The wallet's account is ${shorten(account)}, but ${shorten(wallet)} is bound. Choose that account in the wallet.`);
      await own.useChain(info.chain_id);
      sent(await own.transfer({ from: account, token: info.contract_address, to: info.address, units: unitsOf(usd.toFixed(2)) }), usd);
    })),
    h('p', { class: 'notice warn small' }, `Send ${info.currency} on Base only, and only from the bound wallet. Anything else cannot be credited.`));
}

/* Step 3: the hash is handed in until the chain has confirmed it. */
function confirmStep(api, signal, credited) {
  const hash = h('input', { name: 'tx_hash', autocomplete: 'off', spellcheck: 'false', class: 'code', placeholder: '0x…' }), amount = h('input', { name: 'amount_usdc', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const out = h('div', { role: 'status' });
  const form = h('form', { class: 'stack', novalidate: true, onsubmit: (event) => event.preventDefault() }, field('Transaction hash', hash), field('Amount in dollars', amount), act('Confirm the deposit', 'main', handIn), out);

  async function handIn() {
    const usd = parseMoney(amount.value);
    const fields = { ...(isHash(hash.value.trim()) ? {} : { tx_hash: '0x and 64 hexadecimal digits.' }), ...(usd === null ? { amount_usdc: 'An amount in dollars.' } : {}) };
    showFaults(form, { fields });
    if (Object.keys(fields).length > 0) return;
    for (let tries = 0; tries < CONFIRM_TRIES && !signal.aborted; tries++) {
      const answer = await ask(hash.value.trim(), usd);
      replace(out, h('div', { class: ['notice', answer.status === 'confirmed' && 'good'] }, h('p', {}, badge(answer.status), ` ${answer.message}`),
        typeof answer.confirmations === 'number' && h('p', {}, `${answer.confirmations} of ${answer.confirmations_required} confirmations`)));
      if (answer.status !== 'pending') {
        if (answer.status === 'confirmed') credited();
        return;
      }
      await pause();
    }
  }

  /* Just sent, a transaction is unknown until the next block has it. */
  async function ask(tx_hash, amount_usdc) {
    try {
      return await api.post('/agents/deposit/usdc', { tx_hash, amount_usdc, chain: 'base' }, { signal });
    } catch (error) {
      if (error.code !== 'transaction_not_found') throw error;
      return { status: 'pending', message: 'The chain does not show this transaction yet.' };
    }
  }

  form.take = (text, usd) => { hash.value = text; amount.value = usd.toFixed(2); return handIn(); };
  return form;
}

function usdc(api, info, signal, credited) {
  const steps = h('ol', { class: 'steps' });
  const step = (title, isDone, ...body) => h('li', { class: ['card', isDone && 'done'] }, h('header', {}, h('h3', {}, title)), body);
  const draw = (wallet) => {
    const third = confirmStep(api, signal, credited);
    const isTest = !isAddress(info.address);
    replace(steps,
      wallet ? step('Your wallet', true, h('p', {}, copyable(wallet), ' is bound.')) : step('Bind your wallet', false, bindStep(api, info, draw)),
      wallet ? step(`Send ${info.currency}`, false, sendStep(info, wallet, (hash, usd) => third.take(hash, usd).catch((error) => toast(error.message, { kind: 'bad' })))) : step(`Send ${info.currency}`, false, h('p', { class: 'soft' }, 'First bind the wallet that you will pay from.')),
      wallet || isTest ? step('Confirm', false, third) : step('Confirm', false, h('p', { class: 'soft' }, `Credited after ${info.confirmations_required} confirmations.`)));
  };
  draw(info.wallet_verified && isAddress(info.wallet_address) ? info.wallet_address : null);
  return steps;
}

/* Back to the bound wallet: what is not set aside. */
function withdrawal(api, signal, moved) {
  const amount = h('input', { name: 'amount_usd', inputmode: 'decimal', autocomplete: 'off', placeholder: '0.00' }), out = h('div', { role: 'status' }), button = h('button', { class: 'button', type: 'submit' }, 'Withdraw');
  let idempotencyKey = crypto.randomUUID();
  const show = (w) => replace(out, h('div', { class: ['notice', w.status === 'COMPLETED' && 'good', w.status === 'FAILED' && 'bad'] }, h('p', {}, badge(w.status), ` ${w.message ?? ''}`),
    facts([['Arrives', `${money(w.net_amount_usd)} after ${money(w.gas_fee_usd)} for gas`], ['To', w.to_address && copyable(w.to_address)], ['Transaction', w.tx_hash && copyable(w.tx_hash)]])));
  const follow = async (w) => {
    for (let tries = 0; tries < CONFIRM_TRIES && w.status === 'PENDING_ONCHAIN' && !signal.aborted; tries++) {
      show(w);
      await pause();
      w = await api.get(`/agents/withdraw/status/${part(w.payout_id)}`, { signal });
    }
    show(w);
    moved();
  };
  const form = h('form', { class: 'stack', novalidate: true, oninput: () => { idempotencyKey = crypto.randomUUID(); }, onsubmit: (event) => {
    event.preventDefault();
    busy(button, async () => {
      const usd = parseMoney(amount.value);
      showFaults(form, { fields: usd === null ? { amount_usd: 'An amount in dollars.' } : {} });
      if (usd === null || !await confirm({ title: `Withdraw ${money(usd)}?`, text: 'It is sent to the bound wallet, less the gas of the transfer.', ok: 'Withdraw' })) return;
      try {
        const made = await api.post('/agents/withdraw', { amount_usd: usd }, { idempotencyKey });
        idempotencyKey = crypto.randomUUID();
        moved();
        follow(made).catch((error) => { if (error.code !== 'aborted') toast(error.message, { kind: 'bad' }); });
      } catch (error) {
        if (showFaults(form, error)) return;
        const most = error.details?.withdrawable_usd;
        replace(out, h('div', { class: 'notice bad', role: 'alert' }, error.message,
          typeof most === 'number' && ` ${money(most)} can be withdrawn now; a deposit counts for this once the chain holds it for final.`));
      }
    });
  } }, field('Amount in dollars', amount, { hint: 'What is not set aside for open tasks goes back to the wallet that is bound.' }), h('div', {}, button), out);
  return form;
}

/* Card or bank transfer. */
function fiat(api, credited) {
  const amount = h('input', { name: 'amount_usd', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const method = h('select', { name: 'payment_method' }, h('option', { value: 'card' }, 'Card'), h('option', { value: 'bank_transfer' }, 'Bank transfer'));
  const out = h('div', { role: 'status' }), button = h('button', { class: 'button main', type: 'submit' }, 'Deposit');
  let idempotencyKey = crypto.randomUUID();
  const form = h('form', { class: 'stack', novalidate: true, oninput: () => { idempotencyKey = crypto.randomUUID(); }, onsubmit: (event) => {
    event.preventDefault();
    busy(button, async () => {
      const usd = parseMoney(amount.value);
      showFaults(form, { fields: usd === null ? { amount_usd: 'An amount in dollars.' } : {} });
      if (usd === null) return;
      try {
        const answer = await api.post('/agents/deposit', { amount_usd: usd, payment_method: method.value, return_url: `${location.origin}/console/` }, { idempotencyKey });
        idempotencyKey = crypto.randomUUID();
        replace(out, h('div', { class: ['notice', answer.status === 'completed' && 'good'] }, h('p', {}, badge(answer.status), ` ${answer.message}`),
          answer.redirect_url && h('p', {}, h('a', { href: answer.redirect_url, target: '_blank', rel: 'noopener noreferrer' }, 'Go on to pay'))));
        if (answer.status === 'completed') credited();
      } catch (error) {
        if (!showFaults(form, error)) replace(out, h('div', { class: 'notice bad' }, error.code === 'fiat_unavailable' ? 'Deposits by card or bank transfer are not possible here at present.' : error.message));
      }
    });
  } }, h('div', { class: 'fields' }, field('Amount in dollars', amount, { hint: '$5.00 to $10,000.00' }), field('By', method)), h('div', {}, button), out);
  return form;
}

export async function deposit({ api, signal }) {
  const balance = h('span', { class: 'soft' });
  const showBalance = async () => { balance.textContent = `${money((await api.get('/agents/balance', { signal })).deposit_balance)} in deposit`; };
  const [info] = await Promise.all([orNull(api.get('/agents/deposit-address', { signal })), showBalance()]);
  const credited = () => showBalance().catch(() => {});
  return { title: 'Deposit', body: [heading('Deposit', balance),
    h('h2', {}, 'USDC on Base'), info === null ? h('div', { class: 'card' }, empty('USDC deposits are not available', 'This installation is not connected to a chain.')) : usdc(api, info, signal, credited),
    card('Card or bank transfer', fiat(api, credited)), info !== null && card('Withdraw unused money', withdrawal(api, signal, credited))] };
}
