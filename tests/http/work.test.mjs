/*
 * The whole lifecycle between a real agent and a real operator, with its money, over HTTPS.  The Guardian's model is a fake
 * that answers with the confidence that the test asks for; what evidence alone decides is tested beside the rules.
 */
import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { model } from '../model.mjs';
import { stack } from '../stack.mjs';

const HOLD = 7 * 86400;

const m = await model();
m.screen({});
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true', 'GUARDIAN_PROVIDER=openai', 'GUARDIAN_MODEL=m', `GUARDIAN_URL=${m.url}`] });

async function operator({ name = 'Jane D.', location, skills } = {}) {
  const made = await s.call('POST', '/operator/register', { body: { name, email: 'jane@example.com', phone: '+1234567890', location, skills } });
  assert.equal(made.status, 201, made.text);
  assert.deepEqual(Object.keys(made.json), ['operator_id', 'name', 'kyc_status']);
  assert.equal(made.json.kyc_status, 'VERIFIED', 'development verifies at once');
  const id = made.json.operator_id;
  return { id, call: (method, where, body) => s.call(method, `/operator${where}`, { body, headers: { 'X-Operator-Id': id } }) };
}

async function posted(agent, changes = {}) {
  const made = await s.call('POST', '/tasks', { key: agent.key, body: { title: 'Check the data', description: 'Compare the list with the shop window.',
    reward_usd: 25, deadline: await s.time(3 * 86400), proof_requirements: ['Result for each item, with the source'],
    task_type: 'DATA_VALIDATION', proof_type: 'CONFIRMATION', ...changes } });
  assert.equal(made.status, 201, made.text);
  return made.json.task_id;
}

const proof = { confirmation_text: 'All twelve items of the list were compared with the shop window: eleven agree, the ninth is out of stock ' +
  'and its price tag was gone; source is the window itself, seen today.', reference_url: 'https://example.com/window' };

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

const show = async (agent, task) => ok(s.call('GET', `/tasks/${task}`, { key: agent.key }));
const statusOf = async (agent, task) => (await show(agent, task)).status;
const becomes = (agent, task, status) => s.until(async () => (await statusOf(agent, task)) === status);
const agentDoes = (agent, task, what, body) => s.call('POST', `/tasks/${task}/${what}`, { key: agent.key, body });
const staff = (method, where, body) => s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });
const earnings = (op) => ok(op.call('GET', '/earnings'));
const balance = (agent) => ok(s.call('GET', '/agents/balance', { key: agent.key }));
const newAgent = () => s.agent({ tier: 'STANDARD', deposit: 500 });

/* Of the mails about a task. */
function subjects(task) {
  const folder = `${s.settings.STATE_DIR}/mail`, mails = readdirSync(folder).filter((f) => f.endsWith('.eml')).map((f) => readFileSync(`${folder}/${f}`, 'utf8'));
  return mails.filter((mail) => mail.includes(task)).map((mail) => /^Subject: (.*)\r$/m.exec(mail)[1]).sort();
}

async function claimed(agent, op, changes) {
  const task = await posted(agent, changes);
  const claim = await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_days: 0, estimate_hours: 2, estimate_minutes: 30 }));
  assert.equal(claim.estimate_minutes, 150);
  return task;
}

async function accepted(agent, op, changes) {
  const task = await claimed(agent, op, changes);
  await ok(agentDoes(agent, task, 'estimate/approve'));
  return task;
}

async function submitted(agent, op, changes) {
  const task = await accepted(agent, op, changes);
  await ok(op.call('POST', `/tasks/${task}/submit`, proof));
  return task;
}

async function completed(agent, op) {
  m.verify(95);
  const task = await submitted(agent, op);
  await becomes(agent, task, 'COMPLETED');
  return task;
}

