/*
 * A hundred hostile texts in every text field of the API, each shown by whatever app shows that field: nothing runs,
 * the content policy has nothing to refuse (the texts never became markup in the first place), and each text is there
 * to be read, letter by letter.  A first test shows that the watchers would have seen it.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import { model, screening, verdict } from '../model.mjs';
import { stack } from '../stack.mjs';
import { prepare, uuidOf } from '../work.mjs';
import { browser } from './browser.mjs';
import { Tried, places, textFields } from './fields.mjs';
import { N, each, open, packs, strange, unharmed, walk, wholeList } from './hostile.mjs';
import { payloads } from './payloads.mjs';
import { World, ok, place, settings } from './world.mjs';

const AGENTS = 4;
const m = await model(),
  SECRET = 'a-secret-that-a-vendor-signs-with',
  s = await stack({
    settings: [
      ...settings(m),
      `KYC_WEBHOOK_SECRET=${SECRET}`,
      'DLOCAL_URL=http://127.0.0.1:9',
      'DLOCAL_LOGIN=x',
      'DLOCAL_TRANS_KEY=x',
      `DLOCAL_SECRET=${SECRET}`,
    ],
  }),
  tried = new Tried(s),
  w = new World(s, m),
  b = await browser(s);

/* Payload of field k in record i: each field has each payload once over all records. */
const p = (i, k = 0) => payloads[(i + k) % N];
const FIELDS = {
  title: 0,
  description: 1,
  address: 2,
  requirement: 3,
  instructions: 4,
  estimate: 5,
  agentSays: 6,
  operatorSays: 7,
  confirmation: 8,
  reference: 9,
  rejection: 10,
  note: 11,
  operator: 12,
  reasoning: 13,
  met: 14,
  key: 15,
  company: 16,
  city: 17,
  kyc: 20,
  notes: 21,
  secret: 22,
  country: 23,
  lastWords: 24,
};
const f = Object.fromEntries(Object.entries(FIELDS).map(([name, k]) => [name, (i) => p(i, k * 7)]));

/*
 * The operator writes each text into their own profile, by the app's form, and comes back to it: [[field, what it showed]] where that
 * was not what was written.
 */
async function editProfile(page) {
  const values = payloads.map((_, i) => [p(i), f.city(i), f.country(i).length <= 60 ? f.country(i) : 'US']);
  const faults = await page.evaluate(async (list) => {
    const names = ['name', 'location.city', 'location.country'];
    const wait = async (what) => {
      for (const end = performance.now() + 15_000; !what() && performance.now() < end; )
        await new Promise((done) => {
          setTimeout(done, 10);
        });
      return what();
    };
    const input = (name) => document.querySelector(`main [name="${name}"]`);
    const go = async (hash, what) => {
      location.hash = hash;
      await wait(what);
    };
    const found = [];
    for (const texts of list) {
      await go('#/profile', () => input('location.city'));
      names.forEach((name, k) => {
        input(name).value = texts[k];
      });
      const form = input('name').form;
      form.requestSubmit();
      await wait(() => document.querySelector('.toast'));
      document.querySelectorAll('.toast').forEach((node) => node.remove());
      await go('#/earnings', () => !input('location.city'));
      await go('#/profile', () => input('location.city'));
      const shown = names.map((name) => input(name).value);
      if (shown.some((value, k) => value !== texts[k])) found.push([texts, shown, form.textContent.slice(0, 200)]);
      if (found.length > 2) break;
    }
    return found;
  }, values);
  values.forEach(([name, city, country]) => tried.note('PATCH', '/operator/me', { name, location: { city, country } }, true));
  return faults;
}

/* A call of a vendor's, signed. */
const vendor = (who, body) => {
  const raw = JSON.stringify(body);
  return s.call('POST', `/webhooks/${who}`, {
    raw,
    json: true,
    headers: { 'X-Signature': createHmac('sha256', SECRET).update(raw).digest('hex') },
  });
};

async function asStaff() {
  const page = await open(b, '/staff/');
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.keyboard.press('Enter');
  await page.locator('main[data-ready]').waitFor();
  return page;
}

/* What everybody wrote. */

