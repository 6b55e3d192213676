/*
 * The operators' app as it looks and behaves on any device: every screen passes axe in both sizes and both colour schemes and
 * fits into 320 px; it can be installed, starts without a network, keeps no answers, takes a new version when asked, speaks two
 * languages, and weighs little.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { chromium } from 'playwright-core';
import { keyPair } from '../sealed.mjs';
import { stack } from '../stack.mjs';
import { browser, flags } from './browser.mjs';
import { button, enterer, here, open, shows, workerReady } from './operator.mjs';
import { World, place } from './world.mjs';

const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] }),
  b = await browser(s),
  enter = enterer(s, b);
const w = new World(s, { screen: () => {} }),
  agent = await w.agent({ deposit: 3000 }),
  op = await w.operator();
const share = path.join(s.settings.STATE_DIR, 'install/share/humanops/web');

/* Fits into the narrowest phone. */
async function narrow(page, name) {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const wide = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    ...[...document.querySelectorAll('main *')]
      .filter((node) => node.getBoundingClientRect().right > 321 && !node.closest('.map, .hidden-visually'))
      .map((node) => node.outerHTML.slice(0, 80)),
  ]);
  assert.deepEqual(wide, [320], `${name} at 320 px`);
  await page.setViewportSize(size);
}

async function look(page, name, options) {
  await b.screens(page, `app-${name}`, options);
  await narrow(page, name);
}

test('every screen passes axe, in both sizes and both colour schemes, and fits into 320 px', async () => {
  const long = 'Averylongwordwithoutanyblanksthatnobodywouldwritebutsomebodywilldosooneday '.repeat(2).trim();
  const open1 = await w.post(agent, {
    title: 'Photograph the menu board of a small restaurant, both sides',
    location: { lat: place.lat + 0.01, lng: place.lng, address: '88 Spring St, New York, NY' },
  });
  await w.post(agent, {
    title: long,
    description: long,
    task_type: 'DATA_VALIDATION',
    proof_type: 'CONFIRMATION',
    location: undefined,
  });
  const waiting = await w.claimed(agent, op, { title: 'Claimed' }),
    begun = await w.accepted(agent, op, { title: 'Approved' });
  const words = await w.accepted(agent, op, {
    title: 'In words',
    task_type: 'DATA_VALIDATION',
    proof_type: 'CONFIRMATION',
    location: undefined,
  });
  const sealed = await w.accepted(agent, op, {
    title: 'Weather API key',
    description: 'Sign up for the free plan of a weather service.',
    task_type: 'API_KEY_PROCUREMENT',
    proof_type: 'ARTIFACT',
    agent_public_key: keyPair().publicKey,
    location: undefined,
  });
  await w.message(agent, begun, 'Please take the sign from across the street.');
  const done = await w.accepted(agent, op, { title: 'Finished' }),
    file = await w.photo(op, done);
  await w.asOperator(op, 'POST', `/tasks/${done}/submit`, { body: { photos: [file.url], notes: 'Done.' } });
  await w.becomes(agent, done, 'COMPLETED');
  const page = await enter(op, { page: { ignore: [/net::ERR/] } });
  for (const [name, hash, text] of [
    ['tasks', '#/tasks', 'Photograph the menu'],
    ['map', '#/map', 'The rings are'],
    ['task', `#/tasks/${open1}`, 'Claim this task'],
    ['work', '#/mine', 'Your turn'],
    ['job-waiting', `#/mine/${waiting}`, 'Wait for the agent'],
    ['job-approved', `#/mine/${begun}`, 'You can begin'],
    ['job-done', `#/mine/${done}`, 'Done, thank you'],
    ['messages', `#/mine/${begun}/messages`, 'across the street'],
    ['proof', `#/mine/${begun}/proof`, 'No photos yet'],
    ['proof-words', `#/mine/${words}/proof`, 'Your confirmation'],
    ['credential', `#/mine/${sealed}/proof`, 'Fingerprint'],
    ['earnings', '#/earnings', 'Your rewards'],
    ['profile', '#/profile', 'About you'],
    ['welcome', '#/welcome', 'How it works'],
    ['nowhere', '#/no/such', 'There is nothing here'],
  ]) {
    await open(page, hash);
    await shows(page, text);
    await look(page, name);
  }
  await open(page, `#/mine/${begun}/proof`);
  await page
    .locator('input[type=file]')
    .setInputFiles([
      { name: 'a.png', mimeType: 'image/png', buffer: readFileSync(path.join(share, 'app/icon-192.png')) },
    ]);
  await shows(page, 'All photos have arrived');
  await look(page, 'proof-photo');
  await open(page, `#/mine/${begun}`);
  await button(page, 'I do not feel safe').click();
  await look(page, 'unsafe', { full: false });
  await page.keyboard.press('Escape');
  await button(page, 'I cannot finish this').click();
  await look(page, 'cannot-complete', { full: false });
  await page.keyboard.press('Escape');
  /* Stopped, and the server does not hear of it. */
  await page.context().setOffline(true);
  await button(page, 'I do not feel safe').click();
  await button(page, 'Stop now').click();
  await shows(page, 'You need do nothing more');
  await look(page, 'job-stopped');
  await page.context().setOffline(false);
  await w.becomes(agent, begun, 'PENDING');
  for (const [name, hash] of [
    ['task-unsafe', `#/tasks/${begun}`],
    ['tasks-unsafe', '#/tasks'],
  ]) {
    await open(page, hash);
    await shows(page, 'did not feel safe');
    await look(page, name);
  }
  await w.asAgent(agent, 'POST', `/tasks/${begun}/cancel`);
  await page.context().close();
});

