/*
 * What the worker does about deposits by itself, nobody asking: finds them, follows them to the end, goes on where it was stopped, and
 * lets neither a single bad transaction nor a node that changes its mind hold it up.  One endpoint, so that its lies are believed at first.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { part } from './anvil.mjs';
import { CONFIRMATIONS, at, micros, until, world } from './world.mjs';

const w = await world(), { s, chain, deposit, proxy } = w, address = deposit.address;
const own = (agent) => w.accounts(agent);
const stored = (agent) => w.rows('usdc_deposits', `agent_id = '${agent.uuid}'`);
const statuses = async (agent) => (await stored(agent)).map((row) => row.status).sort();
const word = (value) => `0x${value.toString(16).padStart(64, '0')}`;
const scanned = async () => (await w.rows('chain_states', 'true'))[0]?.scanned_block;
const errors = (event, text) => Object.values(s.logFiles()).join('\n').split('\n').filter((line) => line.includes(`"event":"${event}"`) && line.includes(text));

/* The worker has searched up to the newest block. */
async function searched() {
  const head = await chain.head();
  await until(async () => await scanned() >= head, 20_000);
}

async function found(agent, status, count = 1) {
  await until(async () => {
    const rows = await statuses(agent);
    return rows.length === count && rows.every((one) => one === status);
  }, 20_000);
}

test('a transfer that nobody names is pending with its first block, credited with its twelfth, and final in the end', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 61.25);
  await chain.mine();
  await found(agent, 'pending');
  await chain.mine(CONFIRMATIONS - 2);
  await searched();
  assert.deepEqual([await own(agent), await statuses(agent)], [{}, ['pending']]);
  await chain.mine();
  await found(agent, 'confirmed');
  assert.deepEqual(await own(agent), { deposit: 61_250_000, usdc_custody: -61_250_000 });
  const [row] = await stored(agent);
  assert.deepEqual([row.tx_hash, row.wallet, row.is_final], [hash, agent.wallet.lower, false]);
  assert.deepEqual([(await w.events(agent, 'deposit.pending')).length, (await w.events(agent, 'deposit.confirmed')).length], [1, 1]);
  const answer = await w.claim(agent, hash, 61.25);
  assert.deepEqual([answer.status, answer.json.amount_credited], [200, 61.25], answer.text);
  await chain.mine(64);
  await until(async () => (await stored(agent))[0].is_final, 20_000);
});

test('only what comes from the wallet that is bound now is found', async () => {
  const agent = await w.agent(), old = agent.wallet, next = await chain.wallet(100), stranger = await chain.wallet(100);
  await chain.transfer(old, address, 10);
  await chain.mine();
  await found(agent, 'pending');
  assert.equal((await w.bind(agent, next)).status, 200);
  await chain.transfer(old, address, 20);
  await chain.transfer(next, address, 30);
  await chain.transfer(stranger, address, 40);
  await chain.send(stranger, 'usdc', 'transferFrom', { from: next.address, to: address, value: 0n });
  await chain.transfer(next, address, 4.99);
  await chain.mine(CONFIRMATIONS);
  await found(agent, 'confirmed', 2);
  assert.equal((await own(agent)).deposit, 40_000_000, 'what was under way when the wallet changed counts');
  for (let looks = 0; looks < 2; looks++) {
    await chain.mine();
    await searched();
  }
  const odd = errors('deposit_out_of_range', agent.id);
  assert.deepEqual([odd.length, JSON.parse(odd[0]).amount_usdc], [1, '4.99'], 'an odd sum is told once, a sum of nothing never');
});

test('many transfers of one transaction are found together, and none is counted twice', async () => {
  const agent = await w.agent();
  await chain.send(agent.wallet, 'usdc', 'approve', { spender: at.router, value: micros(500) });
  const pieces = [5, 6, 4, 7].map((dollars) => part('usdc', 'transferFrom', { from: agent.wallet.address, to: address, value: micros(dollars) }));
  await chain.send(agent.wallet, 'router', 'all', pieces);
  await chain.mine(CONFIRMATIONS + 1);
  await found(agent, 'confirmed', 3);
  assert.equal((await own(agent)).deposit, 18_000_000);
});

test('an endpoint that told another sum at first: credited is what it says when it counts', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 80);
  await proxy.during('eth_getTransactionReceipt', () => ({ result: (r) => r && { ...r, logs: r.logs.map((log) => ({ ...log, data: word(micros(9000)) })) } }), async () => {
    await chain.mine();
    await found(agent, 'pending');
    assert.equal((await stored(agent))[0].amount, 9_000_000_000);
    assert.equal((await w.claim(agent, hash)).json.amount_usdc, 9000);
  });
  await chain.mine(CONFIRMATIONS - 1);
  await found(agent, 'confirmed');
  assert.deepEqual(await own(agent), { deposit: 80_000_000, usdc_custody: -80_000_000 });
});

test('an endpoint that told of another sender: what is pending is given up, and nobody is the worse for it', async () => {
  const agent = await w.agent(), stranger = await chain.wallet(100), theirs = word(BigInt(stranger.lower)), ours = word(BigInt(agent.wallet.lower));
  const lie = (logs) => logs.map((log) => ({ ...log, topics: log.topics.map((topic) => (topic === theirs ? ours : topic)) }));
  await chain.mine();
  const hash = await chain.transfer(stranger, address, 90);
  proxy.rule('eth_getLogs', () => ({ result: lie }));
  proxy.rule('eth_getTransactionReceipt', () => ({ result: (r) => r && { ...r, logs: lie(r.logs) } }));
  await chain.mine();
  await found(agent, 'pending');
  proxy.clear();
  await chain.mine(CONFIRMATIONS);
  await s.advance(15);
  await found(agent, 'reversed');
  assert.deepEqual(await own(agent), {});
  assert.equal((await w.rows('agents', `id = '${agent.uuid}'`))[0].payouts_frozen_at, null);
  assert.equal((await w.claim(agent, hash)).json.status, 'reversed');
});