const agents = [];
for (let n = 0; n < AGENTS; n++) agents.push(await s.agent({ tier: 'STANDARD', deposit: 500 }));
const aside = await s.agent({ tier: 'STANDARD', deposit: 1000 }); /* its list of events would push the others' out */
const agentOf = (i) => agents[i % AGENTS];
const { id: worker } = await w.operator({ name: 'Worker' });
const [{ bucket: workerBucket }] = await s.sql(`select bucket from operators where id = '${uuidOf(worker)}'`);
const asWorker = (method, where, body) => w.asOperator({ id: worker }, method, where, { body });

/* One after the other, because the name that a claim shows is that of the moment. */
async function claim(i, task) {
  await asWorker('PATCH', '/me', { name: f.operator(i) });
  await asWorker('POST', `/tasks/${task}/accept`, { estimate_minutes: 30, estimate_note: f.estimate(i) });
}

/* Somebody was there before, and gave it back. */
async function stop(i, task) {
  await asWorker('POST', `/tasks/${task}/accept`, { estimate_minutes: 30 });
  await w.asAgent(agentOf(i), 'POST', `/tasks/${task}/estimate/approve`);
  await asWorker('POST', `/tasks/${task}/abort`, { reason: 'cannot_complete', note: f.lastWords(i) });
}

const post = (i) =>
  w
    .asAgent(agentOf(i), 'POST', '/tasks', {
      title: f.title(i),
      description: f.description(i),
      location: { address: f.address(i) },
      reward_usd: 10,
      deadline: DEADLINE,
      proof_requirements: [f.requirement(i)],
      digital_instructions: f.instructions(i),
      task_type: 'DATA_VALIDATION',
      proof_type: 'CONFIRMATION',
    })
    .then((made) => made.task_id);
const DEADLINE = await s.time(86_400);

async function work(i, task) {
  const agent = agentOf(i);
  await w.asAgent(agent, 'POST', `/tasks/${task}/estimate/approve`);
  await w.message(agent, task, f.agentSays(i));
  await asWorker('POST', `/tasks/${task}/messages`, { message: f.operatorSays(i) });
  const reference_url = `https://example.com/?${encodeURIComponent(f.reference(i))}`;
  await asWorker('POST', `/tasks/${task}/submit`, {
    confirmation_text: f.confirmation(i),
    notes: f.notes(i),
    reference_url,
  });
  return reference_url;
}

m.onVerify = (request) => {
  const i = payloads.findIndex((_, n) => request.data.task.requirements[0].text === f.requirement(n));
  return verdict(request, 70, { reasoning: f.reasoning(i), note: f.met(i) });
};
let tasks = [],
  references = [],
  finished = [];

test('the watchers see a script that runs, a handler that is refused, and an element that is not ours', async () => {
  const page = await open(b, '/staff/', { ignore: [/./] });
  const seen = await page.evaluate(
    ([texts, selector]) => {
      const place = document.body.appendChild(document.createElement('div'));
      place.innerHTML = texts.join('\n');
      globalThis.__hit('by hand');
      return new Promise((done) => {
        setTimeout(
          () =>
            done({
              refused: globalThis.__refused.length,
              odd: document.querySelectorAll(selector).length,
              hits: globalThis.__hits,
            }),
          300,
        );
      });
    },
    [
      payloads.filter(
        (text) => !/base|refresh|noscript|plaintext|<xmp|<!--|textarea|<title|<select|<style|CDATA/.test(text),
      ),
      strange,
    ],
  );
  assert.ok(seen.refused >= 15, `the content policy refuses: ${seen.refused}`);
  assert.ok(seen.odd >= 20, `elements: ${seen.odd}`);
  assert.deepEqual(seen.hits, ['by hand'], 'even as markup nothing ran: the policy holds by itself');
  await page.context().close();
});

test('tasks, estimates, messages and proof of a hundred payloads are made', async () => {
  assert.equal(N, 100);
  tasks = await each(post);
  await each((i) => stop(i, tasks[i]));
  for (let i = 0; i < N; i++) await claim(i, tasks[i]);
  references = await each((i) => work(i, tasks[i]));
  await s.until(
    async () => (await s.sql(`select count(*) as n from tasks where guardian_result is not null`))[0].n >= N,
    30_000,
  );
  await each((i) =>
    w.asAgent(agentOf(i), 'POST', `/tasks/${tasks[i]}/verify`, { decision: 'REJECT', reason: f.rejection(i) }),
  );
});