test('a task is posted, found, estimated, approved, started, submitted, verified, paid, and after seven days available', async () => {
  m.verify(95);
  const agent = await newAgent(), op = await operator();
  const task = await posted(agent);
  const feed = await ok(op.call('GET', '/tasks?task_type=DATA_VALIDATION&limit=100'));
  assert.ok(feed.data.some((t) => t.task_id === task && t.reward_usd === 25));
  const claim = await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1, estimate_note: 'After lunch' }));
  assert.equal(claim.status, 'ESTIMATE_PENDING');
  assert.equal(Date.parse(claim.approval_deadline) - Date.parse(claim.claimed_at), 86_400_000);
  assert.deepEqual((await show(agent, task)).estimate.estimate_note, 'After lunch');
  const approved = await ok(agentDoes(agent, task, 'estimate/approve'));
  assert.deepEqual([approved.status, approved.estimate_minutes, approved.operator.name], ['ACCEPTED', 60, 'Jane D.']);
  assert.equal((await ok(op.call('POST', `/tasks/${task}/start`))).status, 'IN_PROGRESS');
  assert.equal((await ok(op.call('POST', `/tasks/${task}/submit`, proof))).status, 'SUBMITTED');
  await becomes(agent, task, 'COMPLETED');
  const done = await show(agent, task);
  assert.equal(done.guardian_result.decision, 'APPROVE', JSON.stringify(done.guardian_result));
  assert.equal(done.proof.confirmation_text, proof.confirmation_text);
  assert.deepEqual(done.events.map((e) => e.type), ['task.created', 'task.claimed', 'task.estimate_approved', 'task.started', 'task.submitted',
    'task.verified', 'task.completed']);
  assert.deepEqual(await balance(agent), { deposit_balance: 472.5, escrow_balance: 0, currency: 'USD' });
  let money = await earnings(op);
  assert.deepEqual([money.pending_balance, money.available_balance, money.total_earned], [25, 0, 25]);
  await s.advance(HOLD - 3600);
  await s.sweep();
  assert.equal((await earnings(op)).available_balance, 0, 'not before the hold is over');
  await s.advance(3700);
  await s.sweep();
  money = await earnings(op);
  assert.deepEqual([money.pending_balance, money.available_balance], [0, 25]);
  await s.sweep();
  assert.equal((await earnings(op)).available_balance, 25, 'settled once');
  assert.deepEqual(await s.audit(), []);
});

test('an estimate that is rejected, withdrawn or unanswered opens the task again', async () => {
  const agent = await newAgent(), op = await operator(), other = await operator();
  const task = await claimed(agent, op);
  assert.equal((await ok(agentDoes(agent, task, 'estimate/reject', { reason: 'Too long' }))).status, 'PENDING');
  await ok(other.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 5 }));
  assert.equal((await op.call('POST', `/tasks/${task}/withdraw-claim`)).status, 404, 'only one\'s own');
  assert.equal((await ok(other.call('POST', `/tasks/${task}/withdraw-claim`))).status, 'PENDING');
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_days: 30 }));
  await s.advance(86400 + 60);
  await s.sweep();
  const open = await show(agent, task);
  assert.deepEqual([open.status, open.operator], ['PENDING', null]);
  assert.equal((await balance(agent)).escrow_balance, 27.5, 'still escrowed');
  assert.deepEqual(await s.audit(), []);
});

const abort = (op, task, body) => op.call('POST', `/tasks/${task}/abort`, body);
const texts = (list) => list.map((message) => message.message);

