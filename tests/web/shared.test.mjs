/* What every page shares, by Node alone: calls of the API, formats, texts, addresses. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Api, ApiError, part, queryString, retryAfter } from '../../web/shared/api.mjs';
import { safeAddress } from '../../web/shared/dom.mjs';
import * as format from '../../web/shared/format.mjs';
import { findRoute, link, parseHash } from '../../web/shared/route.mjs';
import { chooseLanguage, texts } from '../../web/shared/text.mjs';

/* A fetch that gives these answers, one each, and notes what it was asked; a function is called, and may throw. */
function fake(...answers) {
  const asked = [];
  const fetch = async (url, options) => {
    asked.push({ url, ...options });
    const next = answers.shift();
    return typeof next === 'function'
      ? next(options)
      : new Response(next.body ?? JSON.stringify(next.json ?? {}), {
          status: next.status ?? 200,
          headers: { 'Content-Type': 'application/json; charset=utf-8', 'X-Request-Id': 'req_1', ...next.headers },
        });
  };
  return { asked, fetch };
}

const waits = [];
const make = (f, more = {}) =>
  new Api({
    fetch: f.fetch,
    wait: async (ms) => {
      waits.push(ms);
    },
    ...more,
  });
const busy = {
  status: 503,
  json: { error: 'Busy.', code: 'unavailable', details: {}, request_id: 'req_1' },
  headers: { 'Retry-After': '2' },
};

test('a call sends JSON with the caller’s headers and no cookie, and gives the parsed answer', async () => {
  const f = fake({ status: 201, json: { task_id: 'task_1' } });
  const api = make(f, { headers: async () => ({ 'X-API-Key': 'k' }) });
  assert.deepEqual(
    await api.post('/tasks', { title: 'ä' }, { idempotencyKey: 'i', query: { a: 1, b: null, c: '' } }),
    { task_id: 'task_1' },
  );
  const [{ url, method, headers, body, credentials, cache, redirect }] = f.asked;
  assert.deepEqual(
    [url, method, body, credentials, cache, redirect],
    ['/api/v1/tasks?a=1', 'POST', '{"title":"ä"}', 'omit', 'no-store', 'error'],
  );
  assert.deepEqual(headers, {
    Accept: 'application/json',
    'Content-Type': 'application/json',
    'Idempotency-Key': 'i',
    'X-API-Key': 'k',
  });
});

test('an error of the API keeps its code, details, request id and time to wait', async () => {
  const f = fake({
    status: 400,
    json: {
      error: 'Some fields.',
      code: 'validation_failed',
      details: { fields: { title: 'is required' } },
      request_id: 'req_9',
    },
  });
  const error = await make(f)
    .post('/tasks', {})
    .catch((e) => e);
  assert.ok(error instanceof ApiError);
  assert.deepEqual(
    [error.status, error.code, error.message, error.requestId, error.retryAfter, error.fields],
    [400, 'validation_failed', 'Some fields.', 'req_9', null, { title: 'is required' }],
  );
});

for (const [what, call, answers, sent, code] of [
  ['a GET is repeated', (api) => api.get('/x'), [busy, {}], 2, null],
  [
    'a POST with an idempotency key is repeated',
    (api) => api.post('/x', {}, { idempotencyKey: 'i' }),
    [busy, busy, {}],
    3,
    null,
  ],
  ['a POST without one is not', (api) => api.post('/x', {}), [busy, {}], 1, 'unavailable'],
  ['two repeats are enough', (api) => api.get('/x'), [busy, busy, busy, {}], 3, 'unavailable'],
  [
    'a wait of an hour is told, not kept',
    (api) => api.get('/x'),
    [{ status: 429, json: { error: 'x', code: 'rate_limited' }, headers: { 'Retry-After': '3600' } }, {}],
    1,
    'rate_limited',
  ],
  [
    'an equal request still running is asked for again',
    (api) => api.post('/x', {}, { idempotencyKey: 'i' }),
    [{ status: 409, json: { error: 'x', code: 'idempotency_in_progress' }, headers: { 'Retry-After': '1' } }, {}],
    2,
    null,
  ],
  [
    'another conflict is not',
    (api) => api.post('/x', {}, { idempotencyKey: 'i' }),
    [{ status: 409, json: { error: 'x', code: 'task_state_conflict' } }, {}],
    1,
    'task_state_conflict',
  ],
])
  test(`busy: ${what}`, async () => {
    const f = fake(...answers),
      result = await call(make(f)).catch((error) => error);
    assert.deepEqual([f.asked.length, result.code ?? null], [sent, code]);
  });

for (const [what, answer, code] of [
  [
    'no connection',
    () => {
      throw new TypeError('Failed to fetch');
    },
    'offline',
  ],
  ['JSON that is none', { body: '{"a":' }, 'unreadable'],
  ['a page instead of JSON', { body: '<p>hello', headers: { 'Content-Type': 'text/html' } }, 'unreadable'],
  [
    'an error page of a proxy',
    { status: 502, body: '<h1>Bad gateway', headers: { 'Content-Type': 'text/html' } },
    'http_502',
  ],
  ['an error that is another shape', { status: 500, json: { error: { code: 7 }, code: 7 } }, 'http_500'],
])
  test(`an answer of ${what} is an ApiError`, async () => {
    const error = await make(fake(answer))
      .post('/x', {})
      .catch((e) => e);
    assert.ok(
      error instanceof ApiError && typeof error.message === 'string' && error.message.length > 5,
      String(error),
    );
    assert.equal(error.code, code);
  });

