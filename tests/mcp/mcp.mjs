/*
 * What tests of /mcp share: messages of both eras as they stand on the wire, a plain HTTP address in front of an instance for clients
 * that know no certificate of ours, and the official clients.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import https from 'node:https';
import { after } from 'node:test';
import { Client as ClientV2, StreamableHTTPClientTransport as TransportV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

export const MODERN = '2026-07-28';
export const LEGACY = ['2025-11-25', '2025-06-18', '2025-03-26'];
export const TASKS = 'io.modelcontextprotocol/tasks';
const META = 'io.modelcontextprotocol/';

let ids = 0;

/* A message of the legacy era; more: what stack's call takes. */
export function legacy(s, method, params, { headers = {}, ...more } = {}) {
  return s.call('POST', '/mcp', { whole: true, body: { jsonrpc: '2.0', id: ++ids, method, ...(params && { params }) },
    headers: { 'MCP-Protocol-Version': LEGACY[0], ...headers }, ...more });
}

/* One of the modern era, with the headers that repeat it; capabilities: the client's. */
export function modern(s, method, params = {}, { capabilities = {}, headers = {}, version = MODERN, ...more } = {}) {
  const name = params.name ?? params.taskId;
  const body = { jsonrpc: '2.0', id: ++ids, method, params: { ...params,
    _meta: { [`${META}protocolVersion`]: version, [`${META}clientCapabilities`]: capabilities, ...params._meta } } };
  return s.call('POST', '/mcp', { whole: true, body, headers: { 'MCP-Protocol-Version': version, 'Mcp-Method': method,
    ...(name !== undefined && { 'Mcp-Name': name }), ...headers }, ...more });
}

/* The content of a call that went well. */
export async function tool(s, agent, name, args = {}, more = {}) {
  const answer = await legacy(s, 'tools/call', { name, arguments: args }, { key: agent.key, ...more });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.result?.isError, false, answer.text);
  return answer.json.result.structuredContent;
}

/* The fault of one that failed as tools fail. */
export async function failure(s, agent, name, args = {}, more = {}) {
  const answer = await legacy(s, 'tools/call', { name, arguments: args }, { key: agent.key, ...more });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.json.result?.isError, true, answer.text);
  const fault = JSON.parse(answer.json.result.content.at(-1).text);
  assert.equal(fault.request_id, answer.headers['x-request-id']);
  return fault;
}

/* Passes every request on to the instance, each from an address of its own; key: added to each.  Records them. */
export async function front(s, { key } = {}) {
  const requests = [];
  const agent = new https.Agent({ keepAlive: true, ca: s.ca, servername: 'localhost' });
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      requests.push({ method: request.method, headers: request.headers, body: Buffer.concat(chunks).toString() });
      const onward = https.request({ host: '127.0.0.1', port: s.port, agent, method: request.method, path: request.url,
        headers: { ...request.headers, 'x-forwarded-for': s.freshAddress(), ...(key && { 'x-api-key': key }) } }, (answer) => {
        response.writeHead(answer.statusCode, answer.headers);
        answer.pipe(response);
      });
      onward.on('error', (error) => response.destroy(error));
      onward.end(Buffer.concat(chunks));
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  after(() => new Promise((done) => {
    agent.destroy();
    server.close(done);
    server.closeAllConnections();
  }));
  return { url: `http://127.0.0.1:${server.address().port}/mcp`, requests };
}

const info = { name: 'tests', version: '1.0.0' };

/* The official clients, by the revision that they speak with the server; each as a function of address and key that connects one. */
export const clients = {
  'SDK v1': async (url, key, capabilities = {}) => {
    const client = new ClientV1(info, { capabilities });
    await client.connect(new TransportV1(new URL(url), { requestInit: { headers: key ? { 'X-API-Key': key } : {} } }));
    return client;
  },
  ...Object.fromEntries(['legacy', 'auto', { pin: MODERN }].map((mode) => [`SDK v2, ${mode.pin ?? mode}`,
    async (url, key, capabilities = {}) => {
      const client = new ClientV2(info, { capabilities, versionNegotiation: { mode } });
      await client.connect(new TransportV2(new URL(url), { requestInit: { headers: key ? { Authorization: `Bearer ${key}` } : {} } }));
      return client;
    }])),
};

/* Arguments of a task at a screen; change: what is different. */
export async function digital(s, change = {}) {
  return { title: 'Check the data', description: 'Compare the list with the shop window.', digital_category: 'DATA_VALIDATION',
    reward_usd: 10, deadline: await s.time(3 * 86400), proof_requirements: ['Result for each item, with the source'], ...change };
}
