/*
 * Who may do what: every route of the programs' own tables, against everybody who must not get through.  A request is as good
 * as it can be but for the one who sends it, which the last test shows by sending it as the right one.
 */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { addr, eip191Signer } from 'micro-eth-signer';
import { newKey, startIssuer } from '../issuer.mjs';
import { jpeg } from '../pictures.mjs';
import { keyPair, seal } from '../sealed.mjs';
import { routes as allRoutes } from '../source.mjs';
import { stack } from '../stack.mjs';
import { publicId, uuidOf } from '../work.mjs';

const SCOPES = ['read', 'tasks', 'funds', 'keys'];
const routes = allRoutes();
const of = (...principals) => routes.filter((r) => principals.includes(r.principal));

const issuer = await startIssuer();
after(() => issuer.stop());
const s = await stack({ settings: issuer.settings });
const admin = { 'X-Admin-Key': s.settings.ADMIN_API_KEY };

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

const bearer = (token) => ({ Authorization: `Bearer ${token}` });
const signedIn = (sub) => bearer(issuer.token({ sub }));

async function operator(sub) {
  const made = await ok(s.call('POST', '/operator/register', { body: { name: sub, email: `${sub}@example.com` }, headers: signedIn(sub) }), 201);
  return { id: made.operator_id, sub, call: (method, where, body) => s.call(method, `/operator${where}`, { body, headers: signedIn(sub) }) };
}

const staff = (where, body) => ok(s.call('POST', `/admin${where}`, { body, headers: admin }));
const newAgent = () => s.agent({ tier: 'STANDARD', deposit: 3000 });
const newKeyOf = async (agent, body) => ok(s.call('POST', '/agents/keys', { key: agent.key, body }), 201);

const hook = await s.receiver();
let agent, stranger, op, other, pending, keys, headers;

/* A task of the agent's on its way to the operator, as far as it must be. */
const steps = ['PENDING', 'ESTIMATE_PENDING', 'ACCEPTED', 'SUBMITTED', 'COMPLETED', 'DISPUTED'];
const does = (task, what, body) => ok(s.call('POST', `/tasks/${task}/${what}`, { key: agent.key, body }));

async function taskBody(change = {}) {
  return { title: 'Check the data', description: 'Compare list and window.', reward_usd: 20, deadline: await s.time(3 * 86400),
    proof_requirements: ['Result for each item'], task_type: 'DATA_VALIDATION', proof_type: 'CONFIRMATION', ...change };
}

async function taskAt(status, change = {}) {
  const { task_id: task } = await ok(s.call('POST', '/tasks', { key: agent.key, body: await taskBody(change) }), 201);
  const to = steps.indexOf(status);
  const proof = change.agent_public_key ? { encrypted_credential: seal(change.agent_public_key, task, { user: 'jane' }) } : { confirmation_text: 'All items agree, seen today in the window.' };
  if (to >= 1)
    await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }));
  if (to >= 2)
    await does(task, 'estimate/approve');
  if (to >= 3) {
    await ok(op.call('POST', `/tasks/${task}/submit`, proof));
    await s.until(async () => (await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).guardian_result);
  }
  if (to >= 4 && (await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).status !== 'COMPLETED')
    await does(task, 'verify', { decision: 'APPROVE' });
  if (to >= 5)
    await does(task, 'dispute', { reason: 'No' });
  return task;
}

const at = (status, body) => async () => ({ id: await taskAt(status), body });
const credential = async () => ({ id: await taskAt('COMPLETED', { title: 'Weather API key', description: 'Sign up for the free plan of a weather service.',
  task_type: 'API_KEY_PROCUREMENT', proof_type: 'ARTIFACT', agent_public_key: keyPair().publicKey }) });

async function screened() {
  const got = await s.call('POST', '/tasks', { key: agent.key, body: await taskBody({ title: `Gun ${Math.random()}`, description: 'Buy a gun for me without papers.' }) });
  assert.equal(got.status, 422, got.text);
  return got.json.details.screening_id;
}

async function appealed() {
  const id = await screened();
  await ok(s.call('POST', `/tasks/${id}/appeal`, { key: agent.key, body: { reason: 'A toy' } }), 201);
  return { id, body: { decision: 'UPHELD' } };
}

async function delivered() {
  const id = await taskAt('ESTIMATE_PENDING', { callback_url: hook.url });
  const done = await s.until(async () => (await ok(s.call('GET', `/tasks/${id}/webhooks`, { key: agent.key }))).data.find((d) => d.delivered_at));
  return { id, delivery: done.delivery_id };
}

