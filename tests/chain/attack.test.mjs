/*
 * Whoever wants money that nobody sent, or wants it twice: other tokens, other people's transfers, races, sums at and past every limit,
 * chains that change their mind, and nodes that lie, hang or talk nonsense.  Nothing is credited but what the chain holds.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { children, supervisorOf } from '../processes.mjs';
import { part } from './anvil.mjs';
import { nonsense } from './proxy.mjs';
import { CONFIRMATIONS, at, micros, until, world } from './world.mjs';

const w = await world({ endpoints: 2 }), { s, chain, deposit, proxies } = w;
const [first, second] = proxies;
const address = deposit.address;
const own = (agent) => w.accounts(agent);
const balanceOf = async (agent) => (await w.s.call('GET', '/agents/balance', { key: agent.key })).json;
const stored = (agent) => w.rows('usdc_deposits', `agent_id = '${agent.uuid}'`);

/* Mines it and gives it more confirmations than it needs. */
async function settle(hash) {
  await chain.mine(CONFIRMATIONS);
  return hash;
}

async function refused(agent, hash, status, code) {
  const answer = await w.claim(agent, hash);
  assert.deepEqual([answer.status, answer.json.code], [status, code], answer.text);
  assert.deepEqual(await own(agent), {});
  return answer;
}

async function credited(agent, hash, dollars) {
  const answer = await w.claim(agent, hash);
  assert.deepEqual([answer.status, answer.json.status, answer.json.amount_credited], [200, 'confirmed', dollars], answer.text);
  assert.equal((await own(agent)).deposit, Number(micros(dollars)));
}

test('a look-alike token counts for nothing', async () => {
  const agent = await w.agent();
  await chain.send(agent.wallet, 'lookAlike', 'mint', { to: agent.wallet.address, value: micros(1000) });
  const hash = await settle(await chain.send(agent.wallet, 'lookAlike', 'transfer', { to: address, value: micros(100) }));
  await refused(agent, hash, 422, 'transfer_not_found');
});

test('a failed transaction counts for nothing', async () => {
  const agent = await w.agent({ holds: 10 });
  const hash = await settle(await chain.transfer(agent.wallet, address, 100));
  assert.equal((await chain.receipt(hash)).status, '0x0');
  await refused(agent, hash, 422, 'transaction_failed');
});

test('an event that another contract writes in the same transaction adds nothing to the true one', async () => {
  const agent = await w.agent(), forged = part('forger', 'forge', { from: agent.wallet.address, to: address, value: micros(5000) });
  await refused(agent, await settle(await chain.send(agent.wallet, 'router', 'all', [forged])), 422, 'transfer_not_found');
  await chain.send(agent.wallet, 'usdc', 'approve', { spender: at.router, value: micros(6) });
  const real = part('usdc', 'transferFrom', { from: agent.wallet.address, to: address, value: micros(6) });
  await credited(agent, await settle(await chain.send(agent.wallet, 'router', 'all', [forged, real, forged])), 6);
});

test('several transfers in one transaction are a deposit each', async () => {
  const agent = await w.agent();
  await chain.send(agent.wallet, 'usdc', 'approve', { spender: at.router, value: micros(100) });
  const pieces = [7, 8, 9].map((dollars) =>
    part('usdc', 'transferFrom', { from: agent.wallet.address, to: address, value: micros(dollars) }));
  const hash = await settle(await chain.send(agent.wallet, 'router', 'all', pieces));
  await credited(agent, hash, 24);
  await credited(agent, hash, 24);
  assert.equal((await stored(agent)).length, 3);
});

test('money belongs to whose wallet it left, whoever sent the transaction', async () => {
  const agent = await w.agent(), other = await chain.wallet(100);
  await chain.send(agent.wallet, 'usdc', 'approve', { spender: other.address, value: micros(50) });
  await chain.send(other, 'usdc', 'approve', { spender: agent.wallet.address, value: micros(50) });
  await chain.mine();
  const take = (by, from, dollars) => chain.send(by, 'usdc', 'transferFrom', { from: from.address, to: address, value: micros(dollars) });
  const theirs = await settle(await take(agent.wallet, other, 40));
  await refused(agent, theirs, 422, 'transfer_not_found');
  const ours = await settle(await take(other, agent.wallet, 30));
  await credited(agent, ours, 30);
});

