/* Every method of the client against the service: what comes back is what the declarations say, and every route has its method. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import {
  encryptCredential,
  HumanOpsClient,
  HumanOpsError,
  Listing,
  verifyReceipt,
  verifyWebhook,
} from '../../sdk/src/index.mjs';
import { root } from '../stack.mjs';
import { uuidOf } from '../work.mjs';
import { confirmation, newPerson } from './people.mjs';
import { proxy } from './proxy.mjs';
import { answerType, declaredMethods, faults } from './shapes.mjs';

const DAY = 86_400_000;
const soon = () => new Date(Date.now() + 3 * DAY).toISOString();
const plain = {
  title: 'Compare the list',
  description: 'Compare the list with the window',
  task_type: 'DATA_VALIDATION',
  proof_requirements: ['Result for each item'],
};
const simulated = (more = {}) => ({ ...plain, reward_usd: 0.01, deadline: soon(), sandbox: true, ...more });

/* Routes whose twin the client uses. */
const TWINS = new Map([
  ['GET /agents/verify-email', 'a page for people; programs POST'],
  ['POST /agents/deposit/status', 'asked by GET'],
  ['POST /tasks/:id/retrieve-credential', 'asked by GET'],
  ['POST /tasks/:id/appeal', 'the same as POST /tasks/appeals'],
]);

/* Methods that are no call of their own; those they are made of are checked. */
const HELPERS = new Set([
  'baseUrl',
  'withKey',
  'waitForTask',
  'retrieveCredential',
  'dispatchDigitalTask',
  'dispatchCredentialTask',
  'transactionsCsv',
]);

/* Whether the instance has the chain's routes. */
const routesOf = (name) =>
  [
    ...readFileSync(path.join(root, 'fcgi', `${name}.c`), 'utf8').matchAll(/\{ "(GET|POST|PUT|DELETE)", "([^"]+)"/g),
  ].map(([, method, where]) => ({ method, where }));

