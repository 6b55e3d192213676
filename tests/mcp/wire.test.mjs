/* /mcp as bytes on the wire: both eras, who may call, what is refused and how. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stack } from '../stack.mjs';
import { LEGACY, MODERN, TASKS, digital, failure, legacy, modern, tool } from './mcp.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=3600'] });
const agent = await s.agent();
const raw = (text, more = {}) => s.call('POST', '/mcp', { whole: true, raw: text, key: agent.key, ...more });
const names = (answer) => answer.json.result.tools.map((t) => t.name);
const staff = (where, body) => s.call('POST', `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });

/* eras */

test('the modern era is discovered without a key: versions, tools and the Tasks extension, for anybody to keep', async () => {
  const { json, status } = await modern(s, 'server/discover');
  assert.equal(status, 200);
  const { result } = json;
  assert.deepEqual(result.supportedVersions, [MODERN, ...LEGACY]);
  assert.deepEqual(result.capabilities, { tools: {}, extensions: { [TASKS]: {} } });
  assert.deepEqual([result.resultType, result.cacheScope, result.ttlMs > 0], ['complete', 'public', true]);
  assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, 'humanops');
  assert.match(result.instructions, /wait_for_task/);
});

for (const version of LEGACY)
  test(`the legacy era begins with initialize: ${version}`, async () => {
    const params = { protocolVersion: version, capabilities: {}, clientInfo: { name: 't', version: '1' } };
    const { json, headers } = await legacy(s, 'initialize', params, { headers: { 'MCP-Protocol-Version': null } });
    assert.equal(json.result.protocolVersion, version);
    assert.deepEqual(json.result.capabilities, { tools: {} });
    assert.equal(json.result.serverInfo.name, 'humanops');
    assert.equal(headers['mcp-session-id'], undefined, 'there are no sessions');
    assert.equal('resultType' in json.result, false);
    const pong = await legacy(s, 'ping', undefined, { headers: { 'MCP-Protocol-Version': version } });
    assert.deepEqual(pong.json.result, {});
  });

test('initialize with a revision that is not spoken offers the newest of the era', async () => {
  for (const protocolVersion of ['2024-11-05', '2099-01-01', MODERN, 7, undefined]) {
    const { json } = await legacy(s, 'initialize', { protocolVersion }, { headers: { 'MCP-Protocol-Version': null } });
    assert.equal(json.result.protocolVersion, LEGACY[0]);
  }
});

test('a method belongs to its era: elsewhere it is unknown', async () => {
  for (const method of ['initialize', 'ping', 'resources/list', 'tools/List', '']) {
    const answer = await modern(s, method, {}, { key: agent.key });
    assert.deepEqual([answer.status, answer.json.error.code], [404, -32601], method);
  }
  for (const method of ['server/discover', 'tasks/get', 'prompts/list', 'completion/complete', 'logging/setLevel']) {
    const answer = await legacy(s, method, {}, { key: agent.key });
    assert.deepEqual([answer.status, answer.json.error.code], [200, -32601], method);
  }
});

test('a revision that is not spoken is refused with those that are', async () => {
  const answer = await modern(s, 'tools/list', {}, { version: '2027-01-01', key: agent.key });
  assert.deepEqual([answer.status, answer.json.error.code], [400, -32022]);
  assert.deepEqual(answer.json.error.data, { supported: [MODERN, ...LEGACY], requested: '2027-01-01' });
  const old = await legacy(s, 'tools/list', {}, { headers: { 'MCP-Protocol-Version': '2024-11-05' }, key: agent.key });
  assert.deepEqual([old.status, old.json.error.code], [400, -32022]);
});

