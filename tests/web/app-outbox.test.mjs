/*
 * The operators' app's outbox with a real IndexedDB implementation and a server on loopback that does what networks do: loses
 * answers after the work was done, refuses, hangs up, and speaks for others.  Whatever happens, each proof arrives once and
 * nothing is lost.  The same against the real service is tests/browser/app.test.mjs.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, test } from 'node:test';
import './globals.mjs';
import { IDBFactory } from 'fake-indexeddb';
import { Outbox, backoff, classify, isSame } from '../../web/app/outbox.mjs';
import { Store } from '../../web/app/store.mjs';
import { SignInError } from '../../web/app/oidc.mjs';
import { Api, ApiError } from '../../web/shared/api.mjs';

const ME = 'op_1',
  TASK = 'task_1';
const open = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

/* The API as far as a proof needs it.  next: what to do with requests to come, in order: 'lose' works and hangs up, 'drop' hangs up
 * at once, a number is the status of a refusal, an object a whole answer, null the usual. */
async function service({ status = 'IN_PROGRESS' } = {}) {
  const tasks = new Map([[TASK, { task_id: TASK, status, proof: null, submitted_at: null }]]),
    log = [],
    next = [];
  let files = 0;
  const refusal = (code, name, details = {}) => ({
    status: code,
    json: { error: name, code: name, details, request_id: 'req_1' },
  });
  const work = (method, path, body) => {
    const [, , , , , id, what] = path.split('/'),
      task = tasks.get(id?.split('?')[0]);
    if (path.startsWith('/api/v1/operator/upload'))
      return {
        status: 201,
        json: { url: `https://h/api/v1/files/f${++files}?expires=1&signature=x`, evidence: {}, size: body.length },
      };
    if (!task) return refusal(404, 'task_not_found');
    if (method === 'GET') return { status: 200, json: task };
    assert.equal(what, 'submit');
    if (!['ACCEPTED', 'IN_PROGRESS'].includes(task.status))
      return refusal(409, 'task_state_conflict', { status: task.status });
    Object.assign(task, {
      status: 'SUBMITTED',
      submitted_at: '2026-01-01T00:00:00Z',
      proof: { ...JSON.parse(body), submittedAt: 'x' },
    });
    return { status: 200, json: { task_id: id, status: 'SUBMITTED' } };
  };
  const server = http.createServer((request, response) => {
    const chunks = [];
    request
      .on('data', (chunk) => chunks.push(chunk))
      .on('end', () => {
        const body = Buffer.concat(chunks),
          wish = next.length > 0 ? next.shift() : null;
        log.push(`${request.method} ${request.url.replace('/api/v1/operator/', '').replace(/\?.*/, '')}`);
        if (wish === 'drop') return request.socket.destroy();
        const answer =
          typeof wish === 'number'
            ? refusal(
                wish,
                {
                  401: 'unauthorized',
                  403: 'operator_suspended',
                  413: 'body_too_large',
                  422: 'image_invalid',
                  429: 'rate_limited',
                  503: 'unavailable',
                }[wish] ?? 'internal',
              )
            : wish !== null && typeof wish === 'object'
              ? wish
              : work(request.method, request.url, body);
        if (wish === 'lose') return request.socket.destroy();
        response.writeHead(answer.status, { 'Content-Type': answer.type ?? 'application/json', ...answer.headers });
        return response.end(answer.text ?? JSON.stringify(answer.json));
      });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  open.push(
    () =>
      new Promise((done) => {
        server.close(done);
        server.closeAllConnections();
      }),
  );
  const base = `http://127.0.0.1:${server.address().port}/api/v1`;
  return { base, tasks, task: tasks.get(TASK), log, next, count: (line) => log.filter((l) => l === line).length };
}

const noLocks = null;

/* An app on this device: the same idb is the same device. */
async function app(
  s,
  { idb = new IDBFactory(), operator = ME, headers = () => ({}), locks = noLocks, name = 'channel' } = {},
) {
  const store = await Store.open(idb),
    api = new Api({ base: s.base, headers, wait: async () => {} });
  let clock = 1_800_000_000_000;
  const outbox = new Outbox({
    store,
    api,
    locks,
    channel: new BroadcastChannel(`${name}-${open.length}`),
    now: () => clock,
    upload: async (photo, bytes, onprogress) => {
      onprogress(0.5);
      return api.post('/operator/upload', new Blob([bytes]), { headers: await headers() });
    },
  });
  const events = [];
  for (const type of ['sent', 'sign-in', 'fault'])
    outbox.addEventListener(type, ({ detail }) => events.push([type, detail]));
  outbox.use(operator);
  const close = () => {
    outbox.close();
    store.close();
  };
  open.push(close);
  return {
    idb,
    outbox,
    store,
    events,
    close,
    photo: (size = 10) => outbox.addPhoto(TASK, { bytes: new Uint8Array(size).fill(7).buffer, type: 'image/jpeg' }),
    pass: (ms) => {
      clock += ms;
    },
    now: () => clock,
    settled: async () => {
      for (let i = 0; i < 5; i++) await outbox.run();
    },
  };
}

async function emptied(a) {
  for (const store of ['proofs', 'photos', 'files']) assert.deepEqual(await a.store.all(store), [], store);
}

test('a proof goes out as soon as it is done, photos first, and nothing of it stays on the device', async () => {
  const s = await service(),
    a = await app(s);
  await a.photo();
  await a.photo();
  await a.settled();
  assert.equal(s.count('POST upload'), 2, 'photos go ahead while the operator still writes');
  assert.equal((await a.outbox.find(TASK)).state, 'draft');
  await a.outbox.queue(TASK, { notes: 'Seen' });
  await a.settled();
  assert.deepEqual([s.task.status, s.task.proof.notes, s.task.proof.photos.length], ['SUBMITTED', 'Seen', 2]);
  assert.deepEqual(a.events, [['sent', { task_id: TASK }]]);
  await emptied(a);
});

test('closed at any moment, the app goes on where it was when it is opened again', async () => {
  const s = await service(),
    first = await app(s);
  s.next.push('drop', 'drop', 'drop', 'drop', 'drop', 'drop');
  const { id } = await first.photo(5);
  await first.photo(6);
  await first.outbox.save(TASK, { notes: 'half a sen' });
  first.close();
  const second = await app(s, { idb: first.idb });
  const found = await second.outbox.find(TASK);
  assert.deepEqual([found.notes, found.photos.map((p) => p.size), found.photos[0].id], ['half a sen', [5, 6], id]);
  await second.outbox.queue(TASK, { notes: 'half a sentence' });
  second.close();
  s.next.length = 0;
  const third = await app(s, { idb: first.idb });
  await third.outbox.run({ isNow: true });
  await third.settled();
  assert.deepEqual(
    [s.task.status, s.task.proof.notes, s.count('POST tasks/task_1/submit')],
    ['SUBMITTED', 'half a sentence', 1],
  );
  await emptied(third);
});

test('an upload whose answer was lost is made again, and only the link that came is handed in', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push('lose');
  await a.photo();
  await a.settled();
  await a.outbox.queue(TASK, {});
  await a.outbox.run({ isNow: true });
  await a.settled();
  assert.equal(s.count('POST upload'), 2);
  assert.deepEqual(
    s.task.proof.photos.map((url) => url.split('?')[0]),
    ['https://h/api/v1/files/f2'],
  );
});

test('a submission whose answer was lost is not sent again: the task is asked', async () => {
  const s = await service(),
    a = await app(s);
  await a.photo();
  await a.settled();
  s.next.push('lose');
  await a.outbox.queue(TASK, { notes: 'x' });
  await a.settled();
  assert.equal((await a.outbox.find(TASK)).is_submitting, true, 'nobody knows yet');
  await assert.rejects(a.outbox.recall(TASK), { code: 'under_way' });
  await assert.rejects(a.outbox.discard(TASK), { code: 'under_way' });
  a.pass(10 * 60_000);
  await a.settled();
  assert.deepEqual([s.count('POST tasks/task_1/submit'), s.count('GET tasks/task_1')], [1, 1]);
  assert.equal(a.events.length, 1);
  await emptied(a);
});

test('a submission that never arrived is sent again', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push(null, 'drop');
  await a.photo();
  await a.settled();
  await a.outbox.queue(TASK, {});
  await a.settled();
  assert.equal(s.task.status, 'IN_PROGRESS');
  const again = await app(s, { idb: a.idb });
  a.close();
  await again.outbox.run({ isNow: true });
  await again.settled();
  assert.deepEqual([s.task.status, s.count('POST tasks/task_1/submit')], ['SUBMITTED', 2]);
  await emptied(again);
});