test('an operator who does not feel safe stops: the agent is told why, the task is open again, and the next one knows', async () => {
  m.verify(95);
  const agent = await newAgent(), op = await operator(), other = await operator(), hook = await s.receiver();
  const task = await accepted(agent, op, { callback_url: hook.url });
  await ok(op.call('POST', `/tasks/${task}/start`));
  await ok(agentDoes(agent, task, 'messages', { message: 'The code of the door is 4711.' }), 201);
  const before = await ok(op.call('GET', '/me'));
  const stopped = await ok(abort(op, task, { reason: 'unsafe', note: 'A dog is loose here 🐕' }));
  assert.deepEqual([stopped.task_id, stopped.status], [task, 'PENDING']);
  assert.deepEqual(await ok(op.call('GET', '/me')), before, 'nothing is held against the operator');
  assert.deepEqual((await ok(op.call('GET', '/tasks/mine'))).data, []);
  const shown = await show(agent, task), last = shown.events.at(-1);
  assert.deepEqual([shown.status, shown.operator, shown.safety_stops, shown.accepted_at, shown.started_at], ['PENDING', null, 1, null, null]);
  assert.deepEqual([last.type, last.actor, last.from, last.to, last.abort_reason], ['task.aborted', 'operator', 'IN_PROGRESS', 'PENDING', 'unsafe']);
  assert.deepEqual(texts(shown.messages), ['The code of the door is 4711.', 'A dog is loose here 🐕']);
  assert.equal((await balance(agent)).escrow_balance, 27.5, 'still escrowed');
  const event = (await ok(s.call('GET', '/events?limit=100', { key: agent.key }))).data.find((e) => e.event === 'task.aborted');
  const sent = await s.until(() => hook.requests.map((r) => JSON.parse(r.raw)).find((b) => b.event === 'task.aborted'));
  for (const told of [event, sent])
    assert.deepEqual([told.abort_reason, told.message], ['unsafe', 'A dog is loose here 🐕']);
  assert.equal(sent.status, 'PENDING');
  assert.ok(!hook.requests.some((r) => JSON.parse(r.raw).event === 'task.message'), 'the last words come once');
  /* The next operator. */
  const feed = (await ok(other.call('GET', '/tasks?limit=100'))).data.find((t) => t.task_id === task);
  assert.deepEqual([feed.safety_stops, (await ok(other.call('GET', `/tasks/${task}`))).safety_stops], [1, 1]);
  assert.equal((await op.call('GET', `/tasks/${task}/messages`)).status, 404);
  await ok(other.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 5 }));
  assert.deepEqual((await ok(other.call('GET', `/tasks/${task}/messages`))).data, [], 'what was said to another is not theirs to read');
  await ok(agentDoes(agent, task, 'estimate/approve'));
  await ok(agentDoes(agent, task, 'messages', { message: 'Ring at number 4.' }), 201);
  assert.deepEqual(texts((await ok(other.call('GET', `/tasks/${task}/messages`))).data), ['Ring at number 4.']);
  assert.deepEqual(texts((await show(agent, task)).messages), ['The code of the door is 4711.', 'A dog is loose here 🐕', 'Ring at number 4.']);
  assert.deepEqual(texts((await ok(staff('GET', `/tasks/${task}`))).messages).length, 3, 'staff reads all');
  await ok(other.call('POST', `/tasks/${task}/submit`, proof));
  await becomes(agent, task, 'COMPLETED');
  assert.deepEqual([(await earnings(op)).total_earned, (await earnings(other)).total_earned], [0, 25]);
  assert.deepEqual(await s.audit(), []);
});

test('the third operator who does not feel safe ends the task, and the agent is refunded', async () => {
  const agent = await newAgent(), people = [await operator(), await operator(), await operator()], hook = await s.receiver();
  const task = await posted(agent, { callback_url: hook.url });
  const stops = async (op, reason) => {
    await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 5 }));
    await ok(agentDoes(agent, task, 'estimate/approve'));
    return (await ok(abort(op, task, { reason }))).status;
  };
  const [first, second, third] = people;
  assert.equal(await stops(first, 'unsafe'), 'PENDING');
  assert.equal(await stops(first, 'unsafe'), 'PENDING');
  assert.equal(await stops(second, 'cannot_complete'), 'PENDING');
  assert.equal((await show(agent, task)).safety_stops, 1, 'each operator counts once, and only for safety');
  assert.equal(await stops(second, 'unsafe'), 'PENDING');
  assert.equal(await stops(third, 'unsafe'), 'CANCELLED');
  const shown = await show(agent, task);
  assert.deepEqual([shown.status, shown.cancel_reason, shown.safety_stops], ['CANCELLED', 'unsafe', 3]);
  assert.deepEqual(shown.events.slice(-2).map((e) => [e.type, e.actor, e.to]), [['task.aborted', 'operator', 'PENDING'], ['task.cancelled', 'system', 'CANCELLED']]);
  assert.deepEqual(await balance(agent), { deposit_balance: 500, escrow_balance: 0, currency: 'USD' });
  const sent = await s.until(() => {
    const events = hook.requests.map((r) => JSON.parse(r.raw));
    return events.some((b) => b.event === 'task.cancelled') && events.filter((b) => b.event === 'task.aborted').length === 5 && events;
  });
  assert.equal(sent.find((b) => b.event === 'task.cancelled').status, 'CANCELLED');
  await s.until(() => subjects(task).includes('A task was cancelled because operators did not feel safe'));
  for (const op of people)
    assert.equal((await op.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 5 })).status, 409);
  assert.deepEqual(await s.audit(), []);
});

