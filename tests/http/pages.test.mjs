/*
 * The pages as nginx serves them: what they may do (content policy, permissions), how they are kept and packed, and
 * that nothing but them is served.  Every file below web/ is asked for.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { root, stack } from '../stack.mjs';

const ISSUER = 'https://sign-in.example.com',
  s = await stack({
    settings: [
      `OPERATOR_JWT_ISSUER=${ISSUER}/realm`,
      `OPERATOR_JWKS_URL=${ISSUER}/keys`,
      'OPERATOR_JWT_AUDIENCE=humanops',
      'MAP_TILE_URL=https://tiles.example.org/{z}/{x}/{y}.png',
      'MAP_TILE_ATTRIBUTION=Tiles',
    ],
  });

/* As a browser asks: bytes as they came. */
function get(where, headers = {}, method = 'GET') {
  return new Promise((done, fail) => {
    https
      .request(
        {
          host: '127.0.0.1',
          port: s.port,
          path: where,
          method,
          ca: s.ca,
          servername: 'localhost',
          agent: false,
          headers: { Host: `localhost:${s.port}`, 'X-Forwarded-For': s.freshAddress(), ...headers },
        },
        (response) => {
          const chunks = [];
          response
            .on('data', (chunk) => chunks.push(chunk))
            .on('error', fail)
            .on('end', () =>
              done({ status: response.statusCode, headers: response.headers, bytes: Buffer.concat(chunks) }),
            );
        },
      )
      .on('error', fail)
      .end();
  });
}

const web = path.join(root, 'web');
const files = readdirSync(web, { recursive: true })
  .filter((name) => statSync(path.join(web, name)).isFile() && !name.startsWith('sandbox'))
  .map((name) => `/${name}`);
const policyOf = (answer) =>
  Object.fromEntries(
    answer.headers['content-security-policy']
      .split(';')
      .map((part) => part.trim().split(/\s+/))
      .map(([name, ...values]) => [name, values]),
  );
const TYPES = {
  html: /^text\/html; charset=utf-8$/,
  css: /^text\/css; charset=utf-8$/,
  mjs: /^text\/javascript; charset=utf-8$/,
  js: /^text\/javascript; charset=utf-8$/,
  svg: /^image\/svg\+xml/,
  png: /^image\/png$/,
  json: /^application\/json/,
  webmanifest: /^application\/manifest\+json/,
  md: /^text\/plain/,
  txt: /^text\/plain/,
};

test('every file is served as what it is, whole, with the headers of all answers', async () => {
  assert.ok(files.length > 30, `${files.length} files`);
  for (const name of files) {
    const answer = await get(name),
      extension = name.split('.').at(-1);
    assert.equal(answer.status, 200, name);
    /* Installing writes the build into the service worker, so that another build is another worker. */
    if (name === '/app/sw.mjs') assert.doesNotMatch(answer.bytes.toString(), /@BUILD@/);
    else assert.ok(answer.bytes.equals(readFileSync(path.join(web, name))), name);
    assert.match(answer.headers['content-type'], TYPES[extension] ?? TYPES.txt, name);
    for (const header of [
      'etag',
      'x-request-id',
      'strict-transport-security',
      'content-security-policy',
      'permissions-policy',
    ])
      assert.ok(answer.headers[header], `${name}: ${header}`);
    assert.deepEqual(
      [
        answer.headers['x-content-type-options'],
        answer.headers['x-frame-options'],
        answer.headers['referrer-policy'],
      ],
      ['nosniff', 'DENY', 'no-referrer'],
      name,
    );
  }
});

test('each folder’s page is at its address, and the address without a slash leads there', async () => {
  for (const folder of ['app', 'staff', 'console', 'docs']) {
    assert.deepEqual(
      await get(`/${folder}/`).then((a) => [a.status, a.headers['content-type']]),
      [200, 'text/html; charset=utf-8'],
      folder,
    );
    assert.deepEqual(
      await get(`/${folder}`).then((a) => [a.status, a.headers.location]),
      [301, `/${folder}/`],
      folder,
    );
  }
  assert.equal((await get('/')).status, 200);
});

test('a page runs our own scripts and styles alone, and nothing may frame it', async () => {
  for (const where of ['/', '/app/', '/staff/', '/console/', '/docs/', '/shared/theme.css']) {
    const policy = policyOf(await get(where));
    assert.deepEqual(
      [
        policy['default-src'],
        policy['script-src'],
        policy['frame-ancestors'],
        policy['base-uri'],
        policy['object-src'],
      ],
      [["'none'"], ["'self'"], ["'none'"], ["'none'"], ["'none'"]],
      where,
    );
    assert.deepEqual(policy['style-src'], ["'self'"], where);
    assert.equal(JSON.stringify(policy).includes('unsafe'), false, where);
  }
});

test('the operators’ app alone talks to the issuer, shows map tiles, and may use camera and position', async () => {
  const app = await get('/app/'),
    policy = policyOf(app);
  assert.deepEqual(
    [policy['connect-src'], policy['form-action'], policy['img-src']],
    [
      ["'self'", ISSUER],
      ["'self'", ISSUER],
      ["'self'", 'blob:', 'data:', 'https://tiles.example.org'],
    ],
  );
  assert.match(app.headers['permissions-policy'], /camera=\(self\), geolocation=\(self\)/);
  for (const where of ['/staff/', '/console/', '/docs/', '/api/v1/nothing']) {
    const answer = await get(where);
    assert.equal(answer.headers['content-security-policy'].includes('example'), false, where);
    assert.match(answer.headers['permissions-policy'], /camera=\(\), geolocation=\(\)/, where);
  }
});

