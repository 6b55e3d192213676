/*
 * The staff console in a browser, against the whole service: signing in, an identity checked, a dispute resolved, an
 * appeal decided, an account suspended, the books read.  Every screen passes axe in both sizes and both colour
 * schemes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { model } from '../model.mjs';
import { stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { World, ok, settings } from './world.mjs';

const m = await model(),
  s = await stack({ settings: settings(m) }),
  w = new World(s, m),
  b = await browser(s);
const agent = await w.agent(),
  op = await w.operator();

const staff = async (method, where, body) => ok(w.staff(method, where, body));

/* Signed in, at an address of the console. */
async function enter(hash = '#/', options = {}) {
  const page = await b.page(options);
  await page.goto(`${s.base}/staff/${hash}`);
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main[data-ready]').waitFor();
  return page;
}

/* Another screen, once it is there. */
async function open(page, hash) {
  const before = await page.locator('main').getAttribute('data-ready');
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForFunction((was) => document.querySelector('main').dataset.ready !== was, before);
}

const title = (page) => page.locator('main h1').textContent();

test('only the admin key opens the console, and nothing keeps it', async () => {
  const page = await b.page();
  await page.goto(`${s.base}/staff/`);
  await b.screens(page, 'staff-sign-in');
  await page.getByLabel('Admin key').fill('not the key');
  await page.keyboard.press('Enter');
  await page.getByText('This is not the admin key').waitFor();
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const kept = await page.evaluate(async () =>
    JSON.stringify([
      { ...localStorage },
      { ...sessionStorage },
      document.cookie,
      location.href,
      (await indexedDB.databases()).length,
      (await caches.keys()).length,
    ]),
  );
  assert.equal(kept.includes(s.settings.ADMIN_API_KEY), false);
  await page.reload();
  await page.getByLabel('Admin key').waitFor();
  assert.equal(await page.getByLabel('Admin key').inputValue(), '');
  await b.check(page);
  await page.context().close();
});

test('staff resolves a dispute by a split, with both sides, the proof and its evidence before it', async () => {
  const task = await w.submitted(agent, op, { confidence: 20 });
  await w.becomes(agent, task, 'DISPUTED');
  await w.message(agent, task, 'The sign cannot be read on either photo.');
  await w.asOperator(op, 'POST', `/tasks/${task}/messages`, {
    body: { message: 'It was half covered by scaffolding.' },
  });
  const page = await enter('#/disputes');
  await page.getByRole('link', { name: 'Verify storefront signage' }).click();
  await page.getByRole('heading', { name: 'What was delivered' }).waitFor();
  for (const text of [
    'The sign cannot be read on either photo.',
    'It was half covered by scaffolding.',
    'Sign confirmed at the location',
    'Camera’s position: 40 m from the task',
  ])
    assert.equal(await page.getByText(text).count(), 1, text);
  const pictures = page.locator('.proof-files img');
  assert.equal(await pictures.count(), 2);
  await pictures.first().scrollIntoViewIfNeeded();
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.proof-files img')].every((i) => i.complete && i.naturalWidth > 0),
  );
  await b.screens(page, 'staff-dispute');
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByText('Choose one of the three.').waitFor();
  await page.getByLabel('Split the reward').check();
  await page.getByLabel('The operator’s part').fill('25');
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByText('An amount between $0.01 and $24.99.').waitFor();
  await page.getByLabel('The operator’s part').fill('10.50');
  await page.getByText('The operator receives $10.50, the agent gets back $14.50').waitFor();
  await page.getByLabel('Note to both sides').fill('Half of the sign can be read.');
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await b.screen(page, 'staff-dispute-confirm', { full: false });
  await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
  await page.getByText('The dispute is resolved').first().waitFor();
  await page.getByText('the operator received $10.50').waitFor();
  const { dispute, status } = await w.asAgent(agent, 'GET', `/tasks/${task}`);
  assert.deepEqual(
    [status, dispute.resolution],
    ['COMPLETED', { resolution: 'SPLIT', operator_usd: 10.5, note: 'Half of the sign can be read.' }],
  );
  assert.deepEqual((await staff('GET', '/log')).data[0].act, 'resolve');
  await b.screens(page, 'staff-dispute-resolved', { axe: true });
  await page.context().close();
});

