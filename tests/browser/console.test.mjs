/*
 * The agents' console in a browser, against the whole service: registering, posting a task and seeing it complete,
 * the same call by curl, an estimate, a verdict, a dispute, messages, a rating, keys, deposits, webhooks, and a
 * credential that only the page can open.  Every screen passes axe in both sizes and both colour schemes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { model } from '../model.mjs';
import { seal } from '../sealed.mjs';
import { stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { World, ok, place, settings } from './world.mjs';

const m = await model(),
  s = await stack({ settings: settings(m) }),
  w = new World(s, m),
  b = await browser(s);
const agent = await w.agent({ name: 'Storefront checker' }),
  op = await w.operator();
const run = promisify(execFile);

async function enter(key, hash = '#/', options = {}) {
  const page = await b.page(options);
  await page.goto(`${s.base}/console/${hash}`);
  await page.getByLabel('API key').fill(key);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.locator('main[data-ready]').waitFor();
  return page;
}

async function open(page, hash) {
  const before = await page.locator('main').getAttribute('data-ready');
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForFunction((was) => document.querySelector('main').dataset.ready !== was, before);
}

const toast = (page, text) => page.locator('.toast').getByText(text).first().waitFor();
const inDialog = (page, name) => page.getByRole('dialog').getByRole('button', { name, exact: true });

async function fillTask(page, { title = 'Photo of the shop window', reward = '5.00' } = {}) {
  await page.getByLabel('Title').fill(title);
  await page
    .getByLabel('Description')
    .fill('Take a photo of the whole window.\nIt\'s on the corner; "Main" is written above it.');
  await page.getByLabel('Address', { exact: true }).fill(place.address);
  await page.getByLabel('Latitude').fill(String(place.lat));
  await page.getByLabel('Longitude').fill(String(place.lng));
  await page.getByLabel('Reward in dollars').fill(reward);
}

test('an agent is registered, posts a simulated task and sees it complete; the key is kept nowhere', async () => {
  const page = await b.page();
  await page.goto(`${s.base}/console/`);
  await b.screens(page, 'console-sign-in');
  await page.getByLabel('API key').fill('ho_live_nonsense');
  await page.keyboard.press('Enter');
  await page.getByText('This API key is not known here').waitFor();
  await page.getByRole('button', { name: 'Register one' }).click();
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.locator('.fault').first().waitFor();
  assert.equal(await page.locator('.fault:visible').count(), 2, 'name and e-mail address are missing');
  await b.screens(page, 'console-register');
  await page.getByLabel('Name of the agent').fill('Window watcher');
  await page.getByLabel('E-mail address').fill('watcher@example.com');
  await page.getByRole('button', { name: 'Register', exact: true }).click();
  await page.getByRole('heading', { name: 'The agent is registered' }).waitFor();
  const key = await page.locator('pre code').textContent();
  assert.match(key, /^ho_live_[0-9a-z]+$/);
  await b.screens(page, 'console-registered');
  await page.getByRole('button', { name: 'Open the console' }).click();
  await page.getByText('Verify your e-mail address').waitFor();
  await b.screens(page, 'console-overview-new');
  await page.getByRole('link', { name: 'Post a task' }).first().click();
  await page.getByRole('heading', { name: 'Post a task' }).waitFor();
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.locator('.fault:visible').first().waitFor();
  await b.screens(page, 'console-post-faults');
  await fillTask(page);
  await page.getByText('Set aside', { exact: true }).waitFor();
  await b.screens(page, 'console-post');
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.locator('main .badge', { hasText: 'Completed' }).waitFor();
  await page.getByText('Guardian’s verdict').waitFor();
  await page.waitForFunction(
    () =>
      [...document.querySelectorAll('.proof-files img')].every((i) => i.complete && i.naturalWidth > 0) &&
      document.querySelector('.proof-files img'),
  );
  await b.screens(page, 'console-task-sandbox');
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
  assert.equal(kept.includes(key), false);
  await page.reload();
  assert.equal(await page.getByLabel('API key').inputValue(), '');
  await page.context().close();
});

test('the curl command beside the form is the same call: run by a shell it is the same task, once', async () => {
  const page = await enter(agent.key, '#/post');
  await fillTask(page, { title: 'It\'s $HOME `id` "quoted" \\ & <b>', reward: '12.50' });
  await page.getByText('Set aside', { exact: true }).waitFor();
  assert.match(await page.locator('.sticky').textContent(), /\$13\.75/, 'reward and ten percent');
  const command = await page.locator('.curl code').textContent();
  assert.equal(command.includes(agent.key), false);
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.getByRole('heading', { name: "It's $HOME" }).waitFor();
  const id = new URL(page.url()).hash.split('/').at(-1);
  const { stdout } = await run(
    'bash',
    ['-c', command.replace(/^curl/, `curl -sS --cacert ${s.state}/tls/certificate.pem`)],
    { env: { ...process.env, HUMANOPS_API_KEY: agent.key } },
  );
  assert.equal(JSON.parse(stdout).task_id, id);
  const shown = await w.asAgent(agent, 'GET', `/tasks/${id}`);
  assert.deepEqual(
    [shown.title, shown.description],
    [
      'It\'s $HOME `id` "quoted" \\ & <b>',
      'Take a photo of the whole window.\nIt\'s on the corner; "Main" is written above it.',
    ],
  );
  await page.getByRole('button', { name: 'Cancel the task' }).click();
  await inDialog(page, 'Cancel the task').click();
  await page.getByText('what was set aside is back in the deposit').waitFor();
  await b.check(page);
  await page.context().close();
});

test('an estimate is approved, messages go both ways, the work is approved by hand, rated, and its receipt saved', async () => {
  const task = await w.claimed(agent, op),
    page = await enter(agent.key, '#/');
  await page.getByRole('heading', { name: 'Waiting for your answer' }).waitFor();
  await b.screens(page, 'console-overview');
  await open(page, `#/tasks/${task}`);
  await page.getByText('2 h 30 min are estimated: “I work two streets away.”').waitFor();
  await b.screens(page, 'console-estimate');
  await page.getByRole('button', { name: 'Approve the estimate' }).click();
  await page.locator('main .badge', { hasText: 'Accepted' }).waitFor();
  await page.getByLabel('Message to the operator').fill('The shop closes at six.');
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.locator('.bubble.own', { hasText: 'The shop closes at six.' }).waitFor();
  await w.asOperator(op, 'POST', `/tasks/${task}/messages`, { body: { message: 'I am on my way.' } });
  await page.locator('.bubble', { hasText: 'I am on my way.' }).waitFor();
  m.verify(70);
  await w.asOperator(op, 'POST', `/tasks/${task}/start`);
  const files = [await w.photo(op, task), await w.photo(op, task, { offset: 0.001 })].map((f) => f.url);
  await w.asOperator(op, 'POST', `/tasks/${task}/submit`, { body: { photos: files, notes: 'Both sides.' } });
  await page.getByText('The Guardian is not sure').waitFor();
  await page.getByText('Camera’s position: 110 m from the task').waitFor();
  await b.screens(page, 'console-review');
  await page.getByRole('button', { name: 'Approve the proof' }).click();
  await inDialog(page, 'Approve').click();
  await page.locator('main .badge', { hasText: 'Completed' }).waitFor();
  await page.getByRole('button', { name: 'Rate the work' }).click();
  await b.screen(page, 'console-rate', { full: false });
  await page.getByRole('dialog').getByLabel('4 of 5').check();
  await page.getByRole('dialog').getByLabel('Comment').fill('Quick.');
  await inDialog(page, 'Rate').click();
  await toast(page, 'Thank you.');
  assert.equal((await w.asAgent(agent, 'GET', `/tasks/${task}`)).rating, 4);
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download the receipt' }).click();
  const receipt = readFileSync(await (await saving).path(), 'utf8');
  const [head, body, signature] = receipt.split('.'),
    { keys } = (await s.call('GET', '/.well-known/jwks.json', { whole: true })).json;
  assert.ok(
    verify(
      'sha256',
      Buffer.from(`${head}.${body}`),
      { key: createPublicKey({ key: keys[0], format: 'jwk' }), dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    ),
  );
  assert.equal(JSON.parse(Buffer.from(body, 'base64url')).sub, task);
  await b.check(page);
  await page.context().close();
});

test('an estimate is rejected, a proof is rejected, and finished work is disputed', async () => {
  const first = await w.claimed(agent, op),
    page = await enter(agent.key, `#/tasks/${first}`);
  await page.getByRole('button', { name: 'Reject the estimate' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('Too long.');
  await inDialog(page, 'Reject').click();
  await page.locator('main .badge', { hasText: 'Pending' }).waitFor();
  const second = await w.judged(agent, await w.submitted(agent, op, { confidence: 70 }));
  await open(page, `#/tasks/${second}`);
  await page.getByRole('button', { name: 'Reject the proof' }).click();
  await page.getByRole('dialog').getByLabel('Reason').fill('The sign cannot be read.');
  await inDialog(page, 'Reject').click();
  await page.getByText('In dispute: The sign cannot be read.').waitFor();
  const third = await w.completed(agent, op);
  await open(page, `#/tasks/${third}`);
  await page.getByRole('button', { name: 'Dispute', exact: true }).click();
  await inDialog(page, 'Dispute').click();
  await page.getByRole('dialog').locator('.fault:visible').waitFor();
  await page.getByRole('dialog').getByLabel('What is wrong').fill('It is another shop.');
  await inDialog(page, 'Dispute').click();
  await page.getByText('In dispute: It is another shop.').waitFor();
  await b.screens(page, 'console-disputed');
  await ok(w.staff('POST', `/tasks/${third}/resolve`, { resolution: 'SPLIT', operator_usd: 5, note: 'Half right.' }));
  await open(page, '#/tasks');
  await b.screens(page, 'console-tasks');
  await open(page, `#/tasks/${third}`);
  await page.getByText('Staff has decided: the operator keeps $5.00. Half right.').waitFor();
  await b.check(page);
  await page.context().close();
});

test('an operator who stops is seen with the reason, the last words and what it means', async () => {
  const task = await w.accepted(agent, op),
    page = await enter(agent.key, `#/tasks/${task}`);
  await page.locator('main .badge', { hasText: 'Accepted' }).waitFor();
  await w.asOperator(op, 'POST', `/tasks/${task}/abort`, { body: { reason: 'unsafe', note: 'The stairs are broken.' } });
  await page.getByText('Operator stopped: did not feel safe').waitFor();
  await page.getByText('The stairs are broken.').waitFor();
  await page.getByText('An operator stopped here and did not feel safe.').waitFor();
  await page.locator('main .badge', { hasText: 'Pending' }).waitFor();
  await b.screens(page, 'console-stopped');
  await page.context().close();
});

test('a credential task: the key pair is made in the page, saved as a file, and opens what the operator sealed', async () => {
  const page = await enter(agent.key, '#/post');
  await page.getByLabel('Kind of task').selectOption('API_KEY_PROCUREMENT');
  await page.getByRole('button', { name: 'Save the private key' }).waitFor();
  await page.getByLabel('Title').fill('API key of Acme');
  await page.getByLabel('Description').fill('Sign up and bring the key.');
  await page.getByLabel('Instructions').fill('1. Go to acme.example/signup');
  await page.getByLabel('Reward in dollars').fill('50');
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.getByText('Save the private key first').waitFor();
  await b.screens(page, 'console-post-credential');
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the private key' }).click();
  const file = readFileSync(await (await saving).path()),
    saved = JSON.parse(file);
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.getByRole('heading', { name: 'API key of Acme' }).waitFor();
  const id = new URL(page.url()).hash.split('/').at(-1),
    posted = await w.asAgent(agent, 'GET', `/tasks/${id}`);
  assert.equal(posted.agent_public_key, saved.publicKey);
  m.verify(95);
  await w.asOperator(op, 'POST', `/tasks/${id}/accept`, { body: { estimate_hours: 1 } });
  await w.asAgent(agent, 'POST', `/tasks/${id}/estimate/approve`);
  const secret = { api_key: 'sk_<b>1</b>', dashboard_url: 'https://acme.example/d' };
  await w.asOperator(op, 'POST', `/tasks/${id}/submit`, {
    body: { encrypted_credential: seal(posted.agent_public_key, id, secret) },
  });
  await w.s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${id}`)).guardian_result);
  if ((await w.asAgent(agent, 'GET', `/tasks/${id}`)).status === 'SUBMITTED')
    await w.asAgent(agent, 'POST', `/tasks/${id}/verify`, { decision: 'APPROVE' });
  await page.getByRole('button', { name: 'Open with the key of this visit' }).click();
  await page.getByText('sk_<b>1</b>').waitFor();
  await b.screens(page, 'console-credential');
  await page.getByRole('button', { name: 'Hide' }).click();
  await page.context().close();

  const later = await enter(agent.key, `#/tasks/${id}`);
  await later
    .getByLabel('Open with a key file')
    .setInputFiles({ name: 'k.json', mimeType: 'application/json', buffer: Buffer.from('{"privateKey":{}}') });
  await toast(later, 'This is not a key file of this console.');
  await later
    .getByLabel('Open with a key file')
    .setInputFiles({ name: 'k.json', mimeType: 'application/json', buffer: file });
  await later.getByText('https://acme.example/d').waitFor();
  await b.check(later);
  await later.context().close();
});

test('keys: one with a budget and scopes is made, shown once, used, and revoked', async () => {
  const page = await enter(agent.key, '#/keys');
  await page.getByRole('button', { name: 'New key' }).click();
  const dialog = page.getByRole('dialog');
  for (const box of await dialog.getByRole('checkbox').all()) await box.uncheck();
  await inDialog(page, 'Make the key').click();
  await dialog.getByText('A key without a scope can do nothing.').waitFor();
  await dialog.locator('[value="read"]').check();
  await dialog.getByLabel('Name').fill('report');
  await dialog.getByLabel('Budget a day').fill('75.50');
  await b.screens(page, 'console-key-dialog', { full: false });
  await inDialog(page, 'Make the key').click();
  await page.getByRole('heading', { name: 'Keep this key now' }).waitFor();
  await page.keyboard.press('Escape');
  const key = await page.getByRole('dialog').locator('pre code').textContent();
  await b.screen(page, 'console-key-made', { full: false });
  await inDialog(page, 'I have kept it').click();
  await page.getByText('$75.50').waitFor();
  assert.equal((await s.call('GET', '/agents/balance', { key })).status, 200);
  assert.equal((await s.call('GET', '/agents/keys', { key })).json.code, 'scope_missing');
  await b.screens(page, 'console-keys');
  const limited = await enter(key, '#/keys');
  await limited.getByText('This API key may not make this call.').waitFor();
  await page.getByRole('button', { name: /^Revoke report/ }).click();
  await inDialog(page, 'Revoke').click();
  await toast(page, 'The key is revoked.');
  await limited.evaluate(() => {
    location.hash = '#/tasks';
  });
  await limited.locator('.toast').getByText('The key is no longer accepted.').waitFor();
  await limited.getByLabel('API key').waitFor();
  await b.check(page);
  await page.context().close();
  await limited.context().close();
});

test('webhooks: the log, a failed one sent again; activity and statement with chart and file', async () => {
  let isDown = true;
  const sink = await s.receiver({ answer: () => ({ status: isDown ? 410 : 204 }) });
  const task = await w.post(agent, { callback_url: sink.url, callback_secret: 'shh' });
  await w.asAgent(agent, 'POST', `/tasks/${task}/cancel`);
  await s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${task}/webhooks`)).data[0]?.state === 'failed');
  const page = await enter(agent.key, '#/webhooks');
  await page.locator('summary').first().click();
  await page.getByText('status 410').waitFor();
  await b.screens(page, 'console-webhooks');
  isDown = false;
  await page.getByRole('button', { name: 'Send again' }).click();
  await s.until(() => sink.requests.length === 2);
  await s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${task}/webhooks`)).data[0].state === 'delivered');
  await open(page, `#/tasks/${task}`);
  await page.locator('.badge', { hasText: 'Delivered' }).waitFor();
  await open(page, '#/activity');
  await b.screens(page, 'console-activity');
  await open(page, '#/statement');
  await b.screens(page, 'console-statement');
  const entries = (await w.asAgent(agent, 'GET', '/agents/transactions?limit=100')).data;
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Download CSV' }).click();
  const rows = readFileSync(await (await saving).path(), 'utf8')
    .trim()
    .split('\r\n');
  assert.deepEqual([rows.length - 1, rows[0].split(',')[0]], [entries.length, 'transaction_id']);
  const spent =
    entries
      .filter((e) => e.task_id)
      .reduce((sum, e) => sum - Math.round(e.deposit_change_usd * 100) - Math.round(e.escrow_change_usd * 100), 0) /
    100;
  assert.match(
    await page.locator('main').textContent(),
    new RegExp(`\\$${spent.toLocaleString('en-US', { minimumFractionDigits: 2 })} in 30 days`),
  );
  await b.check(page);
  await page.context().close();
});

test('a deposit by card in test mode is credited at once; a bad amount is told beside its field', async () => {
  const other = await s.agent({ tier: 'VERIFIED' }),
    page = await enter(other.key, '#/deposit');
  const form = page.locator('form', { hasText: 'Bank transfer' });
  await form.getByLabel('Amount in dollars').fill('1');
  await form.getByRole('button', { name: 'Deposit' }).click();
  await form.locator('.fault:visible').waitFor();
  await form.getByLabel('Amount in dollars').fill('120');
  await form.getByRole('button', { name: 'Deposit' }).click();
  await page.getByText('$120.00 in deposit').waitFor();
  await b.screens(page, 'console-deposit');
  assert.deepEqual(await w.asAgent(other, 'GET', '/agents/balance'), {
    deposit_balance: 120,
    escrow_balance: 0,
    currency: 'USD',
  });
  await b.check(page);
  await page.context().close();
});

test('a task that screening blocks can be put before staff from the form', async () => {
  const page = await enter(agent.key, '#/post');
  m.screen({ category: 'FRAUD', reason: 'It reads like a scheme.' });
  await fillTask(page, { title: 'Collect signatures in the square', reward: '15' });
  await page.getByRole('button', { name: 'Post the task' }).click();
  await page.getByText('It reads like a scheme.').waitFor();
  await page.getByLabel('Why it should be allowed').fill('It is a petition for a bicycle lane.');
  await b.screens(page, 'console-blocked');
  await page.getByRole('button', { name: 'Put it before staff' }).click();
  await page.getByText('Staff will look at it').waitFor();
  m.screen({});
  assert.equal((await ok(w.staff('GET', '/appeals'))).data.length, 1);
  await b.check(page);
  await page.context().close();
});
