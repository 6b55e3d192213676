/*
 * USDC on Base in steps: bind the wallet by a signature, send, confirm; by an injected wallet or by hand.  The page
 * holds no key; what moves is decided by the wallet's owner and counted from the chain.
 */
import { h, replace } from '../shared/dom.mjs';
import { money, parseMoney, shorten } from '../shared/format.mjs';
import { facts } from '../shared/table.mjs';
import { copyable } from '../shared/taskview.mjs';
import { announce, badge, busy, copyButton, field, showFaults, toast } from '../shared/widgets.mjs';
import { isAddress, isHash, unitsOf } from './rules.mjs';
import { Wallet, findWallets } from './wallet.mjs';

/* How often, and for how many times, the chain is asked again. */
export const CONFIRM_TRIES = 60;
const CONFIRM_EVERY_MS = 5000;
export const pause = () =>
  new Promise((done) => {
    setTimeout(done, CONFIRM_EVERY_MS);
  });

/* A button whose work may fail; the fault is told beside it. */
function act(label, kind, work) {
  const fault = h('p', { class: 'bad-text small', role: 'alert', hidden: true });
  const button = h(
    'button',
    {
      type: 'button',
      class: ['button', kind],
      onclick: () =>
        busy(button, async () => {
          fault.hidden = true;
          try {
            await work();
          } catch (error) {
            fault.textContent = [
              error.message,
              ...Object.entries(error.fields ?? {}).map(([name, sentence]) => `${name} ${sentence}`),
            ].join(' ');
            fault.hidden = false;
          }
        }),
    },
    label,
  );
  return h('div', { class: 'stack tight' }, h('div', {}, button), fault);
}

/* Step 1: which wallet the money will come from. */
function bindStep(api, info, bound) {
  const node = h('div', { class: 'stack' });
  const bind = async (address, nonce, signature) => {
    const { wallet_address: now } = await api.put('/agents/wallet', {
      wallet_address: address,
      nonce,
      signature,
      chain: 'base',
    });
    announce('The wallet is bound.');
    bound(now);
  };
  const withWallet = ({ name, provider }) =>
    act(`Sign with ${name}`, 'main', async () => {
      const wallet = new Wallet(provider),
        account = await wallet.connect();
      const { message, nonce } = await api.post('/agents/wallet/challenge', {});
      await bind(account, nonce, await wallet.sign(message, account));
    });

  /* Without an injected wallet: the text is signed elsewhere and its signature brought back. */
  async function byHand() {
    const { message, nonce } = await api.post('/agents/wallet/challenge', {});
    const address = h('input', {
        name: 'wallet_address',
        autocomplete: 'off',
        spellcheck: 'false',
        class: 'code',
        placeholder: '0x…',
      }),
      signature = h('textarea', {
        name: 'signature',
        rows: 3,
        spellcheck: 'false',
        class: 'code',
        placeholder: '0x…',
      });
    replace(
      node,
      h('p', {}, 'Sign this text with your wallet (personal_sign). It works for ten minutes and once.'),
      h('pre', { tabindex: '0', 'aria-label': 'Text to sign' }, h('code', {}, message)),
      h('div', {}, copyButton(message, { label: 'Copy the text' })),
      field('Wallet address', address),
      field('Signature', signature),
      act('Bind this wallet', 'main', () => bind(address.value.trim(), nonce, signature.value.trim())),
    );
  }

  const wallets = findWallets();
  replace(
    node,
    h(
      'p',
      {},
      'You sign a short text with the wallet that you will pay from. This proves that it is yours, so that nobody else can claim your transfer.',
    ),
    wallets.map(withWallet),
    wallets.length === 0 && h('p', { class: 'soft' }, 'No wallet is installed in this browser.'),
    act('Sign by hand', wallets.length > 0 ? 'bare' : '', byHand),
  );
  return node;
}

