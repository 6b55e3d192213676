/*
 * Deposits by card or bank transfer, and the calls of payment and identity services.  The provider is a fake that speaks
 * dLocal's protocol over a socket and takes no call whose signature is wrong; a test tells it how to misbehave.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { stack, until } from '../stack.mjs';
import { assertFaults, assertRefused, balance } from './forms.mjs';

const LOGIN = 'login-1', TRANS_KEY = 'trans-key-1', SECRET = 'dlocal-secret', KYC_SECRET = 'a-kyc-vendor-secret-of-length';
const hmac = (secret, text) => createHmac('sha256', secret).update(text).digest('hex');

/* plan: how the next create or ask is answered, null for as dLocal does; orders: what it knows, by order id. */
const dlocal = { orders: new Map(), created: [], bad: [], plan: null, asks: [] };

function faultOf(request, body) {
  const { 'x-date': date, 'x-login': login, 'x-trans-key': key, authorization } = request.headers;
  if (login !== LOGIN || key !== TRANS_KEY) return 'login';
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(date ?? '')) return 'date';
  return authorization === `V2-HMAC-SHA256, Signature: ${hmac(SECRET, login + date + body)}` ? null : 'signature';
}

function create(body) {
  const order = JSON.parse(body);
  const id = `D-4-${dlocal.created.length + 1}`;
  const payment = { id, amount: order.amount, currency: order.currency, order_id: order.order_id, status: 'PENDING',
    status_code: '100', payment_method_flow: 'REDIRECT', redirect_url: `https://pay.example/${id}` };
  dlocal.created.push({ order, body });
  dlocal.orders.set(order.order_id, payment);
  return payment;
}

function find(url) {
  const [, kind, id] = /^\/(payments|orders)\/([^/]+)$/.exec(url) ?? [];
  const payment = [...dlocal.orders.values()].find((one) => (kind === 'payments' ? one.id : one.order_id) === id);
  if (!payment) return null;
  const { redirect_url: _, ...rest } = payment;
  return rest;
}

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on('data', (chunk) => chunks.push(chunk));
  request.on('end', async () => {
    const body = Buffer.concat(chunks).toString();
    const fault = faultOf(request, body);
    const send = (status, value, headers = {}) => response.writeHead(status, { 'Content-Type': 'application/json', ...headers })
      .end(typeof value === 'string' ? value : JSON.stringify(value));
    if (fault) {
      dlocal.bad.push(fault);
      return send(401, { code: 3001, message: 'Invalid Credentials' });
    }
    if (request.method === 'GET') dlocal.asks.push(request.url);
    const payment = request.method === 'POST' && request.url === '/payments' ? create(body) : find(request.url);
    const plan = dlocal.plan;
    if (plan) return plan(send, payment);
    send(payment ? 200 : 404, payment ?? { code: 4000, message: 'Payment not found' });
  });
});
await new Promise((done) => server.listen(0, '127.0.0.1', done));
after(() => {
  server.close();
  server.closeAllConnections();
});
const s = await stack({ settings: [`DLOCAL_URL=http://127.0.0.1:${server.address().port}`, `DLOCAL_LOGIN=${LOGIN}`,
  `DLOCAL_TRANS_KEY=${TRANS_KEY}`, `DLOCAL_SECRET=${SECRET}`, `KYC_WEBHOOK_SECRET=${KYC_SECRET}`,
  'ALLOW_DEV_OPERATOR_ID_HEADER=true'] });

/* While the function runs, the provider answers as planned. */
async function planned(plan, fn) {
  dlocal.plan = plan;
  try {
    return await fn();
  } finally {
    dlocal.plan = null;
  }
}

const card = { amount_usd: 100, payment_method: 'card' };
const deposit = (agent, body = card, headers = {}) => s.call('POST', '/agents/deposit', { key: agent.key, body, headers });
const status = (agent, id) => s.call('GET', `/agents/deposit/status?payment_id=${id}`, { key: agent.key });
const rows = (agent) => s.sql(`select * from fiat_deposits where agent_id = '${agent.uuid}' order by created_at, order_ms`);
const events = async (agent) => (await s.call('GET', '/events', { key: agent.key })).json.data;
const signed = (where, secret, body, headers = {}) => {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  return s.call('POST', `/webhooks/${where}`, { raw, headers: { 'X-Signature': hmac(secret, raw), ...headers } });
};
const notice = (order_id, change = {}) => ({ id: 'D-4-x', status: 'PAID', order_id, amount: 100, currency: 'USD', ...change });
const tell = (order_id, change) => signed('dlocal', SECRET, notice(order_id, change));
const orderOf = (agent, row) => `${agent.id}_${row.order_ms}`;