test('what is written in many lines: claims sent back, finished work rated and disputed', async () => {
  const task = await w.post(aside, { task_type: 'DATA_VALIDATION' });
  for (const reason of packs) {
    await asWorker('POST', `/tasks/${task}/accept`, { estimate_minutes: 30 });
    await w.asAgent(aside, 'POST', `/tasks/${task}/estimate/reject`, { reason });
  }
  for (const where of [`/tasks/${task}`, '/events?limit=500'])
    assert.ok(!(await s.call('GET', where, { key: aside.key })).text.includes('__hit'), 'why an estimate was sent back is in no answer');
  const operator = { id: worker, uuid: uuidOf(worker), bucket: workerBucket };
  finished = (await prepare(s, { agent: aside, operator, status: 'COMPLETED', count: packs.length })).map(({ id }) => id);
  await each(
    async (n) => {
      await w.asAgent(aside, 'POST', `/tasks/${finished[n]}/rate`, { rating: 4, comment: packs[n] });
      await w.asAgent(aside, 'POST', `/tasks/${finished[n]}/dispute`, { reason: packs[n] });
    },
    packs.length,
  );
});

test('an address that would run a script is refused before anybody could follow it', async () => {
  for (const url of [
    'javascript:__hit(1)',
    ' javascript:__hit(1)',
    'data:text/html,<script>__hit(1)</script>',
    'vbscript:x',
    '//evil.example',
    'https://a b/',
  ])
    assert.equal(
      (
        await s.call('POST', '/tasks', {
          key: agents[0].key,
          body: {
            title: 'x',
            description: 'x',
            reward_usd: 10,
            deadline: DEADLINE,
            proof_requirements: ['x'],
            task_type: 'DATA_VALIDATION',
            callback_url: url,
          },
        })
      ).json.details.fields.callback_url?.length > 0,
      true,
      url,
    );
});

/* What is to be read of task i, whoever looks. */
const textsOf = (i) => [
  f.title(i),
  f.description(i),
  f.address(i),
  f.requirement(i),
  f.instructions(i),
  f.agentSays(i),
  f.operatorSays(i),
  f.lastWords(i),
  f.confirmation(i),
  f.notes(i),
  references[i],
  f.reasoning(i),
  f.met(i),
  f.rejection(i),
  f.operator(i),
];

const finishedScreens = (where) => finished.map((task, n) => ({ hash: `${where}/${task}`, texts: [packs[n]] }));

/* Three browsers' worth of reading at once: they wait more than they compute. */
describe('everybody reads', { concurrency: true }, () => {
  test('staff reads the disputes', async () => {
    const page = await asStaff();
    await wholeList(page, '#/disputes', payloads);
    assert.deepEqual(
      await walk(
        page,
        [
          ...tasks.map((task, i) => ({ hash: `#/disputes/${task}`, texts: textsOf(i) })),
          ...finishedScreens('#/disputes'),
        ],
      ),
      [],
    );
    await unharmed(b, page);
  });

  test('the operator reads their work, and their own profile', async () => {
    const page = await open(b, '/app/', { size: 'phone', context: { serviceWorkers: 'block' } });
    await page.locator('[name="operator_id"]').fill(worker);
    await page.keyboard.press('Enter');
    await page.locator('nav.tabs:visible').waitFor();
    assert.deepEqual(
      await walk(
        page,
        [...tasks.entries()].flatMap(([i, task]) => [
          ...(i < finished.length ? [finishedScreens('#/mine')[i]] : []),
          {
            hash: `#/mine/${task}`,
            texts: [
              f.title(i),
              f.description(i),
              f.requirement(i),
              f.instructions(i),
              f.confirmation(i),
              f.notes(i),
              f.reasoning(i),
              f.estimate(i),
            ],
          },
          { hash: `#/mine/${task}/messages`, texts: [f.agentSays(i), f.operatorSays(i)] },
        ]),
      ),
      [],
    );
    assert.deepEqual(await editProfile(page), []);
    for (const [n, note] of packs.entries()) {
      await ok(vendor('kyc', { operator_id: worker, status: 'REJECTED', note }));
      await page.reload();
      assert.deepEqual(await walk(page, [{ hash: '#/profile', texts: [note] }]), []);
      await ok(vendor('kyc', { operator_id: worker, status: 'VERIFIED', note: `now good, ${n}` }));
    }
    await unharmed(b, page);
  });

  test('an agent’s name, company and key names', async () => {
    const made = await each((i) =>
      s
        .call('POST', '/agents/register', { body: { name: p(i), email: `x${i}@example.com`, company: f.company(i) } })
        .then(ok),
    );
    /* An account has a hundred keys at most, one of them from the beginning. */
    const holders = [made[0].api_key, made[1].api_key],
      half = N / 2;
    await each((i) => ok(s.call('POST', '/agents/keys', { key: holders[Math.floor(i / half)], body: { name: f.key(i) } })));
    const page = await open(b, '/console/');
    const faults = await page.evaluate(
      async ([list, selector]) => {
        const wait = async (what) => {
          for (const end = performance.now() + 15_000; !what() && performance.now() < end; )
            await new Promise((done) => {
              setTimeout(done, 10);
            });
          return Boolean(what());
        };
        const found = [];
        for (const { key, texts } of list) {
          await wait(() => document.querySelector('input[name="key"]'));
          document.querySelector('input[name="key"]').value = key;
          document.querySelector('form').requestSubmit();
          if (!(await wait(() => texts.every((text) => document.body.textContent.includes(text)))))
            found.push([texts, document.body.textContent.slice(0, 400)]);
          if (document.querySelector(selector)) found.push(document.querySelector(selector).outerHTML);
          document.querySelector('[aria-label="Sign out"]')?.click();
          if (found.length > 2) break;
        }
        return found;
      },
      [made.map((agent, i) => ({ key: agent.api_key, texts: [p(i), f.company(i)] })), strange],
    );
    assert.deepEqual(faults, []);
    for (const [n, key] of holders.entries()) {
      await page.getByLabel('API key').fill(key);
      await page.keyboard.press('Enter');
      await page.locator('main[data-ready]').waitFor();
      const names = Array.from({ length: half }, (_, i) => f.key(n * half + i));
      assert.deepEqual(await walk(page, [{ hash: '#/keys', texts: names }]), []);
      await page.getByLabel('Sign out').click();
    }
    await unharmed(b, page);
  });
});

