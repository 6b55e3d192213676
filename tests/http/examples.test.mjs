/* The examples of the documentation do what the pages say: each is taken from its page as a reader would copy it, and run. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { filled, pages } from '../docs.mjs';
import { freePort, stack, until } from '../stack.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });
const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-examples-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const certificate = path.join(folder, 'ca.pem');
writeFileSync(certificate, s.ca);
const running = new Set();
after(() => running.forEach((child) => child.kill('SIGKILL')));

const INTERPRETERS = { sh: ['bash', ['-euo', 'pipefail']], node: [process.execPath, []], python: ['python3', []] };
const hasPython = await new Promise((done) =>
  spawn('python3', ['-c', 'import http.server'])
    .on('error', () => done(false))
    .on('exit', (code) => done(code === 0)),
);
let files = 0;

/* Starts an example; { child, output: () => what it has printed, ended: a promise of its status }. */
function start(example, env) {
  const [command, args] = INTERPRETERS[example.run],
    file = path.join(folder, `${++files}.${{ sh: 'sh', node: 'mjs', python: 'py' }[example.run]}`);
  writeFileSync(
    file,
    filled(example.text, { origin: s.base, deadline: env.DEADLINE }).replaceAll(
      'agent@example.com',
      `agent-${files}@example.com`,
    ),
  );
  const child = spawn(command, [...args, file], {
    env: {
      ...process.env,
      CURL_CA_BUNDLE: certificate,
      NODE_EXTRA_CA_CERTS: certificate,
      SSL_CERT_FILE: certificate,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '',
    errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text;
  });
  running.add(child);
  const ended = new Promise((done) =>
    child.on('close', (status) => {
      running.delete(child);
      done(status);
    }),
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000);
  ended.then(() => clearTimeout(timer));
  return { child, ended, output: () => output, errors: () => errors };
}

const member = (value, where) => where.split('.').reduce((node, name) => node?.[name], value);

/* A new agent with a completed task: what pages take for granted. */
async function reader() {
  const agent = await s.agent(),
    deadline = await s.time(3 * 86_400);
  const task = await s.call('POST', '/tasks', {
    key: agent.key,
    body: {
      title: 'Count',
      description: 'Count the items.',
      reward_usd: 0.01,
      deadline,
      proof_requirements: ['The number'],
      task_type: 'DATA_VALIDATION',
    },
  });
  await until(
    async () => (await s.call('GET', `/tasks/${task.json.task_id}`, { key: agent.key })).json.status === 'COMPLETED',
  );
  return {
    HUMANOPS_URL: s.base,
    HUMANOPS_API_KEY: agent.key,
    TASK_ID: task.json.task_id,
    DEADLINE: deadline,
    HUMANOPS_CALLBACK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  };
}

/* Runs an example to its end and takes what it gives. */
async function run(example, env, what) {
  const { ended, output, errors } = start(example, env);
  assert.equal(await ended, 0, `${what}: ${output()}${errors()}`);
  if (example.expects) assert.ok(output().includes(example.expects), `${what} prints ${example.expects}: ${output()}`);
  for (const [, name, where] of (example.gives ?? '').matchAll(/(\w+)=([\w.]+)/g)) {
    env[name] = String(member(JSON.parse(output()), where));
    assert.ok(member(JSON.parse(output()), where), `${what} gives ${name}: ${output()}`);
  }
}

async function listening(port) {
  await until(() =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    ),
  );
}

/* An example that calls the servers of its page: each of them hears of it. */
async function runWithServers(example, servers, env, what) {
  for (const server of servers.filter((one) => one.run !== 'python' || hasPython)) {
    const port = await freePort(),
      started = start(server, { ...env, [server.serves]: String(port) });
    await listening(port);
    await run(example, Object.assign(env, { HUMANOPS_CALLBACK_URL: `http://127.0.0.1:${port}/webhook` }), what);
    await until(() => started.output().includes(`${example.awaits} ${env.TASK_ID}`)).catch(() =>
      assert.fail(`${server.title} hears of ${example.awaits}: ${started.output()}${started.errors()}`),
    );
    /* What bears no signature is not taken. */
    const forged = await fetch(env.HUMANOPS_CALLBACK_URL, {
      method: 'POST',
      body: '{"event":"task.completed","task_id":"forged"}',
    });
    assert.equal(forged.status, 401);
    assert.ok(!started.output().includes('forged'));
    started.child.kill();
    await started.ended;
  }
}

for (const { name, examples } of pages.filter((p) => p.examples.some((e) => e.run))) {
  test(`what ${name} shows can be copied and works`, async () => {
    const env = await reader(),
      servers = examples.filter((e) => e.serves);
    for (const [i, example] of examples.entries()) {
      const what = `${name}, example ${i + 1} (${example.title})`;
      if (!example.run || example.serves || (example.run === 'python' && !hasPython)) continue;
      if (example.awaits) await runWithServers(example, servers, env, what);
      else await run(example, env, what);
    }
  });
}

test('the pages have many examples that run', () => {
  const count = (run) => pages.flatMap((p) => p.examples).filter((e) => e.run === run).length;
  assert.ok(count('sh') >= 20 && count('node') >= 5 && count('python') >= 3);
});