/* Step 2: sending it; sent(hash, amount). */
function sendStep(info, wallet, sent) {
  const amount = h('input', { name: 'amount', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const dollars = () => {
    const usd = parseMoney(amount.value);
    if (usd === null || usd < info.min_deposit || usd > info.max_deposit)
      throw new Error(`An amount from ${money(info.min_deposit)} to ${money(info.max_deposit)}.`);
    return usd;
  };
  /* In test mode there is no address: what is confirmed is believed. */
  if (!isAddress(info.address)) return h('p', { class: 'soft' }, info.message ?? 'There is no address to send to.');
  return h(
    'div',
    { class: 'stack' },
    facts([
      ['To', copyable(info.address)],
      ['Token', h('span', {}, `${info.currency} `, copyable(info.contract_address))],
      ['Chain', `Base (${info.chain_id})`],
      ['From', copyable(wallet)],
    ]),
    field('Amount in dollars', amount, { hint: `${money(info.min_deposit)} to ${money(info.max_deposit)}` }),
    findWallets().map(({ name, provider }) =>
      act(`Send with ${name}`, 'main', async () => {
        const usd = dollars(),
          own = new Wallet(provider),
          account = await own.connect();
        if (account.toLowerCase() !== wallet.toLowerCase())
          throw new Error(
            `The wallet's account is ${shorten(account)}, but ${shorten(wallet)} is bound. Choose that account in the wallet.`,
          );
        await own.useChain(info.chain_id);
        sent(
          await own.transfer({
            from: account,
            token: info.contract_address,
            to: info.address,
            units: unitsOf(usd.toFixed(2)),
          }),
          usd,
        );
      }),
    ),
    h(
      'p',
      { class: 'notice warn small' },
      `Send ${info.currency} on Base only, and only from the bound wallet. Anything else cannot be credited.`,
    ),
  );
}

/* Step 3: the hash is handed in until the chain has confirmed it. */
function confirmStep(api, signal, credited) {
  const hash = h('input', {
      name: 'tx_hash',
      autocomplete: 'off',
      spellcheck: 'false',
      class: 'code',
      placeholder: '0x…',
    }),
    amount = h('input', { name: 'amount_usdc', inputmode: 'decimal', autocomplete: 'off', value: '100.00' });
  const out = h('div', { role: 'status' });
  const form = h(
    'form',
    { class: 'stack', novalidate: true, onsubmit: (event) => event.preventDefault() },
    field('Transaction hash', hash),
    field('Amount in dollars', amount),
    act('Confirm the deposit', 'main', handIn),
    out,
  );

  async function handIn() {
    const usd = parseMoney(amount.value);
    const fields = {
      ...(isHash(hash.value.trim()) ? {} : { tx_hash: '0x and 64 hexadecimal digits.' }),
      ...(usd === null ? { amount_usdc: 'An amount in dollars.' } : {}),
    };
    showFaults(form, { fields });
    if (Object.keys(fields).length > 0) return;
    for (let tries = 0; tries < CONFIRM_TRIES && !signal.aborted; tries++) {
      const answer = await ask(hash.value.trim(), usd);
      replace(
        out,
        h(
          'div',
          { class: ['notice', answer.status === 'confirmed' && 'good'] },
          h('p', {}, badge(answer.status), ` ${answer.message}`),
          typeof answer.confirmations === 'number' &&
            h('p', {}, `${answer.confirmations} of ${answer.confirmations_required} confirmations`),
        ),
      );
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

  form.take = (text, usd) => {
    hash.value = text;
    amount.value = usd.toFixed(2);
    return handIn();
  };
  return form;
}

/* The three steps; credited() is called once the money has come. */
export function usdc(api, info, signal, credited) {
  const steps = h('ol', { class: 'steps' });
  const step = (title, isDone, ...body) =>
    h('li', { class: ['card', isDone && 'done'] }, h('header', {}, h('h3', {}, title)), body);
  const draw = (wallet) => {
    const third = confirmStep(api, signal, credited);
    const isTest = !isAddress(info.address);
    replace(
      steps,
      wallet
        ? step('Your wallet', true, h('p', {}, copyable(wallet), ' is bound.'))
        : step('Bind your wallet', false, bindStep(api, info, draw)),
      wallet
        ? step(
            `Send ${info.currency}`,
            false,
            sendStep(info, wallet, (hash, usd) =>
              third.take(hash, usd).catch((error) => toast(error.message, { kind: 'bad' })),
            ),
          )
        : step(
            `Send ${info.currency}`,
            false,
            h('p', { class: 'soft' }, 'First bind the wallet that you will pay from.'),
          ),
      wallet || isTest
        ? step('Confirm', false, third)
        : step(
            'Confirm',
            false,
            h('p', { class: 'soft' }, `Credited after ${info.confirmations_required} confirmations.`),
          ),
    );
  };
  draw(info.wallet_verified && isAddress(info.wallet_address) ? info.wallet_address : null);
  return steps;
}
