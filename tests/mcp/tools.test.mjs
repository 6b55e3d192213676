/*
 * The tools: what they are called and take, by the reference; that the official clients list and call every one of them, in both
 * eras; that each argument reaches the handler; that money moves once.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { addr, eip191Signer } from 'micro-eth-signer';
import { stack } from '../stack.mjs';
import { newOperator, prepare, proof } from '../work.mjs';
import { clients, digital, failure, front, legacy, tool } from './mcp.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=3600', 'ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
const agent = await s.agent({ tier: 'STANDARD', deposit: 100_000 });
const operator = await newOperator(s);
const address = await front(s);
const listed = (await legacy(s, 'tools/list', {}, { key: agent.key })).json.result.tools;

const asOperator = (where, body) => s.call('POST', `/operator${where}`, { body, headers: { 'X-Operator-Id': operator.id } });
const one = async (status) => ({ task_id: (await prepare(s, { agent, operator, status }))[0].id });

const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
const sealed = { ciphertext: randomBytes(48).toString('base64'), iv: randomBytes(12).toString('base64'),
  ephemeralPublicKey: Buffer.from(pair, 'base64').subarray(-65).toString('base64'), algorithm: 'ECDH-P256-AES-256-GCM' };

async function credentialTask() {
  const { task_id } = await tool(s, agent, 'dispatch_credential_task', { title: 'Fetch a key', description: 'Sign up and fetch a key.', credential_category: 'API_KEY_PROCUREMENT',
    reward_usd: 20, deadline: await s.time(3 * 86400), agent_public_key: pair });
  assert.equal((await asOperator(`/tasks/${task_id}/accept`, { estimate_minutes: 30 })).status, 200);
  await tool(s, agent, 'approve_estimate', { task_id });
  const sent = await asOperator(`/tasks/${task_id}/submit`, { encrypted_credential: sealed });
  assert.equal(sent.status, 200, sent.text);
  const { status } = await tool(s, agent, 'get_task_result', { task_id });
  if (status !== 'COMPLETED')
    await s.call('POST', `/tasks/${task_id}/verify`, { key: agent.key, body: { decision: 'APPROVE' } });
  return { task_id };
}
const withCredential = await credentialTask();

/* In test mode no chain is asked, but a wallet is bound as ever. */
async function bindWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`;
  const { nonce, message } = (await s.call('POST', '/agents/wallet/challenge', { key: agent.key })).json;
  const body = { wallet_address: addr.fromPrivateKey(key), nonce, signature: eip191Signer.sign(message, key, false), chain: 'base' };
  const bound = await s.call('PUT', '/agents/wallet', { key: agent.key, body });
  assert.equal(bound.status, 200, bound.text);
  return body.wallet_address;
}
const wallet = await bindWallet();

/* "Available Tools" of the reference: ? marks what is optional. */
const REFERENCE = {
  search_operators: 'lat, lng, radius_km?, task_type?, min_rating?',
  post_task: 'title, description, location, reward_usd, deadline, proof_requirements, task_type, callback_url?, callback_secret?, idempotency_key?',
  dispatch_digital_task: 'title, description, digital_category, reward_usd, deadline, proof_requirements, digital_instructions?, callback_url?, callback_secret?, idempotency_key?',
  dispatch_credential_task: 'title, description, credential_category, reward_usd, deadline, digital_instructions?, callback_url?',
  retrieve_credential: 'task_id',
  list_digital_categories: '',
  get_task_result: 'task_id',
  check_verification_status: 'task_id',
  fund_account: 'amount_usdc, tx_hash',
  request_payout: 'amount_usd, wallet_address, chain',
  get_balance: '',
  get_deposit_address: '',
  approve_estimate: 'task_id',
  reject_estimate: 'task_id, reason?',
  cancel_task: 'task_id',
  list_tasks: 'status?, limit?, offset?',
};
/* Ours beyond it. */
const BEYOND = {
  register_agent: 'name, email, company?',
  send_message: 'task_id, message',
  dispute_task: 'task_id, reason',
  verify_task: 'task_id, decision, reason?',
  wait_for_task: 'task_id, timeout_seconds?, after_status?',
};

test('the tools are those of the reference with its parameters, and ours', () => {
  const shown = Object.fromEntries(listed.map(({ name, inputSchema: { properties, required } }) =>
    [name, Object.keys(properties).map((p) => (required.includes(p) ? p : `${p}?`))]));
  for (const [name, params] of Object.entries({ ...REFERENCE, ...BEYOND })) {
    /* Over HTTP nobody but the caller can keep a private key. */
    const more = name === 'dispatch_credential_task' ? ['agent_public_key'] : [];
    assert.deepEqual([...(shown[name] ?? [])].sort(), [...(params ? params.split(', ') : []), ...more].sort(), name);
  }
  assert.deepEqual(Object.keys(shown).sort(), Object.keys({ ...REFERENCE, ...BEYOND }).sort());
});

test('each description tells what it costs, or what moves', () => {
  for (const { name, description, annotations } of listed)
    if (annotations.readOnlyHint && name !== 'retrieve_credential')
      assert.match(description, /Costs nothing/, name);
  for (const name of ['post_task', 'dispatch_digital_task', 'dispatch_credential_task'])
    assert.match(listed.find((t) => t.name === name).description, /escrow|Money and steps are those of post_task/, name);
});

/* every tool by every official client */

/* What each is called with, and what comes back. */
const physical = async () => ({ title: 'Look at a sign', description: 'Take a photo of the sign.', location: { lat: 40.7128, lng: -74.006, address: '123 Main St' },
  reward_usd: 19.99, deadline: await s.time(3 * 86400), proof_requirements: ['Photo of the sign'], task_type: 'VERIFICATION' });
const calls = {
  register_agent: [async () => ({ name: 'made', email: `${randomBytes(8).toString('hex')}@example.com`, company: 'Acme' }), (r) => assert.match(r.api_key, /^ho_live_/)],
  search_operators: [async () => ({ lat: 40.7, lng: -74, radius_km: 30, task_type: 'PHOTO', min_rating: 0 }), (r) => assert.ok(Array.isArray(r.data))],
  post_task: [physical, (r) => assert.deepEqual([r.status, r.platform_fee, r.total_escrow], ['PENDING', 2, 21.99])],
  dispatch_digital_task: [() => digital(s, { digital_instructions: 'Slowly.' }), (r) => assert.equal(r.status, 'PENDING')],
  dispatch_credential_task: [async () => ({ title: 'A', description: 'B', credential_category: 'PHONE_VERIFICATION', reward_usd: 25, deadline: await s.time(86400), agent_public_key: pair }),
    (r) => assert.equal(r.reward_usd, 25)],
  retrieve_credential: [async () => withCredential, (r) => assert.equal(r.encrypted_credential.ciphertext, sealed.ciphertext)],
  list_digital_categories: [async () => ({}), (r) => assert.deepEqual(r.data.map((c) => c.task_domain).filter((d) => d !== 'DIGITAL'), [])],
  get_task_result: [() => one('SUBMITTED'), (r) => assert.equal(r.status, 'SUBMITTED')],
  check_verification_status: [() => one('MANUAL_REVIEW'), (r) => assert.deepEqual([r.decision, r.confidence, r.requirement_results], ['MANUAL_REVIEW', 70, []])],
  wait_for_task: [async () => ({ ...await one('ESTIMATE_PENDING'), timeout_seconds: 1 }), (r) => assert.equal(r.changed, false)],
  list_tasks: [async () => ({ status: 'SUBMITTED', limit: 5, offset: 0 }), (r) => assert.equal(r.pagination.limit, 5)],
  approve_estimate: [() => one('ESTIMATE_PENDING'), (r) => assert.deepEqual([r.status, r.estimate_minutes], ['ACCEPTED', 30])],
  reject_estimate: [async () => ({ ...await one('ESTIMATE_PENDING'), reason: 'Too long' }), (r) => assert.equal(r.status, 'PENDING')],
  verify_task: [async () => ({ ...await one('MANUAL_REVIEW'), decision: 'APPROVE' }), (r) => assert.equal(r.status, 'COMPLETED')],
  dispute_task: [async () => ({ ...await one('COMPLETED'), reason: 'Not what I asked for' }), (r) => assert.equal(r.status, 'DISPUTED')],
  cancel_task: [() => one('PENDING'), (r) => assert.deepEqual([r.status, r.refunded_usd], ['CANCELLED', 27.5])],
  send_message: [async () => ({ ...await one('ACCEPTED'), message: 'Are you there?' }), (r) => assert.match(r.message_id, /^msg_/)],
  get_balance: [async () => ({}), (r) => assert.equal(r.currency, 'USD')],
  get_deposit_address: [async () => ({}), (r) => assert.deepEqual([r.chain, r.wallet_verified, r.min_deposit], ['base', true, 5])],
  fund_account: [async () => ({ amount_usdc: 12.5, tx_hash: `0x${randomBytes(32).toString('hex')}` }), (r) => assert.deepEqual([r.status, r.amount_credited], ['confirmed', 12.5])],
  request_payout: [async () => ({ amount_usd: 10, wallet_address: wallet, chain: 'base' }), (r) => assert.deepEqual([r.amount_usd, r.to_address.toLowerCase()], [10, wallet.toLowerCase()])],
};

for (const [who, connect] of Object.entries(clients))
  test(`${who} lists every tool and calls each, and each answer fits the schema that it was promised`, async () => {
    const client = await connect(address.url, agent.key);
    const { tools } = await client.listTools();
    assert.deepEqual(tools.map((t) => t.name), listed.map((t) => t.name));
    assert.deepEqual(Object.keys(calls).sort(), tools.map((t) => t.name).sort(), 'none is left out here');
    for (const { name } of tools) {
      const [args, check] = calls[name];
      const result = await client.callTool({ name, arguments: await args() }); /* throws where the output misses its schema */
      assert.notEqual(result.isError, true, `${name}: ${result.content[0].text}`);
      assert.deepEqual(JSON.parse(result.content.at(-1).text), result.structuredContent, name);
      check(result.structuredContent);
    }
    await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), /no such tool/);
    const bad = await client.callTool({ name: 'cancel_task', arguments: { task_id: 'task_1' } });
    assert.deepEqual([bad.isError, JSON.parse(bad.content[0].text).code], [true, 'task_not_found']);
    await client.close();
  });

test('a client without a key sees how to get one, and uses it at once', async () => {
  const stranger = await clients[`SDK v2, 2026-07-28`](address.url);
  const { tools } = await stranger.listTools();
  assert.deepEqual(tools.map((t) => t.name), ['register_agent']);
  const made = await stranger.callTool({ name: 'register_agent', arguments: { name: 'new', email: `${randomBytes(8).toString('hex')}@example.com` } });
  await stranger.close();
  const agentsOwn = await clients['SDK v1'](address.url, made.structuredContent.api_key);
  const posted = await agentsOwn.callTool({ name: 'dispatch_digital_task', arguments: await digital(s, { reward_usd: 5 }) });
  assert.equal(posted.structuredContent.sandbox, true);
  await agentsOwn.close();
});

/* arguments */

test('every argument of every tool reaches something that knows it: a value of another kind is named', async () => {
  for (const { name, inputSchema } of listed) {
    const args = Object.fromEntries(Object.entries(inputSchema.properties).map(([p, { type }]) => [p, type === 'object' ? 5 : { x: 1 }]));
    if (Object.keys(args).length === 0)
      continue;
    const fault = await failure(s, agent, name, args);
    assert.equal(fault.code, 'validation_failed', `${name} ${JSON.stringify(fault)}`);
    assert.deepEqual(Object.keys(fault.details.fields).sort(), Object.keys(args).sort(), `${name}: each, and at once`);
    for (const [field, text] of Object.entries(fault.details.fields))
      assert.doesNotMatch(text, /is not a/, `${name}.${field}: ${text}`);
    assert.ok(fault.hint);
  }
});

test('what is missing and what is unknown is named at once, by the names of the tool', async () => {
  for (const { name, inputSchema } of listed) {
    const fault = await failure(s, agent, name, { nonsense: 1 });
    assert.deepEqual(Object.keys(fault.details.fields).sort(), ['nonsense', ...inputSchema.required].sort(), name);
  }
  for (const [name, field] of [['post_task', 'sandbox'], ['post_task', 'proof_type'], ['dispatch_digital_task', 'task_type'], ['list_tasks', 'cursor'], ['search_operators', 'limit']]) {
    const fault = await failure(s, agent, name, { [field]: 'PHOTO' });
    assert.equal(fault.details.fields[field], 'is not an argument of this tool', `${name} does not have the field of the API`);
  }
});

for (const [name, change, field] of [
  ['dispatch_digital_task', { reward_usd: 10.005 }, 'reward_usd'], ['dispatch_digital_task', { reward_usd: '10' }, 'reward_usd'],
  ['dispatch_digital_task', { digital_category: 'PHOTO ' }, 'digital_category'], ['dispatch_digital_task', { digital_category: 7 }, 'digital_category'],
  ['dispatch_digital_task', { proof_requirements: [] }, 'proof_requirements'], ['dispatch_digital_task', { proof_requirements: ['a', 5] }, 'proof_requirements[1]'],
  ['dispatch_digital_task', { deadline: 'tomorrow' }, 'deadline'], ['dispatch_digital_task', { title: 'a\u0000b' }, 'title'],
  ['dispatch_digital_task', { idempotency_key: 'two words' }, 'idempotency_key'], ['dispatch_digital_task', { idempotency_key: 'k'.repeat(256) }, 'idempotency_key'],
])
  test(`refused, naming the argument: ${name} ${JSON.stringify(change).slice(0, 60)}`, async () => {
    const fault = await failure(s, agent, name, await digital(s, change));
    assert.deepEqual([fault.code, Object.keys(fault.details.fields)], ['validation_failed', [field]]);
  });

test('arguments that are no object are a fault of the message', async () => {
  for (const args of [[], 'x', 5, true]) {
    const { json } = await legacy(s, 'tools/call', { name: 'get_balance', arguments: args }, { key: agent.key });
    assert.equal(json.error.code, -32602);
  }
  for (const name of [undefined, 7, '', 'Get_balance', 'get_balance\u0000'])
    assert.equal((await legacy(s, 'tools/call', { name, arguments: {} }, { key: agent.key })).json.error.code, -32602, name);
});

/* money */

test('USDC is told of once, a payout goes to the bound wallet and nowhere else', async () => {
  const tx_hash = `0x${randomBytes(32).toString('hex')}`, before = await tool(s, agent, 'get_balance');
  const told = await tool(s, agent, 'fund_account', { amount_usdc: 100, tx_hash });
  const again = await tool(s, agent, 'fund_account', { amount_usdc: 100, tx_hash: tx_hash.toUpperCase().replace('X', 'x') });
  assert.equal(again.transaction_id, told.transaction_id);
  assert.ok(Math.abs((await tool(s, agent, 'get_balance')).deposit_balance - before.deposit_balance - 100) < 1e-6);
  const thief = await s.agent({ tier: 'VERIFIED' });
  assert.equal((await failure(s, thief, 'fund_account', { amount_usdc: 100, tx_hash })).code, 'deposit_taken');
  assert.deepEqual(Object.keys((await failure(s, agent, 'fund_account', { amount_usdc: 4.99, tx_hash: '0x12' })).details.fields).sort(), ['amount_usdc', 'tx_hash']);
  const elsewhere = await failure(s, agent, 'request_payout', { amount_usd: 10, wallet_address: `0x${'2'.repeat(40)}`, chain: 'base' });
  assert.deepEqual(Object.keys(elsewhere.details.fields), ['wallet_address']);
  const unbound = await failure(s, thief, 'request_payout', { amount_usd: 10, wallet_address: wallet, chain: 'base' });
  assert.equal(unbound.code, 'wallet_required');
  assert.match(unbound.hint, /wallet/);
});

test('an operator sees one tool, the payout, and it is that of the operator', async () => {
  const headers = { 'X-Operator-Id': operator.id };
  const { json } = await legacy(s, 'tools/list', {}, { headers });
  assert.deepEqual(json.result.tools.map((t) => t.name), ['request_payout']);
  const ask = (name, args) => legacy(s, 'tools/call', { name, arguments: args }, { headers });
  assert.equal((await ask('get_balance', {})).status, 401);
  const [done] = await prepare(s, { agent, operator, status: 'COMPLETED' });
  await s.sql(`update earnings set available_at = now() - interval '1 day' where task_id = '${done.uuid}'`);
  const args = { amount_usd: 25, wallet_address: wallet, chain: 'base' };
  const early = (await ask('request_payout', { ...args, amount_usd: 1_000 })).json.result;
  assert.deepEqual([early.isError, JSON.parse(early.content[0].text).code], [true, 'payout_balance']);
  await s.sweep();
  const { result } = (await ask('request_payout', args)).json;
  assert.equal(result.isError, false, JSON.stringify(result));
  const status = await s.call('GET', `/operator/payout/status/${result.structuredContent.payout_id}`, { headers });
  assert.equal(status.json.amount_usd, 25);
});

test('with the same idempotency_key a task is posted once and answered twice, at once too', async () => {
  const args = await digital(s, { idempotency_key: 'once-1', reward_usd: 11 });
  const before = await tool(s, agent, 'get_balance');
  const first = await tool(s, agent, 'dispatch_digital_task', args);
  assert.deepEqual(await tool(s, agent, 'dispatch_digital_task', args), first);
  const other = await failure(s, agent, 'dispatch_digital_task', { ...args, reward_usd: 12 });
  assert.equal(other.code, 'idempotency_mismatch');
  const many = await digital(s, { idempotency_key: 'once-2', reward_usd: 12 });
  const answers = await Promise.all(Array.from({ length: 10 }, () => legacy(s, 'tools/call', { name: 'dispatch_digital_task', arguments: many }, { key: agent.key })));
  const made = new Set(answers.filter((a) => !a.json.result.isError).map((a) => a.json.result.structuredContent.task_id));
  assert.equal(made.size, 1);
  for (const a of answers.filter((x) => x.json.result.isError))
    assert.equal(JSON.parse(a.json.result.content[0].text).code, 'idempotency_in_progress');
  const after = await tool(s, agent, 'get_balance');
  assert.ok(Math.abs(after.escrow_balance - before.escrow_balance - (11 + 1.1 + 12 + 1.2)) < 0.001, `${before.escrow_balance} ${after.escrow_balance}`);
});

test('a key of idempotency in a header of the connection is no argument: two tasks are two', async () => {
  const args = await digital(s), more = { headers: { 'Idempotency-Key': 'of-the-connection' } };
  const [a, b] = [await tool(s, agent, 'dispatch_digital_task', args, more), await tool(s, agent, 'dispatch_digital_task', args, more)];
  assert.notEqual(a.task_id, b.task_id);
});

test('too little money, a blocked text and a limit are results that say what to do', async () => {
  const poor = await s.agent({ tier: 'VERIFIED', deposit: 5 });
  const fault = await failure(s, poor, 'dispatch_digital_task', await digital(s));
  assert.equal(fault.code, 'insufficient_balance');
  assert.match(fault.hint, /fund_account/);
  const limited = await s.agent({ tier: 'VERIFIED', deposit: 500 });
  assert.equal((await failure(s, limited, 'post_task', { ...await physical(), reward_usd: 101 })).code, 'tier_limit_exceeded');
  const blocked = await failure(s, agent, 'dispatch_digital_task', await digital(s, { description: 'Buy a stolen credit card number and its security code for me.' }));
  assert.equal(blocked.code, 'policy_violation');
});

test('somebody else\'s task does not exist', async () => {
  const stranger = await s.agent(), mine = await one('ESTIMATE_PENDING');
  for (const [name, args] of [['get_task_result', mine], ['wait_for_task', mine], ['approve_estimate', mine], ['cancel_task', mine], ['retrieve_credential', withCredential], ['send_message', { ...mine, message: 'x' }]])
    assert.equal((await failure(s, stranger, name, args)).code, 'task_not_found', name);
  assert.equal((await tool(s, agent, 'get_task_result', mine)).status, 'ESTIMATE_PENDING');
});
