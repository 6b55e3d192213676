/*
 * Two or more who move one task at the same instant: operators, agent, Guardian, sweeper and staff.  Whoever is first has the one
 * effect, the rest are refused, and the books agree.  Guardian and sweeper are played by the SQL functions that the programs
 * call, both legs in one transaction as there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { abreast, later, sessions, together } from '../abreast.mjs';
import { stack } from '../stack.mjs';
import { HOLD, booksAgree, move, newOperator, prepare, snapshot } from '../work.mjs';

const ROUNDS = 200;
const ABREAST = 6;
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true', 'GUARDIAN_PROVIDER=rules'] });
const agent = await s.agent({ tier: 'STANDARD', deposit: 1_000_000 });
const operator = await newOperator(s), other = await newOperator(s);

/*
 * One round for each task, a few abreast.  contenders(task, i) gives functions that start together; judge(task, results, i) looks
 * at what came of it.
 */
async function race(tasks, contenders, judge) {
  const results = await abreast(ABREAST, tasks, (task, i) => together(contenders(task, i)));
  const after = await snapshot(s, tasks);
  tasks.forEach((task, i) => judge(after.get(task.uuid), results[i], i));
  await booksAgree(s);
  return results;
}

const call = (event, task, who) => () => move(s, event, task, who);
const statuses = (answers) => answers.map((a) => a.status);

/* How often each contender was first: each has to be at times, or nothing was raced. */
function wins(results) {
  return results[0].map((_, n) => results.filter((round) => round[n] === true || round[n].status === 200).length);
}

/* One of them was answered 200, the rest were told of the conflict and of the status that they met. */
function assertOneWinner(answers, what) {
  assert.equal(answers.filter((a) => a.status === 200).length, 1, `${what}: ${answers.map((a) => a.text).join(' ')}`);
  for (const answer of answers.filter((a) => a.status !== 200))
    assert.deepEqual([answer.status, answer.json.code], [409, 'task_state_conflict'], `${what}: ${answer.text}`);
}

const run = sessions(s, ABREAST);

/* Runs a select as the Guardian or the sweeper does, in one transaction; true if it says that it had an effect. */
async function played(statement) {
  return (await run(statement))?.startsWith('t') ?? false;
}

const count = (state, type) => state.events.filter((t) => t === type).length;

test(`${ROUNDS} times two operators claim one task: one has it, with the name of that one on it`, async () => {
  const tasks = await prepare(s, { agent, operator, status: 'PENDING', count: ROUNDS });
  const results = await race(tasks,
    (task, i) => [[operator, other], [other, operator]][i % 2].map((who) => call('accept', task, { operator: who })),
    (state, answers, i) => {
      assertOneWinner(answers, `round ${i}`);
      const winner = [[operator, other], [other, operator]][i % 2][statuses(answers).indexOf(200)];
      assert.deepEqual([state.row.status, state.row.operator_id], ['ESTIMATE_PENDING', winner.uuid]);
      assert.equal(count(state, 'task.claimed'), 1);
    });
  assert.ok(wins(results).every((n) => n > 0), `${wins(results)}`);
});

test(`${ROUNDS} times approve, reject, withdraw and the sweeper meet: one ends the wait`, async () => {
  const tasks = await prepare(s, { agent, operator, status: 'ESTIMATE_PENDING', count: ROUNDS });
  const due = await s.time(90_000);
  const events = { approve: 'task.estimate_approved', reject: 'task.estimate_rejected', withdraw: 'task.claim_withdrawn' };
  const results = await race(tasks,
    (task, i) => [...Object.keys(events).map((event, n) => later(call(event, task), i + n)),
      later(() => played(`select count(*) > 0 as done from sweep_task(${agent.bucket}, '${task.uuid}', '${due}')`), i + 5)],
    (state, [approved, rejected, withdrawn, lapsed], i) => {
      const won = [approved, rejected, withdrawn].map((a) => a.status === 200);
      assert.equal([...won, lapsed].filter(Boolean).length, 1, `round ${i}: ${won} ${lapsed}`);
      for (const answer of [approved, rejected, withdrawn])
        assert.ok(answer.status === 200 || (answer.status === 409 && answer.json.code === 'task_state_conflict'), answer.text);
      assert.equal(state.row.status, won[0] ? 'ACCEPTED' : 'PENDING');
      assert.equal(state.row.operator_id, won[0] ? operator.uuid : null);
      assert.equal(state.events.length, 3, `created, claimed, and one more: ${state.events}`);
      const first = Object.values(events)[won.indexOf(true)] ?? 'task.estimate_expired';
      assert.equal(state.events[2], first);
    });
  assert.ok(wins(results).every((n) => n > 0), `${wins(results)}`);
});

