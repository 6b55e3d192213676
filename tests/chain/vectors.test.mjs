/*
 * Signatures, addresses, transactions and RLP as two libraries have them that share no code: @ethersproject (elliptic, bn.js, js-sha3) and
 * micro-eth-signer (noble-curves, noble-hashes, micro-packed).  All three must say the same, byte for byte.
 *
 * The cases are random, a quarter of them of each kind, and besides as many that are no signature.  HUMANOPS_VECTORS_SEED repeats a
 * run, HUMANOPS_VECTORS_CASES=40000 makes it four times as long: a minute of a whole processor.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { getAddress } from '@ethersproject/address';
import { joinSignature } from '@ethersproject/bytes';
import { hashMessage } from '@ethersproject/hash';
import { keccak256 } from '@ethersproject/keccak256';
import { encode } from '@ethersproject/rlp';
import { SigningKey, recoverPublicKey } from '@ethersproject/signing-key';
import { computeAddress, serialize } from '@ethersproject/transactions';
import { Transaction, addr, eip191Signer } from 'micro-eth-signer';
import { RLP } from 'micro-eth-signer/core/rlp.js';
import { ORDER, ask, hex, word } from './vectors.mjs';

const seed = process.env.HUMANOPS_VECTORS_SEED ?? randomBytes(8).toString('hex');
const CASES = Number(process.env.HUMANOPS_VECTORS_CASES ?? 10_000), COUNT = CASES / 4;

/* Random bytes that a seed and a name decide. */
class Random {
  #name;
  #blocks = 0;
  #pool = Buffer.alloc(0);

  constructor(name) {
    this.#name = `${seed} ${name}`;
  }