test('agents read what staff decided on their tasks', async () => {
  await each((i) =>
    ok(w.staff('POST', `/tasks/${tasks[i]}/resolve`, { resolution: 'PAY_OPERATOR', note: f.note(i) })),
  );
  for (const [n, agent] of agents.entries()) {
    const page = await open(b, '/console/'),
      own = tasks.map((task, i) => ({ task, i })).filter(({ i }) => i % AGENTS === n);
    await page.getByLabel('API key').fill(agent.key);
    await page.keyboard.press('Enter');
    await page.locator('main[data-ready]').waitFor();
    await wholeList(
      page,
      '#/tasks',
      own.map(({ i }) => f.title(i)),
    );
    await wholeList(
      page,
      '#/activity',
      own.map(({ i }) => f.agentSays(i)),
    );
    assert.deepEqual(
      await walk(
        page,
        own.map(({ task, i }) => ({
          hash: `#/tasks/${task}`,
          texts: [...textsOf(i).filter((text) => text !== f.rejection(i)), f.note(i)],
        })),
      ),
      [],
    );
    await unharmed(b, page);
  }
});

test('an agent reads what it wrote of finished work', async () => {
  const page = await open(b, '/console/');
  await page.getByLabel('API key').fill(aside.key);
  await page.keyboard.press('Enter');
  await page.locator('main[data-ready]').waitFor();
  assert.deepEqual(await walk(page, finishedScreens('#/tasks')), []);
  await unharmed(b, page);
});

/* What staff may do with a reason, and on what; each act stands in the log. */
const reasons = {
  kyc: ({ operator }) => [`/operators/${operator}/kyc`, { status: 'REJECTED' }, 'note'],
  operator: ({ operator }) => [`/operators/${operator}/suspend`, { suspended: true }],
  agent: ({ agent }) => [`/agents/${agent}/suspend`, { suspended: true }],
  agent_unfreeze: ({ agent }) => [`/agents/${agent}/unfreeze`, {}],
  unfreeze: () => ['/payouts/unfreeze', {}],
  retry: ({ payout }) => [`/payouts/${payout}/retry`, {}],
  fail: ({ payout }) => [`/payouts/${payout}/fail`, {}],
};

