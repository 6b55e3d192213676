/* The command humanops from the installed package: events to a local address, signed; simulated tasks that come to them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { verifyWebhook } from '../../sdk/src/index.mjs';
import { installed } from './project.mjs';

const EVENTS = {
  'task.claimed': 'ESTIMATE_PENDING',
  'task.completed': 'COMPLETED',
  'task.manual_review': 'SUBMITTED',
  'task.disputed': 'DISPUTED',
  'task.cancelled': 'CANCELLED',
};

export function run(s) {
  let project, agent;
  const running = new Set();

  before(async () => {
    project = await installed(s);
    agent = await s.agent();
  });
  after(() => running.forEach((child) => child.kill('SIGKILL')));

  /* The command, running: its child, what it printed so far, and its end. */
  function start(args, { key = agent.key, input = '', state = 'state-cli' } = {}) {
    const child = spawn(
      process.execPath,
      [path.join(project.folder, 'node_modules/humanops/bin/humanops.mjs'), ...args],
      {
        env: {
          PATH: process.env.PATH,
          HOME: project.folder,
          XDG_STATE_HOME: path.join(project.folder, state),
          HUMANOPS_API_URL: s.base,
          NODE_EXTRA_CA_CERTS: path.join(s.state, 'tls/certificate.pem'),
          ...(key ? { HUMANOPS_API_KEY: key } : {}),
        },
      },
    );
    const own = { child, stdout: '', stderr: '' };
    running.add(child);
    child.stdout.on('data', (chunk) => {
      own.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      own.stderr += chunk;
    });
    child.stdin.end(input);
    own.ended = new Promise((done) =>
      child.on('exit', (code) => {
        running.delete(child);
        done(code);
      }),
    );
    return own;
  }

  async function finish(args, options) {
    const own = start(args, options),
      code = await own.ended;
    return { code, stdout: own.stdout, stderr: own.stderr };
  }

  test('trigger and listen: each event arrives once, as the service would send it, good by both schemes', async () => {
    let failures = 1;
    const hook = await s.receiver({ answer: () => ({ status: failures-- > 0 ? 500 : 204 }) });
    const early = await finish(['trigger', 'task.completed']);
    assert.deepEqual([early.code, early.stderr], [0, '']);
    const listener = start(['listen', '--forward', hook.url]);
    await s.until(() => listener.stdout.includes('ready'), 60_000);
    const secret = /^signed with (whsec_\S+)$/m.exec(listener.stdout)[1];
    const made = await Promise.all(Object.keys(EVENTS).map((event) => finish(['trigger', event])));
    for (const [i, [event, status]] of Object.entries(EVENTS).entries())
      assert.match(made[i].stdout, new RegExp(`^${event} task_\\w+ ${status}\\n$`), made[i].stderr);
    const wanted = made.map(({ stdout }) => stdout.split(' ').slice(0, 2).join(' '));
    const arrived = () =>
      hook.requests.map(({ raw }) => JSON.parse(raw)).map(({ event, task_id: id }) => `${event} ${id}`);
    await s.until(() => wanted.every((one) => arrived().includes(one)), 60_000);
    for (const { raw, headers } of hook.requests) {
      const event = await verifyWebhook({ payload: raw, headers, secret });
      await verifyWebhook({ payload: raw, headers, secret, scheme: 'humanops' });
      assert.equal(headers['webhook-id'], event.id);
      assert.match(event.event, /^task\./);
    }
    const ids = hook.requests.map(({ headers }) => headers['webhook-id']);
    assert.equal(ids.length - new Set(ids).size, 1, 'only the one that was answered with 500 came again');
    assert.ok(
      !arrived().some((one) => one.includes(early.stdout.split(' ')[1])),
      'what was before the start is not sent',
    );
    listener.child.kill('SIGINT');
    assert.equal(await listener.ended, 0);

    /* While nobody listens an event happens; the next start brings it, and nothing of before. */
    const missed = (await finish(['trigger', 'task.manual_review'])).stdout.split(' ')[1],
      before_ = hook.requests.length;
    const again = start(['listen', '--forward', hook.url, '--events', 'task.manual_review', '--secret', 'plain text']);
    await s.until(() => hook.requests.length > before_);
    const { raw, headers } = hook.requests.at(-1);
    assert.equal((await verifyWebhook({ payload: raw, headers, secret: 'plain text' })).task_id, missed);
    again.child.kill('SIGTERM');
    assert.equal(await again.ended, 0);
    assert.equal(hook.requests.length, before_ + 1);
  });

  test("the form of what is forwarded is that of the service's own webhook", async () => {
    const own = await s.receiver(),
      local = await s.receiver();
    const listener = start(['listen', '--forward', local.url, '--events', 'task.manual_review'], {
      state: 'state-form',
    });
    await s.until(() => listener.stdout.includes('ready'), 60_000);
    await finish(['trigger', 'task.manual_review', '--callback-url', own.url, '--callback-secret', 'x'], {
      state: 'state-form',
    });
    const body = ({ requests }) =>
      requests.map(({ raw }) => JSON.parse(raw)).find(({ event }) => event === 'task.manual_review');
    await s.until(() => body(own) && body(local));
    const { sandbox: _, sandbox_notice: _n, ...sent } = body(own);
    assert.deepEqual(body(local), sent);
    listener.child.kill('SIGINT');
    await listener.ended;
  });

  test('login keeps a key for its address; whoami and tasks use it', async () => {
    const none = await finish(['whoami'], { key: null, state: 'state-login' });
    assert.equal(none.code, 2);
    assert.match(none.stderr, /humanops login/);
    assert.equal((await finish(['login'], { key: null, state: 'state-login', input: 'ho_live_wrong\n' })).code, 1);
    const kept = await finish(['login'], { key: null, state: 'state-login', input: `${agent.key}\n` });
    assert.equal(kept.code, 0, kept.stderr);
    assert.ok(!kept.stdout.includes(agent.key));
    const folder = path.join(project.folder, 'state-login/humanops');
    for (const name of readdirSync(folder)) assert.equal(statSync(path.join(folder, name)).mode & 0o777, 0o600);
    assert.match(
      (await finish(['whoami'], { key: null, state: 'state-login' })).stdout,
      new RegExp(`${agent.id}.*\\n.*SANDBOX`),
    );
    assert.match(
      (await finish(['tasks', '--status', 'CANCELLED'], { key: null, state: 'state-login' })).stdout,
      /^task_\w+ CANCELLED/m,
    );
  });

  test('a command line that is none says so, with status 2', async () => {
    for (const args of [
      [],
      ['nonsense'],
      ['listen'],
      ['listen', '--forward', 'nowhere'],
      ['listen', '--forward', 'ftp://x/'],
      ['trigger'],
      ['trigger', 'task.message'],
      ['trigger', 'task.claimed', 'more'],
      ['whoami', '--x'],
      ['__proto__'],
      ['constructor'],
    ]) {
      const { code, stderr, stdout } = await finish(args);
      assert.equal(code, 2, args.join(' '));
      assert.ok(stderr !== '' || stdout.includes('humanops listen'));
      assert.ok(!/\n\s+at /.test(stderr), stderr);
    }
    assert.match((await finish(['--help'])).stdout, /humanops trigger EVENT/);
  });
}
