/*
 * Wallets and USDC deposits in test mode, where no chain is asked: what binds a wallet and what does not, and a deposit for each hash.
 * What a chain changes about deposits is tests/chain's.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { addr, eip191Signer } from 'micro-eth-signer';
import { stack } from '../stack.mjs';
import { TIME, assertFaults, assertRefused, balance } from './forms.mjs';

const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n; /* of secp256k1's group */
const DEPOSIT = '0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70';
const s = await stack({ settings: [`DEPOSIT_ADDRESS=${DEPOSIT}`] });

function newWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`, address = addr.fromPrivateKey(key);
  return { address, lower: address.toLowerCase(), sign: (text) => eip191Signer.sign(text, key, false) };
}

const agentOf = (more = {}) => s.agent({ tier: 'VERIFIED', ...more });
const hash = () => `0x${randomBytes(32).toString('hex')}`;
const word = (number) => number.toString(16).padStart(64, '0');
const ask = (agent, body) => s.call('POST', '/agents/wallet/challenge', { key: agent.key, ...(body ? { body } : {}) });
const put = (agent, body) => s.call('PUT', '/agents/wallet', { key: agent.key, body });
const show = (agent) => s.call('GET', '/agents/wallet', { key: agent.key });
const where = async (agent) => (await s.call('GET', '/agents/deposit-address', { key: agent.key })).json;
const deposit = (agent, body, headers = {}) => s.call('POST', '/agents/deposit/usdc', { key: agent.key, body, headers });
const rowsOf = (agent) => s.sql(`select * from usdc_deposits where agent_id = '${agent.uuid}' order by created_at`);

async function challenge(agent) {
  const answer = await ask(agent);
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

/* The request that binds a wallet, and what is changed about it. */
async function proof(agent, wallet, change = {}) {
  const { nonce, message } = await challenge(agent);
  return { wallet_address: wallet.address, nonce, signature: wallet.sign(message), chain: 'base', ...change };
}

async function bind(agent, wallet = newWallet()) {
  const answer = await put(agent, await proof(agent, wallet));
  assert.equal(answer.status, 200, answer.text);
  return wallet;
}

test('a challenge is the text that the reference shows, to the letter', async () => {
  const agent = await agentOf(), answer = await ask(agent, { chain: 'base' });
  assert.equal(answer.status, 201, answer.text);
  assert.deepEqual(Object.keys(answer.json), ['chain', 'nonce', 'issued_at', 'message']);
  const { chain, nonce, issued_at: issued, message } = answer.json;
  assert.equal(chain, 'base');
  assert.match(nonce, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.match(issued, TIME);
  assert.ok(Math.abs(Date.parse(issued) - await s.now()) < 60_000);
  assert.equal(message, `HumanOps deposit wallet verification\nagent_id: ${agent.id}\nchain: base\nnonce: ${nonce}\nissued_at: ${issued}`);
  assert.notEqual((await challenge(agent)).nonce, nonce);
});

test('a signed challenge binds the wallet, and the deposit address tells', async () => {
  const agent = await agentOf(), wallet = newWallet();
  assertRefused(await show(agent), 404, 'wallet_not_found');
  assert.deepEqual([(await where(agent)).wallet_address, (await where(agent)).wallet_verified], [null, false]);
  const answer = await put(agent, await proof(agent, wallet));
  assert.equal(answer.status, 200, answer.text);
  assert.deepEqual(Object.keys(answer.json), ['agent_id', 'wallet_address', 'chain', 'verified_at']);
  assert.deepEqual([answer.json.agent_id, answer.json.wallet_address, answer.json.chain], [agent.id, wallet.address, 'base']);
  assert.match(answer.json.verified_at, TIME);
  assert.deepEqual((await show(agent)).json, answer.json);
  const { message, ...rest } = await where(agent);
  assert.ok(message.length > 20);
  assert.deepEqual(rest, { address: DEPOSIT, chain: 'base', chain_id: 8453, currency: 'USDC',
    contract_address: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', confirmations_required: 12, min_deposit: 5, max_deposit: 10000,
    wallet_address: wallet.address, wallet_verified: true });
});

test('an address is taken in lower case, upper case, and mixed with the right checksum', async () => {
  const agent = await agentOf(), wallet = newWallet();
  for (const text of [wallet.lower, `0x${wallet.lower.slice(2).toUpperCase()}`, wallet.address]) {
    const answer = await put(agent, await proof(agent, wallet, { wallet_address: text }));
    assert.deepEqual([answer.status, answer.json.wallet_address], [200, wallet.address], answer.text);
  }
  const letter = [...wallet.address].findIndex((c, i) => i > 1 && /[a-f]/i.test(c));
  const flipped = [...wallet.address].map((c, i) => (i !== letter ? c : c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('');
  const mixed = /[a-f]/.test(flipped.slice(2)) && /[A-F]/.test(flipped.slice(2));
  assertFaults(await put(agent, await proof(agent, wallet, { wallet_address: mixed ? flipped : `0x${wallet.lower.slice(2)}x` })), ['wallet_address']);
});

test('fields are checked, all at once', async () => {
  const agent = await agentOf(), wallet = newWallet(), good = await proof(agent, wallet);
  for (const [change, faults] of [
    [{ wallet_address: undefined, nonce: undefined, signature: undefined }, ['wallet_address', 'nonce', 'signature']],
    [{ wallet_address: wallet.address.slice(2) }, ['wallet_address']], [{ wallet_address: `${wallet.address}0` }, ['wallet_address']],
    [{ wallet_address: wallet.lower.replace('0x', '0X') }, ['wallet_address']], [{ wallet_address: ` ${wallet.address}` }, ['wallet_address']],
    [{ wallet_address: `0x${'g'.repeat(40)}` }, ['wallet_address']], [{ wallet_address: 5 }, ['wallet_address']],
    [{ nonce: 'x' }, ['nonce']], [{ nonce: `${good.nonce} ` }, ['nonce']], [{ nonce: good.nonce.replace('-', '0') }, ['nonce']],
    [{ signature: '' }, ['signature']], [{ signature: good.signature.slice(0, -2) }, ['signature']], [{ signature: `${good.signature}00` }, ['signature']],
    [{ chain: 'ethereum' }, ['chain']], [{ address: wallet.address }, ['address']],
    [{ wallet_address: '0x', nonce: 'x', signature: 'x', chain: 'x' }, ['wallet_address', 'nonce', 'signature', 'chain']],
  ])
    assertFaults(await put(agent, { ...good, ...change }), faults, JSON.stringify(change));
  assertFaults(await ask(agent, { chain: 'polygon' }), ['chain']);
  assertRefused(await show(agent), 404, 'wallet_not_found');
  assert.equal((await put(agent, good)).status, 200, 'and the challenge is still good');
});

test('what is not the wallet\'s signature over this very challenge binds nothing', async () => {
  const agent = await agentOf(), other = await agentOf(), wallet = newWallet(), stranger = newWallet();
  const { nonce, message, issued_at: issued } = await challenge(agent), theirs = await challenge(other), older = await challenge(agent);
  const signature = wallet.sign(message), [r, tail, v] = [signature.slice(2, 66), signature.slice(66, 130), signature.slice(130)];
  const twin = word(ORDER - BigInt(`0x${tail}`)), turned = v === '1b' ? '1c' : '1b';
  const bad = {
    'by another wallet': stranger.sign(message), 'of another agent\'s challenge': wallet.sign(theirs.message), 'of another challenge': wallet.sign(older.message),
    'of the text and a newline': wallet.sign(`${message}\n`), 'of the nonce alone': wallet.sign(nonce), 'of the text for another agent': wallet.sign(message.replace(agent.id, other.id)),
    'of the text at another time': wallet.sign(message.replace(issued, '2026-01-01T00:00:00.000Z')), 'of nothing': wallet.sign(''),
    'by the other of two points': `0x${r}${tail}${turned}`, 'with s in the upper half': `0x${r}${twin}${turned}`, 'with s in the upper half and v as it was': `0x${r}${twin}${v}`,
    'with a v of 29': `0x${r}${tail}1d`, 'with a v of 2': `0x${r}${tail}02`, 'with a v of 255': `0x${r}${tail}ff`,
    'with r zero': `0x${word(0n)}${tail}${v}`, 'with s zero': `0x${r}${word(0n)}${v}`, 'with r the order': `0x${word(ORDER)}${tail}${v}`, 'with s the order': `0x${r}${word(ORDER)}${v}`,
    'with r beyond it': `0x${'f'.repeat(64)}${tail}${v}`, 'of zeros': `0x${'0'.repeat(130)}`, 'of ones': `0x${'f'.repeat(130)}`,
    'without hex': `0x${'g'.repeat(130)}`, 'without 0x': `${signature.slice(2)}00`, 'turned round': `0x${tail}${r}${v}`,
  };
  for (const [what, text] of Object.entries(bad))
    assertFaults(await put(agent, { wallet_address: wallet.address, nonce, signature: text }), ['signature'], what);
  assertRefused(await show(agent), 404, 'wallet_not_found');
  const short = `0x${r}${tail}${v === '1b' ? '00' : '01'}`;
  assert.equal((await put(agent, { wallet_address: wallet.address, nonce: nonce.toUpperCase(), signature: short })).status, 200, 'v may be 0 or 1, the nonce in either case');
});

test('a challenge is used once, by its own agent, within ten minutes', async () => {
  const agent = await agentOf(), other = await agentOf(), wallet = newWallet(), used = await proof(agent, wallet);
  assert.equal((await put(agent, used)).status, 200);
  assertRefused(await put(agent, used), 400, 'challenge_invalid', 'used');
  assertRefused(await put(agent, { ...used, nonce: randomUUID() }), 400, 'challenge_invalid', 'never given');
  assertRefused(await put(other, await proof(agent, newWallet())), 400, 'challenge_invalid', 'another agent\'s');
  const late = await proof(agent, newWallet()), early = await proof(other, newWallet());
  await s.advance(590);
  assert.equal((await put(other, early)).status, 200, 'before its ten minutes are over');
  await s.advance(11);
  assertRefused(await put(agent, late), 400, 'challenge_invalid', 'too old');
  assert.equal((await show(agent)).json.wallet_address, wallet.address);
});

test('ten challenges may be open; one more ends the oldest', async () => {
  const agent = await agentOf(), wallet = newWallet(), proofs = [];
  for (let i = 0; i < 11; i++) proofs.push(await proof(agent, wallet));
  assertRefused(await put(agent, proofs[0]), 400, 'challenge_invalid');
  for (const one of [proofs[1], proofs[10]]) assert.equal((await put(agent, one)).status, 200);
});

test('a wallet is one agent\'s, until that agent binds another', async () => {
  const [owner, other] = [await agentOf(), await agentOf()], wallet = await bind(owner);
  assertRefused(await put(other, await proof(other, wallet)), 409, 'wallet_taken');
  assertRefused(await show(other), 404, 'wallet_not_found');
  const next = await bind(owner);
  assert.equal((await show(owner)).json.wallet_address, next.address);
  await bind(other, wallet);
  assertRefused(await put(owner, await proof(owner, wallet)), 409, 'wallet_taken');
  assert.equal((await show(owner)).json.wallet_address, next.address, 'and what failed changed nothing');
  const before = (await show(owner)).json.verified_at;
  await s.advance(5);
  await bind(owner, next);
  assert.notEqual((await show(owner)).json.verified_at, before, 'one\'s own wallet may be bound anew');
  const held = await s.sql(`select value from registry where kind = 'wallet' and party_id in ('${owner.uuid}', '${other.uuid}') order by 1`);
  assert.deepEqual(held.map((row) => row.value), [wallet.lower, next.lower].sort());
});

test('of many who bind one wallet at once, one has it', async () => {
  const wallet = newWallet(), agents = await Promise.all(Array.from({ length: 8 }, () => agentOf()));
  const proofs = await Promise.all(agents.map((agent) => proof(agent, wallet)));
  const answers = await Promise.all(agents.map((agent, i) => put(agent, proofs[i])));
  assert.deepEqual(answers.map((a) => a.status).sort(), [200, ...Array(7).fill(409)]);
  const shown = await Promise.all(agents.map(show));
  assert.deepEqual(shown.map((a) => a.status), answers.map((a) => (a.status === 200 ? 200 : 404)));
});

test('of one challenge\'s many uses at once, one counts; of one agent\'s challenges for one wallet, all', async () => {
  const agent = await agentOf(), wallet = newWallet(), one = await proof(agent, wallet);
  const same = await Promise.all(Array.from({ length: 6 }, () => put(agent, one)));
  assert.deepEqual(same.map((a) => a.status).sort(), [200, ...Array(5).fill(400)]);
  const proofs = [];
  for (let i = 0; i < 6; i++) proofs.push(await proof(agent, wallet));
  const all = await Promise.all(proofs.map((body) => put(agent, body)));
  assert.deepEqual(all.map((a) => a.status), Array(6).fill(200));
});

test('reading takes a key with the scope read, everything else one with funds', async () => {
  const agent = await agentOf();
  const keyOf = async (scope) => ({ key: (await s.call('POST', '/agents/keys', { key: agent.key, body: { name: scope, scopes: [scope] } })).json.api_key });
  const [reader, funder] = [await keyOf('read'), await keyOf('funds')];
  for (const call of [() => ask(reader), () => put(reader, {}), () => deposit(reader, {})]) assertRefused(await call(), 403, 'scope_missing');
  assert.equal((await where(reader)).address, DEPOSIT);
  for (const call of [() => show(funder), () => s.call('GET', '/agents/deposit-address', { key: funder.key })]) assertRefused(await call(), 403, 'scope_missing');
  assert.equal((await put(funder, await proof(funder.key ? { ...agent, key: funder.key } : agent, newWallet()))).status, 200);
});

/* Deposits */

test('in test mode a deposit is credited as it is claimed, once for each hash, however it is written', async () => {
  const agent = await agentOf(), one = hash();
  const made = await deposit(agent, { tx_hash: one, amount_usdc: 100.25, chain: 'base' });
  assert.equal(made.status, 200, made.text);
  assert.deepEqual(Object.keys(made.json), ['transaction_id', 'chain', 'tx_hash', 'amount_usdc', 'amount_credited', 'status', 'confirmations',
    'confirmations_required', 'message']);
  const { transaction_id: transaction, message, ...rest } = made.json;
  assert.match(transaction, /^txn_[0-9a-z]{26}$/);
  assert.match(message, /test mode/);
  assert.deepEqual(rest, { chain: 'base', tx_hash: one, amount_usdc: 100.25, amount_credited: 100.25, status: 'confirmed', confirmations: 12, confirmations_required: 12 });
  for (const text of [one, `0x${one.slice(2).toUpperCase()}`]) {
    const again = await deposit(agent, { tx_hash: text, amount_usdc: 7, chain: 'base' });
    assert.deepEqual([again.status, again.json.transaction_id, again.json.amount_credited], [200, transaction, 100.25], again.text);
  }
  assert.deepEqual(await balance(s, agent), [100.25, 0]);
  assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).json.tier, 'STANDARD');
  const statement = (await s.call('GET', '/agents/transactions', { key: agent.key })).json.data;
  assert.deepEqual(statement.map((line) => [line.transaction_id, line.type]), [[transaction, 'deposit_usdc']]);
  const events = (await s.call('GET', '/events', { key: agent.key })).json.data;
  assert.deepEqual(events.map((e) => [e.event, e.to, e.amount_usd, e.tx_hash, e.transaction_id]),
    [['deposit.pending', 'pending', 100.25, one, undefined], ['deposit.confirmed', 'confirmed', 100.25, one, transaction]]);
  const [row] = await rowsOf(agent);
  assert.deepEqual([row.is_final, row.status, row.tx_hash], [true, 'confirmed', one]);
  assert.deepEqual(await s.audit(), []);
});

test('a hash that one agent has used is no other\'s', async () => {
  const [agent, other] = [await agentOf(), await agentOf()], one = hash();
  assert.equal((await deposit(agent, { tx_hash: one, amount_usdc: 5 })).status, 200);
  assertRefused(await deposit(other, { tx_hash: `0x${one.slice(2).toUpperCase()}`, amount_usdc: 5 }), 409, 'deposit_taken');
  assert.deepEqual([await balance(s, agent), await balance(s, other)], [[5, 0], [0, 0]]);
});

test('thirty at once with one hash, by two agents: one is credited, once', async () => {
  const [agent, other] = [await agentOf(), await agentOf()], one = hash();
  const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => deposit(i % 2 ? agent : other, { tx_hash: one, amount_usdc: 60 })));
  const good = answers.filter((a) => a.status === 200), bad = answers.filter((a) => a.status !== 200);
  assert.deepEqual([good.length, bad.length], [15, 15], answers.map((a) => a.status).join(' '));
  assert.equal(new Set(good.map((a) => a.json.transaction_id)).size, 1);
  bad.forEach((a) => assertRefused(a, 409, 'deposit_taken'));
  assert.deepEqual([...(await balance(s, agent)), ...(await balance(s, other))].sort((a, b) => a - b), [0, 0, 0, 60]);
  assert.deepEqual(await s.audit(), []);
});

test('an idempotency key gives the first answer again, and another body is told so', async () => {
  const agent = await agentOf(), body = { tx_hash: hash(), amount_usdc: 12.345678 }, headers = { 'Idempotency-Key': 'once' };
  const first = await deposit(agent, body, headers), again = await deposit(agent, body, headers);
  assert.deepEqual([first.status, again.status, again.headers['idempotent-replayed']], [200, 200, 'true']);
  assert.equal(again.text, first.text);
  assertRefused(await deposit(agent, { ...body, amount_usdc: 13 }, headers), 409, 'idempotency_mismatch');
  assert.deepEqual(await balance(s, agent), [12.345678, 0]);
  const many = await Promise.all(Array.from({ length: 10 }, () => deposit(agent, { tx_hash: body.tx_hash, amount_usdc: 5 }, { 'Idempotency-Key': 'many' })));
  many.forEach((a) => assert.ok(a.status === 200 || (a.status === 409 && a.json.code === 'idempotency_in_progress'), a.text));
  assert.deepEqual(await balance(s, agent), [12.345678, 0]);
});

test('amounts are checked at the limits, hashes to the letter', async () => {
  const agent = await agentOf(), one = hash(), good = { tx_hash: one, amount_usdc: 100, chain: 'base' };
  for (const [change, faults] of [
    [{ amount_usdc: 4.999999 }, ['amount_usdc']], [{ amount_usdc: 10000.000001 }, ['amount_usdc']], [{ amount_usdc: 5.0000001 }, ['amount_usdc']],
    [{ amount_usdc: '5' }, ['amount_usdc']], [{ amount_usdc: -5 }, ['amount_usdc']], [{ amount_usdc: undefined }, ['amount_usdc']],
    [{ tx_hash: one.slice(2) }, ['tx_hash']], [{ tx_hash: `${one}0` }, ['tx_hash']], [{ tx_hash: one.slice(0, -1) }, ['tx_hash']],
    [{ tx_hash: one.replace('0x', '0X') }, ['tx_hash']], [{ tx_hash: ` ${one}` }, ['tx_hash']], [{ tx_hash: `0x${'g'.repeat(64)}` }, ['tx_hash']],
    [{ tx_hash: undefined }, ['tx_hash']], [{ chain: 'ethereum' }, ['chain']], [{ chain: 8453 }, ['chain']], [{ amount_usd: 5 }, ['amount_usd']],
    [{ tx_hash: '0x', amount_usdc: 0, chain: '' }, ['tx_hash', 'amount_usdc', 'chain']],
  ])
    assertFaults(await deposit(agent, { ...good, ...change }), faults, JSON.stringify(change));
  assert.deepEqual(await rowsOf(agent), []);
  for (const amount_usdc of [5, 10000, 1e1, 5.000001]) assert.equal((await deposit(agent, { ...good, tx_hash: hash(), amount_usdc })).status, 200);
  assert.deepEqual(await balance(s, agent), [10020.000001, 0]);
  assert.deepEqual(await s.audit(), []);
});