test('without a bound wallet, or from another one, or to another address, there is no deposit', async () => {
  const agent = await w.agent(), stranger = await chain.wallet(100), nobody = await s.agent({ tier: 'VERIFIED' });
  await chain.mine();
  const hash = await settle(await chain.transfer(stranger, address, 50));
  await refused(nobody, hash, 403, 'wallet_required');
  await refused(agent, hash, 422, 'transfer_not_found');
  await refused(agent, await settle(await chain.transfer(agent.wallet, w.payer.address, 50)), 422, 'transfer_not_found');
});

test('another agent\'s deposit cannot be claimed, not even with the same wallet later on', async () => {
  const owner = await w.agent(), thief = await w.agent();
  const hash = await settle(await chain.transfer(owner.wallet, address, 50));
  assert.ok([409, 422].includes((await w.claim(thief, hash)).status));
  await credited(owner, hash, 50);
  await refused(thief, hash, 409, 'deposit_taken');
  const fresh = await chain.wallet();
  assert.equal((await w.bind(thief, owner.wallet)).json.code, 'wallet_taken');
  assert.equal((await w.bind(owner, fresh)).status, 200);
  assert.equal((await w.bind(thief, owner.wallet)).status, 200);
  await refused(thief, hash, 409, 'deposit_taken');
  await credited(owner, hash, 50);
});

test('a hash in any case is the same one, and what is no hash is told so', async () => {
  const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 5));
  const digits = hash.slice(2), mixed = [...digits].map((c, i) => (i % 2 ? c.toUpperCase() : c)).join('');
  await credited(agent, `0x${digits.toUpperCase()}`, 5);
  for (const text of [hash, `0x${mixed}`])
    await credited(agent, text, 5);
  assert.equal((await stored(agent)).length, 1);
  const none = ['', '0x', digits, `0x${digits}0`, `0x${digits.slice(1)}`, `0X${digits}`, ` ${hash}`, `${hash}\n`, `0x${'g'.repeat(64)}`,
    `0x${'0'.repeat(63)}\u0660`, `${hash}\u0000`, 5, null, [hash], { hash }];
  for (const text of none) {
    const answer = await w.claim(agent, text);
    assert.equal(answer.status, 400, `${JSON.stringify(text)}: ${answer.text}`);
    assert.ok('tx_hash' in answer.json.details.fields, answer.text);
  }
  await refused(await w.agent(), `0x${randomBytes(32).toString('hex')}`, 404, 'transaction_not_found');
});

test('thirty claims at once credit once', async () => {
  const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 60));
  const upper = `0x${hash.slice(2).toUpperCase()}`;
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => w.claim(agent, i % 2 ? hash : upper)));
  for (const answer of answers)
    assert.deepEqual([answer.status, answer.json.amount_credited], [200, 60], answer.text);
  assert.equal(new Set(answers.map((answer) => answer.json.transaction_id)).size, 1);
  assert.deepEqual(await own(agent), { deposit: 60_000_000, usdc_custody: -60_000_000 });
});

test('two agents at once with one hash: its owner alone gets it', async () => {
  const owner = await w.agent(), thief = await w.agent(), hash = await settle(await chain.transfer(owner.wallet, address, 60));
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => w.claim(i % 2 ? owner : thief, hash)));
  answers.forEach((answer, i) => assert.ok(i % 2 ? answer.status === 200 : [409, 422].includes(answer.status), answer.text));
  assert.deepEqual(await own(thief), {});
  assert.equal((await own(owner)).deposit, 60_000_000);
});

