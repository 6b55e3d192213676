/*
 * The operators' app and a bad network: cut in the middle of an upload, an answer that is lost, a page that sleeps, two pages at
 * once.  A proof arrives once, with its photo once, whatever else happens to the wire.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { button, enterer, shows, takePhoto, workerReady } from './operator.mjs';
import { wire } from './wire.mjs';
import { World } from './world.mjs';

const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] }),
  line = await wire(s),
  b = await browser(s, { more: [line.flag] });
const enter = enterer(s, b),
  w = new World(s, { screen: () => {} }),
  agent = await w.agent({ deposit: 3000 });
/* Every row there is for a task, whatever its state. */
const uploads = async (task) =>
  s.sql(`select stored from uploads u join tasks t on t.id = u.task_id where t.title = '${task}'`);
/* More than a request of the app's without a file, less than a photo. */
const PART = 16_000;

/* What the app has put by on this device: proofs, photos, files. */
const putBy = (page) =>
  page.evaluate(async () => {
    const db = await new Promise((done) => {
      const r = indexedDB.open('humanops-app');
      r.onsuccess = () => done(r.result);
    });
    const count = (name) =>
      new Promise((done) => {
        const r = db.transaction(name).objectStore(name).count();
        r.onsuccess = () => done(r.result);
      });
    return Promise.all(['proofs', 'photos', 'files'].map(count));
  });

test('the network goes in the middle of an upload, the app is closed and opened: the proof arrives once, with its one photo', async () => {
  const op = await w.operator({ name: 'Olga' }),
    title = 'Broken network',
    task = await w.accepted(agent, op, { title });
  let page = await enter(op, { hash: `#/mine/${task}/proof`, page: { ignore: [/net::ERR/] } });
  const context = page.context();
  await workerReady(page);
  await takePhoto(page, { before: () => line.cutAfter(PART) });
  await shows(page, 'No network.');
  assert.ok(line.isCut);
  await page.getByLabel('Notes').fill('Seen at noon.');
  await page.close();
  /* Without any network the app opens, knows the task, and takes the proof. */
  page = await context.newPage();
  await page.goto(`${s.base}/app/#/mine`);
  await shows(page, 'No connection.');
  await page.getByRole('link', { name: title }).click();
  await page.getByRole('link', { name: 'Go on with the proof' }).click();
  await page.locator('.proof-photos img').waitFor();
  assert.equal(await page.getByLabel('Notes').inputValue(), 'Seen at noon.');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'Handed in here, on its way');
  await page.close();
  assert.deepEqual(await uploads(title), [], 'half a photo is none');
  line.mend();
  page = await context.newPage();
  await page.goto(`${s.base}/app/#/mine/${task}`);
  await shows(page, 'What you handed in');
  const seen = await w.asAgent(agent, 'GET', `/tasks/${task}`);
  assert.deepEqual([seen.proof.notes, seen.proof.files.length], ['Seen at noon.', 1]);
  assert.equal((await uploads(title)).length, 1);
  assert.deepEqual(await putBy(page), [0, 0, 0], 'nothing of it is left on the device');
  await context.close();
});

