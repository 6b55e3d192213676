/*
 * Random histories: agents, operators, staff, the Guardian, the sweeper and time do whatever comes to their mind, sensible or
 * not, and the real stack agrees with a model of it (tests/lifecycle.mjs) in every answer's status and in every balance.
 *
 * HISTORY_CALLS=10000  how many calls (1500)
 * HISTORY_SEED=n       the history of an earlier run again; each run prints its own
 */
import assert from 'node:assert/strict';
import { randomInt, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Lifecycle } from '../lifecycle.mjs';
import { model, verdict } from '../model.mjs';
import { stack } from '../stack.mjs';

const CALLS = Number(process.env.HISTORY_CALLS ?? 1500);
const SEED = Number(process.env.HISTORY_SEED ?? randomInt(2 ** 31));
const HOUR = 3600;
const guardian = await model();
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true', 'GUARDIAN_PROVIDER=openai', 'GUARDIAN_MODEL=m',
  'GUARDIAN_API_KEY=k', `GUARDIAN_URL=${guardian.url}/v1`] });
const world = new Lifecycle();

/* Chance, by a generator that a seed repeats (mulberry32). */

let state = SEED;
function random() {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
const chance = (p) => random() < p;
const pick = (list) => list[Math.floor(random() * list.length)];
const between = (low, high) => low + Math.floor(random() * (high - low + 1));

/* Whom and what it is about.  Members of the world know their names in the API. */

const byAgent = (agent, method, where, body, more = {}) => s.call(method, where, { key: agent.key, body, ...more });
const byOperator = (op, method, where, body) => s.call(method, `/operator${where}`, { body, headers: { 'X-Operator-Id': op.id } });
const byStaff = (method, where, body) => s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });
const usd = (cents) => cents / 100;
const cents = (dollars) => Math.round(dollars * 100);

const history = [], answers = {};
function agree(got, want, what) {
  const key = `${want.status}${want.code ? ` ${want.code}` : ''}`;
  answers[key] = (answers[key] ?? 0) + 1;
  history.push(`${what}: ${key}`);
  const shown = { status: got.status, ...(want.code ? { code: got.json?.code } : {}) };
  assert.deepEqual(shown, { status: want.status, ...(want.code ? { code: want.code } : {}) },
    `${what}\n${got.text}\nbefore it:\n${history.slice(-12).join('\n')}`);
}

async function agreeOnAgent(agent) {
  if (agent.isSuspended)
    return;
  const { json } = await byAgent(agent, 'GET', '/agents/balance');
  assert.deepEqual([cents(json.deposit_balance), cents(json.escrow_balance)], [agent.deposit, agent.escrow],
    `the agent's balance after\n${history.slice(-12).join('\n')}`);
}

async function agreeOnOperator(op) {
  if (op.isSuspended)
    return;
  const { json } = await byOperator(op, 'GET', '/earnings');
  assert.deepEqual([json.pending_balance, json.available_balance, json.total_earned, json.in_flight_balance].map(cents),
    [op.pending, op.available, op.earned, 0], `the operator's earnings after\n${history.slice(-12).join('\n')}`);
}

/* A task in a status that suits the wish, or any at all; null before the first. */
function someTask(suiting) {
  const fitting = world.tasks.filter((t) => suiting.includes(t.status));
  return pick(fitting.length > 0 && chance(0.7) ? fitting.slice(-40) : world.tasks.slice(-150)) ?? null;
}

/* Calls of one principal about one task: the model's word, who, which statuses invite it, the call. */

const post = (where) => (t) => ['POST', `/tasks/${t.id}${where}`];
const get = (where) => (t) => ['GET', `/tasks/${t.id}${where}`];
const proof = { confirmation_text: 'All twelve items of the list were compared with the shop window: eleven agree, the ninth is out of ' +
  'stock and its price tag was gone; source is the window itself, seen today.', reference_url: 'https://example.com/window' };
const ALL = ['PENDING', 'ESTIMATE_PENDING', 'ACCEPTED', 'IN_PROGRESS', 'SUBMITTED', 'COMPLETED', 'DISPUTED', 'CANCELLED'];

