/*
 * Money over a chain, by a browser's wallet: the agents' console binds it, sends USDC, sees it confirmed and
 * withdraws; staff sees payouts and reserves.  The wallet is a provider in the page whose answers are made here, on a
 * real (if local) chain.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wallet } from '../chain/anvil.mjs';
import { CONFIRMATIONS, world } from '../chain/world.mjs';
import { browser } from './browser.mjs';

const w = await world(),
  { s, chain, deposit } = w,
  b = await browser(s);

/* The wallet's side: it signs and sends for one account, and begins on another chain. */
async function injectWallet(page, chain, owner, asked) {
  let chainId = '0x1';
  await chain.rpc('anvil_impersonateAccount', owner.address);
  await page.exposeFunction('__wallet', async (method, params) => {
    asked.push(method);
    if (method === 'eth_requestAccounts') return [owner.lower];
    if (method === 'eth_chainId') return chainId;
    if (method === 'wallet_switchEthereumChain') return void (chainId = params[0].chainId);
    if (method === 'personal_sign') return owner.sign(Buffer.from(params[0].slice(2), 'hex').toString('utf8'));
    if (method === 'eth_sendTransaction') return chain.rpc('eth_sendTransaction', { ...params[0], gas: '0x493e0' });
    throw new Error(`a wallet knows nothing of ${method}`);
  });
  await page.addInitScript(() => {
    globalThis.ethereum = { request: ({ method, params }) => globalThis.__wallet(method, params ?? []) };
  });
}

async function enter(b, s, key) {
  const page = await b.page();
  return {
    page,
    go: async () => {
      await page.goto(`${s.base}/console/#/deposit`);
      await page.getByLabel('API key').fill(key);
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'USDC on Base' }).waitFor();
    },
  };
}