test('whatever single answer is lost or refused for now, the proof arrives exactly once', async () => {
  const wishes = [
    'drop',
    'lose',
    401,
    403,
    429,
    500,
    503,
    { status: 200, text: '<html>Hotel', type: 'text/html' },
    { status: 404, text: 'no', type: 'text/plain' },
    { status: 200, text: '{"half', type: 'application/json' },
  ];
  for (const wish of wishes) {
    for (let at = 0; at < 4; at++) {
      const s = await service(),
        a = await app(s);
      s.next.push(...new Array(at).fill(null), wish);
      await a.photo();
      await a.photo();
      await a.settled();
      await a.outbox.queue(TASK, { notes: 'n' });
      for (let i = 0; i < 5; i++) {
        a.pass(10 * 60_000);
        await a.outbox.run({ isNow: true });
      }
      assert.deepEqual(
        [s.task.status, s.task.proof?.photos.length, new Set(s.task.proof?.photos).size],
        ['SUBMITTED', 2, 2],
        `${JSON.stringify(wish)} at ${at}`,
      );
      assert.equal(a.events.filter(([type]) => type === 'sent').length, 1);
      await emptied(a);
    }
  }
});

test('the task is not asked in vain while the network is away', async () => {
  const s = await service(),
    a = await app(s);
  await a.photo();
  await a.settled();
  s.next.push('lose', 'drop', 'drop');
  await a.outbox.queue(TASK, {});
  await a.settled();
  const before = s.log.length;
  await a.outbox.run();
  assert.equal(s.log.length, before, 'it waits its time');
  a.pass(60_000);
  await a.outbox.run();
  a.pass(600_000);
  await a.outbox.run();
  a.pass(600_000);
  await a.outbox.run();
  assert.equal(s.count('POST tasks/task_1/submit'), 1);
  await emptied(a);
});

