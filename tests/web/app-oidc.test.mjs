/*
 * The operators' app's way in at a provider that answers as a good one does, and at ones that lie, mix up, or are out of order.
 * A whole sign-in at a real provider, in a browser, is tests/browser/app-signin.test.mjs.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import http from 'node:http';
import { afterEach, test } from 'node:test';
import './globals.mjs';
import { Oidc, challengeOf, checkIdToken } from '../../web/app/oidc.mjs';
import { Session } from '../../web/app/session.mjs';

const REDIRECT = 'https://app.example/app/';
const open = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end();
});

function storage(start = {}) {
  const map = new Map(Object.entries(start));
  return {
    map,
    getItem: (k) => map.get(k) ?? null,
    setItem: (k, v) => map.set(k, String(v)),
    removeItem: (k) => map.delete(k),
  };
}

const jwt = (claims) =>
  ['{"alg":"none"}', JSON.stringify(claims), 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.');

/* A provider; change: what it says otherwise, by path, as a function of what it would say. */
async function provider(change = {}) {
  const asked = [],
    p = { asked, change, nonce: null, refresh: 'r1', expires_in: 3600 };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request
      .on('data', (c) => chunks.push(c))
      .on('end', () => {
        const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
          { pathname } = new URL(request.url, 'http://x');
        asked.push({ pathname, form });
        const good =
          {
            '/.well-known/openid-configuration': () => ({
              issuer: p.issuer,
              authorization_endpoint: `${p.issuer}/authorize`,
              token_endpoint: `${p.issuer}/token`,
              revocation_endpoint: `${p.issuer}/revoke`,
              end_session_endpoint: `${p.issuer}/end`,
              authorization_response_iss_parameter_supported: true,
            }),
            '/token': () => ({
              access_token: `a${asked.length}`,
              token_type: 'Bearer',
              expires_in: p.expires_in,
              refresh_token: p.refresh,
              ...(form.grant_type === 'authorization_code'
                ? {
                    id_token: jwt({
                      iss: p.issuer,
                      aud: 'app',
                      sub: 'jane',
                      exp: Math.floor(Date.now() / 1000) + 60,
                      nonce: p.nonce,
                    }),
                  }
                : {}),
            }),
            '/revoke': () => ({}),
          }[pathname]?.() ?? {};
        const { status = 200, ...body } = p.change[pathname]?.(good, form) ?? good;
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(body));
      });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  p.issuer = `http://127.0.0.1:${server.address().port}`;
  p.stop = () =>
    new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    });
  open.push(p.stop);
  return p;
}

const config = (p, change = {}) => ({
  issuer: p.issuer,
  client_id: 'app',
  scope: 'openid offline_access',
  audience: null,
  ...change,
});

/* As far as the provider's page, and what it would send back. */
async function begun(p, { change = {}, store = storage() } = {}) {
  const oidc = new Oidc({ config: config(p, change), redirect: REDIRECT, storage: store }),
    url = new URL(await oidc.begin('#/mine'));
  const sent = Object.fromEntries(url.searchParams);
  p.nonce = sent.nonce;
  return {
    oidc,
    url,
    sent,
    store,
    back: (more = {}) => `?${new URLSearchParams({ code: 'c1', state: sent.state, iss: p.issuer, ...more })}`,
  };
}

test('the way there says what the standard asks for, anew each time', async () => {
  const p = await provider(),
    { url, sent, store } = await begun(p),
    other = (await begun(p)).sent;
  assert.equal(url.origin + url.pathname, `${p.issuer}/authorize`);
  const { state, nonce, code_challenge, ...rest } = sent;
  assert.deepEqual(rest, {
    client_id: 'app',
    scope: 'openid offline_access',
    response_type: 'code',
    redirect_uri: REDIRECT,
    code_challenge_method: 'S256',
    prompt: 'consent',
  });
  const pending = JSON.parse(store.getItem('humanops.sign-in'));
  assert.equal(code_challenge, createHash('sha256').update(pending.verifier).digest('base64url'));
  assert.ok([state, nonce, pending.verifier].every((text) => text.length === 43));
  assert.ok(other.state !== state && other.nonce !== nonce && other.code_challenge !== code_challenge);
  assert.equal(
    await challengeOf('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'),
    'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    'RFC 7636, appendix B',
  );
  assert.equal((await begun(p, { change: { audience: 'api' } })).sent.audience, 'api');
  assert.equal((await begun(p, { change: { audience: 'https://api.example' } })).sent.resource, 'https://api.example');
});