test('a call that takes too long, and one that is given up, end', async () => {
  const never = () =>
    fake(
      (options) =>
        new Promise((_, fail) => {
          options.signal.throwIfAborted();
          options.signal.addEventListener('abort', () => fail(options.signal.reason));
        }),
    );
  assert.equal(
    (
      await make(never())
        .get('/x', { timeout: 20 })
        .catch((e) => e)
    ).code,
    'timeout',
  );
  const control = new AbortController(),
    call = make(never()).get('/x', { signal: control.signal });
  control.abort();
  assert.equal((await call.catch((e) => e)).code, 'aborted');
  assert.equal(
    (
      await make(never())
        .get('/x', { signal: AbortSignal.abort() })
        .catch((e) => e)
    ).code,
    'aborted',
  );
});

test('an empty answer is null, text is text where it was asked for', async () => {
  assert.equal(await make(fake({ body: '', headers: {} })).delete('/x'), null);
  assert.equal(
    await make(fake({ body: 'a,b', headers: { 'Content-Type': 'text/csv' } })).get('/x', { accept: 'text/csv' }),
    'a,b',
  );
});

test('retryAfter reads seconds and dates', () => {
  const rows = [
    ['3', 3],
    ['0', 0],
    [null, null],
    ['', null],
    ['soon', null],
    ['Thu, 01 Jan 2026 00:00:10 GMT', 10],
    ['Thu, 01 Jan 2025 00:00:00 GMT', 0],
  ];
  for (const [header, want] of rows)
    assert.equal(retryAfter(header, Date.parse('2026-01-01T00:00:00Z')), want, String(header));
});

test('a part of a path cannot reach another address', () => {
  for (const hostile of ['..', '.', '...', 'a/b', 'a?b', 'a#b', '%2e%2e', '\\', '../../admin', ''])
    assert.match(
      new URL(`/api/v1/tasks/${part(hostile)}/x`, 'https://h').pathname,
      /^\/api\/v1\/tasks\/[^/]*\/x$/,
      hostile,
    );
  assert.equal(part('task_01'), 'task_01');
  assert.equal(queryString({ q: 'a&b=c', n: 0 }), '?q=a%26b%3Dc&n=0');
});

test('addresses that would run code are none', () => {
  for (const bad of [
    'javascript:alert(1)',
    ' JaVaScRiPt:alert(1)',
    'java\tscript:alert(1)',
    'vbscript:x',
    'data:text/html,<script>',
    'data:image/svg+xml,<svg onload=x>',
    'file:///etc/passwd',
    'https://',
    'filesystem:https://h/x',
    'view-source:x',
  ])
    assert.equal(safeAddress(bad, 'https://h/'), null, bad);
  for (const good of [
    '#/tasks',
    '/shared/mark.svg',
    'https://example.com/?a=<b>',
    'mailto:a@example.com',
    'geo:1,2',
    'tel:+1',
    'blob:https://h/1',
    'data:image/png;base64,AA==',
    '?q=1',
  ])
    assert.notEqual(safeAddress(good, 'https://h/'), null, good);
});

test('amounts are exact', () => {
  const rows = [
    [0, '$0.00'],
    [25, '$25.00'],
    [1234567.5, '$1,234,567.50'],
    [0.03, '$0.03'],
    [-14.5, '−$14.50'],
    [0.000001, '$0.000001'],
    [1.1 + 2.2, '$3.30'],
    [999_999_999.999999, '$999,999,999.999999'],
    [NaN, '–'],
    ['5', '–'],
    [null, '–'],
    [-0.0000001, '$0.00'],
  ];
  for (const [usd, want] of rows) assert.equal(format.money(usd), want);
  assert.deepEqual(
    [format.money(5, { sign: true }), format.money(-5, { sign: true }), format.money(0, { sign: true })],
    ['+$5.00', '−$5.00', '$0.00'],
  );
  assert.equal(format.sum([0.1, 0.2, 0.000001]), 0.300001);
  assert.equal(format.sum(Array(1000).fill(0.1)), 100);
});

test('what someone types as an amount', () => {
  const rows = [
    ['25', 25],
    ['25.5', 25.5],
    ['$1,250.50', 1250.5],
    [' 10.00 ', 10],
    ['0.01', 0.01],
    ['', null],
    ['1,25', null],
    ['12.345', null],
    ['-5', null],
    ['1e3', null],
    ['.5', null],
    ['5.', null],
    ['٣', null],
    ['1 000', null],
    ['99999999999', null],
  ];
  for (const [text, want] of rows) assert.equal(format.parseMoney(text), want, text);
});

