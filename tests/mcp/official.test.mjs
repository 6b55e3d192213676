/*
 * The official tools for judging MCP servers: the inspector's command line in both eras, and both conformance suites.  The
 * suites send no key, so the address in front of the instance adds one.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stack } from '../stack.mjs';
import { digital, front } from './mcp.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const s = await stack();
const agent = await s.agent();
const open = await front(s), keyed = await front(s, { key: agent.key });
const out = mkdtempSync(path.join(tmpdir(), 'humanops-mcp-'));
after(() => rmSync(out, { recursive: true, force: true }));

/* A package's program under the Node that runs this test. */
function run(file, args) {
  return new Promise((done) => execFile(process.execPath, [path.join(here, 'node_modules', file), ...args],
    { timeout: 120_000, maxBuffer: 64 << 20, env: { ...process.env, HOME: out, NO_COLOR: '1' } },
    (error, stdout, stderr) => done({ status: error ? (error.code ?? 1) : 0, stdout, stderr })));
}

/* the inspector */

const inspect = (era, ...args) => run('.bin/mcp-inspector', ['--cli', '--server-url', open.url, '--transport', 'http', '--protocol-era', era,
  '--format', 'json', '-q', ...args]);
const withKey = ['--header', `Authorization: Bearer ${agent.key}`];

for (const era of ['legacy', 'auto', 'modern'])
  test(`the inspector finds the tools, portable for every client, and calls them: ${era}`, async () => {
    const list = await inspect(era, ...withKey, '--method', 'tools/list', '--strict');
    assert.equal(list.status, 0, list.stdout + list.stderr);
    assert.equal(JSON.parse(list.stdout).result.tools.length, 21);
    assert.doesNotMatch(list.stderr, /Warning: tool/);
    const call = await inspect(era, ...withKey, '--method', 'tools/call', '--tool-name', 'dispatch_digital_task', '--tool-args-json', JSON.stringify(await digital(s, { reward_usd: 1 })));
    assert.equal(call.status, 0, call.stdout + call.stderr);
    /* In the modern era it declares the Tasks extension, takes the handle and follows the task to its end. */
    const { status } = JSON.parse(call.stdout).result.structuredContent;
    assert.equal(status, era === 'legacy' ? 'PENDING' : 'COMPLETED');
  });

test('the inspector understands that a key is wrong', async () => {
  const refused = await inspect('modern', '--header', 'Authorization: Bearer ho_live_wrong', '--stored-auth-only', '--method', 'tools/list');
  assert.notEqual(refused.status, 0);
  assert.match(refused.stdout + refused.stderr, /auth_required/);
});

/* the conformance suites */

/* Scenarios without a check that failed or warned, by what the suite has written down. */
function passed(folder) {
  return readdirSync(folder).flatMap((name) => {
    const checks = JSON.parse(readFileSync(path.join(folder, name, 'checks.json'), 'utf8'));
    const isGood = checks.every((c) => !['FAILURE', 'WARNING'].includes(c.status)) && checks.some((c) => c.status === 'SUCCESS');
    return isGood ? [/^server-(.*)-\d{4}-\d\d-\d\dT/.exec(name)[1]] : [];
  }).sort();
}

for (const [revision, program, args, wanted] of [
  ['2025-11-25', '@modelcontextprotocol/conformance/dist/index.js', [],
    ['dns-rebinding-protection', 'ping', 'server-initialize', 'tools-list']],
  ['2026-07-28', 'conformance-next/dist/index.js', ['--requirements', '2026-07-28'],
    ['dns-rebinding-protection', 'http-header-validation', 'input-required-result-unsupported-methods', 'input-required-result-validate-input',
      'server-sse-multiple-streams', 'tools-list']],
])
  test(`the official conformance suite of ${revision} finds nothing but what the baseline gives reasons for`, async () => {
    const folder = path.join(out, revision);
    const judged = await run(program, ['server', '--url', keyed.url, ...args, '--expected-failures', path.join(here, `conformance-${revision}.yml`), '-o', folder]);
    assert.equal(judged.status, 0, judged.stdout.slice(-3000) + judged.stderr);
    assert.deepEqual(passed(folder), wanted);
  });
