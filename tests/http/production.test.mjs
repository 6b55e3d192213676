/*
 * One story in the settings of production: an issuer over TLS, a mail server, a bucket, no header and no clock of development.
 * What speaks TLS to the service must be trusted as the real ones are: by the certificates of the system.  The instance sees
 * them with ours added, in a mount namespace of its own, so that nothing is changed for anybody else.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { startIssuer } from '../issuer.mjs';
import { exif, jpeg } from '../pictures.mjs';
import { startS3 } from '../s3.mjs';
import { stack } from '../stack.mjs';
import { assertRefused } from './forms.mjs';

const TRUSTED = '/etc/ssl/certs/ca-certificates.crt';
/* The bucket guard is for development alone. */
const skip = process.env.HUMANOPS_TEST_GUARD === '1' ? 'the bucket guard is on' :
  spawnSync('unshare', ['--mount', 'mount', '--bind', TRUSTED, TRUSTED]).status === 0 ? false : 'this takes the right to make a mount namespace';

const place = { lat: 48.2082, lng: 16.3738, address: 'Stephansplatz, Vienna' };
const arrived = [];
let s, issuer, s3;

async function mailServer() {
  const server = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], logger: false, onData(stream, session, done) {
    simpleParser(stream).then((mail) => {
      arrived.push(mail);
      done();
    }, done);
  } });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  after(() => new Promise((done) => server.close(done)));
  return server.server.address().port;
}

/* A certificate for localhost, and a list of the trusted ones with it at its end. */
function makeTrust() {
  const folder = mkdtempSync(path.join(tmpdir(), 'humanops-trust-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const [key, cert, bundle] = ['key.pem', 'cert.pem', 'bundle.crt'].map((name) => path.join(folder, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert], { stdio: 'pipe' });
  writeFileSync(bundle, Buffer.concat([readFileSync(TRUSTED), readFileSync(cert)]));
  chmodSync(folder, 0o755);
  chmodSync(bundle, 0o644);
  return { tls: { key: readFileSync(key), cert: readFileSync(cert) },
    wrap: ['unshare', '--mount', 'sh', '-c', `mount --bind "$0" ${TRUSTED} && exec "$@"`, bundle] };
}

const settingsOf = (port) => ['HUMANOPS_ENV=production', 'WEBHOOK_ALLOW_PRIVATE=false', `SMTP_URL=smtp://127.0.0.1:${port}`,
  'MAIL_FROM=humanops@example.com', ...s3.settings, ...issuer.settings];

if (!skip) {
  const { tls, wrap } = makeTrust();
  s3 = await startS3();
  after(() => s3.stop());
  issuer = await startIssuer({ tls, host: 'localhost', alg: 'ES256' });
  after(() => issuer.stop());
  s = await stack({ settings: settingsOf(await mailServer()), wrap });
}

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

const mailTo = (address, subject) => s.until(() => arrived.find((m) => m.to.value[0].address === address && subject.test(m.subject)));
const operatorDoes = (method, where, body, more = {}) => s.call(method, `/operator${where}`, { body, ...more,
  headers: { Authorization: `Bearer ${issuer.token({ sub: 'user_jane' })}`, ...more.headers } });
const staff = (method, where, body) => s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });

/* The agent by the mailed link, and money by the ledger. */
async function newAgent() {
  const email = 'agent@example.com', made = await ok(s.call('POST', '/agents/register', { body: { name: 'Story', email } }), 201);
  assert.deepEqual([made.tier, 'verification_url' in made], ['SANDBOX', false]);
  const mail = await mailTo(email, /Verify/), link = new URL(mail.text.split('\n').find((line) => line.startsWith('https://')));
  assert.equal(link.origin, s.base);
  const page = await s.call('GET', link.pathname + link.search, { whole: true });
  assert.deepEqual([page.status, /html/.test(page.headers['content-type'])], [200, true]);
  const [{ bucket, id: uuid }] = await s.sql(`select bucket, id from agents where email = '${email}'`);
  const agent = { key: made.api_key, id: made.agent_id, email, bucket, uuid };
  assert.equal((await ok(s.call('GET', '/agents/me', { key: agent.key }))).tier, 'VERIFIED');
  await s.deposit(agent, 100, 'deposit_usdc');
  assert.equal((await ok(s.call('GET', '/agents/me', { key: agent.key }))).tier, 'STANDARD');
  return agent;
}

