/* Tests of the operators' app: pages that somebody is signed in to, as development has it, and ways about in them. */
import { place } from './world.mjs';

/* A device that knows where it is and may use its camera. */
export const here = {
  geolocation: { latitude: place.lat, longitude: place.lng, accuracy: 8 },
  permissions: ['geolocation', 'camera'],
};

export const button = (page, name) => page.getByRole('button', { name, exact: true });
export const shows = (page, text) => page.getByText(text).first().waitFor();

/* Another screen, once it is drawn. */
export async function open(page, hash) {
  if (await page.evaluate((to) => location.hash === to, hash)) return;
  const was = await page.locator('main').getAttribute('data-ready');
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await page.waitForFunction((before) => document.querySelector('main')?.dataset.ready !== before, was);
}

/* enter(op, { hash, page }): a page of an operator's at an address of the app; page: options of browser.mjs's pages. */
export const enterer =
  (s, b) =>
  async (op, { hash = '#/tasks', page: options = {} } = {}) => {
    const page = await b.page({ size: 'phone', ...options, context: { ...here, ...options.context } });
    await page.context().addInitScript((id) => localStorage.setItem('humanops.dev.operator', id), op.id);
    await page.goto(`${s.base}/app/${hash}`);
    await page.locator('main[data-ready]').waitFor();
    return page;
  };

/* The service worker serves this page. */
export const workerReady = (page) =>
  page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (!navigator.serviceWorker.controller)
      await new Promise((done) => {
        navigator.serviceWorker.addEventListener('controllerchange', done, { once: true });
      });
  });

/* One photo by the app's own camera, from the screen of a proof.  before: called right before it is taken. */
export async function takePhoto(page, { before = () => {} } = {}) {
  await button(page, 'Take photos').click();
  await shows(page, 'Position known');
  await page.waitForFunction(() => document.querySelector('dialog.camera video').videoWidth > 0);
  before();
  await button(page, 'Take the photo').click();
  await shows(page, '1 photo taken');
  await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
}
