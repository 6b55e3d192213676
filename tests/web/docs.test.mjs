/* The documentation's pages by themselves: one frame, links that lead somewhere, and figures that are those of the programs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { deadlineFrom, tabAfter } from '../../web/docs/docs-rules.mjs';
import { filled, page, pages, table } from '../docs.mjs';
import { document, faults, find } from '../openapi.mjs';
import { errors, root, routes } from '../source.mjs';

const read = (name) => readFileSync(path.join(root, name), 'utf8');
const { schemas } = document.components;
const html = [
  ...pages,
  { name: '../index.html', html: read('web/index.html') },
  { name: 'reference/index.html', html: read('web/docs/reference/index.html') },
];

test('the pages have one frame, but for the mark of where one is', () => {
  const frames = pages.map(({ html: text }) => ({
    top: /<header class="top">[^]*?<\/header>/.exec(text)[0],
    side: /<nav class="side"[^]*?<\/nav>/.exec(text)[0].replace(' aria-current="page"', ''),
    foot: /<footer[^]*?<\/footer>/.exec(text)[0],
    files: [...text.matchAll(/<(?:link|script)[^>]+(?:href|src)="([^"]+)"/g)].map((m) => m[1]).join(),
  }));
  for (const frame of frames) assert.deepEqual(frame, frames[0]);
  for (const { name, html: text } of pages) {
    const here = name === 'index.html' ? '/docs/' : `/docs/${name}`;
    assert.match(text, new RegExp(`href="${here}" aria-current="page"`), `${name} marks itself`);
    assert.equal(text.match(/<h1>/g).length, 1);
    assert.match(text, /<title>[^<]+ – HumanOps docs<\/title>\s*<meta name="description" content="[^"]{30,}">/);
  }
  const listed = [...frames[0].side.matchAll(/href="([^"]+)"/g)].map((m) => m[1]);
  assert.deepEqual(
    listed
      .filter((where) => where !== '/docs/reference/')
      .map((where) => (where === '/docs/' ? 'index.html' : path.basename(where)))
      .sort(),
    pages.map((p) => p.name).sort(),
    'every page is in the list',
  );
});

test('links lead to what is there', () => {
  for (const { name, html: text } of html) {
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map((m) => m[1]);
    assert.equal(new Set(ids).size, ids.length, `${name}: no id twice`);
    for (const [, where] of text.matchAll(/(?:href|src)="([^"]+)"/g)) {
      const [file, id] = where.split('#');
      if (/^https:\/\/www\.standardwebhooks\.com\/$/.test(where) || file === '/.well-known/jwks.json') continue;
      assert.match(where, /^[/#]/, `${name} names ${where}, which is elsewhere`);
      const target = file === '' ? null : path.join(root, 'web', file.endsWith('/') ? `${file}index.html` : file);
      assert.ok(target === null || existsSync(target), `${name} links to ${where}`);
      assert.ok(
        id === undefined || (target === null ? text : readFileSync(target, 'utf8')).includes(` id="${id}"`),
        `${name} links to ${where}`,
      );
    }
  }
});

/* The calls of a shell example: arguments as curl would get them.  Loops end at their first pause. */
function callsOf(example) {
  const script = `curl() { printf '%s\\0' "$@" >&3; printf '\\1\\0' >&3; }; sleep() { exit 0; }\n${filled(example.text, { origin: 'https://h', deadline: '2027-02-10T00:00:00Z' })}`;
  const { output } = spawnSync('bash', ['-c', script], {
    encoding: 'utf8',
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      HUMANOPS_URL: 'https://h',
      HUMANOPS_API_KEY: 'k',
      TASK_ID: schemas.TaskId.examples[0],
      KEY_ID: schemas.KeyId.examples[0],
      DELIVERY_ID: schemas.DeliveryId.examples[0],
      PAYMENT_ID: schemas.PaymentId.examples[0],
      HUMANOPS_CALLBACK_URL: 'https://your-app.example.com/webhook',
      HUMANOPS_CALLBACK_SECRET: 's',
      SIGNATURE: `0x${'1b'.repeat(65)}`,
      TX_HASH: schemas.TxHash.examples[0],
    },
  });
  return output[3]
    .split('\x01\0')
    .filter(Boolean)
    .map((text) => {
      const args = text.split('\0').slice(0, -1),
        after = (flag) => args.filter((_, i) => args[i - 1] === flag);
      return {
        method: after('-X')[0] ?? 'GET',
        where: args.find((a) => a.startsWith('https://h')).slice('https://h'.length),
        body: after('-d')[0],
        headers: after('-H'),
      };
    });
}