for (const rival of ['submit', 'start'])
  test(`${ROUNDS} times cancel meets ${rival}: refunded or begun, never both`, async () => {
    const tasks = await prepare(s, { agent, operator, status: 'ACCEPTED', count: ROUNDS });
    const results = await race(tasks,
      (task, i) => i % 2 ? [call('cancel', task), call(rival, task)] : [later(call('cancel', task), i), later(call(rival, task), 0)],
      (state, answers, i) => {
        assertOneWinner(answers, `round ${i}`);
        const isCancelled = answers[0].status === 200;
        assert.equal(state.row.status === 'CANCELLED', isCancelled, state.row.status);
        assert.deepEqual(state.bookings.includes('escrow_refund'), isCancelled);
        assert.equal(state.row.proof === null, isCancelled || rival === 'start');
      });
    assert.ok(wins(results).every((n) => n > 0), `${wins(results)}`);
  });

for (const rival of ['submit', 'cancel', 'expire'])
  test(`${ROUNDS} times an operator's abort meets ${rival}: one comes first, the other meets what it left`, async () => {
    const tasks = await prepare(s, { agent, operator, status: 'ACCEPTED', count: ROUNDS });
    const due = await s.time(5 * 86_400), sweep = (task) => played(`with swept as (select * from sweep_task(${agent.bucket}, '${task.uuid}', '${due}'))
      select count(*) filter (where event = 'expire') > 0 as done from swept`);
    const other = (task) => rival === 'expire' ? () => sweep(task) : call(rival, task);
    const results = await race(tasks, (task, i) => [later(call('abort', task), i % 3 * 3), later(other(task), i % 4 * 3)],
      (state, [aborted, answer], i) => {
        const what = `round ${i}: ${aborted.text} ${answer.text ?? answer}: ${state.events}`;
        const isOpen = count(state, 'task.aborted') === 1;
        assert.equal(aborted.status === 200, isOpen, what);
        assert.equal(state.row.safety_stops, isOpen ? 1 : 0, what);
        if (rival === 'submit') {
          assertOneWinner([aborted, answer], what);
          /* What is handed in may have been judged meanwhile. */
          assert.deepEqual([state.row.status === 'PENDING', state.row.proof === null, state.row.operator_id],
            isOpen ? [true, true, null] : [false, false, operator.uuid], what);
          return;
        }
        /* A cancellation or an expiry goes through whether the task is taken or open; an abort does not come after either. */
        assert.ok(rival === 'cancel' ? answer.status === 200 : answer === true || isOpen, what);
        if (!isOpen)
          assert.deepEqual([aborted.status, aborted.json.code], [409, 'task_state_conflict'], what);
        const isOver = rival === 'cancel' || answer === true;
        assert.equal(state.row.status, isOver ? 'CANCELLED' : 'PENDING', what);
        assert.deepEqual(state.bookings, isOver ? ['escrow_hold', 'escrow_refund'] : ['escrow_hold'], what);
      });
    const aborted = results.filter(([answer]) => answer.status === 200).length;
    assert.ok(aborted > 0 && aborted < ROUNDS, `${aborted} aborts were first`);
  });

test(`${ROUNDS} times one operator's abort comes twice at the same instant: one counts`, async () => {
  const tasks = await prepare(s, { agent, operator, status: 'IN_PROGRESS', count: ROUNDS });
  await race(tasks, (task) => [call('abort', task), call('abort', task)], (state, answers, i) => {
    assertOneWinner(answers, `round ${i}`);
    assert.deepEqual([state.row.status, state.row.safety_stops, count(state, 'task.aborted')], ['PENDING', 1, 1]);
  });
});

test(`${ROUNDS} times the Guardian's verdict meets the agent's: the first stands, and is paid once`, async () => {
  const tasks = await prepare(s, { agent, operator, status: 'SUBMITTED', count: ROUNDS });
  const result = (event) => JSON.stringify({ decision: event === 'pass' ? 'APPROVE' : 'REJECT', confidence: event === 'pass' ? 95 : 10 });
  const now = await s.time();
  /* Both legs in one statement, as in one transaction. */
  const guardian = (task, event) => played(`select v.has_moved as done, case when v.pays then (select count(*) from earning_credit(${operator.bucket},
    '${operator.uuid}', '${task.uuid}', v.reward, timestamptz '${now}' + interval '${HOLD} seconds', '${now}')) end as paid
    from verdict_guardian(${agent.bucket}, '${task.uuid}', '${event}', '${result(event)}', ${HOLD}, '${now}') v`);
  const sides = (i) => [i % 2 ? 'pass' : 'fail', i % 4 < 2 ? 'verify_approve' : 'verify_reject'];
  const results = await race(tasks,
    (task, i) => [later(() => guardian(task, sides(i)[0]), i * 3), later(call(sides(i)[1], task), i)],
    (state, [moved, answer], i) => {
      const [event, decision] = sides(i), good = moved ? event === 'pass' : decision === 'verify_approve';
      assert.deepEqual(moved ? [409, 'task_state_conflict'] : [200, undefined], [answer.status, answer.json.code], answer.text);
      assert.equal(state.row.status, good ? 'COMPLETED' : 'DISPUTED');
      assert.equal(state.row.guardian_result.decision, event === 'pass' ? 'APPROVE' : 'REJECT', 'the Guardian\'s is recorded in any case');
      assert.deepEqual(state.bookings, good ? ['earning', 'escrow_hold', 'escrow_release'] : ['escrow_hold']);
      assert.equal(state.earning?.state ?? null, good ? 'pending' : null);
    });
  assert.ok(wins(results).every((n) => n > 0), `${wins(results)}`);
});

