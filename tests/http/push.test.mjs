/*
 * Web push from subscribing to the decrypted message.  A browser is played by a key pair of Node's, the push service by a
 * receiver on loopback; what arrives is opened by RFC 8291 and RFC 8188 as written there, and VAPID is checked by RFC 8292.
 */
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, createPublicKey, hkdfSync, randomBytes, verify } from 'node:crypto';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stack } from '../stack.mjs';

const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
const staff = (method, where, body) => s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

async function operator() {
  const made = await ok(s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com' } }), 201);
  const id = made.operator_id;
  return { id, call: (method, where, body) => s.call(method, `/operator${where}`, { body, headers: { 'X-Operator-Id': id } }) };
}

/* A browser and its push service. */
async function browser({ answer, path = '/push/abc' } = {}) {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys(), auth = randomBytes(16);
  const service = await s.receiver({ answer: answer ?? (() => ({ status: 201 })) });
  const origin = `http://127.0.0.1:${service.port}`;
  return { ecdh, point, auth, origin, requests: service.requests, subscription: { endpoint: origin + path,
    keys: { p256dh: point.toString('base64url'), auth: auth.toString('base64url') } } };
}

function decrypt(b, body) {
  assert.ok(body.length <= 4096);
  const salt = body.subarray(0, 16), size = body.readUInt32BE(16), key = body.subarray(21, 21 + body[20]);
  const record = body.subarray(21 + body[20]);
  assert.ok(record.length <= size, 'one record');
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), b.point, key]);
  const input = Buffer.from(hkdfSync('sha256', b.ecdh.computeSecret(key), b.auth, info, 32));
  const cek = Buffer.from(hkdfSync('sha256', input, salt, 'Content-Encoding: aes128gcm\0', 16));
  const nonce = Buffer.from(hkdfSync('sha256', input, salt, 'Content-Encoding: nonce\0', 12));
  const decipher = createDecipheriv('aes-128-gcm', cek, nonce);
  decipher.setAuthTag(record.subarray(-16));
  const text = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
  const end = text.lastIndexOf(2);
  assert.ok(end > 0 && text.subarray(end + 1).every((byte) => byte === 0), 'the last record\'s delimiter');
  return JSON.parse(text.subarray(0, end));
}

async function checkVapid(b, header, publicKey) {
  const [, token, k] = /^vapid t=([^,]+), k=(.+)$/.exec(header);
  const point = Buffer.from(k, 'base64url');
  assert.equal(k, publicKey);
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url') } });
  const [head, claims, signature] = token.split('.');
  assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
  const { typ, alg } = JSON.parse(Buffer.from(head, 'base64url'));
  const { aud, exp, sub } = JSON.parse(Buffer.from(claims, 'base64url'));
  const seconds = exp - (await s.now()) / 1000;
  assert.deepEqual([typ, alg, aud, sub], ['JWT', 'ES256', b.origin, s.settings.PUBLIC_BASE_URL]);
  assert.ok(seconds > 3600 && seconds <= 86400, `good for ${seconds} s`);
}

const tell = (op, status) => ok(staff('POST', `/operators/${op.id}/kyc`, { status }));
const subscriptions = (op) => s.sql(`select p.endpoint, p.failures from push_subscriptions p
  join operators o on o.bucket = p.bucket and o.id = p.operator_id where o.name = '${op.mark}' order by p.created_at, p.id`);
const jobs = () => s.sql("select attempts, is_dead, last_error from jobs where kind = 'push'");

/* An operator whose row can be told by a name of its own. */
async function marked() {
  const op = await operator();
  op.mark = `M${randomBytes(6).toString('hex')}`;
  await ok(op.call('PATCH', '/me', { name: op.mark }));
  return op;
}

test('a subscribed browser is told of what concerns its operator, encrypted and signed', async () => {
  const op = await marked(), b = await browser(), second = await browser();
  const { public_key: publicKey } = await ok(op.call('GET', '/push/key'));
  assert.equal(Buffer.from(publicKey, 'base64url').length, 65);
  const made = await ok(op.call('POST', '/push', { ...b.subscription, expirationTime: null }), 201);
  assert.equal(made.endpoint, b.subscription.endpoint);
  await ok(op.call('POST', '/push', second.subscription), 201);
  const agent = await s.agent({ tier: 'STANDARD', deposit: 100 });
  const task = (await ok(s.call('POST', '/tasks', { key: agent.key, body: { title: 'SECRET TITLE',
    description: 'Compare the list with the window.', reward_usd: 25, deadline: await s.time(3 * 86400), proof_requirements: ['Result'],
    task_type: 'DATA_VALIDATION', proof_type: 'CONFIRMATION' } }), 201)).task_id;
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }));
  await ok(s.call('POST', `/tasks/${task}/estimate/approve`, { key: agent.key }));
  for (const one of [b, second]) {
    await s.until(() => one.requests.length > 0);
    const [{ method, url, headers, raw }] = one.requests;
    assert.deepEqual([method, url, headers['content-encoding'], headers.urgency, headers.ttl],
      ['POST', '/push/abc', 'aes128gcm', 'normal', '86400']);
    await checkVapid(one, headers.authorization, publicKey);
    const message = decrypt(one, raw);
    assert.deepEqual(Object.keys(message).sort(), ['notice', 'task_id', 'text', 'title']);
    assert.deepEqual([message.notice, message.task_id], ['claim_approved', task]);
    assert.ok(message.text.includes(task) && !/\n|  |SECRET/.test(message.title + message.text), message.text);
  }
  await sleep(300);
  assert.deepEqual([b.requests.length, second.requests.length], [1, 1], 'once each, and the agent\'s notices go elsewhere');
});