test('who may stop, when, and in which words', async () => {
  const agent = await newAgent(), op = await operator(), other = await operator(), task = await claimed(agent, op);
  const reason = 'cannot_complete', early = await abort(op, task, { reason });
  assert.deepEqual([early.status, early.json.details], [409, { status: 'ESTIMATE_PENDING', allowed: ['withdraw'] }], 'a claim is withdrawn');
  await ok(agentDoes(agent, task, 'estimate/approve'));
  for (const [body, fields] of [[{}, ['reason']], [{ reason: 'bored' }, ['reason']], [{ reason: 'UNSAFE' }, ['reason']], [{ reason: null }, ['reason']],
    [{ reason, note: '' }, ['note']], [{ reason, note: 'x'.repeat(4001) }, ['note']], [{ reason, note: 7 }, ['note']], [{ reason, why: 'x' }, ['why']],
    [{ note: 1 }, ['note', 'reason']]]) {
    const { status, json } = await abort(op, task, body);
    assert.deepEqual([status, Object.keys(json.details.fields).sort()], [400, fields], JSON.stringify(body).slice(0, 60));
  }
  assert.equal((await abort(op, task)).status, 400, 'without a body');
  assert.equal((await abort(other, task, { reason })).status, 404, 'only one\'s own');
  assert.equal((await s.call('POST', `/operator/tasks/${task}/abort`, { key: agent.key, body: { reason } })).status, 401, 'no agent');
  const sandbox = await posted(agent, { sandbox: true, reward_usd: 1, sandbox_scenario: 'estimate' });
  assert.equal((await abort(op, sandbox, { reason })).status, 404, 'nobody is at work on a simulated task');
  assert.equal((await show(agent, task)).status, 'ACCEPTED', 'nothing has happened yet');
  const note = '\u{1f6b6}'.repeat(4000);
  await ok(abort(op, task, { reason, note }));
  assert.deepEqual([(await show(agent, task)).messages[0].message, (await show(agent, task)).safety_stops], [note, 0]);
  const again = await abort(op, task, { reason });
  assert.deepEqual([again.status, again.json.details], [409, { status: 'PENDING', allowed: ['accept'] }], 'once');
  /* Past the deadline it is not open to others, but over with the next sweep. */
  const late = await accepted(agent, op, { deadline: await s.time(600) });
  await s.advance(700);
  assert.equal((await ok(abort(op, late, { reason }))).status, 'PENDING');
  await s.sweep();
  assert.deepEqual([(await show(agent, late)).status, (await show(agent, late)).cancel_reason], ['CANCELLED', 'expired']);
  await s.until(() => subjects(late).includes('An operator has stopped working on your task'));
  assert.deepEqual(await s.audit(), []);
});

test('estimates are 5 minutes to 30 days', async () => {
  const agent = await newAgent(), op = await operator(), task = await posted(agent);
  for (const body of [{}, { estimate_minutes: 4 }, { estimate_days: 30, estimate_minutes: 1 }, { estimate_minutes: -5 }, { estimate_hours: 1.5 }])
    assert.equal((await op.call('POST', `/tasks/${task}/accept`, body)).status, 400, JSON.stringify(body));
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 5 }));
});

