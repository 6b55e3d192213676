/*
 * One story from a wallet to a wallet: bind, deposit, task, payout, withdrawal.  At each step the balances on the chain and in the
 * ledger are what they must be, to the micro-dollar.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMetrics, valueOf } from '../exposition.mjs';
import { HOLD, newOperator, proof } from '../work.mjs';
import { CHAIN_ID } from './anvil.mjs';
import { CONFIRMATIONS, at, micros, sleep, until, wallet, world } from './world.mjs';

const w = await world(), { s, chain, deposit, payer } = w;
const agent = await s.agent({ tier: 'VERIFIED' }), home = wallet();
agent.wallet = await chain.wallet(500);
await chain.mine();
let operator, task, paid, gone, withdrawn = 0n;
const GIVEN = 137_654_321n;
const mine = (count) => chain.mine(count);
const balance = async () => (await s.call('GET', '/agents/balance', { key: agent.key })).json.deposit_balance;

test('the deposit address and its conditions are told, and that no wallet is bound', async () => {
  const told = await s.call('GET', '/agents/deposit-address', { key: agent.key });
  assert.equal(told.status, 200, told.text);
  const { message, ...rest } = told.json;
  assert.match(message, /wallet/);
  assert.deepEqual(rest, { address: deposit.address, chain: 'base', chain_id: 8453, currency: 'USDC', contract_address: at.usdc,
    confirmations_required: CONFIRMATIONS, min_deposit: 5, max_deposit: 10000, wallet_address: null, wallet_verified: false });
  assert.equal((await s.call('GET', '/agents/wallet', { key: agent.key })).json.code, 'wallet_not_found');
});

test('a wallet that signs the challenge is bound, and shown', async () => {
  const asked = await s.call('POST', '/agents/wallet/challenge', { key: agent.key });
  assert.equal(asked.status, 201, asked.text);
  const { nonce, issued_at, message } = asked.json;
  assert.equal(message, ['HumanOps deposit wallet verification', `agent_id: ${agent.id}`, 'chain: base', `nonce: ${nonce}`,
    `issued_at: ${issued_at}`].join('\n'));
  const bound = await w.bind(agent, agent.wallet, { challenge: asked.json });
  assert.equal(bound.status, 200, bound.text);
  assert.deepEqual([bound.json.agent_id, bound.json.wallet_address, bound.json.chain], [agent.id, agent.wallet.address, 'base']);
  const shown = await s.call('GET', '/agents/deposit-address', { key: agent.key });
  assert.deepEqual([shown.json.wallet_address, shown.json.wallet_verified], [agent.wallet.address, true]);
});

test('a transfer is unknown until mined, pending up to 11 confirmations, and credited at 12', async () => {
  const hash = await chain.transfer(agent.wallet, deposit.address, GIVEN);
  const early = await w.claim(agent, hash, 137.65);
  assert.deepEqual([early.status, early.json.code], [404, 'transaction_not_found']);
  for (const confirmations of [1, CONFIRMATIONS - 1]) {
    await chain.confirm(hash, confirmations);
    const pending = await w.claim(agent, hash, 137.65);
    assert.equal(pending.status, 202, pending.text);
    assert.deepEqual([pending.json.status, pending.json.confirmations, pending.json.confirmations_required],
      ['pending', confirmations, CONFIRMATIONS]);
  }
  /* The worker looks as well, and must not be faster. */
  const since = await s.advance(6);
  await w.soon(async () => (await w.rows('usdc_deposits', `tx_hash = '${hash}'`)).some((row) => Date.parse(row.checked_at) > since));
  assert.deepEqual(await w.accounts(agent), {});
  await mine();
  const credited = await w.claim(agent, hash, 137.65);
  assert.equal(credited.status, 200, credited.text);
  assert.deepEqual([credited.json.status, credited.json.amount_credited, credited.json.tx_hash], ['confirmed', 137.654321, hash]);
  assert.deepEqual(await w.accounts(agent), { deposit: Number(GIVEN), usdc_custody: -Number(GIVEN) });
  assert.equal(await chain.balance(deposit.address), GIVEN);
  assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).json.tier, 'STANDARD');
  const again = await w.claim(agent, hash.toUpperCase().replace('0X', '0x'), 137.65);
  assert.deepEqual([again.status, again.json.amount_credited, again.json.transaction_id],
    [200, 137.654321, credited.json.transaction_id]);
  assert.equal(await balance(), 137.654321);
});

