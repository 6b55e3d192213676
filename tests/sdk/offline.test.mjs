/* What of the SDK needs no service: vectors, signatures, hostile peers, what a client gives away, and its declarations. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { inspect } from 'node:util';
import {
  decryptCredential,
  encryptCredential,
  generateKeyPair,
  HumanOpsClient,
  HumanOpsError,
  PLAINTEXT_MAX,
  signWebhook,
  verifyReceipt,
  verifyWebhook,
  VERSION,
} from '../../sdk/src/index.mjs';
import { State, stateFolder } from '../../sdk/mcp/state.mjs';
import { root } from '../stack.mjs';
import { makeVectors } from '../vectors/make-e2ee.mjs';

const file = JSON.parse(readFileSync(path.join(root, 'tests/vectors/e2ee.json'), 'utf8'));
const REFUSALS = ['key_invalid', 'credential_invalid', 'decryption_failed'];

/* vectors */

test('the vectors are those that their script makes, and at least twenty', () => {
  assert.deepEqual(file, JSON.parse(JSON.stringify(makeVectors())));
  assert.ok(file.vectors.length >= 20);
});

test('every vector opens, with its key in each form', async () => {
  for (const vector of file.vectors)
    for (const key of [vector.private_key_pkcs8, vector.private_key_jwk])
      assert.deepEqual(
        await decryptCredential(key, vector.task_id, vector.encrypted_credential),
        JSON.parse(vector.plaintext),
        vector.name,
      );
});

test('no changed one opens', async () => {
  for (const { name, private_key_pkcs8: key, task_id: id, encrypted_credential: blob } of file.refused)
    await assert.rejects(
      decryptCredential(key, id, blob),
      (error) => error instanceof HumanOpsError && REFUSALS.includes(error.code),
      name,
    );
});

test('one bit anywhere, and it does not open', async () => {
  const { task_id: id, private_key_jwk: jwk, encrypted_credential: blob } = file.vectors[0];
  const refused = (key, task, changed) =>
    assert.rejects(decryptCredential(key, task, changed), (error) => REFUSALS.includes(error.code));
  for (const part of ['ciphertext', 'iv', 'ephemeralPublicKey']) {
    const bytes = Buffer.from(blob[part], 'base64');
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] ^= 1 << (bit & 7);
      await refused(jwk, id, { ...blob, [part]: changed.toString('base64') });
    }
  }
  for (let at = 0; at < id.length; at++)
    await refused(jwk, id.slice(0, at) + String.fromCharCode(id.charCodeAt(at) ^ 1) + id.slice(at + 1), blob);
  const secret = Buffer.from(jwk.d, 'base64url');
  for (let bit = 0; bit < 256; bit++) {
    const changed = Buffer.from(secret);
    changed[bit >> 3] ^= 1 << (bit & 7);
    await refused({ ...jwk, d: changed.toString('base64url') }, id, blob);
  }
});

/* The operators' app has an implementation of its own: what it seals opens here. */
const seal = path.join(root, 'web/app/seal.mjs');
test("what the operators' app seals opens here", { skip: !existsSync(seal) }, async () => {
  const app = await import(seal);
  for (const vector of file.vectors) {
    const credential = JSON.parse(vector.plaintext),
      blob = await app.seal(vector.public_key, vector.task_id, credential);
    assert.deepEqual(await decryptCredential(vector.private_key_pkcs8, vector.task_id, blob), credential, vector.name);
  }
});

/* Its cipher with the vector's own ephemeral key and iv, put in the way of WebCrypto's random ones: the same bytes come out. */
test("the operators' app makes the vectors' very bytes", { skip: !existsSync(seal) }, async () => {
  const app = await import(seal),
    { subtle } = globalThis.crypto,
    { generateKey } = subtle,
    { getRandomValues } = globalThis.crypto;
  try {
    for (const vector of file.vectors.filter(({ plaintext }) => JSON.stringify(JSON.parse(plaintext)) === plaintext)) {
      const point = Buffer.from(vector.ephemeral_public_key, 'hex'),
        curve = { name: 'ECDH', namedCurve: 'P-256' };
      const jwk = {
        kty: 'EC',
        crv: 'P-256',
        d: Buffer.from(vector.ephemeral_private_key, 'hex').toString('base64url'),
        x: point.subarray(1, 33).toString('base64url'),
        y: point.subarray(33).toString('base64url'),
      };
      const pair = {
        privateKey: await subtle.importKey('jwk', jwk, curve, true, ['deriveBits']),
        publicKey: await subtle.importKey('raw', point, curve, true, []),
      };
      subtle.generateKey = async () => pair;
      globalThis.crypto.getRandomValues = (array) => {
        array.set(Buffer.from(vector.iv, 'hex'));
        return array;
      };
      assert.deepEqual(
        await app.seal(vector.public_key, vector.task_id, JSON.parse(vector.plaintext)),
        vector.encrypted_credential,
        vector.name,
      );
    }
  } finally {
    subtle.generateKey = generateKey;
    globalThis.crypto.getRandomValues = getRandomValues;
  }
});

