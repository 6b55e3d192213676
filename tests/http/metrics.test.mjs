/* GET /metrics: who may read it, that a scraper can, and that each value follows what really happens. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { readMetrics, valueOf } from '../exposition.mjs';
import { stack } from '../stack.mjs';
import { assertRefused, post, show } from './forms.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });

/* From this machine itself, as a scraper asks: no proxy has a part in it. */
const ask = (method = 'GET', headers = {}) =>
  s.call(method, '/metrics', { whole: true, headers: { 'X-Forwarded-For': null, ...headers } });

async function scrape() {
  const answer = await ask();
  assert.equal(answer.status, 200, answer.text);
  return readMetrics(answer.text);
}

/* By how much a value rises while something is done; a series that was not there began at none. */
async function rise(name, labels, act) {
  const before = valueOf(await scrape(), name, labels) ?? 0;
  await act();
  return (valueOf(await scrape(), name, labels) ?? 0) - before;
}

const requests = (labels, act) => rise('humanops_http_requests_total', labels, act);

test('it is the text format that scrapers read, with every metric described', async () => {
  const answer = await ask();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8');
  const { types, samples } = readMetrics(answer.text);
  assert.ok(types.size > 20 && samples.length > 80, `${types.size} metrics, ${samples.length} samples`);
  assert.ok(
    samples.every(({ name }) => name.startsWith('humanops_')),
    'names begin with ours',
  );
  assert.equal(valueOf({ samples }, 'humanops_database_up'), 1);
  assert.equal(valueOf({ samples }, 'humanops_counts_lost_total'), 0);
});

test('to anybody but this machine there is nothing', async () => {
  for (const from of ['203.0.113.7', '2001:db8::1', '10.0.0.1', '127.0.0.1', '::1'])
    assertRefused(await ask('GET', { 'X-Forwarded-For': from }), 404, 'not_found', `as if for ${from}`);
  for (const header of ['Forwarded', 'X-Real-IP', 'Via'])
    assertRefused(await ask('GET', { [header]: '127.0.0.1' }), 404, 'not_found', `through a proxy that says ${header}`);
  assertRefused(await ask('POST'), 405, 'method_not_allowed');
  for (const where of ['/metrics/', '/metrics/tasks', '/api/v1/metrics', '/METRICS'])
    assertRefused(
      await s.call('GET', where, { whole: true, headers: { 'X-Forwarded-For': null } }),
      404,
      'not_found',
      where,
    );
});

test('as plain CGI the program itself looks where a request comes from', async () => {
  const env = { REQUEST_METHOD: 'GET', REQUEST_URI: '/metrics', QUERY_STRING: '' };
  for (const [REMOTE_ADDR, status] of [
    ['127.0.0.1', 200],
    ['127.8.9.10', 200],
    ['::1', 200],
    ['::ffff:127.0.0.1', 200],
    ['128.0.0.1', 404],
    ['::ffff:10.0.0.1', 404],
    ['::2', 404],
    ['', 404],
    ['unix:', 404],
  ]) {
    const { stdout } = await s.program('admin.fcgi', [], { env: { ...env, REMOTE_ADDR } });
    assert.match(stdout, new RegExp(`^Status: ${status} `), REMOTE_ADDR);
    if (status === 200) readMetrics(stdout.slice(stdout.indexOf('\r\n\r\n') + 4));
  }
});

test('what runs as plain CGI, each request a process of its own, is counted as well', async () => {
  const env = { REQUEST_METHOD: 'GET', REQUEST_URI: '/healthz/webhooks', QUERY_STRING: '', REMOTE_ADDR: '10.1.1.1' };
  const labels = { program: 'webhooks', route: '/healthz/:program', method: 'GET', status: '200' };
  const cgi = () => Promise.all([1, 2, 3].map(() => s.program('webhooks.fcgi', [], { env })));
  assert.equal(await requests(labels, cgi), 3);
  /* A client that goes away in the middle of its body. */
  const half = { ...env, REQUEST_METHOD: 'POST', REQUEST_URI: '/api/v1/agents/register', CONTENT_TYPE: 'application/json' };
  assert.equal(
    await requests({ program: 'agents', route: '/agents/register', method: 'POST', status: '499' }, () =>
      s.program('agents.fcgi', [], { env: { ...half, CONTENT_LENGTH: '100' }, input: '{"name"' }),
    ),
    1,
  );
});