test('a task is done for it, and its reward can be paid out after the hold', async () => {
  task = await w.task(agent, 40);
  operator = await newOperator(s);
  const call = async (where, body, by = {}) => {
    const answer = await s.call('POST', where, { body, headers: { 'X-Operator-Id': operator.id }, ...by });
    assert.ok(answer.status < 300, answer.text);
  };
  await call(`/operator/tasks/${task}/accept`, { estimate_minutes: 30 });
  await call(`/tasks/${task}/estimate/approve`, undefined, { key: agent.key, headers: {} });
  await call(`/operator/tasks/${task}/start`);
  await call(`/operator/tasks/${task}/submit`, proof);
  if ((await s.call('GET', `/tasks/${task}`, { key: agent.key })).json.status === 'SUBMITTED')
    await s.call('POST', `/tasks/${task}/verify`, { key: agent.key, body: { decision: 'APPROVE' } });
  await until(async () => (await s.call('GET', `/tasks/${task}`, { key: agent.key })).json.status === 'COMPLETED');
  assert.equal((await w.accounts(operator)).pending, 40_000_000);
  const early = await w.payout(operator, 40, home.address);
  assert.deepEqual([early.status, early.json.code, early.json.details.available_usd], [402, 'payout_balance', 0]);
  await s.advance(HOLD + 60);
  await s.sweep();
  assert.equal((await w.accounts(operator)).available, 40_000_000);
  assert.equal(await balance(), 93.654321);
});

test('a payout leaves once, exactly, less the fee that was told, and is over at 12 confirmations', async () => {
  await w.provide(100);
  const quote = await w.soon(async () => {
    const asked = await s.call('GET', '/operator/payout/quote?amount_usd=40', { headers: { 'X-Operator-Id': operator.id } });
    return asked.status === 200 && asked.json;
  });
  paid = await w.paid(operator, 40, home.address);
  const fee = micros(paid.gas_fee_usd), net = micros(40) - fee;
  assert.ok(fee >= 10_000n && fee <= 2_000_000n && fee % 10_000n === 0n, `the fee is ${fee}`);
  assert.deepEqual([quote.gas_fee_usd, quote.net_amount_usd], [paid.gas_fee_usd, paid.net_amount_usd]);
  assert.deepEqual([paid.amount_usd, paid.net_amount_usd, paid.to_address, paid.chain, paid.status],
    [40, Number(net) / 1e6, home.address, 'base', 'PENDING_ONCHAIN']);
  assert.match(paid.tx_hash, /^0x[0-9a-f]{64}$/);
  assert.deepEqual(await w.accounts(operator), { in_flight: 40_000_000 });
  await until(() => chain.transaction(paid.tx_hash));
  await chain.confirm(paid.tx_hash, CONFIRMATIONS - 1);
  assert.equal(await chain.balance(home.address), net);
  await s.advance(5);
  await sleep(1500);
  assert.equal((await w.status(operator, paid.payout_id)).status, 'PENDING_ONCHAIN');
  await mine();
  const over = await w.soon(async () => {
    const now = await w.status(operator, paid.payout_id);
    return now.status === 'COMPLETED' && now;
  });
  assert.deepEqual([over.amount_usd, over.tx_hash], [40, paid.tx_hash]);
  assert.deepEqual(await w.accounts(operator), { usdc_custody: Number(net), gas: Number(fee) });
  assert.equal(await chain.balance(payer.address), micros(100) - net);
  assert.deepEqual((await chain.transfers((t) => t.to === home.lower)).map((t) => [t.value, t.hash]), [[net, paid.tx_hash]]);
});