test('base64 has one text for each value: blanks, missing padding and bits that mean nothing are refused', async () => {
  const { task_id: id, private_key_jwk: jwk, encrypted_credential: blob } = file.vectors[0];
  const point = blob.ephemeralPublicKey; /* 65 bytes: the last letter has two bits that mean nothing */
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const other = `${point.slice(0, -2)}${letters[letters.indexOf(point.at(-2)) + 1]}=`;
  assert.ok(Buffer.from(other, 'base64').equals(Buffer.from(point, 'base64')));
  for (const text of [other, point.slice(0, -1), ` ${point}`, `${point}\n`, `${point}=`])
    await assert.rejects(decryptCredential(jwk, id, { ...blob, ephemeralPublicKey: text }), (error) =>
      REFUSALS.includes(error.code),
    );
});

test('sealing: fresh each time, at most 64 KiB, for good keys only', async () => {
  const pair = await generateKeyPair(),
    seen = new Set();
  for (let i = 0; i < 20; i++) {
    const blob = await encryptCredential(pair.publicKey, 'task_x', { same: true });
    seen.add(blob.iv).add(blob.ephemeralPublicKey).add(blob.ciphertext);
    assert.deepEqual(await decryptCredential(pair.privateKey, 'task_x', blob), { same: true });
  }
  assert.equal(seen.size, 60);
  const fits = 'x'.repeat(PLAINTEXT_MAX - 2);
  assert.equal(await decryptCredential(pair.privateKey, 't', await encryptCredential(pair.publicKey, 't', fits)), fits);
  await assert.rejects(encryptCredential(pair.publicKey, 't', `${fits}x`), { code: 'credential_too_long' });
  await assert.rejects(encryptCredential(pair.publicKey, 't', 'é'.repeat(PLAINTEXT_MAX / 2)), {
    code: 'credential_too_long',
  });
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }),
    rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  for (const key of [
    '',
    'x',
    '*',
    undefined,
    null,
    7,
    {},
    Buffer.alloc(65).toString('base64'),
    `${pair.publicKey} `,
    pair.publicKey.replace(/=+$/, ''),
    p384.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  ])
    await assert.rejects(encryptCredential(key, 't', {}), { code: 'key_invalid' }, inspect(key));
  const blob = await encryptCredential(pair.publicKey, 't', {});
  for (const key of [
    '',
    'x',
    pair.publicKey,
    {},
    undefined,
    null,
    p384.privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    rsa.privateKey.export({ format: 'jwk' }),
  ])
    await assert.rejects(decryptCredential(key, 't', blob), { code: 'key_invalid' }, inspect(key));
  for (const bad of [
    undefined,
    null,
    {},
    { ...blob, ciphertext: 7 },
    { ...blob, iv: undefined },
    { ...blob, algorithm: 'x' },
  ])
    await assert.rejects(decryptCredential(pair.privateKey, 't', bad), (error) =>
      ['credential_invalid', 'key_invalid'].includes(error.code),
    );
});

test('what does not parse is not shown: no error quotes a decrypted secret', async () => {
  const pair = await generateKeyPair(),
    { stringify } = JSON;
  JSON.stringify = () => 'not json: hunter2';
  const blob = await encryptCredential(pair.publicKey, 't', 'x').finally(() => {
    JSON.stringify = stringify;
  });
  const error = await decryptCredential(pair.privateKey, 't', blob).catch((one) => one);
  assert.equal(error.code, 'credential_invalid');
  assert.ok(!inspect(error, { depth: 9, showHidden: true }).includes('hunter2'));
});

/* webhooks */

const body = '{"event":"task.completed","task_id":"task_1","id":"evt_1","note":"é"}';

