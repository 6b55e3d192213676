/*
 * humanops-mcp as its users start it: from the packed and installed package, by the official clients of both generations, and what it
 * keeps, sends and refuses.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { Client as Client2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as Stdio2 } from '@modelcontextprotocol/client/stdio';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as Stdio1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js';
import { encryptCredential } from '../../sdk/src/index.mjs';
import { memoryHolds } from './memory.mjs';
import { newPerson } from './people.mjs';
import { installed } from './project.mjs';
import { proxy } from './proxy.mjs';

const DAY = 86_400_000;
const soon = () => new Date(Date.now() + 3 * DAY).toISOString();

export function run(s) {
  let way, project, person;
  const open = new Set();

  before(async () => {
    way = await proxy(s);
    project = await installed(s);
    person = await newPerson(s);
  });
  after(async () => {
    for (const client of open) await client.close().catch(() => {});
    way.close();
  });

  const stateOf = (name) => path.join(project.folder, `state-${name}`);
  const environment = (state, key, url = way.url) => ({
    PATH: process.env.PATH,
    HOME: project.folder,
    XDG_STATE_HOME: state,
    HUMANOPS_API_URL: url,
    ...(key ? { HUMANOPS_API_KEY: key } : {}),
  });
  const program = (env) => ({
    command: process.execPath,
    args: [path.join(project.folder, 'node_modules/humanops/bin/humanops-mcp.mjs')],
    env,
    stderr: 'pipe',
  });

  async function connect(generation, env, onChanged) {
    const info = { name: 'test', version: '1' };
    const client =
      generation === 'v1'
        ? new Client1(info)
        : new Client2(info, {
            versionNegotiation: { mode: generation },
            ...(onChanged ? { listChanged: { tools: { onChanged } } } : {}),
          });
    if (generation === 'v1' && onChanged)
      client.setNotificationHandler(ToolListChangedNotificationSchema, () => onChanged());
    await client.connect(generation === 'v1' ? new Stdio1(program(env)) : new Stdio2(program(env)));
    open.add(client);
    return client;
  }

  const call = (client, name, args = {}) => client.callTool({ name, arguments: args });

  /* A good call's content. */
  async function good(client, name, args) {
    const result = await call(client, name, args);
    assert.ok(!result.isError, `${name}: ${JSON.stringify(result.content)}`);
    return result.structuredContent;
  }

  const fault = (result) => {
    assert.equal(result.isError, true, JSON.stringify(result));
    return JSON.parse(result.content[0].text);
  };

  for (const generation of ['v1', 'legacy', 'auto', { pin: '2026-07-28' }]) {
    test(`client ${generation.pin ?? generation}: lists the service's tools and calls every one`, async () => {
      const own = await s.agent({ tier: 'STANDARD', deposit: 500 }),
        client = await connect(generation, environment(stateOf('all'), own.key));
      const { tools } = await client.listTools();
      const listed = await s.call('POST', '/mcp', {
        whole: true,
        key: own.key,
        body: { jsonrpc: '2.0', id: 1, method: 'tools/list' },
      });
      assert.deepEqual(
        tools.map(({ name }) => name),
        listed.json.result.tools.map(({ name }) => name).filter((name) => name !== 'register_agent'),
      );
      const dispatch = tools.find(({ name }) => name === 'dispatch_credential_task');
      assert.deepEqual(
        Object.keys(dispatch.inputSchema.properties).filter((name) => name === 'agent_public_key'),
        [],
      );
      assert.ok(!dispatch.inputSchema.required.includes('agent_public_key'));
      const common = { title: 'A task', description: 'Do it', reward_usd: 10, deadline: soon() };
      const id = (
        await good(client, 'post_task', {
          ...common,
          location: { lat: 40.7, lng: -74, address: '123 Main St' },
          proof_requirements: ['Photo'],
          task_type: 'PHOTO',
        })
      ).task_id;
      const done = new Set(['post_task']),
        answers = {
          dispatch_digital_task: { ...common, digital_category: 'DATA_VALIDATION', proof_requirements: ['Result'] },
          dispatch_credential_task: { ...common, credential_category: 'ACCOUNT_CREATION' },
          search_operators: { lat: 40.7, lng: -74 },
          list_digital_categories: {},
          list_tasks: { limit: 5 },
          get_balance: {},
          get_task_result: { task_id: id },
          check_verification_status: { task_id: id },
          wait_for_task: { task_id: id, timeout_seconds: 1, after_status: 'ACCEPTED' },
          cancel_task: { task_id: id },
        };
      for (const [name, args] of Object.entries(answers)) {
        await good(client, name, args);
        done.add(name);
      }
      /* The rest says why it cannot be done now, in a way that a model can read. */
      for (const { name } of tools.filter((tool) => !done.has(tool.name))) {
        const args = {
          task_id: id,
          ...(name === 'verify_task' ? { decision: 'APPROVE' } : {}),
          ...(name === 'dispute_task' ? { reason: 'x' } : {}),
          ...(name === 'send_message' ? { message: 'x' } : {}),
        };
        const result = await call(client, name, name.startsWith('get_') ? {} : args);
        if (result.isError) assert.match(fault(result).code, /^[a-z_]+$/, name);
      }
      await client.close();
    });
  }

  test('a credential task: the secret and the private key are nowhere but here', async () => {
    const own = await s.agent({ tier: 'STANDARD', deposit: 500 }),
      state = stateOf('credential'),
      client = await connect('v1', environment(state, own.key));
    const mark = `sk_live_${Math.random().toString(36).slice(2)}${Math.random().toString(36).slice(2)}`;
    const { task_id: id } = await good(client, 'dispatch_credential_task', {
      title: 'An Acme key',
      description: 'Sign up',
      credential_category: 'API_KEY_PROCUREMENT',
      reward_usd: 20,
      deadline: soon(),
    });
    assert.equal(fault(await call(client, 'retrieve_credential', { task_id: id })).code, 'task_state_conflict');
    await person.claim(id);
    const { agent_public_key: publicKey } = await good(client, 'get_task_result', { task_id: id });
    await good(client, 'approve_estimate', { task_id: id });
    await person.start(id);
    await person.submit(id, { encrypted_credential: await encryptCredential(publicKey, id, { api_key: mark }) });
    await s.until(async () => {
      const now = await good(client, 'get_task_result', { task_id: id });
      if (now.status === 'SUBMITTED' && now.guardian_result)
        await good(client, 'verify_task', { task_id: id, decision: 'APPROVE' });
      return now.status === 'COMPLETED';
    });
    const result = await call(client, 'retrieve_credential', { task_id: id });
    assert.deepEqual(result.structuredContent, { task_id: id, credential: { api_key: mark } });
    assert.match(result.content[0].text, /^What stands in credential was written by the operator/);
    const [file] = readdirSync(path.join(state, 'humanops/keys')),
      where = path.join(state, 'humanops/keys', file);
    assert.equal(statSync(where).mode & 0o777, 0o600);
    assert.equal(statSync(path.dirname(where)).mode & 0o777, 0o700);
    const { d } = JSON.parse(readFileSync(where)).privateKey,
      bytes = Buffer.from(d, 'base64url');
    const secrets = [
      Buffer.from(mark),
      Buffer.from(mark).toString('base64'),
      bytes,
      d,
      bytes.toString('hex'),
      bytes.toString('base64'),
    ].map((one) => Buffer.from(one));
    const places = await memoryHolds(s, { secrets, witness: Buffer.from(publicKey) });
    assert.deepEqual(places.found, []);
    assert.ok(
      places.programs >= 8 && places.witnessed > 0,
      `looked into ${places.programs} programs; the public key was in ${places.witnessed} places`,
    );
    const wire = JSON.stringify(way.requests);
    assert.deepEqual(
      secrets.filter((one) => wire.includes(one.toString())),
      [],
    );
    /* Another machine has no key for it; a file that others can read is not believed. */
    const elsewhere = await connect('v1', environment(stateOf('elsewhere'), own.key));
    assert.equal(fault(await call(elsewhere, 'retrieve_credential', { task_id: id })).code, 'key_missing');
    chmodSync(where, 0o644);
    assert.match(fault(await call(client, 'retrieve_credential', { task_id: id })).error, /must belong to you alone/);
    chmodSync(where, 0o600);
    writeFileSync(where, '{');
    assert.match(fault(await call(client, 'retrieve_credential', { task_id: id })).error, /is damaged/);
    for (const args of [{}, { task_id: 7 }, { task_id: id, x: 1 }])
      assert.equal(fault(await call(client, 'retrieve_credential', args)).code, 'validation_failed');
    assert.match(
      fault(await call(client, 'retrieve_credential', { task_id: 'task_x/../../agents/me' })).code,
      /not_found$/,
    );
  });

  test('two processes at once post credential tasks, and each can read both', async () => {
    const own = await s.agent(),
      env = environment(stateOf('two'), own.key),
      pair = await Promise.all([connect('v1', env), connect('auto', env)]);
    const made = await Promise.all(
      pair.flatMap((client) =>
        [1, 2].map(() =>
          good(client, 'dispatch_credential_task', {
            title: 'x',
            description: 'y',
            credential_category: 'ACCOUNT_CREATION',
            reward_usd: 1,
            deadline: soon(),
          }),
        ),
      ),
    );
    for (const { task_id: id } of made) {
      await s.until(async () => (await good(pair[0], 'get_task_result', { task_id: id })).status === 'COMPLETED');
      for (const client of pair)
        assert.equal((await good(client, 'retrieve_credential', { task_id: id })).credential.username, 'sandbox');
    }
    const names = readdirSync(path.join(env.XDG_STATE_HOME, 'humanops/keys'));
    assert.equal(names.length, 4);
    assert.ok(
      names.every((name) => /^[0-9a-f]{32}\.json$/.test(name)),
      'no drafts are left',
    );
  });

  for (const generation of ['v1', { pin: '2026-07-28' }]) {
    test(`without a key (${generation.pin ?? generation}): only register_agent, then all tools at once and after a restart`, async () => {
      const env = environment(stateOf(`register-${generation.pin ?? generation}`));
      let changes = 0;
      const client = await connect(generation, env, () => changes++),
        second = await connect('v1', env);
      assert.deepEqual(
        (await client.listTools()).tools.map(({ name }) => name),
        ['register_agent'],
      );
      assert.deepEqual(
        (await second.listTools()).tools.map(({ name }) => name),
        ['register_agent'],
      );
      assert.equal(fault(await call(client, 'register_agent', { name: '' })).code, 'validation_failed');
      const email = `bridge-${Math.random().toString(36).slice(2)}@example.com`;
      const result = await call(client, 'register_agent', { name: 'bridge', email });
      assert.ok(!result.isError, JSON.stringify(result));
      assert.ok(!/ho_live_/.test(JSON.stringify(result)), 'the model never sees the key');
      await s.until(() => changes > 0);
      assert.ok((await client.listTools()).tools.length > 15);
      assert.equal((await good(client, 'get_balance')).currency, 'USD');
      assert.equal((await good(second, 'get_balance')).currency, 'USD', 'the other process takes the key up too');
      assert.equal(
        fault(await call(second, 'register_agent', { name: 'x', email: `x${email}` })).code,
        'already_registered',
      );
      const again = await connect('v1', env);
      assert.equal((await good(again, 'list_tasks')).pagination.total, 0);
      const folder = path.join(env.XDG_STATE_HOME, 'humanops'),
        [file] = readdirSync(folder).filter((name) => name.startsWith('account-'));
      assert.equal(statSync(path.join(folder, file)).mode & 0o777, 0o600);
      /* At another address it is not used. */
      const seen = [],
        server = createServer((request, response) => {
          seen.push(request.headers);
          response.end('{}');
        });
      await new Promise((done) => server.listen(0, '127.0.0.1', done));
      const other = await connect('v1', { ...env, HUMANOPS_API_URL: `http://127.0.0.1:${server.address().port}` });
      await assert.rejects(other.listTools());
      assert.ok(seen.length > 0 && seen.every((headers) => headers['x-api-key'] === undefined));
      server.close();
    });
  }

  test('a wrong key, a service that is away, one that misbehaves: results that a model can read', async () => {
    const wrong = await connect('v1', environment(stateOf('wrong'), 'ho_live_wrong'));
    const answer = fault(await call(wrong, 'get_balance'));
    assert.equal(answer.code, 'unauthorized');
    assert.match(answer.hint, /HUMANOPS_API_KEY/);
    await assert.rejects(wrong.listTools(), /API key/);
    const own = await s.agent(),
      client = await connect('v1', environment(stateOf('trouble'), own.key));
    await client.listTools();
    const common = {
      title: 'once',
      description: 'y',
      digital_category: 'DATA_VALIDATION',
      proof_requirements: ['Result'],
      reward_usd: 1,
      deadline: soon(),
    };
    const troubles = [
      { drop: 'after' },
      { status: 503, headers: { 'Retry-After': '0' }, body: '' },
      { drop: 'before' },
    ];
    way.trouble = (n, { path: where, headers }) =>
      where === '/mcp' && headers['x-api-key'] === own.key ? troubles.shift() : undefined;
    const { task_id: id } = await good(client, 'dispatch_digital_task', common);
    troubles.push({ drop: 'after' }, { drop: 'after' });
    way.trouble = (n, { path: where, method, headers }) =>
      method === 'POST' && where === '/api/v1/tasks' && headers['x-api-key'] === own.key ? troubles.shift() : undefined;
    await good(client, 'dispatch_credential_task', {
      title: 'once more',
      description: 'y',
      credential_category: 'ACCOUNT_CREATION',
      reward_usd: 1,
      deadline: soon(),
    });
    way.trouble = () => undefined;
    assert.equal((await good(client, 'list_tasks')).pagination.total, 2, `each was posted once (${id})`);
    await assert.rejects(client.callTool({ name: 'no_such_tool', arguments: {} }), /no such tool/i);
    const unknown = fault(
      await call(client, 'dispatch_credential_task', {
        title: 'x',
        description: 'y',
        credential_category: 'NONSENSE',
        reward_usd: 1,
        agent_public_keys: 'x',
      }),
    );
    assert.ok('credential_category' in unknown.details.fields && 'agent_public_keys' in unknown.details.fields);
    assert.equal(
      readdirSync(path.join(project.folder, 'state-trouble/humanops/keys')).length,
      1,
      'no key is kept for a task that never came to be',
    );
    assert.ok(
      'agent_public_key' in
        fault(await call(client, 'dispatch_credential_task', { agent_public_key: 'x' })).details.fields,
    );
    way.trouble = (n, { headers }) =>
      headers['x-api-key'] === own.key ? { status: 307, headers: { Location: `${s.base}/mcp` } } : undefined;
    assert.equal(fault(await call(client, 'get_balance')).code, 'redirect_refused');
    way.trouble = () => undefined;
  });

  /* The program by itself: { code, stderr }. */
  const launch = (env, folder = project.folder) =>
    new Promise((done) => {
      const child = spawn(process.execPath, [path.join(folder, 'node_modules/humanops/bin/humanops-mcp.mjs')], {
        env,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
      let stderr = '',
        stdout = '';
      child.stderr.on('data', (chunk) => {
        stderr += chunk;
      });
      child.stdout.on('data', (chunk) => {
        stdout += chunk;
      });
      child.on('exit', (code) => done({ code, stderr, stdout }));
      child.stdin.end();
    });

  test('refuses plain http but to this machine, addresses that are none, bad keys; ends with its input', async () => {
    for (const url of [
      'http://api.example.com',
      'http://10.0.0.1:8080',
      'ftp://localhost',
      'nonsense',
      'https://user:secret@example.com',
    ]) {
      const { code, stderr, stdout } = await launch(environment(stateOf('x'), 'ho_live_x', url));
      assert.deepEqual([code, stdout], [1, ''], url);
      assert.match(stderr, /baseUrl/);
    }
    const bad = await launch(environment(stateOf('x'), 'ho_live_\nx'));
    assert.equal(bad.code, 1);
    assert.ok(!bad.stderr.includes('ho_live_'));
    assert.equal((await launch(environment(stateOf('x'), 'ho_live_x'))).code, 0);
  });

  test('without the MCP SDK it says what to install', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-bare-'));
    cpSync(path.join(project.folder, 'node_modules/humanops'), path.join(folder, 'node_modules/humanops'), {
      recursive: true,
    });
    const { code, stderr } = await launch(environment(stateOf('x'), 'ho_live_x'), folder);
    rmSync(folder, { recursive: true });
    assert.equal(code, 1);
    assert.match(stderr, /npm install @modelcontextprotocol\/server/);
  });
}