test('headers that do not say what the body says are refused, and the one that is wrong is named', async () => {
  const call = (headers) => modern(s, 'tools/call', { name: 'get_balance', arguments: {} }, { key: agent.key, headers });
  for (const [header, values] of [['MCP-Protocol-Version', [null, LEGACY[0]]], ['Mcp-Method', [null, 'tools/list', 'TOOLS/CALL']],
    ['Mcp-Name', [null, 'post_task', '=?base64?AAA?=', '=?base64?Z2V0X2JhbGFuY2=?=']]])
    for (const value of values) {
      const answer = await call({ [header]: value });
      assert.deepEqual([answer.status, answer.json.error.code, answer.json.error.data.header], [400, -32020, header], `${header}: ${value}`);
    }
  const encoded = await call({ 'Mcp-Name': `=?base64?${Buffer.from('get_balance').toString('base64')}?=` });
  assert.equal(encoded.json.result.isError, false);
});

test('the modern era wants version and capabilities in each request', async () => {
  const headers = { 'MCP-Protocol-Version': MODERN, 'Mcp-Method': 'tools/list' };
  for (const _meta of [undefined, {}, { 'io.modelcontextprotocol/protocolVersion': MODERN },
    { 'io.modelcontextprotocol/protocolVersion': 7, 'io.modelcontextprotocol/clientCapabilities': {} },
    { 'io.modelcontextprotocol/protocolVersion': MODERN, 'io.modelcontextprotocol/clientCapabilities': [] }]) {
    const answer = await s.call('POST', '/mcp', { whole: true, key: agent.key, headers, body: { jsonrpc: '2.0', id: 1, method: 'tools/list', params: { _meta } } });
    assert.deepEqual([answer.status, answer.json.error.code], [400, -32602], JSON.stringify(_meta));
  }
});

/* messages */

test('a notification and an answer that nobody asked for are taken without a word', async () => {
  for (const text of ['{"jsonrpc":"2.0","method":"notifications/initialized"}', '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"post_task"}}', '{"jsonrpc":"2.0","id":1,"result":{}}', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":""}}']) {
    const answer = await raw(text);
    assert.deepEqual([answer.status, answer.text], [202, ''], text);
  }
});

const ping = (id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
const deep = (levels) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(levels - 1)}0${'}'.repeat(levels - 1)}}`;
const long = (size) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"${'x'.repeat(size - 60)}"}}`.padEnd(size, ' ');

for (const [what, text, status, code, id = null] of [
  ['no JSON', 'hello', 400, -32700], ['nothing', '', 400, -32700], ['half of it', '{"jsonrpc":"2.0"', 400, -32700], ['a text', '"ping"', 400, -32700],
  ['bytes that are no UTF-8', Buffer.from('7b22ff223a317d', 'hex'), 400, -32700],
  ['a batch', `[${ping(1)},${ping(2)}]`, 400, -32600], ['an empty batch', '[]', 400, -32600],
  ['17 levels', deep(17), 400, -32700], ['a name twice', '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 400, -32600],
  ['a name twice inside', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_balance","n\\u0061me":"post_task"}}', 400, -32600],
  ['an id of null', ping('null'), 400, -32600], ['an id with a fraction', ping('1.5'), 400, -32600], ['an id beyond 64 bits', ping('1e30'), 400, -32600],
  ['an id that is an object', ping('{}'), 400, -32600], ['no method', '{"jsonrpc":"2.0","id":1}', 400, -32600, 1], ['a method that is none', '{"jsonrpc":"2.0","id":1,"method":["ping"]}', 400, -32600, 1],
  ['another JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600, 1], ['params in a list', '{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', 400, -32600, 1],
])
  test(`refused as a message: ${what}`, async () => {
    const answer = await raw(text);
    assert.deepEqual([answer.status, answer.json.error.code, answer.json.id], [status, code, id], answer.text);
    assert.ok(answer.json.error.message.length > 10);
  });

test('taken as a message: ids of every kind come back as they were, 16 levels, 256 KiB', async () => {
  for (const id of ['0', '-1', '9007199254740991', '""', '"ä\\n"'])
    assert.deepEqual((await raw(ping(id))).json, { jsonrpc: '2.0', id: JSON.parse(id), result: {} });
  assert.equal((await raw(deep(16))).status, 200);
  assert.equal((await raw(long(256 * 1024))).status, 200);
});

test('256 KiB and a byte are refused before they are read', async () => {
  const answer = await raw(long(256 * 1024 + 1));
  assert.deepEqual([answer.status, answer.json.code], [413, 'body_too_large']);
});

test('another content type is refused, whatever stands in the body', async () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'application/jsonp', ''])
    assert.equal((await raw(ping(1), { headers: { 'Content-Type': type } })).status, 415, type);
});

test('pages of other origins are refused before anything else, null among them', async () => {
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example', `https://localhost.:${s.port}`]) {
    const answer = await raw(ping(1), { headers: { Origin: origin } });
    assert.deepEqual([answer.status, answer.json.code], [403, 'origin_refused'], origin);
  }
  for (const origin of [`https://localhost:${s.port}`, 'http://localhost:3000', 'http://127.0.0.1'])
    assert.equal((await raw(ping(1), { headers: { Origin: origin } })).status, 200, origin);
});