const taskCalls = {
  approve: { who: 'agent', weight: 12, suits: ['ESTIMATE_PENDING'], call: post('/estimate/approve') },
  reject: { who: 'agent', weight: 2, suits: ['ESTIMATE_PENDING'], call: post('/estimate/reject'), body: () => ({ reason: 'Too long' }) },
  cancel: { who: 'agent', weight: 1, suits: ['PENDING', 'ESTIMATE_PENDING', 'ACCEPTED'], call: post('/cancel') },
  verify: { who: 'agent', weight: 4, suits: ['SUBMITTED'], call: post('/verify'), body: () => ({ decision: pick(['APPROVE', 'REJECT']) }) },
  dispute: { who: 'agent', weight: 3, suits: ['COMPLETED'], call: post('/dispute'), body: () => ({ reason: 'Not what I asked for' }) },
  rate: { who: 'agent', weight: 2, suits: ['COMPLETED'], call: post('/rate'), body: () => ({ rating: between(1, 5) }) },
  receipt: { who: 'agent', weight: 2, suits: ['COMPLETED'], call: get('/receipt') },
  agentMessage: { who: 'agent', weight: 2, suits: ALL, call: post('/messages'), body: () => ({ message: 'Hello?' }) },
  agentRead: { who: 'agent', weight: 4, suits: ALL, call: get('') },
  accept: { who: 'operator', weight: 14, suits: ['PENDING'], call: post('/accept'), body: () => ({ estimate_hours: between(1, 48) }) },
  withdraw: { who: 'operator', weight: 1, suits: ['ESTIMATE_PENDING'], call: post('/withdraw-claim') },
  start: { who: 'operator', weight: 6, suits: ['ACCEPTED'], call: post('/start') },
  submit: { who: 'operator', weight: 12, suits: ['ACCEPTED', 'IN_PROGRESS'], call: post('/submit'), body: () => proof },
  abort: { who: 'operator', weight: 3, suits: ['ACCEPTED', 'IN_PROGRESS'], call: post('/abort'),
    body: () => ({ reason: pick(['unsafe', 'unsafe', 'cannot_complete']) }) },
  operatorMessage: { who: 'operator', weight: 2, suits: ALL, call: post('/messages'), body: () => ({ message: 'Found it' }) },
  operatorRead: { who: 'operator', weight: 3, suits: ALL, call: get('') },
};

/* Usually the task's own agent and operator, sometimes another. */
function somebody(who, task) {
  if (who === 'agent')
    return chance(0.93) ? task.agent : pick(world.agents);
  return task.operator && chance(0.9) ? task.operator : pick(world.operators);
}

async function callAboutTask(name) {
  const { who, suits, call, body } = taskCalls[name];
  const task = someTask(suits);
  if (!task)
    return;
  const person = somebody(who, task), sent = body?.(), [method, where] = call(task);
  const send = who === 'agent' ? byAgent : byOperator;
  const isBad = chance(0.04), isUnknown = !isBad && chance(0.02), what = `${name} of task ${task.number}, ${task.status}`;
  const barred = person.isSuspended ? { status: 403, code: `${who}_suspended` } : null;
  if (isBad) {
    const answer = method === 'GET' ? send(person, method, `${where}?nope=1`) : send(person, method, where, { ...sent, nope: 1 });
    /* What a proof may hold depends on the task, which has to be there first. */
    const fault = barred ?? (name === 'submit' ? world.operatorRead(person, task, { now: await s.now() }) : null);
    return agree(await answer, fault?.code ? fault : { status: 400, code: 'validation_failed' }, `${what}, with a field too many`);
  }
  if (isUnknown) {
    const kyc = name === 'accept' && person.kyc !== 'VERIFIED' ? { status: 403, code: 'kyc_required' } : null;
    const nowhere = where.replace(task.id, chance(0.5) ? 'task_nothing' : `${task.id.slice(0, -4)}zzzz`);
    const got = await send(person, method, nowhere, sent);
    assert.ok(got.status === (barred?.status ?? 404) || (kyc && got.status === 403), `${what}, of no task: ${got.text}`);
    return;
  }
  const want = world[name](person, task, { ...sent, now: await s.now() });
  const got = await send(person, method, where, sent);
  agree(got, want, what);
  if (got.status === 200 && name === 'submit')
    proofs.push({ task, confidence: pick([0, 20, 49, 50, 70, 89, 90, 95, 95, 95, 100]) });
  if (got.status === 200 && name === 'agentRead')
    checkTask(task, got.json);
  if (got.status >= 400 && history.length % 4 > 0)
    return;		/* a refusal that moved money all the same shows soon enough */
  await agreeOnAgent(task.agent);
  if (task.operator)
    await agreeOnOperator(task.operator);
}