test('times, what is left of them, and how long things take', () => {
  assert.equal(format.time('2026-02-06T14:31:09.000Z', { timeZone: 'UTC' }), '6 Feb 2026, 14:31');
  assert.equal(format.time('2026-02-06T14:31:09.000Z', { timeZone: 'UTC', seconds: true }), '6 Feb 2026, 14:31:09');
  assert.equal(format.day('2026-02-06T23:31:00.000Z', { timeZone: 'UTC' }), '6 Feb 2026');
  for (const nothing of [null, undefined, 'x'])
    assert.deepEqual([format.time(nothing), format.day(nothing), format.relative(nothing)], ['–', '–', '–']);
  const now = Date.parse('2026-02-06T12:00:00Z');
  for (const [ms, want] of [
    [0, 'now'],
    [-999, 'now'],
    [-60_000, '1 minute ago'],
    [7_200_000, 'in 2 hours'],
    [-172_800_000, '2 days ago'],
    [86_399_999, 'in 23 hours'],
  ])
    assert.equal(format.relative(new Date(now + ms).toISOString(), now), want);
  for (const [ms, want] of [
    [-5, '0:00'],
    [999, '0:00'],
    [61_000, '1:01'],
    [3_600_000, '1 h 00 min'],
    [90_061_000, '1 d 1 h'],
    [86_400_000, '1 d 0 h'],
  ])
    assert.equal(format.countdown(ms), want);
  for (const [minutes, want] of [
    [0, '0 min'],
    [5, '5 min'],
    [60, '1 h'],
    [150, '2 h 30 min'],
    [1440, '1 d'],
    [43_200, '30 d'],
    [1501, '1 d 1 h 1 min'],
  ])
    assert.equal(format.duration(minutes), want);
});

test('distances, sizes and shortened ids', () => {
  for (const [km, want] of [
    [0, '0 m'],
    [0.044, '40 m'],
    [0.994, '990 m'],
    [0.996, '1 km'],
    [3.44, '3.4 km'],
    [9.96, '10 km'],
    [1234.5, '1,235 km'],
    [-1, '–'],
    [NaN, '–'],
  ])
    assert.equal(format.distance(km), want);
  assert.ok(Math.abs(format.distanceKm({ lat: 52.52, lng: 13.405 }, { lat: 48.8566, lng: 2.3522 }) - 877.5) < 1);
  assert.equal(format.distanceKm({ lat: 0, lng: 180 }, { lat: 0, lng: -180 }) < 1e-9, true);
  for (const [n, want] of [
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [999_499, '999 kB'],
    [999_500, '1.0 MB'],
    [3_210_000, '3.2 MB'],
  ])
    assert.equal(format.bytes(n), want);
  assert.deepEqual(
    [format.shorten('0x1234567890abcdef'), format.shorten('short'), format.shorten(null)],
    ['0x1234…cdef', 'short', ''],
  );
  assert.deepEqual([format.words('ESTIMATE_PENDING'), format.words(null)], ['Estimate pending', '']);
});

test('texts by language and number; a missing one is a fault', () => {
  const { t, choose } = texts(
    {
      en: { hello: 'Hello {name}', photos: { one: '{n} photo', other: '{n} photos' }, only: 'English' },
      es: { hello: 'Hola {name}', photos: { one: '{n} foto', other: '{n} fotos' } },
    },
    { wished: ['es-MX'], isStrict: true },
  );
  assert.deepEqual(
    [t('hello', { name: 'Ana' }), t('photos', { n: 1 }), t('photos', { n: 2 }), t('only')],
    ['Hola Ana', '1 foto', '2 fotos', 'English'],
  );
  assert.equal(t('hello', { name: '{n}' }), 'Hola {n}', 'what is put in is not read again');
  choose('en');
  assert.equal(t('photos', { n: 0 }), '0 photos');
  assert.throws(() => t('nothing'), /no text for nothing/);
  assert.throws(() => t('hello'), /no text for hello \{name\}/);
  for (const [wished, want] of [
    [['fr', 'es-ES'], 'es'],
    [[null, 'de'], 'en'],
    [['EN-gb'], 'en'],
    [[], 'en'],
  ])
    assert.equal(chooseLanguage(['en', 'es'], wished), want);
});

test('addresses after the # find their screen', () => {
  const routes = [{ path: '/' }, { path: '/tasks' }, { path: '/tasks/:id' }];
  assert.deepEqual(parseHash('#/tasks?status=A%26B&x='), { path: '/tasks', query: { status: 'A&B', x: '' } });
  assert.deepEqual([parseHash('').path, parseHash('#tasks').path], ['/', '/tasks']);
  assert.deepEqual(findRoute(routes, '/tasks/a%2Fb').params, { id: 'a/b' });
  assert.equal(findRoute(routes, '/tasks/').route.path, '/tasks');
  for (const nowhere of ['/x', '/tasks/1/2', '/tasks/%E0%A4%A'])
    assert.equal(findRoute(routes, nowhere), null, nowhere);
  assert.equal(link('/tasks', { status: 'A&B', x: null, y: '' }), '#/tasks?status=A%26B');
});
