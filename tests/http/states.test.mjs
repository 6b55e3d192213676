/*
 * The lifecycle (spec 4) through HTTP: every status against every call that moves a task.  The table is written out here from
 * the specification; what it does not list is refused with the status and what it allows, and changes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { model } from '../model.mjs';
import { stack } from '../stack.mjs';
import { booksAgree, fixtures, move, moves, newOperator, prepare, snapshot } from '../work.mjs';

/* From each status, by whom, which call, to which status. */
const lifecycle = {
  PENDING: { operator: { accept: 'ESTIMATE_PENDING' }, agent: { cancel: 'CANCELLED' } },
  ESTIMATE_PENDING: { operator: { withdraw: 'PENDING' }, agent: { approve: 'ACCEPTED', reject: 'PENDING', cancel: 'CANCELLED' } },
  ACCEPTED: { operator: { start: 'IN_PROGRESS', submit: 'SUBMITTED', abort: 'PENDING' }, agent: { cancel: 'CANCELLED' } },
  IN_PROGRESS: { operator: { submit: 'SUBMITTED', abort: 'PENDING' } },
  SUBMITTED: { agent: { verify_approve: 'COMPLETED', verify_reject: 'DISPUTED' } },
  VERIFIED: { agent: { verify_approve: 'COMPLETED', verify_reject: 'DISPUTED' } },
  COMPLETED: { agent: { dispute: 'DISPUTED' } },
  DISPUTED: { staff: { resolve_pay: 'COMPLETED', resolve_refund: 'CANCELLED', resolve_split: 'COMPLETED' } },
  CANCELLED: {},
};
/* What a move books beside what is booked already, and what becomes of the pay. */
const bookings = {
  cancel: ['escrow_refund'],
  verify_approve: ['earning', 'escrow_release'],
  resolve_pay: { DISPUTED: ['dispute_resolution', 'earning'], FROZEN: ['settlement'] },
  resolve_refund: { DISPUTED: ['dispute_resolution'], FROZEN: ['dispute_refund', 'earning_return'] },
  resolve_split: { DISPUTED: ['dispute_resolution', 'earning'], FROZEN: ['dispute_refund', 'earning_return', 'settlement'] },
};
/* Fixtures that are one of the statuses with a past of their own. */
const statusOf = (fixture) => ({ MANUAL_REVIEW: 'SUBMITTED', FROZEN: 'DISPUTED' })[fixture] ?? fixture;

/* Whoever hands in here is in doubt, so that nothing moves by itself. */
const m = await model();
m.verify(70);
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true', 'GUARDIAN_PROVIDER=openai', 'GUARDIAN_MODEL=m', `GUARDIAN_URL=${m.url}`] });
const agent = await s.agent({ tier: 'STANDARD', deposit: 100_000 }), stranger = await s.agent({ tier: 'STANDARD', deposit: 100 });
const operator = await newOperator(s), other = await newOperator(s);

/* What the Guardian adds later is not the call's. */
const trail = (state) => state.events.filter((type) => type !== 'task.manual_review');
const added = (before, after) => after.filter((kind) => !before.includes(kind)).sort();

async function shown(task) {
  const asAgent = await s.call('GET', `/tasks/${task.id}`, { key: agent.key });
  const asOperator = await s.call('GET', `/operator/tasks/${task.id}`, { headers: { 'X-Operator-Id': operator.id } });
  return [asAgent.json.status, asOperator.json.status ?? asOperator.status];
}