function checkTask(task, json) {
  assert.deepEqual([json.status, json.guardian_result?.decision ?? null, json.safety_stops, json.events.map((e) => e.type)],
    [task.status, task.decision, task.unsafe.size, task.trail], `task ${task.number} after\n${history.slice(-12).join('\n')}`);
}

/* The rest of what may happen. */

async function create() {
  const agent = pick(world.agents), number = world.tasks.length;
  const isLarge = chance(0.25), most = isLarge ? 10_000_00 : 50_00;
  const reward = chance(0.1) ? between(1, 9_99) : chance(0.1) ? between(most - 10_00, most + 10_00)
    : between(10_00, isLarge ? 3000_00 : most);
  const now = await s.now();
  const deadline = chance(0.04) ? now - 1000 : now + (pick([1, 30, 80, 200, 200, 800, 800]) * HOUR + HOUR / 2) * 1000;
  const body = { title: `History ${number}`, description: 'Compare the list with the shop window.', reward_usd: usd(reward),
    deadline: new Date(deadline).toISOString(), proof_requirements: ['Result for each item, with the source'], proof_type: 'CONFIRMATION',
    ...(isLarge ? { task_type: 'INSPECTION', location: { lat: 48.2, lng: 16.37, address: 'Vienna' } } : { task_type: 'DATA_VALIDATION' }) };
  const isTooMuch = reward > most;
  const want = isTooMuch && !agent.isSuspended ? { status: 400, code: 'validation_failed' } : world.create(agent, { reward, deadline, now });
  const headers = { 'Idempotency-Key': randomUUID() };
  const got = await byAgent(agent, 'POST', '/tasks', body, { headers });
  agree(got, want, `a task for ${usd(reward)} by an agent with ${usd(agent.deposit)}`);
  if (got.status !== 201)
    return;
  Object.assign(want.task, { id: got.json.task_id, number });
  assert.deepEqual([got.json.reward_usd, got.json.platform_fee].map(cents), [reward, want.task.fee]);
  if (chance(0.1)) {
    const again = await byAgent(agent, 'POST', '/tasks', body, { headers });
    assert.deepEqual([again.status, again.text, again.headers['idempotent-replayed']], [201, got.text, 'true']);
  }
  await agreeOnAgent(agent);
}

/* Proofs that the Guardian has not seen yet; it sees all of them when the worker runs. */
let proofs = [];
guardian.onVerify = (request) => {
  const { confidence } = proofs.find(({ task }) => request.data.task.title === `History ${task.number}`);
  return verdict(request, confidence, { met: confidence >= 90 });
};

async function judge() {
  const now = await s.now();
  const { status, stderr } = await s.program('worker', ['--drain']);
  assert.equal(status, 0, stderr);
  proofs.forEach(({ task, confidence }) => world.judge(task, confidence, now));
  history.push(`the Guardian sees ${proofs.map(({ task, confidence }) => `${task.number} with ${confidence}`)}`);
  proofs = [];
  await agreeOnAll();
}

async function sweep() {
  world.sweep(await s.now());
  await s.sweep();
  history.push('sweep');
  await agreeOnAll();
}

async function advance() {
  const hours = pick([1, 1, 3, 3, 6, 6, 12, 12, 12, 24, 24, 48, 72, 168, 720]);
  await s.advance(hours * HOUR);
  history.push(`${hours} hours pass`);
}

async function resolve() {
  const task = someTask(['DISPUTED']), resolution = pick(['PAY_OPERATOR', 'REFUND_AGENT', 'SPLIT']);
  if (!task)
    return;
  const hasSplit = (resolution === 'SPLIT') !== chance(0.08);
  const split = hasSplit ? between(1, chance(0.9) ? task.reward - 1 : task.reward + 500) : undefined;
  const want = world.resolve(task, { resolution, split, now: await s.now() });
  const got = await byStaff('POST', `/tasks/${task.id}/resolve`, { resolution, ...(hasSplit ? { operator_usd: usd(split) } : {}) });
  agree(got, want, `${resolution} ${split ?? ''} of task ${task.number} (${task.reward}), ${task.status}`);
  await agreeOnAgent(task.agent);
  if (task.operator)
    await agreeOnOperator(task.operator);
}

async function identity() {
  const op = pick(world.operators), status = chance(0.85) ? 'VERIFIED' : 'REJECTED';
  agree(await byStaff('POST', `/operators/${op.id}/kyc`, { status }), { status: 200 }, `identity ${status}`);
  op.kyc = status;
}