test('the screens before one is in, and those of an identity that is not verified, pass too', async () => {
  const page = await b.page({ size: 'phone', context: here });
  await page.goto(`${s.base}/app/`);
  await shows(page, 'Pick an operator');
  await look(page, 'sign-in');
  await button(page, 'Create an operator').click();
  await shows(page, 'Become an operator');
  await look(page, 'register');
  await page.context().close();
  const other = await w.operator({ name: 'Rita' });
  await w.staff('POST', `/operators/${other.id}/kyc`, { status: 'REJECTED', note: 'The photo was blurred.' });
  const task = await w.post(agent, { title: 'Not for her' }),
    hers = await enter(other, { hash: `#/tasks/${task}` });
  await shows(hers, 'The photo was blurred.');
  assert.equal(await button(hers, 'Claim with this estimate').count(), 0);
  await look(hers, 'kyc-rejected');
  await w.staff('POST', `/operators/${other.id}/suspend`, { suspended: true });
  await hers.reload();
  await shows(hers, 'Your account is suspended');
  await look(hers, 'suspended');
  await hers.context().close();
});

test('payout: fee and net are agreed to first, and one whose answer was lost is asked for again with the same key', async () => {
  const page = await enter(op, { page: { ignore: [/net::ERR/] } }),
    wallet = `0x${'aB'.repeat(20)}`,
    asked = [];
  const json = (body, status = 200) => ({
    status,
    contentType: 'application/json',
    headers: { 'X-Request-Id': 'req_1' },
    body: JSON.stringify(body),
  });
  const payout = {
    payout_id: 'payout_1',
    amount_usd: 25,
    gas_fee_usd: 0.03,
    net_amount_usd: 24.97,
    to_address: wallet,
    chain: 'base',
    status: 'PENDING_ONCHAIN',
    tx_hash: `0x${'12'.repeat(32)}`,
    created_at: await s.time(),
  };
  const on = (where, answer) => page.context().route(`**/api/v1/operator/${where}`, answer);
  await on('earnings', (route) =>
    route.fulfill(
      json({
        pending_balance: 0,
        available_balance: 25.5,
        in_flight_balance: 25,
        total_earned: 50.5,
        currency: 'USD',
        recent_tasks: [],
        earnings: [],
      }),
    ),
  );
  await on('payouts', (route) =>
    route.fulfill(json({ data: [payout], pagination: { limit: 20, offset: 0, total: 1 } })),
  );
  await on('payout/quote?*', (route) =>
    route.fulfill(json({ amount_usd: 25, gas_fee_usd: 0.03, net_amount_usd: 24.97 })),
  );
  await on('payout/status/payout_1', (route) => route.fulfill(json(payout)));
  await on('payout', (route) => {
    asked.push([route.request().headers()['idempotency-key'], route.request().postData()]);
    return asked.length === 1 ? route.abort('connectionreset') : route.fulfill(json(payout, 201));
  });
  await open(page, '#/earnings');
  await shows(page, 'Being paid out');
  await look(page, 'payouts');
  await page.getByRole('link', { name: 'Pay out', exact: true }).click();
  await page.getByLabel('Amount').fill('25.51');
  await page.getByLabel('Your wallet').fill(wallet);
  await button(page, 'See fee and net').click();
  await shows(page, 'You have $25.50 available.');
  await page.getByRole('alert').filter({ hasText: '25.50' }).waitFor();
  await page.getByLabel('Amount').fill('25');
  await button(page, 'See fee and net').click();
  await shows(page, '$24.97 in USDC');
  await look(page, 'payout-confirm', { full: false });
  await button(page, 'Send $24.97').click();
  await page.getByRole('alert').filter({ hasText: 'There is no connection.' }).waitFor();
  await page.keyboard.press('Escape');
  await open(page, '#/earnings');
  await open(page, '#/payout');
  await shows(page, 'We have no answer yet about a payout of $25.00.');
  await look(page, 'payout');
  await button(page, 'See fee and net').click();
  await button(page, 'Send $24.97').click();
  await shows(page, 'Sent to the network');
  await look(page, 'payout-status');
  assert.equal(asked.length, 2);
  assert.deepEqual(asked[1], asked[0], 'the same key and body');
  assert.match(asked[0][0], /^[0-9a-f-]{36}$/);
  await page.context().close();
});

