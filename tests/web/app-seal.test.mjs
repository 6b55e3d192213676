/* What the operators' page encrypts, the agent's side opens (tests/sealed.mjs, Node's own crypto), and nobody else. */
import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import './globals.mjs';
import { PLAINTEXT_MAX, fingerprint, seal } from '../../web/app/seal.mjs';
import { keyPair, unseal } from '../sealed.mjs';

const TASK = 'task_01jabc',
  credential = { api_key: 'sk_live_ÄÖ€😀', url: 'https://example.com', __proto__x: '1' };

const spkiOf = (publicKey) => {
  const point = Buffer.from(publicKey, 'base64');
  return createPublicKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      x: point.subarray(1, 33).toString('base64url'),
      y: point.subarray(33).toString('base64url'),
    },
  })
    .export({ format: 'der', type: 'spki' })
    .toString('base64');
};

test('the agent opens what was sealed for its key, given raw or as SPKI', async () => {
  const keys = keyPair();
  for (const publicKey of [keys.publicKey, spkiOf(keys.publicKey)]) {
    const blob = await seal(publicKey, TASK, credential);
    assert.deepEqual(Object.keys(blob).sort(), ['algorithm', 'ciphertext', 'ephemeralPublicKey', 'iv']);
    assert.deepEqual(
      [blob.algorithm, blob.iv.length, blob.ephemeralPublicKey.length],
      ['ECDH-P256-AES-256-GCM', 16, 88],
    );
    assert.deepEqual(unseal(keys, TASK, blob), credential);
  }
});

test('another key, another task or a changed letter opens nothing', async () => {
  const keys = keyPair(),
    blob = await seal(keys.publicKey, TASK, credential);
  assert.throws(() => unseal(keyPair(), TASK, blob));
  assert.throws(() => unseal(keys, 'task_01jabd', blob));
  const bytes = Buffer.from(blob.ciphertext, 'base64');
  bytes[3] ^= 1;
  assert.throws(() => unseal(keys, TASK, { ...blob, ciphertext: bytes.toString('base64') }));
});

test('each seal has a key and an iv of its own', async () => {
  const { publicKey } = keyPair(),
    blobs = await Promise.all(Array.from({ length: 20 }, () => seal(publicKey, TASK, credential)));
  for (const part of ['iv', 'ephemeralPublicKey', 'ciphertext'])
    assert.equal(new Set(blobs.map((blob) => blob[part])).size, 20, part);
});

test('what is no key on the curve is refused before anything is encrypted', async () => {
  const good = Buffer.from(keyPair().publicKey, 'base64'),
    off = Buffer.from(good);
  off[64] ^= 1;
  const squeezed = Buffer.concat([Buffer.from([2]), good.subarray(1, 33)]);
  for (const bad of [
    '',
    'nonsense!',
    good.subarray(1).toString('base64'),
    off.toString('base64'),
    squeezed.toString('base64'),
    Buffer.alloc(65, 4).toString('base64'),
    `${good.toString('base64')}AAAA`,
  ])
    await assert.rejects(seal(bad, TASK, credential), { code: 'key_invalid' }, bad);
});

test('64 KiB go in and not a byte more, counted as UTF-8', async () => {
  const keys = keyPair(),
    text = 'x'.repeat(PLAINTEXT_MAX - 2);
  assert.equal(unseal(keys, TASK, await seal(keys.publicKey, TASK, text)), text);
  await assert.rejects(seal(keys.publicKey, TASK, `${text}x`), { code: 'too_long' });
  await assert.rejects(seal(keys.publicKey, TASK, '€'.repeat(PLAINTEXT_MAX / 2)), { code: 'too_long' });
});

test('a fingerprint is the hash of the point, however the key is written', async () => {
  const { publicKey } = keyPair(),
    hash = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex');
  assert.equal((await fingerprint(publicKey)).replaceAll(' ', ''), hash);
  assert.match(await fingerprint(publicKey), /^([0-9a-f]{4} ){15}[0-9a-f]{4}$/);
  assert.equal(await fingerprint(spkiOf(publicKey)), await fingerprint(publicKey));
  await assert.rejects(fingerprint('AAAA'), { code: 'key_invalid' });
});
