/*
 * From the previous release to this checkout by scripts/upgrade, killed on the way and taken up again; back to the old programs on
 * the new database; and away from programs that are broken.  All the while agents post, operators claim, upload and hand in, staff,
 * models and monitoring ask: no request fails, nothing acknowledged is lost, the books agree.  Called by
 * upgrade.test.mjs, where there is a previous release to begin with.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jpeg } from '../pictures.mjs';
import { children, supervisorOf } from '../processes.mjs';
import { root, stack } from '../stack.mjs';
import { newOperator, uuidOf } from '../work.mjs';
import { previousRelease } from './previous.mjs';

const SERVERS = ['agents', 'tasks', 'operator', 'webhooks', 'admin', 'mcp'];
const version = readFileSync(path.join(root, 'VERSION'), 'utf8').trim();
const s = await stack({ checkout: previousRelease(), settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
const temporary = mkdtempSync(path.join(tmpdir(), 'humanops-upgrade-'));
const release = path.join(temporary, 'release'); /* what this checkout installs */
after(() => rmSync(temporary, { recursive: true, force: true }));

/* The load */

const load = { requests: 0, failures: [], slowest: 0, tasks: new Set(), uploads: 0, isOver: false };

/* One request, on a connection of its own: one that nginx has just closed would say nothing of the programs. */
async function ask(method, where, { want = 200, headers = {}, ...more } = {}) {
  const began = Date.now();
  let answer;
  try {
    answer = await s.call(method, where, { described: false, headers: { Connection: 'close', ...headers }, ...more });
  } catch (error) {
    answer = { status: error.code ?? error.message, text: '' };
  }
  load.requests++;
  load.slowest = Math.max(load.slowest, Date.now() - began);
  if (answer.status !== want)
    load.failures.push(`${new Date().toISOString()} ${method} ${where}: ${answer.status} ${answer.text.slice(0, 300)}`);
  return answer.status === want ? answer.json ?? {} : null;
}

let parties; /* agents, each with an operator */
const body = () => ({ title: 'Photo of the door', description: 'Take a photo of the door', location: { lat: 48.2, lng: 16.37, address: 'Vienna' },
  reward_usd: 20, task_type: 'PHOTO', proof_requirements: ['Photo of the door'], deadline: new Date(Date.now() + 3 * 86_400_000).toISOString() });

/* A task from its posting to its proof, which has a photo; every third is called off instead. */
async function story(agent, operator, turn) {
  const key = agent.key, as = { headers: { 'X-Operator-Id': operator.id } };
  const made = await ask('POST', '/tasks', { key, want: 201, headers: { 'Idempotency-Key': randomUUID() }, body: body() });
  if (made === null)
    return;
  load.tasks.add(made.task_id);
  const task = `/tasks/${made.task_id}`;
  await ask('GET', task, { key });
  if (turn % 3 === 0) {
    await ask('POST', `${task}/cancel`, { key });
    return;
  }
  await ask('POST', `/operator${task}/accept`, { ...as, body: { estimate_minutes: 30 } });
  await ask('POST', `${task}/estimate/approve`, { key });
  await ask('POST', `/operator${task}/start`, as);
  await ask('POST', `${task}/messages`, { key, want: 201, body: { message: 'The door on the left, please.' } });
  await ask('GET', `/operator${task}/messages`, as);
  const upload = await ask('POST', '/operator/upload', { want: 201, raw: jpeg(),
    headers: { ...as.headers, 'Content-Type': 'image/jpeg' } });
  if (upload === null)
    return;
  load.uploads++;
  await ask('POST', `/operator${task}/submit`, { ...as, body: { photos: [upload.url] } });
}

async function everything(agent) {
  const rpc = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  await ask('GET', '/agents/balance', { key: agent.key });
  await ask('GET', '/operator/settings');
  await ask('GET', '/admin/ledger/audit', { headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });
  await ask('POST', '/mcp', { whole: true, body: rpc, headers: { Accept: 'application/json, text/event-stream', 'MCP-Protocol-Version': '2025-06-18' } });
  await ask('GET', '/readyz/webhooks', { whole: true });
  await ask('GET', '/docs/', { whole: true });
}

