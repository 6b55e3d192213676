/*
 * A hundred hostile texts in every text field of the API, each shown by whatever app shows that field: nothing runs,
 * the content policy has nothing to refuse (the texts never became markup in the first place), and each text is there
 * to be read, letter by letter.  A first test shows that the watchers would have seen it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { model, screening, verdict } from '../model.mjs';
import { stack } from '../stack.mjs';
import { browser } from './browser.mjs';
import { payloads } from './payloads.mjs';
import { World, ok, place, settings } from './world.mjs';

const N = payloads.length,
  AGENTS = 4,
  AT_ONCE = 10;
const m = await model(),
  s = await stack({ settings: settings(m) }),
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
  appeal: 18,
  suspension: 19,
  kyc: 20,
  photoNotes: 21,
  lastWords: 22,
};
const f = Object.fromEntries(Object.entries(FIELDS).map(([name, k]) => [name, (i) => p(i, k * 7)]));

/* Does the work for 0 to N-1, a few at a time. */
async function each(work, count = N, atOnce = AT_ONCE) {
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

async function open(address, options) {
  const page = await b.page(options);
  await page.setViewportSize({ width: 360, height: 240 }); /* what is not painted is read all the same */
  await page.addInitScript(() => {
    globalThis.__hit = (...what) => {
      (globalThis.__hits ??= []).push(what.join());
    };
  });
  page.on('request', (request) => {
    if (/evil\.example/.test(request.url())) page.faults.push(`asked for ${request.url()}`);
  });
  await page.goto(s.base + address);
  return page;
}

async function unharmed(page) {
  await page.waitForTimeout(100); /* what loads or fails by itself has had its moment */
  assert.deepEqual(await page.evaluate(() => globalThis.__hits ?? []), []);
  await b.check(page);
  await page.context().close();
}

/* In the page: what is there must be texts of ours and theirs alone. */
const strange =
  'iframe,object,embed,base,meta[http-equiv],template,math,marquee,style,[srcdoc],[onerror],[onload],[onclick],[onfocus],[onmouseover],[ontoggle],[href^="javascript:" i],[href^="data:" i],[src^="javascript:" i],script:not([src])';

/*
 * Goes through screens of a page by their addresses, all inside the page, and gives those that lack one of the texts
 * that they must show, or that have an element which is none of ours: [{ hash, missing, strange }].
 */
const walk = (page, screens) =>
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
async function wholeList(page, hash, texts) {
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  for (let n = 1; n < 10; n++) {
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

async function asStaff() {
  const page = await open('/staff/');
  await page.getByLabel('Admin key').fill(s.settings.ADMIN_API_KEY);
  await page.keyboard.press('Enter');
  await page.locator('main[data-ready]').waitFor();
  return page;
}

/* What everybody wrote. */

const agents = [];
for (let n = 0; n < AGENTS; n++) agents.push(await s.agent({ tier: 'STANDARD', deposit: 500 }));
const agentOf = (i) => agents[i % AGENTS];
const { id: worker } = await w.operator({ name: 'Worker' });
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
  await asWorker('POST', `/tasks/${task}/submit`, { confirmation_text: f.confirmation(i), reference_url });
  return reference_url;
}

m.onVerify = (request) => {
  const i = payloads.findIndex((_, n) => request.data.task.requirements[0].text === f.requirement(n));
  return verdict(request, 70, { reasoning: f.reasoning(i), note: f.met(i) });
};
let tasks = [],
  references = [];

test('the watchers see a script that runs, a handler that is refused, and an element that is not ours', async () => {
  const page = await open('/staff/', { ignore: [/./] });
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
  references[i],
  f.reasoning(i),
  f.met(i),
  f.rejection(i),
  f.operator(i),
];

/* Three browsers' worth of reading at once: they wait more than they compute. */
describe('everybody reads', { concurrency: true }, () => {
  test('staff reads the disputes', async () => {
    const page = await asStaff();
    await wholeList(page, '#/disputes', payloads);
    assert.deepEqual(
      await walk(
        page,
        tasks.map((task, i) => ({ hash: `#/disputes/${task}`, texts: textsOf(i) })),
      ),
      [],
    );
    await unharmed(page);
  });

  test('the operator reads their work, and their own profile', async () => {
    const page = await open('/app/', { size: 'phone', context: { serviceWorkers: 'block' } });
    await page.locator('[name="operator_id"]').fill(worker);
    await page.keyboard.press('Enter');
    await page.locator('nav.tabs:visible').waitFor();
    assert.deepEqual(
      await walk(
        page,
        tasks.flatMap((task, i) => [
          {
            hash: `#/mine/${task}`,
            texts: [
              f.title(i),
              f.description(i),
              f.requirement(i),
              f.instructions(i),
              f.confirmation(i),
              f.reasoning(i),
              f.estimate(i),
            ],
          },
          ...(i % 5 === 0 ? [{ hash: `#/mine/${task}/messages`, texts: [f.agentSays(i), f.operatorSays(i)] }] : []),
        ]),
      ),
      [],
    );
    for (let i = 0; i < N; i += 10) {
      await asWorker('PATCH', '/me', { name: p(i), location: { city: f.city(i) } });
      await page.goto(`${s.base}/app/#/profile`);
      await page.reload();
      await page.waitForFunction(
        (texts) =>
          texts.every((text) => [...document.querySelectorAll('main input')].some((input) => input.value === text)),
        [p(i), f.city(i)],
      );
      assert.deepEqual(await walk(page, [{ hash: '#/profile', texts: [] }]), []);
    }
    await unharmed(page);
  });

  test('an agent’s name, company and key names', async () => {
    const made = await each((i) =>
      s
        .call('POST', '/agents/register', { body: { name: p(i), email: `x${i}@example.com`, company: f.company(i) } })
        .then(ok),
    );
    const all = made[0].api_key;
    for (let i = 1; i < 20; i++) await ok(s.call('POST', '/agents/keys', { key: all, body: { name: f.key(i) } }));
    const page = await open('/console/');
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
    await page.getByLabel('API key').fill(all);
    await page.keyboard.press('Enter');
    await page.locator('main[data-ready]').waitFor();
    assert.deepEqual(
      await walk(page, [{ hash: '#/keys', texts: Array.from({ length: 19 }, (_, i) => f.key(i + 1)) }]),
      [],
    );
    await unharmed(page);
  });
});

test('agents read what staff decided on their tasks', async () => {
  await each((i) =>
    ok(w.staff('POST', `/tasks/${tasks[i]}/resolve`, { resolution: 'PAY_OPERATOR', note: f.note(i) })),
  );
  for (const [n, agent] of agents.entries()) {
    const page = await open('/console/'),
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
    await unharmed(page);
  }
});

test('staff reads operators, appeals, and its own log', async () => {
  m.onScreen = (request) =>
    screening({
      category: 'FRAUD',
      reason: f.reasoning(Number(/number (\d+)/.exec(JSON.stringify(request.data))[1])),
    });
  const people = await each((i) =>
    s
      .call('POST', '/operator/register', {
        body: { name: p(i), email: `op${i}@example.com`, location: { city: f.city(i) } },
      })
      .then(ok),
  );
  await each((i) =>
    ok(w.staff('POST', `/operators/${people[i].operator_id}/kyc`, { status: 'REJECTED', note: f.kyc(i) })),
  );
  await each((i) =>
    ok(w.staff('POST', `/operators/${people[i].operator_id}/suspend`, { suspended: true, reason: f.suspension(i) })),
  );
  await each(async (i) => {
    const agent = agentOf(i);
    const blocked = await s.call('POST', '/tasks', {
      key: agent.key,
      body: {
        title: `number ${i}`,
        description: f.description(i),
        reward_usd: 10,
        deadline: DEADLINE,
        proof_requirements: ['x'],
        digital_instructions: f.instructions(i),
        task_type: 'DATA_VALIDATION',
        proof_type: 'CONFIRMATION',
      },
    });
    assert.equal(blocked.status, 422, blocked.text);
    await w.asAgent(agent, 'POST', '/tasks/appeals', {
      screening_id: blocked.json.details.screening_id,
      reason: f.appeal(i),
    });
  });
  const page = await asStaff();
  await wholeList(page, '#/operators?kyc_status=REJECTED', payloads);
  await wholeList(page, '#/appeals', payloads);
  await wholeList(page, '#/log', payloads);
  await unharmed(page);
});

test('what an operator reads of open tasks; notes beside photos', async () => {
  m.screen({});
  m.verify(20);
  const other = await w.agent(),
    agent = await w.agent({ deposit: 5000 }),
    op = await w.operator({ name: 'Photographer' });
  const notes = Array.from({ length: 10 }, (_, n) => payloads.slice(n * 10, n * 10 + 10));
  const photographed = await each(
    async (n) => {
      const task = await w.accepted(other, op, { title: f.title(n) }),
        { url } = await w.photo(op, task);
      await w.asOperator(op, 'POST', `/tasks/${task}/submit`, {
        body: { photos: [url], notes: notes[n].join('\n') },
      });
      return task;
    },
    10,
    3,
  );
  const free = await each((i) =>
    w.post(agent, {
      title: f.title(i),
      description: f.description(i),
      location: { ...place, address: f.address(i) },
    }),
  );
  await s.until(async () => (await s.sql(`select count(*) as n from tasks where status = 'DISPUTED'`))[0].n === 10);
  const staff = await asStaff();
  assert.deepEqual(
    await walk(
      staff,
      photographed.map((task, n) => ({ hash: `#/disputes/${task}`, texts: notes[n] })),
    ),
    [],
  );
  await unharmed(staff);
  const app = await open('/app/', { size: 'phone', context: { serviceWorkers: 'block' } });
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
  assert.deepEqual(
    await walk(
      app,
      photographed.map((task, n) => ({ hash: `#/mine/${task}`, texts: [f.title(n)] })),
    ),
    [],
  );
  await unharmed(app);
});

test('whoever receives webhooks answers with all of them, in status line, headers and body', async () => {
  const sink = await s.receiver({
    answer: () => ({ status: 500, headers: { 'Content-Type': 'text/html', 'X-Said': payloads[11] }, body: payloads.join('\n') }),
  });
  const agent = await w.agent();
  const task = await w.post(agent, { title: payloads[23], callback_url: sink.url });
  await w.asAgent(agent, 'POST', `/tasks/${task}/cancel`);
  await s.until(async () => (await w.asAgent(agent, 'GET', `/tasks/${task}/webhooks`)).data[0]?.attempts.length > 0);
  const page = await open('/console/');
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
  await unharmed(page);
});