test('the way back brings a token, and where the person was going', async () => {
  const p = await provider(),
    { oidc, back, store } = await begun(p);
  assert.equal(oidc.isSignedIn, false);
  assert.equal(await oidc.finish(back()), '#/mine');
  assert.ok(oidc.isSignedIn);
  assert.match(await oidc.token(), /^a\d+$/);
  const { form } = p.asked.at(-1);
  assert.equal(createHash('sha256').update(form.code_verifier).digest('base64url').length, 43);
  assert.deepEqual(
    [form.grant_type, form.code, form.redirect_uri, form.client_id],
    ['authorization_code', 'c1', REDIRECT, 'app'],
  );
  assert.deepEqual(
    [...store.map.keys()],
    ['humanops.refresh'],
    'the pending sign-in is spent, and no access token is stored',
  );
});

test('an address that is no way back is left alone', async () => {
  const p = await provider(),
    { oidc } = await begun(p);
  for (const query of ['', '?code=1', '?state=1', '?utm=x']) assert.equal(await oidc.finish(query), null, query);
  assert.ok((await oidc.finish('?x=1')) === null && !oidc.isSignedIn);
});

test('a way back that does not match what was begun is refused, and begun is spent by it', async () => {
  const cases = [
    ['another state', { state: 'x' }, 'state_mismatch'],
    ['another issuer', { iss: 'https://evil.example' }, 'issuer_mismatch'],
    ['a refusal', { error: 'access_denied' }, 'denied'],
  ];
  for (const [what, more, code] of cases) {
    const p = await provider(),
      { oidc, back } = await begun(p),
      before = p.asked.filter((a) => a.pathname === '/token').length;
    await assert.rejects(oidc.finish(back(more)), { code }, what);
    await assert.rejects(oidc.finish(back()), { code: 'state_mismatch' }, `${what}: no second try`);
    assert.equal(p.asked.filter((a) => a.pathname === '/token').length, before, 'no code was sent anywhere');
    assert.equal(oidc.isSignedIn, false);
  }
  const p = await provider(),
    { oidc, sent } = await begun(p);
  await assert.rejects(
    oidc.finish(`?code=1&state=${sent.state}`),
    { code: 'issuer_mismatch' },
    'it promised to name itself',
  );
  const q = await provider({
      '/.well-known/openid-configuration': (good) => ({
        ...good,
        authorization_response_iss_parameter_supported: undefined,
      }),
    }),
    without = await begun(q);
  assert.equal(
    await without.oidc.finish(`?code=1&state=${without.sent.state}`),
    '#/mine',
    'one that never promised may leave it out',
  );
});

test("discovery that is another's, broken or absent leads nowhere", async () => {
  for (const [change, code] of [
    [(good) => ({ ...good, issuer: 'https://evil.example' }), 'issuer_mismatch'],
    [() => ({}), 'issuer_mismatch'],
    [(good) => ({ issuer: good.issuer }), 'discovery_failed'],
    [() => ({ status: 500 }), 'discovery_failed'],
  ]) {
    const p = await provider({ '/.well-known/openid-configuration': change });
    await assert.rejects(new Oidc({ config: config(p), redirect: REDIRECT, storage: storage() }).begin(), { code });
  }
  const p = await provider(),
    oidc = new Oidc({ config: { ...config(p), issuer: `${p.issuer}/` }, redirect: REDIRECT, storage: storage() });
  assert.ok(await oidc.begin(), 'a slash at the end is no other issuer');
  await p.stop();
  await assert.rejects(new Oidc({ config: config(p), redirect: REDIRECT, storage: storage() }).begin(), {
    code: 'offline',
  });
});

test('an ID token for another client, issuer, moment or sign-in is none', async () => {
  const good = { iss: 'https://i', aud: 'app', exp: 2000, nonce: 'n', sub: 'x' },
    want = { issuer: 'https://i', clientId: 'app', nonce: 'n', now: 1_000_000 };
  assert.equal(checkIdToken(jwt(good), want).sub, 'x');
  assert.equal(checkIdToken(jwt({ ...good, aud: ['b', 'app'], azp: 'app' }), want).sub, 'x');
  for (const change of [
    { iss: 'https://j' },
    { aud: 'b' },
    { aud: ['b', 'app'] },
    { aud: ['b', 'app'], azp: 'b' },
    { aud: undefined },
    { exp: 600 },
    { exp: undefined },
    { nonce: 'm' },
    { nonce: undefined },
  ])
    assert.throws(
      () => checkIdToken(jwt({ ...good, ...change }), want),
      { code: 'id_token_invalid' },
      JSON.stringify(change),
    );
  for (const text of ['', 'a.b', 'a.!!.c', `a.${Buffer.from('null').toString('base64url')}.c`])
    assert.throws(() => checkIdToken(text, want), text);
  const p = await provider(),
    { oidc, back } = await begun(p);
  p.nonce = 'another';
  await assert.rejects(oidc.finish(back()), { code: 'id_token_invalid' });
  assert.equal(oidc.isSignedIn, false);
  const q = await provider({ '/token': ({ id_token, ...rest }) => rest }),
    none = await begun(q);
  await assert.rejects(none.oidc.finish(none.back()), { code: 'id_token_invalid' });
});

