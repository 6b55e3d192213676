/*
 * Tasks between one agent and one operator in any status, many at a time, made by the same SQL functions that the programs call
 * and without the Guardian's job; and the calls that move them.  For tests of many tasks, where making each by hand would take
 * longer than what is tested.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

const DIGITS = '0123456789abcdefghjkmnpqrstvwxyz';
const DAY = 86_400;
export const HOLD = 7 * DAY;
export const proof = {
  confirmation_text: 'All twelve items of the list were compared with the shop window: eleven agree, the ninth is out of stock; seen today.',
};

/* The public form of an id. */
export function publicId(prefix, uuid) {
  let value = BigInt(`0x${uuid.replaceAll('-', '')}`), text = '';
  for (let i = 0; i < 26; i++, value >>= 5n)
    text = DIGITS[Number(value & 31n)] + text;
  return `${prefix}_${text}`;
}

/* The UUID in a public id. */
export function uuidOf(id) {
  const value = [...id.slice(id.indexOf('_') + 1)].reduce((sum, digit) => sum << 5n | BigInt(DIGITS.indexOf(digit)), 0n);
  return value.toString(16).padStart(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/* A verified operator of the instance. */
export async function newOperator(s) {
  const made = await s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com', phone: '+1234567890' } });
  assert.equal(made.status, 201, made.text);
  const id = made.json.operator_id, uuid = uuidOf(id);
  const [{ bucket }] = await s.sql(`select bucket from operators where id = '${uuid}'`);
  return { id, uuid, bucket };
}

const verdict = (decision, confidence) => JSON.stringify({ decision, confidence, reasoning: 'For a test.', source: 'rules', requirements: [] });

/* What each status takes, in SQL; t, a, o: the task, its agent, its operator, n: the time. */
const claim = `perform claim_make(b, t, o, 'Jane D.', null, 30, null, ${DAY}, n);`;
const approve = `${claim} perform claim_approve(b, a, t, n);`;
const start = `${approve} perform claim_start(b, t, o, n);`;
const submit = `${start} perform claim_submit(b, t, o, '{"confirmation_text": "done", "submittedAt": "2026-02-06T14:30:00.000Z"}', null, ${HOLD}, n);
  delete from jobs where ref = t and kind = 'guardian';`;
const pass = `${submit} perform verdict_guardian(b, t, 'pass', '${verdict('APPROVE', 95)}', ${HOLD}, n);
  perform earning_credit(ob, o, t, 25000000, n + interval '${HOLD} seconds', n);`;
const steps = {
  PENDING: '',
  ESTIMATE_PENDING: claim,
  ACCEPTED: approve,
  IN_PROGRESS: start,
  SUBMITTED: submit,
  MANUAL_REVIEW: `${submit} perform verdict_guardian(b, t, 'review', '${verdict('MANUAL_REVIEW', 70)}', ${HOLD}, n);`,
  /* A Guardian's pass stays here for no longer than its transaction. */
  VERIFIED: `${submit} perform task_move(b, t, 'pass', 'guardian', null, '{}', n);`,
  COMPLETED: pass,
  DISPUTED: `${submit} perform verdict_guardian(b, t, 'fail', '${verdict('REJECT', 20)}', ${HOLD}, n);`,
  FROZEN: `${pass} perform dispute_raise(b, a, t, 'x', n); perform earning_freeze(ob, t, n);`,
  CANCELLED: `${approve} perform task_cancel(b, a, t, n);`,
};
export const fixtures = Object.keys(steps);

/* Makes so many tasks in a status (or one of the others above) and gives their ids.  A tier's daily limit is not in their way. */
export async function prepare(s, { agent, operator, status, count = 1, after = '' }) {
  const mark = randomUUID(), now = await s.time(-60);
  await s.sql(`do $do$
declare
  b int := ${agent.bucket}; a uuid := '${agent.uuid}'; o uuid := '${operator.uuid}'; ob int := ${operator.bucket}; t uuid; k uuid;
  n timestamptz := '${now}';
begin
  update tiers set max_daily_tasks = 1000000, max_daily_spend = 1000000000000000;
  select id into k from api_keys where bucket = b and agent_id = a limit 1;
  for i in 1..${count} loop
    t := id_new(b, n, i);
    perform task_create(b, a, k, t, false, null, '${mark}', 'd', null, null, 'a', 25000000, n + interval '3 days', ${DAY},
      '["Result for each item"]', 'DATA_VALIDATION', 'DIGITAL', 'CONFIRMATION', null, null, null, null, n);
    ${steps[status]}
    ${after}
  end loop;
end $do$`);
  const rows = await s.sql(`select id from tasks where bucket = ${agent.bucket} and title = '${mark}' order by id`);
  return rows.map((row) => ({ uuid: row.id, id: publicId('task', row.id), agent, operator }));
}

/* Every call that moves a task: event, as the lifecycle names it, by whom, and how it is made. */
export const moves = [
  { event: 'accept', by: 'operator', where: 'accept', body: { estimate_minutes: 30 } },
  { event: 'withdraw', by: 'operator', where: 'withdraw-claim' },
  { event: 'start', by: 'operator', where: 'start' },
  { event: 'submit', by: 'operator', where: 'submit', body: proof },
  { event: 'abort', by: 'operator', where: 'abort', body: { reason: 'unsafe', note: 'The door is open, and nobody answers.' } },
  { event: 'approve', by: 'agent', where: 'estimate/approve' },
  { event: 'reject', by: 'agent', where: 'estimate/reject' },
  { event: 'cancel', by: 'agent', where: 'cancel' },
  { event: 'verify_approve', by: 'agent', where: 'verify', body: { decision: 'APPROVE' } },
  { event: 'verify_reject', by: 'agent', where: 'verify', body: { decision: 'REJECT', reason: 'Blurred' } },
  { event: 'dispute', by: 'agent', where: 'dispute', body: { reason: 'Not what I asked for' } },
  { event: 'resolve_pay', by: 'staff', where: 'resolve', body: { resolution: 'PAY_OPERATOR' } },
  { event: 'resolve_refund', by: 'staff', where: 'resolve', body: { resolution: 'REFUND_AGENT' } },
  { event: 'resolve_split', by: 'staff', where: 'resolve', body: { resolution: 'SPLIT', operator_usd: 10 } },
];

/* Makes such a call, as the task's own agent and operator unless others are given. */
export function move(s, event, task, { agent = task.agent, operator = task.operator } = {}) {
  const { by, where, body } = moves.find((m) => m.event === event);
  if (by === 'agent')
    return s.call('POST', `/tasks/${task.id}/${where}`, { key: agent.key, body });
  if (by === 'operator')
    return s.call('POST', `/operator/tasks/${task.id}/${where}`, { body, headers: { 'X-Operator-Id': operator.id } });
  return s.call('POST', `/admin/tasks/${task.id}/${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });
}

/* All there is to know of tasks, by UUID: the row, its events without the Guardian's later ones, its bookings, its pay. */
export async function snapshot(s, tasks) {
  const list = tasks.map((t) => `'${t.uuid}'`).join(',');
  const rows = await s.sql(`select t.id, to_jsonb(t) as row,
    (select coalesce(jsonb_agg(e.type order by e.at, e.id), '[]') from events e where e.task_id = t.id) as events,
    (select coalesce(jsonb_agg(l.kind order by l.kind), '[]') from ledger_transactions l where l.ref = t.id) as bookings,
    (select to_jsonb(e) from earnings e where e.task_id = t.id) as earning
    from tasks t where t.id in (${list})`);
  return new Map(rows.map(({ id, ...rest }) => [id, rest]));
}

/* The books are whole and nothing is left between the buckets. */
export async function booksAgree(s) {
  assert.deepEqual(await s.audit(), []);
  const [{ clearing, total }] = await s.sql(`select (select coalesce(sum(balance), 0) from accounts where kind = 'clearing') as clearing,
    (select coalesce(sum(amount), 0) from postings) as total`);
  assert.deepEqual([clearing, total], [0, 0], 'clearing, and all postings');
}
