/*
 * The operators' app in a browser, against the whole service with the Guardian's own rules: from signing up to being paid, with
 * the camera and the position that Chromium fakes; a sealed credential; notifications.  Bad networks are network.test.mjs's.
 */
import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { keyPair, unseal } from '../sealed.mjs';
import { root, stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { button, enterer, here, open, shows, takePhoto, workerReady } from './operator.mjs';
import { World, place } from './world.mjs';

const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] }),
  b = await browser(s);
const enter = enterer(s, b),
  w = new World(s, { screen: () => {} }),
  agent = await w.agent({ deposit: 3000 });

test('an operator signs up, claims by keyboard alone, proves by camera, is believed and paid', async () => {
  const title = 'Sign of the corner shop',
    task = await w.post(agent, { title });
  const page = await b.page({ size: 'phone', context: here });
  await page.goto(`${s.base}/app/`);
  await button(page, 'Create an operator').click();
  await page.getByLabel('Name').fill('Jane Doe');
  await page.getByLabel('E-mail').fill('not an address');
  await button(page, 'Register').click();
  await shows(page, 'must be an e-mail address');
  assert.equal(await page.getByLabel('E-mail').getAttribute('aria-invalid'), 'true');
  await page.getByLabel('E-mail').fill('jane@example.com');
  await button(page, 'Use my position').click();
  await shows(page, 'Set: 40.713, -74.006');
  await page.getByLabel('Verification').check();
  await button(page, 'Register').click();
  await shows(page, 'Your identity is verified');
  await page.getByRole('link', { name: 'See open tasks' }).click();
  /* The claim, without a pointer. */
  const card = page.getByRole('link', { name: title });
  await card.waitFor();
  for (let i = 0; i < 40 && !(await card.evaluate((node) => node === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await shows(page, 'Claim this task');
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    title,
    'the focus is where the new screen begins',
  );
  const hours = page.getByLabel('Hours');
  for (let i = 0; i < 40 && !(await hours.evaluate((node) => node === document.activeElement)); i++)
    await page.keyboard.press('Tab');
  await page.keyboard.type('2');
  await shows(page, 'In total: 2 h');
  await page.keyboard.press('Enter');
  await shows(page, 'Wait for the agent');
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${task}`)).estimate.estimate_minutes, 120);
  /* The agent agrees; the screen learns it by itself. */
  await w.asAgent(agent, 'POST', `/tasks/${task}/estimate/approve`);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await button(page, 'Start now').click();
  await page.getByRole('link', { name: 'Make the proof' }).click();
  await takePhoto(page);
  await shows(page, 'All photos have arrived');
  await page.getByLabel('Notes').fill('The sign is lit and whole.');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'What you handed in');
  const judged = await s.until(async () => {
    const t = await w.asAgent(agent, 'GET', `/tasks/${task}`);
    return t.status === 'COMPLETED' && t;
  });
  assert.equal(judged.guardian_result.decision, 'APPROVE', judged.guardian_result.reasoning);
  const [{ evidence }] = judged.proof.files;
  assert.ok(
    Math.abs(evidence.exif_position.lat - place.lat) < 1e-5 &&
      evidence.exif_distance_m < 5 &&
      evidence.camera.startsWith('HumanOps'),
    JSON.stringify(evidence),
  );
  assert.ok(
    Math.abs(Date.parse(evidence.exif_taken_at) - Date.now()) < 60_000 &&
      evidence.exif_has_zone &&
      evidence.accuracy_m === 8,
  );
  await open(page, '#/earnings');
  await shows(page, 'Next on');
  await s.advance(7 * 86_400 + 60);
  await s.sweep();
  await open(page, '#/profile');
  await open(page, '#/earnings');
  assert.equal(
    await page.locator('.figure').filter({ hasText: 'Available' }).locator('dd').first().textContent(),
    '$25.00',
  );
  await b.check(page);
  await page.context().close();
});

/* As soon as the service has payouts; until then the screens are tried with answers made up (app-screens.test.mjs). */
const hasPayouts = readFileSync(path.join(root, 'fcgi/operator.c'), 'utf8').includes('"/operator/payouts"');

test(
  'what has been earned is paid out to a wallet, fee and net shown before',
  { skip: !hasPayouts && 'this service has no payouts yet' },
  async () => {
    const op = await w.operator({ name: 'Paula' }),
      task = await w.accepted(agent, op, { title: 'Paid work' }),
      file = await w.photo(op, task);
    await w.asOperator(op, 'POST', `/tasks/${task}/submit`, { body: { photos: [file.url] } });
    await w.becomes(agent, task, 'COMPLETED');
    await s.advance(7 * 86_400 + 60);
    await s.sweep();
    const page = await enter(op, { hash: '#/earnings' }),
      wallet = '0x8ba1f109551bD432803012645Ac136ddd64DBA72';
    await page.getByRole('link', { name: 'Pay out', exact: true }).click();
    await page.getByLabel('Amount').fill('9.99');
    await page.getByLabel('Your wallet').fill(`${wallet.slice(0, -1)}3`);
    await button(page, 'See fee and net').click();
    await shows(page, 'The least that is paid out is $10.00.');
    await button(page, 'All of it').click();
    await button(page, 'See fee and net').click();
    await shows(page, 'in USDC');
    await page.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
    await page.getByRole('dialog').getByRole('alert').waitFor();
    await page.keyboard.press('Escape');
    await page.getByLabel('Your wallet').fill(wallet);
    await button(page, 'See fee and net').click();
    await page.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
    await shows(page, 'It has arrived in your wallet.');
    await open(page, '#/earnings');
    await shows(page, 'Paid');
    assert.equal(
      await page.locator('.figure').filter({ hasText: 'Available' }).locator('dd').first().textContent(),
      '$0.00',
    );
    assert.equal(await page.getByRole('link', { name: /^Payout of/ }).count(), 1);
    await b.check(page);
    await page.context().close();
  },
);

test("a credential leaves the page only sealed, and the agent's key opens it", async () => {
  const keys = keyPair(),
    op = await w.operator({ name: 'Karl' });
  const task = await w.accepted(agent, op, {
    title: 'Weather API key',
    description: 'Sign up for the free plan of a weather service.',
    task_type: 'API_KEY_PROCUREMENT',
    proof_type: 'ARTIFACT',
    agent_public_key: keys.publicKey,
    proof_requirements: ['API key'],
    location: undefined,
  });
  const page = await enter(op, { hash: `#/mine/${task}/proof` });
  const bodies = [];
  page.on('request', (request) => bodies.push(request.postData() ?? ''));
  await page.getByText(/^[0-9a-f]{4} [0-9a-f]{4}/).waitFor();
  await button(page, 'Hand in the proof').click();
  await shows(page, 'The credential is missing.');
  await page.getByLabel('api_key').fill('sk_SECRET_€');
  await button(page, 'Another entry').click();
  await page.getByLabel('Name').fill('plan');
  await page.getByLabel('Value').fill('free');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'What you handed in');
  assert.ok(bodies.some((body) => body.includes('ciphertext')) && bodies.every((body) => !body.includes('SECRET')));
  assert.equal(
    (await page.evaluate(async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).includes('SECRET'),
    false,
  );
  const got = await s.until(async () => {
    const t = await s.call('GET', `/tasks/${task}/retrieve-credential`, { key: agent.key });
    return t.status === 200 && t.json;
  });
  assert.deepEqual(unseal(keys, task, got.encrypted_credential), { api_key: 'sk_SECRET_€', plan: 'free' });
  await b.check(page);
  await page.context().close();
});

/* A push service that keeps what it is sent, and the browser's part of the encryption (RFC 8291). */
async function pushService() {
  const ecdh = createECDH('prime256v1'),
    point = ecdh.generateKeys(),
    auth = randomBytes(16),
    service = await s.receiver({ answer: () => ({ status: 201 }) });
  const open1 = (body) => {
    const key = body.subarray(21, 86),
      input = Buffer.from(
        hkdfSync(
          'sha256',
          ecdh.computeSecret(key),
          auth,
          Buffer.concat([Buffer.from('WebPush: info\0'), point, key]),
          32,
        ),
      );
    const part = (info, size) =>
      Buffer.from(hkdfSync('sha256', input, body.subarray(0, 16), Buffer.from(`Content-Encoding: ${info}\0`), size));
    const decipher = createDecipheriv('aes-128-gcm', part('aes128gcm', 16), part('nonce', 12)),
      record = body.subarray(86);
    decipher.setAuthTag(record.subarray(-16));
    const text = Buffer.concat([decipher.update(record.subarray(0, -16)), decipher.final()]);
    return text.subarray(0, text.lastIndexOf(2)).toString();
  };
  return {
    requests: service.requests,
    open: open1,
    subscription: {
      endpoint: `http://127.0.0.1:${service.port}/push/1`,
      keys: { p256dh: point.toString('base64url'), auth: auth.toString('base64url') },
    },
  };
}

test('a notification that the worker sent is shown, and a click on it opens the task', async () => {
  const op = await w.operator({ name: 'Pia' }),
    push = await pushService(),
    task = await w.claimed(agent, op, { title: 'Tell me' });
  const page = await b.page({
    size: 'phone',
    context: { ...here, permissions: [...here.permissions, 'notifications'] },
  });
  /* Chromium has no push service here: what it would give is put in its place. */
  await page.context().addInitScript(
    ([id, subscription]) => {
      localStorage.setItem('humanops.dev.operator', id);
      let current = null;
      PushManager.prototype.getSubscription = async () => current;
      PushManager.prototype.subscribe = async (options) => {
        current = {
          endpoint: subscription.endpoint,
          options: { applicationServerKey: options.applicationServerKey.buffer },
          toJSON: () => subscription,
          unsubscribe: async () => {
            current = null;
            return true;
          },
        };
        return current;
      };
    },
    [op.id, push.subscription],
  );
  await page.goto(`${s.base}/app/#/profile`);
  await workerReady(page);
  await button(page, 'Turn on').click();
  await shows(page, 'Notifications are on.');
  assert.equal(
    (await s.sql(`select count(*) as n from push_subscriptions where endpoint = '${push.subscription.endpoint}'`))[0].n,
    1,
  );
  await w.asAgent(agent, 'POST', `/tasks/${task}/estimate/approve`);
  await s.until(() => push.requests.length > 0);
  const message = push.open(push.requests[0].raw);
  assert.equal(JSON.parse(message).task_id, task);
  const cdp = await page.context().newCDPSession(page),
    versions = [];
  cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => versions.push(...registrations));
  await cdp.send('ServiceWorker.enable');
  await s.until(() => versions.length > 0);
  await cdp.send('ServiceWorker.deliverPushMessage', {
    origin: s.base,
    registrationId: versions[0].registrationId,
    data: message,
  });
  const shown = await s.until(() =>
    page
      .evaluate(async () =>
        (await (await navigator.serviceWorker.ready).getNotifications()).map((n) => ({ title: n.title, tag: n.tag })),
      )
      .then((list) => list.length > 0 && list),
  );
  assert.deepEqual(shown, [{ title: JSON.parse(message).title, tag: task }]);
  const [worker] = page.context().serviceWorkers();
  await worker.evaluate(async () => {
    const [notification] = await self.registration.getNotifications();
    self.dispatchEvent(new NotificationEvent('notificationclick', { notification }));
  });
  await page.waitForURL(`**/app/#/mine/${task}`);
  await button(page, 'Start now').waitFor();
  /* Nonsense from a push service shows something and breaks nothing. */
  await cdp.send('ServiceWorker.deliverPushMessage', {
    origin: s.base,
    registrationId: versions[0].registrationId,
    data: '<not json',
  });
  await s.until(() =>
    page.evaluate(async () =>
      (await (await navigator.serviceWorker.ready).getNotifications()).some((n) => n.title === 'HumanOps'),
    ),
  );
  await open(page, '#/profile');
  await button(page, 'Turn off').click();
  await shows(page, 'Notifications are off.');
  assert.equal(
    (await s.sql(`select count(*) as n from push_subscriptions where endpoint = '${push.subscription.endpoint}'`))[0].n,
    0,
  );
  await b.check(page);
  await page.context().close();
});

test('a claim is withdrawn, a message goes both ways, and work that is not safe is stopped, with a network or without', async () => {
  const op = await w.operator({ name: 'Sam' }),
    first = await w.claimed(agent, op, { title: 'Changed my mind' }),
    second = await w.accepted(agent, op, { title: 'Dark alley' }),
    third = await w.accepted(agent, op, { title: 'Cellar' });
  const page = await enter(op, { hash: `#/mine/${first}`, page: { ignore: [/net::ERR/] } });
  await button(page, 'Withdraw claim').click();
  await page.getByRole('dialog').getByRole('button', { name: 'Withdraw claim' }).click();
  await shows(page, 'Withdrawn.');
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${first}`)).status, 'PENDING');
  await open(page, `#/mine/${second}/messages`);
  await page.getByLabel('Your message').fill('Which door?\n<b>Left</b>?');
  await button(page, 'Send').click();
  await shows(page, '<b>Left</b>?');
  await open(page, `#/mine/${second}`);
  await button(page, 'I do not feel safe').click();
  await page.getByLabel('Note to the agent').fill('A man with a <b>knife</b>.');
  await button(page, 'Stop now').click();
  await shows(page, 'You have stopped, and the agent knows.');
  await page.waitForFunction(() => location.hash === '#/mine');
  const stopped = await w.asAgent(agent, 'GET', `/tasks/${second}`);
  assert.deepEqual(
    [stopped.status, stopped.safety_stops, stopped.events.at(-1).abort_reason, stopped.messages.map((m) => m.message)],
    ['PENDING', 1, 'unsafe', ['Which door?\n<b>Left</b>?', 'A man with a <b>knife</b>.']],
  );
  /* In a cellar; the first time the operator thinks better of it. */
  await open(page, `#/mine/${third}`);
  await shows(page, 'Make the proof');
  await page.context().setOffline(true);
  const giveBack = async () => {
    await button(page, 'I cannot finish this').click();
    await button(page, 'Give it back').click();
    await shows(page, 'the agent is told as soon as this device has a network');
  };
  await giveBack();
  await button(page, 'Go on after all').click();
  await shows(page, 'You go on.');
  await giveBack();
  await open(page, '#/mine');
  await shows(page, 'Stopped');
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${third}`)).status, 'ACCEPTED', 'nobody can know yet');
  await open(page, '#/profile');
  await button(page, 'Sign out').click();
  await shows(page, 'The agent does not know yet');
  await page.keyboard.press('Escape');
  await open(page, '#/mine');
  await page.context().setOffline(false);
  await w.becomes(agent, third, 'PENDING');
  const told = await w.asAgent(agent, 'GET', `/tasks/${third}`);
  assert.deepEqual([told.safety_stops, told.events.filter((e) => e.type === 'task.aborted').length], [0, 1]);
  await page.getByRole('link', { name: 'Cellar' }).waitFor({ state: 'detached' });
  /* Who comes next is warned. */
  await open(page, `#/tasks/${second}`);
  await shows(page, 'An operator stopped here because it did not feel safe.');
  await b.check(page);
  await page.context().close();
});

test('who is faster gets the task, and the other is told so', async () => {
  const op = await w.operator({ name: 'Slow' }),
    other = await w.operator({ name: 'Fast' }),
    task = await w.post(agent, { title: 'Only one' });
  const page = await enter(op, { hash: `#/tasks/${task}` });
  await w.asOperator(other, 'POST', `/tasks/${task}/accept`, { body: { estimate_hours: 1 } });
  await button(page, '1 h').click();
  await button(page, 'Claim with this estimate').click();
  await page.getByRole('alert').filter({ hasText: 'Somebody else was faster' }).waitFor();
  await page.context().close();
});

test('a file that the server will not have is said so beside it, and the rest can go', async () => {
  const op = await w.operator({ name: 'Fritz' }),
    task = await w.accepted(agent, op, { title: 'Bad file' });
  const page = await enter(op, { hash: `#/mine/${task}/proof` });
  await page
    .locator('input[type=file]')
    .setInputFiles([{ name: 'half.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('ffd8ffe000104a464946', 'hex') }]);
  await shows(page, 'The picture cannot be read.');
  await button(page, 'Hand in the proof').click();
  await page.getByRole('alert').filter({ hasText: 'A photo cannot be used.' }).waitFor();
  await button(page, 'Remove photo 1').click();
  await takePhoto(page);
  await shows(page, 'All photos have arrived');
  await button(page, 'Hand in the proof').click();
  await shows(page, 'What you handed in');
  await page.context().close();
});