test('an expired task cannot be claimed, and accepted work may be handed in until the grace is over', async () => {
  const agent = await newAgent(), op = await operator();
  const open = await posted(agent, { deadline: await s.time(600) });
  const late = await accepted(agent, op, { deadline: await s.time(600) });
  const dead = await accepted(agent, op, { deadline: await s.time(600) });
  await s.advance(700);
  assert.equal((await op.call('POST', `/tasks/${open}/accept`, { estimate_minutes: 5 })).status, 410);
  m.verify(95);
  await ok(op.call('POST', `/tasks/${late}/submit`, proof));
  await becomes(agent, late, 'COMPLETED');
  await s.advance(86400);
  assert.equal((await op.call('POST', `/tasks/${dead}/submit`, proof)).status, 410);
  await s.sweep();
  for (const task of [open, dead])
    assert.deepEqual([(await show(agent, task)).status, (await show(agent, task)).cancel_reason], ['CANCELLED', 'expired']);
  assert.equal((await op.call('POST', `/tasks/${open}/accept`, { estimate_minutes: 5 })).status, 410);
  assert.equal((await balance(agent)).escrow_balance, 0);
  assert.deepEqual(await s.audit(), []);
});

test('a doubtful proof waits for the agent, who approves or rejects it; unanswered for seven days it counts as approved', async () => {
  const agent = await newAgent(), op = await operator();
  m.verify(70);
  const tasks = [await submitted(agent, op), await submitted(agent, op), await submitted(agent, op)];
  for (const task of tasks)
    await s.until(async () => (await show(agent, task)).guardian_result?.decision === 'MANUAL_REVIEW');
  assert.equal(await statusOf(agent, tasks[0]), 'SUBMITTED');
  assert.equal((await ok(agentDoes(agent, tasks[0], 'verify', { decision: 'APPROVE' }))).status, 'COMPLETED');
  assert.equal((await ok(agentDoes(agent, tasks[1], 'verify', { decision: 'REJECT', reason: 'Blurred' }))).status, 'DISPUTED');
  assert.equal((await agentDoes(agent, tasks[1], 'verify', { decision: 'APPROVE' })).status, 409);
  await s.advance(HOLD + 60);
  await s.sweep();
  assert.equal(await statusOf(agent, tasks[2]), 'COMPLETED');
  assert.equal((await balance(agent)).escrow_balance, 27.5, 'the disputed one stays');
  const money = await earnings(op);
  assert.equal(money.pending_balance + money.available_balance, 50);
  assert.deepEqual(await s.audit(), []);
});

test('a proof that the Guardian rejects is disputed before anybody is paid, and staff resolves it in three ways', async () => {
  m.verify(20);
  for (const [resolution, extra, kept, back, status] of [['PAY_OPERATOR', {}, 25, 0, 'COMPLETED'], ['REFUND_AGENT', {}, 0, 27.5, 'CANCELLED'],
    ['SPLIT', { operator_usd: 10 }, 10, 15, 'COMPLETED']]) {
    const agent = await newAgent(), op = await operator(), task = await submitted(agent, op);
    await becomes(agent, task, 'DISPUTED');
    assert.ok((await ok(staff('GET', '/disputes?limit=200'))).data.some((t) => t.task_id === task));
    const done = await ok(staff('POST', `/tasks/${task}/resolve`, { resolution, note: 'Seen both sides.', ...extra }));
    assert.deepEqual([done.status, done.operator_usd], [status, kept]);
    await s.sweep();
    assert.equal((await earnings(op)).available_balance, kept, 'staff\'s word needs no further hold');
    assert.deepEqual(await balance(agent), { deposit_balance: 472.5 + back, escrow_balance: 0, currency: 'USD' });
    assert.equal((await staff('POST', `/tasks/${task}/resolve`, { resolution, ...extra })).status, 409);
    assert.deepEqual(await s.audit(), []);
  }
});