test('there is no stream to open and no session to end: only POST', async () => {
  for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS']) {
    const answer = await s.call(method, '/mcp', { whole: true, key: agent.key, headers: { Accept: 'text/event-stream' } });
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST'], method);
  }
  for (const where of ['/mcp/', '/mcp/x', '/MCP', '/api/v1/mcp'])
    assert.equal((await s.call('POST', where, { whole: true, raw: ping(1) })).status, 404, where);
});

/* who may call */

test('without a key there is one tool, which makes one; its list is not for keeping', async () => {
  for (const ask of [legacy, modern]) {
    const answer = await ask(s, 'tools/list');
    assert.deepEqual(names(answer), ['register_agent']);
  }
  const answer = await modern(s, 'tools/list');
  assert.deepEqual([answer.json.result.ttlMs, answer.json.result.cacheScope], [0, 'private']);
  const made = await tool(s, {}, 'register_agent', { name: 'by MCP', email: `mcp-${process.pid}@example.com` });
  assert.equal((await s.call('GET', '/agents/me', { key: made.api_key })).json.tier, 'SANDBOX');
  assert.ok(names(await modern(s, 'tools/list', {}, { key: made.api_key })).length >= 17);
});

test('no key, a wrong one and a revoked one are 401, and the answer tells where keys come from', async () => {
  const extra = await s.call('POST', '/agents/keys', { key: agent.key, body: { name: 'x' } });
  const listed = (await s.call('GET', '/agents/keys', { key: agent.key })).json.data.find((k) => k.name === 'x');
  await s.call('DELETE', `/agents/keys/${listed.id}`, { key: agent.key });
  const wrong = `ho_live_${'0'.repeat(extra.json.api_key.length - 8)}`;
  for (const [key, isSent] of [[undefined, false], [wrong, true], [extra.json.api_key, true], ['ho_live_', true], ['x', true]]) {
    const answer = await legacy(s, 'tools/call', { name: 'get_balance', arguments: {} }, { key });
    assert.deepEqual([answer.status, answer.json.code], [401, 'unauthorized'], key);
    assert.match(answer.headers['www-authenticate'], /^Bearer realm="HumanOps"/);
    assert.match(answer.headers['www-authenticate'], /register_agent/);
    assert.equal(/error="invalid_token"/.test(answer.headers['www-authenticate']), isSent, key);
  }
  for (const ask of [legacy, modern])
    assert.equal((await ask(s, 'tools/list', {}, { key: wrong })).status, 401, 'and the list does not pass over it');
});

test('a bearer token that is a key serves as well; faults of arguments are not for those without one', async () => {
  const headers = { Authorization: `bearer ${agent.key}` };
  const answer = await legacy(s, 'tools/call', { name: 'get_balance', arguments: {} }, { headers });
  assert.equal(answer.json.result.structuredContent.currency, 'USD');
  const stranger = await legacy(s, 'tools/call', { name: 'get_task_result', arguments: { x: 1 } }, { key: 'ho_live_0' });
  assert.equal(stranger.status, 401);
  assert.equal(stranger.text.includes('fields'), false);
});

