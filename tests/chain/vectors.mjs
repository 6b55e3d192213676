/*
 * Our C code asked from tests: build/tests/vectors answers one case a line (tests/chain/vectors.c says which).
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');
const program = path.join(root, 'build/tests/vectors');

/* Answers to cases, in their order.  Each is told to a fresh process all at once. */
export function ask(cases) {
  const { stdout, stderr, status, signal, error } = spawnSync(program, { input: cases.map((line) => `${line}\n`).join(''), encoding: 'utf8', maxBuffer: 1 << 30 });
  if (error?.code === 'ENOENT')
    throw new Error(`${program} is missing: make build/tests/vectors`);
  assert.deepEqual({ stderr, status, signal }, { stderr: '', status: 0, signal: null });
  const answers = stdout.split('\n').slice(0, -1);
  assert.equal(answers.length, cases.length);
  return answers;
}

/* Bytes as the program takes them. */
export const hex = (bytes) => (bytes.length === 0 ? '-' : Buffer.from(bytes).toString('hex'));
/* A number of 32 bytes, as hex. */
export const word = (number) => number.toString(16).padStart(64, '0');
/* The order of the curve's group (SEC 2, section 2.4.1). */
export const ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n;
