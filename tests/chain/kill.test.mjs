/*
 * The worker is killed at each step of a payout, without warning, and another one goes on: each payout is mined exactly once, none is
 * lost, the books agree.  Where it is killed is told by the calls that it makes (held by the proxy) and by the rows that it writes
 * (held by gates of the test's database).  KILL_ROUNDS: how often at each point; KILL_POINTS: a part of their names.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crashDatabase, startDatabase } from '../processes.mjs';
import { gatesOf } from './gates.mjs';
import { CONFIRMATIONS, micros, sleep, until, wallet, world } from './world.mjs';

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 2), AMOUNT = 10;
const LEASE_S = 200; /* longer than any job's */
const w = await world({ isDurable: true }), { s, chain, proxy, payer } = w;
const gates = await gatesOf(s);
const agent = await w.agent({ holds: 10_000 });
const done = []; /* every payout of this file, as { id, hash, to, net } */
let operator, worker;

test('somebody has earned enough', async () => {
  await w.fund(agent, 9_999);
  operator = await w.operator(agent, (Object.keys(points).length * ROUNDS + 6) * AMOUNT);
  await w.provide(9_000);
  await w.takeWorker();
});

const isKnown = (hash) => chain.transaction(hash);
const row = async (to) => (await w.rows('payouts', `to_address = '${to.toLowerCase()}'`))[0];
const signed = (to) => until(async () => (await row(to))?.tx_hash);

/* Kills whoever has come to the point, then lets go of what was held. */
async function killAt(reached, release) {
  await reached;
  await worker.kill();
  await release();
}

async function atCall(method, options, request, drop) {
  const held = proxy.hold(method, options);
  await request();
  await killAt(held.reached, () => held.release({ drop }));
  proxy.clear(method);
}

async function atGate(name, request) {
  await gates.shut(name);
  await request();
  await killAt(gates.reached(name), () => gates.open(name));
}

/* From the newest block; what reserves are compared with is told from an earlier one. */
const isOfPayout = ({ params }) => ['latest', 'pending'].includes(params[1]);
const sent = async (to) => {
  const hash = await signed(to);
  await until(() => isKnown(hash));
  return hash;
};

/* request(): asks for the payout; each gives back when the worker has been killed. */
const points = {
  'after the reservation': { isStored: false, run: ({ request }) =>
    atCall('eth_getTransactionCount', { when: isOfPayout }, request, true) },
  'when it has taken the nonce': { isStored: false, run: ({ request }) => atGate('nonce', request) },
  'when it has signed': { isStored: false, run: ({ request }) => atGate('signing', request) },
  'while what it signed is stored': { isStored: true, run: ({ request }) => atGate('storing', request) },
  'before the broadcast': { isStored: true, run: async ({ request, to }) => {
    await atCall('eth_sendRawTransaction', {}, request, true);
    assert.equal(await isKnown(await signed(to)), null, 'nothing has reached the chain');
  } },
  'during the broadcast': { isStored: true, run: ({ request, n }) => atCall('eth_sendRawTransaction', {}, request, n % 2 === 0) },
  'after the broadcast, its answer lost': { isStored: true, run: async ({ request, to }) => {
    await atCall('eth_sendRawTransaction', { isLate: true }, request, true);
    assert.ok(await isKnown(await signed(to)), 'the chain has it');
  } },
  'before the confirmation': { isStored: true, run: async ({ request, to }) => {
    await request();
    const hash = await sent(to);
    await atCall('eth_getTransactionReceipt', { when: ({ params }) => params[0] === hash }, () => chain.mine(CONFIRMATIONS), true);
  } },
  'while the confirmation is booked': { isStored: true, run: async ({ request, to }) => {
    await request();
    await sent(to);
    await atGate('completing', () => chain.mine(CONFIRMATIONS));
  } },
  'after the confirmation': { isStored: true, run: async ({ request, to }) => {
    await request();
    await sent(to);
    await atGate('completed', () => chain.mine(CONFIRMATIONS));
  } },
  'at any moment': { run: async ({ request }) => {
    await request();
    await sleep(Math.random() * 3000);
    await worker.kill();
  } },
};