test('a key without the scope is told which one is missing, and reads what it may', async () => {
  const made = await s.call('POST', '/agents/keys', { key: agent.key, body: { scopes: ['read'] } });
  const reader = { key: made.json.api_key };
  const fault = await failure(s, reader, 'dispatch_digital_task', await digital(s));
  assert.deepEqual([fault.code, fault.details.scope], ['scope_missing', 'tasks']);
  assert.ok(fault.hint);
  assert.equal((await failure(s, reader, 'cancel_task', {})).code, 'scope_missing', 'before its arguments are judged');
  await tool(s, reader, 'list_tasks');
});

test('a suspended agent can do nothing more', async () => {
  const bad = await s.agent();
  const { task_id } = await tool(s, bad, 'dispatch_digital_task', await digital(s, { reward_usd: 1 }));
  assert.equal((await staff(`/agents/${bad.id}/suspend`, { suspended: true })).status, 200);
  for (const [name, args] of [['cancel_task', { task_id }], ['get_balance', {}], ['dispatch_digital_task', await digital(s)]])
    assert.equal((await failure(s, bad, name, args)).code, 'agent_suspended', name);
  assert.equal((await legacy(s, 'tools/list', {}, { key: bad.key })).status, 403);
});

test('calls of one address are counted together, and the one too many is told when to come again', async () => {
  const ip = s.freshAddress(), answers = [];
  /* Not over the end of a minute. */
  if (Date.now() % 60_000 > 50_000)
    await new Promise((done) => setTimeout(done, 60_500 - (Date.now() % 60_000)));
  for (let i = 0; i < 101; i++)
    answers.push(await legacy(s, 'ping', undefined, { ip }));
  assert.deepEqual(answers.filter((a) => a.status !== 200).map((a) => a.status), [429]);
  assert.ok(Number(answers[100].headers['retry-after']) >= 1);
  assert.equal(answers[100].json.code, 'rate_limited');
});

/* elsewhere */

test('run as plain CGI the program answers as well', async () => {
  const body = ping(7);
  const { stdout, status } = await s.program('mcp.fcgi', [], { input: body, env: { REQUEST_METHOD: 'POST', REQUEST_URI: '/mcp', REMOTE_ADDR: '127.0.0.1',
    CONTENT_TYPE: 'application/json', CONTENT_LENGTH: String(body.length), GATEWAY_INTERFACE: 'CGI/1.1' } });
  assert.equal(status, 0);
  assert.match(stdout, /^Status: 200/m);
  assert.match(stdout, /\{"jsonrpc":"2\.0","id":7,"result":\{\}\}/);
});

test('logs tell which method and tool, and nothing of keys, secrets or arguments', async () => {
  const secret = 'callback-secret-7f3a', words = 'Compare the very private list';
  await tool(s, agent, 'dispatch_digital_task', await digital(s, { reward_usd: 1, callback_url: 'http://127.0.0.1:9/x?token=hidden-token', callback_secret: secret, description: words }));
  await failure(s, agent, 'get_task_result', { task_id: 'task_secret-argument' });
  const made = await tool(s, {}, 'register_agent', { name: 'quiet', email: `quiet-${process.pid}@example.com` });
  const line = await s.until(() => s.logFiles()['mcp.log']?.split('\n').find((l) => l.includes('"tool":"dispatch_digital_task"') && l.includes('"status":200')));
  assert.match(line, /"rpc":"tools\/call"/);
  assert.match(line, new RegExp(`"who":"${agent.id}"`), 'who has asked');
  const all = Object.values(s.logFiles()).join('\n');
  for (const hidden of [agent.key, made.api_key, secret, words, 'hidden-token', 'secret-argument'])
    assert.equal(all.includes(hidden), false, hidden);
});

test('a tool call is a use of its key, as a call of the REST API is', async () => {
  const used = await s.agent(), idle = await s.agent();
  await tool(s, used, 'search_operators', { lat: 40.7, lng: -74 });
  const at = async ({ bucket, uuid }) => (await s.sql(`select last_used_at as at from api_keys where bucket = ${bucket} and agent_id = '${uuid}'`))[0].at;
  await s.until(() => at(used));
  assert.equal(await at(idle), null);
});