test('a token near its end is renewed once for all who ask, and rotation is followed', async () => {
  const p = await provider(),
    { oidc, back, store } = await begun(p);
  p.expires_in = 10;
  await oidc.finish(back());
  p.refresh = 'r2';
  p.expires_in = 3600;
  const before = p.asked.length,
    tokens = await Promise.all(Array.from({ length: 5 }, () => oidc.token()));
  assert.equal(p.asked.length, before + 1);
  assert.equal(new Set(tokens).size, 1);
  assert.deepEqual([p.asked.at(-1).form.refresh_token, store.getItem('humanops.refresh')], ['r1', 'r2']);
  oidc.drop();
  assert.notEqual(await oidc.token(), tokens[0], 'one that the API refused is not used again');
  const reloaded = new Oidc({ config: config(p), redirect: REDIRECT, storage: store });
  assert.ok(reloaded.isSignedIn && (await reloaded.token()), 'a reload keeps the person signed in');
});

test('a provider that is out of order ends no session; one that refuses does', async () => {
  const p = await provider(),
    { oidc, back } = await begun(p);
  await oidc.finish(back());
  for (const status of [500, 503, 429]) {
    p.change = { '/token': () => ({ status, error: 'busy' }) };
    oidc.drop();
    await assert.rejects(oidc.token(), { code: 'token_refused' });
    assert.ok(oidc.isSignedIn, `${status}`);
  }
  p.change = { '/token': () => ({ status: 400, error: 'invalid_grant' }) };
  await assert.rejects(oidc.token(), { code: 'expired' });
  assert.equal(oidc.isSignedIn, false);
  await assert.rejects(oidc.token(), { code: 'expired' });
});

test('signing out forgets here, revokes there and names the way', async () => {
  const p = await provider(),
    { oidc, back, store } = await begun(p);
  await oidc.finish(back());
  const url = new URL(await oidc.end());
  assert.deepEqual(
    [url.pathname, url.searchParams.get('client_id'), url.searchParams.get('post_logout_redirect_uri')],
    ['/end', 'app', REDIRECT],
  );
  assert.ok(url.searchParams.get('id_token_hint'));
  assert.deepEqual(p.asked.at(-1), {
    pathname: '/revoke',
    form: { token: 'r1', token_type_hint: 'refresh_token', client_id: 'app' },
  });
  assert.deepEqual([oidc.isSignedIn, store.map.size], [false, 0]);
  const q = await provider(),
    other = await begun(q);
  await other.oidc.finish(other.back());
  await q.stop();
  assert.ok(await other.oidc.end(), 'known from before');
  assert.equal(other.oidc.isSignedIn, false, 'also when nobody answers');
});

test("a session knows who says what: an issuer's token, a picked operator, nobody", async () => {
  const p = await provider(),
    local = storage(),
    session = storage({ 'humanops.refresh': 'r0' });
  const both = new Session({ settings: { dev_sign_in: true, sign_in: config(p) }, redirect: REDIRECT, local, session });
  assert.match((await both.headers()).Authorization, /^Bearer a\d+$/);
  both.pick('op_1', 'Jane');
  assert.deepEqual(await both.headers(), { 'X-Operator-Id': 'op_1' });
  assert.deepEqual(both.known(), [{ id: 'op_1', name: 'Jane' }]);
  assert.equal(await both.end(), null);
  assert.deepEqual(both.known().length, 1, 'remembered for the next time');
  const production = new Session({
    settings: { dev_sign_in: false, sign_in: config(p) },
    redirect: REDIRECT,
    local: storage({ 'humanops.dev.operator': 'op_1' }),
    session: storage(),
  });
  assert.equal(production.isSignedIn, false, 'a picked operator counts in development only');
  await assert.rejects(production.headers(), { code: 'expired' });
  const fresh = new Session({
    settings: { dev_sign_in: true, sign_in: null },
    redirect: REDIRECT,
    local: storage(),
    session: storage(),
  });
  assert.deepEqual(
    [fresh.isSignedIn, fresh.canSignIn, await fresh.headers(), await fresh.back('?code=1&state=2')],
    [false, false, {}, null],
  );
  fresh.pick('op_2', 'A');
  fresh.pick('op_3', 'B');
  fresh.pick('op_2', 'A');
  assert.deepEqual(
    fresh.known().map((o) => o.id),
    ['op_2', 'op_3'],
  );
});