test('the other two resolutions, and one that someone else was faster with', async () => {
  const page = await enter('#/disputes');
  for (const [choice, status, keep] of [
    ['Pay the operator', 'COMPLETED', 25],
    ['Refund the agent', 'CANCELLED', 0],
  ]) {
    const task = await w.disputed(agent, op);
    await open(page, `#/disputes/${task}`);
    await page.getByLabel(choice).check();
    await page.getByRole('button', { name: 'Resolve', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
    await page.getByText(`the operator received $${keep}.00`).waitFor();
    assert.equal((await w.asAgent(agent, 'GET', `/tasks/${task}`)).status, status);
  }
  const task = await w.disputed(agent, op);
  await open(page, `#/disputes/${task}`);
  await staff('POST', `/tasks/${task}/resolve`, { resolution: 'REFUND_AGENT' });
  await page.getByLabel('Pay the operator').check();
  await page.getByRole('button', { name: 'Resolve', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Resolve' }).click();
  await page.locator('.toast').getByText("The task's present status does not allow this.").waitFor();
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${task}`)).status, 'CANCELLED', 'the first decision stands');
  await open(page, '#/disputes');
  await b.screens(page, 'staff-disputes-empty');
  await page.context().close();
});

test('an identity is checked: rejected with a note, then verified; the queue is worked by keyboard alone', async () => {
  const people = [];
  for (const name of ['Ana Lima', 'Ben Okafor', 'Chris Yamada'])
    people.push(
      await w.operator({
        name,
        email: `${name.split(' ')[0].toLowerCase()}@example.com`,
        city: 'Lisbon',
        country: 'PT',
      }),
    );
  await s.sql(`update operators set kyc_status = 'PENDING' where name in ('Ana Lima', 'Ben Okafor', 'Chris Yamada')`);
  const page = await enter('#/operators');
  assert.equal(await page.locator('[data-operator]').count(), 3);
  await b.screens(page, 'staff-operators');
  const card = page.locator(`[data-operator="${people[0].id}"]`);
  await card.getByRole('button', { name: 'Reject' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await b.screens(page, 'staff-kyc-dialog', { full: false });
  await page.keyboard.type('The document has expired.');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.locator('.toast').getByText('Ana Lima: rejected').waitFor();
  const me = await w.asOperator(people[0], 'GET', '/me');
  assert.deepEqual([me.kyc_status, me.kyc_note], ['REJECTED', 'The document has expired.']);
  await open(page, '#/operators?kyc_status=REJECTED');
  await card.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Verify' }).click();
  await page.locator('.toast').getByText('Ana Lima: verified').waitFor();
  assert.equal((await w.asOperator(people[0], 'GET', '/me')).kyc_status, 'VERIFIED');
  await b.check(page);
  await page.context().close();
});

test('an account is suspended by its id and works again once that is lifted', async () => {
  const other = await w.agent({ deposit: 50 }),
    page = await enter('#/accounts');
  const tasks = () => s.call('GET', '/tasks', { key: other.key });
  await page.getByLabel('Account').fill('task_1');
  await page.getByRole('button', { name: 'Suspend…' }).click();
  await page.getByText('An agent’s id begins with agent_').waitFor();
  await b.screens(page, 'staff-suspending');
  await page.getByLabel('Account').fill(other.id);
  await page.getByRole('button', { name: 'Suspend…' }).click();
  await page.getByLabel('Reason, for the audit log').fill('Asked for passwords of others.');
  await page.getByRole('dialog').getByRole('button', { name: 'Suspend' }).click();
  await page.locator('.toast').getByText(`${other.id} is suspended`).waitFor();
  assert.equal((await tasks()).status, 403);
  await page.getByRole('button', { name: 'Lift suspension…' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click();
  await page.locator('.toast').getByText(`${other.id} works again`).waitFor();
  assert.equal((await tasks()).status, 200);
  await open(page, '#/log');
  assert.match(await page.locator('main table').textContent(), /Asked for passwords of others\./);
  await b.screens(page, 'staff-log');
  await page.context().close();
});

test('an appeal against the screening is allowed', async () => {
  m.screen({ category: 'FRAUD', reason: 'It reads like a scheme.' });
  const body = {
    title: 'Collect five signatures',
    description: 'Ask five shop owners to sign our petition for a bicycle lane.',
    location: { lat: 40.7, lng: -74, address: 'Main St' },
    reward_usd: 20,
    deadline: await s.time(86_400),
    proof_requirements: ['Photo of the list'],
    task_type: 'VERIFICATION',
  };
  const blocked = await s.call('POST', '/tasks', { key: agent.key, body });
  assert.equal(blocked.status, 422, blocked.text);
  await w.asAgent(agent, 'POST', '/tasks/appeals', {
    screening_id: blocked.json.details.screening_id,
    reason: 'Petitions are lawful; the owners know who asks.',
  });
  const page = await enter('#/appeals');
  await b.screens(page, 'staff-appeals');
  await page.getByRole('button', { name: 'Allow the task' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Allow' }).click();
  await page.getByRole('heading', { name: 'No appeals' }).waitFor();
  assert.equal((await s.call('POST', '/tasks', { key: agent.key, body })).status, 201);
  m.screen({});
  await b.check(page);
  await page.context().close();
});

test('the ledger audit shows its figures, and what is broken', async () => {
  const page = await enter('#/ledger');
  const [{ total }] = await s.sql(
    `select -sum(balance) / 1000000.0 as total from accounts where kind = 'usdc_custody'`,
  );
  const row = page.locator('tr', { hasText: 'USDC custody' });
  assert.match(
    await row.textContent(),
    new RegExp(`−\\$${Number(total).toLocaleString('en-US', { minimumFractionDigits: 2 })}`),
  );
  await page.getByText('The books balance').waitFor();
  await b.screens(page, 'staff-ledger');
  await s.sql(
    `update accounts set balance = balance + 1500000 where bucket = ${agent.bucket} and party_id = '${agent.uuid}' and kind = 'deposit'`,
  );
  await page.getByRole('button', { name: 'Audit again' }).click();
  await page.getByText('The books do not balance').waitFor();
  await page.locator('tr', { hasText: 'A balance differs from its postings' }).getByText('+$1.50').waitFor();
  await b.screens(page, 'staff-ledger-broken');
  await s.sql(
    `update accounts set balance = balance - 1500000 where bucket = ${agent.bucket} and party_id = '${agent.uuid}' and kind = 'deposit'`,
  );
  await page.context().close();
});

test('overview, stuck payouts and failed webhooks', async () => {
  const sink = await s.receiver({ answer: () => ({ status: 410 }) });
  const task = await w.post(agent, { callback_url: sink.url });
  await w.asAgent(agent, 'POST', `/tasks/${task}/cancel`);
  await s.until(async () => (await staff('GET', '/webhooks/failed')).data.length === 1);
  const page = await enter('#/');
  await b.screens(page, 'staff-overview');
  await open(page, '#/webhooks');
  assert.match(await page.locator('main table').textContent(), /task\.cancelled/);
  await b.screens(page, 'staff-webhooks');
  await open(page, '#/payouts');
  assert.equal(await title(page), 'Payouts');
  await b.screens(page, 'staff-payouts');
  await open(page, '#/no/such/screen');
  assert.equal(await title(page), 'Nothing is here');
  await b.check(page);
  await page.context().close();
});

test('on a phone the sections open by a button, and every one of them is reached by keyboard', async () => {
  const page = await enter('#/', { size: 'phone' }),
    menu = page.getByRole('button', { name: 'Menu' }),
    nav = page.getByRole('navigation', { name: 'Sections' });
  assert.equal(await nav.isVisible(), false);
  await menu.focus();
  await page.keyboard.press('Enter');
  assert.deepEqual([await nav.isVisible(), await menu.getAttribute('aria-expanded')], [true, 'true']);
  await b.screen(page, 'staff-menu-phone', { full: false });
  const reached = new Set();
  for (let n = 0; n < 14; n++) {
    await page.keyboard.press('Tab');
    reached.add(await page.evaluate(() => document.activeElement.getAttribute('href')));
  }
  for (const section of [
    '/',
    '/operators',
    '/disputes',
    '/appeals',
    '/payouts',
    '/webhooks',
    '/ledger',
    '/accounts',
    '/log',
  ])
    assert.ok(reached.has(`#${section}`), section);
  await nav.getByRole('link', { name: 'Audit log' }).press('Enter');
  await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  assert.equal(await nav.isVisible(), false, 'the menu closes behind one');
  assert.equal(
    await page.evaluate(() => document.activeElement.textContent),
    'Audit log',
    'the new screen has the focus',
  );
  await page.setViewportSize({ width: 320, height: 640 });
  for (const hash of ['#/', '#/operators', '#/ledger', '#/log']) {
    await open(page, hash);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 320, `${hash} at 320 px`);
  }
  await page.context().close();
});

test('a colour scheme that was chosen stays, whatever the system says', async () => {
  const page = await enter();
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByLabel('Colours').selectOption('dark');
  assert.notEqual(await ground(), light);
  await page.reload();
  await page.getByLabel('Admin key').waitFor();
  assert.notEqual(await ground(), light);
  await b.screen(page, 'staff-chosen-dark');
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.evaluate(() => localStorage.setItem('humanops.theme', 'light'));
  await page.reload();
  await page.getByLabel('Admin key').waitFor();
  assert.equal(await ground(), light);
  await page.context().close();
});

test('a lost connection is said, and what was there comes back on trying again', async () => {
  const page = await enter('#/disputes', { ignore: [/ERR_INTERNET_DISCONNECTED/] });
  await page.context().setOffline(true);
  await open(page, '#/log');
  await page.getByRole('heading', { name: 'You are offline' }).waitFor();
  await b.screen(page, 'staff-offline');
  await page.context().setOffline(false);
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('heading', { name: 'Audit log' }).waitFor();
  await page.context().close();
});