test('webhooks: both schemes as their own definitions have them', async () => {
  for (const [secret, key] of [
    ['plain', 'plain'],
    ['whsec_c2VjcmV0IQ==', Buffer.from('secret!')],
    ['whsec_not base64', 'whsec_not base64'],
    ['whsec_é', 'whsec_é'],
  ]) {
    const now = 1_800_000_000_500,
      headers = await signWebhook({ id: 'evt_1', payload: body, secret, now });
    assert.equal(headers['webhook-timestamp'], '1800000000');
    assert.equal(
      headers['webhook-signature'],
      `v1,${createHmac('sha256', key).update(`evt_1.1800000000.${body}`).digest('base64')}`,
      secret,
    );
    assert.equal(headers['X-HumanOps-Signature'], createHmac('sha256', secret).update(body).digest('hex'), secret);
    for (const payload of [
      body,
      Buffer.from(body),
      new Uint8Array(Buffer.from(body)),
      Uint8Array.from(Buffer.from(body)).buffer,
    ])
      for (const scheme of ['standard', 'humanops'])
        assert.equal((await verifyWebhook({ payload, headers, secret, now, scheme })).task_id, 'task_1');
  }
});

test('webhooks: the published example of Standard Webhooks', async () => {
  const headers = {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  };
  const event = await verifyWebhook({
    payload: '{"test": 2432232314}',
    headers,
    secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    now: 1_614_265_330_000,
  });
  assert.equal(event.test, 2432232314);
});

test('webhooks: what is forged, old, early, cut, of another or of none is refused', async () => {
  const secret = 'whsec_c2VjcmV0IQ==',
    now = Date.now(),
    headers = await signWebhook({ id: 'evt_1', payload: body, secret, now });
  const standard = headers['webhook-signature'],
    hex = headers['X-HumanOps-Signature'];
  const good = { payload: body, headers, secret, now };
  const rows = [
    { payload: `${body} ` },
    { payload: body.replace('task_1', 'task_2') },
    { secret: 'whsec_c2VjcmV0Pw==' },
    { secret: 'c2VjcmV0IQ==' },
    { now: now + 302_000 },
    { now: now - 302_000 },
    { now: now + 11_000, tolerance: 10 },
    { tolerance: NaN },
    { headers: {} },
    { headers: { ...headers, 'webhook-id': 'evt_2' } },
    { headers: { ...headers, 'webhook-timestamp': String(Math.floor(now / 1000) + 1) } },
    { headers: { ...headers, 'webhook-timestamp': 'soon' } },
    { headers: { ...headers, 'webhook-timestamp': '1e9' } },
    { headers: { ...headers, 'webhook-signature': standard.slice(3) } },
    { headers: { ...headers, 'webhook-signature': `v2${standard.slice(2)}` } },
    { headers: { ...headers, 'webhook-signature': `${standard.slice(0, -2)}A=` } },
    { headers: { ...headers, 'webhook-signature': 'v1,' } },
    { headers: { ...headers, 'webhook-signature': `${'v1,AAAA '.repeat(20)}${standard}` } },
    { headers: { 'X-HumanOps-Signature': hex } },
    { scheme: 'humanops', payload: `${body} ` },
    { scheme: 'humanops', headers: { 'x-humanops-signature': hex.slice(1) } },
    { scheme: 'humanops', headers: {} },
    { scheme: 'humanops', headers: { 'x-humanops-signature': `${hex}0` } },
  ];
  for (const row of rows)
    await assert.rejects(verifyWebhook({ ...good, ...row }), { code: 'signature_invalid' }, inspect(row));
  for (const row of [
    {},
    { now: now + 299_000 },
    { headers: { ...headers, 'webhook-signature': `v1,AAAA v1a,x ${standard}` } },
    { headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), [value]])) },
    { scheme: 'humanops', headers: { 'x-humanops-signature': hex.toUpperCase() } },
  ])
    assert.equal((await verifyWebhook({ ...good, ...row })).id, 'evt_1');
  await assert.rejects(verifyWebhook({ ...good, payload: JSON.parse(body) }), TypeError);
  await assert.rejects(verifyWebhook({ ...good, secret: '' }), TypeError);
  await assert.rejects(
    verifyWebhook({ ...good, payload: 'x', headers: await signWebhook({ id: 'x', payload: 'x', secret }) }),
    { code: 'unreadable' },
  );
});

/* receipts */