test('a proof that came from another device stays here until the operator has seen that', async () => {
  const s = await service(),
    a = await app(s);
  await a.photo();
  await a.settled();
  Object.assign(s.task, {
    status: 'COMPLETED',
    submitted_at: 'x',
    proof: { photos: ['https://h/api/v1/files/other?x'] },
  });
  await a.outbox.queue(TASK, {});
  await a.settled();
  const found = await a.outbox.find(TASK);
  assert.deepEqual([found.state, found.error, found.photos.length], ['refused', 'already_submitted', 1]);
  await a.outbox.discard(TASK);
  await emptied(a);
});

test('a claim that is gone, or a task that is over, refuses the proof and keeps the photos', async () => {
  for (const [change, error] of [
    [(s) => s.tasks.delete(TASK), 'task_not_found'],
    [
      (s) => {
        s.task.status = 'CANCELLED';
      },
      'task_state_conflict',
    ],
  ]) {
    const s = await service(),
      a = await app(s);
    await a.photo();
    await a.settled();
    change(s);
    await a.outbox.queue(TASK, {});
    await a.settled();
    const found = await a.outbox.find(TASK);
    assert.deepEqual(
      [found.state, found.error, found.photos.length, found.is_submitting],
      ['refused', error, 1, false],
    );
    const before = s.log.length;
    await a.outbox.run({ isNow: true });
    assert.equal(s.log.length, before, 'nobody is bothered with it again');
  }
});

test('what is refused before its photos are up is left alone too', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push({ status: 404, json: { error: 'no', code: 'task_not_found', details: {} } });
  await a.photo();
  await a.settled();
  assert.equal((await a.outbox.find(TASK)).error, 'task_not_found');
  await a.outbox.run({ isNow: true });
  assert.equal(s.count('POST upload'), 1);
});

test('a task that is too late for the server is too late, though it still seems open', async () => {
  const s = await service(),
    a = await app(s);
  await a.photo();
  await a.settled();
  s.next.push({ status: 410, json: { error: 'late', code: 'task_expired', details: {} } });
  await a.outbox.queue(TASK, {});
  await a.settled();
  const found = await a.outbox.find(TASK);
  assert.deepEqual([found.state, found.error, s.count('POST tasks/task_1/submit')], ['refused', 'task_expired', 1]);
});

test('a proof that the server put off can be taken back and changed', async () => {
  for (const status of [401, 403, 429]) {
    const s = await service(),
      a = await app(s);
    s.next.push(status);
    await a.outbox.queue(TASK, { confirmation_text: 'old' });
    await a.settled();
    await a.outbox.recall(TASK);
    await a.outbox.queue(TASK, { confirmation_text: 'new' });
    await a.outbox.run({ isNow: true });
    await a.settled();
    assert.equal(s.task.proof?.confirmation_text, 'new', `${status}`);
  }
});