async function pending(agent, body = card) {
  const made = await deposit(agent, body);
  assert.equal(made.status, 201, made.text);
  return { ...made.json, order: orderOf(agent, (await rows(agent)).at(-1)) };
}

async function sound() {
  assert.deepEqual(await s.audit(), []);
  assert.deepEqual(dlocal.bad, [], 'every call of ours was signed');
}

test('a deposit is pending with a page to pay on, and what dLocal is asked for is exactly ours', async () => {
  const agent = await s.agent({ tier: 'VERIFIED', name: 'Ada "the" Ägent' });
  const made = await deposit(agent, { amount_usd: 42.5, payment_method: 'bank_transfer', return_url: 'https://shop.example/back' });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(Object.keys(made.json), ['transaction_id', 'payment_id', 'amount_usd', 'status', 'redirect_url', 'message']);
  assert.match(made.json.payment_id, /^pay_[0-9a-z]{26}$/);
  assert.deepEqual([made.json.transaction_id, made.json.amount_usd, made.json.status], [null, 42.5, 'pending']);
  assert.match(made.json.redirect_url, /^https:\/\/pay\.example\/D-4-/);
  const [row] = await rows(agent);
  const { order, body } = dlocal.created.at(-1);
  assert.deepEqual(order, { amount: 42.5, currency: 'USD', payment_method_id: 'BANK_TRANSFER', payment_method_flow: 'REDIRECT',
    payer: { name: 'Ada "the" Ägent', email: agent.email }, order_id: orderOf(agent, row),
    notification_url: `${s.base}/api/v1/webhooks/dlocal`, callback_url: 'https://shop.example/back' });
  assert.match(body, /"amount":42\.50,/);
  assert.deepEqual(await balance(s, agent), [0, 0]);
  await sound();
});

test('fields are checked at the limits', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  for (const [change, faults] of [
    [{ amount_usd: 4.99 }, ['amount_usd']], [{ amount_usd: 10000.01 }, ['amount_usd']], [{ amount_usd: 10.005 }, ['amount_usd']],
    [{ amount_usd: '10' }, ['amount_usd']], [{ amount_usd: undefined }, ['amount_usd']], [{ payment_method: 'cash' }, ['payment_method']],
    [{ payment_method: undefined }, ['payment_method']], [{ return_url: 'javascript:alert(1)' }, ['return_url']],
    [{ return_url: 'nowhere' }, ['return_url']], [{ amount: 1 }, ['amount']], [{ amount_usd: 0, payment_method: 1 }, ['amount_usd', 'payment_method']],
  ])
    assertFaults(await deposit(agent, { ...card, ...change }), faults, JSON.stringify(change));
  for (const amount_usd of [5, 10000, 1e1]) assert.equal((await deposit(agent, { ...card, amount_usd })).status, 201);
  assert.equal((await rows(agent)).length, 3);
});

test('it takes a key with the scope funds', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const key = (await s.call('POST', '/agents/keys', { key: agent.key, body: { scopes: ['read', 'tasks'] } })).json.api_key;
  assertRefused(await deposit({ key }), 403, 'scope_missing');
  assertRefused(await s.call('POST', '/agents/deposit', { body: card }), 401, 'unauthorized');
});

test('a payment is credited by its webhook, and shows in status, events and statement', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { payment_id, order } = await pending(agent);
  const told = await tell(order);
  assert.deepEqual([told.status, told.json], [200, { received: true, status: 'completed' }]);
  assert.deepEqual(await balance(s, agent), [100, 0]);
  for (const answer of [await status(agent, payment_id), await s.call('POST', '/agents/deposit/status', { key: agent.key, body: { payment_id } })]) {
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual([answer.json.payment_id, answer.json.status, answer.json.amount_usd], [payment_id, 'completed', 100]);
    assert.match(answer.json.transaction_id, /^txn_/);
  }
  const [event] = (await events(agent)).filter((one) => one.event === 'deposit.completed');
  assert.deepEqual([event.task_id, event.payment_id, event.amount_usd, event.from, event.to, event.actor],
    [null, payment_id, 100, 'pending', 'completed', 'provider']);
  const { json } = await s.call('GET', '/agents/transactions', { key: agent.key });
  assert.deepEqual(json.data.map((one) => [one.type, one.deposit_change_usd]), [['deposit_fiat', 100]]);
  assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).json.tier, 'VERIFIED', 'only USDC lifts the tier');
  await sound();
});

