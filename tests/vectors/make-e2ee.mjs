/*
 * Makes e2ee.json, the test vectors of credentials end to end (spec 9): `node make-e2ee.mjs > e2ee.json`.  It shares no code with what is
 * tested: node:crypto's ECDH and AES-GCM, HKDF by hand from HMAC (RFC 5869, 2.2 and 2.3).  Keys and ivs come from a seed, so
 * that anybody gets the same file; the tests see to it.
 */
import { createCipheriv, createECDH, createHash, createHmac, createPrivateKey, createPublicKey } from 'node:crypto';
import { pathToFileURL } from 'node:url';

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');
const ALGORITHM = 'ECDH-P256-AES-256-GCM',
  PLAINTEXT_MAX = 65_536;
const TASK = 'task_01kfa2v4q8g7x0m3n5r6s9t1w2';

const seeded = (label) => createHash('sha256').update(`humanops e2ee vectors: ${label}`).digest();
const hex32 = (number) => Buffer.from(number.toString(16).padStart(64, '0'), 'hex');
const hmac = (key, ...parts) => parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();

function pairOf(secret) {
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(secret);
  return { ecdh, secret, point: ecdh.getPublicKey() };
}

/* The first pair of the seed's series that fits. */
function findPair(label, fits = () => true) {
  for (let n = 0; ; n++) {
    const secret = seeded(`${label} ${n}`),
      value = BigInt(`0x${secret.toString('hex')}`);
    if (value > 0n && value < ORDER && fits(pairOf(secret))) return pairOf(secret);
  }
}

const base64url = (bytes) => bytes.toString('base64url');
function jwkOf({ secret, point }) {
  return {
    kty: 'EC',
    crv: 'P-256',
    d: base64url(secret),
    x: base64url(point.subarray(1, 33)),
    y: base64url(point.subarray(33)),
  };
}

function makeVector({
  name,
  plaintext,
  task = TASK,
  recipient = findPair(`${name} recipient`),
  ephemeral,
  iv = seeded(`${name} iv`).subarray(0, 12),
}) {
  const own = ephemeral?.(recipient) ?? findPair(`${name} ephemeral`);
  const shared = own.ecdh.computeSecret(recipient.point),
    info = Buffer.from(`humanops/credential/v1/${task}`);
  const prk = hmac(Buffer.alloc(32), shared),
    okm = hmac(prk, info, Buffer.from([1]));
  const cipher = createCipheriv('aes-256-gcm', okm, iv),
    plain = Buffer.from(plaintext);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]),
    jwk = jwkOf(recipient);
  return {
    name,
    task_id: task,
    private_key: recipient.secret.toString('hex'),
    private_key_jwk: jwk,
    private_key_pkcs8: createPrivateKey({ key: jwk, format: 'jwk' })
      .export({ type: 'pkcs8', format: 'der' })
      .toString('base64'),
    public_key: recipient.point.toString('base64'),
    public_key_spki: createPublicKey({ key: jwk, format: 'jwk' })
      .export({ type: 'spki', format: 'der' })
      .toString('base64'),
    ephemeral_private_key: own.secret.toString('hex'),
    ephemeral_public_key: own.point.toString('hex'),
    shared_x: shared.toString('hex'),
    salt: '',
    info: info.toString('hex'),
    prk: prk.toString('hex'),
    okm: okm.toString('hex'),
    iv: iv.toString('hex'),
    plaintext,
    ciphertext: ciphertext.subarray(0, -16).toString('hex'),
    tag: ciphertext.subarray(-16).toString('hex'),
    encrypted_credential: {
      ciphertext: ciphertext.toString('base64'),
      iv: iv.toString('base64'),
      ephemeralPublicKey: own.point.toString('base64'),
      algorithm: ALGORITHM,
    },
  };
}

const json = (value) => JSON.stringify(value);
/* JSON of exactly so many bytes. */
const sized = (bytes) => json({ note: 'x'.repeat(bytes - json({ note: '' }).length) });
const startsWithZero = (recipient) =>
  findPair('leading zero', (pair) => pair.ecdh.computeSecret(recipient.point)[0] === 0);