test('an agent binds a wallet, deposits and withdraws by the browser’s wallet', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' }),
    owner = await chain.wallet(500),
    asked = [];
  await chain.mine();
  const { page, go } = await enter(b, s, agent.key);
  await injectWallet(page, chain, owner, asked);
  await go();
  await b.screens(page, 'console-deposit-bind');
  await page.getByRole('button', { name: 'Sign by hand' }).click();
  await page.getByLabel('Text to sign').waitFor();
  await b.screens(page, 'console-deposit-by-hand');
  await page.getByLabel('Wallet address').fill(owner.address);
  await page.getByLabel('Signature').fill(`0x${'00'.repeat(65)}`);
  await page.getByRole('button', { name: 'Bind this wallet' }).click();
  await page.locator('.bad-text:visible').waitFor();
  await page.evaluate(() => {
    location.hash = '#/keys';
  });
  await page.getByRole('heading', { name: 'API keys' }).waitFor();
  await page.evaluate(() => {
    location.hash = '#/deposit';
  });
  await page.getByRole('button', { name: 'Sign with Browser wallet' }).click();
  await page.locator('.steps .done').waitFor();
  const { wallet_address: bound } = (await s.call('GET', '/agents/wallet', { key: agent.key })).json;
  assert.equal(bound, owner.address);
  await b.screens(page, 'console-deposit-send');
  await page.locator('[name="amount"]').fill('3');
  await page.getByRole('button', { name: 'Send with Browser wallet' }).click();
  await page.getByText('An amount from $5.00 to $10,000.00.').waitFor();
  await page.locator('[name="amount"]').fill('137.65');
  await page.getByRole('button', { name: 'Send with Browser wallet' }).click();
  await page.getByText('The chain does not show this transaction yet.').waitFor();
  await chain.mine();
  await page.getByText(`of ${CONFIRMATIONS} confirmations`).waitFor();
  await b.screens(page, 'console-deposit-pending');
  await chain.mine(CONFIRMATIONS);
  await page.getByText('$137.65 in deposit').waitFor({ timeout: 15_000 });
  assert.equal(await chain.balance(deposit.address), 137_650_000n);
  assert.deepEqual(asked, [
    'eth_requestAccounts',
    'personal_sign',
    'eth_requestAccounts',
    'eth_chainId',
    'wallet_switchEthereumChain',
    'eth_chainId',
    'eth_sendTransaction',
  ]);

  const withdraw = async () => {
    await page.getByRole('button', { name: 'Withdraw', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Withdraw' }).click();
  };
  await w.provide(100);
  await page.getByLabel('Amount in dollars').last().fill('50');
  await withdraw();
  await page.getByText('$0.00 can be withdrawn now').waitFor();
  await chain.mine(70);
  await w.soon(async () =>
    (await w.rows('usdc_deposits', `agent_id = '${agent.uuid}'`)).every((row) => row.is_final),
  );
  await withdraw();
  await page.getByText('after $').waitFor();
  await w.hasten(async () => (await page.locator('.badge[data-status="COMPLETED"]').count()) > 0);
  assert.ok((await chain.balance(owner.address)) > 0n);
  await b.screens(page, 'console-withdrawn');
  await page.context().close();
});

test('staff sees payouts and reserves, and what stands still goes on again', async () => {
  const agent = await w.agent();
  await w.fund(agent, 100);
  const op = await w.operator(agent, 50);
  await w.paid(op, 20, agent.wallet.address);
  const page = await b.page();
  await page.goto(`${s.base}/staff/#/payouts?status=all`);
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.keyboard.press('Enter');
  await page.locator('[data-payout]').first().waitFor();
  await b.screens(page, 'staff-payouts-all');
  await page.evaluate(() => {
    location.hash = '#/ledger';
  });
  await page.getByRole('heading', { name: 'Reserves on the chain' }).waitFor();
  await b.screens(page, 'staff-reserves');
  await page.context().close();
});

/* Staff's page, signed in. */
async function staff(where) {
  const page = await b.page();
  await page.goto(`${s.base}/staff/#${where}`);
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.keyboard.press('Enter');
  return page;
}

/* The dialog that is open: its reason given, its button pressed. */
async function giveReason(page, reason, ok) {
  await page.getByRole('dialog').locator('[name="reason"]').fill(reason);
  await page.getByRole('dialog').getByRole('button', { name: ok }).click();
}

test('staff tries a payout again, ends one that cannot leave, and lets payouts go on; each with its reason', async () => {
  const agent = await w.agent();
  await w.fund(agent, 100);
  const op = await w.operator(agent, 50);
  await chain.send(agent.wallet, 'usdc', 'setPaused', true);
  await chain.mine();
  const made = await w.paid(op, 20, wallet().address),
    page = await staff('/payouts?status=open'),
    card = page.locator(`[data-payout="${made.payout_id}"]`);
  await card.getByText('the chain would refuse the transfer').waitFor();
  await card.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Try again' }).click();
  await page.getByText('It is being tried again.').first().waitFor();
  await card.getByRole('button', { name: 'Fail…' }).click();
  await giveReason(page, 'The token is stopped', 'Fail it');
  await s.until(async () => (await w.status(op, made.payout_id)).status === 'FAILED');
  assert.equal((await w.accounts(op)).in_flight, undefined, 'the money is back');

  const [{ bucket, chain_id: id }] = await s.sql('select bucket, chain_id from chain_states');
  await s.sql(`do $$ begin perform chain_frozen(${bucket}, ${id}, true, 'the books differ', now()); end $$`);
  await page.evaluate(() => {
    location.hash = '#/ledger';
  });
  await page.getByText('Payouts stand still.').waitFor();
  await page.getByRole('button', { name: 'Let payouts go on…' }).click();
  await giveReason(page, 'Looked into it', 'Go on');
  await s.until(async () => !(await s.sql('select is_frozen from chain_states'))[0].is_frozen);
  const acts = (await w.staff('GET', '/log?limit=20')).json.data;
  assert.deepEqual(
    acts.map((act) => act.data?.reason).filter(Boolean).slice(0, 2),
    ['Looked into it', 'The token is stopped'],
  );
  await page.context().close();
});
