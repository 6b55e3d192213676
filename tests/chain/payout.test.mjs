/*
 * Payouts that meet with trouble: fees that rise, tokens that are stopped, keys used elsewhere, chains that change their mind, nodes
 * that lie, reserves that do not fit.  Whatever happens, the money is either where it was or where it should go, once.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIRMATIONS, at, micros, sleep, until, wallet, world } from './world.mjs';

const PRICE = 2000; /* dollars for an ether, of the setting that stands in for the feed */
const w = await world({ endpoints: 2, settings: [`ETH_USD_ORACLE=${at.priceFeed}`, `ETH_USD_PRICE=${PRICE}`] });
const { s, chain, payer, deposit, proxies } = w;
const AMOUNT = 10, ETHER = 10n ** 18n;
const agent = await w.agent({ holds: 10_000 });
let operator;

const payoutOf = async (to) => (await w.rows('payouts', `to_address = '${to.toLowerCase()}'`))[0];
const triesOf = async (payout) => s.sql(`select * from payout_transactions where payout_id = '${payout.id}' order by attempt`);
const arrivals = (to) => chain.transfers((t) => t.to === to.toLowerCase());
const available = async () => (await w.accounts(operator)).available ?? 0;
const everywhere = (method, fn) => proxies.forEach((p) => p.rule(method, fn));
const honest = () => proxies.forEach((p) => p.clear());
const pooled = async (hash) => until(() => chain.transaction(hash));

/* Sees a payout through: one transfer of the exact amount, and everybody says so. */
async function completes(made) {
  await w.hasten(async () => (await w.status(operator, made.payout_id)).status === 'COMPLETED');
  const moved = await arrivals(made.to_address), payout = await payoutOf(made.to_address);
  assert.deepEqual(moved.map((t) => [t.from, t.value, t.hash]), [[payer.lower, micros(made.net_amount_usd), payout.tx_hash]]);
}

/* It ended without a transfer and the operator has the money back. */
async function failed(made, before) {
  await w.hasten(async () => (await w.status(operator, made.payout_id)).status === 'FAILED');
  assert.deepEqual(await arrivals(made.to_address), []);
  assert.equal(await available(), before);
}

/* The worker has a new word on it. */
async function becomes(to, fn) {
  return w.soon(async () => {
    const payout = await payoutOf(to);
    return payout && fn(payout) && payout;
  });
}

test('somebody has earned enough', async () => {
  await w.fund(agent, 9_999);
  operator = await w.operator(agent, 500);
  await w.provide(2_000);
});