const cases = [
  {
    name: 'an API key',
    plaintext: json({ api_key: 'sk_live_51Hxyz', dashboard_url: 'https://acme.example/dashboard' }),
  },
  { name: 'user name and password', plaintext: json({ username: 'robin', password: 'correct horse battery staple' }) },
  { name: 'empty object', plaintext: '{}' },
  { name: 'empty array', plaintext: '[]' },
  { name: 'empty text', plaintext: '""' },
  { name: 'null', plaintext: 'null' },
  { name: 'one digit', plaintext: '7' },
  { name: 'a bare text', plaintext: '"482913"' },
  { name: 'blanks and line ends stay', plaintext: '{\r\n\t"a" : [ 1, 2 ] }\n' },
  { name: 'unicode of every length', plaintext: json({ text: 'aé€😀 שלום 你好 e\u0301 \u200d\ufeff' }) },
  {
    name: 'control characters and escapes',
    plaintext: json({ text: '\u0000\u0001\u001f"\\/\b\f\n\r\t\u007f\u2028\u2029' }),
  },
  { name: 'a lone surrogate, escaped', plaintext: '{"text":"\\ud83d"}' },
  { name: 'numbers as they were written', plaintext: '{"a":1e2,"b":-0.5,"c":12345678901234567890}' },
  { name: 'deep', plaintext: `${'['.repeat(64)}1${']'.repeat(64)}` },
  { name: '15 bytes', plaintext: sized(15) },
  { name: 'one block', plaintext: sized(16) },
  { name: '17 bytes', plaintext: sized(17) },
  { name: 'two blocks', plaintext: sized(32) },
  { name: 'the longest: 64 KiB', plaintext: sized(PLAINTEXT_MAX) },
  { name: 'shared x with a leading zero', plaintext: json({ zero: true }), ephemeral: startsWithZero },
  {
    name: 'ephemeral x with a leading zero',
    plaintext: json({ zero: 'x' }),
    ephemeral: () => findPair('ephemeral x', ({ point }) => point[1] === 0),
  },
  {
    name: 'ephemeral y with a leading zero',
    plaintext: json({ zero: 'y' }),
    ephemeral: () => findPair('ephemeral y', ({ point }) => point[33] === 0),
  },
  { name: 'the least private key', plaintext: json({ d: 1 }), recipient: pairOf(hex32(1n)) },
  { name: 'the greatest private key', plaintext: json({ d: 'n - 1' }), recipient: pairOf(hex32(ORDER - 1n)) },
  {
    name: 'a key pair of its own on both sides',
    plaintext: json({ same: true }),
    recipient: findPair('same'),
    ephemeral: (recipient) => recipient,
  },
  { name: 'another task', plaintext: json({ api_key: 'sk_live_51Hxyz' }), task: 'task_zzzzzzzzzzzzzzzzzzzzzzzzzz' },
  { name: 'iv of zeros', plaintext: json({ iv: 0 }), iv: Buffer.alloc(12) },
  { name: 'iv of ones', plaintext: json({ iv: 255 }), iv: Buffer.alloc(12, 255) },
];

/* What must not open: each a change of the first vector. */
function makeRefused([good, other]) {
  const blob = good.encrypted_credential,
    bytes = Buffer.from(blob.ciphertext, 'base64'),
    point = Buffer.from(blob.ephemeralPublicKey, 'base64');
  const changed = (name, change) => ({
    name,
    task_id: good.task_id,
    private_key_pkcs8: good.private_key_pkcs8,
    encrypted_credential: { ...blob, ...change },
  });
  const offCurve = Buffer.from(point);
  offCurve[64] ^= 1;
  const compressed = Buffer.concat([Buffer.from([2 + (point[64] & 1)]), point.subarray(1, 33)]);
  return [
    { ...changed('another task', {}), task_id: `${good.task_id.slice(0, -1)}3` },
    { ...changed('another private key', {}), private_key_pkcs8: other.private_key_pkcs8 },
    changed('ciphertext without its tag', { ciphertext: bytes.subarray(0, -16).toString('base64') }),
    changed('shorter than a tag', { ciphertext: bytes.subarray(0, 15).toString('base64') }),
    changed('no ciphertext', { ciphertext: '' }),
    changed('one byte more', { ciphertext: Buffer.concat([bytes, Buffer.alloc(1)]).toString('base64') }),
    changed('tag in front', {
      ciphertext: Buffer.concat([bytes.subarray(-16), bytes.subarray(0, -16)]).toString('base64'),
    }),
    changed('iv of 11 bytes', { iv: Buffer.from(blob.iv, 'base64').subarray(0, 11).toString('base64') }),
    changed('iv of 16 bytes', { iv: Buffer.alloc(16).toString('base64') }),
    changed('base64url', { iv: Buffer.alloc(12, 0xfb).toString('base64url') }),
    changed('ciphertext that is no base64', { ciphertext: '*' }),
    changed('a point that is not on the curve', { ephemeralPublicKey: offCurve.toString('base64') }),
    changed('the point at infinity', { ephemeralPublicKey: Buffer.from([0]).toString('base64') }),
    changed('a compressed point', { ephemeralPublicKey: compressed.toString('base64') }),
    changed('zeros for a point', {
      ephemeralPublicKey: Buffer.concat([Buffer.from([4]), Buffer.alloc(64)]).toString('base64'),
    }),
    changed('another algorithm', { algorithm: 'ECDH-P256-AES-128-GCM' }),
    changed('no algorithm', { algorithm: undefined }),
  ];
}

export function makeVectors() {
  const vectors = cases.map(makeVector);
  return {
    description:
      'Credentials end to end (spec 9). Numbers and bytes are hex, plaintext is text whose UTF-8 bytes are encrypted; encrypted_credential is as the API carries it. HKDF-SHA-256 over shared_x with an empty salt.',
    algorithm: ALGORITHM,
    vectors,
    refused: makeRefused(vectors),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href)
  process.stdout.write(`${JSON.stringify(makeVectors(), null, 1)}\n`);
