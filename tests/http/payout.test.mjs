/*
 * Payouts in test mode, where no chain is asked and what is reserved is paid at once: who may have how much, sent where, how often; and
 * what staff sees.  What a chain changes about payouts is tests/chain's.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { addr, eip191Signer } from 'micro-eth-signer';
import { startIssuer } from '../issuer.mjs';
import { stack } from '../stack.mjs';
import { HOLD, booksAgree, newOperator, prepare, publicId } from '../work.mjs';
import { TIME, assertFaults, assertRefused, balance } from './forms.mjs';

const DAY = 86_400, REWARD = 25;
const USDC = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', DEPOSIT = '0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70';
const FEE = 0.01; /* in test mode */
const FIELDS = ['payout_id', 'amount_usd', 'gas_fee_usd', 'net_amount_usd', 'to_address', 'chain', 'status', 'tx_hash', 'message', 'created_at', 'settled_at'];

let shift = 0; /* how far the service's clock is ahead of ours */
const issuer = await startIssuer({ now: () => Date.now() + shift });
after(() => issuer.stop());
const s = await stack({ settings: [...issuer.settings, 'ALLOW_DEV_OPERATOR_ID_HEADER=true', `DEPOSIT_ADDRESS=${DEPOSIT}`] });

function newWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`, address = addr.fromPrivateKey(key);
  return { address, lower: address.toLowerCase(), sign: (text) => eip191Signer.sign(text, key, false) };
}

const employer = await s.agent({ tier: 'STANDARD', deposit: 9_000 });

/* An operator to whom so many tasks of $25 have brought their money, and who has waited for it. */
async function earner(tasks) {
  const operator = await newOperator(s);
  if (tasks > 0) {
    await prepare(s, { agent: employer, operator, status: 'COMPLETED', count: tasks });
    await s.advance(HOLD + 60);
    await s.sweep();
  }
  return operator;
}

const as = (operator) => ({ 'X-Operator-Id': operator.id });
const to = newWallet();
const body = (change = {}) => ({ amount_usd: 10, method: 'usdc', wallet_address: to.address, chain: 'base', ...change });
const ask = (operator, change, headers = {}) => s.call('POST', '/operator/payout', { body: body(change), headers: { ...as(operator), ...headers } });
const get = (operator, where) => s.call('GET', `/operator/${where}`, { headers: as(operator) });
const staff = (method, where, sent) => s.call(method, `/admin${where}`, { body: sent, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

/* Dollars, of an agent or operator by kind of account. */
async function accounts(party) {
  const rows = await s.sql(`select kind, balance from accounts where bucket = ${party.bucket} and party_id = '${party.uuid}'`);
  return Object.fromEntries(rows.map((row) => [row.kind, row.balance / 1e6]));
}

const money = async (operator) => {
  const { pending_balance: pending, available_balance: available, in_flight_balance: flight } = await ok(get(operator, 'earnings'));
  return [pending, available, flight];
};

test('what is available is paid out less the fee, and the books say where it went', async () => {
  const operator = await earner(2);
  assert.deepEqual(await money(operator), [0, 50, 0]);
  const made = await ok(ask(operator, { amount_usd: 49.99 }), 201);
  assert.deepEqual(Object.keys(made), FIELDS);
  assert.match(made.payout_id, /^payout_[0-9a-z]{26}$/);
  assert.deepEqual([made.amount_usd, made.gas_fee_usd, made.net_amount_usd, made.to_address, made.chain, made.status, made.tx_hash],
    [49.99, FEE, 49.98, to.address, 'base', 'COMPLETED', null]);
  assert.match(made.message, /test mode/);
  assert.match(made.created_at, TIME);
  assert.match(made.settled_at, TIME);
  assert.deepEqual(await money(operator), [0, 0.01, 0]);
  const books = await accounts(operator);
  assert.deepEqual([books.usdc_custody, books.gas, books.in_flight], [49.98, FEE, 0]);
  assert.deepEqual(await ok(get(operator, `payout/status/${made.payout_id}`)), made);
  await booksAgree(s);
});

test('amounts at the limits', async () => {
  const operator = await earner(2);
  for (const amount of [9.99, 9.999999, 0, -10, 10.005, 10.000001, 100_000.01, 1e30])
    assertFaults(await ask(operator, { amount_usd: amount }), ['amount_usd'], amount);
  for (const amount of ['10', null, true, [10], { usd: 10 }, undefined])
    assertFaults(await ask(operator, { amount_usd: amount }), ['amount_usd'], JSON.stringify(amount));
  for (const amount of [50.01, 100_000]) {
    const answer = await ask(operator, { amount_usd: amount });
    assertRefused(answer, 402, 'payout_balance', amount);
    assert.deepEqual(answer.json.details, { available_usd: 50 });
  }
  assert.deepEqual(await money(operator), [0, 50, 0], 'nothing was taken');
  assert.equal((await ok(ask(operator, { amount_usd: 10 }), 201)).net_amount_usd, 9.99);
  assert.equal((await ok(ask(operator, { amount_usd: 40 }), 201)).net_amount_usd, 39.99, 'all of the rest');
  assertRefused(await ask(operator), 402, 'payout_balance');
});

test('money that is held or disputed is not available', async () => {
  const operator = await newOperator(s);
  await prepare(s, { agent: employer, operator, status: 'COMPLETED' });
  await prepare(s, { agent: employer, operator, status: 'FROZEN' });
  assert.deepEqual(await money(operator), [50, 0, 0]);
  assertRefused(await ask(operator), 402, 'payout_balance');
  await s.advance(HOLD + 60);
  await s.sweep();
  assert.deepEqual(await money(operator), [25, 25, 0]);
  assertRefused(await ask(operator, { amount_usd: 25.01 }), 402, 'payout_balance');
  await ok(ask(operator, { amount_usd: 25 }), 201);
});

test('a payout goes to an address whose owner can use it, and to none of ours', async () => {
  const operator = await earner(8), digits = to.lower.slice(2);
  const wrong = [...to.address].map((c, i) => (i > 1 && /[a-f]/i.test(c) ? (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase()) : c)).join('');
  const bad = { 'a wrong checksum': wrong, 'too short': to.address.slice(0, -1), 'too long': `${to.address}0`, 'no 0x': digits, 'no hex': `0x${'g'.repeat(40)}`,
    'a name': 'jane.eth', empty: '', zero: `0x${'0'.repeat(40)}`, 'a precompile': `0x${'0'.repeat(39)}1`, dead: `0x${'0'.repeat(36)}dEaD`,
    'all ones': `0x${'f'.repeat(40)}`, 'the token': USDC, 'the token in lower case': USDC.toLowerCase(), 'the deposit address': DEPOSIT,
    'the deposit address in lower case': DEPOSIT.toLowerCase(), 'a number': 5, nothing: undefined, null: null };
  for (const [what, address] of Object.entries(bad))
    assertFaults(await ask(operator, { wallet_address: address }), ['wallet_address'], what);
  const good = { lower: to.lower, upper: `0x${digits.toUpperCase()}`, mixed: to.address, 'with blanks around it': ` ${to.address}\t` };
  for (const [what, address] of Object.entries(good)) {
    const made = await ok(ask(operator, { wallet_address: address }), 201);
    assert.equal(made.to_address, to.address, what);
  }
});

test('all faults of a body are named at once, and there is one way to be paid', async () => {
  const operator = await earner(1);
  assertFaults(await ask(operator, { amount_usd: 1, method: 'cash', wallet_address: 'x', chain: 'ethereum', note: 'hi' }),
    ['amount_usd', 'method', 'wallet_address', 'chain', 'note']);
  assert.equal((await ok(ask(operator, { method: undefined, chain: undefined }), 201)).chain, 'base', 'method and chain go without saying');
});

test('one key is one payout, however often and whenever it is asked; another body with it is refused', async () => {
  const operator = await earner(2), key = { 'Idempotency-Key': randomUUID() };
  const first = await ask(operator, {}, key);
  assert.equal(first.status, 201, first.text);
  for (const later of [0, 31 * DAY, 400 * DAY]) {
    await s.advance(later);
    await s.sweep();
    const again = await ask(operator, {}, key);
    assert.deepEqual([again.status, again.text, again.headers['idempotent-replayed']], [201, first.text, 'true'], `${later / DAY} days later`);
  }
  assertRefused(await ask(operator, { amount_usd: 11 }, key), 409, 'idempotency_mismatch');
  assert.deepEqual(await money(operator), [0, 40, 0]);
  const other = await earner(1);
  assert.notEqual((await ok(ask(other, {}, key), 201)).payout_id, first.json.payout_id, 'a key is each operator\'s own');
});

test('too little money does not use up the key', async () => {
  const operator = await newOperator(s), key = { 'Idempotency-Key': randomUUID() };
  assertRefused(await ask(operator, {}, key), 402, 'payout_balance');
  await prepare(s, { agent: employer, operator, status: 'COMPLETED' });
  await s.advance(HOLD + 60);
  await s.sweep();
  await ok(ask(operator, {}, key), 201);
});

test('of two at the same instant with money for one, one is paid', async () => {
  const rounds = 8, operators = await Promise.all(Array.from({ length: rounds }, () => newOperator(s)));
  for (const operator of operators)
    await prepare(s, { agent: employer, operator, status: 'COMPLETED' });
  await s.advance(HOLD + 60);
  await s.sweep();
  for (const operator of operators) {
    const answers = await Promise.all(Array.from({ length: 4 }, () => ask(operator, { amount_usd: 20 })));
    assert.deepEqual(answers.map((a) => a.status).sort(), [201, 402, 402, 402]);
    assert.deepEqual(await money(operator), [0, 5, 0]);
  }
  const operator = operators[0];
  await prepare(s, { agent: employer, operator, status: 'COMPLETED' });
  await s.advance(HOLD + 60);
  await s.sweep();
  const key = { 'Idempotency-Key': randomUUID() };
  const same = await Promise.all(Array.from({ length: 4 }, () => ask(operator, {}, key)));
  assert.ok(same.every((a) => a.status === 201 || (a.status === 409 && a.json.code === 'idempotency_in_progress')), same.map((a) => a.text).join());
  assert.equal(new Set(same.filter((a) => a.status === 201).map((a) => a.json.payout_id)).size, 1);
  assert.deepEqual(await money(operator), [0, 20, 0]);
  await booksAgree(s);
});

test('who is not verified, or suspended, or somebody else in an operator\'s name, is not paid', async () => {
  const operator = await earner(1);
  await ok(staff('POST', `/operators/${operator.id}/kyc`, { status: 'REJECTED' }));
  const answer = await ask(operator);
  assertRefused(answer, 403, 'kyc_required');
  assert.deepEqual(answer.json.details, { kyc_status: 'REJECTED' });
  await ok(staff('POST', `/operators/${operator.id}/kyc`, { status: 'VERIFIED' }));
  await ok(staff('POST', `/operators/${operator.id}/suspend`, { suspended: true }));
  assertRefused(await ask(operator), 403, 'operator_suspended');
  await ok(staff('POST', `/operators/${operator.id}/suspend`, { suspended: false }));
  await ok(ask(operator), 201);

  shift = await s.now() - Date.now();
  const sub = randomUUID(), bearer = (claims) => ({ Authorization: `Bearer ${issuer.token({ sub, ...claims })}` });
  await ok(s.call('POST', '/operator/register', { body: { name: 'Jo', email: 'jo@example.com' }, headers: bearer({}) }), 201);
  const impersonated = await s.call('POST', '/operator/payout', { body: body(), headers: bearer({ act: { sub: 'support' } }) });
  assertRefused(impersonated, 403, 'impersonation_refused');
  assertRefused(await s.call('POST', '/operator/payout', { body: body(), headers: bearer({}) }), 402, 'payout_balance');
});

test('a quote says what would be deducted', async () => {
  const operator = await newOperator(s);
  assert.deepEqual(await ok(get(operator, 'payout/quote?amount_usd=12.34')),
    { amount_usd: 12.34, gas_fee_usd: FEE, net_amount_usd: 12.33, chain: 'base' });
  for (const query of ['', '?amount_usd=9.99', '?amount_usd=10.001', '?amount_usd=x', '?amount_usd=100000.01'])
    assertFaults(await get(operator, `payout/quote${query}`), ['amount_usd'], query);
});

test('an operator\'s payouts come newest first, page by page, and are nobody else\'s', async () => {
  const operator = await earner(4), other = await newOperator(s), made = [];
  for (let i = 0; i < 5; i++)
    made.unshift((await ok(ask(operator, { amount_usd: 10 + i }), 201)).payout_id);
  const all = await ok(get(operator, 'payouts'));
  assert.deepEqual(all.data.map((p) => p.payout_id), made);
  assert.deepEqual(all.pagination, { limit: 20, next_cursor: null });
  const pages = [];
  for (let query = '?limit=2'; query;) {
    const page = await ok(get(operator, `payouts${query}`));
    pages.push(...page.data.map((p) => p.payout_id));
    query = page.pagination.next_cursor && `?limit=2&cursor=${page.pagination.next_cursor}`;
  }
  assert.deepEqual(pages, made);
  assert.deepEqual((await ok(get(other, 'payouts'))).data, []);
  assertRefused(await get(other, `payouts?cursor=${made[0]}`), 400, 'cursor_invalid');
  assertRefused(await get(operator, 'payouts?cursor=payout_x'), 400, 'cursor_invalid');
  assertRefused(await get(other, `payout/status/${made[0]}`), 404, 'payout_not_found');
  for (const id of ['payout_x', 'task_x', publicId('task', randomUUID()), publicId('payout', '0192f0c8-0000-7000-8000-000000000000')])
    assertRefused(await get(operator, `payout/status/${id}`), 404, 'payout_not_found', id);
});

/* withdrawals */

const withdraw = (agent, sent = {}, headers = {}) => s.call('POST', '/agents/withdraw', { key: agent.key, body: { amount_usd: 10, ...sent }, headers });

async function bind(agent) {
  const wallet = newWallet(), challenge = await ok(s.call('POST', '/agents/wallet/challenge', { key: agent.key }), 201);
  await ok(s.call('PUT', '/agents/wallet', { key: agent.key, body: { wallet_address: wallet.address, nonce: challenge.nonce,
    signature: wallet.sign(challenge.message), chain: 'base' } }));
  return wallet;
}

const fund = async (agent, dollars) => ok(s.call('POST', '/agents/deposit/usdc', { key: agent.key,
  body: { tx_hash: `0x${randomBytes(32).toString('hex')}`, amount_usdc: dollars, chain: 'base' } }));

test('an agent takes back what came as USDC, to the bound wallet alone', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  await fund(agent, 100);
  assertRefused(await withdraw(agent), 403, 'wallet_required');
  const wallet = await bind(agent);
  assertFaults(await withdraw(agent, { wallet_address: newWallet().address }), ['wallet_address']);
  assertFaults(await withdraw(agent, { wallet_address: wallet.address.toUpperCase() }), ['wallet_address'], 'an X is no x');
  assertFaults(await withdraw(agent, { method: 'usdc' }), ['method']);
  const made = await ok(withdraw(agent, { amount_usd: 30.5 }), 201);
  assert.deepEqual(Object.keys(made), FIELDS);
  assert.deepEqual([made.amount_usd, made.net_amount_usd, made.to_address, made.status], [30.5, 30.49, wallet.address, 'COMPLETED']);
  assert.equal((await ok(withdraw(agent, { wallet_address: wallet.lower, chain: 'base' }), 201)).to_address, wallet.address);
  assert.deepEqual(await balance(s, agent), [59.5, 0]);
  assert.deepEqual(await ok(s.call('GET', `/agents/withdraw/status/${made.payout_id}`, { key: agent.key })), made);
  const list = await ok(s.call('GET', '/agents/withdrawals?limit=1', { key: agent.key }));
  assert.equal(list.data.length, 1);
  const rest = await ok(s.call('GET', `/agents/withdrawals?limit=1&cursor=${list.pagination.next_cursor}`, { key: agent.key }));
  assert.deepEqual(rest.data, [made]);
  const stranger = await s.agent({ tier: 'VERIFIED' });
  assertRefused(await s.call('GET', `/agents/withdraw/status/${made.payout_id}`, { key: stranger.key }), 404, 'payout_not_found');
  assert.deepEqual((await ok(s.call('GET', '/agents/withdrawals', { key: stranger.key }))).data, []);
  const operator = await newOperator(s);
  assertRefused(await get(operator, `payout/status/${made.payout_id}`), 404, 'payout_not_found');
  const events = (await s.until(async () => {
    const found = (await ok(s.call('GET', '/events', { key: agent.key }))).data.filter((e) => e.event.startsWith('withdrawal.'));
    return found.length >= 4 && found;
  })).map((e) => [e.event, e.amount_usd]);
  assert.deepEqual(events, [['withdrawal.pending', 30.5], ['withdrawal.completed', 30.5], ['withdrawal.pending', 10], ['withdrawal.completed', 10]]);
  await booksAgree(s);
});

test('card money never leaves as USDC, nor money that a task holds, nor more than came', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  await bind(agent);
  await s.deposit(agent, 500, 'deposit_fiat');
  const none = await withdraw(agent);
  assertRefused(none, 402, 'payout_balance');
  assert.deepEqual(none.json.details, { available_usd: 500, withdrawable_usd: 0 });
  await fund(agent, 40);
  const some = await withdraw(agent, { amount_usd: 40.01 });
  assertRefused(some, 402, 'payout_balance');
  assert.deepEqual(some.json.details, { available_usd: 540, withdrawable_usd: 40 });
  await ok(withdraw(agent, { amount_usd: 25 }), 201);
  assert.deepEqual((await withdraw(agent, { amount_usd: 16 })).json.details, { available_usd: 515, withdrawable_usd: 15 });

  const busy = await s.agent({ tier: 'VERIFIED' });
  await bind(busy);
  await fund(busy, 60);
  await ok(s.call('POST', '/tasks', { key: busy.key, body: { title: 'Check the data', description: 'Compare list and window.', reward_usd: 40,
    deadline: await s.time(3 * DAY), proof_requirements: ['Result for each item'], task_type: 'DATA_VALIDATION', proof_type: 'CONFIRMATION' } }), 201);
  assert.deepEqual((await withdraw(busy, { amount_usd: 20 })).json.details, { available_usd: 16, withdrawable_usd: 16 });
  await ok(withdraw(busy, { amount_usd: 16 }), 201);
  await booksAgree(s);
});

test('an agent whose deposit vanished gets nothing back until staff says so, and that is on record', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  await bind(agent);
  await fund(agent, 60);
  await s.sql(`select payouts_freeze(${agent.bucket}, '${agent.uuid}', true, 'a deposit vanished', '${await s.time()}')`);
  assertRefused(await withdraw(agent), 503, 'payouts_frozen');
  assertFaults(await staff('POST', `/agents/${agent.id}/unfreeze`, {}), ['reason']);
  assertRefused(await staff('POST', `/agents/${publicId('agent', '0192f0c8-0000-7000-8000-000000000000')}/unfreeze`, { reason: 'x' }), 404, 'agent_not_found');
  await ok(staff('POST', `/agents/${agent.id}/unfreeze`, { reason: 'They sent it again' }));
  await ok(withdraw(agent), 201);
  const { data } = await ok(staff('GET', '/log'));
  assert.deepEqual(data.filter((act) => act.target === agent.id).map((act) => [act.act, act.data]), [['payouts.unfreeze', { reason: 'They sent it again' }]]);
});

test('withdrawals of one key, and two at once', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' }), key = { 'Idempotency-Key': randomUUID() };
  await bind(agent);
  await fund(agent, 50);
  const first = await ok(withdraw(agent, { amount_usd: 20 }, key), 201);
  await s.advance(31 * DAY);
  await s.sweep();
  assert.deepEqual(await ok(withdraw(agent, { amount_usd: 20 }, key), 201), first);
  const answers = await Promise.all(Array.from({ length: 4 }, () => withdraw(agent, { amount_usd: 20 })));
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, 402, 402, 402]);
  assert.deepEqual(await balance(s, agent), [10, 0]);
});

/* staff */

/* In test mode no payout is ever open, so one is put there, as a request with a chain leaves it, without the job of a worker that would
 * soon say that there is no chain. */
async function openPayout(operator, amount = 10) {
  const id = (await s.sql(`select id_new(${operator.bucket}, '${await s.time()}') as id`))[0].id;
  await s.sql(`do $$ begin
    perform payout_request(${operator.bucket}, '${operator.uuid}', 'operator', '${id}', ${amount * 1e6}, 10000, '${to.lower}', 8453, false, '${await s.time()}');
    delete from jobs where kind = 'payout' and ref = '${id}';
  end $$`);
  return { id: publicId('payout', id), uuid: id };
}

test('staff sees what is stuck or open, tells it to go on, or ends it, each time on record', async () => {
  const operator = await earner(2), one = await openPayout(operator, 20), two = await openPayout(operator, 15);
  assert.deepEqual(await money(operator), [0, 15, 35]);
  await s.sql(`select payout_stuck(${operator.bucket}, '${one.uuid}', 'the chain refuses it', '${await s.time()}')`);
  const stuck = (await ok(staff('GET', '/payouts'))).data;
  assert.deepEqual(stuck.map((p) => [p.payout_id, p.status, p.state, p.problem, p.operator_id, p.nonce, p.cancelling]),
    [[one.id, 'PENDING_ONCHAIN', 'stuck', 'the chain refuses it', operator.id, null, false]]);
  const open = await ok(staff('GET', '/payouts?status=open&limit=1'));
  assert.deepEqual(open.data.map((p) => [p.payout_id, p.problem]), [[two.id, null]]);
  assert.deepEqual((await ok(staff('GET', `/payouts?status=open&limit=1&cursor=${open.pagination.next_cursor}`))).data.map((p) => p.payout_id), [one.id]);
  assert.ok((await ok(staff('GET', '/payouts?status=all&limit=100'))).data.some((p) => p.status === 'COMPLETED'));
  assertFaults(await staff('GET', '/payouts?status=lost'), ['status']);
  assert.deepEqual([(await ok(get(operator, `payout/status/${one.id}`))).status, (await ok(get(operator, `payout/status/${one.id}`))).problem],
    ['PENDING_ONCHAIN', undefined], 'the operator is not told of our troubles');

  const retried = await ok(staff('POST', `/payouts/${one.id}/retry`));
  assert.deepEqual([retried.state, retried.problem], ['reserved', null]);
  assertFaults(await staff('POST', `/payouts/${two.id}/fail`, {}), ['reason']);
  const failed = await ok(staff('POST', `/payouts/${two.id}/fail`, { reason: 'Wrong address' }));
  assert.deepEqual([failed.status, failed.state], ['FAILED', 'failed']);
  assert.deepEqual(await money(operator), [0, 30, 20], 'its money is back');
  assert.equal((await ok(staff('POST', `/payouts/${two.id}/fail`, { reason: 'again' }))).status, 'FAILED', 'ending it twice changes nothing');
  assert.deepEqual(await money(operator), [0, 30, 20]);
  assertRefused(await staff('POST', `/payouts/${two.id}/retry`), 409, 'payout_state_conflict');
  const done = (await ok(ask(operator), 201)).payout_id;
  assertRefused(await staff('POST', `/payouts/${done}/fail`, { reason: 'x' }), 409, 'payout_state_conflict');
  assertRefused(await staff('POST', '/payouts/payout_x/retry'), 404, 'payout_not_found');
  assertRefused(await staff('POST', `/payouts/${publicId('payout', '0192f0c8-0000-7000-8000-000000000000')}/fail`, { reason: 'x' }), 404, 'payout_not_found');
  const acts = (await ok(staff('GET', '/log'))).data;
  assert.deepEqual(acts.filter((act) => [one.id, two.id].includes(act.target)).map((act) => [act.act, act.target, act.data]).reverse(),
    [['payout.retry', one.id, { reason: null }], ['payout.fail', two.id, { reason: 'Wrong address' }], ['payout.fail', two.id, { reason: 'again' }]]);
  await ok(staff('POST', `/payouts/${one.id}/fail`, { reason: 'done with it' }));
  await booksAgree(s);
});

test('a worker starts with a key that is one and its own secret, or not at all, and shows it to nobody', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'humanops-key-')), digits = randomBytes(32).toString('hex'), order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const check = async (name, text, mode) => {
    const file = path.join(folder, name);
    if (text !== null) {
      writeFileSync(file, text);
      chmodSync(file, mode);
    }
    if (s.user !== null)
      execFileSync('chown', ['-R', s.user, folder]);
    const env = { BASE_RPC_URL: 'http://127.0.0.1:9', PAYOUT_PRIVATE_KEY_FILE: file, ETH_USD_PRICE: '3000' }, got = await s.program('worker', ['--check'], { env });
    assert.ok(![digits, order].some((secret) => got.stderr.includes(secret)), got.stderr);
    return got;
  };
  for (const [name, text, mode] of [['good', `0x${digits}\n`, 0o600], ['bare', digits, 0o400]]) {
    const { status, stderr } = await check(name, text, mode);
    assert.equal(status, 0, stderr);
  }
  const bad = { absent: null, empty: '', short: digits.slice(1), long: `${digits}0`, 'no-hex': digits.replace(/./, 'g'), zero: '0'.repeat(64), order, two: `${digits}\n${digits}\n` };
  for (const [name, text] of Object.entries(bad))
    assert.equal((await check(name, text, 0o600)).status, 78, name);
  for (const mode of [0o644, 0o640, 0o604, 0o660])
    assert.equal((await check(`mode-${mode.toString(8)}`, digits, mode)).status, 78, `readable by others: ${mode.toString(8)}`);
});

test('without a chain there are no reserves to show, and a freeze ends by staff alone', async () => {
  const audit = await ok(staff('GET', '/ledger/audit'));
  assert.deepEqual([audit.reserves, audit.balanced], [null, true]);
  assertFaults(await staff('POST', '/payouts/unfreeze', {}), ['reason']);
  assert.deepEqual(await ok(staff('POST', '/payouts/unfreeze', { reason: 'Looked' })), { frozen: false });
  assert.deepEqual((await ok(staff('GET', '/log?limit=1'))).data.map((act) => [act.act, act.target, act.data]),
    [['payouts.unfreeze', 'chain_8453', { reason: 'Looked' }]]);
});
