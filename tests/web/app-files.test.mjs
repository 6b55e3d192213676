/* What the service worker keeps is all that the app needs, is there, and is small enough to be fetched over a bad line. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { files } from '../../web/app/files.mjs';
import { root } from '../stack.mjs';

const web = path.join(root, 'web'),
  text = (file) => readFileSync(path.join(web, file), 'utf8');

/* The files that one names: imports, also those at run time, and what a page or manifest links. */
function named(file) {
  const body = text(file),
    found = [
      ...body.matchAll(/(?:from|import)[ (]'([./][^'\s]+\.m?js)'/g),
      ...body.matchAll(/\bfrom\('([./][^'\s]+\.mjs)'/g),
      ...body.matchAll(/\b(?:href|src)="([^"#]+)"/g),
      ...body.matchAll(/"src": "([^"]+)"/g),
    ];
  return found.map(([, to]) => (to.startsWith('/') ? to : path.posix.join(path.posix.dirname(file), to)));
}

/* Everything reachable from the page. */
function reachable() {
  const seen = new Set(),
    todo = ['/app/index.html'];
  while (todo.length > 0) {
    const file = todo.pop();
    if (seen.has(file)) continue;
    seen.add(file);
    if (/\.(mjs|html|webmanifest)$/.test(file)) todo.push(...named(file));
  }
  return seen;
}

/* Icons in other sizes are the system's to fetch; Leaflet is kept once somebody has opened the map. */
const isElsewhere = (file) => /^\/app\/icon-(180|512|mask-512)\.png$|^\/vendor\/leaflet\//.test(file);

test('everything that the page can reach is kept, exists, and nothing else is', () => {
  const wanted = [...reachable()].filter((file) => !isElsewhere(file));
  assert.deepEqual(
    wanted.filter((file) => !files.includes(file)),
    [],
    'not in files.mjs',
  );
  assert.deepEqual(
    files.filter((file) => !existsSync(path.join(web, file))),
    [],
    'not there',
  );
  const more = new Set([...wanted, '/app/badge-96.png', '/app/manifest.webmanifest']);
  assert.deepEqual(
    files.filter((file) => !more.has(file)),
    [],
    'nobody needs it',
  );
  assert.equal(new Set(files).size, files.length);
});

test('no module lies about that nobody imports', () => {
  const seen = reachable(),
    own = readdirSync(path.join(web, 'app'))
      .filter((name) => name.endsWith('.mjs'))
      .map((name) => `/app/${name}`);
  assert.deepEqual(
    own.filter((file) => !seen.has(file) && !['/app/sw.mjs', '/app/files.mjs'].includes(file)),
    [],
  );
});

test('all of it together, with every screen in it, takes no more than 150 KiB compressed', () => {
  const sizes = files.map((file) =>
    /\.png$/.test(file) ? readFileSync(path.join(web, file)).length : gzipSync(text(file), { level: 6 }).length,
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total < 150 * 1024, `${total} bytes`);
});

test('the page has neither scripts nor styles in it', () => {
  const page = text('/app/index.html');
  assert.ok(!/<script(?![^>]*\bsrc=)[^>]*>/.test(page) && !/<style|\sstyle=|\son\w+=/.test(page));
});
