/*
 * The landing page, the documentation and the API reference in a browser: every page passes axe in both sizes and both colour
 * schemes and keeps to its content policy; code can be copied, languages chosen, the reference read; and the landing page is light.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pages } from '../docs.mjs';
import { operations } from '../openapi.mjs';
import { stack } from '../stack.mjs';
import { browser } from './browser.mjs';

const s = await stack(),
  b = await browser(s);

async function open(where, options) {
  const page = await b.page(options);
  await page.goto(`${s.base}${where}`);
  return page;
}

test('the landing page', async () => {
  const page = await open('/');
  await b.screens(page, 'landing');
  assert.equal(
    await page.locator('[data-origin]').first().textContent(),
    s.base,
    'its commands name this installation',
  );
  for (const name of ['Try it in the sandbox', 'Work as an operator', 'Console', 'Run it yourself']) {
    const where = await page.getByRole('link', { name, exact: true }).first().getAttribute('href');
    assert.equal((await page.request.get(`${s.base}${where}`)).status(), 200, where);
  }
});

for (const { name } of pages) {
  test(`documentation: ${name}`, async () => {
    const page = await open(`/docs/${name}`);
    await b.screens(page, `docs-${name.replace('.html', '')}`);
  });
}

test('the documentation at 320 px', async () => {
  const page = await open('/', { context: { viewport: { width: 320, height: 640 } } });
  for (const where of ['/', '/docs/quickstart.html', '/docs/lifecycle.html', '/docs/errors.html']) {
    await page.goto(`${s.base}${where}`);
    await b.screen(page, `narrow-${where.replace(/\W+/g, '-')}`, { axe: false });
  }
});

test('languages are chosen by click and by key, for all examples at once and for later', async () => {
  const page = await open('/docs/quickstart.html');
  const shown = () =>
    page.locator('.tabs > section:visible').evaluateAll((list) => list.map((section) => section.dataset.tab));
  assert.deepEqual(await shown(), ['curl', 'js']);
  await page.getByRole('tab', { name: 'Python' }).first().click();
  assert.deepEqual(await shown(), ['python', 'python']);
  await page.keyboard.press('ArrowLeft');
  assert.deepEqual(await shown(), ['js', 'js']);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'JavaScript');
  await page.keyboard.press('Home');
  assert.deepEqual(await shown(), ['curl', 'js'], 'a group without curl keeps what it showed');
  await page.keyboard.press('End');
  await page.goto(`${s.base}/docs/webhooks.html`);
  assert.deepEqual(await shown(), ['python']);
  await b.check(page);
});

test('code is copied as it stands, for this installation and with a deadline to come', async () => {
  const page = await open('/docs/quickstart.html', { context: { permissions: ['clipboard-read', 'clipboard-write'] } });
  await page.getByRole('button', { name: 'Copy: Shell' }).nth(3).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^curl -sS -X POST "\$HUMANOPS_URL\/api\/v1\/tasks" \\\n/);
  const deadline = Date.parse(/"deadline": "([^"]+)"/.exec(text)[1]);
  assert.ok(deadline > Date.now() && deadline < Date.now() + 5 * 86_400_000);
  await page.getByRole('button', { name: 'Copy: Shell' }).first().click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `export HUMANOPS_URL=${s.base}\n`);
});

test('without scripts everything is there to be read', async () => {
  const page = await open('/docs/quickstart.html', { context: { javaScriptEnabled: false } });
  const text = await page.locator('main').innerText();
  for (const part of ['curl -sS', 'quickstart.mjs', 'quickstart.py', 'receiver.py'])
    assert.ok(text.includes(part), part);
  assert.ok((await page.locator('.side').innerText()).includes('Lifecycle of a task'));
});

/* axe takes some seconds for so long a page: each size and each scheme once. */
test('the API reference shows every call, in both sizes and colour schemes', async () => {
  for (const [size, scheme] of [
    ['desk', 'light'],
    ['phone', 'dark'],
  ]) {
    const page = await open('/docs/reference/', { size, scheme });
    await page.locator('html[data-ready]').waitFor({ timeout: 30_000 });
    await b.screen(page, `reference-${size}-${scheme}`, { full: false });
    if (size === 'desk' && scheme === 'light') {
      const ids = new Set(
        await page
          .locator('[data-section-id^="operation/"], [data-section-id*="/operation/"]')
          .evaluateAll((list) => list.map((e) => e.dataset.sectionId.split('/').at(-1))),
      );
      assert.deepEqual(
        operations.map((o) => o.operation.operationId).filter((id) => !ids.has(id)),
        [],
        'calls that are not shown',
      );
    }
    await page.close();
  }
});

test('an answer of the reference can be opened, and stays readable', async () => {
  const page = await open('/docs/reference/#operation/tasksCreate');
  await page.locator('html[data-ready]').waitFor({ timeout: 30_000 });
  const call = page
    .locator('[data-section-id="operation/tasksCreate"], [data-section-id$="/operation/tasksCreate"]')
    .first();
  await call.getByRole('button', { name: /^403/ }).click();
  await call.getByText('Response Headers').first().waitFor();
  await b.screen(page, 'reference-open', { full: false, axe: false });
});

/* Bytes over the wire and requests of a first visit, and how far what one sees was moved about. */
async function weigh(where, options) {
  const page = await b.page(options);
  const session = await page.context().newCDPSession(page);
  let bytes = 0,
    requests = 0;
  await session.send('Network.enable');
  session.on('Network.loadingFinished', (event) => {
    bytes += event.encodedDataLength;
    requests++;
  });
  await page.addInitScript(() => {
    globalThis.__shift = 0;
    new PerformanceObserver((list) =>
      list.getEntries().forEach((e) => {
        globalThis.__shift += e.value;
      }),
    ).observe({ type: 'layout-shift', buffered: true });
  });
  await page.goto(`${s.base}${where}`, { waitUntil: 'networkidle' });
  return { bytes, requests, shift: await page.evaluate(() => globalThis.__shift) };
}

test('the landing page is light, and pages stand still while they load', async () => {
  const { bytes, requests, shift } = await weigh('/');
  assert.ok(bytes < 40 * 1024, `${bytes} bytes`);
  assert.ok(requests <= 8, `${requests} requests`);
  assert.ok(shift < 0.01, `the landing page moves by ${shift}`);
  for (const size of ['phone', 'desk']) {
    const docs = await weigh('/docs/quickstart.html', { size });
    assert.ok(docs.shift < 0.05, `the quick start moves by ${docs.shift} at ${size}`);
    assert.ok(docs.bytes < 80 * 1024, `${docs.bytes} bytes`);
  }
});