test('an agent takes unused deposit back, to its bound wallet and once the deposit is final', async () => {
  const elsewhere = await w.withdraw(agent, 50.25, { wallet_address: wallet().address });
  assert.equal(elsewhere.status, 400, elsewhere.text);
  const early = await w.withdraw(agent, 50.25);
  assert.deepEqual([early.status, early.json.code, early.json.details.withdrawable_usd], [402, 'payout_balance', 0]);
  await mine(70);
  await w.soon(async () => (await w.rows('usdc_deposits', `agent_id = '${agent.uuid}'`)).every((row) => row.is_final));
  const had = await chain.balance(agent.wallet.address);
  const key = 'take-it-back', answer = await w.withdraw(agent, 50.25, { wallet_address: agent.wallet.address }, key);
  assert.equal(answer.status, 201, answer.text);
  const again = await w.withdraw(agent, 50.25, { wallet_address: agent.wallet.address }, key);
  assert.deepEqual([again.headers['idempotent-replayed'], again.json.payout_id], ['true', answer.json.payout_id]);
  await w.hasten(async () => (await w.withdrawal(agent, answer.json.payout_id)).status === 'COMPLETED');
  withdrawn = micros(answer.json.net_amount_usd);
  gone = answer.json;
  assert.equal(await chain.balance(agent.wallet.address), had + withdrawn);
  assert.equal(await balance(), 43.404321);
  const more = await w.withdraw(agent, 43.41);
  assert.deepEqual([more.status, more.json.code], [402, 'payout_balance']);
});

test('a deposit that nobody claims is found, and one from a wallet that was replaced is not', async () => {
  const replaced = agent.wallet;
  await chain.transfer(replaced, deposit.address, 20);
  await mine(CONFIRMATIONS);
  await w.soon(async () => await balance() === 63.404321);
  agent.wallet = await chain.wallet(100);
  await mine();
  assert.equal((await w.bind(agent, agent.wallet)).status, 200);
  const stray = await chain.transfer(replaced, deposit.address, 30);
  await chain.transfer(agent.wallet, deposit.address, 7);
  await mine(CONFIRMATIONS);
  await w.soon(async () => await balance() === 70.404321);
  const refused = await w.claim(agent, stray, 30);
  assert.deepEqual([refused.status, refused.json.code], [422, 'transfer_not_found']);
  const found = await w.events(agent, 'deposit.confirmed');
  assert.equal(found.length, 3);
});

test('in the end every micro-dollar is where both the chain and the ledger say', async () => {
  const fees = micros(paid.gas_fee_usd) + micros(gone.gas_fee_usd);
  const custody = GIVEN + micros(27) - micros(paid.net_amount_usd) - withdrawn;
  assert.deepEqual(await w.books(), { deposit: 70_404_321, revenue: 4_000_000, gas: Number(fees), usdc_custody: -Number(custody) });
  assert.equal(await w.surplus(), micros(30), 'the stray transfer is nobody\'s');
  /* Whoever sent it gets it back by hand; then not a micro-dollar is left over. */
  await chain.transfer(deposit, agent.wallet.address, 30);
  await mine(CONFIRMATIONS);
  assert.equal(await w.surplus(), 0n);
  const reserves = await w.newReserves();
  assert.equal(reserves.difference_usd, 0);
  assert.deepEqual([reserves.custody_usd, reserves.in_flight_usd, reserves.liabilities_usd, reserves.is_frozen, reserves.reason],
    [Number(custody) / 1e6, 0, Number(custody) / 1e6, false, null]);
  assert.equal(micros(reserves.deposit_address_usd) + micros(reserves.payout_address_usd), custody);
  await w.sound();
});

test('monitoring is told the same', async () => {
  const { text } = await s.call('GET', '/metrics', { whole: true, headers: { 'X-Forwarded-For': null } });
  const metrics = readMetrics(text), of = (name, labels) => valueOf(metrics, `humanops_${name}`, labels);
  const head = of('chain_head_block', { chain: String(CHAIN_ID) });
  assert.ok(head > CONFIRMATIONS && of('chain_scanned_block') <= head);
  assert.ok(of('chain_scanned_timestamp_seconds') <= of('reserves_timestamp_seconds') + 60);
  assert.deepEqual([of('reserves_difference_usd'), of('payouts_frozen'), of('payouts_open'), of('payouts_open_usd')], [0, 0, 0, 0]);
  assert.deepEqual([of('usdc_deposits_total', { status: 'confirmed' }), of('usdc_deposits_total', { status: 'reversed' })], [3, 0]);
  assert.deepEqual(['requested', 'completed', 'failed'].map((step) => of('payouts_total', { step })), [2, 2, undefined]);
});