test('each word for a payment that is over ends it as it should', async () => {
  for (const [word, want] of [['PAID', 'completed'], ['COMPLETED', 'completed'], ['REJECTED', 'failed'], ['CANCELLED', 'failed'],
    ['EXPIRED', 'failed'], ['PENDING', 'pending'], ['AUTHORIZED', 'pending'], ['paid', 'pending']]) {
    const agent = await s.agent({ tier: 'VERIFIED' });
    const { order } = await pending(agent);
    assert.equal((await tell(order, { status: word })).json.status, want, word);
    assert.deepEqual(await balance(s, agent), [want === 'completed' ? 100 : 0, 0]);
    assert.deepEqual((await events(agent)).map((one) => one.event), want === 'pending' ? [] : [`deposit.${want}`]);
  }
  await sound();
});

test('a webhook repeated 20 times at once credits once', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { order } = await pending(agent);
  const told = await Promise.all(Array.from({ length: 20 }, () => tell(order)));
  assert.deepEqual([...new Set(told.map((one) => `${one.status} ${one.json.status}`))], ['200 completed']);
  assert.deepEqual(await balance(s, agent), [100, 0]);
  assert.equal((await events(agent)).length, 1);
  await sound();
});

test('PAID and REJECTED at once: the money counts, whichever came first', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  for (let round = 1; round <= 10; round++) {
    const { order } = await pending(agent);
    await Promise.all([tell(order), tell(order, { status: 'REJECTED' }), tell(order), tell(order, { status: 'EXPIRED' })]);
    assert.equal((await tell(order, { status: 'CANCELLED' })).json.status, 'completed');
    assert.deepEqual(await balance(s, agent), [100 * round, 0]);
  }
  await sound();
});

test('a payment that comes after it was given up is credited after all', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { order } = await pending(agent);
  assert.equal((await tell(order, { status: 'EXPIRED' })).json.status, 'failed');
  assert.equal((await tell(order)).json.status, 'completed');
  assert.deepEqual(await balance(s, agent), [100, 0]);
  assert.deepEqual((await events(agent)).map((one) => one.event), ['deposit.failed', 'deposit.completed']);
});

test('a webhook is believed by its signature alone', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { order } = await pending(agent);
  const raw = JSON.stringify(notice(order)), good = hmac(SECRET, raw);
  for (const [what, body, signature] of [
    ['none', raw, null], ['empty', raw, ''], ['one letter off', raw, good.replace(/.$/, (c) => (c === '0' ? '1' : '0'))],
    ['a beginning', raw, good.slice(0, 62)], ['more', raw, `${good}00`], ['no hex', raw, 'z'.repeat(64)], ['another secret', raw, hmac(KYC_SECRET, raw)],
    ['of the empty secret', raw, hmac('', raw)], ['a tampered body', raw.replace('100', '900'), good], ['a longer body', `${raw} `, good],
    ['not even JSON', 'x', good]])
    assertRefused(await s.call('POST', '/webhooks/dlocal', { raw: body, headers: { 'X-Signature': signature } }), 401, 'signature_invalid', what);
  assert.deepEqual(await balance(s, agent), [0, 0]);
  assert.equal((await s.call('POST', '/webhooks/dlocal', { raw, headers: { 'X-Signature': good.toUpperCase() } })).status, 200);
});