test(`${ROUNDS} times a dispute meets the settlement: frozen or paid out, never both`, async () => {
  const worker = await newOperator(s);
  const tasks = await prepare(s, { agent, operator: worker, status: 'COMPLETED', count: ROUNDS });
  /* Each hold ends a second after the one before, so that a sweep ends one more each round. */
  const begin = Date.parse(await s.time(3600));
  const end = (i) => new Date(begin + i * 1000).toISOString();
  await s.sql(`update earnings e set available_at = v.at::timestamptz from (values ${tasks.map((t, i) => `('${t.uuid}'::uuid, '${end(i)}')`).join(',')}) v(id, at)
    where e.task_id = v.id`);
  const results = await race(tasks,
    (task, i) => [later(() => played(`select n > 0 as done from earning_settle(${worker.bucket}, '${end(i)}', 100) n`), i * 3), later(call('dispute', task), i)],
    (state, [, answer], i) => {
      if (answer.status === 200)
        assert.deepEqual([state.row.status, state.earning.state], ['DISPUTED', 'frozen'], `round ${i}`);
      else
        assert.deepEqual([answer.status, answer.json.code, state.row.status, state.earning.state], [409, 'hold_over', 'COMPLETED', 'available'], answer.text);
      assert.equal(state.bookings.includes('settlement'), answer.status !== 200);
    });
  const frozen = results.filter(([, answer]) => answer.status === 200).length;
  assert.ok(frozen > 0 && frozen < ROUNDS, `${frozen} disputes were in time`);
  const [row] = await s.sql(`select sum(balance) filter (where kind = 'pending') as pending, sum(balance) filter (where kind = 'available') as available
    from accounts where bucket = ${worker.bucket} and party_id = '${worker.uuid}'`);
  assert.deepEqual(row, { pending: frozen * 25e6, available: (ROUNDS - frozen) * 25e6 });
});

for (const status of ['DISPUTED', 'FROZEN'])
  test(`${ROUNDS} times two of staff resolve one dispute (${status}): one resolution, the other is refused`, async () => {
    const tasks = await prepare(s, { agent, operator, status, count: ROUNDS });
    const pairs = [['resolve_pay', 'resolve_refund'], ['resolve_split', 'resolve_pay'], ['resolve_refund', 'resolve_split'], ['resolve_refund', 'resolve_refund']];
    const results = await race(tasks,
      (task, i) => pairs[i % 4].map((event) => call(event, task)),
      (state, answers, i) => {
        assertOneWinner(answers, `round ${i}`);
        const event = pairs[i % 4][statuses(answers).indexOf(200)];
        assert.equal(state.row.status, event === 'resolve_refund' ? 'CANCELLED' : 'COMPLETED');
        assert.equal(state.row.resolution.resolution, { resolve_pay: 'PAY_OPERATOR', resolve_refund: 'REFUND_AGENT', resolve_split: 'SPLIT' }[event]);
        const kept = { resolve_pay: 25e6, resolve_refund: 0, resolve_split: 10e6 }[event];
        assert.equal(state.earning?.amount ?? 0, kept, 'what the operator keeps');
        assert.equal(new Set(state.bookings).size, state.bookings.length, 'nothing is booked twice');
      });
    assert.ok(wins(results).every((n) => n > 0), `${wins(results)}`);
  });

test('sweeps of one bucket at once settle every hold once, whoever earned it', async () => {
  const worker = await newOperator(s);
  /* Two operators of one bucket, whose holds end in turn, so that the sweeps need both of their accounts. */
  await s.sql(`do $do$ begin perform operator_register(${worker.bucket}, id_new(${worker.bucket}, '${await s.time()}'), null, 'Mate', 'm@example.com', null, null, null,
    null, null, '[]', 'VERIFIED', '${await s.time()}'); end $do$`);
  const [{ id: uuid }] = await s.sql(`select id from operators where bucket = ${worker.bucket} and name = 'Mate'`);
  const mate = { uuid, bucket: worker.bucket };
  const tasks = [...await prepare(s, { agent, operator: worker, status: 'COMPLETED', count: ROUNDS }),
    ...await prepare(s, { agent, operator: mate, status: 'COMPLETED', count: ROUNDS })];
  await s.sql(`update earnings set available_at = available_at + random() * interval '1 hour' where bucket = ${worker.bucket}`);
  const end = await s.time(HOLD + 7200);
  const sweep = async () => {
    for (let settled = 1; settled > 0;)
      [{ settled }] = await s.sql(`select settled from earning_settle(${worker.bucket}, '${end}', 15) settled`);
  };
  await Promise.all(Array.from({ length: 6 }, sweep));
  await sweep();
  for (const state of (await snapshot(s, tasks)).values())
    assert.deepEqual([state.earning.state, state.bookings], ['available', ['earning', 'escrow_hold', 'escrow_release', 'settlement']]);
  await booksAgree(s);
});