test('shell examples call what there is, with bodies that it takes', () => {
  let count = 0;
  for (const { name, examples } of pages) {
    for (const example of examples.filter((e) => e.lang === 'sh' && /\bcurl\b/.test(e.text))) {
      for (const { method, where, body, headers } of callsOf(example)) {
        const found = find(method, where),
          what = `${name}: ${method} ${where}`;
        assert.ok(found, what);
        const isJson = headers.includes('Content-Type: application/json');
        assert.equal(body !== undefined, isJson, `${what} says what it sends`);
        if (isJson)
          assert.equal(
            faults(`${found.pointer}/requestBody/content/application~1json/schema`, JSON.parse(body)),
            '',
            what,
          );
        if (found.operation.security.some((one) => 'ApiKey' in one))
          assert.ok(
            headers.some((h) => /^(?:X-API-Key: |Authorization: Bearer )k$/.test(h)),
            `${what} sends the key`,
          );
        count++;
      }
    }
  }
  assert.ok(count >= 25);
});

test('JSON shown is what it is said to be', () => {
  for (const { name, examples } of pages)
    for (const { text, schema } of examples.filter((e) => e.schema))
      assert.equal(faults(`/components/schemas/${schema}`, JSON.parse(text)), '', `${name}: ${schema}`);
});

test('every call and code that the text names is there', () => {
  for (const { name, html: text } of pages) {
    for (const [, method, where] of text.matchAll(/<code>(GET|POST|PUT|PATCH|DELETE) (\/[^<?]+)<\/code>/g))
      assert.ok(find(method, `/api/v1${where}`), `${name}: ${method} ${where}`);
    for (const [, status, code] of text.matchAll(/\b(4\d\d|5\d\d) <code>(\w+)<\/code>/g))
      assert.ok(
        errors().some((e) => e.name === code && e.status === Number(status)),
        `${name}: ${status} ${code}`,
      );
  }
});

test('the table of errors is errors.def', () => {
  assert.deepEqual(
    table(page('errors.html'), 'error-codes'),
    errors().map((e) => [String(e.status), e.name, e.sentence]),
  );
});

test('the table of rate limits is that of the routes', () => {
  const units = { 'an hour': 3600, 'a minute': 60 },
    rows = table(page('limits.html'), 'Rate limits');
  const said = rows.flatMap(([call, limit]) => {
    const [, count, unit] = /^(\d+) (.+)$/.exec(limit),
      [, methods, where] = /^(.*?) ?(\/\S+)$/.exec(call) ?? [null, '', ''];
    return where === '' ? [] : methods.split(' and ').map((method) => `${method} ${where} ${count}/${units[unit]}`);
  });
  assert.deepEqual(
    said.sort(),
    routes()
      .filter((r) => r.window)
      .map((r) => `${r.name} ${r.window.count}/${r.window.seconds}`)
      .sort(),
  );
  assert.match(read('lib/http/serve.c'), /usual_limit = \{ 100, 60 \}/);
  assert.deepEqual(rows.at(-1), ['everything else', '100 a minute']);
});

const reference = read('sql/migrations/001_reference.sql');
const dollars = (text) => Number(text.replace(/[$,]/g, ''));