/*
 * For the moment when the database is migrated: a request that waits two seconds for a row which somebody else holds, and many that
 * come meanwhile.  A migration that does not wait for the one keeps the others waiting inside their calls, which fail when the
 * tables have changed under them.
 */
async function crowd() {
  const [agent] = parties[0], task = await ask('POST', '/tasks', { key: agent.key, want: 201, body: body() });
  load.tasks.add(task.task_id);
  const held = s.sql(`begin; select 1 from tasks where id = '${uuidOf(task.task_id)}' for update; select pg_sleep(2); commit`);
  await sleep(200);
  await Promise.all([held, ask('POST', `/tasks/${task.task_id}/cancel`, { key: agent.key }),
    ...Array.from({ length: 60 }, async (_, i) => {
      await sleep(50 * i);
      await ask('GET', `/tasks/${task.task_id}`, { key: agent.key });
    })]);
}

async function begin() {
  await s.sql('update tiers set max_daily_tasks = 1000000, max_daily_spend = 1000000000000000');
  parties = await Promise.all([1, 2, 3].map(async () => [await s.agent({ tier: 'STANDARD', deposit: 90_000 }), await newOperator(s)]));
  const again = (fn) => (async () => {
    for (let turn = 1; !load.isOver; turn++) {
      await fn(turn);
      await sleep(200);
    }
  })();
  return Promise.all([...parties.map(([agent, operator]) => again((turn) => story(agent, operator, turn))), again(() => everything(parties[0][0]))]);
}

/* So far nothing has failed, and requests have been made since. */
async function nothingFailed(t, since) {
  const before = load.requests;
  await s.until(() => load.requests > before + 10, 30_000);
  assert.equal(load.failures.length, 0, `of ${load.requests} requests:\n${load.failures.slice(0, 5).join('\n')}`);
  t.diagnostic(`${load.requests - since} requests, the slowest so far ${load.slowest} ms`);
}

/* The upgrade */

/*
 * Runs scripts/upgrade; killAt: a word that begins a line, at which it and all that it called is killed; onKept: what is done when it
 * is about to change something.  Gives its lines and its status.
 */
function upgrade(args = [], { killAt = null, onKept = null } = {}) {
  const child = spawn(path.join(root, 'scripts/upgrade'), ['--state', s.state, ...args], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '', errors = '', kept = null;
  child.stderr.on('data', (data) => { errors += data; });
  child.stdout.on('data', (data) => {
    text += data;
    if (onKept && kept === null && /^kept /m.test(text))
      kept = onKept();
    if (killAt && text.split('\n').some((line) => line.startsWith(`${killAt} `)))
      process.kill(-child.pid, 'SIGKILL');
  });
  return new Promise((done) => child.on('close', async (status, signal) => {
    await kept;
    done({ status: signal ?? status, text, errors });
  }));
}

async function versions() {
  const answers = await Promise.all(SERVERS.map((name) => s.call('GET', `/healthz/${name}`, { whole: true, described: false })));
  return answers.map((answer) => answer.json.version);
}

/* What the programs may call: name, types of arguments, how many have no default; and what comes back. */
const callable = () => s.sql(`select p.proname as name, p.pronargs - p.pronargdefaults as needed, p.pronargs as count, p.proretset as is_set,
    array(select format_type(t, null) from unnest(p.proargtypes) with ordinality u (t, n) order by n) as arguments,
    coalesce(array(select c.name || ' ' || c.type from (
        select p.proargnames[i] as name, format_type(p.proallargtypes[i], null) as type from generate_subscripts(p.proallargtypes, 1) i
            where p.proargmodes[i] in ('t', 'o')
        union all select a.attname, format_type(a.atttypid, a.atttypmod) from pg_type y join pg_attribute a on a.attrelid = y.typrelid
            where y.oid = p.prorettype and a.attnum > 0 and not a.attisdropped) c), '{}') as columns,
    format_type(p.prorettype, null) as result
  from pg_proc p where p.pronamespace = 'public'::regnamespace and has_function_privilege('humanops_app', p.oid, 'execute') order by 1`);

/* Whether the old programs' call of a function is one of the new one: they name it, give that many arguments and read columns by name. */
const serves = (now, old) => now.name === old.name && now.needed <= old.count && now.count >= old.count && now.is_set === old.is_set
  && old.arguments.every((type, i) => now.arguments[i] === type) && now.result === old.result
  && old.columns.every((column) => now.columns.includes(column));

const hasStopped = (pid) => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));

