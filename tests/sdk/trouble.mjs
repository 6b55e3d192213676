/* What becomes of a call when the way to the service is bad: it happens once, or not at all, and the caller is told which. */
import assert from 'node:assert/strict';
import test, { after, before } from 'node:test';
import { HumanOpsClient } from '../../sdk/src/index.mjs';
import { proxy } from './proxy.mjs';

const soon = () => new Date(Date.now() + 3 * 86_400_000).toISOString();
const task = () => ({
  title: 'Once',
  description: 'Do it once',
  task_type: 'DATA_VALIDATION',
  proof_requirements: ['Result'],
  reward_usd: 10,
  deadline: soon(),
});
const busy = {
  status: 503,
  headers: { 'Content-Type': 'application/json', 'Retry-After': '0' },
  body: '{"error":"Busy","code":"unavailable","details":{},"request_id":"req_x"}',
};
const limited = {
  status: 429,
  headers: { 'Content-Type': 'application/json', 'Retry-After': '1' },
  body: '{"error":"Slow","code":"rate_limited","details":{},"request_id":"req_x"}',
};

export function run(s) {
  let way, client, agent;

  before(async () => {
    way = await proxy(s);
    agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
    client = new HumanOpsClient({ baseUrl: way.url, apiKey: agent.key });
  });
  after(() => way.close());

  /* The requests of a call that meets these troubles, one after the other. */
  async function through(troubles, call) {
    const from = way.requests.length,
      left = [...troubles];
    way.trouble = () => left.shift();
    const outcome = await call().then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    way.trouble = () => undefined;
    return { ...outcome, requests: way.requests.slice(from) };
  }
  const tasks = async () => (await client.tasks({ limit: 1 })).pagination.total;

  const rows = [
    ['a rate window', [limited]],
    ['two restarts', [busy, busy]],
    [
      'a bad gateway without JSON',
      [
        { status: 502, body: '<html>' },
        { status: 504, body: '' },
      ],
    ],
    ['a connection that ends before the service is asked', [{ drop: 'before' }]],
    ['an answer that is lost', [{ drop: 'after' }]],
    ['answers lost again and again', [{ drop: 'after' }, { drop: 'after' }, { drop: 'after' }]],
    ['an answer that breaks off', [{ cut: 10 }]],
    ['everything at once', [{ drop: 'after' }, limited, { cut: 3 }, busy]],
  ];
  for (const [name, troubles] of rows)
    test(`one task, one key: ${name}`, async () => {
      const before_ = await tasks(),
        { value, error, requests } = await through(troubles, () => client.createTask(task()));
      assert.equal(error, undefined);
      assert.match(value.task_id, /^task_/);
      assert.equal(await tasks(), before_ + 1);
      const keys = new Set(requests.map(({ headers }) => headers['idempotency-key']));
      assert.equal(requests.length, troubles.length + 1);
      assert.equal(keys.size, 1);
      assert.match([...keys][0], /^sdk_[0-9a-f]{32}$/);
      assert.equal(new Set(requests.map(({ body }) => body)).size, 1);
    });

  test('the books agree after all that, and each call has a key of its own', async () => {
    assert.deepEqual(await s.audit(), []);
    const keys = way.requests
      .filter(({ method, path: where }) => method === 'POST' && where === '/api/v1/tasks')
      .map(({ headers }) => headers['idempotency-key']);
    assert.equal(new Set(keys).size, rows.length);
  });

  test("two calls with one key of the caller's are one task; with another body they are a fault", async () => {
    const body = task(),
      options = { idempotencyKey: `mine-${agent.id}` },
      before_ = await tasks();
    const made = await Promise.all([
      client.createTask(body, options),
      client.createTask(body, options),
      client.createTask(body, options),
    ]);
    assert.equal(new Set(made.map(({ task_id: id }) => id)).size, 1);
    assert.equal(await tasks(), before_ + 1);
    await assert.rejects(client.createTask({ ...body, title: 'Other' }, options), {
      code: 'idempotency_mismatch',
      status: 409,
      isRetryable: false,
    });
  });

  test('what bears no key is sent again only if it surely was not carried out', async () => {
    const email = () => `trouble-${Math.random().toString(36).slice(2)}@example.com`;
    const lost = await through([{ drop: 'after' }], () => client.register({ name: 'x', email: email() }));
    assert.deepEqual([lost.error.code, lost.error.isRetryable, lost.requests.length], ['connection_failed', true, 1]);
    const away = await through([busy], () => client.register({ name: 'x', email: email() }));
    assert.deepEqual([away.error.code, away.requests.length], ['unavailable', 1]);
    const slow = await through([limited], () => client.register({ name: 'x', email: email() }));
    assert.deepEqual([slow.error, slow.requests.length], [undefined, 2]);
    const read = await through([{ drop: 'after' }, busy], () => client.balance());
    assert.deepEqual([read.error, read.requests.length], [undefined, 3]);
  });

  test('it ends: after so many attempts, when the wait is too long, by a signal', async () => {
    const many = await through(Array(9).fill(busy), () => client.balance());
    assert.deepEqual(
      [many.error.code, many.error.status, many.error.isRetryable, many.requests.length],
      ['unavailable', 503, true, 5],
    );
    const none = await through([busy], () => client.balance({ maxRetries: 0 }));
    assert.equal(none.requests.length, 1);
    const long = await through([{ ...limited, headers: { ...limited.headers, 'Retry-After': '3600' } }], () =>
      client.balance(),
    );
    assert.deepEqual([long.error.retryAfter, long.requests.length], [3600, 1]);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('stop')), 100);
    const stopped = await through(Array(9).fill(limited), () => client.balance({ signal: stop.signal }));
    assert.deepEqual([stopped.error.message, stopped.requests.length], ['stop', 1]);
    const late = await through([{ delay: 500 }, { delay: 500 }], () => client.balance({ timeout: 100, maxRetries: 1 }));
    assert.deepEqual([late.error.code, late.requests.length], ['timeout', 2]);
    const hurry = await through([{ delay: 2500 }], () => client.createTask(task(), { timeout: 2000 }));
    assert.ok(hurry.value.task_id, 'a key makes a timeout harmless too');
  });

  test('the real rate window: what is refused says for how long', async () => {
    const narrow = await proxy(s, { ip: '10.99.0.1' }),
      many = new HumanOpsClient({ baseUrl: narrow.url, apiKey: agent.key, maxRetryWait: 0 });
    const answers = await Promise.allSettled(Array.from({ length: 205 }, () => many.balance()));
    const refused = answers.filter(({ status }) => status === 'rejected').map(({ reason }) => reason);
    narrow.close();
    /* A new window may begin meanwhile, but no second one. */
    assert.ok(
      refused.length >= 5 &&
        refused.every((error) => error.code === 'rate_limited' && error.retryAfter >= 1 && error.retryAfter <= 60),
    );
  });

  test('events followed through an outage: none is missed', async () => {
    const own = await s.agent(),
      watched = new HumanOpsClient({ baseUrl: way.url, apiKey: own.key, maxRetries: 0 }),
      seen = [],
      stop = new AbortController();
    const body = { ...task(), reward_usd: 0.01, sandbox_scenario: 'estimate' };
    const follow = (async () => {
      for await (const event of watched.events({ follow: true, interval: 50 }, { signal: stop.signal })) {
        seen.push(event.event);
        if (event.event === 'task.cancelled') stop.abort('done');
      }
    })().catch((reason) => reason);
    const { task_id: id } = await watched.createTask(body);
    let bad = 6;
    way.trouble = (n, { path: where, headers }) =>
      where.startsWith('/api/v1/events') && headers['x-api-key'] === own.key && bad-- > 0
        ? [busy, { drop: 'after' }, { cut: 5 }][bad % 3]
        : undefined;
    await watched.waitForTask(id, { until: 'ESTIMATE_PENDING' });
    await watched.cancelTask(id);
    assert.equal(await follow, 'done');
    way.trouble = () => undefined;
    assert.deepEqual(seen, ['task.created', 'task.claimed', 'task.cancelled']);
  });
}