test('the fee follows gas, the price feed and the data fee, in whole cents, and stays between its bounds', async () => {
  /* What the chain tells is always the same: 1.1 gwei for a unit of gas. */
  const fees = { baseFeePerGas: Array(11).fill('0x3b9aca00'), reward: Array(10).fill(['0x5f5e100']) };
  everywhere('eth_feeHistory', () => ({ result: (told) => ({ ...told, ...fees }) }));
  const state = async () => (await w.rows('chain_states', 'true'))[0];
  const set = async (price, dataFee, age = 0) => {
    await chain.send(agent.wallet, 'priceFeed', 'set', { newPrice: BigInt(Math.round(price * 1e8)), newDecimals: 8n,
      time: BigInt(Math.floor(await s.now() / 1000) - age) });
    await chain.send(agent.wallet, 'gasPriceOracle', 'set', dataFee);
    await chain.mine();
    const was = (await state()).quoted_at;
    await s.advance(16);
    await until(async () => (await state()).quoted_at !== was, 20_000);
  };
  const price = async (dataFee, dollars) => {
    const { gas } = (await state()).quote, wei = BigInt(gas) * 1_100_000_000n + dataFee, cents = ETHER / BigInt(dollars * 100);
    const wanted = Number((wei + cents - 1n) / cents) / 100;
    const answer = await s.call('GET', '/operator/payout/quote?amount_usd=10', { headers: { 'X-Operator-Id': operator.id } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal(answer.json.gas_fee_usd, Math.min(2, Math.max(0.01, wanted)), `${wei} wei at $${dollars}`);
    return answer.json.gas_fee_usd;
  };
  const data = ETHER / 10_000n;
  await set(2500, 0n);
  const plain = await price(0n, 2500);
  assert.ok(plain > 0.08 && plain < 0.6, `${plain}`);
  await set(2500, data);
  assert.ok(await price(data, 2500) >= plain + 0.24);
  await set(5000, data);
  await price(data, 5000);
  await set(2500, ETHER);
  assert.equal(await price(ETHER, 2500), 2);
  await set(1, 0n);
  assert.equal(await price(0n, 1), 0.01);
  /* A price of yesterday is none, nor is nonsense: the setting's is taken. */
  for (const [told, age] of [[1_000_000, 25 * 3600], [-2500, 0], [0, 0]]) {
    await set(told, data, age);
    await price(data, PRICE);
  }
  honest();
  await set(2500, 0n);
});

test('the answer has the hash within three seconds, and a repeat of the request is that very answer, then and later', async () => {
  const to = wallet().address, key = 'the-same-request', first = await w.payout(operator, AMOUNT, to, { key });
  assert.equal(first.status, 201, first.text);
  assert.match(first.json.tx_hash, /^0x[0-9a-f]{64}$/);
  const same = async () => {
    const again = await w.payout(operator, AMOUNT, to, { key });
    assert.deepEqual([again.status, again.headers['idempotent-replayed'], again.text], [201, 'true', first.text]);
  };
  await same();
  await completes(first.json);
  await same();
  assert.equal((await w.payout(operator, AMOUNT + 1, to, { key })).status, 409);
});

test('money is not sent where it would be lost', async () => {
  const before = await available(), good = wallet().address;
  const lower = good.toLowerCase(), bad = [...good].map((c, i) => (i === good.search(/[a-f]/) ? c.toUpperCase() : c)).join('');
  const addresses = [at.usdc, at.usdc.toLowerCase(), deposit.address, payer.address, `0x${'0'.repeat(40)}`, `0x${'0'.repeat(39)}1`,
    '0x000000000000000000000000000000000000dEaD', `0x${'f'.repeat(40)}`, bad, lower.slice(2), `${lower}0`, lower.slice(0, -1),
    'humanops.eth', '', null, 5];
  for (const to of addresses) {
    const answer = await w.payout(operator, AMOUNT, to);
    assert.equal(answer.status, 400, `${to}: ${answer.text}`);
    assert.ok('wallet_address' in answer.json.details.fields, answer.text);
  }
  assert.equal(await available(), before);
});

test('with no chain in reach a request is kept, and paid when the chain is back', async () => {
  const to = wallet().address;
  everywhere('*', () => ({ drop: 'before' }));
  const made = await w.paid(operator, AMOUNT, to);
  assert.deepEqual([made.status, made.tx_hash], ['PENDING_ONCHAIN', null]);
  assert.equal((await payoutOf(to)).status, 'reserved');
  honest();
  await completes(made);
});

test('a transaction that offers too little is replaced at the same nonce, and one of the two is mined', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), payout = await becomes(to, (p) => p.tx_hash);
  await pooled(payout.tx_hash);
  const [first] = await triesOf(payout);
  /* Gas is dear from the next block on. */
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', `0x${(BigInt(first.max_fee) * 4n).toString(16)}`);
  await chain.mine();
  assert.equal(await chain.receipt(payout.tx_hash), null);
  await s.advance(61);
  const now = await becomes(to, (p) => p.tx_hash !== payout.tx_hash), tries = await triesOf(payout);
  assert.equal(tries.length, 2);
  assert.equal(tries[1].nonce, tries[0].nonce);
  assert.ok(BigInt(tries[1].max_fee) * 1000n >= BigInt(tries[0].max_fee) * 1125n, 'an eighth more');
  assert.ok(BigInt(tries[1].tip) * 1000n >= BigInt(tries[0].tip) * 1125n, 'an eighth more for the tip');
  await pooled(now.tx_hash);
  await completes(made);
  assert.equal((await payoutOf(to)).tx_hash, tries[1].hash);
  await chain.rpc('anvil_setNextBlockBaseFeePerGas', '0x3b9aca00');
  await chain.mine();
});

test('should the first be mined after all, it is what counts', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to);
  const { tx_hash: hash, ...payout } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  const held = proxies.map((p) => p.hold('eth_sendRawTransaction'));
  await s.advance(301);
  await becomes(to, (p) => p.tx_hash !== hash);
  await Promise.race(held.map((h) => h.reached));
  await chain.mine(CONFIRMATIONS);
  held.forEach((h) => h.release({ drop: true }));
  honest();
  await completes(made);
  assert.equal((await payoutOf(to)).tx_hash, hash);
  assert.equal((await triesOf(payout)).length, 2);
});

test('a transfer that fails on the chain gives the money back, once', async () => {
  const before = await available(), to = wallet().address, made = await w.paid(operator, AMOUNT, to);
  const { tx_hash: hash } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  await chain.send(agent.wallet, 'usdc', 'setPaused', true, { tip: 100n * 10n ** 9n });
  await chain.mine();
  assert.equal((await chain.receipt(hash)).status, '0x0');
  assert.equal((await w.status(operator, made.payout_id)).status, 'PENDING_ONCHAIN');
  await failed(made, before);
  await chain.send(agent.wallet, 'usdc', 'setPaused', false);
  await chain.mine();
});