test('what a credited deposit is said to be later, in the same block, takes nothing back', async () => {
  const agent = await w.agent();
  await chain.transfer(agent.wallet, address, 95);
  await chain.mine(CONFIRMATIONS + 5);
  await found(agent, 'confirmed');
  for (const lie of [(r) => ({ ...r, status: '0x0', logs: [] }), () => null, (r) => ({ ...r, logs: r.logs.map((log) => ({ ...log, data: word(micros(6)) })) })]) {
    proxy.rule('eth_getTransactionReceipt', () => ({ result: (r) => r && lie(r) }));
    await s.advance(15);
    const asked = proxy.count('eth_getTransactionReceipt');
    await until(() => proxy.count('eth_getTransactionReceipt') > asked + 1, 20_000);
    proxy.clear();
  }
  assert.deepEqual([await own(agent), await statuses(agent)], [{ deposit: 95_000_000, usdc_custody: -95_000_000 }, ['confirmed']]);
  assert.equal((await w.rows('agents', `id = '${agent.uuid}'`))[0].payouts_frozen_at, null);
});

test('a credited deposit that a reorganisation drops, and that comes back within some seconds, stays credited', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 96), raw = await chain.raw(hash);
  await chain.mine(CONFIRMATIONS + 5);
  await found(agent, 'confirmed');
  await chain.reorg(CONFIRMATIONS + 5);
  await s.advance(6);
  const asked = proxy.count('eth_getTransactionReceipt');
  await until(() => proxy.count('eth_getTransactionReceipt') > asked, 20_000);
  await chain.rpc('eth_sendRawTransaction', raw);
  await chain.mine(2);
  const { blockHash } = await chain.receipt(hash);
  await until(async () => (await stored(agent))[0].block_hash === blockHash, 20_000);
  assert.deepEqual([await own(agent), await statuses(agent)], [{ deposit: 96_000_000, usdc_custody: -96_000_000 }, ['confirmed']]);
  assert.equal((await w.events(agent, 'deposit.reversed')).length, 0);
});

test('a receipt that cannot be had holds up nobody else', async () => {
  const [one, other] = [await w.agent(), await w.agent()], bad = await chain.transfer(one.wallet, address, 70);
  await chain.mine();
  proxy.rule('eth_getTransactionReceipt', ({ params }) => (params[0] === bad ? { status: 200, body: (id) => `{"jsonrpc":"2.0","id":${id},"result":"${'0'.repeat(3 << 20)}"}` } : undefined));
  await chain.transfer(other.wallet, address, 71);
  await chain.mine(3);
  await found(other, 'pending');
  await searched();
  assert.deepEqual(await stored(one), []);
  proxy.clear();
  await chain.mine();
  await found(one, 'pending');
  await chain.mine(CONFIRMATIONS);
  await found(one, 'confirmed');
  assert.equal((await w.claim(one, bad)).json.amount_credited, 70);
});

test('a node that takes few blocks at once is asked for few, and a long absence is made up for', async () => {
  const agent = await w.agent();
  proxy.rule('eth_getLogs', ({ params: [{ fromBlock, toBlock }] }) => (Number(toBlock) - Number(fromBlock) >= 100 ? { error: { code: -32005, message: 'query exceeds max block range' } } : undefined));
  const held = proxy.hold('eth_blockNumber'), late = proxy.hold('eth_getBlockByNumber');
  await chain.transfer(agent.wallet, address, 75);
  await chain.mine(1500);
  held.release();
  late.release();
  await found(agent, 'confirmed');
  await searched();
  proxy.clear();
});

test('a head that was wrong, or a chain that begins anew, does not end the search', async () => {
  const agent = await w.agent();
  await s.sql('update chain_states set scanned_block = scanned_block + 1000000');
  await chain.transfer(agent.wallet, address, 76);
  await chain.mine(CONFIRMATIONS);
  await found(agent, 'confirmed');
  assert.ok(await scanned() <= await chain.head());
});

test('workers killed while they look, two at once, or one that only drains: each deposit is credited once', async () => {
  await w.takeWorker();
  const agent = await w.agent();
  for (const dollars of [11, 12, 13]) await chain.transfer(agent.wallet, address, dollars);
  await chain.mine(CONFIRMATIONS);
  for (const when of [1, 2]) {
    let calls = 0;
    const held = proxy.hold('eth_getTransactionReceipt', { when: () => ++calls === when }), worker = w.startWorker(2);
    await held.reached;
    await worker.kill();
    held.release({ drop: true });
    await s.advance(31);
  }
  const workers = [w.startWorker(2), w.startWorker(2)];
  await found(agent, 'confirmed', 3);
  await Promise.all(workers.map((worker) => worker.kill()));
  assert.deepEqual(await own(agent), { deposit: 36_000_000, usdc_custody: -36_000_000 });
  await chain.transfer(agent.wallet, address, 14);
  await chain.mine(CONFIRMATIONS);
  await s.advance(31);
  const drained = await s.program('worker', ['--drain']);
  assert.equal(drained.status, 0, drained.stderr);
  assert.deepEqual(await own(agent), { deposit: 50_000_000, usdc_custody: -50_000_000 });
  assert.equal((await w.rows('jobs', "kind = 'chain'")).length, 1);
});

test('after all of it the books agree', async () => {
  await w.sound();
  assert.deepEqual(Object.keys(s.logFiles()).filter((name) => name.startsWith('sanitizer')).map((name) => path.basename(name)), []);
});