/* What a killed worker has left behind, once its last transaction has ended one way or the other. */
async function settled(to) {
  const busy = "select 1 from pg_stat_activity where usename = 'humanops_app' and state <> 'idle' and query ~* 'payout_|commit|nonce_'";
  await until(async () => (await s.sql(busy)).length === 0);
  return until(() => row(to));
}

/* isStored: whether the signed bytes must be there when it has died; undefined where that is chance. */
async function round({ run, isStored }, n) {
  const to = wallet().address;
  let answer;
  worker = w.startWorker();
  await run({ to, n, request: async () => { answer = w.paid(operator, AMOUNT, to); } });
  const before = await settled(to);
  assert.equal(before.tx_hash !== null, isStored ?? before.tx_hash !== null, 'it died where it should');
  worker = w.startWorker();
  await s.advance(LEASE_S);
  const { payout_id: id, gas_fee_usd: fee } = await answer;
  await w.hasten(async () => (await w.status(operator, id)).status === 'COMPLETED');
  await worker.kill();
  const net = micros(AMOUNT) - micros(fee), after = await row(to);
  const moved = await chain.transfers((t) => t.to === to.toLowerCase());
  assert.deepEqual(moved.map((t) => [t.from, t.value, t.hash]), [[payer.lower, net, after.tx_hash]], 'one transfer of the exact amount');
  if (before.tx_hash)
    assert.equal(after.tx_hash, before.tx_hash, 'what was stored is what was sent');
  done.push({ id, to, net, hash: after.tx_hash });
}

for (const [name, point] of Object.entries(points))
  if (name.includes(process.env.KILL_POINTS ?? ''))
    test(`a worker killed ${name}: one transfer, ${ROUNDS} times of ${ROUNDS}`, { timeout: ROUNDS * 90_000 }, async () => {
      for (let n = 0; n < ROUNDS; n++)
        await round(point, n);
    });

/* The database breaks off; everything else lives on, and finds it again. */
async function crash() {
  await startDatabase(s, await crashDatabase(s));
  const ask = async () => (await s.call('GET', '/operator/payouts', { headers: { 'X-Operator-Id': operator.id } })).status;
  await until(async () => (await Promise.all(Array.from({ length: 8 }, ask))).every((status) => status === 200), 30_000);
}

test('PostgreSQL crashes while payouts are signed, and again while they are confirmed: each is mined once', async () => {
  worker = w.startWorker();
  const to = Array.from({ length: 6 }, () => wallet().address);
  await gates.shut('storing');
  const asked = to.map((address) => w.paid(operator, AMOUNT, address));
  await gates.reached('storing');
  const all = await Promise.all(asked);
  await crash();
  await s.advance(LEASE_S);
  const hashes = await Promise.all(to.map(sent));
  await chain.mine(CONFIRMATIONS);
  await crash();
  for (const [i, { payout_id: id, gas_fee_usd: fee }] of all.entries()) {
    await w.hasten(async () => (await w.status(operator, id)).status === 'COMPLETED');
    done.push({ id, to: to[i], net: micros(AMOUNT) - micros(fee), hash: hashes[i] });
  }
  await worker.kill();
});

test('after all of it each payout was mined once, no nonce was left out, and the books agree', async (t) => {
  assert.ok(done.length >= ROUNDS);
  const moved = await chain.transfers((transfer) => transfer.from === payer.lower);
  assert.deepEqual(moved.map((transfer) => transfer.hash).sort(), done.map((payout) => payout.hash).sort());
  assert.equal(moved.reduce((sum, transfer) => sum + transfer.value, 0n), done.reduce((sum, payout) => sum + payout.net, 0n));
  assert.equal(Number(await chain.rpc('eth_getTransactionCount', payer.address, 'latest')), done.length, 'a nonce for each payout');
  const accounts = await w.accounts(operator);
  assert.equal(accounts.in_flight, undefined);
  await w.sound();
  assert.equal(await w.surplus(), 0n);
  t.diagnostic(`${done.length} payouts`);
});