test('a transfer that the chain would refuse is not sent, and goes when it would not', async () => {
  await chain.send(agent.wallet, 'usdc', 'setPaused', true);
  await chain.mine();
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to);
  const payout = await becomes(to, (p) => p.problem);
  assert.deepEqual([payout.status, payout.nonce], ['reserved', null]);
  await chain.send(agent.wallet, 'usdc', 'setPaused', false);
  await chain.mine();
  await completes(made);
});

test('without ether for gas a payout waits, signed, and staff sees why', async () => {
  await chain.rpc('anvil_setBalance', payer.address, '0x1');
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), payout = await becomes(to, (p) => p.problem);
  assert.match(payout.problem, /insufficient funds|funds/i);
  await s.advance(601);
  assert.equal((await becomes(to, (p) => p.status === 'stuck')).nonce, payout.nonce);
  assert.ok((await w.staff('GET', '/payouts?status=stuck')).text.includes(made.payout_id));
  await chain.rpc('anvil_setBalance', payer.address, `0x${(100n * ETHER).toString(16)}`);
  assert.equal((await w.staff('POST', `/payouts/${made.payout_id}/retry`)).status, 200);
  await completes(made);
});

test('staff ends a payout: at once if nothing is signed, by a transaction in its place if something is', async () => {
  const before = await available();
  await chain.send(agent.wallet, 'usdc', 'setPaused', true);
  await chain.mine();
  const early = await w.paid(operator, AMOUNT, wallet().address);
  await becomes(early.to_address, (p) => p.problem);
  const ended = await w.staff('POST', `/payouts/${early.payout_id}/fail`, { reason: 'asked for by phone' });
  assert.equal(ended.status, 200, ended.text);
  await failed(early, before);
  await chain.send(agent.wallet, 'usdc', 'setPaused', false);
  await chain.mine();
  const late = await w.paid(operator, AMOUNT, wallet().address);
  const { tx_hash: hash, nonce } = await becomes(late.to_address, (p) => p.tx_hash);
  await pooled(hash);
  assert.equal((await w.staff('POST', `/payouts/${late.payout_id}/fail`, { reason: 'asked for by phone' })).status, 200);
  await until(async () => (await triesOf(await payoutOf(late.to_address))).some((t) => t.kind === 'cancel'));
  const cancel = (await triesOf(await payoutOf(late.to_address))).find((t) => t.kind === 'cancel');
  assert.equal(cancel.nonce, nonce);
  await pooled(cancel.hash);
  await failed(late, before);
  assert.equal((await chain.receipt(hash)), null);
});

test('a payout that is mined before staff\'s end of it is paid', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), { tx_hash: hash } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  await chain.mine();
  await w.staff('POST', `/payouts/${made.payout_id}/fail`, { reason: 'asked for by phone' });
  await completes(made);
});

test('a nonce used elsewhere stops the payout for staff, and a theft by it all payouts; staff has it sent with another', async () => {
  const to = wallet().address, thief = wallet();
  everywhere('eth_sendRawTransaction', () => ({ drop: 'before' }));
  const made = await w.paid(operator, AMOUNT, to), payout = await becomes(to, (p) => p.tx_hash);
  /* Somebody has the key, and takes as much as the payout would. */
  await chain.send(payer, 'usdc', 'transfer', { to: thief.address, value: micros(made.net_amount_usd) }, { nonce: payout.nonce });
  await chain.mine(CONFIRMATIONS + 1);
  const stuck = await becomes(to, (p) => p.status === 'stuck');
  assert.match(stuck.problem, /nonce/);
  assert.equal((await w.status(operator, made.payout_id)).status, 'PENDING_ONCHAIN');
  const list = await w.staff('GET', '/payouts?status=stuck');
  assert.ok(list.text.includes(made.payout_id), list.text);
  await w.newReserves();
  const short = await w.newReserves();
  assert.deepEqual([short.difference_usd, short.is_frozen], [-made.net_amount_usd, true]);
  honest();
  await chain.transfer(deposit, payer.address, made.net_amount_usd);
  await chain.send(agent.wallet, 'usdc', 'mint', { to: deposit.address, value: micros(made.net_amount_usd) });
  await chain.mine();
  const again = await w.staff('POST', `/payouts/${made.payout_id}/retry`);
  assert.equal(again.status, 200, again.text);
  await s.advance(61);
  await sleep(2000);
  assert.equal((await payoutOf(to)).nonce, payout.nonce, 'not before it is final');
  await chain.mine(66);
  await s.advance(61);
  await becomes(to, (p) => p.nonce === null);
  await s.advance(11);
  await sleep(2000);
  assert.equal((await payoutOf(to)).status, 'reserved', 'nothing is signed while payouts are frozen');
  assert.equal((await w.newReserves()).difference_usd, 0);
  assert.equal((await w.staff('POST', '/payouts/unfreeze', { reason: 'the money is back' })).status, 200);
  await s.advance(61);
  const next = await becomes(to, (p) => p.nonce !== null);
  assert.ok(next.nonce > payout.nonce);
  await completes(made);
});

