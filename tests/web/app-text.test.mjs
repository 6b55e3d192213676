/* Every text that the app asks for is there, none is left over, and each language has all of them with the same gaps. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { steps } from '../../web/app/rules.mjs';
import en from '../../web/app/text.en.mjs';
import es from '../../web/app/text.es.mjs';
import { texts } from '../../web/shared/text.mjs';
import { root } from '../stack.mjs';

const folder = path.join(root, 'web/app');
const sources = readdirSync(folder)
  .filter((name) => name.endsWith('.mjs') && !name.startsWith('text.'))
  .map((name) => readFileSync(path.join(folder, name), 'utf8'));
/* Keys are words in quotes; those put together at run time begin with a fixed part. */
const quoted = new Set(
  sources.flatMap((text) => [...text.matchAll(/'([a-z_]+(?:\.[A-Za-z_]+)*)'/g)].map(([, key]) => key)),
);
const families = [
  ...new Set(sources.flatMap((text) => [...text.matchAll(/`([a-z]+\.(?:[a-z]+_)?)\$\{/g)].map(([, key]) => key))),
];
const gaps = (text) => JSON.stringify([...new Set(JSON.stringify(text).match(/\{\w+\}/g) ?? [])].sort());

test('all keys that stand in the source have a text', () => {
  const asked = sources.flatMap((text) => [...text.matchAll(/\bt\('([^']+)'/g)].map(([, key]) => key));
  assert.ok(asked.length > 100);
  assert.deepEqual(
    asked.filter((key) => !(key in en)),
    [],
  );
  for (const step of Object.keys(steps).filter((name) => name !== 'gone'))
    for (const key of [`step.${step}`, `next.${step}`, `next.${step}_text`]) assert.ok(key in en, key);
});

test('no text is left over', () => {
  assert.deepEqual(
    Object.keys(en).filter((key) => !quoted.has(key) && !families.some((family) => key.startsWith(family))),
    [],
  );
});

test('the second language has all texts, with the same gaps, and is no copy', () => {
  assert.deepEqual(Object.keys(es).sort(), Object.keys(en).sort());
  for (const key of Object.keys(en)) {
    assert.equal(gaps(es[key]), gaps(en[key]), key);
    assert.equal(typeof es[key], typeof en[key], key);
  }
  assert.ok(Object.keys(en).filter((key) => JSON.stringify(en[key]) === JSON.stringify(es[key])).length < 12);
});

test('numbers take the form that the language has for them', () => {
  for (const [language, n, text] of [
    ['en', 1, '1 photo taken'],
    ['en', 2, '2 photos taken'],
    ['es', 1, '1 foto hecha'],
    ['es', 0, '0 fotos hechas'],
  ])
    assert.equal(texts({ en, es }, { wished: [language] }).t('camera.count', { n }), text);
});