test('the API’s answers and nginx’s own errors may do nothing at all', async () => {
  for (const where of ['/api/v1/tasks/categories', '/api/v1/nothing', '/staff/nothing', '/healthz'])
    assert.equal(
      (await get(where)).headers['content-security-policy'],
      "default-src 'none'; frame-ancestors 'none'",
      where,
    );
});

test('files are asked for anew and answered by 304 while they are the same; pictures and libraries stay for a day', async () => {
  for (const where of ['/app/', '/app/sw.mjs', '/shared/api.mjs', '/shared/theme.css', '/app/manifest.webmanifest']) {
    const first = await get(where);
    assert.equal(first.headers['cache-control'], 'no-cache', where);
    const again = await get(where, { 'If-None-Match': first.headers.etag });
    assert.deepEqual([again.status, again.bytes.length], [304, 0], where);
  }
  assert.equal((await get('/shared/mark.svg')).headers['cache-control'], 'public, max-age=86400');
});

test('texts are packed for whoever takes gzip, and for nobody else; the API’s answers never are', async () => {
  for (const where of ['/staff/', '/shared/theme.css', '/shared/api.mjs', '/openapi.json']) {
    const plain = await get(where),
      packed = await get(where, { 'Accept-Encoding': 'gzip' });
    assert.deepEqual(
      [plain.headers['content-encoding'], packed.headers['content-encoding'], packed.headers.vary],
      [undefined, 'gzip', 'Accept-Encoding'],
      where,
    );
    assert.ok(gunzipSync(packed.bytes).equals(plain.bytes) && packed.bytes.length < plain.bytes.length, where);
  }
  /* Secrets beside what others wrote, packed together, give each other away (BREACH). */
  assert.equal(
    (await get('/api/v1/tasks/categories', { 'Accept-Encoding': 'gzip' })).headers['content-encoding'],
    undefined,
  );
});

test('what is no page is the JSON 404 of everything else, and pages are only read', async () => {
  for (const where of [
    '/staff/nothing',
    '/app/nothing.mjs',
    '/shared/',
    '/vendor/',
    '/web/staff/',
    '/staff/../../nginx/nginx.conf.in',
    '/app/%2e%2e/%2e%2e/sql/',
    '/shared/..%2f..%2fsql',
    '/.git/config',
    '/staff/.htaccess',
    '/nothing.html',
    '/sql/migrations/001_reference.sql',
  ]) {
    const answer = await get(where),
      body = JSON.parse(answer.bytes);
    assert.ok([400, 404].includes(answer.status), `${where}: ${answer.status}`);
    assert.deepEqual(
      [body.code === 'not_found' || body.code === 'bad_request', body.request_id],
      [true, answer.headers['x-request-id']],
      where,
    );
  }
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
    const answer = await get('/staff/', {}, method);
    assert.deepEqual(
      [answer.status, answer.headers.allow, JSON.parse(answer.bytes).code],
      [405, 'GET, HEAD', 'method_not_allowed'],
      method,
    );
  }
  assert.equal((await get('/staff/', {}, 'HEAD')).status, 200);
});

test('no page has a script, a style or a handler of its own in its text', () => {
  for (const name of files.filter((file) => file.endsWith('.html') && !file.startsWith('/vendor/'))) {
    const text = readFileSync(path.join(web, name), 'utf8');
    for (const inline of [
      /<script(?![^>]*\bsrc=)/i,
      /<style\b/i,
      /\sstyle=/i,
      /<[a-z][^>]*\son[a-z]+=/i,
      /javascript:/i,
    ])
      assert.doesNotMatch(text, inline, name);
    assert.match(text, /<html[^>]* lang="/, name);
  }
});

test('no module takes markup from a text', () => {
  for (const name of files.filter((file) => /\.m?js$/.test(file) && !file.startsWith('/vendor/')))
    assert.doesNotMatch(
      readFileSync(path.join(web, name), 'utf8'),
      /\b(innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|setHTMLUnsafe|DOMParser|eval|new Function)\b *(\?\.)?[(=]/,
      name,
    );
});

test('an installed site takes the origins by options, and refuses what is no address', () => {
  const site = (...more) =>
    spawnSync(path.join(root, 'scripts/site'), ['--certificate', '/c', '--key', '/k', ...more], { encoding: 'utf8' });
  const given = site('--issuer', 'https://clerk.example.com/x', '--tiles', 'https://tiles.example.com:8443/{z}');
  assert.equal(given.status, 0, given.stderr);
  assert.match(given.stdout, /connect-src 'self' https:\/\/clerk\.example\.com;/);
  assert.match(given.stdout, /img-src 'self' blob: data: https:\/\/tiles\.example\.com:8443;/);
  assert.doesNotMatch(site().stdout, /@[A-Z_]+@/);
  for (const bad of [
    'clerk.example.com',
    'ftp://x',
    'https://a b',
    'https://a;script-src *',
    "https://a'b",
    'javascript:x',
  ])
    assert.notEqual(site('--issuer', bad).status, 0, bad);
});
