/*
 * Monitoring by the tools that people run: promtool judges metrics, rules and each alert over hours of made-up time; a real Prometheus
 * scrapes a real instance and fires an alert about a ledger that is really broken.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after } from 'node:test';
import { readMetrics, valueOf } from '../exposition.mjs';
import { freePort, root, stack, until } from '../stack.mjs';

const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-prometheus-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const monitoring = (name) => path.join(root, 'scripts/monitoring', name);
const rules = readFileSync(monitoring('humanops.rules.yml'), 'utf8');
const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name]) => name);

function write(name, text) {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/* Fails with what promtool had to say. */
function promtool(args, input) {
  try {
    return execFileSync('promtool', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  } catch (error) {
    return assert.fail(`promtool ${args.join(' ')}: ${error.stdout}${error.stderr}`);
  }
}

/* Every metric that a program can ever show, from the tables in the sources. */
const known = new Set(
  ['lib/core/metrics.c', 'lib/base/count.c', 'lib/base/counts.def']
    .map((name) => readFileSync(path.join(root, name), 'utf8'))
    .flatMap((text) => [...text.matchAll(/\bhumanops_[a-z_]+/g)].map(([name]) => name)),
);
const isKnown = (name) => known.has(name) || known.has(name.replace(/_(?:bucket|sum|count)$/, ''));
const namesIn = (text) => [...new Set([...text.matchAll(/\bhumanops_[a-z_]+/g)].map(([name]) => name))];

test('the rules are what Prometheus reads, and ask only for metrics that exist', () => {
  promtool(['check', 'rules', monitoring('humanops.rules.yml')]);
  assert.ok(known.size > 30 && alerts.length > 20);
  const expressions = rules.replaceAll(/^\s+(?:summary|runbook): .*$/gm, '');
  assert.deepEqual(namesIn(expressions).filter((name) => !isKnown(name)), []);
  assert.deepEqual(namesIn(rules).filter((name) => !isKnown(name)), [], 'and so do their texts');
});

test('every kind of job that a worker knows is counted from zero, so that its first is seen', () => {
  const table = readFileSync(path.join(root, 'fcgi/worker.c'), 'utf8').match(/kinds\[\] = \{([^]*?)\n\};/)[1],
    kinds = [...table.matchAll(/\{ "(\w+)"/g)].map(([, name]) => name),
    counted = readFileSync(path.join(root, 'sql/functions/metrics.sql'), 'utf8').match(/unnest\(array\[([^\]]*)\]\) kind/)[1];
  assert.ok(kinds.length >= 8);
  assert.deepEqual(kinds.filter((name) => !counted.includes(`'${name}'`)), []);
});

test('each alert has a severity, a summary, says what to do, and stands in the documentation', () => {
  const guide = readFileSync(path.join(root, 'docs/monitoring.md'), 'utf8');
  assert.deepEqual([...guide.matchAll(/`(HumanOps[A-Z]\w+)`/g)].map(([, name]) => name).sort(), [...alerts].sort());
  for (const block of rules.split('- alert: ').slice(1)) {
    assert.match(block, /severity: (?:critical|warning)\n/);
    assert.match(block, /summary: "/);
    assert.match(block, /runbook: ".{60,}"/, block);
  }
  assert.equal(new Set(alerts).size, alerts.length, 'no name twice');
});

test('the dashboard asks only for metrics that exist, by queries that Prometheus reads', () => {
  const dashboard = JSON.parse(readFileSync(monitoring('humanops.dashboard.json'), 'utf8'));
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  const queries = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  assert.ok(queries.length > 25);
  assert.deepEqual(namesIn(queries.join('\n')).filter((name) => !isKnown(name)), []);
  assert.ok(panels.every(({ type, datasource }) => type === 'row' || datasource?.uid === '${datasource}'));
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  const groups = [
    {
      name: 'dashboard',
      rules: queries.map((expr, i) => ({
        record: `dashboard:${i}`,
        expr: expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*'),
      })),
    },
  ];
  promtool(['check', 'rules', write('dashboard.yml', JSON.stringify({ groups }))]);
  /* What nobody looks at need not be there. */
  const shown = namesIn(queries.join('\n') + rules).map((name) => name.replace(/_(?:bucket|sum|count)$/, ''));
  assert.deepEqual(
    [...known].filter((name) => /_(?:total|seconds|usd|open|jobs|findings)$/.test(name) && !shown.includes(name)),
    [],
  );
});

/* ---- each alert, in made-up time: a value a minute ---- */

const BEFORE = 20, /* minutes in which all is well */
  MINUTES = 120;
const HEALTHY = {
  'up{job="humanops", instance="a"}': '1',
  'humanops_database_up{instance="a"}': '1',
  'humanops_processes{program="tasks", instance="a"}': '5',
  'humanops_resident_memory_bytes{program="tasks", instance="a"}': '50000000',
  'humanops_http_requests_total{program="tasks", route="/tasks", method="GET", status="200", instance="a"}': '0+600',
  'humanops_http_requests_total{program="tasks", route="/tasks", method="GET", status="500", instance="a"}': '0',
  'humanops_http_request_duration_seconds_bucket{program="tasks", route="/tasks", le="0.5", instance="a"}': '0+600',
  'humanops_http_request_duration_seconds_bucket{program="tasks", route="/tasks", le="2.5", instance="a"}': '0+600',
  'humanops_http_request_duration_seconds_bucket{program="tasks", route="/tasks", le="+Inf", instance="a"}': '0+600',
  'humanops_http_request_duration_seconds_count{program="tasks", route="/tasks", instance="a"}': '0+600',
  'humanops_database_errors_total{program="tasks", reason="timeout", instance="a"}': '0',
  'humanops_database_errors_total{program="tasks", reason="fault", instance="a"}': '0',
  'humanops_heartbeat_timestamp_seconds{name="worker", instance="a"}': '0+60',
  'humanops_heartbeat_timestamp_seconds{name="sweeper", instance="a"}': '0+60',
  'humanops_heartbeat_timestamp_seconds{name="ledger_audit", instance="a"}': '0+60',
  'humanops_ledger_audit_findings{instance="a"}': '0',
  'humanops_queue_oldest_age_seconds{kind="mail", instance="a"}': '1',
  'humanops_queue_dead_jobs{kind="mail", instance="a"}': '2',
  'humanops_webhook_attempts_total{outcome="delivered", answer="2xx", instance="a"}': '0+10',
  'humanops_webhook_attempts_total{outcome="retry", answer="5xx", instance="a"}': '0',
  'humanops_webhook_deliveries_failed{instance="a"}': '3',
  'humanops_reserves_difference_usd{chain="8453", instance="a"}': '0',
  'humanops_reserves_timestamp_seconds{chain="8453", instance="a"}': '0+60',
  'humanops_payouts_frozen{chain="8453", instance="a"}': '0',
  'humanops_payouts_open{state="stuck", instance="a"}': '0',
  'humanops_payouts_oldest_age_seconds{state="signed", instance="a"}': '20',
  'humanops_usdc_deposits_oldest_age_seconds{status="pending", instance="a"}': '20',
  'humanops_usdc_deposits_total{status="reversed", program="worker", instance="a"}': '0',
  'humanops_chain_scanned_timestamp_seconds{chain="8453", instance="a"}': '0+60',
  'humanops_chain_head_block{chain="8453", instance="a"}': '1000+30',
  'humanops_chain_scanned_block{chain="8453", instance="a"}': '1000+30',
  'probe_ssl_earliest_cert_expiry{job="humanops-outside", instance="https://a/readyz/tasks"}': '9000000',
  'probe_success{job="humanops-outside", instance="https://a/readyz/tasks"}': '1',
};

/* The one series whose name and labels have all of these words. */
function seriesOf(words) {
  const found = Object.keys(HEALTHY).filter((series) => words.split(' ').every((word) => series.includes(word)));
  assert.equal(found.length, 1, words);
  return found[0];
}

/*
 * alert, and what goes wrong when all has been well: series by words, and values from then on; null: the series ends.  after: in
 * how many minutes it fires, and not three minutes before that.  Values are written as first+step.
 */
const CASES = [
  { alert: 'HumanOpsDown', change: { 'up{job': '0' }, after: 3 },
  { alert: 'HumanOpsDown', change: { 'up{job': null }, after: 8 },
  { alert: 'HumanOpsUnreachable', change: { probe_success: '0' }, after: 3 },
  { alert: 'HumanOpsProgramGone', change: { 'humanops_processes tasks': '0' }, after: 3 },
  { alert: 'HumanOpsErrors', change: { 'requests_total "500"': '0+20' }, after: 10 },
  {
    alert: 'HumanOpsSlow',
    change: { 'bucket le="0.5"': '12000+585' },
    after: 17,
  },
  { alert: 'HumanOpsMemory', change: { resident_memory: '1400000000' }, after: 16 },
  { alert: 'HumanOpsCertificateExpires', change: { probe_ssl: '1200000' }, after: 62 },
  { alert: 'HumanOpsDatabaseDown', change: { database_up: '0' }, after: 2 },
  { alert: 'HumanOpsDatabaseErrors', change: { 'database_errors timeout': '0+6' }, after: 11 },
  { alert: 'HumanOpsDatabaseFault', change: { 'database_errors fault': '1' }, after: 1 },
  { alert: 'HumanOpsWorkerSilent', change: { 'heartbeat worker': '1200' }, after: 6 },
  { alert: 'HumanOpsWorkerSilent', change: { 'heartbeat worker': null }, after: 8 },
  { alert: 'HumanOpsSweeperSilent', change: { 'heartbeat sweeper': '1200' }, after: 12 },
  { alert: 'HumanOpsSweeperSilent', change: { 'heartbeat sweeper': null }, after: 12 },
  { alert: 'HumanOpsQueueOld', change: { oldest_age_seconds_of_mail: '300' }, after: 6 },
  { alert: 'HumanOpsJobsDead', change: { dead_jobs: '3' }, after: 1 },
  { alert: 'HumanOpsWebhooksFailing', change: { 'attempts retry': '0+40' }, after: 19 },
  { alert: 'HumanOpsWebhooksGivenUp', change: { deliveries_failed: '20' }, after: 1 },
  { alert: 'HumanOpsLedgerBroken', change: { audit_findings: '1' }, after: 1 },
  { alert: 'HumanOpsAuditLate', change: { 'heartbeat ledger_audit': '-20000' }, after: 16 },
  { alert: 'HumanOpsReservesShort', change: { reserves_difference: '-0.01' }, after: 3 },
  { alert: 'HumanOpsReservesUnknown', change: { reserves_timestamp: '1200' }, after: 22 },
  { alert: 'HumanOpsPayoutsFrozen', change: { payouts_frozen: '1' }, after: 1 },
  { alert: 'HumanOpsPayoutsStuck', change: { 'payouts_open stuck': '1' }, after: 6 },
  { alert: 'HumanOpsPayoutsSlow', change: { 'payouts_oldest signed': '2000' }, after: 6 },
  { alert: 'HumanOpsDepositsWaiting', change: { deposits_oldest: '2000' }, after: 6 },
  { alert: 'HumanOpsDepositReversed', change: { usdc_deposits_total: '1' }, after: 1 },
  { alert: 'HumanOpsChainBehind', change: { chain_scanned_timestamp: '1200' }, after: 12 },
  { alert: 'HumanOpsChainBehind', change: { chain_scanned_block: '1600' }, after: 27 },
];
const WORDS = { oldest_age_seconds_of_mail: 'queue_oldest mail' };

/* In promtool's notation: a series as it is when all is well, until it is as given. */
function valuesOf(series, then) {
  const times = (values, count) => (values === null ? `_x${count}` : `${values.includes('+') ? values : `${values}+0`}x${count}`);
  const well = HEALTHY[series];
  return then === undefined ? times(well, MINUTES) : `${times(well, BEFORE - 1)} ${times(then, MINUTES - BEFORE)}`;
}

function firing(expected, minute) {
  return {
    expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
    eval_time: `${minute}m`,
    exp_samples: expected.map((name) => ({ labels: `{alertname="${name}"}`, value: 1 })),
  };
}

test('each alert fires when its time has come, alone, and none while all is well', () => {
  const input = (change) =>
    Object.keys(HEALTHY).map((series) => {
      const words = Object.keys(change).find((w) => seriesOf(WORDS[w] ?? w) === series);
      return { series, values: valuesOf(series, change[words]) };
    });
  const healthy = [5, BEFORE, MINUTES].map((minute) => firing([], minute));
  const tests = [
    { interval: '1m', input_series: input({}), promql_expr_test: healthy },
    ...CASES.map(({ alert, change, after: minutes }) => ({
      interval: '1m',
      input_series: input(change),
      promql_expr_test: [
        firing([], BEFORE - 1),
        ...(minutes > 2 ? [firing([], BEFORE + minutes - 3)] : []),
        firing([alert], BEFORE + minutes),
      ],
    })),
  ];
  const file = write(
    'alerts.yml',
    JSON.stringify({ rule_files: [monitoring('humanops.rules.yml')], evaluation_interval: '1m', tests }),
  );
  promtool(['test', 'rules', file]);
  assert.deepEqual(
    alerts.filter((name) => !CASES.some(({ alert }) => alert === name)),
    [],
    'every alert has its case',
  );
});

/* ---- the real thing ---- */

/* A Prometheus of the test's own, which asks each second; what alerts wait for (`for`) is cut to a second. */
async function prometheus(s) {
  const port = await freePort(),
    impatient = rules.replaceAll(/\bfor: \d+[mh]/g, 'for: 1s');
  assert.notEqual(impatient, rules);
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [write('impatient.yml', impatient)],
    scrape_configs: [
      {
        job_name: 'humanops',
        scheme: 'https',
        tls_config: { ca_file: path.join(s.state, 'tls/certificate.pem'), server_name: 'localhost' },
        static_configs: [{ targets: [`127.0.0.1:${s.port}`] }],
      },
    ],
  };
  const file = write('prometheus.yml', JSON.stringify(config));
  promtool(['check', 'config', file]);
  const child = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${path.join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise((done) => child.once('exit', done));
  after(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const ask = async (where) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${where}`).catch(() => undefined);
    return answer?.ok ? (await answer.json()).data : undefined;
  };
  return {
    value: async (query) => Number((await ask(`query?query=${encodeURIComponent(query)}`))?.result[0]?.value[1]),
    firing: async () =>
      ((await ask('alerts'))?.alerts ?? [])
        .filter(({ state }) => state === 'firing')
        .map(({ labels, annotations }) => ({ ...labels, ...annotations })),
  };
}

test('a real Prometheus scrapes an instance, is content with it, and cries out when the ledger is broken', async () => {
  const s = await stack(),
    agent = await s.agent({ tier: 'VERIFIED', deposit: 20 });
  await s.sweep();
  promtool(
    ['check', 'metrics'],
    (await s.call('GET', '/metrics', { whole: true, headers: { 'X-Forwarded-For': null } })).text,
  );
  const p = await prometheus(s);
  await until(async () => (await p.value('up{job="humanops"}')) === 1, 30_000);
  for (let i = 0; i < 5; i++) assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).status, 200);
  const query = 'sum(humanops_http_requests_total{program="agents",route="/agents/me",status="200"})';
  await until(async () => (await p.value(query)) === 5, 20_000);
  assert.ok((await p.value('histogram_quantile(0.99, sum by (le) (humanops_http_request_duration_seconds_bucket))')) > 0);
  await until(async () => (await p.value('count_over_time(humanops_database_up[1m])')) >= 4);
  assert.deepEqual(await p.firing(), [], 'nothing is wrong');

  /* A dollar that nobody has booked; then the hourly audit. */
  const change = (by) =>
    s.sql(`update accounts set balance = balance + ${by} where bucket = ${agent.bucket} and party_id = '${agent.uuid}' and kind = 'deposit'`);
  const audit = async () => {
    await s.sql("delete from heartbeats where name = 'ledger_audit'");
    await s.sweep();
  };
  await change(1_000_000);
  await audit();
  const alert = await until(async () => (await p.firing()).find(({ alertname }) => alertname === 'HumanOpsLedgerBroken'), 20_000);
  assert.equal(alert.severity, 'critical');
  assert.match(alert.summary, /found 2 invariants broken/);
  assert.match(alert.runbook, /Stop payouts first/);

  await change(-1_000_000);
  await audit();
  await until(async () => (await p.firing()).length === 0, 20_000);
  const metrics = readMetrics(
    (await s.call('GET', '/metrics', { whole: true, headers: { 'X-Forwarded-For': null } })).text,
  );
  assert.ok(valueOf(metrics, 'humanops_http_requests_total', { program: 'admin', route: '/metrics', status: '200' }) > 5);
});