test('the same message twice is two ciphertexts, and a browser\'s new keys replace its old ones', async () => {
  const op = await marked(), b = await browser();
  const old = await browser();
  await ok(op.call('POST', '/push', { endpoint: b.subscription.endpoint, keys: old.subscription.keys }), 201);
  await ok(op.call('POST', '/push', b.subscription), 201);
  assert.equal((await subscriptions(op)).length, 1);
  await tell(op, 'REJECTED');
  await tell(op, 'VERIFIED');
  await s.until(() => b.requests.length === 2);
  assert.deepEqual(b.requests.map((r) => decrypt(b, r.raw).notice).sort(), ['kyc_rejected', 'kyc_verified']);
  assert.notDeepEqual(b.requests[0].raw.subarray(0, 86), b.requests[1].raw.subarray(0, 86), 'fresh salt and key');
});

test('who unsubscribes is told no more, and unsubscribing twice is no fault', async () => {
  const op = await marked(), other = await marked(), b = await browser();
  await ok(op.call('POST', '/push', b.subscription), 201);
  const { endpoint } = b.subscription;
  assert.equal((await ok(other.call('DELETE', '/push', { endpoint }))).removed, false, 'only one\'s own');
  assert.equal((await ok(op.call('DELETE', '/push', { endpoint }))).removed, true);
  assert.equal((await ok(op.call('DELETE', '/push', { endpoint }))).removed, false);
  await tell(op, 'REJECTED');
  await sleep(500);
  assert.equal(b.requests.length, 0);
});

test('a browser that the push service no longer knows is forgotten', async () => {
  for (const status of [404, 410]) {
    const op = await marked(), b = await browser({ answer: () => ({ status }) });
    await ok(op.call('POST', '/push', b.subscription), 201);
    await tell(op, 'REJECTED');
    await s.until(async () => (await subscriptions(op)).length === 0);
    await s.until(async () => (await jobs()).length === 0);
    assert.equal(b.requests.length, 1);
  }
});

test('any other refusal is tried again later, and what goes through clears the count', async () => {
  const op = await marked(), b = await browser({ answer: (n) => ({ status: [500, 429, 201][n - 1] }) });
  await ok(op.call('POST', '/push', b.subscription), 201);
  await tell(op, 'REJECTED');
  await s.until(async () => (await subscriptions(op))[0].failures === 1);
  assert.equal((await s.until(async () => (await jobs()).filter((j) => j.last_error)))[0].last_error, 'answer 500');
  await s.advance(6);
  await s.until(async () => (await subscriptions(op))[0].failures === 2);
  await s.advance(12);
  await s.until(async () => (await subscriptions(op))[0].failures === 0);
  assert.equal(b.requests.length, 3);
  const texts = b.requests.map((r) => decrypt(b, r.raw));
  assert.deepEqual(texts[2], texts[0]);
  assert.deepEqual(await jobs(), []);
});

test('an operator has ten browsers at most; the oldest gives way', async () => {
  const op = await marked(), b = await browser();
  for (let i = 1; i <= 12; i++)
    await ok(op.call('POST', '/push', { ...b.subscription, endpoint: `${b.origin}/push/${i}` }), 201);
  const left = (await subscriptions(op)).map((r) => Number(r.endpoint.split('/').at(-1)));
  assert.deepEqual(left, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
});

test('a subscription that no browser would send is refused, naming every fault', async () => {
  const op = await marked(), { subscription: good } = await browser();
  const rows = [
    [{}, ['endpoint', 'keys']],
    [{ ...good, endpoint: 'ftp://push.example.net/x' }, ['endpoint']],
    [{ ...good, endpoint: 'https://user:word@push.example.net/x' }, ['endpoint']],
    [{ ...good, endpoint: `https://push.example.net/${'x'.repeat(2000)}` }, ['endpoint']],
    [{ ...good, endpoint: `https://push.example.net/${'é'.repeat(1500)}` }, ['endpoint']],
    [{ ...good, keys: { ...good.keys, auth: 'AAAA' } }, ['keys.auth']],
    [{ ...good, keys: { ...good.keys, p256dh: Buffer.alloc(65, 4).toString('base64url') } }, ['keys.p256dh']],
    [{ ...good, keys: { p256dh: good.keys.p256dh } }, ['keys.auth']],
    [{ ...good, more: 1 }, ['more']],
  ];
  for (const [body, faults] of rows) {
    const answer = await op.call('POST', '/push', body);
    assert.equal(answer.status, 400, JSON.stringify(body).slice(0, 80));
    assert.deepEqual(Object.keys(answer.json.details.fields).sort(), faults, answer.text);
  }
  assert.equal((await op.call('DELETE', '/push', {})).status, 400);
  assert.deepEqual(await subscriptions(op), []);
});

test('push is for operators alone', async () => {
  const agent = await s.agent(), { subscription } = await browser();
  const { endpoint } = subscription;
  for (const [method, where, body] of [['GET', '/push/key'], ['POST', '/push', subscription], ['DELETE', '/push', { endpoint }]]) {
    assert.equal((await s.call(method, `/operator${where}`, { body })).status, 401, where);
    assert.equal((await s.call(method, `/operator${where}`, { body, key: agent.key })).status, 401, where);
  }
});