test('a payment of another amount is refused and logged, never credited', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { order, payment_id } = await pending(agent);
  for (const change of [{ amount: 99.99 }, { amount: 100.01 }, { amount: 10000 }, { amount: 0 }, { amount: -100 }, { amount: '100' },
    { amount: null }, { amount: 100.0000001 }, { currency: 'BRL' }, { currency: 5 }, { amount: 1e30 }])
    assertRefused(await tell(order, change), 409, 'amount_mismatch', JSON.stringify(change));
  assert.deepEqual([(await status(agent, payment_id)).json.status, await balance(s, agent)], ['pending', [0, 0]]);
  assert.ok(Object.values(s.logFiles()).some((text) => text.includes('fiat_amount_mismatch') && text.includes(order)));
  assert.equal((await signed('dlocal', SECRET, `{"status":"PAID","order_id":"${order}","amount":1e2}`)).status, 200, 'as the reference writes it');
  await sound();
});

test('an order that nobody made is 404, and nonsense 400', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { order } = await pending(agent);
  const [, ms] = order.match(/_(\d+)$/);
  for (const one of [`${agent.id}_1`, `${order}0`, agent.id, `${agent.id}_`, `${agent.id}_${ms}.0`, `${agent.id}_1e3`, `${agent.id}_-1`, 'x',
    `op_${order.slice(6)}`, '_', order.toUpperCase(), `${agent.id}_99999999999999999999`, 'agent_'.repeat(30)])
    assertRefused(await tell(one), 404, 'payment_not_found', one);
  for (const raw of ['', '[]', 'null', '{', '{"status":"PAID"}', `{"order_id":"${order}"}`, `{"status":"PAID","order_id":5,"amount":1}`,
    `{"status":"REJECTED","status":"PAID","order_id":"${order}","amount":100}`])
    assertRefused(await signed('dlocal', SECRET, raw), 400, 'body_invalid', raw);
  assert.deepEqual(await balance(s, agent), [0, 0]);
});

test('the webhook may come before the answer to the call that made the payment', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  let told;
  const made = await planned(async (send, payment) => {
    told = await tell(payment.order_id);
    send(200, payment);
  }, () => deposit(agent));
  assert.deepEqual([told.status, told.json.status], [200, 'completed']);
  assert.deepEqual([made.status, made.json.status], [201, 'completed']);
  assert.deepEqual(await balance(s, agent), [100, 0]);
  await sound();
});

test('an answer that cannot be used is 503 with the payment to ask for, and what was paid all the same is credited', async () => {
  const other = 'agent_00000000000000000000000000_1';
  for (const [what, plan] of Object.entries({
    '500': (send) => send(500, { message: 'no' }), '429': (send) => send(429, {}), 'HTML': (send) => send(200, '<html>'),
    'half of it': (send, payment) => send(200, JSON.stringify(payment).slice(0, 40)), 'nothing': (send) => send(200, ''),
    'another order': (send, payment) => send(200, { ...payment, order_id: other }),
    'no page': (send, { redirect_url: _, ...payment }) => send(200, payment),
    'a bad page': (send, payment) => send(200, { ...payment, redirect_url: 'javascript:alert(1)' }),
    'a redirect': (send) => send(302, '', { Location: `http://127.0.0.1:${server.address().port}/elsewhere` }),
    'too much': (send, payment) => send(200, { ...payment, more: 'x'.repeat(100_000) }) })) {
    const agent = await s.agent({ tier: 'VERIFIED' });
    const made = await planned(plan, () => deposit(agent));
    assertRefused(made, 503, 'fiat_unavailable', what);
    assert.ok(Number(made.headers['retry-after']) > 0);
    assert.equal((await status(agent, made.json.details.payment_id)).json.status, 'pending', what);
    const [row] = await rows(agent);
    assert.equal((await tell(orderOf(agent, row))).json.status, 'completed', what);
    assert.deepEqual(await balance(s, agent), [100, 0]);
  }
  await sound();
});

test('what dLocal refuses has failed', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const made = await planned((send) => send(400, { code: 5001, message: 'Invalid parameter: payer' }), () => deposit(agent));
  assertRefused(made, 503, 'fiat_unavailable');
  assert.equal((await status(agent, made.json.details.payment_id)).json.status, 'failed');
  assert.deepEqual((await events(agent)).map((one) => one.event), ['deposit.failed']);
});

test('a provider that hangs costs its time and no more', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { payment_id, order } = await pending(agent);
  const from = Date.now();
  const [asked, made] = await planned(() => {}, () => Promise.all([status(agent, payment_id), deposit(agent)]));
  assert.deepEqual([asked.status, asked.json.status], [200, 'pending']);
  assertRefused(made, 503, 'fiat_unavailable');
  assert.ok(Date.now() - from < 15_000);
  for (const row of await rows(agent)) await tell(orderOf(agent, row));
  assert.deepEqual(await balance(s, agent), [200, 0], order);
  await sound();
});