test('a file that the server will not have goes back to the operator, the others stay', async () => {
  for (const status of [413, 422]) {
    const s = await service(),
      a = await app(s);
    s.next.push(null, status);
    const good = await a.photo(),
      bad = await a.photo();
    await a.settled();
    let found = await a.outbox.find(TASK);
    assert.deepEqual(
      [found.state, found.error, found.photos.map((p) => Boolean(p.error))],
      ['draft', 'photo_refused', [false, true]],
    );
    await assert.rejects(a.outbox.queue(TASK, {}), { code: 'photo_refused' });
    await a.outbox.removePhoto(TASK, bad.id);
    found = await a.outbox.find(TASK);
    assert.deepEqual([found.error, found.photos.map((p) => p.id)], [null, [good.id]]);
    await a.outbox.queue(TASK, {});
    await a.settled();
    assert.equal(s.task.proof.photos.length, 1);
    await emptied(a);
  }
});

test("faults of the proof itself are the operator's to mend", async () => {
  const s = await service(),
    a = await app(s);
  s.next.push({
    status: 400,
    json: { error: 'Bad', code: 'validation_failed', details: { fields: { reference_url: 'must be a URL' } } },
  });
  await a.outbox.queue(TASK, { confirmation_text: 'c', reference_url: 'nonsense' });
  await a.settled();
  const found = await a.outbox.find(TASK);
  assert.deepEqual(
    [found.state, found.faults, found.reference_url, found.is_submitting],
    ['draft', { reference_url: 'must be a URL' }, 'nonsense', false],
  );
  await a.outbox.queue(TASK, { confirmation_text: 'c', reference_url: 'https://x' });
  await a.settled();
  assert.equal(s.task.proof.reference_url, 'https://x');
});

test('a link that the server no longer knows is got anew, but not for ever', async () => {
  const s = await service(),
    a = await app(s),
    unknown = {
      status: 400,
      json: { error: 'Bad', code: 'validation_failed', details: { fields: { 'photos[0]': 'must be yours' } } },
    };
  await a.photo();
  await a.settled();
  s.next.push(unknown);
  await a.outbox.queue(TASK, {});
  await a.settled();
  assert.deepEqual([s.count('POST upload'), s.task.status], [2, 'SUBMITTED']);
  const t = await service(),
    b = await app(t);
  await b.photo();
  await b.settled();
  t.next.push(unknown, null, unknown);
  await b.outbox.queue(TASK, {});
  await b.settled();
  assert.deepEqual([t.count('POST upload'), (await b.outbox.find(TASK)).state], [2, 'draft']);
});

test('who must sign in again is told so, and then it goes on', async () => {
  const s = await service();
  let isIn = false;
  const a = await app(s, {
    headers: () => {
      if (!isIn) throw new SignInError('expired');
      return {};
    },
  });
  await a.photo();
  await a.outbox.queue(TASK, {});
  await a.settled();
  assert.ok(a.events.length > 0 && a.events.every(([type]) => type === 'sign-in'));
  assert.equal(s.log.length, 0);
  isIn = true;
  await a.outbox.run({ isNow: true });
  await a.settled();
  assert.equal(s.task.status, 'SUBMITTED');
});

test('an issuer that is out of order is no reason to give a proof up', () => {
  const broken = new SignInError('token_refused', 'bad gateway');
  broken.status = 400;
  assert.deepEqual(
    [
      broken,
      new SignInError('expired'),
      new ApiError({ status: 401, code: 'unauthorized' }),
      new ApiError({ status: 409, code: 'task_state_conflict' }),
      new ApiError({ status: 404, code: 'http_404' }),
      new ApiError({ code: 'offline' }),
      new ApiError({ status: 502, code: 'unavailable' }),
      new TypeError('x'),
    ].map(classify),
    ['later', 'sign_in', 'sign_in', 'refused', 'later', 'later', 'later', 'later'],
  );
});

