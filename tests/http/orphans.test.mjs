/*
 * Uploads that nobody hands in: kept while they may be needed, then gone with row and files, from the disk as from a bucket; whatever
 * is killed in between, and whoever hands one in at that instant.  And the same photo sent again, which is the same upload.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { abreast, sessions, together } from '../abreast.mjs';
import { exif, jpeg, pdf } from '../pictures.mjs';
import { startS3 } from '../s3.mjs';
import { stack } from '../stack.mjs';
import { newOperator, prepare, proof } from '../work.mjs';

const settings = ['ALLOW_DEV_OPERATOR_ID_HEADER=true'];
const s3 = await startS3();
after(() => s3.stop());
const s = await stack({ settings }), far = await stack({ settings: [...settings, ...s3.settings] });

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

let pictures = 0;
const picture = () => jpeg({ exif: exif({ model: `No ${++pictures}` }) });

/* Somebody who works, on an instance, and their calls. */
async function people(on) {
  const agent = await on.agent({ tier: 'STANDARD', deposit: 10_000 }), operator = await newOperator(on);
  const headers = { 'X-Operator-Id': operator.id };
  const send = (bytes, { task, type = 'image/jpeg' } = {}) =>
    on.call('POST', `/operator/upload${task ? `?task_id=${task.id}` : ''}`, { raw: bytes, headers: { ...headers, 'Content-Type': type } });
  return {
    agent, operator, send,
    begun: async (count = 1) => prepare(on, { agent, operator, status: 'IN_PROGRESS', count }),
    upload: async (bytes, more) => ok(send(bytes, more), 201),
    submit: (task, ...links) => on.call('POST', `/operator/tasks/${task.id}/submit`, { body: { ...proof, photos: links }, headers }),
  };
}

const nameOf = (link) => /files\/([0-9a-f]{32})/.exec(link)[1];
const row = async (on, link) => (await on.sql(`select * from uploads where stored = '${nameOf(link)}'`))[0];
/* A file of the disk's store, by its name. */
const fileOf = (name) => path.join(s.settings.STATE_DIR, 'uploads', name.slice(0, 2), name.slice(2, 4), name);
const filesOnDisk = () => readdirSync(path.join(s.settings.STATE_DIR, 'uploads'), { recursive: true, withFileTypes: true }).filter((f) => f.isFile()).length;
const rows = async (on) => (await on.sql('select count(*) as n from uploads'))[0].n;
/* Makes uploads a week old. */
const age = (on, ...links) => on.sql(`update uploads set due_at = due_at - interval '8 days', created_at = created_at - interval '8 days'
  where stored in (${links.map((link) => `'${nameOf(link)}'`).join()})`);
const gone = (on, link) => on.until(async () => (await row(on, link)) === undefined);

test('an upload in no proof goes after a week, row and both files; what was handed in stays', async () => {
  const p = await people(s), [task] = await p.begun(), [kept, left, bare] = [await p.upload(picture(), { task }), await p.upload(picture(), { task }), await p.upload(pdf(), { type: 'application/pdf' })];
  const { original } = await row(s, left.url), keptRow = await row(s, kept.url);
  await ok(p.submit(task, kept.url));
  await age(s, kept.url, left.url, bare.url);
  await s.sweep();
  await Promise.all([gone(s, left.url), gone(s, bare.url)]);
  for (const name of [nameOf(left.url), original, nameOf(bare.url)])
    assert.ok(!existsSync(fileOf(name)), name);
  for (const name of [keptRow.stored, keptRow.original])
    assert.ok(existsSync(fileOf(name)), name);
  assert.equal((await row(s, kept.url)).due_at, null);
  assert.equal((await s.call('GET', new URL(left.url).pathname.replace('/api/v1', '') + new URL(left.url).search)).status, 404);
});

test('while the work it is for is at hand an upload stays, however old it is', async () => {
  const p = await people(s), [task] = await p.begun(), file = await p.upload(picture(), { task }), bare = await p.upload(picture());
  await s.sql(`update tasks set accepted_at = accepted_at - interval '9 days' where id = '${task.uuid}'`);
  await age(s, file.url, bare.url);
  await s.sweep();
  for (const { url } of [file, bare]) {
    const { due_at: due, is_discarded: isDiscarded } = await row(s, url);
    assert.ok(!isDiscarded && Math.abs(Date.parse(due) - (await s.now()) - 86_400_000) < 60_000, `${due}`);
  }
  await ok(p.submit(task, file.url, bare.url));
});

test('a link that is gone is refused by name, and the same photo is taken in anew', async () => {
  const p = await people(s), [task] = await p.begun(), bytes = picture(), old = await p.upload(bytes, { task });
  await s.sql(`update uploads set due_at = now() where stored = '${nameOf(old.url)}'`);
  const { bucket, id } = await row(s, old.url);
  await s.sql(`do $$ begin perform upload_discard(${bucket}, '${id}', now()); end $$`);
  const refused = await p.submit(task, old.url);
  assert.deepEqual([refused.status, Object.keys(refused.json.details.fields)], [400, ['photos[0]']]);
  const again = await p.upload(bytes, { task });
  assert.notEqual(nameOf(again.url), nameOf(old.url));
  await ok(p.submit(task, again.url));
  await gone(s, old.url);
});

