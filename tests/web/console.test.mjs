/* What the agents' console decides by itself: rules, wallet, credentials; by Node alone. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import './globals.mjs';
import { newKeyPair, keyFile, openCredential, readKeyFile } from '../../web/console/credential.mjs';
import * as rules from '../../web/console/rules.mjs';
import { Wallet, findWallets } from '../../web/console/wallet.mjs';
import { seal } from '../sealed.mjs';

/* tasks */

test('what an agent can do is what the lifecycle allows', () => {
  const rows = [
    ['PENDING', {}, ['cancel']],
    ['ESTIMATE_PENDING', {}, ['approve', 'reject', 'cancel']],
    ['ACCEPTED', {}, ['cancel']],
    ['IN_PROGRESS', {}, []],
    ['SUBMITTED', {}, ['verify']],
    ['COMPLETED', {}, ['receipt', 'rate', 'dispute']],
    ['COMPLETED', { rating: 4 }, ['receipt', 'dispute']],
    ['COMPLETED', { dispute: { resolution: {} } }, ['receipt', 'rate']],
    ['DISPUTED', {}, []],
    ['CANCELLED', {}, []],
    ['constructor', {}, []],
    ['A_NEW_ONE', {}, []],
  ];
  for (const [status, more, want] of rows) assert.deepEqual(rules.actionsOf({ status, ...more }), want, status);
  assert.match(rules.needOf({ status: 'SUBMITTED', guardian_result: { decision: 'MANUAL_REVIEW' } }), /not sure/);
  assert.equal(rules.needOf({ status: 'SUBMITTED', guardian_result: null }), null);
  assert.deepEqual(
    ['COMPLETED', 'CANCELLED', 'DISPUTED'].map((status) => rules.pollAfter({ status }) === null),
    [true, true, false],
  );
});

const physical = { task_domain: 'PHYSICAL', requires_agent_public_key: false },
  digital = { task_domain: 'DIGITAL', requires_agent_public_key: false },
  credential = { task_domain: 'DIGITAL', requires_agent_public_key: true };
const form = {
  title: ' A ',
  description: 'b',
  address: 'Main St',
  lat: '40.7',
  lng: '-74',
  reward_usd: '$1,000.50',
  deadline: '2026-12-01T10:00',
  proof_requirements: ' Photo \n\n Position ',
  task_type: 'PHOTO',
  proof_type: 'PHOTO',
  digital_instructions: 'x',
  callback_url: '',
  callback_secret: 's',
  sandbox: false,
  sandbox_scenario: 'reject',
  isRealTier: true,
  agent_public_key: 'k',
};

test('a form becomes the body of a task; what is empty is left to the service to miss', () => {
  const deadline = new Date('2026-12-01T10:00').toISOString();
  assert.deepEqual(rules.taskBody(form, physical), {
    title: 'A',
    description: 'b',
    location: { lat: 40.7, lng: -74, address: 'Main St' },
    reward_usd: 1000.5,
    deadline,
    proof_requirements: ['Photo', 'Position'],
    task_type: 'PHOTO',
    proof_type: 'PHOTO',
  });
  assert.deepEqual(rules.taskBody({ ...form, address: '', sandbox: true }, credential), {
    title: 'A',
    description: 'b',
    reward_usd: 1000.5,
    deadline,
    proof_requirements: ['Photo', 'Position'],
    task_type: 'PHOTO',
    proof_type: 'PHOTO',
    digital_instructions: 'x',
    agent_public_key: 'k',
    sandbox: true,
    sandbox_scenario: 'reject',
  });
  assert.deepEqual(rules.taskBody({ sandbox: true, isRealTier: false, sandbox_scenario: 'approve' }, null), {
    proof_requirements: [],
  });
  assert.deepEqual(rules.taskBody({ ...form, lat: 'x', lng: '' }, physical).location, { address: 'Main St' });
  assert.deepEqual(rules.taskBody({ ...form, callback_url: 'https://a/b' }, digital).callback_secret, 's');
  assert.equal(rules.deadlineOf('nonsense'), undefined);
});

