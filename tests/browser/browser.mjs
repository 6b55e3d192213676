/*
 * Debian's Chromium against a running instance, for tests of the pages: a browser for the file, pages in either size
 * and either colour scheme that note whatever goes wrong in them, axe, and screenshots for people to look at
 * (HUMANOPS_SHOTS=FOLDER).
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { chromium } from 'playwright-core';
import { root } from '../stack.mjs';

export const sizes = { phone: { width: 390, height: 844 }, desk: { width: 1280, height: 800 } };
const axeFile = path.join(root, 'tests/node_modules/axe-core/axe.min.js');
/* Rules of the standards, and axe's own good practice. */
const AXE_TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
/* What another colour scheme on the same screen can change. */
const AXE_COLOURS = ['color-contrast', 'link-in-text-block'];

const executable = () => execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();

/* An instance's own certificate is trusted by its key and no other, so that service workers register too. */
function pin(s) {
  const key = new X509Certificate(s.ca).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}

export const flags = (s) => [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  /* By IPv4: from there alone the instance believes a forwarded address. */
  '--host-resolver-rules=MAP localhost 127.0.0.1',
  `--ignore-certificate-errors-spki-list=${pin(s)}`,
];

class Browser {
  #browser;
  #contexts = new Set();

  constructor(s, browser) {
    this.stack = s;
    this.#browser = browser;
  }

  /*
   * A page in a context of its own.  size: phone or desk; scheme: light or dark; more: options of a Playwright
   * context.  The page has `faults` (errors in its log, uncaught ones, dialogs, what its content policy refused,
   * answers of 5xx) and sends each of its calls from an address of its own, so that rate windows are not what is
   * tested.  ignore: patterns of faults that a test brings about on purpose.
   */
  async page({ size = 'desk', scheme = 'light', ignore = [], context: options = {}, calm = true } = {}) {
    const context = await this.#browser.newContext({
      viewport: sizes[size],
      colorScheme: scheme,
      ignoreHTTPSErrors: true,
      locale: 'en-US',
      timezoneId: 'UTC',
      ...(size === 'phone' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {}),
      ...(calm ? { reducedMotion: 'reduce' } : {}),
      ...options,
    });
    this.#contexts.add(context);
    await context.addInitScript(() => {
      globalThis.__refused = [];
      document.addEventListener('securitypolicyviolation', (e) =>
        globalThis.__refused.push(`${e.effectiveDirective} ${e.blockedURI} ${e.sourceFile}:${e.lineNumber}`),
      );
    });
    await context.route('**/api/v1/**', (route) =>
      route.continue({ headers: { ...route.request().headers(), 'x-forwarded-for': this.stack.freshAddress() } }),
    );
    const page = await context.newPage();
    page.setDefaultTimeout(8000);
    watch(page, ignore);
    page.size = size;
    return page;
  }

  /* Nothing went wrong in the page so far. */
  async check(page) {
    const refused = await page.evaluate(() => globalThis.__refused ?? []);
    assert.deepEqual([...page.faults, ...refused.map((r) => `content policy: ${r}`)], [], `faults on ${page.url()}`);
  }

  /* Zero findings by axe, no scrolling sideways, nothing in the log; and a screenshot. */
  async screen(page, name, { exclude = [], axe = true, full = true, colours = false } = {}) {
    await shot(page, name, full);
    if (axe) await audit(page, name, { exclude, colours });
    const wide = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.ok(wide <= 0, `${name}: scrolls sideways by ${wide} px at ${page.size}`);
    await this.check(page);
  }

  /*
   * The same screen in both sizes and both colour schemes, on the page at hand: everything in either size, and what
   * depends on colours in the dark.
   */
  async screens(page, name, options) {
    const size = page.viewportSize();
    for (const [label, viewport] of Object.entries(sizes)) {
      await page.setViewportSize(viewport);
      for (const scheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
        page.size = label;
        await this.screen(page, `${name}-${label}-${scheme}`, { ...options, colours: scheme === 'dark' });
      }
    }
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  }

  async close() {
    await this.#browser.close();
  }
}

function watch(page, ignore) {
  page.faults = [];
  const note = (text) => {
    if (!ignore.some((pattern) => pattern.test(text))) page.faults.push(text);
  };
  page.on('dialog', (dialog) => {
    note(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  page.on('pageerror', (error) => note(`uncaught: ${error.stack ?? error.message}`));
  page.on('crash', () => note('the page crashed'));
  page.on('console', (message) => {
    /* The browser's own lines about answers of 4xx; what they mean for the page is the page's to show. */
    if (
      message.type() === 'error' &&
      !/^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text())
    )
      note(`log: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 500) note(`${response.status()} from ${response.url()}`);
  });
}

async function shot(page, name, full) {
  const folder = process.env.HUMANOPS_SHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: full, animations: 'disabled' });
}

/* axe as text of the file: injected by the debugger's protocol, which the content policy of the page does not bind. */
const axeSource = () => readFileSync(axeFile, 'utf8');
export async function audit(page, name, { exclude = [], colours = false } = {}) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axeSource());
  const runOnly = colours ? { type: 'rule', values: AXE_COLOURS } : { type: 'tag', values: AXE_TAGS };
  const found = await page.evaluate(
    ([only, without]) =>
      globalThis.axe.run(
        { exclude: without.map((selector) => [selector]) },
        { runOnly: only, resultTypes: ['violations'] },
      ),
    [runOnly, exclude],
  );
  const lines = found.violations.flatMap((v) =>
    v.nodes.map((n) => `${v.id}: ${n.target.join(' ')} ${n.failureSummary.replaceAll('\n', ' ').slice(0, 300)}`),
  );
  assert.deepEqual(lines, [], `axe on ${name}`);
}

/* A browser for the test file; it ends with the file.  more: further command line flags. */
export async function browser(s, { more = [] } = {}) {
  const b = new Browser(s, await chromium.launch({ executablePath: executable(), args: [...flags(s), ...more] }));
  after(() => b.close(), { timeout: 30_000 });
  return b;
}