for (const fixture of fixtures) {
  const status = statusOf(fixture), allowed = lifecycle[status];
  test(`${fixture}: every call moves as the lifecycle says or is refused and changes nothing`, async () => {
    const tasks = await prepare(s, { agent, operator, status: fixture, count: moves.length });
    const before = await snapshot(s, tasks);
    const answers = [];
    for (const [i, { event }] of moves.entries())
      answers.push(await move(s, event, tasks[i]));
    const after = await snapshot(s, tasks);
    for (const [i, { event, by }] of moves.entries()) {
      const was = before.get(tasks[i].uuid), is = after.get(tasks[i].uuid), answer = answers[i], what = `${fixture}: ${event}: ${answer.text}`;
      const to = allowed[by]?.[event];
      assert.equal(was.row.status, status, 'the fixture');
      if (to === undefined) {
        assert.deepEqual([answer.status, answer.json.code, answer.json.details], [409, 'task_state_conflict',
          { status, allowed: Object.keys(allowed[by] ?? {}).sort() }], what);
        assert.deepEqual(is, was, `${what}: nothing has changed`);
        assert.equal((await shown(tasks[i]))[0], status, what);
        continue;
      }
      assert.deepEqual([answer.status, answer.json.status, is.row.status], [200, to, to], what);
      assert.equal(trail(is).length, trail(was).length + 1, `${what}: one event`);
      assert.deepEqual(added(was.bookings, is.bookings), bookings[event]?.[fixture] ?? (Array.isArray(bookings[event]) ? bookings[event] : []), what);
      const [asAgent, asOperator] = await shown(tasks[i]);
      assert.equal(asAgent, to, what);
      assert.equal(asOperator, is.row.operator_id === null && to !== 'PENDING' ? 404 : to, what);
    }
    await booksAgree(s);
  });
}

test('the same call by another agent or operator finds no task, whatever its status, and changes nothing', async () => {
  for (const fixture of fixtures.filter((f) => f !== 'PENDING')) {
    const [task] = await prepare(s, { agent, operator, status: fixture });
    const before = await snapshot(s, [task]);
    for (const { event, by } of moves.filter((m) => m.by !== 'staff')) {
      const answer = await move(s, event, task, { agent: stranger, operator: other });
      /* Whether a task can be claimed is no secret: until it was, everybody saw it. */
      const want = event === 'accept' ? [409, 'task_state_conflict'] : [404, 'task_not_found'];
      assert.deepEqual([answer.status, answer.json.code], want, `${fixture}: ${event} by another ${by}: ${answer.text}`);
    }
    assert.deepEqual(await snapshot(s, [task]), before, fixture);
  }
});

test('what is too late is 410: a claim past the deadline, a proof past the grace', async () => {
  const deadline = (column) => `update tasks set ${column} = n, due_at = null where bucket = b and id = t;`;
  const expired = `update tasks set due_at = n where bucket = b and id = t; perform sweep_task(b, t, n + interval '4 days');`;
  for (const [fixture, event, after] of [
    ['PENDING', 'accept', deadline('deadline')],
    ['ESTIMATE_PENDING', 'accept', deadline('deadline')],
    ['PENDING', 'accept', expired],
    ['ACCEPTED', 'accept', expired],
    ['ACCEPTED', 'submit', deadline('late_at')],
    ['IN_PROGRESS', 'submit', deadline('late_at')],
  ]) {
    const [task] = await prepare(s, { agent, operator, status: fixture, after });
    const before = await snapshot(s, [task]), answer = await move(s, event, task);
    assert.deepEqual([answer.status, answer.json.code], [410, 'task_expired'], `${fixture}: ${event}: ${answer.text}`);
    assert.deepEqual(await snapshot(s, [task]), before);
  }
  /* A claim that is past its deadline and waits for the sweep is still the operator's to give back. */
  const [task] = await prepare(s, { agent, operator, status: 'ESTIMATE_PENDING', after: deadline('deadline') });
  assert.equal((await move(s, 'withdraw', task)).status, 200);
  /* So is work, even past its grace. */
  const [work] = await prepare(s, { agent, operator, status: 'IN_PROGRESS', after: deadline('late_at') });
  assert.equal((await move(s, 'abort', work)).status, 200);
  await booksAgree(s);
});

test('when the hold is over a dispute is refused, and nothing has changed', async () => {
  const after = `update earnings set available_at = n where bucket = ob and task_id = t;`;
  const [task] = await prepare(s, { agent, operator, status: 'COMPLETED', after });
  const before = await snapshot(s, [task]), answer = await move(s, 'dispute', task);
  assert.deepEqual([answer.status, answer.json.code], [409, 'hold_over'], answer.text);
  assert.deepEqual(await snapshot(s, [task]), before);
});