test('status asks dLocal for the truth while a payment is pending, and believes it only if it fits', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const { payment_id, order } = await pending(agent);
  const payment = dlocal.orders.get(order);
  for (const change of [{ order_id: 'x' }, { amount: 1 }, { currency: 'BRL' }])
    assert.equal((await planned((send) => send(200, { ...payment, status: 'PAID', ...change }), () => status(agent, payment_id))).json.status, 'pending');
  for (const plan of [(send) => send(500, ''), (send) => send(404, {}), (send) => send(200, 'PAID')])
    assert.equal((await planned(plan, () => status(agent, payment_id))).json.status, 'pending');
  payment.status = 'PAID';
  const many = await Promise.all(Array.from({ length: 10 }, () => status(agent, payment_id)));
  assert.deepEqual([...new Set(many.map((one) => one.json.status))], ['completed']);
  assert.deepEqual(await balance(s, agent), [100, 0]);
  const asks = dlocal.asks.length;
  await status(agent, payment_id);
  assert.equal(dlocal.asks.length, asks, 'a completed one is not asked for');
  await sound();
});

test('a worker asks about payments that nobody tells of, and ends what nobody pays in seven days', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const paid = await pending(agent), unpaid = await pending(agent), away = await pending(agent);
  dlocal.orders.get(paid.order).status = 'PAID';
  dlocal.orders.delete(away.order);
  const states = async () => (await rows(agent)).map((row) => row.status);
  const due = () => s.sql(`select from jobs where kind = 'fiat' and run_at <= '${new Date(Date.now() + advanced * 1000).toISOString()}'
    and ref in (select id from fiat_deposits where agent_id = '${agent.uuid}')`);
  let advanced = 0;
  const pass = async (seconds) => {
    advanced = (new Date(await s.advance(seconds)).getTime() - Date.now()) / 1000;
    await s.until(async () => (await due()).length === 0);
  };
  await pass(1200);
  assert.deepEqual(await states(), ['completed', 'pending', 'pending']);
  await planned((send) => send(500, ''), () => pass(8 * 86_400));
  assert.deepEqual(await states(), ['completed', 'pending', 'pending'], 'an outage ends nothing');
  await pass(2 * 3600);
  assert.deepEqual(await states(), ['completed', 'failed', 'failed']);
  assert.equal((await s.sql(`select from jobs where kind = 'fiat' and ref in (select id from fiat_deposits where agent_id = '${agent.uuid}')`)).length, 0);
  assert.equal((await tell(unpaid.order)).json.status, 'completed');
  assert.deepEqual(await balance(s, agent), [200, 0]);
  await sound();
});

test('nobody sees the payments of others', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' }), other = await s.agent({ tier: 'VERIFIED' });
  const { payment_id } = await pending(agent);
  for (const id of [payment_id, 'pay_00000000000000000000000000', 'x', payment_id.replace('pay_', 'txn_'), `${payment_id}0`])
    assertRefused(await status(other, id), 404, 'payment_not_found', id);
  assertFaults(await s.call('GET', '/agents/deposit/status', { key: agent.key }), ['payment_id']);
  assertFaults(await s.call('POST', '/agents/deposit/status', { key: agent.key, body: {} }), ['payment_id']);
});

test('the same idempotency key makes one payment, also at once; a call that failed may be tried again', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const headers = { 'Idempotency-Key': 'one' };
  const before = dlocal.created.length;
  let answer;
  const waiting = new Promise((done) => { answer = done; });
  const [first, second] = await planned(async (send, payment) => {
    await waiting;
    send(200, payment);
  }, async () => {
    const slow = deposit(agent, card, headers);
    await until(() => dlocal.created.length > before);
    const repeat = await deposit(agent, card, headers);
    answer();
    return [await slow, repeat];
  });
  assert.equal(first.status, 201, first.text);
  assertRefused(second, 409, 'idempotency_in_progress');
  const again = await deposit(agent, card, headers);
  assert.deepEqual([again.status, again.text, again.headers['idempotent-replayed']], [201, first.text, 'true']);
  assertRefused(await deposit(agent, { ...card, amount_usd: 6 }, headers), 409, 'idempotency_mismatch');
  assert.equal(dlocal.created.length, before + 1);
  const failed = { 'Idempotency-Key': 'two' };
  assertRefused(await planned((send) => send(500, ''), () => deposit(agent, card, failed)), 503, 'fiat_unavailable');
  assert.equal((await deposit(agent, card, failed)).json.status, 'pending');
});