const sums = [
  { value: 0n, isGood: false }, { value: 1n, isGood: false }, { value: 4_999_999n, isGood: false }, { value: 5_000_000n, isGood: true },
  { value: 10_000_000_000n, isGood: true }, { value: 10_000_000_001n, isGood: false }, { value: 2n ** 63n, isGood: false },
  { value: 2n ** 64n + 5_000_000n, isGood: false }, { value: 2n ** 128n + 5_000_000n, isGood: false },
  { value: 2n ** 256n - 1n, isGood: false },
];
for (const { value, isGood } of sums)
  test(`a transfer of ${value} micro-dollars ${isGood ? 'is a deposit' : 'is none'}`, async () => {
    const agent = await w.agent({ holds: 10_001 });
    if (value > micros(10_001))
      await giveWallet(agent.wallet.address, value);
    const had = await chain.balance(address);
    const hash = await chain.transfer(agent.wallet, address, value);
    /* Nobody could hold such sums: in the same block they go again, so that the reserves know nothing of them.  The largest, on top of
     * what was there, has come out as one less. */
    if (value === 2n ** 256n - 1n)
      await chain.send(agent.wallet, 'usdc', 'mint', { to: address, value: 1n });
    else if (value > micros(10_001))
      await chain.transfer(deposit, agent.wallet.address, value);
    await settle(hash);
    assert.equal((await chain.receipt(hash)).status, '0x1');
    if (isGood)
      return credited(agent, hash, Number(value) / 1e6);
    assert.equal(await chain.balance(address), value > micros(10_001) ? had : had + value);
    const answer = await refused(agent, hash, 422, value === 0n ? 'transfer_not_found' : 'deposit_out_of_range');
    assert.ok(value > 0n || answer);
    await w.looked();
    assert.deepEqual(await own(agent), {});
  });

/* The token's first slot is the mapping of balances; an address that is to receive more than there is must hold nothing. */
async function giveWallet(holder, value) {
  await chain.rpc('anvil_dealERC20', holder, at.usdc, `0x${value.toString(16)}`);
}

test('a transfer that is undone inside a transaction that succeeds counts for nothing', async () => {
  const agent = await w.agent();
  await chain.send(agent.wallet, 'usdc', 'approve', { spender: at.router, value: micros(100) });
  const inner = part('usdc', 'transferFrom', { from: agent.wallet.address, to: address, value: micros(100) });
  const hash = await settle(await chain.send(agent.wallet, 'router', 'undone', [inner]));
  assert.equal((await chain.receipt(hash)).status, '0x1');
  await refused(agent, hash, 422, 'transfer_not_found');
});

/* Reorganisations */

/* What is not there for a while is gone. */
async function vanishes(agent) {
  await s.advance(14);
  await w.soon(async () => (await stored(agent))[0].status === 'reversed');
}

test('a pending deposit whose block vanishes is never credited; sent anew, it is, once', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 70), raw = await chain.raw(hash);
  await chain.confirm(hash, 5);
  assert.equal((await w.claim(agent, hash)).status, 202);
  await chain.reorg(5);
  await chain.mine(CONFIRMATIONS + 2);
  await vanishes(agent);
  assert.deepEqual(await own(agent), {});
  const [row] = await w.rows('agents', `id = '${agent.uuid}'`);
  assert.equal(row.payouts_frozen_at, null, 'nothing was credited, so nothing is suspected');
  await chain.rpc('eth_sendRawTransaction', raw);
  await chain.mine();
  assert.equal((await w.claim(agent, hash)).json.status, 'pending');
  await chain.mine(CONFIRMATIONS - 1);
  await credited(agent, hash, 70);
});

test('a pending deposit that moves to another block counts its confirmations from there', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 71), raw = await chain.raw(hash);
  await chain.confirm(hash, CONFIRMATIONS - 1);
  assert.equal((await w.claim(agent, hash)).status, 202);
  await chain.reorg(CONFIRMATIONS - 1, [[raw, 6]]);
  await chain.mine();
  const moved = await w.claim(agent, hash);
  assert.deepEqual([moved.status, moved.json.confirmations], [202, 6]);
  await w.looked();
  assert.deepEqual(await own(agent), {});
  await chain.mine(6);
  await credited(agent, hash, 71);
  assert.equal((await stored(agent)).length, 1);
});