test('requests are counted by program, route, method and status, with their durations', async () => {
  const agent = await s.agent();
  const get = { program: 'tasks', route: '/tasks/:id', method: 'GET' };
  const before = await scrape();
  for (let i = 0; i < 3; i++) await s.call('GET', `/tasks/task_${'0'.repeat(26)}`, { key: agent.key });
  for (let i = 0; i < 2; i++) await s.call('GET', `/tasks/task_${'0'.repeat(26)}`);
  const after = await scrape();
  const more = (name, labels) => (valueOf(after, name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
  assert.equal(more('humanops_http_requests_total', { ...get, status: '404' }), 3);
  assert.equal(more('humanops_http_requests_total', { ...get, status: '401' }), 2);
  assert.equal(more('humanops_http_request_duration_seconds_count', get), 5);
  assert.ok(more('humanops_http_request_duration_seconds_sum', get) < 60);
});

test('strangers make no series of their own: unknown paths and methods are one', async () => {
  const names = ({ samples }) => samples.map(({ name, labels }) => name + JSON.stringify(labels)).sort();
  const strange = async (round) => {
    for (let i = 0; i < 20; i++) await s.call('GET', `/agents/nothing-${round}-${i}"\\x`);
    for (const method of ['PURGE', 'PROPFIND', 'BREW'])
      await s.call(method, '/agents/me', { described: false }).catch(() => {});
  };
  await strange(1);
  const before = await scrape();
  assert.equal(
    await requests({ program: 'agents', route: 'unmatched', method: 'GET', status: '404' }, () => strange(2)),
    20,
  );
  assert.deepEqual(names(await scrape()), names(before), 'more of the same makes nothing new');
});

test('requests that a limit refuses are counted', async () => {
  const ip = s.freshAddress();
  const refused = await rise('humanops_rate_limit_refusals_total', { program: 'agents', route: '/agents/me' }, async () => {
    const answers = await Promise.all(Array.from({ length: 103 }, () => s.call('GET', '/agents/me', { ip })));
    assert.ok(answers.some(({ status }) => status === 429));
  });
  assert.equal(refused % 100, 3, 'those over the limit; of two windows, if a new one began meanwhile');
});

test('what the database does not carry out is counted by its reason', async () => {
  const agent = await s.agent(),
    list = () => s.call('GET', '/tasks', { key: agent.key });
  const errors = (reason, act) => rise('humanops_database_errors_total', { program: 'tasks', reason }, act);
  assert.equal(valueOf(await scrape(), 'humanops_database_errors_total', { program: 'worker', reason: 'fault' }), 0);
  await s.sql('alter function task_list rename to task_list_away');
  try {
    assert.equal(await errors('fault', async () => assert.equal((await list()).status, 500)), 1);
  } finally {
    await s.sql('alter function task_list_away rename to task_list');
  }
  assert.equal(await errors('fault', async () => assert.equal((await list()).status, 200)), 0);
  /* An ended connection is noticed before it is used, and made anew. */
  const connections = await rise('humanops_database_connections_total', { program: 'tasks' }, async () => {
    await s.sql("select pg_terminate_backend(pid) from pg_stat_activity where usename like 'humanops%' and backend_type = 'client backend'");
    for (let i = 0; i < 12; i++) assert.ok([200, 503].includes((await list()).status));
  });
  assert.ok(connections >= 1, `${connections} connections`);
});

test('without its database the counters are still there, and that it is away', async () => {
  await s.sql('alter function metrics_everywhere rename to metrics_away');
  try {
    const metrics = await scrape();
    assert.equal(valueOf(metrics, 'humanops_database_up'), 0);
    assert.equal(valueOf(metrics, 'humanops_queue_jobs'), undefined);
    assert.ok(valueOf(metrics, 'humanops_http_requests_total') > 0);
  } finally {
    await s.sql('alter function metrics_away rename to metrics_everywhere');
  }
  assert.equal(valueOf(await scrape(), 'humanops_database_up'), 1);
});

test('jobs and webhooks are counted by what came of them', async () => {
  const receiver = await s.receiver({ answer: (n) => ({ status: n === 1 ? 503 : 200 }) }),
    agent = await s.agent();
  const before = await scrape();
  const { task_id: id } = await post(s, agent, { reward_usd: 0.01, callback_url: receiver.url, sandbox_scenario: 'approve' });
  await s.until(async () => (await show(s, agent, id)).status === 'COMPLETED');
  await s.until(() => receiver.requests.length >= 4);
  const [after, more] = await s.until(async () => {
    const now = await scrape(),
      count = (name, labels) => (valueOf(now, name, labels) ?? 0) - (valueOf(before, name, labels) ?? 0);
    return count('humanops_webhook_attempts_total', {}) >= 4 && [now, count];
  });
  assert.equal(more('humanops_webhook_attempts_total', { outcome: 'retry', answer: '5xx' }), 1);
  assert.ok(more('humanops_webhook_attempts_total', { outcome: 'delivered', answer: '2xx' }) >= 3);
  assert.equal(more('humanops_webhook_attempts_total', { outcome: 'failed' }), 0);
  assert.equal(more('humanops_jobs_total', { program: 'worker', kind: 'sandbox', outcome: 'done' }), 1);
  assert.ok(more('humanops_jobs_total', { kind: 'sandbox', outcome: 'step' }) >= 4);
  assert.equal(more('humanops_jobs_total', { kind: 'webhook', outcome: 'retry' }), 1);
  assert.ok(more('humanops_job_duration_seconds_count', { kind: 'webhook' }) >= 4);
  assert.ok(valueOf(after, 'humanops_heartbeat_timestamp_seconds', { name: 'worker' }) > Date.now() / 1000 - 60);
});

test('a job that is given up is counted, and stays in sight', async () => {
  const dead = async () => valueOf(await scrape(), 'humanops_queue_dead_jobs', { kind: 'mail' }),
    before = await dead();
  assert.equal(
    await rise('humanops_jobs_total', { kind: 'mail', outcome: 'dead' }, async () => {
      await s.sql(`select job_add(3, 'mail', gen_random_uuid(), '{"sealed": "nonsense"}', '${await s.time()}', 5, '${await s.time()}')`);
      await s.until(async () => (await dead()) === before + 1);
    }),
    1,
  );
});

test('deposits and payouts are counted by what became of them', async () => {
  const agent = await s.agent({ tier: 'VERIFIED' });
  const deposit = () =>
    s.call('POST', '/agents/deposit/usdc', {
      key: agent.key,
      body: { tx_hash: `0x${randomBytes(32).toString('hex')}`, amount_usdc: 50, chain: 'base' },
    });
  assert.equal(
    await rise('humanops_usdc_deposits_total', { program: 'agents', status: 'confirmed' }, async () =>
      assert.equal((await deposit()).json.status, 'confirmed'),
    ),
    1,
  );
  const wallet = `0x${randomBytes(20).toString('hex')}`;
  await s.sql(`update agents set wallet = '${wallet}', wallet_at = now() where bucket = ${agent.bucket} and id = '${agent.uuid}'`);
  const withdraw = (amount_usd) => s.call('POST', '/agents/withdraw', { key: agent.key, body: { amount_usd } });
  const labels = { program: 'agents', step: 'requested' };
  assert.equal(await rise('humanops_payouts_total', labels, async () => assert.equal((await withdraw(20)).status, 201)), 1);
  assert.equal(await rise('humanops_payouts_total', labels, async () => assert.equal((await withdraw(900)).status, 402)), 0);
});

test('the sweeper shows that it lives, and audits the ledger once an hour', async () => {
  const at = async (name) => valueOf(await scrape(), 'humanops_heartbeat_timestamp_seconds', { name });
  const forget = () => s.sql("delete from heartbeats where name = 'ledger_audit'");
  await s.agent({ tier: 'VERIFIED', deposit: 20 });
  await forget();
  await Promise.all([s.sweep(), s.sweep(), s.sweep()]);
  const first = await at('ledger_audit'),
    sweeper = await at('sweeper');
  assert.ok(Math.abs(sweeper - (await s.now()) / 1000) < 60);
  assert.equal(valueOf(await scrape(), 'humanops_ledger_audit_findings'), 0);
  await s.sweep();
  assert.equal(await at('ledger_audit'), first, 'not again within the hour');
  assert.ok((await at('sweeper')) > sweeper);
  await s.advance(3601);
  await s.sweep();
  assert.ok((await at('ledger_audit')) >= first + 3600, 'and then again');

  /* What nothing of ours can do: a balance without a posting. */
  await s.sql("update accounts set balance = balance + 1 where kind = 'deposit'");
  try {
    await forget();
    const { status, stderr } = await s.program('sweeper');
    assert.equal(status, 0, stderr);
    assert.ok(valueOf(await scrape(), 'humanops_ledger_audit_findings') >= 2, 'the drift, and the total');
    const lines = stderr.split('\n').filter(Boolean).map((line) => JSON.parse(line));
    assert.ok(
      lines.some(({ level, event, what, micros }) => level === 'error' && event === 'ledger_broken' && what === 'drift' && micros === 1),
      stderr,
    );
  } finally {
    await s.sql("update accounts set balance = balance - 1 where kind = 'deposit'");
  }
});

test('memory is that of the programs of this installation', async () => {
  const metrics = await scrape();
  for (const [program, count] of Object.entries({ agents: 5, tasks: 5, operator: 5, webhooks: 5, admin: 5, mcp: 9, worker: 5 })) {
    const processes = valueOf(metrics, 'humanops_processes', { program }),
      bytes = valueOf(metrics, 'humanops_resident_memory_bytes', { program });
    assert.ok(processes >= count - 1 && processes <= count + 2, `${program}: ${processes} processes, of ${count}`);
    assert.ok(bytes > processes * 1e6 && bytes < processes * 1e9, `${program}: ${bytes} bytes`);
  }
});

test('nobody can be told by what stands there', async () => {
  const agent = await s.agent({ tier: 'STANDARD', deposit: 60, name: 'Zyxwvut' });
  await post(s, agent, { title: 'Zyxwvut title', callback_url: 'https://zyxwvut.example/hook' });
  const { text } = await ask();
  for (const secret of ['Zyxwvut', 'zyxwvut', agent.id, agent.uuid, agent.email, agent.key, s.settings.ADMIN_API_KEY, s.settings.SECRET_KEY])
    assert.ok(!text.includes(secret), secret);
  assert.doesNotMatch(text, /@|(?:agent|task|key|op|req)_[0-9a-z]{26}|\b\d{1,3}(?:\.\d{1,3}){3}\b|0x[0-9a-f]{40}/);
});