test('tiers and fees are those of the reference tables', () => {
  const tiers = [...reference.matchAll(/\('(SANDBOX|VERIFIED|STANDARD)', (\d+), (\d+), (\d+), '/g)].map(
    ([, name, tasks, value, spend]) => [name, Number(tasks), value / 1e6, spend / 1e6],
  );
  assert.deepEqual(
    table(page('authentication.html'), 'Tiers').map(([name, tasks, value, spend]) => [
      name,
      Number(tasks),
      dollars(value),
      dollars(spend),
    ]),
    tiers,
  );
  const fees = [...reference.matchAll(/\('(\w+)', \d+, (\d+)\)[,;]/g)].map(([, name, points]) => [name, points / 100]);
  assert.deepEqual(
    table(page('money.html'), 'Fees').map(([name, , percent]) => [name, parseFloat(percent)]),
    fees,
  );
  const landing = table(read('web/index.html'), 'Fees').map(([, percent, on25, on100]) => [
    parseFloat(percent),
    dollars(on25),
    dollars(on100),
  ]);
  assert.deepEqual(
    landing,
    fees.map(([, percent]) => [percent, Math.max(1, (25 * percent) / 100), Math.max(1, percent)]),
  );
});

test('statuses, events, scenarios and types are those that there are', () => {
  const names = (rows) => rows.map(([first]) => first);
  assert.deepEqual(names(table(page('lifecycle.html'), 'Statuses')), schemas.TaskStatus.enum);
  for (const status of schemas.TaskStatus.enum)
    assert.match(
      /<svg[^]*?<\/svg>/.exec(page('lifecycle.html'))[0],
      new RegExp(`>${status}<`),
      `${status} is in the picture`,
    );
  assert.deepEqual(names(table(page('webhooks.html'), 'Events')).sort(), [...schemas.WebhookEventType.enum].sort());
  assert.deepEqual(names(table(page('sandbox.html'), 'Scenarios')).sort(), [...schemas.Scenario.enum].sort());
  const maxima = Object.fromEntries(
    [...read('lib/core/category.c').matchAll(/\{ "(\w+)",[^]*?USD\((\d+)\) \}/g)].map(([, type, most]) => [
      type,
      Number(most),
    ]),
  );
  const credentials = table(page('credentials.html'), 'Credential types');
  assert.equal(credentials.length, 4);
  for (const [type, , most] of credentials) assert.equal(dollars(most), maxima[type], type);
});

test('the tools of MCP are those of the program', () => {
  const tools = [...read('lib/api/mcp_tools.def').matchAll(/^TOOL\(\s*"(\w+)"/gm)].map(([, name]) => name);
  const listed = table(page('mcp.html'), 'Tools').map(([name]) => name);
  assert.ok(tools.length >= 20);
  assert.deepEqual(listed.sort(), tools.sort());
});

test('settings that are named are settings', () => {
  const known = read('lib/base/config.c');
  for (const [first] of table(page('run.html'), 'settings-table'))
    for (const name of first.match(/[A-Z][A-Z0-9_]+/g)) assert.ok(known.includes(`{ "${name}",`), name);
});

test('the retries of webhooks are those of the worker', () => {
  const delays = /delays_s\[[^\]]*\] = \{ ([\d, ]+) \}/.exec(read('lib/core/webhook.c'))[1].split(', ').map(Number);
  assert.deepEqual(delays, [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]);
  assert.match(
    page('webhooks.html'),
    /after 5 seconds, 5 and 30 minutes, 2, 5, 10, 14, 20 and 24 hours, so ten times over 75 hours/,
  );
});

test("an example's deadline is some days ahead", () => {
  const now = Date.parse('2027-12-30T23:59:59.999Z');
  assert.equal(deadlineFrom(now), '2028-01-03T00:00:00Z');
  const days = (Date.parse(deadlineFrom(now)) - now) / 86_400_000;
  assert.ok(days > 3 && days <= 4);
});

test('keys lead from tab to tab', () => {
  const names = ['curl', 'js', 'python'];
  assert.deepEqual(
    ['ArrowRight', 'ArrowLeft', 'Home', 'End', 'Enter'].map((key) => tabAfter(names, 'curl', key)),
    ['js', 'python', 'curl', 'python', null],
  );
  assert.deepEqual([tabAfter(names, 'python', 'ArrowRight'), tabAfter(names, 'python', 'ArrowLeft')], ['curl', 'js']);
});

test('the viewer is the one that its note names', () => {
  const file = read('web/vendor/redoc/redoc.standalone.js'),
    note = read('web/vendor/redoc/README.md');
  assert.equal(createHash('sha256').update(file).digest('hex'), /as shipped: ([0-9a-f]{64})/.exec(note)[1]);
  assert.ok(!/https?:\/\/(?:cdn|fonts)\./.test(file), 'it names nothing on other hosts to load');
});
