/*
 * For the test of hostile texts: the texts in packs, pages that would notice if one of them ran, and ways through an app's screens
 * that look for each text and for any element that is none of ours.
 */
import assert from 'node:assert/strict';
import { payloads } from './payloads.mjs';

const AT_ONCE = 10;
export const N = payloads.length;

/* All of them in few texts, where a text may have many lines. */
const PACK = 20;
export const packs = Array.from({ length: N / PACK }, (_, n) => payloads.slice(n * PACK, (n + 1) * PACK).join('\n'));

/* Does the work for 0 to N-1, a few at a time. */
export async function each(work, count = N, atOnce = AT_ONCE) {
  let next = 0;
  const results = [];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (next < count) {
        const i = next++;
        results[i] = await work(i);
      }
    }),
  );
  return results;
}

/* A page of the instance's that would notice; small, since what is not painted is read all the same. */
export async function open(b, address, options) {
  const page = await b.page(options);
  await page.setViewportSize({ width: 360, height: 240 });
  await page.addInitScript(() => {
    globalThis.__hit = (...what) => {
      (globalThis.__hits ??= []).push(what.join());
    };
  });
  page.on('request', (request) => {
    if (/evil\.example/.test(request.url())) page.faults.push(`asked for ${request.url()}`);
  });
  await page.goto(b.stack.base + address);
  return page;
}

/* Nothing ran, nothing was refused, nothing was asked for; and the page is closed. */
export async function unharmed(b, page) {
  await page.waitForTimeout(100); /* what loads or fails by itself has had its moment */
  assert.deepEqual(await page.evaluate(() => globalThis.__hits ?? []), []);
  await b.check(page);
  await page.context().close();
}

/* In the page: what is there must be texts of ours and theirs alone. */
export const strange =
  'iframe,object,embed,base,meta[http-equiv],template,math,marquee,style,[srcdoc],[onerror],[onload],[onclick],[onfocus],[onmouseover],[ontoggle],[href^="javascript:" i],[href^="data:" i],[src^="javascript:" i],script:not([src])';

/*
 * Goes through screens of a page by their addresses, all inside the page, and gives those that lack one of the texts
 * that they must show, or that have an element which is none of ours: [{ hash, missing, strange }].
 */
export const walk = (page, screens) =>
  page.evaluate(
    async ([list, selector]) => {
      const faults = [];
      for (const { hash, texts } of list) {
        location.hash = hash;
        const end = performance.now() + 10_000;
        const lacking = () => texts.filter((text) => !document.querySelector('main').textContent.includes(text));
        while (lacking().length > 0 && performance.now() < end)
          await new Promise((done) => {
            setTimeout(done, 15);
          });
        const odd = [...document.querySelectorAll(selector)].map((node) => node.outerHTML.slice(0, 120));
        if (lacking().length > 0 || odd.length > 0) faults.push({ hash, missing: lacking(), strange: odd });
        if (faults.length >= 3) break; /* enough to see what is wrong */
      }
      return faults;
    },
    [screens, strange],
  );

/* Presses "Show more" until there is no more, then does the same for the one screen. */
export async function wholeList(page, hash, texts) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  for (let n = 1; n < 40; n++) {
    await page.locator('.spinner').waitFor({ state: 'detached' });
    const more = page.getByRole('button', { name: 'Show more' });
    if (
      await page
        .waitForFunction(
          (all) => all.every((text) => document.querySelector('main').textContent.includes(text)),
          texts,
          { timeout: 300 },
        )
        .then(
          () => true,
          () => false,
        )
    )
      break;
    if ((await more.count()) > 0) await more.click();
  }
  assert.deepEqual(await walk(page, [{ hash, texts }]), []);
}