const subscription = { endpoint: 'https://push.example.com/abc', keys: { p256dh: Buffer.from(keyPair().publicKey, 'base64').toString('base64url'),
  auth: Buffer.alloc(16, 7).toString('base64url') } };

/* A deposit of the agent's. */
const paid = async () => (await ok(s.call('POST', '/agents/deposit', { key: agent.key, body: { amount_usd: 5, payment_method: 'card' } }), 201)).payment_id;

/* A wallet that has signed a challenge of the agent's. */
async function signedWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`, { nonce, message } = await ok(s.call('POST', '/agents/wallet/challenge', { key: agent.key }), 201);
  return { body: { wallet_address: addr.fromPrivateKey(key), nonce, signature: eip191Signer.sign(message, key, false) } };
}

/* A withdrawal of the agent's, whose deposit is enough for more. */
async function withdrawn() {
  await ok(s.call('PUT', '/agents/wallet', { key: agent.key, ...await signedWallet() }));
  await ok(s.call('POST', '/agents/deposit/usdc', { key: agent.key, body: { tx_hash: `0x${randomBytes(32).toString('hex')}`, amount_usdc: 500, chain: 'base' } }));
  return { id: (await ok(s.call('POST', '/agents/withdraw', { key: agent.key, body: { amount_usd: 10 } }), 201)).payout_id };
}

/* Money that an operator can have, from the agent's deposit, and an address to have it sent to. */
const payee = addr.fromPrivateKey(`0x${randomBytes(32).toString('hex')}`);
const payout = { amount_usd: 10, method: 'usdc', wallet_address: payee, chain: 'base' };
async function earn(operator, dollars) {
  const ref = `'${randomUUID()}'`, now = `'${await s.time()}'`, micros = dollars * 1e6, row = async (table, id) =>
    (await s.sql(`select bucket, id from ${table} where id = '${uuidOf(id)}'`))[0];
  const from = await row('agents', agent.id), to = await row('operators', operator.id);
  await s.sql(`select ledger_post(${from.bucket}, 'escrow_release', ${ref}, ${now}, '${from.id}', array[('deposit', ${-micros}), ('clearing', ${micros})]::posting_line[])`);
  await s.sql(`select ledger_post(${to.bucket}, 'settlement', ${ref}, ${now}, '${to.id}', array[('clearing', ${-micros}), ('available', ${micros})]::posting_line[])`);
  return to;
}

/* A payout of the operator's: paid, as in test mode; or open, without the job that would send it. */
async function paidOut() {
  await earn(op, 20);
  return { id: (await ok(s.call('POST', '/operator/payout', { body: payout, headers: signedIn('op') }), 201)).payout_id };
}

async function open(body) {
  const { bucket, id } = await earn(op, 20), now = await s.time(), [{ payout: made }] = await s.sql(`select id_new(${bucket}, '${now}') as payout`);
  await s.sql(`select payout_request(${bucket}, '${id}', 'operator', '${made}', 10000000, 10000, '${payee.toLowerCase()}', 8453, false, '${now}')`);
  await s.sql(`delete from jobs where ref = '${made}'`);
  return { id: publicId('payout', made), body };
}

/* What makes a request of each route a good one: ids of its path, body or query.  Routes that need nothing are not here. */
const good = {
  'POST /agents/keys': () => ({ body: { name: 'another' } }),
  'DELETE /agents/keys/:id': async () => ({ id: (await newKeyOf(agent, { name: 'to go' })).id }),
  'POST /agents/resend-verification': () => ({ accepts: 409 }),
  'POST /agents/deposit': () => ({ body: { amount_usd: 5, payment_method: 'card' } }),
  'POST /agents/wallet/challenge': () => ({ body: { chain: 'base' } }),
  'PUT /agents/wallet': signedWallet,
  'POST /agents/deposit/usdc': () => ({ body: { tx_hash: `0x${randomBytes(32).toString('hex')}`, amount_usdc: 5, chain: 'base' } }),
  'POST /agents/withdraw': () => ({ body: { amount_usd: 10 } }),
  'GET /agents/withdraw/status/:id': withdrawn,
  'GET /agents/deposit/status': async () => ({ query: `?payment_id=${await paid()}`, isOwned: true }),
  'POST /agents/deposit/status': async () => ({ body: { payment_id: await paid() }, isOwned: true }),
  'POST /tasks': async () => ({ body: await taskBody() }),
  'POST /tasks/appeals': async () => ({ body: { screening_id: await screened(), reason: 'A toy' }, isOwned: true }),
  'POST /tasks/:id/appeal': async () => ({ id: await screened(), body: { reason: 'A toy' } }),
  'GET /tasks/:id': at('PENDING'),
  'POST /tasks/:id/cancel': at('PENDING'),
  'GET /tasks/:id/webhooks': at('PENDING'),
  'POST /tasks/:id/webhooks/:delivery/redeliver': delivered,
  'POST /tasks/:id/estimate/approve': at('ESTIMATE_PENDING'),
  'POST /tasks/:id/estimate/reject': at('ESTIMATE_PENDING', { reason: 'Too long' }),
  'POST /tasks/:id/verify': at('SUBMITTED', { decision: 'APPROVE' }),
  'POST /tasks/:id/dispute': at('COMPLETED', { reason: 'Not what I asked for' }),
  'POST /tasks/:id/rate': at('COMPLETED', { rating: 5 }),
  'GET /tasks/:id/messages': at('ACCEPTED'),
  'POST /tasks/:id/messages': at('ACCEPTED', { message: 'Hello' }),
  'GET /tasks/:id/retrieve-credential': credential,
  'POST /tasks/:id/retrieve-credential': credential,
  'GET /tasks/:id/receipt': at('COMPLETED'),
  'GET /operators/search': () => ({ query: '?lat=1&lng=1' }),
  'POST /operator/register': () => ({ body: { name: 'Jane', email: 'jane@example.com' } }),
  'PATCH /operator/me': () => ({ body: { name: 'Jane E.' } }),
  'GET /operator/tasks/:id': at('ACCEPTED'),
  'POST /operator/tasks/:id/accept': at('PENDING', { estimate_hours: 1 }),
  'POST /operator/tasks/:id/withdraw-claim': at('ESTIMATE_PENDING'),
  'POST /operator/tasks/:id/start': at('ACCEPTED'),
  'POST /operator/tasks/:id/abort': at('ACCEPTED', { reason: 'cannot_complete' }),
  'POST /operator/tasks/:id/submit': at('ACCEPTED', { confirmation_text: 'All items agree, seen today in the window.' }),
  'GET /operator/tasks/:id/messages': at('ACCEPTED'),
  'POST /operator/tasks/:id/messages': at('ACCEPTED', { message: 'Hello' }),
  'POST /operator/upload': () => ({ raw: jpeg(), type: 'image/jpeg' }),
  'POST /operator/payout': async () => {
    await earn(op, 20);
    return { body: payout };
  },
  'GET /operator/payout/quote': () => ({ query: '?amount_usd=10' }),
  'GET /operator/payout/status/:id': paidOut,
  'POST /operator/push': () => ({ body: subscription }),
  'DELETE /operator/push': () => ({ body: { endpoint: subscription.endpoint } }),
  'POST /admin/clock': () => ({ body: { advance_seconds: 1 } }),
  'POST /admin/operators/:id/kyc': async () => ({ id: other.id, body: { status: 'REJECTED' } }),
  'POST /admin/operators/:id/suspend': async () => ({ id: other.id, body: { suspended: true } }),
  'POST /admin/agents/:id/suspend': async () => ({ id: stranger.id, body: { suspended: true } }),
  'POST /admin/agents/:id/unfreeze': () => ({ id: agent.id, body: { reason: 'Looked' } }),
  'POST /admin/payouts/unfreeze': () => ({ body: { reason: 'Looked' } }),
  'POST /admin/payouts/:id/retry': () => open(),
  'POST /admin/payouts/:id/fail': () => open({ reason: 'Wrong address' }),
  'GET /admin/tasks/:id': at('PENDING'),
  'POST /admin/tasks/:id/resolve': at('DISPUTED', { resolution: 'REFUND_AGENT' }),
  'POST /admin/appeals/:id': appealed,
};

/* Made once each, for all the wrong ones and then the right one. */
const requests = new Map();

function send(route, { key, headers: extra = {} } = {}) {
  const { id, delivery, query = '', body, raw, type } = requests.get(route);
  const where = route.pattern.replace(':id', id).replace(':delivery', delivery) + query;
  assert.ok(!/:[a-z]/.test(where), `${route.name}: say in this file what a good request is`);
  return s.call(route.method, where, { key, body, raw, headers: { ...(type ? { 'Content-Type': type } : {}), ...extra } });
}

/* All rows of all tables, but for the time at which a key was last used, and signs of life, which come by themselves. */
async function state() {
  const tables = await s.sql(`select c.oid::regclass::text as name from pg_class c where c.relnamespace = 'public'::regnamespace
    and c.relkind in ('r', 'p') and not c.relispartition and c.relname <> 'heartbeats' order by 1`);
  const sums = tables.map(({ name }) => `select '${name}' as name, count(*) as rows, md5(string_agg(r, '|' order by r)) as sum
    from (select (to_jsonb(t) - 'last_used_at')::text r from ${name} t) x`);
  return s.sql(`select * from (${sums.join(' union all ')}) y order by name`);
}

/* Nothing is under way any more. */
async function settled() {
  let last = await state();
  return s.until(async () => {
    await new Promise((done) => setTimeout(done, 300));
    const now = await state(), isSame = JSON.stringify(now) === JSON.stringify(last);
    last = now;
    return isSame && now;
  });
}

before(async () => {
  [agent, stranger, op, other, pending] = [await newAgent(), await newAgent(), await operator('op'), await operator('other'), await operator('pending')];
  const suspended = await newAgent(), halted = await operator('halted');
  keys = Object.fromEntries(await Promise.all(SCOPES.map(async (scope) => [scope, (await newKeyOf(agent, { name: scope, scopes: [scope] })).api_key])));
  const revoked = await newKeyOf(agent, { name: 'revoked' }), expired = await newKeyOf(agent, { name: 'expired', expires_at: await s.time(60) });
  await ok(s.call('DELETE', `/agents/keys/${revoked.id}`, { key: agent.key }));
  for (const route of routes.filter((r) => r.principal !== 'PUBLIC'))
    requests.set(route, (await good[route.name]?.()) ?? {});
  await s.advance(61);
  await staff(`/operators/${pending.id}/kyc`, { status: 'REJECTED' });
  await staff(`/operators/${halted.id}/suspend`, { suspended: true });
  await staff(`/agents/${suspended.id}/suspend`, { suspended: true });
  await s.sweep();
  const flip = (text) => text.slice(0, -1) + (text.endsWith('a') ? 'b' : 'a');
  const nobody = { 'nobody': {}, 'an empty key': { 'X-API-Key': '' }, 'garbage': { 'X-API-Key': 'garbage' }, 'a bearer of garbage': bearer('garbage') };
  const agents = { 'a revoked key': { 'X-API-Key': revoked.api_key }, 'an expired key': { 'X-API-Key': expired.api_key },
    'a key that is one letter off': { 'X-API-Key': flip(agent.key) }, 'a key never given': { 'X-API-Key': `ho_live_${'0'.repeat(40)}` } };
  const tokens = { 'a token of an unknown key': bearer(issuer.token({ sub: 'op' }, newKey())), 'an expired token': bearer(issuer.token({ sub: 'op', exp: 1000 })),
    'a token for another client': bearer(issuer.token({ sub: 'op', azp: 'x' })), 'the header of development': { 'X-Operator-Id': op.id } };
  const isAgent = { 'an agent': { 'X-API-Key': agent.key }, 'an agent as bearer': bearer(agent.key) }, isOperator = { 'an operator': signedIn('op') };
  const isStaff = { staff: admin };
  headers = {
    agent: { ...nobody, ...agents, ...tokens, ...isOperator, ...isStaff, 'staff\'s key as an agent\'s': { 'X-API-Key': admin['X-Admin-Key'] } },
    operator: { ...nobody, ...agents, ...tokens, ...isAgent, ...isStaff },
    staff: { ...nobody, ...agents, ...tokens, ...isAgent, ...isOperator, 'another staff key': { 'X-Admin-Key': flip(admin['X-Admin-Key']) },
      'an empty staff key': { 'X-Admin-Key': '' }, 'part of it': { 'X-Admin-Key': admin['X-Admin-Key'].slice(0, 16) },
      'an agent\'s key as staff\'s': { 'X-Admin-Key': agent.key }, 'staff\'s key as bearer': bearer(admin['X-Admin-Key']) },
    suspended: { 'X-API-Key': suspended.key },
  };
});

/* Sends every route of some principals as everyone of the list, and sees that the database stays as it was. */
async function refuse(list, wrong, expected) {
  const before = await settled();
  let count = 0;
  for (const route of list) {
    for (const [who, sent] of Object.entries(wrong)) {
      const answer = await send(route, { headers: sent });
      assert.deepEqual([answer.status, answer.json?.code], expected, `${route.name} as ${who}: ${answer.text}`);
      count++;
    }
  }
  assert.ok(count > 0);
  assert.deepEqual(await settled(), before, 'and nothing has changed');
}

test('the route tables are read as they are', () => {
  assert.ok(routes.length >= 60 && new Set(routes.map((r) => r.name)).size === routes.length);
  for (const name of Object.keys(good))
    assert.ok(routes.some((r) => r.name === name), `${name} is a route`);
  for (const { principal, scope, name } of routes) {
    assert.ok(['PUBLIC', 'AGENT', 'OPERATOR', 'PERSON', 'STAFF'].includes(principal), name);
    assert.equal(principal === 'AGENT', SCOPES.includes(scope), `${name}: a scope where there is a key, and nowhere else`);
  }
});

test('what is open to all is this and no more', () => {
  assert.deepEqual(of('PUBLIC').map((r) => r.name).filter((name) => !/ \/webhooks\//.test(name)).sort(), ['GET /.well-known/jwks.json', 'GET /agents/verify-email',
    'GET /files/:name', 'GET /metrics', 'GET /operator/settings', 'GET /tasks/categories', 'POST /agents/register', 'POST /agents/verify-email',
    'POST /mcp']); /* the machine itself alone may ask for metrics: tests/http/metrics.test.mjs; tools ask for themselves: tests/mcp/wire.test.mjs */
});

test('an agent\'s routes are closed to all without a key that works', () => refuse(of('AGENT'), headers.agent, [401, 'unauthorized']));

test('a suspended agent can do nothing', () => refuse(of('AGENT'), { 'a suspended agent': headers.suspended }, [403, 'agent_suspended']));

test('a key does what its scopes say and nothing else', async () => {
  for (const scope of SCOPES)
    await refuse(of('AGENT').filter((r) => r.scope !== scope), { [`a key for ${scope}`]: { 'X-API-Key': keys[scope] } }, [403, 'scope_missing']);
});

test('what belongs to one agent is not there for another', async () => {
  const list = of('AGENT').filter((r) => r.pattern.includes(':id') || requests.get(r).isOwned), before = await settled();
  assert.ok(list.length >= 17);
  for (const route of list) {
    const answer = await send(route, { key: stranger.key });
    assert.ok(answer.status === 404 && /_not_found$/.test(answer.json.code), `${route.name}: ${answer.text}`);
  }
  assert.deepEqual(await settled(), before);
});

test('an operator\'s routes are closed to all without a token that is good', () => refuse(of('OPERATOR', 'PERSON'), headers.operator, [401, 'unauthorized']));

test('somebody who never registered is no operator', () => refuse(of('OPERATOR'), { 'a newcomer': signedIn('newcomer') }, [403, 'operator_required']));

test('a suspended operator can do nothing', () => refuse(of('OPERATOR'), { 'a suspended operator': signedIn('halted') }, [403, 'operator_suspended']));

test('an operator whose identity is not verified claims nothing', () =>
  refuse(of('OPERATOR').filter((r) => r.pattern.endsWith('/accept')), { 'an operator without an identity': signedIn('pending') }, [403, 'kyc_required']));

test('what one operator works on is not there for another', () =>
  refuse(of('OPERATOR').filter((r) => r.pattern.includes(':id') && !/accept|payout/.test(r.pattern)), { 'another operator': signedIn('other') }, [404, 'task_not_found']));

test('what one operator is paid is not there for another', () =>
  refuse(of('OPERATOR').filter((r) => /payout.*:id/.test(r.pattern)), { 'another operator': signedIn('other') }, [404, 'payout_not_found']));

test('an operator whose identity is not verified is paid nothing', () =>
  refuse(of('OPERATOR').filter((r) => r.pattern === '/operator/payout'), { 'an operator without an identity': signedIn('pending') }, [403, 'kyc_required']));

test('staff\'s routes are closed to everybody else', () => refuse(of('STAFF'), headers.staff, [403, 'staff_only']));

test('the same requests are good when the right one sends them', async () => {
  const before = await settled();
  for (const route of routes.filter((r) => r.principal !== 'PUBLIC' && (good[r.name] || r.method === 'GET'))) {
    const right = { AGENT: { 'X-API-Key': agent.key }, OPERATOR: signedIn('op'), PERSON: signedIn('newcomer'), STAFF: admin }[route.principal];
    if (route.pattern.includes(':') && !good[route.name])
      continue;
    const answer = await send(route, { headers: right }), { accepts } = requests.get(route);
    assert.ok([200, 201, accepts].includes(answer.status), `${route.name}: ${answer.text}`);
  }
  assert.notDeepEqual((await settled()).find((t) => t.name === 'tasks'), before.find((t) => t.name === 'tasks'), 'which does change something');
  assert.deepEqual(await s.audit(), []);
});