test('a dispute within the hold freezes the pay, and staff resolves it in three ways', async () => {
  for (const [resolution, extra, kept, back] of [['PAY_OPERATOR', {}, 25, 0], ['REFUND_AGENT', {}, 0, 27.5], ['SPLIT', { operator_usd: 24.99 }, 24.99, 0.01]]) {
    const agent = await newAgent(), op = await operator(), task = await completed(agent, op);
    assert.equal((await ok(agentDoes(agent, task, 'dispute', { reason: 'Not what I asked for' }))).status, 'DISPUTED');
    await s.advance(HOLD + 60);
    await s.sweep();
    assert.deepEqual([(await earnings(op)).pending_balance, (await earnings(op)).available_balance], [25, 0], 'frozen, however long');
    await ok(staff('POST', `/tasks/${task}/resolve`, { resolution, ...extra }));
    assert.deepEqual([(await earnings(op)).pending_balance, (await earnings(op)).available_balance], [0, kept]);
    assert.equal((await balance(agent)).deposit_balance, 472.5 + back);
    assert.deepEqual(await s.audit(), []);
  }
});

test('after the hold a dispute is too late, and a resolution takes sensible amounts alone', async () => {
  const agent = await newAgent(), op = await operator(), task = await completed(agent, op);
  assert.equal((await staff('POST', `/tasks/${task}/resolve`, { resolution: 'PAY_OPERATOR' })).status, 409, 'nothing to resolve');
  await s.advance(HOLD + 1);
  assert.equal((await agentDoes(agent, task, 'dispute', { reason: 'Late' })).json.code, 'hold_over');
  const other = await completed(agent, op);
  await ok(agentDoes(agent, other, 'dispute', { reason: 'x' }));
  for (const body of [{ resolution: 'SPLIT' }, { resolution: 'SPLIT', operator_usd: 25 }, { resolution: 'SPLIT', operator_usd: 25.01 },
    { resolution: 'SPLIT', operator_usd: 0 }, { resolution: 'PAY_OPERATOR', operator_usd: 5 }, { resolution: 'BOTH' }])
    assert.equal((await staff('POST', `/tasks/${other}/resolve`, body)).status, 400, JSON.stringify(body));
  assert.deepEqual(await s.audit(), []);
});

test('a rating is given once, for finished work, and shows as the operator\'s mean', async () => {
  const agent = await newAgent(), op = await operator(), first = await completed(agent, op), second = await completed(agent, op);
  assert.equal((await agentDoes(agent, first, 'rate', { rating: 6 })).status, 400);
  await ok(agentDoes(agent, first, 'rate', { rating: 5, comment: 'Quick' }));
  assert.equal((await agentDoes(agent, first, 'rate', { rating: 1 })).json.code, 'already_rated');
  await ok(agentDoes(agent, second, 'rate', { rating: 4 }));
  const me = await ok(op.call('GET', '/me'));
  assert.deepEqual([me.rating, me.rating_count], [4.5, 2]);
  for (const [task, stars, words] of [[first, 5, 'Quick'], [second, 4, null]])
    for (const seen of [await show(agent, task), await ok(op.call('GET', `/tasks/${task}`))])
      assert.deepEqual([seen.rating, seen.rating_comment], [stars, words], 'both sides read it');
  const open = await posted(agent);
  assert.equal((await agentDoes(agent, open, 'rate', { rating: 5 })).status, 409);
});