test('a credited deposit whose block vanishes is booked back, its agent frozen and staff told; sent anew, it counts again', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 72), raw = await chain.raw(hash);
  await chain.confirm(hash, CONFIRMATIONS);
  await credited(agent, hash, 72);
  await chain.mine(4);
  await chain.reorg(CONFIRMATIONS + 4);
  await chain.mine(2);
  await vanishes(agent);
  assert.deepEqual(await own(agent), {});
  assert.equal((await w.events(agent, 'deposit.reversed')).length, 1);
  const asked = await w.claim(agent, hash);
  assert.deepEqual([asked.json.status, asked.json.amount_credited, asked.json.confirmations], ['reversed', 0, 0], asked.text);
  const acts = await w.staff('GET', '/log?limit=100');
  assert.ok(JSON.stringify(acts.json).includes('deposit.reversed'), acts.text);
  await chain.rpc('eth_sendRawTransaction', raw);
  await chain.mine(CONFIRMATIONS);
  await credited(agent, hash, 72);
  await chain.mine(70);
  await w.soon(async () => (await stored(agent))[0].is_final);
  const frozen = await w.withdraw(agent, 20);
  assert.deepEqual([frozen.status, frozen.json.code], [503, 'payouts_frozen'], frozen.text);
  assert.equal((await w.staff('POST', `/agents/${agent.id}/unfreeze`, { reason: 'looked at' })).status, 200);
});

test('a credited deposit that moves to another block stays credited', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 73), raw = await chain.raw(hash);
  await chain.confirm(hash, CONFIRMATIONS);
  await credited(agent, hash, 73);
  await chain.reorg(CONFIRMATIONS, [[raw, 3]]);
  const block = Number((await chain.receipt(hash)).blockNumber);
  await w.soon(async () => Number((await stored(agent))[0].block_number) === block);
  await chain.mine(CONFIRMATIONS);
  await credited(agent, hash, 73);
  assert.equal((await w.events(agent, 'deposit.reversed')).length, 0);
});

test('what was spent before its deposit vanished is owed, and the next deposit pays it first', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 60);
  await chain.confirm(hash, CONFIRMATIONS);
  await credited(agent, hash, 60);
  await w.task(agent, 40);
  await chain.reorg(CONFIRMATIONS);
  await chain.mine(2);
  await vanishes(agent);
  assert.deepEqual(await own(agent), { escrow: 44_000_000, receivable: -44_000_000 });
  assert.deepEqual(await balanceOf(agent), { deposit_balance: 0, escrow_balance: 44, owed_usd: 44, currency: 'USD' });
  const next = await settle(await chain.transfer(agent.wallet, address, 50));
  const answer = await w.claim(agent, next);
  assert.deepEqual([answer.status, answer.json.amount_credited], [200, 50], answer.text);
  assert.deepEqual(await own(agent), { deposit: 6_000_000, escrow: 44_000_000, usdc_custody: -50_000_000 });
  assert.deepEqual(await balanceOf(agent), { deposit_balance: 6, escrow_balance: 44, currency: 'USD' });
});

/*
 * Nodes that are wrong.  The second endpoint lies, the first does not: nothing is known, nothing is kept, and once it is honest again
 * all is well.
 */