test('a payout whose block vanishes is sent again and paid once', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), { tx_hash: hash } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  await chain.confirm(hash, 6);
  await sleep(2500);
  await chain.reorg(6);
  assert.equal(await chain.receipt(hash), null);
  await completes(made);
  assert.equal((await payoutOf(to)).tx_hash, hash, 'the same bytes');
});

test('a payout that was over is sent again should its block vanish after all', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), { tx_hash: hash } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  await chain.confirm(hash, CONFIRMATIONS);
  await w.soon(async () => (await w.status(operator, made.payout_id)).status === 'COMPLETED');
  await chain.mine(8);
  await chain.reorg(CONFIRMATIONS + 8);
  assert.deepEqual(await arrivals(to), []);
  await w.hasten(async () => (await arrivals(to)).length === 1);
  await completes(made);
  assert.equal((await payoutOf(to)).tx_hash, hash, 'the same bytes');
  assert.equal((await w.newReserves()).difference_usd, 0);
});

test('an endpoint that lies about a payout\'s receipt neither ends nor fails it', async () => {
  const to = wallet().address, made = await w.paid(operator, AMOUNT, to), { tx_hash: hash } = await becomes(to, (p) => p.tx_hash);
  await pooled(hash);
  proxies[1].rule('eth_getTransactionReceipt', () => ({ result: (r) => r && { ...r, status: '0x0', logs: [] } }));
  await chain.mine(CONFIRMATIONS + 3);
  await s.advance(10);
  await sleep(2000);
  assert.equal((await w.status(operator, made.payout_id)).status, 'PENDING_ONCHAIN');
  honest();
  await completes(made);
});

test('two workers at once pay each payout once, with one nonce each', async () => {
  const other = w.startWorker(), to = Array.from({ length: 8 }, () => wallet().address);
  await w.paid(operator, AMOUNT, wallet().address).then(completes);
  const all = await Promise.all(to.map((address) => w.paid(operator, AMOUNT, address)));
  for (const made of all)
    await completes(made);
  const nonces = (await Promise.all(to.map(payoutOf))).map((payout) => payout.nonce).sort((a, b) => a - b);
  assert.deepEqual(nonces, nonces.map((_, i) => nonces[0] + i), 'one after the other, none left out');
  await other.kill();
});

test('an agent whose money did not arrive by the chain cannot take it away as USDC', async () => {
  const card = await w.agent({ holds: 1 });
  await s.deposit(card, 500);
  const answer = await w.withdraw(card, 100);
  assert.deepEqual([answer.status, answer.json.code, answer.json.details.withdrawable_usd], [402, 'payout_balance', 0], answer.text);
});

/* Reserves */

test('reserves come out even, and money too many is told and changes nothing', async () => {
  await chain.mine(CONFIRMATIONS);
  assert.equal((await w.newReserves()).difference_usd, 0);
  await chain.transfer(agent.wallet, payer.address, 0.01);
  await chain.mine(CONFIRMATIONS);
  const now = await w.newReserves();
  assert.deepEqual([now.difference_usd, now.is_frozen], [0.01, false]);
});

test('money missing freezes payouts at the second look, staff is told, and staff alone ends it', async () => {
  await chain.transfer(deposit, agent.wallet.address, 0.010001);
  await chain.mine(CONFIRMATIONS);
  const once = await w.newReserves();
  assert.deepEqual([once.difference_usd, once.is_frozen], [-0.000001, false]);
  const twice = await w.newReserves();
  assert.deepEqual([twice.difference_usd, twice.is_frozen], [-0.000001, true]);
  assert.equal(typeof twice.reason, 'string');
  const before = await available(), refused = await w.payout(operator, AMOUNT, wallet().address);
  assert.deepEqual([refused.status, refused.json.code], [503, 'payouts_frozen'], refused.text);
  assert.equal(await available(), before);
  assert.ok((await w.staff('GET', '/log?limit=100')).text.includes('payouts.frozen'));
  await chain.transfer(agent.wallet, deposit.address, 0.000001);
  await chain.mine(CONFIRMATIONS);
  assert.deepEqual([(await w.newReserves()).difference_usd, (await w.reserves()).is_frozen], [0, true]);
  assert.equal((await w.staff('POST', '/payouts/unfreeze', { reason: 'counted' })).status, 200);
  await completes(await w.paid(operator, AMOUNT, wallet().address));
});

test('after all of it the books agree with themselves and with the chain', async () => {
  await w.sound();
  assert.equal(await w.surplus(), 0n);
  assert.equal((await w.accounts(operator)).in_flight, undefined);
});
