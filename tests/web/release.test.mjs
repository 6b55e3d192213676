/* What a release says of itself: one version everywhere, and promises whose tests exist. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { root } from '../source.mjs';

const read = (...names) => readFileSync(path.join(root, ...names), 'utf8');
const version = read('VERSION').trim();

test('one version stands everywhere', () => {
  assert.match(version, /^\d+\.\d+\.\d+$/);
  const api = JSON.parse(read('web/openapi.json'));
  assert.deepEqual([api.info.version, JSON.parse(read('sdk/package.json')).version], [version, version]);
  assert.equal(/VERSION = '(.+)'/.exec(read('sdk/src/version.mjs'))[1], version);
  const changes = [...read('CHANGELOG.md').matchAll(/^## \[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)$/gm)];
  assert.equal(changes[0][1], version, 'the newest in CHANGELOG.md');
  for (const [, number, day] of changes) {
    assert.ok(!Number.isNaN(Date.parse(day)), `${number} has a day`);
    assert.match(read('CHANGELOG.md'), new RegExp(`^\\[${number.replaceAll('.', '\\.')}\\]: \\S+$`, 'm'), `${number} has its link`);
  }
  assert.equal(read('CHANGELOG.md').match(/^## /gm).length, changes.length, 'every heading is a version and its day');
});

/* The names of a file's tests, whatever its language, in one spelling. */
function namesIn(file) {
  const text = read(file);
  const plain = (name) => name.replace(/\\(['"`])/g, '$1');
  if (file.endsWith('.c')) return [...text.matchAll(/cmocka_unit_test\w*\((\w+)/g)].map((found) => found[1]);
  if (file.endsWith('.mjs')) return [...text.matchAll(/\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")/g)].map((found) => plain(found[1] ?? found[2]));
  if (file.endsWith('.sql')) return [...text.matchAll(/'((?:[^']|'')*)'\s*\)/g)].map((found) => found[1].replaceAll("''", "'"));
  return [...text.matchAll(/^(suite_\w+)\(\)/gm)].map((found) => found[1]);
}

/* Files with the names that are given of each, of one cell of the table. */
const claimsOf = (cell) => [...cell.matchAll(/`([^`]+)`(?::((?:[ ;]*"[^"]+")+))?/g)]
  .map(([, file, names]) => ({ file, names: [...(names ?? '').matchAll(/"([^"]+)"/g)].map((found) => found[1]) }));

/* What is wrong with a page of promises: nothing. */
function faultsOf(page) {
  const faults = [];
  const rows = [...page.matchAll(/^\| (.+) \| (.+) \|$/gm)].map(([, promise, shown]) => ({ promise, claims: claimsOf(shown) })).slice(2);
  if (rows.length < 15) faults.push('there are too few promises');
  for (const { promise, claims } of rows) {
    if (claims.length === 0) faults.push(`nothing shows: ${promise}`);
    for (const { file, names } of claims)
      if (!existsSync(path.join(root, file))) faults.push(`there is no ${file}`);
      else if (names.length > 0) {
        const known = new Set(namesIn(file));
        faults.push(...names.filter((name) => !known.has(name)).map((name) => `${file} has no test "${name}"`));
      }
  }
  return faults;
}

test('every promise of SECURITY.md is shown by tests that exist', () => {
  const page = read('SECURITY.md');
  assert.deepEqual(faultsOf(page), []);
  assert.deepEqual(faultsOf(page.replace('thirty claims at once', 'forty claims at once')), ['tests/chain/attack.test.mjs has no test "forty claims at once credit once"']);
  assert.deepEqual(faultsOf(page.replaceAll('test_client.c', 'test_gone.c')), ['there is no tests/unit/test_gone.c']);
});

test('what is made of checkouts is in none: no file of a release is one that is ignored', () => {
  if (!existsSync(path.join(root, '.git'))) return;
  assert.equal(execFileSync('git', ['-C', root, 'ls-files', '-ci', '--exclude-standard'], { encoding: 'utf8' }), '');
});
