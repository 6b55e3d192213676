/*
 * Work that is stopped in the operators' app, with a real IndexedDB implementation and a server on loopback that loses answers,
 * hangs up and refuses.  Whatever happens, a stop is told once, and only to the claim that it was of.  The same against the
 * real service is tests/browser/app.test.mjs.
 */
import assert from 'node:assert/strict';
import http from 'node:http';
import { afterEach, test } from 'node:test';
import './globals.mjs';
import { IDBFactory } from 'fake-indexeddb';
import { Stops } from '../../web/app/stops.mjs';
import { Store } from '../../web/app/store.mjs';
import { Api } from '../../web/shared/api.mjs';

const ME = 'op_1',
  TASK = 'task_1',
  CLAIMED = '2027-02-05T13:00:00.000Z';
const open = [];
afterEach(async () => {
  for (const end of open.splice(0).reverse()) await end();
});

/* The API as far as a stop needs it.  next: what to do with requests to come, in order: 'lose' works and hangs up, 'drop' hangs
 * up at once, a number is the status of a refusal, null the usual. */
async function service() {
  const task = { task_id: TASK, status: 'IN_PROGRESS', estimate: { claimed_at: CLAIMED } },
    aborts = [],
    log = [],
    next = [];
  const refusal = (status) => ({ status, json: { error: 'x', code: `code_${status}`, details: {}, request_id: 'r' } });
  const work = (method, body) => {
    if (method === 'GET') return task.isGone ? refusal(404) : { status: 200, json: task };
    if (!['ACCEPTED', 'IN_PROGRESS'].includes(task.status)) return refusal(409);
    aborts.push(JSON.parse(body));
    Object.assign(task, { status: 'PENDING', estimate: undefined });
    return { status: 200, json: { task_id: TASK, status: task.to ?? 'PENDING', message: 'x' } };
  };
  const server = http.createServer((request, response) => {
    let body = '';
    request
      .on('data', (chunk) => (body += chunk))
      .on('end', () => {
        const wish = next.shift() ?? null;
        log.push(request.method);
        if (wish === 'drop') return request.socket.destroy();
        const answer = typeof wish === 'number' ? refusal(wish) : work(request.method, body);
        if (wish === 'lose') return request.socket.destroy();
        response.writeHead(answer.status, { 'Content-Type': 'application/json' });
        return response.end(JSON.stringify(answer.json));
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
  return { base: `http://127.0.0.1:${server.address().port}/api/v1`, task, aborts, log, next };
}

/* An app on this device: the same idb is the same device. */
async function app(s, { idb = new IDBFactory(), operator = ME } = {}) {
  const store = await Store.open(idb),
    clock = { now: 1_800_000_000_000 },
    events = [];
  const stops = new Stops({
    store,
    api: new Api({ base: s.base, headers: () => ({}), wait: async () => {} }),
    locks: null,
    now: () => clock.now,
  });
  for (const type of ['told', 'sign-in', 'fault'])
    stops.addEventListener(type, ({ detail }) => events.push([type, detail]));
  stops.use(operator);
  const close = () => {
    stops.use(null);
    store.close();
  };
  open.push(close);
  const task = { task_id: TASK, estimate: { claimed_at: CLAIMED } };
  return {
    idb,
    stops,
    store,
    clock,
    events,
    close,
    stop: (reason = 'unsafe', note = '') => stops.add(task, { reason, note }),
    now: () => stops.run({ isNow: true }),
    left: async () => (await store.all('stops')).length,
  };
}

test('a stop is told with its reason and note, and nothing of it stays on the device', async () => {
  const s = await service(),
    a = await app(s);
  await a.stop('cannot_complete', 'My bicycle is broken');
  assert.deepEqual(await a.stops.tasks(), new Set([TASK]));
  await a.stops.run();
  assert.deepEqual(s.aborts, [{ reason: 'cannot_complete', note: 'My bicycle is broken' }]);
  assert.deepEqual(a.events, [['told', { task_id: TASK, status: 'PENDING' }]]);
  assert.deepEqual([await a.left(), await a.stops.tasks()], [0, new Set()]);
  await a.now();
  assert.equal(s.aborts.length, 1);
});

test('the third for safety hears that the task has ended', async () => {
  const s = await service(),
    a = await app(s);
  s.task.to = 'CANCELLED';
  await a.stop();
  await a.now();
  assert.deepEqual([s.aborts, a.events], [[{ reason: 'unsafe' }], [['told', { task_id: TASK, status: 'CANCELLED' }]]]);
});

test('without a network it waits, survives closing the app, and comes back by itself', async () => {
  const s = await service(),
    first = await app(s);
  s.next.push(...Array(8).fill('drop'));
  await first.stop();
  await first.now();
  assert.deepEqual([s.aborts, await first.left(), first.events], [[], 1, []]);
  const waits = s.log.length;
  await first.stops.run();
  assert.equal(s.log.length, waits, 'not before its time');
  first.close();
  s.next.length = 0;
  const second = await app(s, { idb: first.idb });
  assert.deepEqual(await second.stops.tasks(), new Set([TASK]));
  second.clock.now += 3_600_000;
  await second.stops.run();
  assert.deepEqual([s.aborts.length, await second.left()], [1, 0]);
});

test('one whose answer was lost is found to have arrived, and is not told again', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push(null, 'lose');
  await a.stop();
  await a.now();
  assert.deepEqual([s.aborts.length, await a.left()], [1, 1]);
  await a.now();
  assert.deepEqual([s.aborts.length, await a.left()], [1, 0]);
  assert.deepEqual(a.events, [['told', { task_id: TASK, status: null }]]);
});

test('what the operator has claimed anew meanwhile is not stopped by an old one', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push(null, 'lose');
  await a.stop();
  await a.now();
  Object.assign(s.task, { status: 'IN_PROGRESS', estimate: { claimed_at: '2027-02-06T09:00:00.000Z' } });
  await a.now();
  assert.deepEqual([s.aborts.length, s.task.status, await a.left()], [1, 'IN_PROGRESS', 0]);
});

test('what is handed in, cancelled or gone needs no stop', async () => {
  for (const change of [{ status: 'SUBMITTED' }, { status: 'CANCELLED' }, { isGone: true }]) {
    const s = await service(),
      a = await app(s);
    Object.assign(s.task, change);
    await a.stop();
    await a.now();
    assert.deepEqual([s.aborts, await a.left(), a.events], [[], 0, [['told', { task_id: TASK, status: null }]]]);
  }
  const s = await service(),
    a = await app(s);
  s.next.push(null, 409);
  await a.stop();
  await a.now();
  assert.equal(await a.left(), 0, 'also if that happened in the very moment');
});

test('refusals that pass are waited for; a note that the server will not have goes without', async () => {
  for (const status of [429, 500, 503, 403, 400]) {
    const s = await service(),
      a = await app(s);
    s.next.push(null, status);
    await a.stop('unsafe', 'Look out');
    await a.now();
    assert.deepEqual([s.aborts, await a.left()], [[], 1], `${status}`);
    s.next.length = 0;
    await a.now();
    assert.deepEqual(s.aborts, [status === 400 ? { reason: 'unsafe' } : { reason: 'unsafe', note: 'Look out' }]);
  }
});

test('who has to sign in is told so, and the stop stays', async () => {
  const s = await service(),
    a = await app(s);
  s.next.push(401);
  await a.stop();
  await a.now();
  assert.deepEqual([a.events, await a.left(), s.aborts], [[['sign-in', null]], 1, []]);
});

test('a stop is taken back until it is told, and one that may have been is asked for', async () => {
  const s = await service(),
    a = await app(s);
  await a.stop();
  assert.equal(await a.stops.undo(TASK), true);
  await a.now();
  assert.deepEqual([s.log, await a.left()], [[], 0]);
  assert.equal(await a.stops.undo(TASK), false, 'there is none');
  s.next.push(null, 'drop');
  await a.stop();
  await a.now();
  s.next.push(...Array(8).fill('drop'));
  await assert.rejects(a.stops.undo(TASK), 'nobody can say');
  assert.equal(await a.left(), 1);
  s.next.length = 0;
  assert.equal(await a.stops.undo(TASK), true, 'it had not arrived');
  s.next.push(null, 'lose');
  await a.stop();
  await a.now();
  assert.equal(await a.stops.undo(TASK), false, 'it had');
  assert.deepEqual([s.aborts.length, await a.left()], [1, 0]);
});

test('stops are those of the one who made them', async () => {
  const s = await service(),
    a = await app(s);
  await a.stop();
  a.stops.use('op_2');
  assert.deepEqual(await a.stops.tasks(), new Set());
  await a.now();
  assert.deepEqual([s.log, await a.left()], [[], 1]);
  a.stops.use(ME);
  await Promise.all([a.now(), a.now(), a.now()]);
  assert.equal(s.aborts.length, 1);
});

test('a device that knew no stops yet keeps its proofs', async () => {
  const idb = new IDBFactory();
  await new Promise((done, fail) => {
    const request = idb.open('humanops-app', 1);
    request.onupgradeneeded = () => {
      for (const name of ['proofs', 'photos']) request.result.createObjectStore(name, { keyPath: 'id' });
      for (const name of ['files', 'keep']) request.result.createObjectStore(name);
      request.transaction.objectStore('photos').createIndex('proof', 'proof');
      request.transaction.objectStore('proofs').put({ id: 'op_1/task_2', notes: 'half' });
    };
    request.onsuccess = () => done(request.result.close());
    request.onerror = () => fail(request.error);
  });
  const a = await app(await service(), { idb });
  assert.deepEqual(await a.store.all('proofs'), [{ id: 'op_1/task_2', notes: 'half' }]);
  await a.stop();
  assert.equal(await a.left(), 1);
});