test('payments of one agent at the same time have orders of their own', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const made = await Promise.all(Array.from({ length: 12 }, () => deposit(agent)));
  assert.deepEqual(made.map((one) => one.status), Array(12).fill(201));
  assert.equal(new Set((await rows(agent)).map((row) => row.order_ms)).size, 12);
  assert.equal(new Set(made.map((one) => one.json.redirect_url)).size, 12);
});

/* A request by plain CGI, with settings of its own, as the instance's user; kill: a promise that ends it. */
function cgi({ env, method = 'POST', where, key, body = '', kill }) {
  const variables = { PATH: process.env.PATH, HUMANOPS_CONF: path.join(s.settings.STATE_DIR, 'humanops.conf'), GATEWAY_INTERFACE: 'CGI/1.1',
    REQUEST_METHOD: method, REQUEST_URI: `/api/v1${where}`, SCRIPT_NAME: '', PATH_INFO: `/api/v1${where}`, QUERY_STRING: '',
    REMOTE_ADDR: s.freshAddress(), SERVER_PROTOCOL: 'HTTP/1.1', CONTENT_TYPE: 'application/json', CONTENT_LENGTH: String(Buffer.byteLength(body)),
    HTTP_X_API_KEY: key, ...env };
  const as = s.user === null ? [] : ['setpriv', `--reuid=${s.user}`, `--regid=${s.user}`, '--init-groups', '--'];
  const [file, ...args] = [...as, path.join(s.lib, 'agents.fcgi')];
  return new Promise((done) => {
    const child = spawn(file, args, { env: variables, cwd: '/' });
    let stdout = '', stderr = '';
    child.stdout.on('data', (chunk) => { stdout += chunk; });
    child.stderr.on('data', (chunk) => { stderr += chunk; });
    child.on('close', () => {
      const [head, text = ''] = stdout.split('\r\n\r\n');
      done({ status: Number(/^Status: (\d+)/m.exec(head)?.[1] ?? 0), json: text ? JSON.parse(text) : null, text: stdout + stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(body);
    kill?.then(() => child.kill('SIGKILL'));
  });
}

test('a program that is killed while the provider is called loses no money', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  let die;
  const kill = new Promise((done) => { die = done; });
  const answer = await planned(() => die(), () => cgi({ where: '/agents/deposit', key: agent.key, body: JSON.stringify(card), kill,
    env: { HTTP_IDEMPOTENCY_KEY: 'killed' } }));
  assert.equal(answer.status, 0, answer.text);
  const [row] = await rows(agent);
  assert.deepEqual([row.status, row.provider_id], ['pending', null]);
  assertRefused(await deposit(agent, card, { 'Idempotency-Key': 'killed' }), 409, 'idempotency_in_progress');
  assert.equal((await tell(orderOf(agent, row))).json.status, 'completed');
  assert.deepEqual(await balance(s, agent), [100, 0]);
  assert.equal((await deposit(agent, card, { 'Idempotency-Key': 'killed' })).status, 201);
  await sound();
});

const none = { DLOCAL_URL: '', DLOCAL_LOGIN: '', DLOCAL_TRANS_KEY: '', DLOCAL_SECRET: '' };

test('without a provider, development credits at once', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const made = await cgi({ env: none, where: '/agents/deposit', key: agent.key, body: JSON.stringify(card) });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual([made.json.status, made.json.amount_usd, made.json.redirect_url], ['completed', 100, null]);
  assert.match(made.json.transaction_id, /^txn_/);
  assert.match(made.json.message, /test mode/);
  assert.deepEqual(await balance(s, agent), [100, 0]);
  assert.equal((await status(agent, made.json.payment_id)).json.status, 'completed');
  assert.deepEqual((await events(agent)).map((one) => [one.event, one.actor]), [['deposit.completed', 'system']]);
  await sound();
});

/* The bucket guard is for development alone. */
test('without a provider, production has no such deposits', { skip: process.env.HUMANOPS_TEST_GUARD === '1' }, async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const production = { ...none, HUMANOPS_ENV: 'production', SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'a@example.com',
    ALLOW_DEV_OPERATOR_ID_HEADER: 'false', WEBHOOK_ALLOW_PRIVATE: 'false', DATABASE_BUCKET_GUARD: 'false' };
  const made = await cgi({ env: production, where: '/agents/deposit', key: agent.key, body: JSON.stringify(card) });
  assert.deepEqual([made.status, made.json?.code], [503, 'fiat_unavailable'], made.text);
  assert.equal((await rows(agent)).length, 0);
});

/* the identity vendor */

async function operator() {
  const made = await s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com', phone: '+1234567890' } });
  assert.equal(made.status, 201, made.text);
  return made.json.operator_id;
}
const kyc = async (id) => (await s.call('GET', '/operator/me', { headers: { 'X-Operator-Id': id } })).json.kyc_status;
const verdict = (operator_id, change = {}) => signed('kyc', KYC_SECRET, { operator_id, status: 'REJECTED', note: 'The picture is blurred.', ...change });
const staffLog = async (id) => (await s.sql(`select act, data from staff_acts where target = '${id}' order by at, id`)).map((one) => [one.act, one.data.status]);
const mails = () => readdirSync(path.join(s.settings.STATE_DIR, 'mail'))
  .map((name) => readFileSync(path.join(s.settings.STATE_DIR, 'mail', name), 'utf8')).filter((text) => /^Subject: Your identity/m.test(text)).length;

test('the vendor\'s verdict stands, is recorded, and the operator is told once, however often it comes', async () => {
  const id = await operator(), before = mails();
  const told = await Promise.all(Array.from({ length: 20 }, () => verdict(id)));
  assert.deepEqual(told.map((one) => one.status), Array(20).fill(200));
  assert.equal(told.filter((one) => one.json.changed).length, 1);
  assert.equal(await kyc(id), 'REJECTED');
  assert.deepEqual(await staffLog(id), [['kyc_vendor', 'REJECTED']]);
  assert.equal((await verdict(id, { status: 'VERIFIED', note: undefined })).json.changed, true);
  assert.equal(await kyc(id), 'VERIFIED');
  assert.equal((await verdict(id)).json.changed, false, 'an old call sent again changes nothing');
  assert.equal(await kyc(id), 'VERIFIED');
  assert.deepEqual(await staffLog(id), [['kyc_vendor', 'REJECTED'], ['kyc_vendor', 'VERIFIED']]);
  await until(() => mails() === before + 2);
});

test('a verdict without the right signature or sense is refused', async () => {
  const id = await operator();
  const raw = JSON.stringify({ operator_id: id, status: 'REJECTED' });
  for (const [body, signature] of [[raw, null], [raw, hmac(SECRET, raw)], [raw.replace('REJECTED', 'VERIFIED'), hmac(KYC_SECRET, raw)]])
    assertRefused(await s.call('POST', '/webhooks/kyc', { raw: body, headers: { 'X-Signature': signature } }), 401, 'signature_invalid');
  assertFaults(await verdict(id, { status: 'PENDING' }), ['status']);
  assertFaults(await verdict(id, { more: 1 }), ['more']);
  assertFaults(await verdict(undefined), ['operator_id']);
  for (const one of ['x', 'op_00000000000000000000000000', id.replace('op_', 'agent_')])
    assertRefused(await verdict(one), 404, 'operator_not_found', one);
  assert.equal(await kyc(id), 'VERIFIED');
  assert.deepEqual(await staffLog(id), []);
});

test('without their settings the webhooks believe nobody', async () => {
  const { status: code, stdout } = await s.program('webhooks.fcgi', [], { input: '{}', env: { ...none, KYC_WEBHOOK_SECRET: '',
    GATEWAY_INTERFACE: 'CGI/1.1', REQUEST_METHOD: 'POST', REQUEST_URI: '/api/v1/webhooks/kyc', REMOTE_ADDR: s.freshAddress(),
    CONTENT_TYPE: 'application/json', CONTENT_LENGTH: '2', HTTP_X_SIGNATURE: hmac('', '{}') } });
  assert.equal(code, 0);
  assert.match(stdout, /^Status: 401/m);
});