test('receipts: only ES256 by a key of the set', async () => {
  const own = generateKeyPairSync('ec', { namedCurve: 'P-256' }),
    jwk = { ...own.publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' },
    jwks = { keys: [jwk] };
  const make = (header, claims = { iss: 'https://x', sub: 'task_1' }, key = own.privateKey) => {
    const content = [header, claims]
      .map((one) => Buffer.from(typeof one === 'string' ? one : JSON.stringify(one)).toString('base64url'))
      .join('.');
    return `${content}.${sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
  };
  const good = { alg: 'ES256', typ: 'receipt+jwt', kid: 'k' };
  assert.equal((await verifyReceipt(make(good), jwks, { issuer: 'https://x', taskId: 'task_1' })).sub, 'task_1');
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const forged = [
    make({ ...good, alg: 'none' }),
    make({ ...good, alg: 'HS256' }),
    make({ ...good, typ: 'JWT' }),
    make({ ...good, kid: 'other' }),
    make({ ...good, kid: undefined }),
    make({ ...good, crit: ['exp'] }),
    make(good, undefined, other),
    make(
      { ...good, jwk: createPrivateKey(other.export({ type: 'pkcs8', format: 'pem' })).export({ format: 'jwk' }) },
      undefined,
      other,
    ),
    make(good, '[]'),
    make(good, 'null'),
    make('nonsense'),
    `${make(good)}=`,
    make(good).replace('.', '..'),
    '',
    'a.b.c',
    undefined,
    null,
    7,
    'x'.repeat(2 << 20),
  ];
  for (const receipt of forged) await assert.rejects(verifyReceipt(receipt, jwks), { code: 'receipt_invalid' });
  for (const keys of [
    undefined,
    {},
    { keys: [] },
    { keys: [{ ...jwk, x: 'AAAA' }] },
    { keys: [{ ...jwk, crv: 'P-384' }] },
  ])
    await assert.rejects(verifyReceipt(make(good), keys), { code: 'receipt_invalid' });
  await assert.rejects(verifyReceipt(make(good), jwks, { issuer: 'https://y' }), { code: 'receipt_invalid' });
});

/* the client and its peers */

async function served(answer, call) {
  const seen = [],
    server = http.createServer((request, response) => {
      seen.push(request);
      answer(request, response, seen.length);
    });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${server.address().port}`;
  try {
    return await call(
      new HumanOpsClient({ baseUrl: url, apiKey: 'ho_live_secret', maxRetries: 0, timeout: 2000 }),
      seen,
      url,
    );
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const json = { 'Content-Type': 'application/json' };

test('a peer that redirects never gets the key anywhere else', () =>
  served(
    (_, elsewhere) => elsewhere.end('{}'),
    (_c, strangers, there) =>
      served(
        (request, response, n) =>
          response.writeHead([301, 302, 303, 307, 308][n - 1], { Location: `${there}/api/v1/agents/balance` }).end(),
        async (client) => {
          for (let i = 0; i < 5; i++)
            await assert.rejects(client.balance(), { code: 'redirect_refused', isRetryable: false });
          assert.equal(strangers.length, 0);
        },
      ),
  ));

const liars = [
  ['answers HTML', (response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end('<html>'), 'unreadable'],
  ['answers broken JSON', (response) => response.writeHead(200, json).end('{"a":'), 'unreadable'],
  ['answers a bare number', (response) => response.writeHead(200, json).end('7'), 'unreadable'],
  ['answers nothing', (response) => response.writeHead(200, json).end(), 'unreadable'],
  ['answers an error of no form', (response) => response.writeHead(400, json).end('[]'), 'http_400'],
  [
    'answers an error of odd members',
    (response) => response.writeHead(418, json).end('{"code":7,"error":{},"details":"x","request_id":[]}'),
    'http_418',
  ],
  ['closes at once', (response) => response.socket.destroy(), 'connection_failed'],
  [
    'stops in the middle',
    (response) => {
      response.writeHead(200, { ...json, 'Content-Length': 100 });
      response.write('{"a":1');
      setTimeout(() => response.socket.destroy(), 20);
    },
    'connection_failed',
  ],
  ['never answers', () => {}, 'timeout'],
  [
    'never ends',
    (response) => {
      response.writeHead(200, json);
      response.write('{');
    },
    'timeout',
  ],
];
for (const [name, answer, code] of liars)
  test(`a peer that ${name}`, () =>
    served(
      (_, response) => answer(response),
      async (client) => {
        const error = await client.balance({ timeout: code === 'timeout' ? 300 : 5000 }).catch((one) => one);
        assert.ok(error instanceof HumanOpsError, inspect(error));
        assert.equal(error.code, code);
        assert.equal(typeof error.details, 'object');
      },
    ));

test('a peer that answers 50 MB is cut off', () =>
  served(
    (_, response) => {
      response.writeHead(200, json);
      const piece = Buffer.alloc(1 << 20, 32);
      let sent = 0;
      const more = () => {
        while (sent++ < 50) if (!response.write(piece)) return response.once('drain', more);
        response.end('{}');
      };
      more();
    },
    async (client) => {
      const before = process.memoryUsage().rss;
      await assert.rejects(client.balance({ timeout: 10_000 }), { code: 'too_large' });
      assert.ok(process.memoryUsage().rss - before < 150 << 20);
    },
  ));

test('an answer that is replayed, a Retry-After that is a date, one that is nonsense', async () => {
  for (const [header, low, high] of [
    [new Date(Date.now() + 5000).toUTCString(), 3, 6],
    ['nonsense', null, null],
    ['', null, null],
    ['-5', null, null],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0, 0],
  ])
    await served(
      (_, response) => response.writeHead(429, { ...json, 'Retry-After': header }).end('{"code":"rate_limited"}'),
      async (client) => {
        const { retryAfter } = await client.balance().catch((error) => error);
        assert.ok(
          low === null ? retryAfter === null || retryAfter === 0 : retryAfter >= low && retryAfter <= high,
          `${header}: ${retryAfter}`,
        );
      },
    );
});

test('addresses: with and without /api/v1, only https but to this machine', () => {
  for (const [url, want] of [
    ['https://x.example', 'https://x.example'],
    ['https://x.example/', 'https://x.example'],
    ['https://x.example/api/v1', 'https://x.example'],
    ['https://x.example/api/v1/', 'https://x.example'],
    ['https://x.example:8443/sub/api/v1', 'https://x.example:8443/sub'],
    ['http://localhost:8080', 'http://localhost:8080'],
    ['http://127.8.9.1', 'http://127.8.9.1'],
    ['http://[::1]:1', 'http://[::1]:1'],
    ['http://a.localhost', 'http://a.localhost'],
  ])
    assert.equal(new HumanOpsClient({ baseUrl: url }).baseUrl, want);
  for (const url of [
    'http://x.example',
    'http://10.0.0.1',
    'http://localhost.example',
    'http://127.0.0.1.example',
    'ftp://localhost',
    'file:///etc/passwd',
    'x',
    '',
    'https://u:p@x.example',
    'https://x.example/?a',
    'https://x.example/#a',
  ])
    assert.throws(() => new HumanOpsClient({ baseUrl: url }), TypeError, url);
  assert.equal(
    new HumanOpsClient({ baseUrl: 'http://humanops:8080', allowInsecure: true }).baseUrl,
    'http://humanops:8080',
  );
  assert.equal(
    new HumanOpsClient({ baseUrl: 'http://humanops:8080', allowInsecure: true }).withKey('x').baseUrl,
    'http://humanops:8080',
  );
  assert.equal(new HumanOpsClient().baseUrl, 'https://api.humanops.io');
});

test('a key shows nowhere: not in what is printed, nor in an error about it', async () => {
  const client = new HumanOpsClient({ apiKey: 'ho_live_secret', baseUrl: 'http://127.0.0.1:1', maxRetries: 0 });
  const error = await client.balance().catch((one) => one);
  for (const thing of [client, error])
    assert.ok(!`${inspect(thing, { depth: 9, showHidden: true })}${JSON.stringify(thing)}`.includes('ho_live_secret'));
  for (const key of ['ho_live_secret\n', 'ho live_secret', 'ho_live_sécret', '', 7, 'ho_live_secret\r\nX-Admin: 1'])
    assert.throws(
      () => new HumanOpsClient({ apiKey: key }),
      (one) => one instanceof TypeError && !one.message.includes('secret'),
    );
});

test('paths: whatever an id is, it reaches no other address', () =>
  served(
    (_, response) => response.writeHead(200, json).end('{}'),
    async (client, seen) => {
      for (const id of ['..', '.', '../agents/me', '%2e%2e', 'a/../b', 'a?b=c', 'a#b', '//x', '\\..\\x']) {
        await client.task(id);
        const { url } = seen.at(-1);
        assert.match(new URL(url, 'http://x').pathname, /^\/api\/v1\/tasks\/[^/]+$/, `${id}: ${url}`);
        assert.ok(!/[?#]/.test(url), url);
      }
    },
  ));

test("a fetch of one's own, the environment, and one key for each instance", async () => {
  const asked = [],
    fetch = async (url, options) => {
      asked.push([url, options.headers['X-API-Key']]);
      return new Response('{"deposit_balance":1}', { headers: json });
    };
  process.env.HUMANOPS_API_KEY = 'ho_from_env';
  process.env.HUMANOPS_API_URL = 'https://env.example/api/v1';
  try {
    const client = new HumanOpsClient({ fetch });
    await client.balance();
    await client.withKey('ho_other').balance();
    await new HumanOpsClient({ fetch, apiKey: 'ho_option', baseUrl: 'https://option.example' }).balance();
  } finally {
    delete process.env.HUMANOPS_API_KEY;
    delete process.env.HUMANOPS_API_URL;
  }
  assert.deepEqual(asked, [
    ['https://env.example/api/v1/agents/balance', 'ho_from_env'],
    ['https://env.example/api/v1/agents/balance', 'ho_other'],
    ['https://option.example/api/v1/agents/balance', 'ho_option'],
  ]);
});

/* what is kept */

test('kept secrets: for their owner alone, whole, never written over, by many at once', async (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-state-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const state = new State(path.join(folder, 'a/humanops')),
    pair = { publicKey: 'P', privateKey: { kty: 'EC', d: 'secret' } };
  assert.equal(await state.account('https://x'), null);
  assert.equal(await state.privateKey('P'), null);
  await state.keepKey(pair);
  await assert.rejects(state.keepKey({ ...pair, privateKey: {} }), { code: 'EEXIST' });
  assert.deepEqual(await state.privateKey('P'), pair.privateKey);
  await Promise.all(
    Array.from({ length: 50 }, (_, i) => state.keepAccount('https://x', { api_key: `key ${i}`, agent_id: 'a' })),
  );
  assert.match((await state.account('https://x')).api_key, /^key \d+$/);
  assert.equal(await state.account('https://y'), null);
  await state.keepNote('n', { cursor: 'c' });
  assert.deepEqual(await state.note('n'), { cursor: 'c' });
  const left = readdirSync(state.folder).filter((name) => !/^(?:account|note)-\w+\.json$|^keys$/.test(name));
  assert.deepEqual(left, []);
  chmodSync(state.accountFile('https://x'), 0o640);
  await assert.rejects(state.account('https://x'), /belong to you alone/);
  rmSync(state.accountFile('https://x'));
  writeFileSync(path.join(folder, 'planted'), '{"origin":"https://x","api_key":"theirs"}', { mode: 0o600 });
  symlinkSync(path.join(folder, 'planted'), state.accountFile('https://x'));
  await assert.rejects(state.account('https://x'), { code: 'ELOOP' });
  assert.equal(stateFolder({ XDG_STATE_HOME: '/x' }), '/x/humanops');
  assert.equal(stateFolder({ XDG_STATE_HOME: 'relative' }), path.join(os.homedir(), '.local/state/humanops'));
});

/* the package */

test('the declarations are those that the compiler makes of the sources, which it finds good', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-types-'));
  t.after(() => rmSync(folder, { recursive: true }));
  try {
    execFileSync(
      process.execPath,
      [path.join(root, 'tests/node_modules/typescript/bin/tsc'), '-p', path.join(root, 'sdk'), '--outDir', folder],
      { encoding: 'utf8' },
    );
  } catch (error) {
    assert.fail(error.stdout);
  }
  const own = path.join(root, 'sdk/types');
  assert.deepEqual(
    readdirSync(folder).sort(),
    readdirSync(own)
      .filter((name) => name.endsWith('.d.mts'))
      .sort(),
  );
  for (const name of readdirSync(folder))
    assert.equal(
      readFileSync(path.join(own, name), 'utf8'),
      readFileSync(path.join(folder, name), 'utf8'),
      `${name}: run tsc -p sdk`,
    );
});

test('one version everywhere; random keys are random', async () => {
  assert.equal(JSON.parse(readFileSync(path.join(root, 'sdk/package.json'), 'utf8')).version, VERSION);
  const { newKey } = await import('../../sdk/src/transport.mjs');
  assert.equal(new Set(await Promise.all(Array.from({ length: 100 }, newKey))).size, 100);
});