export function run(s) {
  let way, open, client, agent, person;
  const called = new Set();

  /* Calls a method and holds its answer against the declarations. */
  async function checked(own, method, ...args) {
    const answer = await own[method](...args);
    called.add(method);
    assert.deepEqual(faults(answer, answerType(method), method), []);
    return answer;
  }

  async function workedOn(task) {
    await person.claim(task);
    await client.approveEstimate(task);
    await person.start(task);
  }

  before(async () => {
    way = await proxy(s);
  });
  after(() => way.close());

  test('an account: register, verify, mail, keys, limits', async () => {
    open = new HumanOpsClient({ baseUrl: `${way.url}/api/v1/` });
    const made = await checked(open, 'register', {
      name: 'sdk',
      email: `sdk-${Date.now()}@example.com`,
      company: 'Acme',
    });
    const fresh = open.withKey(made.api_key);
    const me = await checked(fresh, 'me');
    assert.equal(me.tier, 'SANDBOX');
    for (const bad of [
      { ...me, more: 1 },
      { ...me, tier: 'GOLD' },
      { ...me, name: undefined },
      { ...me, fee: { ...me.fee, percent: '10' } },
      null,
      [],
    ])
      assert.notDeepEqual(faults(bad, answerType('me')), [], 'the declarations tell a wrong answer');
    const mail = await checked(fresh, 'resendVerification');
    const token = new URL(mail.verification_url).searchParams.get('token');
    assert.equal((await checked(open, 'verifyEmail', { token })).tier, 'VERIFIED');
    const key = await checked(fresh, 'createKey', {
      name: 'ci',
      scopes: ['read'],
      max_daily_spend_usd: 12.5,
      expires_at: soon(),
    });
    await checked(fresh, 'keys');
    await assert.rejects(open.withKey(key.api_key).createTask(simulated()), {
      code: 'scope_missing',
      status: 403,
      isRetryable: false,
    });
    assert.equal((await checked(fresh, 'revokeKey', key.id)).revoked, true);
    await assert.rejects(open.withKey(key.api_key).balance(), { code: 'unauthorized', status: 401 });
  });

  test('work with a person, each step by its method', async () => {
    const registered = await s.agent({ tier: 'STANDARD', deposit: 500 });
    agent = registered;
    client = open.withKey(registered.key);
    person = await newPerson(s);
    const hook = await s.receiver(),
      secret = 'a secret of ours';
    const { task_id: id } = await checked(client, 'createTask', {
      ...plain,
      reward_usd: 20,
      deadline: soon(),
      callback_url: hook.url,
      callback_secret: secret,
    });
    await person.claim(id);
    await checked(client, 'rejectEstimate', id, { reason: 'Too long' });
    await person.claim(id);
    await checked(client, 'task', id);
    await checked(client, 'approveEstimate', id);
    await checked(client, 'sendMessage', id, 'Please mind the ninth item');
    await checked(client, 'messages', id);
    await person.start(id);
    await person.submit(id, confirmation);
    const done = await client.waitForTask(id, {
      until: ['COMPLETED'],
      onChange: (task) => task.guardian_result && client.verifyTask(id, { decision: 'APPROVE' }),
    });
    assert.deepEqual(faults(done, answerType('task'), 'task'), []);
    await checked(client, 'rateTask', id, { rating: 5, comment: 'Good' });
    const { receipt } = await checked(client, 'receipt', id),
      jwks = await checked(client, 'jwks');
    const claims = await verifyReceipt(receipt, jwks, { issuer: s.settings.PUBLIC_BASE_URL, taskId: id });
    assert.equal(claims.task.title, plain.title);
    await assert.rejects(verifyReceipt(receipt, jwks, { taskId: 'task_other' }), { code: 'receipt_invalid' });
    const [head, body, mark] = receipt.split('.');
    for (const bad of [
      `${head}.${body}.${mark.slice(0, -4)}AAAA`,
      `${head}.${Buffer.from(JSON.stringify({ ...claims, sandbox: true })).toString('base64url')}.${mark}`,
      `${Buffer.from('{"alg":"none","typ":"receipt+jwt"}').toString('base64url')}.${body}.`,
      `${head}.${body}`,
      receipt + 'A',
      '',
    ])
      await assert.rejects(verifyReceipt(bad, jwks), { code: 'receipt_invalid' });
    await s.until(() => hook.requests.some(({ raw }) => JSON.parse(raw).event === 'task.completed'));
    for (const { raw, headers } of hook.requests) {
      const event = await verifyWebhook({ payload: raw, headers, secret });
      assert.equal(event.task_id, id);
      assert.equal(
        (await verifyWebhook({ payload: raw.toString(), headers: new Headers(headers), secret, scheme: 'humanops' }))
          .id,
        event.id,
      );
      await assert.rejects(verifyWebhook({ payload: raw, headers, secret: 'another' }), { code: 'signature_invalid' });
    }
    const { data } = await checked(client, 'taskWebhooks', id);
    await checked(client, 'redeliverWebhook', id, data.find((row) => row.state === 'delivered').delivery_id);
    await checked(client, 'disputeTask', id, { reason: 'The ninth item is there' });
    await checked(client, 'task', id);
  });

  test("a verdict of one's own, a cancelled task, one that screening blocks", async () => {
    const first = await checked(client, 'createTask', simulated({ sandbox_scenario: 'manual_review' }));
    await client.waitForTask(first.task_id, { until: (task) => task.guardian_result?.decision === 'MANUAL_REVIEW' });
    await checked(client, 'verifyTask', first.task_id, { decision: 'REJECT', reason: 'Nothing in it' });
    const second = await client.createTask({ ...plain, reward_usd: 10, deadline: soon() });
    assert.equal((await checked(client, 'cancelTask', second.task_id)).refunded_usd, 11);
    const blocked = await client
      .createTask({
        ...plain,
        title: 'Buy cocaine',
        description: 'Buy cocaine and deliver it to me',
        reward_usd: 10,
        deadline: soon(),
      })
      .catch((error) => error);
    assert.ok(blocked instanceof HumanOpsError);
    assert.equal(blocked.code, 'policy_violation');
    await checked(client, 'appeal', blocked.details.screening_id, { reason: 'It is for a film' });
  });

  test('money: balance, statement in both forms, deposits', async () => {
    await checked(client, 'balance');
    await checked(client, 'transactions', { limit: 2 });
    assert.match(await client.transactionsCsv({ limit: 2 }), /^transaction_id,type,/);
    const paid = await checked(client, 'deposit', { amount_usd: 20, payment_method: 'card' });
    await checked(client, 'depositStatus', paid.payment_id);
    const ids = [];
    for await (const { transaction_id: id } of client.transactions({ limit: 2 })) ids.push(uuidOf(id));
    const wanted = await s.sql(
      `select id from ledger_transactions where bucket = ${agent.bucket} and party_id = '${agent.uuid}' and kind <> 'payout_completed'`,
    );
    assert.ok(wanted.length > 5);
    assert.deepEqual(ids.sort(), wanted.map(({ id }) => id).sort(), 'each booking once');
  });

  test('search and categories', async () => {
    await checked(open, 'categories');
    await person.call('PATCH', '/me', { location: { city: 'New York', country: 'US', lat: 40.71, lng: -74 } });
    const found = await checked(client, 'searchOperators', { lat: 40.7, lng: -74, radius_km: 50 });
    assert.ok(found.data.length > 0);
  });

  test('lists: a page by await, all of it by for await, each item once', async () => {
    const own = await s.agent({ tier: 'VERIFIED', deposit: 0 }),
      many = open.withKey(own.key),
      made = [];
    for (let i = 0; i < 7; i++) made.push((await many.createTask(simulated({ sandbox_scenario: 'estimate' }))).task_id);
    const page = await checked(many, 'tasks', { limit: 3 });
    assert.equal(page.data.length, 3);
    assert.equal(page.pagination.total, 7);
    for (const query of [{ limit: 3 }, { limit: 7 }, { limit: 100 }, { limit: 3, cursor: undefined }]) {
      const seen = [];
      for await (const { task_id: id } of many.tasks(query)) seen.push(id);
      assert.deepEqual(seen.sort(), [...made].sort());
    }
    const rest = [];
    for await (const { task_id: id } of many.tasks({ limit: 2, offset: 3 })) rest.push(id);
    assert.equal(rest.length, 4, 'an offset is that of the first page');
    const sizes = [];
    for await (const { data } of many.tasks({ limit: 3 }).pages()) sizes.push(data.length);
    assert.deepEqual(sizes, [3, 3, 1]);
    const list = many.tasks({ limit: 3 }),
      before = way.requests.length;
    assert.ok(list instanceof Listing);
    await Promise.all([list, list, list]);
    assert.equal(way.requests.length - before, 1, 'one page however often it is asked for');
  });

  test('events: from a cursor on, and followed as they happen', async () => {
    const own = await s.agent({ tier: 'VERIFIED', deposit: 0 }),
      watched = open.withKey(own.key);
    const { task_id: id } = await watched.createTask(simulated());
    await watched.waitForTask(id);
    const page = await checked(watched, 'events', { limit: 3 });
    assert.equal(page.data.length, 3);
    const all = [],
      list = watched.events({ limit: 3 });
    for await (const event of list) all.push(event.event);
    assert.deepEqual(all, [
      'task.created',
      'task.claimed',
      'task.estimate_approved',
      'task.started',
      'task.submitted',
      'task.verified',
      'task.completed',
    ]);
    const stop = new AbortController(),
      later = [];
    const follow = (async () => {
      for await (const event of watched.events(
        { cursor: list.cursor, follow: true, interval: 100 },
        { signal: stop.signal },
      )) {
        later.push(event.event);
        if (event.event === 'task.cancelled') stop.abort(new Error('enough'));
      }
    })();
    const next = await watched.createTask(simulated({ sandbox_scenario: 'estimate' }));
    await watched.waitForTask(next.task_id, { until: 'ESTIMATE_PENDING' });
    await watched.cancelTask(next.task_id);
    await assert.rejects(follow, { message: 'enough' });
    assert.deepEqual(later, ['task.created', 'task.claimed', 'task.cancelled']);
  });

  test('waitForTask: answers on the way, ends that never come, a time limit, a signal', async () => {
    const own = await s.agent({ tier: 'VERIFIED', deposit: 0 }),
      waiting = open.withKey(own.key),
      seen = [];
    const { task_id: id } = await waiting.createTask(simulated({ sandbox_scenario: 'estimate' }));
    const done = await waiting.waitForTask(id, {
      onChange: async ({ status }) => {
        seen.push(status);
        if (status === 'ESTIMATE_PENDING') await waiting.approveEstimate(id);
      },
    });
    assert.equal(done.status, 'COMPLETED');
    assert.ok(seen.includes('ESTIMATE_PENDING'));
    await assert.rejects(waiting.waitForTask(id, { until: 'SUBMITTED' }), {
      code: 'task_ended',
      details: { task_id: id, status: 'COMPLETED' },
    });
    const stuck = await waiting.createTask(simulated({ sandbox_scenario: 'estimate' }));
    await waiting.waitForTask(stuck.task_id, { until: ['ESTIMATE_PENDING'] });
    await assert.rejects(waiting.waitForTask(stuck.task_id, { timeout: 50 }), {
      code: 'timeout',
      details: { task_id: stuck.task_id, status: 'ESTIMATE_PENDING' },
    });
    await assert.rejects(waiting.waitForTask(stuck.task_id, { signal: AbortSignal.timeout(50) }), {
      name: 'TimeoutError',
    });
    await assert.rejects(
      waiting.waitForTask(stuck.task_id, {
        onChange: () => {
          throw new Error('no');
        },
      }),
      { message: 'no' },
    );
  });

  test('credentials: a key pair made here, opened here, and by nobody else', async () => {
    const { task, privateKey, publicKey } = await client.dispatchCredentialTask({
      title: 'Create Acme API account',
      description: 'Sign up',
      category: 'API_KEY_PROCUREMENT',
      reward_usd: 10,
    });
    assert.deepEqual(faults(task, answerType('createTask'), 'task'), []);
    await workedOn(task.task_id);
    await person.submit(task.task_id, {
      encrypted_credential: await encryptCredential(publicKey, task.task_id, { api_key: 'sk_1', note: 'é😀' }),
    });
    await client.waitForTask(task.task_id, {
      onChange: (now) => now.guardian_result && client.verifyTask(task.task_id, { decision: 'APPROVE' }),
    });
    await checked(client, 'encryptedCredential', task.task_id);
    assert.deepEqual(await client.retrieveCredential(task.task_id, privateKey), { api_key: 'sk_1', note: 'é😀' });
    const { generateKeyPair } = await import('../../sdk/src/e2ee.mjs');
    await assert.rejects(client.retrieveCredential(task.task_id, (await generateKeyPair()).privateKey), {
      code: 'decryption_failed',
    });
    const requests = JSON.stringify(way.requests);
    assert.ok(
      !requests.includes(privateKey) && !requests.includes('sk_1'),
      'neither key nor credential went over the wire',
    );
  });

  test('what is left out is filled in: deadline, proof of the category or of the wished kind', async () => {
    const before = Date.now(),
      { task_id: id, deadline } = await client.dispatchDigitalTask({
        title: 'Fill',
        description: 'Fill it',
        category: 'FORM_FILLING',
        reward_usd: 15,
        proof_type: 'CONFIRMATION',
      });
    assert.ok(Math.abs(Date.parse(deadline) - before - 7 * DAY) < 60_000);
    const task = await client.task(id);
    assert.deepEqual(
      [task.proof_type, task.proof_requirements],
      ['CONFIRMATION', ['Written confirmation of what was done, with its result']],
    );
    const usual = await client.dispatchDigitalTask({
      title: 'Fill',
      description: 'Fill it',
      category: 'FORM_FILLING',
      reward_usd: 15,
      proof_requirements: ['Mine'],
      deadline: soon(),
    });
    assert.deepEqual((await client.task(usual.task_id)).proof_requirements, ['Mine']);
    await assert.rejects(
      client.dispatchDigitalTask({ title: 'x', description: 'y', category: 'NONSENSE', reward_usd: 10 }),
      ({ code, fields }) => code === 'validation_failed' && 'task_type' in fields,
    );
    for (const call of [
      () =>
        client.dispatchDigitalTask(
          { title: 'x', description: 'y', category: 'FORM_FILLING', reward_usd: 10 },
          { idempotencyKey: 'k' },
        ),
      () =>
        client.dispatchCredentialTask(
          { title: 'x', description: 'y', category: 'ACCOUNT_CREATION', reward_usd: 10, deadline: soon() },
          { idempotencyKey: 'k' },
        ),
    ])
      await assert.rejects(call(), TypeError);
  });

  test('errors tell code, status, fields and request id', async () => {
    const error = await client.createTask({ title: '', reward_usd: 10.005 }).catch((e) => e);
    assert.ok(error instanceof HumanOpsError);
    assert.deepEqual(
      [error.name, error.code, error.status, error.isRetryable],
      ['HumanOpsError', 'validation_failed', 400, false],
    );
    assert.ok(Object.keys(error.fields).includes('deadline'));
    assert.match(error.requestId, /^req_/);
    await assert.rejects(client.createTask({ ...plain, reward_usd: 9000, deadline: soon() }), { status: 400 });
    for (const id of ['task_nothing', '..', '../agents/balance', 'a/b', '?x', '%2e%2e', '\0', 'é'])
      await assert.rejects(
        client.task(id),
        ({ name, status }) => name === 'HumanOpsError' && (status === 404 || (id === '\0' && status === 400)),
        id,
      );
    await assert.rejects(client.task(''), TypeError);
    await assert.rejects(client.task(undefined), TypeError);
  });

  test(
    'the chain: wallet, deposit and withdrawal',
    { skip: !routesOf('agents').some(({ where }) => where === '/agents/wallet') },
    async () => {
      await checked(client, 'depositAddress');
      await assert.rejects(client.wallet(), { code: 'wallet_not_found', status: 404 });
      const { newWallet } = await import('./wallet.mjs'),
        wallet = newWallet();
      const { message, nonce } = await checked(client, 'walletChallenge');
      await checked(client, 'bindWallet', { wallet_address: wallet.address, nonce, signature: wallet.sign(message) });
      await checked(client, 'wallet');
      await checked(client, 'depositUsdc', { tx_hash: `0x${'ab'.repeat(32)}`, amount_usdc: 60 });
      const sent = await checked(client, 'withdraw', { amount_usd: 10 });
      await checked(client, 'withdrawal', sent.payout_id);
      await checked(client, 'withdrawals');
    },
  );

  test("every route of the agents' programs has a method, and every method was tried", () => {
    const routes = [...routesOf('agents'), ...routesOf('tasks')];
    const asked = way.requests.map(
      ({ method, path: where }) => `${method} ${where.replace(/\?.*$/, '').replace(/^\/api\/v1/, '')}`,
    );
    const missing = routes
      .map(({ method, where }) => ({
        name: `${method} ${where}`,
        pattern: new RegExp(`^${method} ${where.replace(/:\w+/g, '[^/]+').replaceAll('.', '\\.')}$`),
      }))
      .filter(({ name, pattern }) => !TWINS.has(name) && !asked.some((one) => pattern.test(one)))
      .map(({ name }) => name);
    assert.deepEqual(missing, []);
    const chain = routes.some(({ where }) => where === '/agents/wallet')
      ? []
      : [
          'depositAddress',
          'walletChallenge',
          'bindWallet',
          'wallet',
          'depositUsdc',
          'withdraw',
          'withdrawal',
          'withdrawals',
        ];
    assert.deepEqual(
      declaredMethods().filter(
        (name) => !called.has(name) && !name.startsWith('#') && !HELPERS.has(name) && !chain.includes(name),
      ),
      [],
    );
  });
}