async function actsOfStaff(people) {
  const agent = await s.agent();
  /* One that is on its way for ever: signed, by an account that this instance does not have. */
  const [{ id: payout }] = await s.sql(`select id_text('payout_', id_new(${workerBucket}, now())) as id`);
  await s.sql(`insert into payouts (bucket, id, party_id, party_kind, amount, gas_fee, to_address, chain_id, status, nonce, sender, created_at)
    values (${workerBucket}, '${uuidOf(payout)}', '${uuidOf(worker)}', 'operator', 20000000, 10000, '0x${'1'.repeat(40)}', 8453, 'stuck', 7,
      '0x${'2'.repeat(40)}', now())`);
  for (const [act, on] of Object.entries(reasons))
    for (const [n, pack] of packs.entries()) {
      const [where, body, name = 'reason'] = on({ operator: people[n].operator_id, agent: agent.id, payout });
      await ok(w.staff('POST', where, { ...body, [name]: `${pack}\n${act} ${n}` }));
    }
}

test('staff reads operators, appeals, and its own log', async () => {
  m.onScreen = (request) =>
    screening({
      category: 'FRAUD',
      reason: f.reasoning(Number(/number (\d+)/.exec(JSON.stringify(request.data))[1])),
    });
  const people = await each((i) =>
    s
      .call('POST', '/operator/register', {
        body: {
          name: p(i),
          email: `op${i}@example.com`,
          location: { city: f.city(i), ...(f.country(i).length <= 60 ? { country: f.country(i) } : {}) },
        },
      })
      .then(ok),
  );
  await each((i) => ok(vendor('kyc', { operator_id: people[i].operator_id, status: 'REJECTED', note: f.kyc(i) })));
  const page = await asStaff();
  const told = Array.from({ length: N }, (_, i) => [p(i), f.city(i), f.kyc(i)]).flat();
  const countries = payloads.filter((text) => text.length <= 60);
  await wholeList(page, '#/operators?kyc_status=REJECTED', [...told, ...countries]);
  await actsOfStaff(people);
  const appeals = await each(
    async (n) => {
      const agent = agentOf(n),
        blocked = await s.call('POST', '/tasks', {
          key: agent.key,
          body: {
            title: `number ${n}`,
            description: f.description(n),
            reward_usd: 10,
            deadline: DEADLINE,
            proof_requirements: ['x'],
            digital_instructions: f.instructions(n),
            task_type: 'DATA_VALIDATION',
            proof_type: 'CONFIRMATION',
          },
        });
      assert.equal(blocked.status, 422, blocked.text);
      const { screening_id } = blocked.json.details,
        reason = `${packs[n % packs.length]}\nway ${n}`;
      if (n < packs.length) await w.asAgent(agent, 'POST', '/tasks/appeals', { screening_id, reason });
      else await w.asAgent(agent, 'POST', `/tasks/${screening_id}/appeal`, { reason });
      return { screening_id, reason };
    },
    2 * packs.length,
  );
  await wholeList(
    page,
    '#/appeals',
    appeals.flatMap(({ reason }, n) => [reason, f.description(n), f.instructions(n), f.reasoning(n)]),
  );
  for (const [n, { screening_id }] of appeals.entries())
    await ok(w.staff('POST', `/appeals/${screening_id}`, { decision: 'UPHELD', note: `${packs[n % packs.length]}\nappeal ${n}` }));
  const acts = ['appeal', ...Object.keys(reasons)];
  await wholeList(
    page,
    '#/log',
    acts.flatMap((act) => packs.map((pack, n) => `${pack}\n${act} ${n}`)),
  );
  await unharmed(b, page);
});

test('what an operator reads of open tasks', async () => {
  m.screen({});
  const agent = await w.agent({ deposit: 5000 }),
    op = await w.operator({ name: 'Reader' });
  const free = await each((i) =>
    w.post(agent, {
      title: f.title(i),
      description: f.description(i),
      location: { ...place, address: f.address(i) },
      callback_url: 'https://example.com/hook',
      callback_secret: f.secret(i),
    }),
  );
  for (const where of ['/tasks?limit=100', `/tasks/${free[0]}`])
    assert.ok(!/callback_secret/.test((await s.call('GET', where, { key: agent.key })).text), 'a secret is in no answer');
  const app = await open(b, '/app/', { size: 'phone', context: { serviceWorkers: 'block' } });
  await app.locator('[name="operator_id"]').fill(op.id);
  await app.keyboard.press('Enter');
  await app.locator('nav.tabs:visible').waitFor();
  assert.deepEqual(
    await walk(
      app,
      free.map((task, i) => ({ hash: `#/tasks/${task}`, texts: [f.title(i), f.description(i), f.address(i)] })),
    ),
    [],
  );
  await unharmed(b, app);
});