test('the fee is the one that the service takes', () => {
  for (const [reward, percent, want] of [
    [25, 10, 2.5],
    [5, 10, 1],
    [10, 10, 1],
    [10.05, 10, 1.01],
    [10.04, 10, 1],
    [1234.56, 8, 98.76],
    [10000, 5, 500],
    [99.99, 5, 5],
  ])
    assert.equal(rules.feeOf(reward, percent), want, `${reward} at ${percent}`);
});

/* What a shell makes of a command: its words, one a line in JSON. */
const wordsOf = (command) =>
  JSON.parse(
    execFileSync(
      'bash',
      ['-c', `curl() { node -e 'console.log(JSON.stringify(process.argv.slice(1)))' -- "$@"; }\n${command}`],
      { env: { ...process.env, HUMANOPS_API_KEY: 'ho_live_x' }, encoding: 'utf8' },
    ),
  );

test('the command for a shell says exactly what the page sends, whatever stands in it', () => {
  const bodies = [
    { title: 'It\'s $HOME `id` "q" \\ \\n !! #{x} %s' },
    { title: 'line\nline\ttab', list: ['ä', '\u2028', "'''"] },
    {},
  ];
  for (const body of bodies) {
    const words = wordsOf(
      rules.curlOf({ method: 'POST', url: 'https://localhost:8443/api/v1/tasks', body, idempotencyKey: 'a-1' }),
    );
    assert.deepEqual(words.slice(0, -1), [
      '-X',
      'POST',
      'https://localhost:8443/api/v1/tasks',
      '-H',
      'X-API-Key: ho_live_x',
      '-H',
      'Content-Type: application/json',
      '-H',
      'Idempotency-Key: a-1',
      '-d',
    ]);
    assert.equal(words.at(-1), rules.bodyText(body));
  }
  assert.deepEqual(wordsOf(rules.curlOf({ method: 'GET', url: 'https://h/?a=1&b=$(id)' })), [
    '-X',
    'GET',
    'https://h/?a=1&b=$(id)',
    '-H',
    'X-API-Key: ho_live_x',
  ]);
});

/* money */

const entry = (created_at, deposit, escrow, task = 'task_1') => ({
  created_at,
  deposit_change_usd: deposit,
  escrow_change_usd: escrow,
  ...(task ? { task_id: task } : {}),
});

test('spend is what left for tasks, by day; deposits and what only moved are none', () => {
  const now = Date.parse('2026-03-03T00:00:01Z');
  const entries = [
    entry('2026-03-02T23:59:59Z', 0, -27.5),
    entry('2026-03-02T10:00:00Z', -27.5, 27.5),
    entry('2026-03-02T09:00:00Z', 100, 0, null),
    entry('2026-03-01T00:00:00Z', 0, -0.1),
    entry('2026-03-01T00:00:00Z', 0, -0.2),
    entry('2026-02-28T12:00:00Z', 20, 0),
    entry('2026-01-01T00:00:00Z', 0, -999),
  ];
  assert.deepEqual(rules.spendByDay(entries, now, 4), [
    { day: '2026-02-28', usd: -20 },
    { day: '2026-03-01', usd: 0.3 },
    { day: '2026-03-02', usd: 27.5 },
    { day: '2026-03-03', usd: 0 },
  ]);
  assert.equal(rules.spendByDay([], now).length, 30);
});

test('a chart’s scale has round steps and room for the greatest value', () => {
  for (const [most, want] of [
    [0, [0, 0.01, 0.02, 0.03]],
    [27.5, [0, 10, 20, 30]],
    [30, [0, 10, 20, 30]],
    [31, [0, 20, 40, 60]],
    [0.05, [0, 0.02, 0.04, 0.06]],
    [1e6, [0, 500000, 1000000, 1500000]],
  ])
    assert.deepEqual(rules.scaleOf(most), want, String(most));
  const { bars, base, lines } = rules.barsOf(
    [
      { day: 'a', usd: 0 },
      { day: 'b', usd: 30 },
      { day: 'c', usd: -5 },
    ],
    { width: 344, height: 200 },
  );
  assert.deepEqual(
    bars.map((bar) => [Math.round(bar.y + bar.height), bar.height > 0]),
    [
      [base, false],
      [base, true],
      [base, false],
    ],
  );
  assert.equal(lines.at(-1).y, bars[1].y);
  assert.ok(
    bars.every(
      (bar, i) => bar.x >= 44 && bar.x + bar.width <= 344 && (i === 0 || bar.x > bars[i - 1].x + bars[i - 1].width),
    ),
  );
});