test("nothing but the app's own files is kept in the cache, and signing out leaves nothing of the person", async () => {
  const page = await enter(op, { hash: '#/mine' });
  await workerReady(page);
  await open(page, '#/profile');
  await open(page, '#/earnings');
  const cached = await page.evaluate(async () =>
    (
      await Promise.all(
        (await caches.keys()).map(async (name) =>
          (await (await caches.open(name)).keys()).map((r) => new URL(r.url).pathname),
        ),
      )
    ).flat(),
  );
  assert.ok(
    cached.length > 30 && cached.every((file) => /^\/(app|shared|vendor\/leaflet)\/[\w./-]+$/.test(file)),
    cached.join(' '),
  );
  const personal = () =>
    page.evaluate(async () => {
      const db = await new Promise((done) => {
        const r = indexedDB.open('humanops-app');
        r.onsuccess = () => done(r.result);
      });
      const all = (name) =>
        new Promise((done) => {
          const r = db.transaction(name).objectStore(name).getAll();
          r.onsuccess = () => done(r.result);
        });
      const kept = await Promise.all([...db.objectStoreNames].map(all));
      db.close();
      return JSON.stringify(kept);
    });
  assert.ok((await personal()).includes('jane@example.com'), 'for times without a network');
  await open(page, '#/profile');
  await button(page, 'Sign out').click();
  await shows(page, 'Pick an operator');
  assert.equal(await personal(), '[[],[],[],[],[]]');
  await page.context().close();
});

test('the next person at a device sees nothing of the one before, though nobody signed out', async () => {
  const next = await w.operator({ name: 'Next', email: 'next@example.com' });
  const page = await enter(op, { hash: '#/mine' });
  await shows(page, 'Finished');
  await workerReady(page);
  const other = await page.context().newPage();
  await other.addInitScript((id) => localStorage.setItem('humanops.dev.operator', id), next.id);
  await other.goto(`${s.base}/app/#/profile`);
  await shows(other, 'next@example.com');
  await page.close();
  await other.context().setOffline(true);
  await open(other, '#/mine');
  await shows(other, 'You are offline');
  assert.equal(await other.getByText('Finished').count(), 0);
  await other.context().close();
});

test('the language is changed at once and remembered', async () => {
  const page = await enter(op, { hash: '#/profile' });
  await page.getByLabel('Language').selectOption('es');
  await shows(page, 'Sobre usted');
  assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
  await page.reload();
  await shows(page, 'Sobre usted');
  await b.screen(page, 'app-profile-es');
  await narrow(page, 'profile-es');
  await open(page, '#/tasks');
  await shows(page, 'Tareas abiertas');
  await b.screen(page, 'app-tasks-es');
  await narrow(page, 'tasks-es');
  await b.check(page);
  await page.context().close();
  const spanish = await enter(op, { page: { context: { locale: 'es-MX' } } });
  await shows(spanish, 'Tareas abiertas');
  await spanish.context().close();
});

test('the map loads its library only when it is opened, and a marker leads to its task', async () => {
  const page = await enter(op),
    asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  await open(page, '#/mine');
  assert.ok(!asked.some((file) => file.startsWith('/vendor/')));
  await open(page, '#/map?domain=PHYSICAL');
  await page.locator('.map-task').first().waitFor();
  assert.ok(asked.some((file) => file.startsWith('/vendor/leaflet/')));
  await page.locator('.map-task').first().click();
  await page.locator('.map-popup').getByRole('link', { name: 'Open' }).click();
  await shows(page, 'Claim this task');
  await b.check(page);
  await page.context().close();
});