test('the same photo for the same task is the same upload, however often and however many at once', async () => {
  const p = await people(s), [task, other] = await p.begun(2), bytes = picture();
  const first = await p.send(bytes, { task }), again = await p.send(bytes, { task });
  assert.deepEqual([first.status, again.status, first.headers['idempotent-replayed'], again.headers['idempotent-replayed']], [201, 201, undefined, 'true']);
  assert.equal(nameOf(again.json.url), nameOf(first.json.url));
  assert.deepEqual({ ...again.json, url: '' }, { ...first.json, url: '' });
  const names = [nameOf(first.json.url), nameOf((await p.upload(bytes, { task: other })).url), nameOf((await p.upload(bytes)).url)];
  assert.equal(new Set(names).size, 3, 'for another task, or for none, it is another');
  const more = await people(s);
  assert.notEqual(nameOf((await more.upload(bytes)).url), names[2], 'as is somebody else\'s');
  for (let round = 0; round < 5; round++) {
    const [rivals, before] = [picture(), filesOnDisk()];
    const made = await Promise.all(Array.from({ length: 4 }, () => p.upload(rivals, { task })));
    assert.equal(new Set(made.map(({ url }) => nameOf(url))).size, 1);
    await s.until(async () => filesOnDisk() === before + 2 && (await s.sql(`select count(*) as n from uploads where sha256 = '\\x${made[0].sha256}'`))[0].n === 1);
  }
});

const ROUNDS = 40;

test(`${ROUNDS} times an upload is handed in as the sweep comes for it: the proof has its file, or the submission is refused`, async () => {
  const p = await people(s), run = sessions(s, 4), tasks = await p.begun(ROUNDS);
  const links = await abreast(4, tasks, async (task) => (await p.upload(picture(), { task })).url);
  await age(s, ...links);
  const { bucket } = p.operator, found = await Promise.all(links.map((link) => row(s, link)));
  /* The one or the other begins, by up to 30 ms: whatever the machine, some are won by each. */
  const wait = (ms) => new Promise((done) => { setTimeout(done, Math.max(0, ms)); });
  const results = await abreast(4, tasks, (task, i) => {
    const lead = i % 2 ? i % 12 : -3 * (i % 12);
    const contenders = [async () => {
      await wait(-lead);
      return p.submit(task, links[i]);
    }, async () => {
      await wait(lead);
      return (await run(`select upload_discard(${bucket}, '${found[i].id}', now())`)) === 't';
    }];
    return together(contenders);
  });
  let handedIn = 0;
  for (const [i, [answer, isDiscarded]] of results.entries()) {
    assert.deepEqual(answer.status, isDiscarded ? 400 : 200, answer.text);
    if (isDiscarded) assert.deepEqual(Object.keys(answer.json.details.fields), ['photos[0]']);
    else handedIn++;
    const now = await row(s, links[i]);
    if (!isDiscarded) {
      assert.deepEqual([now.due_at, now.is_discarded], [null, false]);
      assert.ok(existsSync(fileOf(now.stored)) && existsSync(fileOf(now.original)));
    } else await gone(s, links[i]);
  }
  assert.ok(handedIn > 0 && handedIn < ROUNDS, `${handedIn} of ${ROUNDS} were handed in: the rest was swept`);
});

test('in a bucket it goes as well, later if the store is away or dies over it, and nothing else with it', async () => {
  const p = await people(far), [task] = await p.begun(), kept = await p.upload(picture(), { task }), left = await p.upload(picture(), { task });
  const names = ({ stored, original }) => [stored, original].sort(), own = names(await row(far, kept.url)), going = names(await row(far, left.url));
  assert.deepEqual([...s3.objects.keys()].sort(), [...own, ...going].sort());
  await ok(p.submit(task, kept.url));
  await age(far, left.url);
  const deletes = () => s3.requests.filter((r) => r.method === 'DELETE');
  s3.fail(503, 1);
  await far.sweep();
  await far.until(async () => (await far.sql("select attempts from jobs where kind = 'discard'"))[0]?.attempts >= 1 && deletes().length >= 1);
  assert.ok((await row(far, left.url)).is_discarded, 'the row is there as long as a file may be');
  /* As if killed between the files and the row: one is gone already. */
  s3.objects.delete(going[0]);
  await far.sql("update jobs set run_at = now() where kind = 'discard'");
  await gone(far, left.url);
  assert.deepEqual([...s3.objects.keys()].sort(), own);
  await far.until(async () => (await far.sql("select 1 from jobs where kind = 'discard'")).length === 0);
});

test('a store that is away leaves a row that nobody sees, and its half goes in time', async () => {
  const p = await people(far), [task] = await p.begun(), bytes = picture(), before = await rows(far), objects = s3.objects.size;
  const puts = s3.requests.filter((r) => r.method === 'PUT').length;
  s3.fail(200, 1); /* says that it has the first, and does not */
  s3.fail(503, 1);
  assert.equal((await p.send(bytes, { task })).status, 503);
  assert.equal(s3.requests.filter((r) => r.method === 'PUT').length, puts + 2);
  const [half] = await far.sql('select * from uploads where stored_at is null');
  assert.equal((await rows(far)), before + 1);
  const whole = await p.upload(bytes, { task });
  assert.notEqual(nameOf(whole.url), half.stored);
  assert.equal(s3.objects.size, objects + 2);
  await far.sql(`update uploads set due_at = now() where id = '${half.id}'; update tasks set status = 'PENDING', operator_id = null where id = '${task.uuid}'`);
  await far.sweep();
  await far.until(async () => (await rows(far)) === before + 1 && (await row(far, whole.url)) !== undefined);
});