test('two pages at once send a proof once', async () => {
  const held = new Set();
  const locks = {
    request: async (name, options, work) => {
      if (held.has(name)) return work(null);
      held.add(name);
      try {
        return await work({ name });
      } finally {
        held.delete(name);
      }
    },
  };
  const s = await service(),
    a = await app(s, { locks }),
    b = await app(s, { idb: a.idb, locks });
  await a.photo();
  await a.settled();
  await Promise.all([
    a.outbox.queue(TASK, {}),
    b.outbox.run({ isNow: true }),
    b.outbox.run({ isNow: true }),
    a.outbox.run({ isNow: true }),
  ]);
  await a.settled();
  await b.settled();
  assert.deepEqual([s.count('POST upload'), s.count('POST tasks/task_1/submit'), s.task.status], [1, 1, 'SUBMITTED']);
});

test('a queued proof can be taken back and changed while it has not gone', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push('drop');
  await a.photo();
  await a.settled();
  await a.outbox.queue(TASK, { notes: 'old' });
  await assert.rejects(a.outbox.save(TASK, { notes: 'new' }), { code: 'not_draft' });
  await a.outbox.recall(TASK);
  await a.outbox.save(TASK, { notes: 'new' });
  await a.outbox.queue(TASK, { notes: 'new' });
  await a.outbox.run({ isNow: true });
  await a.settled();
  assert.equal(s.task.proof.notes, 'new');
});

test("what one operator left here is not sent in another's name", async () => {
  const s = await service(),
    a = await app(s);
  s.next.push('drop');
  await a.photo();
  await a.settled();
  await a.outbox.queue(TASK, {});
  a.close();
  const other = await app(s, { idb: a.idb, operator: 'op_2' }),
    before = s.log.length;
  await other.outbox.run({ isNow: true });
  assert.deepEqual([s.log.length, await other.outbox.proofs()], [before, []]);
  other.outbox.use(null);
  assert.deepEqual(await other.outbox.proofs(), []);
  await assert.rejects(other.outbox.save(TASK, {}), { code: 'signed_out' });
  other.outbox.use(ME);
  await other.outbox.run({ isNow: true });
  await other.settled();
  assert.equal(s.task.status, 'SUBMITTED', 'the owner is back');
});

test('a draft that nobody came back to goes in the end, a queued proof never', async () => {
  const s = await service(),
    a = await app(s);
  await a.outbox.addPhoto('task_2', { bytes: new ArrayBuffer(3), type: 'image/jpeg' });
  s.next.push('drop', 'drop', 'drop', 'drop');
  await a.photo();
  await a.outbox.queue(TASK, {});
  await a.settled();
  await a.outbox.tidy(1000);
  assert.equal((await a.outbox.proofs()).length, 2, 'not yet');
  a.pass(2000);
  await a.outbox.tidy(1000);
  assert.deepEqual([(await a.outbox.proofs()).map((p) => p.task_id), (await a.store.all('files')).length], [[TASK], 1]);
});

test('a write that the disk refuses is an error, not a silent loss', async () => {
  const s = await service(),
    a = await app(s);
  const store = await Store.open(a.idb);
  await assert.rejects(
    store.write(['proofs'], (of) => {
      of('proofs').put({ noId: true });
    }),
  );
  await assert.rejects(
    store.write(['proofs'], async (of) => {
      of('proofs').put({ id: 'x' });
      throw new Error('no');
    }),
    /no/,
  );
  assert.deepEqual(await store.all('proofs'), [], 'all or nothing');
  store.close();
  await assert.rejects(store.put('keep', 1, 'x'));
});

test('tries come slower and slower, never all at once, and not before they are wanted', () => {
  assert.deepEqual(
    [backoff(0, null, 0.5), backoff(1, null, 0.5), backoff(50, null, 0.5), backoff(0, 30, 0)],
    [2000, 4000, 300_000, 30_000],
  );
  assert.ok(backoff(3, null, 0) < backoff(3, null, 1));
});

test('a proof is compared by its files and words, not by how links are signed', () => {
  const photo = (url) => ({ url });
  assert.ok(
    isSame({ photos: ['https://a/api/v1/files/x?e=2', 'https://a/api/v1/files/y?e=2'] }, {}, [
      photo('https://a/api/v1/files/y?e=1'),
      photo('https://a/api/v1/files/x?e=1'),
    ]),
  );
  assert.ok(!isSame({ photos: ['https://a/api/v1/files/x'] }, {}, [photo('https://a/api/v1/files/z')]));
  assert.ok(!isSame({ confirmation_text: 'a' }, { confirmation_text: 'b' }, []));
  assert.ok(isSame({}, {}, []));
});