  bytes(count) {
    const blocks = [this.#pool];
    for (let have = this.#pool.length; have < count; have += 64)
      blocks.push(createHash('sha512').update(`${this.#name} ${this.#blocks++}`).digest());
    const whole = Buffer.concat(blocks);
    this.#pool = whole.subarray(count);
    return Buffer.from(whole.subarray(0, count));
  }

  /* 0 to limit - 1. */
  below(limit) {
    return this.bytes(6).readUIntBE(0, 6) % limit;
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  /* A number of at most so many bits, and of as many as chance will, so that small ones and zero are no rarity. */
  number(bits) {
    const size = this.below(bits + 1);
    return size === 0 ? 0n : BigInt(`0x${this.bytes(32).toString('hex')}`) & ((1n << BigInt(size)) - 1n);
  }

  key() {
    const number = this.below(20) === 0 ? this.pick([1n, 2n, ORDER - 1n, ORDER - 2n]) : BigInt(`0x${this.bytes(32).toString('hex')}`);
    return word(number === 0n || number >= ORDER ? 1n : number);
  }

  /* Any bytes: an EIP-191 text need not be UTF-8.  Lengths around more digits of their own length are frequent. */
  message() {
    return this.bytes(this.below(3) === 0 ? this.pick([0, 1, 9, 10, 11, 99, 100, 101, 999, 1000, 1001]) : this.below(200));
  }
}

/* Compares our answers with theirs, and says which case was the first to differ. */
function compare(cases, wanted) {
  const answers = ask(cases);
  for (const [i, want] of wanted.entries())
    assert.equal(answers[i], want, `seed ${seed}, case ${i}: ${cases[i]}`);
}

/* What both libraries say, who must agree. */
function both(first, second) {
  assert.equal(first, second, `the two libraries differ, seed ${seed}`);
  return first;
}

test(`the address of a key, and its spelling, in ${COUNT} cases`, (t) => {
  const random = new Random('addresses'), cases = [], wanted = [];
  t.diagnostic(`seed ${seed}`);
  for (let i = 0; i < COUNT; i++) {
    const bytes = random.bytes(20).toString('hex');
    const checked = both(getAddress(`0x${bytes}`), addr.addChecksum(`0x${bytes}`));
    cases.push(`address ${random.pick([`0x${bytes}`, checked, `0x${bytes.toUpperCase()}`])}`);
    wanted.push(checked);
    /* One letter in the wrong case; all of one case is no checksum. */
    const letters = [...checked].flatMap((letter, at) => (at > 1 && /[a-f]/i.test(letter) ? [at] : []));
    const at = random.pick(letters), letter = checked[at];
    const wrong = checked.slice(0, at) + (letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase()) + checked.slice(at + 1);
    cases.push(`address ${wrong}`);
    wanted.push(/[a-f]/.test(wrong.slice(2)) && /[A-F]/.test(wrong) ? 'checksum' : checked);
  }
  for (let i = 0; i < COUNT / 10; i++) {
    const key = random.key();
    cases.push(`key ${key}`);
    wanted.push(both(computeAddress(`0x${key}`), addr.fromPrivateKey(key)));
  }
  compare(cases, wanted);
});

test(`who signed a text (EIP-191), in ${COUNT} cases`, () => {
  const random = new Random('messages'), cases = [], wanted = [];
  for (let i = 0; i < COUNT; i++) {
    const key = random.key(), message = random.message();
    const signature = both(joinSignature(new SigningKey(`0x${key}`).signDigest(hashMessage(message))), eip191Signer.sign(message, key, false));
    const v = Number.parseInt(signature.slice(-2), 16);
    const spelt = random.pick([signature, signature.slice(0, -2) + `0${v - 27}`, `0x${signature.slice(2).toUpperCase()}`]);
    cases.push(`recover ${hex(message)} ${spelt}`);
    wanted.push(computeAddress(`0x${key}`));
  }
  compare(cases, wanted);
});

/* r, s and v, by chance of no signature: the address that a library names, or none. */
const recovered = (recover) => {
  try {
    return recover();
  } catch {
    return 'none';
  }
};

test(`whom a changed signature names, in ${COUNT / 5} cases`, () => {
  const random = new Random('changes'), cases = [], wanted = [], told = { none: 0, somebody: 0 };
  for (let i = 0; i < COUNT / 5; i++) {
    const digest = random.bytes(32), v = random.below(2);
    const [r, s] = [0, 1].map(() => random.pick([() => BigInt(`0x${random.bytes(32).toString('hex')}`), () => random.number(256), () => random.number(64),
      () => random.pick([0n, 1n, ORDER / 2n, ORDER / 2n + 1n, ORDER - 1n, ORDER, ORDER + 1n, (1n << 256n) - 1n])])());
    const signature = `${word(r)}${word(s)}${(27 + v).toString(16)}`;
    /* Ours knows no s in the upper half; for the others it is a matter of their settings. */
    const is_in_range = r > 0n && r < ORDER && s > 0n && s <= ORDER / 2n;
    const want = is_in_range ? recovered(() => computeAddress(recoverPublicKey(digest, `0x${signature}`))) : 'none';
    cases.push(`digest ${hex(digest)} ${signature}`);
    wanted.push(want);
    told[want === 'none' ? 'none' : 'somebody']++;
  }
  compare(cases, wanted);
  assert.ok(told.none > COUNT / 50 && told.somebody > COUNT / 50, JSON.stringify(told));
});

test(`what is no signature, in ${CASES} cases`, () => {
  const random = new Random('refused'), cases = [];
  const replaced = (text, at, letter) => text.slice(0, at) + letter + text.slice(at + 1);
  const spoil = {
    'the other s': (r, s, v) => `0x${r}${word(ORDER - BigInt(`0x${s}`))}${v === 27 ? '1c' : '1b'}`,
    'the other s, same v': (r, s, v) => `0x${r}${word(ORDER - BigInt(`0x${s}`))}${v.toString(16)}`,
    'a bad v': (r, s) => `0x${r}${s}${random.pick([...Array(25).keys()].map((i) => i + 2).concat([...Array(227).keys()].map((i) => i + 29))).toString(16).padStart(2, '0')}`,
    'no v': (r, s) => `0x${r}${s}`,
    'zero r': (r, s) => `0x${word(0n)}${s}1b`,
    'zero s': (r) => `0x${r}${word(0n)}1b`,
    'too large an r': (r, s) => `0x${word(ORDER + random.number(128))}${s}1b`,
    'too large an s': (r) => `0x${r}${word(ORDER + random.number(128))}1c`,
    'cut short': (r, s) => `0x${r}${s}1b`.slice(0, random.below(132)),
    'too long': (r, s) => `0x${r}${s}1b${'0'.repeat(1 + random.below(4))}`,
    'no hex': (r, s) => replaced(`0x${r}${s}1b`, 2 + random.below(130), random.pick(['g', 'G', ' ', '-', '.', 'é'])),
    'no 0x': (r, s) => `${random.pick(['', '0X', '00', 'x0'])}${r}${s}1b`,
  };
  const names = Object.keys(spoil);
  const keys = [...Array(50)].map(() => new SigningKey(`0x${random.key()}`));
  const message = random.bytes(40), signed = keys.map((key) => key.signDigest(hashMessage(message)));
  for (let i = 0; i < CASES; i++) {
    const { r, s, v } = random.pick(signed);
    cases.push(`recover ${hex(message)} ${spoil[names[i % names.length]](r.slice(2), s.slice(2), v)}`);
  }
  compare(cases, cases.map(() => 'none'));
});

test(`transactions (EIP-1559): raw bytes and hash, in ${COUNT} cases`, () => {
  const random = new Random('transactions'), cases = [], wanted = [];
  for (let i = 0; i < COUNT; i++) {
    const key = random.key(), creates = random.below(8) === 0;
    const [most, tip] = [random.number(64), random.number(64)].sort((a, b) => (a < b ? 1 : -1)); // one of them wants them so
    const fields = {
      chainId: 1n + random.number(52), nonce: random.number(53), maxPriorityFeePerGas: tip, maxFeePerGas: most,
      gasLimit: random.number(64), value: random.number(256),
      data: `0x${random.bytes(random.pick([0, 1, 4, 55, 56, 68, 68, 68, 255, 256, 1000])).toString('hex')}`, accessList: [],
    };
    const to = creates ? '' : getAddress(`0x${random.bytes(20).toString('hex')}`);
    const ethers = { ...fields, type: 2, nonce: Number(fields.nonce), chainId: Number(fields.chainId), ...(creates ? {} : { to }) };
    for (const name of ['maxPriorityFeePerGas', 'maxFeePerGas', 'gasLimit', 'value'])
      ethers[name] = `0x${fields[name].toString(16)}`;
    const raw = both(serialize(ethers, new SigningKey(`0x${key}`).signDigest(keccak256(serialize(ethers)))),
      new Transaction('eip1559', { ...fields, to: creates ? '0x' : to }, { strict: false }).signBy(key, false).toHex(true));
    const numbers = [fields.chainId, fields.nonce, fields.maxPriorityFeePerGas, fields.maxFeePerGas, fields.gasLimit].join(' ');
    cases.push(`sign ${key} ${numbers} ${creates ? '-' : to.slice(2)} ${word(fields.value)} ${fields.data.slice(2) || '-'}`);
    wanted.push(`${raw.slice(2)} ${keccak256(raw).slice(2)}`);
  }
  compare(cases, wanted);
});

/* A text, a number or a list of such things, for us and for them. */
function item(random, depth) {
  const kind = random.below(depth === 0 ? 2 : 3);
  if (kind === 0) {
    const bytes = random.bytes(random.pick([0, 1, 1, 1, 2, 20, 32, 54, 55, 56, 57, 255, 256, 300]));
    return { ours: hex(bytes), theirs: bytes };
  }
  if (kind === 1) {
    const number = random.number(256), text = number.toString(16);
    return { ours: `i${word(number)}`, theirs: number === 0n ? Buffer.alloc(0) : Buffer.from(text.padStart(text.length + text.length % 2, '0'), 'hex') };
  }
  const items = [...Array(random.below(6))].map(() => item(random, depth - 1));
  return { ours: ['(', ...items.map(({ ours }) => ours), ')'].join(' '), theirs: items.map(({ theirs }) => theirs) };
}

test(`RLP, in ${COUNT} cases`, () => {
  const random = new Random('rlp'), cases = [], wanted = [];
  for (let i = 0; i < COUNT; i++) {
    const { ours, theirs } = item(random, 5);
    cases.push(`rlp ${ours}`);
    wanted.push(both(encode(theirs).slice(2), Buffer.from(RLP.encode(theirs)).toString('hex')));
  }
  compare(cases, wanted);
});

test('Keccak-256 of every length up to 700, and of longer texts', () => {
  const random = new Random('keccak'), cases = [], wanted = [];
  for (const length of [...Array(701).keys(), 4096, 65_535, 65_536, 1_000_000]) {
    const bytes = random.bytes(length);
    cases.push(`keccak ${hex(bytes)}`);
    wanted.push(keccak256(bytes).slice(2));
  }
  compare(cases, wanted);
});