const bend = (receipt, change) => receipt && { ...receipt, ...change(receipt) };
const bendLog = (receipt, change) => bend(receipt, ({ logs }) => ({ logs: logs.map((log) => ({ ...log, ...change(log) })) }));
const inBlock = (receipt, block) => bend(bendLog(receipt, () => block), () => block);
const quantity = (value) => `0x${value.toString(16)}`;
const word = (value) => `0x${value.toString(16).padStart(64, '0')}`;
const lies = {
  'that it failed': (r) => bend(r, () => ({ status: '0x0', logs: [] })),
  'about the amount': (r) => bendLog(r, () => ({ data: word(micros(9000)) })),
  'about the sender': (r) => bendLog(r, (log) => ({ topics: [log.topics[0], word(BigInt(at.router)), log.topics[2]] })),
  'about the receiver': (r) => bendLog(r, (log) => ({ topics: [log.topics[0], log.topics[1], word(BigInt(at.router))] })),
  'about the token': (r) => bendLog(r, () => ({ address: at.lookAlike.toLowerCase() })),
  'that nothing was moved': (r) => bend(r, () => ({ logs: [] })),
  'that it was moved twice': (r) => bend(r, ({ logs: [log] }) =>
    ({ logs: [log, { ...log, logIndex: quantity(Number(log.logIndex) + 1) }] })),
  'about the block': (r) => inBlock(r, { blockHash: word(BigInt(`0x${randomBytes(31).toString('hex')}`)) }),
  'about the height': (r) => inBlock(r, { blockNumber: quantity(Number(r.blockNumber) - 3) }),
};
for (const [name, lie] of Object.entries(lies))
  test(`an endpoint that lies ${name} stops the deposit until it is honest`, async () => {
    const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 80));
    await second.during('eth_getTransactionReceipt', () => ({ result: (r) => r && lie(r) }), async () => {
      const answer = await w.claim(agent, hash);
      assert.deepEqual([answer.status, answer.json.code], [503, 'chain_unavailable'], answer.text);
      assert.ok(Number(answer.headers['retry-after']) >= 1);
      assert.deepEqual(await own(agent), {});
    });
    await credited(agent, hash, 80);
  });

test('both endpoints naming a block that the chain has not: no confirmation counts', async () => {
  const agent = await w.agent(), other = word(123456789n);
  proxies.forEach((p) => p.rule('eth_getTransactionReceipt', () => ({ result: (r) => r && inBlock(r, { blockHash: other }) })));
  const hash = await settle(await chain.transfer(agent.wallet, address, 80));
  await refused(agent, hash, 404, 'transaction_not_found');
  proxies.forEach((p) => p.clear());
  await credited(agent, hash, 80);
});

/* Receipts that are none, whatever is asked. */
const malformed = {
  'of another transaction': (r) => ({ ...r, transactionHash: word(1n) }), 'without status': ({ status: _, ...r }) => r,
  'with a negative height': (r) => ({ ...r, blockNumber: '-0x1' }), 'with logs that are no list': (r) => ({ ...r, logs: { length: 1 } }),
  'with a log of another block': (r) => bendLog(r, () => ({ blockNumber: '0x1' })),
  'with a log that was removed': (r) => bendLog(r, () => ({ removed: true })),
  'with 33 bytes of data': (r) => bendLog(r, ({ data }) => ({ data: `${data}00` })),
};
for (const [name, change] of Object.entries(malformed))
  test(`receipts ${name} from both endpoints credit nothing`, async () => {
    const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 80));
    proxies.forEach((p) => p.rule('eth_getTransactionReceipt', () => ({ result: change })));
    const answer = await w.claim(agent, hash);
    assert.ok(answer.status >= 400, answer.text);
    assert.ok(answer.status === 503 || answer.status === 422, answer.text);
    assert.deepEqual(await own(agent), {});
    proxies.forEach((p) => p.clear());
    await credited(agent, hash, 80);
  });

for (const [name, answer] of Object.entries(nonsense)) {
  test(`one endpoint that answers with ${name} is survived`, async () => {
    const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 81));
    await second.during('*', () => answer, () => credited(agent, hash, 81));
  });
  test(`both endpoints answering with ${name} credit nothing, and it is said that one may ask again`, async () => {
    const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 82));
    proxies.forEach((p) => p.rule('*', () => answer));
    await refused(agent, hash, 503, 'chain_unavailable');
    assert.deepEqual(await stored(agent), []);
    proxies.forEach((p) => p.clear());
    await credited(agent, hash, 82);
  });
}

test('an endpoint that hangs is survived, and two that hang are not waited for long', async () => {
  const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 83));
  const held = second.hold('*');
  await credited(agent, hash, 83);
  held.release({ drop: true });
  const other = await w.agent(), later = await settle(await chain.transfer(other.wallet, address, 84));
  const gates = proxies.map((p) => p.hold('*')), began = Date.now();
  await refused(other, later, 503, 'chain_unavailable');
  assert.ok(Date.now() - began < 25_000, `${Date.now() - began} ms`);
  /* A process that has seen it once waits no longer in vain: twelve at once are answered soon, though each of four takes one at a time. */
  const start = Date.now();
  await Promise.all(Array.from({ length: 12 }, () => refused(other, later, 503, 'chain_unavailable')));
  assert.ok(Date.now() - start < 16_000, `${Date.now() - start} ms`);
  gates.forEach((g) => g.release({ drop: true }));
  proxies.forEach((p) => p.clear());
  await credited(other, later, 84);
});