async function suspend() {
  const [folder, person] = pick([['agents', pick(world.agents)], ['operators', pick(world.operators)]]), suspended = chance(0.08);
  agree(await byStaff('POST', `/${folder}/${person.id}/suspend`, { suspended }), { status: 200 }, `${folder} suspended: ${suspended}`);
  person.isSuspended = suspended;
}

async function fund() {
  const agent = pick(world.agents), amount = between(10, 400);
  await s.deposit(agent, amount);
  agent.deposit += amount * 100;
  history.push(`a deposit of ${amount}`);
}

async function lists() {
  const agent = pick(world.agents), op = pick(world.operators), status = pick(ALL), now = await s.now();
  if (!agent.isSuspended) {
    const { json } = await byAgent(agent, 'GET', `/tasks?status=${status}&limit=1`);
    assert.equal(json.pagination.total, world.tasks.filter((t) => t.agent === agent && t.status === status).length, status);
  }
  if (!op.isSuspended) {
    const mine = await byOperator(op, 'GET', '/tasks/mine?limit=100');
    assert.equal(mine.json.data.length, Math.min(100, world.tasks.filter((t) => t.operator === op).length));
    const { json } = await byOperator(op, 'GET', '/tasks?limit=1');
    const open = world.tasks.filter((t) => world.isOpen(t, now)).length;
    assert.equal(json.pagination.total ?? open, open, 'the feed');
  }
}

async function stranger() {
  const task = pick(world.tasks), where = task ? `/tasks/${task.id}` : '/tasks';
  const key = pick([undefined, 'ho_live_nothing']);
  agree(await s.call('GET', where, { key }), { status: 401, code: 'unauthorized' }, 'a stranger looks');
}

async function agreeOnAll() {
  for (const agent of world.agents)
    await agreeOnAgent(agent);
  for (const op of world.operators)
    await agreeOnOperator(op);
}

const others = [[create, 22], [judge, 4], [sweep, 2], [advance, 1], [resolve, 5], [identity, 1], [suspend, 1], [fund, 2], [lists, 2],
  [stranger, 1]];
const steps = [...others, ...Object.entries(taskCalls).map(([name, { weight }]) => [() => callAboutTask(name), weight])];
const wheel = steps.flatMap(([step, weight]) => Array(weight).fill(step));

/* Worker and sweeper run when the history says so. */
async function stop(name) {
  const pid = Number(readFileSync(path.join(s.settings.RUN_DIR, `${name}.pid`), 'utf8').split('\n')[0]);
  process.kill(pid, 'SIGTERM');
  await s.until(() => {
    try {
      return process.kill(pid, 0) && false;
    } catch {
      return true;
    }
  });
}

test(`the stack agrees with the model in ${CALLS} random calls (HISTORY_SEED=${SEED})`, async (t) => {
  t.diagnostic(`HISTORY_SEED=${SEED}`);
  await stop('worker');
  await stop('sweeper');
  for (const [tier, deposit] of [['STANDARD', 200_000], ['STANDARD', 20_000], ['STANDARD', 150], ['VERIFIED', 800]])
    Object.assign(world.addAgent(tier, deposit * 100), await s.agent({ tier, deposit }));
  for (let i = 0; i < 4; i++) {
    const made = await s.call('POST', '/operator/register', { body: { name: `Operator ${i}`, email: 'op@example.com' } });
    Object.assign(world.addOperator(), { id: made.json.operator_id });
  }
  await agreeOnAll();
  for (let i = 0; i < CALLS; i++) {
    await pick(wheel)();
    if (i % 250 === 249)
      assert.deepEqual(await s.audit(), [], history.slice(-12).join('\n'));
  }
  for (const person of [...world.agents, ...world.operators]) {
    await byStaff('POST', `/${'deposit' in person ? 'agents' : 'operators'}/${person.id}/suspend`, { suspended: false });
    person.isSuspended = false;
  }
  await agreeOnAll();
  for (const task of world.tasks)
    checkTask(task, (await byAgent(task.agent, 'GET', `/tasks/${task.id}`)).json);
  assert.deepEqual(await s.audit(), []);
  const shares = ALL.map((status) => `${world.tasks.filter((task) => task.status === status).length} ${status}`);
  t.diagnostic(`${world.tasks.length} tasks: ${shares.join(', ')}`);
  t.diagnostic(Object.entries(answers).sort().map(([answer, count]) => `${count} × ${answer}`).join(', '));
});