test('agent and operator talk about a task, and nobody else reads it', async () => {
  const agent = await newAgent(), stranger = await newAgent(), op = await operator(), other = await operator(), hook = await s.receiver();
  const task = await posted(agent, { callback_url: hook.url });
  assert.equal((await agentDoes(agent, task, 'messages', { message: 'Hello?' })).json.code, 'no_operator');
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }));
  await ok(agentDoes(agent, task, 'messages', { message: 'Please use the back door.' }), 201);
  await ok(op.call('POST', `/tasks/${task}/messages`, { message: 'Found it 🙂' }), 201);
  const expected = [['agent', 'Please use the back door.'], ['operator', 'Found it 🙂']];
  const pairs = (list) => list.map((m) => [m.sender, m.message]);
  assert.deepEqual(pairs((await ok(s.call('GET', `/tasks/${task}/messages`, { key: agent.key }))).data), expected);
  assert.deepEqual(pairs((await ok(op.call('GET', `/tasks/${task}/messages`))).data), expected);
  assert.deepEqual(pairs((await show(agent, task)).messages), expected);
  assert.equal((await s.call('GET', `/tasks/${task}/messages`, { key: stranger.key })).status, 404);
  assert.equal((await agentDoes(stranger, task, 'messages', { message: 'x' })).status, 404);
  assert.equal((await other.call('GET', `/tasks/${task}/messages`)).status, 404);
  assert.equal((await other.call('POST', `/tasks/${task}/messages`, { message: 'x' })).status, 404);
  const sent = await s.until(() => hook.requests.map((r) => JSON.parse(r.raw)).find((b) => b.event === 'task.message'));
  assert.equal(sent.message, 'Found it 🙂');
});

test('events are read by cursor, each once and none missed', async () => {
  m.verify(95);
  const agent = await newAgent(), op = await operator(), task = await completed(agent, op);
  const seen = [];
  let cursor;
  for (;;) {
    const page = await ok(s.call('GET', `/events?limit=2${cursor ? `&cursor=${cursor}` : ''}`, { key: agent.key }));
    seen.push(...page.data);
    cursor = page.pagination.next_cursor;
    if (!page.pagination.has_more)
      break;
  }
  assert.deepEqual(seen.map((e) => e.event), ['deposit.pending', 'deposit.confirmed', 'task.created', 'task.claimed', 'task.estimate_approved', 'task.submitted', 'task.verified', 'task.completed']);
  assert.ok(seen.every((e) => e.task_id === (e.event.startsWith('task.') ? task : null)));
  assert.equal((await ok(s.call('GET', `/events?cursor=${cursor}`, { key: agent.key }))).data.length, 0);
  assert.equal((await s.call('GET', '/events?cursor=1.evt_x', { key: agent.key })).json.code, 'cursor_invalid');
});

