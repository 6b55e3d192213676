/*
 * Wycheproof's signatures on secp256k1 (tests/vectors/wycheproof), by the way a wallet's signature takes here: r, s and v name an
 * address, which is compared.  Their digest is SHA-256; the curve does not mind.  They do not tell v: a signature counts
 * if either v names its key.  Where ours is stricter by design, the reason is told and counted.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { computeAddress } from '@ethersproject/transactions';
import { ORDER, ask, word } from './vectors.mjs';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../vectors/wycheproof');

/* All cases of a file, with the address of their key. */
function read(name) {
  const { testGroups, numberOfTests } = JSON.parse(readFileSync(path.join(folder, name), 'utf8'));
  const cases = testGroups.flatMap(({ publicKey, tests }) => tests.map((one) => ({ ...one, signer: computeAddress(`0x${publicKey.uncompressed}`) })));
  assert.equal(cases.length, numberOfTests);
  return cases;
}

/*
 * A point whose x is above the group's order: r is x less the order, and a wallet's v, which tells y's parity alone, cannot name it
 * (yellow paper, appendix F; once in 2^128 signatures).
 */
const isUnnameable = ({ comment, result }) => result === 'valid' && /k\*G has a large x-coordinate|x with a reduction/.test(comment);

/* For each signature, what our code names by v = 27 and by 28. */
function named(signatures) {
  const answers = ask(signatures.flatMap(({ msg, signature }) => {
    const digest = createHash('sha256').update(Buffer.from(msg, 'hex')).digest('hex');
    return ['1b', '1c'].map((v) => `digest ${digest} ${signature}${v}`);
  }));
  return signatures.map((_, i) => answers.slice(2 * i, 2 * i + 2));
}

/* Whether ours takes the signature for the key's. */
const verdicts = (signatures) => named(signatures).map((names, i) => names.includes(signatures[i].signer));

/* The number of a DER INTEGER at a place, in its one right form (X.690, 8.3 and 10.1), and where it ends. */
function derInteger(bytes, at) {
  const length = bytes[at + 1], end = at + 2 + length;
  const is_right = bytes[at] === 2 && length >= 1 && length <= 33 && end <= bytes.length && bytes[at + 2] < 0x80 &&
    !(length > 1 && bytes[at + 2] === 0 && bytes[at + 3] < 0x80);
  return is_right ? { number: BigInt(`0x${bytes.subarray(at + 2, end).toString('hex')}`), end } : null;
}

/* r and s of a DER signature; null for another form, or for numbers that 32 bytes do not hold: wallets do not send these. */
function derSignature(text) {
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length < 8 || bytes[0] !== 0x30 || bytes[1] !== bytes.length - 2)
    return null;
  const r = derInteger(bytes, 2), s = r && derInteger(bytes, r.end);
  return s && s.end === bytes.length && r.number < 1n << 256n && s.number < 1n << 256n ? { r: r.number, s: s.number } : null;
}

test('signatures as r and s side by side: ours are the valid ones with s in the lower half', () => {
  const cases = read('ecdsa_secp256k1_sha256_p1363_test.json');
  const sized = cases.filter(({ sig }) => sig.length === 128).map((one) => ({ ...one, signature: one.sig }));
  const answers = verdicts(sized), told = { taken: 0, refused: 0, upper: 0 };
  for (const [i, { tcId, comment, result, sig }] of sized.entries()) {
    const is_upper = BigInt(`0x${sig.slice(64)}`) > ORDER / 2n;
    told[result !== 'valid' ? 'refused' : is_upper ? 'upper' : 'taken']++;
    assert.equal(answers[i], result === 'valid' && !is_upper, `${tcId}: ${comment}`);
  }
  /* Of another length they are all invalid, and none of ours. */
  const others = cases.filter(({ sig }) => sig.length !== 128);
  assert.ok(others.every(({ result }) => result === 'invalid'));
  assert.ok(ask(others.flatMap(({ msg, sig }) => ['1b', '1c', ''].map((v) => `recover ${msg || '-'} 0x${sig}${v}`))).every((answer) => answer === 'none'));
  assert.deepEqual({ ...told, others: others.length }, { taken: 95, refused: 67, upper: 72, others: 18 });
});

test('the same with the other s: a valid signature in the upper half is valid in the lower one', () => {
  const upper = read('ecdsa_secp256k1_sha256_p1363_test.json').filter(({ sig, result }) => result === 'valid' && BigInt(`0x${sig.slice(64)}`) > ORDER / 2n);
  const turned = upper.map((one) => ({ ...one, signature: one.sig.slice(0, 64) + word(ORDER - BigInt(`0x${one.sig.slice(64)}`)) }));
  for (const [i, is_taken] of verdicts(turned).entries())
    assert.equal(is_taken, !isUnnameable(turned[i]), `${turned[i].tcId}: ${turned[i].comment}`);
  assert.equal(turned.filter(isUnnameable).length, 2);
});

test('signatures in DER, s in the lower half only', () => {
  const cases = read('ecdsa_secp256k1_sha256_bitcoin_test.json').map((one) => ({ ...one, parts: derSignature(one.sig) }));
  const parsed = cases.filter(({ parts }) => parts !== null).map((one) => ({ ...one, signature: word(one.parts.r) + word(one.parts.s) }));
  const answers = verdicts(parsed);
  for (const [i, one] of parsed.entries())
    assert.equal(answers[i], one.result === 'valid' && !isUnnameable(one), `${one.tcId}: ${one.comment}`);
  assert.equal(parsed.filter(isUnnameable).length, 1);
  assert.ok(cases.every(({ parts, result }) => parts !== null || result === 'invalid'));
  assert.deepEqual({ valid: parsed.filter(({ result }) => result === 'valid').length, invalid: parsed.filter(({ result }) => result === 'invalid').length,
    other: cases.length - parsed.length }, { valid: 162, invalid: 69, other: 232 });
});