test('a photo that arrived, but its answer did not, is sent again and is the same upload', async () => {
  const op = await w.operator({ name: 'Ute' }),
    title = 'Lost link',
    task = await w.accepted(agent, op, { title });
  const page = await enter(op, { hash: `#/mine/${task}/proof`, page: { ignore: [/net::ERR/] } });
  let sent = 0;
  await page.context().route('**/operator/upload*', async (route) => {
    if (++sent > 1) return route.fallback();
    assert.equal((await route.fetch()).status(), 201);
    line.cut();
    return route.abort('connectionreset');
  });
  await takePhoto(page);
  await shows(page, 'No network.');
  assert.equal((await uploads(title)).length, 1);
  line.mend();
  await page.evaluate(() => dispatchEvent(new Event('online')));
  await shows(page, 'All photos have arrived');
  assert.deepEqual([sent, (await uploads(title)).length], [2, 1]);
  await button(page, 'Hand in the proof').click();
  await shows(page, 'What you handed in');
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${task}`)).proof.files.length, 1);
  await page.context().close();
});

test('a submission whose answer is lost is found to have arrived and is not sent again', async () => {
  const op = await w.operator({ name: 'Ida' }),
    task = await w.accepted(agent, op, {
      title: 'Lost answer',
      task_type: 'DATA_VALIDATION',
      proof_type: 'CONFIRMATION',
      proof_requirements: ['Result'],
    });
  const page = await enter(op, { hash: `#/mine/${task}/proof`, page: { ignore: [/net::ERR/] } });
  let sent = 0;
  await page.context().route('**/submit', async (route) => {
    sent++;
    await route.fetch();
    await route.abort('connectionreset');
  });
  await page.getByLabel('Your confirmation').fill('All twelve items were compared; the ninth is out of stock.');
  await button(page, 'Hand in the proof').click();
  await page.getByText('What you handed in').waitFor({ timeout: 15_000 });
  assert.equal(sent, 1);
  const moves = await s.sql(
    `select count(*) as n from events e join tasks t on t.id = e.task_id where t.title = 'Lost answer' and e.type = 'task.submitted'`,
  );
  assert.equal(moves[0].n, 1);
  await page.context().close();
});

test('a page that sleeps sends what waits when the browser says that the network is back, and other work is shown as news comes', async () => {
  const op = await w.operator({ name: 'Bea' }),
    task = await w.accepted(agent, op, {
      title: 'Sleeper',
      task_type: 'DATA_VALIDATION',
      proof_type: 'CONFIRMATION',
      proof_requirements: ['Result'],
    });
  const page = await enter(op, { hash: `#/mine/${task}/proof`, page: { ignore: [/net::ERR/] } });
  await workerReady(page);
  let isDown = true;
  await page.context().route('**/submit', (route) => (isDown ? route.abort('internetdisconnected') : route.fallback()));
  await page.getByLabel('Your confirmation').fill('All twelve items were compared with the window of the shop.');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'Handed in here, on its way');
  await s.until(() => page.evaluate(() => document.querySelector('.notice.warn')?.textContent.includes('No network')));
  isDown = false;
  const cdp = await page.context().newCDPSession(page),
    found = [];
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => found.push(...registrations));
  await cdp.send('ServiceWorker.enable');
  await s.until(() => found.length > 0);
  await cdp.send('ServiceWorker.dispatchSyncEvent', {
    origin: s.base,
    registrationId: found[0].registrationId,
    tag: 'outbox',
    lastChance: false,
  });
  await shows(page, 'What you handed in');
  assert.equal(
    (
      await s.sql(
        `select count(*) as n from events e join tasks t on t.id = e.task_id where t.title = 'Sleeper' and e.type = 'task.submitted'`,
      )
    )[0].n,
    1,
  );
  await page.context().close();
});

test('two pages of one operator at once send one proof', async () => {
  const op = await w.operator({ name: 'Zoe' }),
    title = 'Two pages',
    task = await w.accepted(agent, op, { title }),
    first = await enter(op, { hash: `#/mine/${task}/proof`, page: { ignore: [/net::ERR/] } });
  const second = await first.context().newPage(),
    sent = [];
  first.context().on('request', (request) => {
    if (request.method() === 'POST') sent.push(new URL(request.url()).pathname.split('/').pop());
  });
  await second.goto(`${s.base}/app/#/mine/${task}/proof`);
  await shows(second, 'No photos yet');
  await takePhoto(first);
  await second.locator('.proof-photos img').waitFor();
  await shows(first, 'All photos have arrived');
  await Promise.all([
    button(first, 'Hand in the proof').click(),
    second.evaluate(() => dispatchEvent(new Event('online'))),
  ]);
  await shows(first, 'What you handed in');
  await shows(second, 'What you handed in');
  assert.deepEqual(sent, ['upload', 'submit']);
  await first.context().close();
});