test('a receipt is signed by the key that the key set shows, and tells what was proven', async () => {
  m.verify(95);
  const agent = await newAgent(), op = await operator(), open = await posted(agent), task = await completed(agent, op);
  assert.equal((await s.call('GET', `/tasks/${open}/receipt`, { key: agent.key })).status, 409);
  const { receipt } = await ok(s.call('GET', `/tasks/${task}/receipt`, { key: agent.key }));
  const jwks = await ok(s.call('GET', '/.well-known/jwks.json', { whole: true }));
  const [head, payload, signature] = receipt.split('.');
  const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url'));
  const key = createPublicKey({ key: jwks.keys.find((k) => k.kid === kid), format: 'jwk' });
  assert.equal(alg, 'ES256');
  assert.ok(verify('sha256', Buffer.from(`${head}.${payload}`), { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url')));
  const claims = JSON.parse(Buffer.from(payload, 'base64url'));
  assert.deepEqual([claims.sub, claims.operator_id, claims.guardian_result.decision, claims.sandbox], [task, op.id, 'APPROVE', false]);
  assert.equal(claims.proof.confirmation_text, proof.confirmation_text);
});

test('operators are found near a place, without their contact data or exact position', async () => {
  const agent = await newAgent();
  const near = await operator({ name: 'Near', location: { city: 'Oslo', country: 'NO', lat: 59.91234, lng: 10.75678 }, skills: ['PHOTO'] });
  const far = await operator({ name: 'Far', location: { city: 'Bergen', country: 'NO', lat: 60.39, lng: 5.32 } });
  const found = (await ok(s.call('GET', '/operators/search?lat=59.91&lng=10.75&radius_km=50&task_type=PHOTO', { key: agent.key }))).data;
  assert.ok(found.some((o) => o.operator_id === near.id) && !found.some((o) => o.operator_id === far.id));
  const row = found.find((o) => o.operator_id === near.id);
  assert.deepEqual(Object.keys(row).sort(), ['distance_km', 'location', 'name', 'operator_id', 'rating', 'rating_count', 'skills']);
  assert.deepEqual(row.location, { lat: 59.91, lng: 10.76 });
  assert.equal((await ok(s.call('GET', '/operators/search?lat=59.91&lng=10.75&task_type=DELIVERY', { key: agent.key }))).data.filter((o) => o.operator_id === near.id).length, 0);
  assert.equal((await s.call('GET', '/operators/search?lat=59.91', { key: agent.key })).status, 400);
});

test('the feed tells the distance, nearest first', async () => {
  const agent = await newAgent(), op = await operator({ location: { lat: 48.2, lng: 16.37 } });
  const place = (lat) => ({ task_type: 'PHOTO', proof_type: 'PHOTO', location: { lat, lng: 16.37, address: 'Vienna' } });
  const far = await posted(agent, place(48.5)), near = await posted(agent, place(48.21));
  const list = (await ok(op.call('GET', '/tasks?radius_km=100&task_domain=PHYSICAL&lat=48.2&lng=16.37'))).data.map((t) => t.task_id);
  assert.ok(list.indexOf(near) < list.indexOf(far) && list.includes(far));
  const close = (await ok(op.call('GET', '/tasks?radius_km=5&task_domain=PHYSICAL'))).data;
  assert.ok(close.some((t) => t.task_id === near && Math.abs(t.distance_km - 1.11) < 0.02) && !close.some((t) => t.task_id === far));
});

test('staff verifies and suspends, and every act is on record', async () => {
  const op = await operator(), agent = await newAgent();
  await ok(staff('POST', `/operators/${op.id}/kyc`, { status: 'REJECTED', note: 'The picture is unreadable.' }));
  const task = await posted(agent);
  assert.equal((await op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 })).json.code, 'kyc_required');
  assert.equal((await ok(op.call('GET', '/me'))).kyc_note, 'The picture is unreadable.');
  await ok(staff('POST', `/operators/${op.id}/kyc`, { status: 'VERIFIED' }));
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }));
  await ok(staff('POST', `/operators/${op.id}/suspend`, { suspended: true, reason: 'Complaints' }));
  assert.equal((await op.call('GET', '/me')).json.code, 'operator_suspended');
  await ok(staff('POST', `/operators/${op.id}/suspend`, { suspended: false }));
  await ok(staff('POST', `/agents/${agent.id}/suspend`, { suspended: true }));
  assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).json.code, 'agent_suspended');
  const log = (await ok(staff('GET', '/log?limit=20'))).data.filter((e) => e.target === op.id).map((e) => e.act);
  assert.deepEqual(log, ['restore', 'suspend', 'kyc', 'kyc']);
  const audit = await ok(staff('GET', '/ledger/audit'));
  assert.deepEqual([audit.balanced, audit.findings], [true, []]);
  assert.equal(audit.trial_balance.reduce((sum, a) => sum + Math.round(a.balance_usd * 1e6), 0), 0);
  assert.equal((await s.call('GET', '/admin/ledger/audit')).status, 403);
  assert.equal((await s.call('GET', '/admin/ledger/audit', { headers: { 'X-Admin-Key': 'x'.repeat(32) } })).status, 403);
});

test('agent and operator are told by mail of what needs them', async () => {
  m.verify(70);
  const agent = await newAgent(), op = await operator(), task = await submitted(agent, op);
  await s.until(() => subjects(task).length >= 3);
  assert.deepEqual(subjects(task), ['A proof needs your decision', 'An operator has claimed your task', 'Your estimate is approved: you can begin']);
});
