/*
 * An OpenID provider's half that matters to us: a key set at /.well-known/jwks.json, and tokens with any claims, by RS256 and
 * ES256.  Keys can be rotated, and the issuer can go down and come back on its port.
 *
 *     const issuer = await startIssuer();     // issuer.url, issuer.requests, await issuer.stop()
 *     issuer.token({ sub: 'jane' })           // a good one; claims set to undefined are left out
 */
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import http from 'node:http';
import https from 'node:https';

const base64url = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
let made = 0;

/* A key pair with the id under which the key set shows it. */
export function newKey(alg = 'RS256') {
  const { privateKey, publicKey } = alg === 'RS256' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) :
    generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { alg, kid: `key-${++made}`, privateKey, publicKey };
}

export function jwkOf({ alg, kid, publicKey }) {
  return { ...publicKey.export({ format: 'jwk' }), kid, alg, use: 'sig' };
}

/* A compact JWS whose header says what it is told to, signed by what the key really is. */
export function sign(key, header, claims) {
  const text = `${base64url(header)}.${base64url(claims)}`;
  const signature = createSign('sha256').update(text).sign({ key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return `${text}.${signature.toString('base64url')}`;
}

/* tls: { key, cert } for https. */
export async function startIssuer({ alg = 'RS256', azp = 'humanops-web', now = () => Date.now(), tls = null, host = '127.0.0.1' } = {}) {
  let keys = [newKey(alg)], server = null, port = 0;
  const requests = [];

  const answer = (request, response) => {
    requests.push(request.url);
    const isSet = request.url === '/.well-known/jwks.json';
    response.writeHead(isSet ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(isSet ? { keys: keys.map(jwkOf) } : {}));
  };

  async function up() {
    server = tls ? https.createServer(tls, answer) : http.createServer(answer);
    await new Promise((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
    ({ port } = server.address());
  }

  async function down() {
    const old = server;
    server = null;
    if (old === null)
      return;
    await new Promise((done) => {
      old.close(done);
      old.closeAllConnections();
    });
  }

  await up();
  const url = `${tls ? 'https' : 'http'}://${host}:${port}`;
  const header = (key) => ({ alg: key.alg, kid: key.kid, typ: 'JWT' });

  function claims(change = {}) {
    const seconds = Math.floor(now() / 1000);
    return { iss: url, sub: 'user_1', azp, iat: seconds, nbf: seconds, exp: seconds + 600, ...change };
  }

  return {
    url, requests, up, down, claims, stop: down,
    settings: [`OPERATOR_JWT_ISSUER=${url}`, `OPERATOR_JWKS_URL=${url}/.well-known/jwks.json`, `OPERATOR_JWT_AZP=${azp}`],
    key: () => keys[0],
    /* The first key signs; the old one is gone from the set. */
    rotate: (next = 'ES256') => {
      keys = [newKey(next)];
    },
    add: (next) => keys.push(newKey(next)),
    token: (change, key = keys[0]) => sign(key, header(key), claims(change)),
    /* Forgeries by what is wrong with them. */
    forgeries: () => {
      const key = keys[0], own = newKey(key.alg), good = sign(key, header(key), claims()), [head, body, signature] = good.split('.');
      const pem = createPublicKey(key.privateKey).export({ type: 'spki', format: 'pem' });
      const hs = `${base64url({ ...header(key), alg: 'HS256' })}.${body}`;
      return {
        'no signature (alg none)': `${base64url({ ...header(key), alg: 'none' })}.${body}.`,
        'HS256 with the public key as its secret': `${hs}.${createHmac('sha256', pem).update(hs).digest('base64url')}`,
        'a key of its own under the issuer\'s id': sign(own, header(key), claims()),
        'a key of its own, brought along': sign(own, { ...header(key), jwk: jwkOf(own) }, claims()),
        'a key set of its own': sign(own, { ...header(own), jku: 'https://example.com/jwks.json' }, claims()),
        'a key id that nobody knows': sign(own, header(own), claims()),
        'other claims under the same signature': `${head}.${base64url(claims({ sub: 'somebody_else' }))}.${signature}`,
        'no signature at all': `${head}.${body}.`,
        'expired': sign(key, header(key), claims({ exp: Math.floor(now() / 1000) - 60 })),
        'no expiry': sign(key, header(key), claims({ exp: undefined })),
        'not yet valid': sign(key, header(key), claims({ nbf: Math.floor(now() / 1000) + 120 })),
        'another issuer': sign(key, header(key), claims({ iss: 'https://issuer.example' })),
        'made for another client': sign(key, header(key), claims({ azp: 'another-app' })),
        'made for no client': sign(key, header(key), claims({ azp: undefined })),
        'for nobody': sign(key, header(key), claims({ sub: undefined })),
        'rules that must be understood': sign(key, { ...header(key), crit: ['b64'], b64: true }, claims()),
        'not a token': 'abc.def.ghi',
        'an agent\'s key': 'ho_live_0123456789abcdef0123456789abcdef',
      };
    },
  };
}
