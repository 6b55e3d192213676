/* Whether a task may exist: the policy, the model, the memory of both, and the way to staff. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { model } from '../model.mjs';
import { stack } from '../stack.mjs';

const m = await model();
m.screen({});
const s = await stack({ settings: ['GUARDIAN_PROVIDER=anthropic', 'GUARDIAN_MODEL=m', 'GUARDIAN_API_KEY=k', `GUARDIAN_URL=${m.url}`] });
const staff = (method, where, body) => s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': s.settings.ADMIN_API_KEY } });
const screenings = () => m.requests.filter((r) => r.question === 'screen').length;

const task = async (changes) => ({ title: 'Errand', description: 'Buy a gun for me without papers.', reward_usd: 25, deadline: await s.time(86400),
  proof_requirements: ['Result'], task_type: 'DATA_VALIDATION', ...changes });
const post = async (agent, changes, key) => s.call('POST', '/tasks', { key: agent.key, body: await task(changes), headers: key ? { 'Idempotency-Key': key } : {} });
const newAgent = () => s.agent({ tier: 'STANDARD', deposit: 500 });

test('what the policy forbids is blocked before any money moves, whatever a model would say', async () => {
  const agent = await newAgent(), asked = screenings();
  const blocked = await post(agent);
  assert.equal(blocked.status, 422, blocked.text);
  assert.deepEqual([blocked.json.code, blocked.json.details.category, blocked.json.details.rule], ['policy_violation', 'WEAPONS', 'weapons']);
  assert.match(blocked.json.details.screening_id, /^scr_/);
  assert.equal(screenings(), asked, 'no model was asked');
  assert.equal((await s.call('GET', '/agents/balance', { key: agent.key })).json.deposit_balance, 500);
  assert.equal((await s.sql(`select * from tasks where agent_id = '${agent.uuid}'`)).length, 0);
});

test('a blocked request keeps its idempotency key: the same answer again, and no second roll of the dice', async () => {
  const agent = await newAgent(), key = randomUUID();
  const body = await task({ description: `A curious errand ${key}.` });
  const send = () => s.call('POST', '/tasks', { key: agent.key, body, headers: { 'Idempotency-Key': key } });
  m.screen({ category: 'FRAUD', reason: 'This looks like a swindle.' });
  const first = await send();
  assert.deepEqual([first.status, first.json.details.rule, first.json.details.reason], [422, 'model', 'This looks like a swindle.']);
  m.screen({});
  const { status, json, headers } = await send();
  assert.deepEqual([status, headers['idempotent-replayed'], json.details.screening_id], [422, 'true', first.json.details.screening_id]);
});

test('the same blocked text asks no model again for a day, however it is spelt', async () => {
  const agent = await newAgent(), text = `Errand number ${randomUUID()}`;
  m.screen({ category: 'HARASSMENT', reason: 'It bothers somebody.' });
  assert.equal((await post(agent, { description: text })).status, 422);
  const asked = screenings();
  m.screen({});
  assert.equal((await post(agent, { description: text.toUpperCase() })).status, 422);
  assert.equal(screenings(), asked);
  await s.advance(86400 + 60);
  assert.equal((await post(agent, { description: text })).status, 201, 'asked anew after a day');
  assert.equal(screenings(), asked + 1);
});

test('a model that is away or makes no sense has no say: the rules decide', async () => {
  const agent = await newAgent();
  for (const plan of [{ status: 500 }, { status: 529 }, { text: 'Sure!' }, { refuse: true }, { cut: true }]) {
    m.next(plan);
    assert.equal((await post(agent, { description: `An errand ${randomUUID()}.` })).status, 201, JSON.stringify(plan));
  }
});

test('simulated tasks are not screened', async () => {
  const agent = await s.agent(), asked = screenings();
  assert.equal((await post(agent, { reward_usd: 1 })).status, 201);
  assert.equal(screenings(), asked);
});

test('an appeal goes to staff, whose word lets the text pass or stand', async () => {
  const agent = await newAgent(), stranger = await newAgent();
  for (const [decision, status] of [['ALLOWED', 201], ['UPHELD', 422]]) {
    const changes = { title: `Prop ${decision}`, description: 'Buy a gun: a water pistol for the theatre.' };
    const id = (await post(agent, changes)).json.details.screening_id;
    assert.equal((await s.call('POST', `/tasks/${id}/appeal`, { key: stranger.key, body: { reason: 'x' } })).status, 404);
    const appeal = decision === 'ALLOWED' ? s.call('POST', '/tasks/appeals', { key: agent.key, body: { screening_id: id, reason: 'It is a toy.' } }) :
      s.call('POST', `/tasks/${id}/appeal`, { key: agent.key, body: { reason: 'It is a toy.' } });
    assert.equal((await appeal).status, 201);
    assert.equal((await s.call('POST', `/tasks/${id}/appeal`, { key: agent.key, body: { reason: 'Again' } })).json.code, 'already_appealed');
    const row = (await staff('GET', '/appeals?limit=200')).json.data.find((a) => a.screening_id === id);
    assert.deepEqual([row.appeal, row.title], ['It is a toy.', `Prop ${decision}`]);
    assert.equal((await post(agent, changes)).status, 422, 'still blocked while it waits');
    assert.equal((await staff('POST', `/appeals/${id}`, { decision, note: 'Seen.' })).status, 200);
    assert.equal((await staff('POST', `/appeals/${id}`, { decision })).json.code, 'already_decided');
    assert.equal((await post(agent, changes)).status, status);
    assert.equal((await post(stranger, changes)).status, 422, 'for this agent alone');
  }
  assert.equal((await s.call('POST', '/tasks/appeals', { key: agent.key, body: { screening_id: 'scr_x', reason: 'x' } })).status, 404);
});
