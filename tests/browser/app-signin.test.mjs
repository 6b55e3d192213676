/*
 * Operators sign in to the app at a real OpenID provider (oidc-provider) in a real browser: there and back, a reload, a token
 * renewed, a proof that outlives the sign-in, signing out, and a way back that somebody else began.
 */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, test } from 'node:test';
import { png } from '../pictures.mjs';
import { freePort, stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { button, here, open, shows, workerReady } from './operator.mjs';
import { World } from './world.mjs';

const [major] = process.versions.node.split('.').map(Number);
const skip = major < 20 && 'oidc-provider needs Node 20';
let app = null; /* the instance's address, known only once it runs */

/* The provider, whose access tokens are JWTs for our API; any name signs in.  lives: seconds of an access token. */
async function provider(port, state) {
  const { default: Provider } = await import('oidc-provider');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const resource = { scope: 'work', audience: 'humanops', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
  const made = new Provider(`http://127.0.0.1:${port}`, {
    clients: [
      {
        client_id: 'app',
        redirect_uris: [`${app}/app/`],
        post_logout_redirect_uris: [`${app}/app/`],
        token_endpoint_auth_method: 'none',
        id_token_signed_response_alg: 'ES256',
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: 'key-1', alg: 'ES256' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    clientBasedCORS: () => true,
    ttl: {
      AccessToken: () => state.lives,
      Session: 3600,
      Grant: 3600,
      Interaction: 3600,
      IdToken: 3600,
      RefreshToken: 3600,
    },
    rotateRefreshToken: true,
    features: {
      revocation: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://humanops.example/api',
        useGrantedResource: () => true,
        getResourceServerInfo: () => resource,
      },
    },
  });
  made.on('server_error', (context, error) => console.error(error));
  made.use(async (context, next) => {
    await next();
    state.log.push(`${context.method} ${context.path} ${context.oidc?.params?.grant_type ?? ''}`.trim());
  });
  const server = http.createServer(made.callback());
  await new Promise((done) => server.listen(port, '127.0.0.1', done));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
}

/* Tiles for a map, grey ones. */
async function tileServer() {
  const asked = [],
    grey = png(),
    server = http.createServer((request, response) => {
      asked.push(request.url);
      response.writeHead(200, { 'Content-Type': 'image/png' });
      response.end(grey);
    });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, origin: `http://127.0.0.1:${server.address().port}` };
}

test('a person signs in at the provider, registers, works, and signs out', { skip }, async () => {
  const port = await freePort(),
    issuer = `http://127.0.0.1:${port}`,
    state = { lives: 3600, log: [] };
  const tiles = await tileServer(),
    s = await stack({
      settings: [
        `MAP_TILE_URL=${tiles.origin}/{z}/{x}/{y}.png`,
        'MAP_TILE_ATTRIBUTION=© <b>Somebody</b>',
        `OPERATOR_JWT_ISSUER=${issuer}`,
        `OPERATOR_JWKS_URL=${issuer}/jwks`,
        'OPERATOR_JWT_AUDIENCE=humanops',
        'OPERATOR_OIDC_CLIENT_ID=app',
        'OPERATOR_OIDC_SCOPE=openid offline_access work',
      ],
    });
  app = s.base;
  await provider(port, state);
  const b = await browser(s),
    w = new World(s, { screen: () => {} }),
    agent = await w.agent({ deposit: 500 });
  const page = await b.page({ size: 'phone', context: here, ignore: [/127\.0\.0\.1/, /Failed to load resource/] });
  const asked = (line) => state.log.filter((l) => l === line).length;

  await page.goto(`${s.base}/app/#/earnings`);
  await button(page, 'Sign in').waitFor();
  assert.equal(await page.getByText('Development').count(), 0, 'nobody picks operators here');
  await b.screen(page, 'app-sign-in-issuer');
  await button(page, 'Sign in').click();
  await page.getByPlaceholder('Enter any login').fill('jane');
  await page.getByPlaceholder('and password').fill('any');
  await page.getByRole('button', { name: 'Sign-in' }).click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${s.base}/app/#/earnings`);
  await shows(page, 'Become an operator');
  assert.equal(new URL(page.url()).search, '', 'the code is gone from the address');
  await page.getByLabel('Name').fill('Jane Doe');
  await page.getByLabel('E-mail').fill('jane@example.com');
  await button(page, 'Register').click();
  await shows(page, 'Welcome, Jane Doe');
  const [{ id }] = await s.sql('select id from operators');

  /* The map's tiles come from where the settings say, and no further. */
  await open(page, '#/map');
  await page.getByText('© <b>Somebody</b>').waitFor();
  await s.until(() => tiles.asked.length > 0);
  assert.match(tiles.asked[0], /^\/\d+\/\d+\/\d+\.png$/);
  await page.locator('.leaflet-tile-loaded').first().waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.__refused), []);
  const elsewhere = page.evaluate(
    () =>
      new Promise((done) => {
        const i = new Image();
        i.onload = () => done('loaded');
        i.onerror = () => done('refused');
        i.src = 'https://elsewhere.example/1.png';
      }),
  );
  assert.equal(await elsewhere, 'refused');
  assert.match((await page.evaluate(() => globalThis.__refused)).join(), /img-src https:\/\/elsewhere/);
  await open(page, '#/welcome');

  /* A reload is no new sign-in; the refresh token is the only one that is stored, and only for this tab. */
  await workerReady(page);
  const before = asked('GET /auth');
  await page.reload();
  await shows(page, 'Welcome, Jane Doe');
  assert.equal(asked('GET /auth'), before);
  await s.until(() => asked('POST /token refresh_token') >= 1);
  const kept = await page.evaluate(async () => {
    const db = await new Promise((done) => {
      const r = indexedDB.open('humanops-app');
      r.onsuccess = () => done(r.result);
    });
    const all = (name) =>
      new Promise((done) => {
        const r = db.transaction(name).objectStore(name).getAll();
        r.onsuccess = () => done(r.result);
      });
    const stores = JSON.stringify(await Promise.all([...db.objectStoreNames].map(all)));
    db.close();
    return { stores, local: JSON.stringify({ ...localStorage }), session: Object.keys(sessionStorage) };
  });
  assert.deepEqual(kept.session, ['humanops.refresh']);
  assert.ok(!/eyJ|refresh/.test(kept.stores + kept.local), 'no token on the disk');

  /* Tokens that end within seconds are renewed on the way. */
  state.lives = 15;
  await page.reload();
  await shows(page, 'Welcome, Jane Doe');
  await open(page, '#/tasks');
  const renewed = asked('POST /token refresh_token');
  await open(page, '#/earnings');
  await open(page, '#/tasks');
  await s.until(() => asked('POST /token refresh_token') > renewed);
  state.lives = 3600;

  /* A token that the API refuses before its time is renewed, and nobody notices. */
  await open(page, '#/mine');
  let refusals = 0;
  await page
    .context()
    .route('**/operator/earnings', (route) =>
      refusals++ === 0
        ? route.fulfill({
            status: 401,
            contentType: 'application/json',
            headers: { 'X-Request-Id': 'req_1' },
            body: '{"error":"no","code":"unauthorized","details":{},"request_id":"req_1"}',
          })
        : route.fallback(),
    );
  const tokens = asked('POST /token refresh_token');
  await open(page, '#/earnings');
  await shows(page, 'Your rewards');
  assert.deepEqual([refusals, asked('POST /token refresh_token')], [2, tokens + 1]);

  /* A proof that is made while nobody is signed in waits for its owner. */
  const { operator_id: me } = await page.evaluate(async () => {
    const db = await new Promise((done) => {
      const r = indexedDB.open('humanops-app');
      r.onsuccess = () => done(r.result);
    });
    return new Promise((done) => {
      const r = db.transaction('keep').objectStore('keep').get('me');
      r.onsuccess = () => {
        db.close();
        done(r.result);
      };
    });
  });
  const task = await w.post(agent, {
    title: 'Count the chairs',
    task_type: 'DATA_VALIDATION',
    proof_type: 'CONFIRMATION',
    proof_requirements: ['Number'],
    location: undefined,
  });
  await open(page, `#/tasks/${task}`);
  await button(page, '1 h').click();
  await button(page, 'Claim with this estimate').click();
  await shows(page, 'Wait for the agent');
  await w.asAgent(agent, 'POST', `/tasks/${task}/estimate/approve`);
  await open(page, '#/mine');
  await open(page, `#/mine/${task}`);
  await shows(page, 'You can begin');
  await page.context().setOffline(true);
  await page.evaluate(() => sessionStorage.clear());
  await page.reload();
  await shows(page, 'You can begin');
  await open(page, `#/mine/${task}/proof`);
  await page.getByLabel('Your confirmation').fill('There are twelve chairs, all of them along the window side.');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'Handed in here, on its way');
  await page.context().setOffline(false);
  await shows(page, '1 proof on this device waits to be sent');
  await button(page, 'Go on as Jane Doe').click();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL(`${s.base}/app/**`);
  await s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${task}`)).status !== 'ACCEPTED');
  assert.equal((await s.sql('select count(*) as n from operators'))[0].n, 1, 'known again');
  assert.ok(me.startsWith('op_') && id);

  /* Out, here and there. */
  await open(page, '#/profile');
  await button(page, 'Sign out').click();
  await page.waitForURL(`${issuer}/session/end**`);
  assert.ok(asked('POST /token/revocation') >= 1);
  await page.getByRole('button', { name: 'Yes, sign me out' }).click();
  await page.waitForURL(`${s.base}/app/**`);
  await button(page, 'Sign in').waitFor();

  /* A code that somebody else got is not taken. */
  await page.goto(`${s.base}/app/?code=stolen&state=made-up&iss=${encodeURIComponent(issuer)}`);
  await shows(page, 'The sign-in did not begin in this window.');
  assert.equal(new URL(page.url()).search, '');
  await page.context().close();
  await s.stop();
});
