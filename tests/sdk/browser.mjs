/* The same modules, unbuilt, in Chromium, from a page of the service's own origin and against the running instance. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { root } from '../stack.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function run(s) {
  let browser, page;
  const outside = [];

  before(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    context.on('request', (request) => {
      if (!request.url().startsWith(`${s.base}/`)) outside.push(request.url());
    });
    await context.route('**/test/**', (route) => {
      const where = new URL(route.request().url()).pathname.slice('/test/'.length);
      if (where === '') return route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>test</title>' });
      return route.fulfill({ contentType: 'text/javascript', body: readFileSync(path.join(root, where)) });
    });
    page = await context.newPage();
    await page.goto(`${s.base}/test/`);
  });
  after(() => browser?.close());

  test('register, post, wait, list, read a credential, check a receipt', async () => {
    const result = await page.evaluate(async () => {
      const { HumanOpsClient, verifyReceipt } = await import('/test/sdk/src/index.mjs');
      const open = new HumanOpsClient({ baseUrl: location.origin });
      const client = open.withKey(
        (await open.register({ name: 'browser', email: `browser-${Date.now()}@example.com` })).api_key,
      );
      const { task, privateKey } = await client.dispatchCredentialTask({
        title: 'x',
        description: 'y',
        category: 'ACCOUNT_CREATION',
        reward_usd: 1,
      });
      const done = await client.waitForTask(task.task_id);
      const events = [];
      for await (const event of client.events({ limit: 2 })) events.push(event.event);
      const { receipt } = await client.receipt(task.task_id);
      const fault = await client.task('task_none').catch(({ name, code, status }) => ({ name, code, status }));
      return {
        status: done.status,
        credential: await client.retrieveCredential(task.task_id, privateKey),
        events,
        fault,
        claims: await verifyReceipt(receipt, await client.jwks(), { taskId: task.task_id }),
      };
    });
    assert.equal(result.status, 'COMPLETED');
    assert.equal(result.credential.username, 'sandbox');
    assert.equal(result.events.at(-1), 'task.completed');
    assert.deepEqual(result.fault, { name: 'HumanOpsError', code: 'task_not_found', status: 404 });
    assert.equal(result.claims.sandbox, true);
  });

  test('the published vectors of credentials, the refused ones too, and signatures of webhooks', async () => {
    const result = await page.evaluate(
      async (file) => {
        const { decryptCredential, encryptCredential, generateKeyPair, signWebhook, verifyWebhook } =
          await import('/test/sdk/src/index.mjs');
        const { vectors, refused } = file,
          outcome = { bad: [], codes: [] };
        for (const vector of vectors)
          for (const key of [vector.private_key_pkcs8, vector.private_key_jwk]) {
            const opened = await decryptCredential(key, vector.task_id, vector.encrypted_credential).catch(
              (error) => error,
            );
            if (JSON.stringify(opened) !== JSON.stringify(JSON.parse(vector.plaintext))) outcome.bad.push(vector.name);
          }
        for (const { name, private_key_pkcs8: key, task_id: id, encrypted_credential: blob } of refused)
          outcome.codes.push(
            await decryptCredential(key, id, blob).then(
              () => `opened: ${name}`,
              ({ code }) => code,
            ),
          );
        const pair = await generateKeyPair(),
          blob = await encryptCredential(pair.publicKey, 'task_x', { a: 'é' });
        outcome.round = await decryptCredential(pair.privateKey, 'task_x', blob);
        const payload = '{"event":"task.completed","id":"evt_1"}',
          headers = await signWebhook({ id: 'evt_1', payload, secret: 'whsec_c2VjcmV0' });
        outcome.event = await verifyWebhook({ payload, headers: new Headers(headers), secret: 'whsec_c2VjcmV0' });
        outcome.forged = await verifyWebhook({ payload: `${payload} `, headers, secret: 'whsec_c2VjcmV0' }).catch(
          ({ code }) => code,
        );
        return outcome;
      },
      JSON.parse(readFileSync(path.join(root, 'tests/vectors/e2ee.json'), 'utf8')),
    );
    assert.deepEqual(result.bad, []);
    assert.ok(
      result.codes.every((code) => ['key_invalid', 'credential_invalid', 'decryption_failed'].includes(code)),
      result.codes.join(),
    );
    assert.deepEqual([result.round, result.event.id, result.forged], [{ a: 'é' }, 'evt_1', 'signature_invalid']);
  });

  test('a page that is not secure has no cryptography, and is told so', async () => {
    const outcome = await page.evaluate(async () => {
      const { generateKeyPair } = await import('/test/sdk/src/index.mjs');
      Object.defineProperty(globalThis.crypto, 'subtle', { value: undefined, configurable: true });
      return generateKeyPair().catch(({ code, message }) => ({ code, message }));
    });
    assert.equal(outcome.code, 'crypto_missing');
    assert.match(outcome.message, /https/);
  });

  test('nothing was asked of any other address', () => {
    assert.deepEqual(outside, []);
  });
}