test('filters narrow the list, stand in the address and survive going back', async () => {
  await w.post(agent, {
    title: 'In the mountains',
    location: { lat: place.lat + 1, lng: place.lng, address: 'Far away' },
  });
  const page = await enter(op);
  await page.getByRole('link', { name: 'Remote', exact: true }).click();
  await page.waitForURL('**#/tasks?domain=DIGITAL');
  await shows(page, 'Averylongword');
  await page.getByText('Photograph the menu').waitFor({ state: 'detached' });
  await page.getByLabel('Order').selectOption('reward');
  await page.waitForURL('**#/tasks?domain=DIGITAL&order=reward');
  await page.goBack();
  await page.goBack();
  await shows(page, 'Photograph the menu');
  await shows(page, 'In the mountains');
  await page.getByLabel('Within').selectOption('5');
  await page.getByText('In the mountains').waitFor({ state: 'detached' });
  await shows(page, 'Photograph the menu');
  await page.context().close();
});

test('a new version waits until it is wanted, then takes over whole', async () => {
  const page = await enter(op),
    file = path.join(share, 'app/sw.mjs'),
    source = readFileSync(file, 'utf8');
  await workerReady(page);
  const names = () => page.evaluate(() => caches.keys());
  const [old] = await names();
  assert.match(old, /^humanops-app-[0-9a-f]{16}$/);
  try {
    writeFileSync(file, source.replace(old.slice(-16), '0123456789abcdef'));
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await shows(page, 'There is a new version of the app.');
    assert.ok((await names()).includes(old), 'the one in use stays whole');
    await Promise.all([page.waitForEvent('load'), button(page, 'Reload').click()]);
    await page.locator('main[data-ready]').waitFor();
    await s.until(async () => (await names()).join() === 'humanops-app-0123456789abcdef');
  } finally {
    writeFileSync(file, source);
  }
  await b.check(page);
  await page.context().close();
});

test('it can be installed: the browser finds nothing that is missing', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'humanops-app-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  /* An ordinary context is taken for a private window, which installs nothing. */
  const context = await chromium.launchPersistentContext(folder, {
    executablePath: execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim(),
    args: flags(s),
    ignoreHTTPSErrors: true,
  });
  try {
    const page = await context.newPage(),
      cdp = await context.newCDPSession(page);
    await page.goto(`${s.base}/app/`);
    await page.locator('main[data-ready]').waitFor();
    await workerReady(page);
    const { data, errors } = await cdp.send('Page.getAppManifest');
    assert.deepEqual([errors, JSON.parse(data).start_url], [[], '/app/#/tasks']);
    assert.deepEqual((await cdp.send('Page.getInstallabilityErrors')).installabilityErrors, []);
  } finally {
    await context.close();
  }
});

test('the first load is small, in few requests, and keeps the phone free', async () => {
  const page = await b.page({ size: 'phone', context: { ...here, serviceWorkers: 'block' } });
  await page.context().addInitScript((id) => {
    localStorage.setItem('humanops.dev.operator', id);
    globalThis.__long = [];
    new PerformanceObserver((list) => globalThis.__long.push(...list.getEntries().map((e) => e.duration))).observe({
      type: 'longtask',
      buffered: true,
    });
  }, op.id);
  const cdp = await page.context().newCDPSession(page);
  let bytes = 0,
    requests = 0;
  await cdp.send('Network.enable');
  cdp.on('Network.loadingFinished', ({ encodedDataLength }) => {
    bytes += encodedDataLength;
    requests++;
  });
  await page.goto(`${s.base}/app/`);
  await shows(page, 'Photograph the menu');
  assert.ok(bytes < 150 * 1024, `${bytes} bytes`);
  assert.ok(requests <= 40, `${requests} requests`);
  const long = await page.evaluate(() => globalThis.__long);
  assert.ok(
    long.every((ms) => ms < 400),
    `long tasks: ${long}`,
  );
  if (process.env.HUMANOPS_SHOTS)
    console.log(`first load: ${bytes} bytes in ${requests} requests, long tasks: ${long.map(Math.round)}`);
  await page.context().close();
});