test('whoever receives webhooks answers with all of them, in status line, headers and body', async () => {
  const sink = await s.receiver({
    answer: () => ({ status: 500, headers: { 'Content-Type': 'text/html', 'X-Said': payloads[11] }, body: payloads.join('\n') }),
  });
  const agent = await w.agent();
  const task = await w.post(agent, { title: payloads[23], callback_url: sink.url });
  await w.asAgent(agent, 'POST', `/tasks/${task}/cancel`);
  await s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${task}/webhooks`)).data[0]?.attempts.length > 0);
  const page = await open(b, '/console/');
  await page.getByLabel('API key').fill(agent.key);
  await page.keyboard.press('Enter');
  await page.locator('main[data-ready]').waitFor();
  assert.deepEqual(
    await walk(page, [
      { hash: '#/webhooks', texts: [payloads[23], 'status 500'] },
      { hash: `#/tasks/${task}`, texts: [payloads[23], 'status 500'] },
    ]),
    [],
  );
  await unharmed(b, page);
});

test('what has a form of its own is refused in any other', async () => {
  const agent = await w.agent(),
    op = await w.operator({ name: 'Refused' }),
    task = await w.accepted(agent, op),
    headers = { 'X-Operator-Id': op.id },
    bare = { title: 'x', description: 'x', reward_usd: 10, proof_requirements: ['x'], task_type: 'DATA_VALIDATION' };
  const asAgent = (method, where, body) => s.call(method, where, { key: agent.key, body });
  const asOperator = (method, where, body) => s.call(method, where, { headers, body });
  await each(async (i) => {
    const text = p(i);
    const answers = await Promise.all([
      s.call('POST', '/agents/register', { body: { name: 'x', email: text } }),
      s.call('POST', '/agents/verify-email', { body: { token: text } }),
      s.call('POST', '/operator/register', { body: { name: 'x', email: text, phone: text, location: { country: text.padEnd(61) } } }),
      asOperator('PATCH', '/operator/me', { phone: text, location: { country: text.padEnd(61) } }),
      asAgent('POST', '/agents/keys', { name: 'x', expires_at: text }),
      asAgent('POST', '/agents/deposit', { amount_usd: 50, payment_method: 'card', return_url: text }),
      asAgent('POST', '/agents/deposit/status', { payment_id: text }),
      asAgent('POST', '/agents/deposit/usdc', { tx_hash: text, amount_usdc: 1 }),
      asAgent('POST', '/agents/withdraw', { wallet_address: text, amount_usd: 10 }),
      asAgent('PUT', '/agents/wallet', { wallet_address: text, nonce: text, signature: text }),
      asAgent('POST', '/tasks', { ...bare, deadline: text, callback_url: text, agent_public_key: text }),
      asAgent('POST', '/tasks/appeals', { screening_id: text, reason: 'x' }),
      asOperator('POST', '/operator/payout', { wallet_address: text, amount_usd: 10 }),
      asOperator('POST', '/operator/push', { endpoint: text, keys: { p256dh: text, auth: text } }),
      asOperator('POST', `/operator/upload?${new URLSearchParams({ task_id: text, captured_at: text })}`, {}),
      asOperator('POST', `/operator/tasks/${task}/submit`, {
        photos: [text],
        reference_url: text,
        encrypted_credential: { ciphertext: text, iv: text, ephemeralPublicKey: text, createdAt: text, algorithm: 'ECDH-P256-AES-256-GCM' },
      }),
      vendor('dlocal', { id: text, status: text, order_id: text, currency: text, amount: 1 }),
      vendor('kyc', { operator_id: text, status: 'REJECTED' }),
    ]);
    for (const { status, text: said } of answers) assert.ok(status >= 400 && status < 500, `${text}: ${status} ${said}`);
    await asOperator('DELETE', '/operator/push', { endpoint: text });
    const page = await s.call('GET', `/agents/verify-email?token=${encodeURIComponent(text)}`);
    assert.ok(!page.text.includes(text), 'nor does the page that a mail links to repeat it');
  });
});

test('each text field of the API was sent each text, and has a place where it is shown, or none', () => {
  assert.deepEqual(textFields, Object.keys(places).sort(), 'a new field needs a place in fields.mjs, and a test that looks there');
  for (const [field, [taken, , untried]] of Object.entries(tried.counts)) {
    assert.equal(untried, 0, `${field}: ${untried} of ${N} were never sent`);
    assert.equal(taken > 0, !places[field].startsWith('refused'), `${field}: ${taken} were taken; ${places[field]}`);
  }
});