test('a key’s form', () => {
  assert.deepEqual(rules.keyBody({ name: ' ci ', scopes: ['read'], budget: '75.50', expires: '' }), {
    body: { name: 'ci', scopes: ['read'], max_daily_spend_usd: 75.5 },
    fields: {},
  });
  assert.deepEqual(rules.keyBody({ name: '', scopes: ['read', 'tasks', 'funds', 'keys'], budget: '', expires: '' }), {
    body: {},
    fields: {},
  });
  assert.deepEqual(Object.keys(rules.keyBody({ name: 'x', scopes: [], budget: 'much', expires: '' }).fields), [
    'scopes',
    'max_daily_spend_usd',
  ]);
  assert.equal(
    rules.keyBody({ name: '', scopes: ['read'], budget: '0', expires: '' }).body.max_daily_spend_usd,
    0,
    'nothing a day is a budget',
  );
});

/* the chain */

const TO = '0x1111111111111111111111111111111111111111',
  TOKEN = '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
  OWN = '0x2222222222222222222222222222222222222222',
  HASH = `0x${'ab'.repeat(32)}`;

test('a transfer is encoded as the token’s contract reads it, exactly', () => {
  assert.equal(
    rules.transferData(TO, rules.unitsOf('100.00')),
    `0xa9059cbb${'0'.repeat(24)}${TO.slice(2)}${(100_000_000).toString(16).padStart(64, '0')}`,
  );
  for (const [text, want] of [
    ['5', 5_000_000n],
    ['0.000001', 1n],
    ['999999999999.999999', 999_999_999_999_999_999n],
    ['0.0000001', null],
    ['1e3', null],
    ['-1', null],
    ['', null],
    ['1,000', null],
  ])
    assert.equal(rules.unitsOf(text), want, text);
  assert.throws(() => rules.transferData('0x12', 1n));
  assert.equal(rules.hexOf('Hé\n'), '0x48c3a90a');
});

/* A provider that answers by method; what is a function is called. */
function provider(answers) {
  const asked = [];
  return {
    asked,
    request: async ({ method, params }) => {
      asked.push([method, ...params]);
      const answer = answers[method];
      if (answer instanceof Error) throw answer;
      return typeof answer === 'function' ? answer(...params) : answer;
    },
  };
}

test('a wallet signs the text and sends the transfer on the right chain', async () => {
  let chain = '0x1';
  const p = provider({
    eth_requestAccounts: [OWN],
    eth_chainId: () => chain,
    wallet_switchEthereumChain: ({ chainId }) => {
      chain = chainId;
      return null;
    },
    personal_sign: `0x${'12'.repeat(65)}`,
    eth_sendTransaction: HASH,
  });
  const wallet = new Wallet(p);
  assert.equal(await wallet.connect(), OWN);
  assert.equal(await wallet.sign('text', OWN), `0x${'12'.repeat(65)}`);
  await wallet.useChain(8453);
  assert.equal(await wallet.transfer({ from: OWN, token: TOKEN, to: TO, units: 5n }), HASH);
  assert.deepEqual(
    p.asked.map(([method]) => method),
    [
      'eth_requestAccounts',
      'personal_sign',
      'eth_chainId',
      'wallet_switchEthereumChain',
      'eth_chainId',
      'eth_sendTransaction',
    ],
  );
  assert.deepEqual(p.asked[1], ['personal_sign', '0x74657874', OWN]);
  assert.deepEqual(p.asked.at(-1)[1], { from: OWN, to: TOKEN, value: '0x0', data: rules.transferData(TO, 5n) });
});