async function upload(task, spot) {
  const bytes = jpeg({ exif: exif({ lat: place.lat + spot, lng: place.lng, at: Date.now() }) });
  const file = await ok(operatorDoes('POST', `/upload?task_id=${task}`, undefined, { raw: bytes, headers: { 'Content-Type': 'image/jpeg' } }), 201);
  assert.ok(file.evidence.exif_distance_m < 100 && !file.evidence.is_reused && file.url.startsWith(s.base), JSON.stringify(file));
  return file.url;
}

test('from a mailed link to work that is done, checked and paid', { skip, timeout: 120_000 }, async () => {
  const agent = await newAgent();
  const { task_id: task } = await ok(s.call('POST', '/tasks', { key: agent.key, headers: { 'Idempotency-Key': 'story-1' }, body: { title: 'Photo of the giant door',
    description: 'Take two photos of the main door of the cathedral.', location: place, reward_usd: 25, deadline: await s.time(86400),
    proof_requirements: ['Two photos of the main door', 'GPS-stamped image'], task_type: 'PHOTO' } }), 201);
  const show = () => ok(s.call('GET', `/tasks/${task}`, { key: agent.key }));

  assertRefused(await operatorDoes('GET', '/me'), 403, 'operator_required');
  const jane = await ok(operatorDoes('POST', '/register', { name: 'Jane D.', email: 'jane@example.com', location: { city: 'Vienna', country: 'AT', lat: 48.21, lng: 16.37 } }), 201);
  assert.equal(jane.kyc_status, 'PENDING');
  assertRefused(await operatorDoes('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }), 403, 'kyc_required');
  assert.deepEqual((await ok(s.call('GET', '/operators/search?lat=48.2&lng=16.4&radius_km=20', { key: agent.key }))).data, [], 'nor is she found');
  const waiting = (await ok(staff('GET', '/operators?kyc_status=PENDING'))).data;
  assert.deepEqual(waiting.map((o) => o.operator_id), [jane.operator_id]);
  await ok(staff('POST', `/operators/${jane.operator_id}/kyc`, { status: 'VERIFIED', note: 'Passport seen.' }));
  assert.equal((await ok(operatorDoes('GET', '/me'))).kyc_status, 'VERIFIED');
  assert.equal((await ok(s.call('GET', '/operators/search?lat=48.2&lng=16.4&radius_km=20', { key: agent.key }))).data.length, 1);

  assert.equal((await ok(operatorDoes('GET', '/tasks?lat=47.07&lng=15.44&radius_km=50'))).data.length, 0, 'not from Graz');
  const [found] = (await ok(operatorDoes('GET', '/tasks?lat=48.21&lng=16.37&radius_km=5'))).data;
  assert.ok(found.task_id === task && found.distance_km < 1, JSON.stringify(found));
  await ok(operatorDoes('POST', `/tasks/${task}/accept`, { estimate_hours: 2, estimate_note: 'After lunch' }));
  await mailTo(agent.email, /claimed/);
  assert.equal((await ok(s.call('POST', `/tasks/${task}/estimate/approve`, { key: agent.key }))).status, 'ACCEPTED');
  await mailTo('jane@example.com', /approved/);
  assert.equal((await ok(operatorDoes('POST', `/tasks/${task}/start`))).status, 'IN_PROGRESS');

  const photos = [await upload(task, 0.0001), await upload(task, 0.0002)];
  assert.equal(s3.objects.size, 4, 'two originals and what is served of them');
  await ok(operatorDoes('POST', `/tasks/${task}/submit`, { photos, notes: 'The main door, both wings.' }));
  await s.until(async () => (await show()).status === 'COMPLETED');
  const done = await show();
  assert.equal(done.guardian_result.decision, 'APPROVE');
  assert.deepEqual(done.events.map((e) => e.type), ['task.created', 'task.claimed', 'task.estimate_approved', 'task.started', 'task.submitted', 'task.verified', 'task.completed']);
  const { pending_balance: pays, available_balance: held } = await ok(operatorDoes('GET', '/earnings'));
  assert.deepEqual([pays, held], [25, 0]);
  assert.deepEqual(await ok(s.call('GET', '/agents/balance', { key: agent.key })), { deposit_balance: 72.5, escrow_balance: 0, currency: 'USD' });
  assert.match((await ok(s.call('GET', `/tasks/${task}/receipt`, { key: agent.key }))).receipt, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  assert.deepEqual(await s.audit(), []);
  assert.deepEqual((await ok(staff('GET', '/ledger/audit'))).findings, []);
});

test('nothing of development is there', { skip }, async () => {
  assertRefused(await staff('POST', '/clock', { advance_seconds: 60 }), 404, 'not_found');
  const [row] = await ok(staff('GET', '/operators')).then((list) => list.data);
  assertRefused(await s.call('GET', '/operator/me', { headers: { 'X-Operator-Id': row.operator_id } }), 401, 'unauthorized');
  assertRefused(await s.call('POST', '/operator/register', { body: { name: 'Eve', email: 'eve@example.com' } }), 401, 'unauthorized');
  const { api_key: key } = await ok(s.call('POST', '/agents/register', { body: { name: 'x', email: 'x@example.com' } }), 201);
  for (const callback of ['http://example.com/hook', 'https://127.0.0.1/hook', 'https://localhost/hook', 'https://169.254.169.254/latest'])
    assert.equal((await s.call('POST', '/tasks', { key, body: { title: 'Errand', description: 'An errand.', reward_usd: 1, deadline: await s.time(86400),
      proof_requirements: ['Result'], task_type: 'DATA_VALIDATION', callback_url: callback } })).json.details.fields?.callback_url !== undefined, true, callback);
});

test('without a chain there is no test mode: nothing is bound, credited or paid', { skip }, async () => {
  const { api_key: key } = await ok(s.call('POST', '/agents/register', { body: { name: 'x', email: 'chain@example.com' } }), 201);
  const hex = (digits) => `0x${'ab'.repeat(digits / 2)}`, wallet = `0x${'ab'.repeat(20)}`;
  for (const [method, where, body] of [['GET', '/agents/deposit-address'], ['POST', '/agents/wallet/challenge'], ['GET', '/agents/wallet'],
    ['PUT', '/agents/wallet', { wallet_address: wallet, nonce: '550e8400-e29b-41d4-a716-446655440000', signature: hex(130) }],
    ['POST', '/agents/deposit/usdc', { tx_hash: hex(64), amount_usdc: 100, chain: 'base' }], ['POST', '/agents/withdraw', { amount_usd: 10 }]]) {
    const answer = await s.call(method, where, { key, body });
    assertRefused(answer, 503, 'chain_unavailable', where);
    assert.ok(Number(answer.headers['retry-after']) >= 1, where);
  }
  assertRefused(await operatorDoes('POST', '/payout', { amount_usd: 10, method: 'usdc', wallet_address: wallet, chain: 'base' }), 503, 'chain_unavailable');
  assert.deepEqual(await s.audit(), []);
});

test('secrets stand in no log', { skip }, () => {
  const logs = Object.entries(s.logFiles());
  assert.ok(logs.length > 5);
  for (const [name, text] of logs) {
    for (const secret of [s.settings.ADMIN_API_KEY, s.settings.SECRET_KEY, s3.secret, 'ho_live_'])
      assert.ok(!text.includes(secret), name);
    assert.ok(!/eyJ[\w-]{10,}\.eyJ/.test(text), `${name}: no token`);
  }
});

test('settings of development are refused in production', { skip }, async () => {
  for (const [name, value] of [['ALLOW_DEV_OPERATOR_ID_HEADER', 'true'], ['WEBHOOK_ALLOW_PRIVATE', 'true'], ['OPERATOR_JWT_ISSUER', 'http://localhost:1'],
    ['PUBLIC_BASE_URL', 'http://localhost:1'], ['SMTP_URL', '']]) {
    const { status, stderr } = await s.program('worker', ['--check'], { env: { [name]: value } });
    assert.ok(status !== 0 && stderr.includes(name), `${name}: ${status} ${stderr}`);
  }
});