test('an endpoint that is gone is survived, and two that are gone are a 503', async () => {
  const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 85));
  await second.close();
  await credited(agent, hash, 85);
  await first.close();
  await refused(await w.agent({ holds: 1 }), hash, 503, 'chain_unavailable');
  await first.reopen();
  await second.reopen();
  await credited(agent, hash, 85);
});

/* The second endpoint knows no block past height(). */
function lag(height) {
  const newest = async () => chain.rpc('eth_getBlockByNumber', quantity(await height()), false);
  second.rule('eth_getBlockByNumber', ({ params }) => ({ result: async (block) =>
    (params[0] === 'latest' ? newest() : block && Number(block.number) > await height() ? null : block) }));
}

test('confirmations are counted from the lower of two heads', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 86);
  await chain.confirm(hash, CONFIRMATIONS + 3);
  lag(async () => await chain.head() - 5);
  const early = await w.claim(agent, hash);
  assert.deepEqual([early.status, early.json.confirmations], [202, CONFIRMATIONS - 2], early.text);
  await chain.mine(2);
  await credited(agent, hash, 86);
  second.clear();
});

test('an endpoint that has not seen the transaction yet delays the deposit, and does not contradict it', async () => {
  const agent = await w.agent(), hash = await chain.transfer(agent.wallet, address, 87);
  await chain.confirm(hash, 2);
  const old = await chain.head() - 4;
  second.rule('eth_getTransactionReceipt', () => ({ result: () => null }));
  lag(() => old);
  await refused(agent, hash, 404, 'transaction_not_found');
  second.clear();
  await chain.mine(CONFIRMATIONS);
  await credited(agent, hash, 87);
});

test('events that only a lying node tells of credit nobody', async () => {
  const agent = await w.agent(), block = await chain.rpc('eth_getBlockByNumber', 'latest', false);
  const forged = { address: at.usdc.toLowerCase(), topics: ['0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
    word(BigInt(agent.wallet.lower)), word(BigInt(deposit.lower))], data: word(micros(500)), blockHash: block.hash,
    blockNumber: block.number,
    transactionHash: word(BigInt(`0x${randomBytes(31).toString('hex')}`)), transactionIndex: '0x0', logIndex: '0x0', removed: false };
  proxies.forEach((p) => p.rule('eth_getLogs', () => ({ result: (logs) => [...logs, forged] })));
  await chain.mine(CONFIRMATIONS + 2);
  await w.looked();
  assert.deepEqual(await own(agent), {});
  proxies.forEach((p) => p.clear());
});

test('an endpoint of another chain is as good as none', async () => {
  const agent = await w.agent(), hash = await settle(await chain.transfer(agent.wallet, address, 88));
  const pid = supervisorOf(s, 'agents');
  /* Which chain it is, a program may have asked once: it starts anew. */
  const renew = async () => {
    const old = children(pid);
    process.kill(pid, 'SIGHUP');
    await until(() => children(pid).length >= 4 && !children(pid).some((child) => old.includes(child)));
  };
  proxies.forEach((p) => p.rule('eth_chainId', () => ({ result: () => '0x1' })));
  await renew();
  await refused(agent, hash, 503, 'chain_unavailable');
  first.clear();
  await credited(agent, hash, 88);
  second.clear();
  await renew();
});

test('after all of it the books agree, and the chain holds what they say', async () => {
  await w.sound();
  assert.ok(await w.surplus() >= 0n, 'strays only');
  await chain.mine(CONFIRMATIONS);
  const reserves = await w.newReserves();
  assert.ok(reserves.difference_usd >= 0 && !reserves.is_frozen, JSON.stringify(reserves));
});