const old = await callable();
const running = begin();
after(async () => {
  load.isOver = true;
  await running;
});

test('the previous release becomes this one, although the upgrade is killed four times: no request fails', async (t) => {
  const since = load.requests;
  assert.notEqual((await versions())[0], version);
  for (const step of ['kept', 'paused', 'tasks', 'sweeper']) {
    const { status, text, errors } = await upgrade([], { killAt: step, onKept: step === 'tasks' ? crowd : null });
    assert.equal(status, 'SIGKILL', `${step}: ${text}${errors}`);
    if (step === 'paused')
      assert.ok(SERVERS.every((name) => hasStopped(supervisorOf(s, name))), 'killed where it matters most');
  }
  const { status, text, errors } = await upgrade();
  assert.equal(status, 0, text + errors);
  assert.match(text, /^unfinished /m);
  assert.deepEqual(await versions(), SERVERS.map(() => version));
  await nothingFailed(t, since);
  assert.ok(load.uploads > 0 && load.tasks.size > 0);
  cpSync(path.join(s.settings.STATE_DIR, 'upgrade/new'), release, { recursive: true });
});

test('each function that the previous release calls is still there as it calls it', async () => {
  const now = await callable();
  assert.ok(old.length > 100, `${old.length} functions`);
  assert.deepEqual(old.filter((o) => !now.some((n) => serves(n, o))), []);
});

test('its programs serve on the database of this one, when somebody goes back', async (t) => {
  const since = load.requests;
  const { status, text, errors } = await upgrade(['--roll-back']);
  assert.equal(status, 0, text + errors);
  assert.ok((await versions()).every((v) => v !== version && v !== undefined), (await versions()).join());
  await nothingFailed(t, since);
});

/* A release like this one but for one program, which is a script. */
function broken(name, script) {
  const folder = path.join(temporary, randomUUID()), program = path.join(folder, 'lib/humanops', name);
  cpSync(release, folder, { recursive: true });
  renameSync(program, `${program}.real`);
  writeFileSync(program, `#!/bin/sh\n${script}\nexec "$0.real" "$@"\n`);
  chmodSync(program, 0o755);
  return folder;
}

const installed = () => execFileSync('sh', ['-c', 'cd "$1" && find . -type f | LC_ALL=C sort | xargs sha256sum', 'sh',
  path.join(s.settings.STATE_DIR, 'install')], { encoding: 'utf8' });

for (const [title, program, script, wanted] of [
  ['refuses the settings', 'mcp.fcgi', '[ "$1" != --check ] || { echo no; exit 1; }', /mcp +does not accept the settings: no[^]*nothing has been changed/],
  ['does not keep running', 'admin.fcgi', '[ "$1" != --listen ] || exit 3', /a new program does not keep running[^]*going back/],
  ['does so only in its place, when others have been renewed', 'webhooks.fcgi', 'case $0 in */install/*) exit 1 ;; esac',
    /operator +renewed[^]*webhooks +does not start[^]*webhooks +put back[^]*agents +put back/],
])
  test(`a program that ${title}: the old ones go on, or are put back, and no request fails`, async (t) => {
    const since = load.requests, before = installed(), had = await versions();
    const { status, text, errors } = await upgrade(['--from', broken(program, script)]);
    assert.equal(status, 1, text + errors);
    assert.match(text + errors, wanted);
    assert.equal(installed(), before);
    assert.deepEqual(await versions(), had);
    assert.ok(!existsSync(path.join(s.settings.STATE_DIR, 'upgrade/unfinished')));
    await nothingFailed(t, since);
  });

test('in the end every acknowledged task is there, and the books agree', async () => {
  load.isOver = true;
  await running;
  assert.equal(load.failures.length, 0, load.failures.slice(0, 5).join('\n'));
  const [{ count }] = await s.sql('select count(*)::int as count from tasks');
  assert.equal(count, load.tasks.size);
  assert.deepEqual(await s.audit(), []);
  for (const name of [...SERVERS, 'worker'])
    assert.ok(children(supervisorOf(s, name)).length > 0, name);
});