test('a wallet that lies, declines or stays where it is moves nothing', async () => {
  const refuse = Object.assign(new Error('User rejected'), { code: 4001 }),
    unknown = Object.assign(new Error('x'), { code: 4902 });
  for (const [answers, act, why] of [
    [{ eth_requestAccounts: [] }, (w) => w.connect(), /no account/],
    [{ eth_requestAccounts: ['<b>'] }, (w) => w.connect(), /no account/],
    [{ eth_requestAccounts: null }, (w) => w.connect(), /no account/],
    [{ eth_requestAccounts: refuse }, (w) => w.connect(), /You declined/],
    [{ personal_sign: '0x12' }, (w) => w.sign('x', OWN), /65 bytes/],
    [{ personal_sign: { toString: () => `0x${'1'.repeat(130)}x` } }, (w) => w.sign('x', OWN), /65 bytes/],
    [{ eth_chainId: '0x1', wallet_switchEthereumChain: null }, (w) => w.useChain(8453), /stayed on another chain/],
    [
      { eth_chainId: '0x1', wallet_switchEthereumChain: unknown },
      (w) => w.useChain(8453),
      /does not know this chain/,
    ],
    [
      { eth_sendTransaction: '0x1' },
      (w) => w.transfer({ from: OWN, token: TOKEN, to: TO, units: 1n }),
      /no transaction hash/,
    ],
    [{}, (w) => w.transfer({ from: OWN, token: 'x', to: TO, units: 1n }), /not one/],
    [
      { eth_sendTransaction: new Error('x'.repeat(5000)) },
      (w) => w.transfer({ from: OWN, token: TOKEN, to: TO, units: 1n }),
      /^Error: The wallet says: x{200}$/,
    ],
  ])
    await assert.rejects(
      act(new Wallet(provider(answers))),
      (error) => why.test(why.source.startsWith('^Error') ? String(error) : error.message),
      String(why),
    );
});

test('wallets are found by their announcement, and by the old name alone if none announces itself', () => {
  const announcing = Object.assign(new EventTarget(), { ethereum: { request() {} } });
  announcing.addEventListener('eip6963:requestProvider', () => {
    for (const detail of [
      { info: { uuid: '1', name: 'A' }, provider: { request() {} } },
      { info: { uuid: '2' }, provider: {} },
      null,
    ])
      announcing.dispatchEvent(Object.assign(new Event('eip6963:announceProvider'), { detail }));
  });
  assert.deepEqual(
    findWallets(announcing).map((w) => w.name),
    ['A'],
  );
  assert.deepEqual(
    findWallets(Object.assign(new EventTarget(), { ethereum: { request() {} } })).map((w) => w.name),
    ['Browser wallet'],
  );
  assert.deepEqual(findWallets(new EventTarget()), []);
});

/* credentials */

test('a credential that an operator sealed is opened by the page’s key, through its file, and by nothing else', async () => {
  const pair = await newKeyPair(),
    other = await newKeyPair(),
    secret = { api_key: 'sk_1', note: 'ä🙂' };
  assert.equal(Buffer.from(pair.publicKey, 'base64').length, 65);
  const kept = readKeyFile(keyFile(pair)),
    blob = seal(pair.publicKey, 'task_1', secret);
  assert.equal(kept.publicKey, pair.publicKey);
  assert.deepEqual(await openCredential(kept.privateKey, 'task_1', blob), secret);
  const flipped = Buffer.from(blob.ciphertext, 'base64');
  flipped[0] ^= 1;
  for (const [what, ...args] of [
    ['another key', other.privateKey, 'task_1', blob],
    ['another task', pair.privateKey, 'task_2', blob],
    ['a changed text', pair.privateKey, 'task_1', { ...blob, ciphertext: flipped.toString('base64') }],
    [
      'a point off the curve',
      pair.privateKey,
      'task_1',
      { ...blob, ephemeralPublicKey: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]).toString('base64') },
    ],
    ['no tag', pair.privateKey, 'task_1', { ...blob, ciphertext: 'AAAA' }],
  ])
    await assert.rejects(openCredential(...args), /does not open/, what);
  await assert.rejects(openCredential(pair.privateKey, 'task_1', { ...blob, algorithm: 'none' }), /algorithm none/);
  await assert.rejects(openCredential(pair.privateKey, 'task_1', { ...blob, iv: 'AAAA' }), /damaged/);
  await assert.rejects(openCredential(pair.privateKey, 'task_1', { ...blob, ephemeralPublicKey: '*' }), /not base64/);
});

test('a file that is no key file is refused in words', () => {
  for (const text of [
    '',
    'x',
    'null',
    '[]',
    '{"privateKey":{"kty":"RSA"}}',
    '{"privateKey":{"kty":"EC","crv":"P-256"}}',
    '{"privateKey":null}',
  ])
    assert.throws(() => readKeyFile(text), /key file/, text);
});
