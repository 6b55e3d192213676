/*
 * Requests at the same instant: whatever many clients do at once with one key, one balance, one limit, one token or one task
 * has exactly one effect, and the books agree afterwards.  What a single request means is told in tests/http.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { stack } from '../stack.mjs';

const COST = 11; /* a task of $10 and the least fee */
const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });

const times = (count, fn) => Promise.all(Array.from({ length: count }, (_, i) => fn(i)));

/* { 201: 10, 402: 40 } */
function tally(answers) {
	const counts = {};
	for (const { status } of answers)
		counts[status] = (counts[status] ?? 0) + 1;
	return counts;
}

async function task(over = {}) {
	return { title: 'Verify storefront signage', description: 'Take a photo of the sign', reward_usd: 10, task_type: 'VERIFICATION',
		location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' }, proof_requirements: ['Photo of the sign'],
		deadline: await s.time(3600), ...over };
}

function create(agent, body, key = randomUUID(), apiKey = agent.key) {
	return s.call('POST', '/tasks', { key: apiKey, body, headers: { 'Idempotency-Key': key } });
}

function cancel(agent, id) {
	return s.call('POST', `/tasks/${id}/cancel`, { key: agent.key });
}

async function balance(agent) {
	const { json } = await s.call('GET', '/agents/balance', { key: agent.key });
	return [json.deposit_balance, json.escrow_balance];
}

/* The books agree with each other and with the tasks: one hold for each real one, one refund for each cancelled one. */
async function booksAgree() {
	assert.deepEqual(await s.audit(), []);
	const [books] = await s.sql(`select (select coalesce(sum(amount), 0) from postings) as sum,
		(select count(*) from ledger_transactions where kind = 'escrow_hold') as holds,
		(select count(*) from tasks where not is_sandbox) as tasks,
		(select count(*) from ledger_transactions where kind = 'escrow_refund') as refunds,
		(select count(*) from tasks where not is_sandbox and status = 'CANCELLED') as cancelled,
		(select count(*) from events where type = 'task.cancelled') as cancelled_events,
		(select count(*) from tasks where status = 'CANCELLED') as all_cancelled`);
	assert.equal(books.sum, 0);
	assert.equal(books.holds, books.tasks, 'one hold for each real task');
	assert.equal(books.refunds, books.cancelled, 'one refund for each cancelled task');
	assert.equal(books.cancelled_events, books.all_cancelled, 'one event for each cancelled task');
}

/* Sends it until it is no longer told that the first one still runs. */
async function createPatiently(agent, body, key) {
	for (let tries = 1; tries <= 50; tries++) {
		const answer = await create(agent, body, key);
		if (answer.status !== 409)
			return answer;
		assert.equal(answer.json.code, 'idempotency_in_progress');
		assert.equal(answer.headers['retry-after'], '1');
		await sleep(100);
	}
	throw new Error('a request with this key seems to run for ever');
}

test('64 creates at once with one idempotency key make one task, and all are told the same', async () => {
	for (const tier of ['SANDBOX', 'STANDARD']) {
		const agent = await s.agent({ tier, deposit: tier === 'STANDARD' ? 1000 : 0 });
		const body = await task(), key = randomUUID();
		const answers = await times(64, () => create(agent, body, key));
		const made = answers.filter((a) => a.status === 201);
		assert.equal(made.filter((a) => !a.headers['idempotent-replayed']).length, 1, 'one of them did the work');
		for (const answer of answers.filter((a) => a.status !== 201)) {
			assert.equal(answer.status, 409, answer.text);
			assert.equal(answer.json.code, 'idempotency_in_progress');
			assert.equal(answer.headers['retry-after'], '1');
		}
		const again = await times(64, () => createPatiently(agent, body, key));
		assert.deepEqual(tally(again), { 201: 64 });
		assert.ok(again.every((a) => a.headers['idempotent-replayed'] === 'true'));
		assert.deepEqual([...new Set([...made, ...again].map((a) => a.text))], [made[0].text], 'to the letter');
		const { json } = await s.call('GET', '/tasks', { key: agent.key });
		assert.deepEqual(json.data.map((t) => t.task_id), [made[0].json.task_id]);
		if (tier === 'STANDARD')
			assert.deepEqual(await balance(agent), [1000 - COST, COST]);
	}
	await booksAgree();
});

test('one key with two bodies at once makes one task; the other is told of the mismatch', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	const bodies = [await task({ title: 'One' }), await task({ title: 'Other' })];
	for (let round = 0; round < 20; round++) {
		const key = randomUUID();
		const answers = await times(8, (i) => createPatientlyOrMismatch(agent, bodies[i % 2], key));
		assert.deepEqual(tally(answers), { 201: 4, 409: 4 });
		assert.equal(new Set(answers.filter((a) => a.status === 201).map((a) => a.json.task_id)).size, 1);
	}
	const { json } = await s.call('GET', '/tasks?limit=100', { key: agent.key });
	assert.equal(json.data.length, 20);
	await booksAgree();
});

async function createPatientlyOrMismatch(agent, body, key) {
	for (;;) {
		const answer = await create(agent, body, key);
		if (answer.json.code !== 'idempotency_in_progress')
			return answer;
		await sleep(50);
	}
}

test('50 creates at once with money for 10 make 10 tasks, and nothing is left', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 10 * COST });
	const body = await task();
	const answers = await times(50, (i) => create(agent, body, `poor-${i}`));
	assert.deepEqual(tally(answers), { 201: 10, 402: 40 });
	assert.ok(answers.filter((a) => a.status === 402).every((a) => a.json.code === 'insufficient_balance'));
	assert.deepEqual(await balance(agent), [0, 10 * COST]);
	/* A 402 gives the key back: with money, the same request works. */
	await s.deposit(agent, COST);
	const poor = answers.findIndex((a) => a.status === 402);
	assert.equal((await create(agent, body, `poor-${poor}`)).status, 201);
	assert.deepEqual(await balance(agent), [0, 11 * COST]);
	await booksAgree();
});

test('30 creates at once by an agent who may make 10 a day make 10', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 1000 });
	const body = await task();
	const answers = await times(30, () => create(agent, body));
	assert.deepEqual(tally(answers), { 201: 10, 403: 20 });
	for (const answer of answers.filter((a) => a.status === 403)) {
		assert.equal(answer.json.code, 'tier_limit_exceeded');
		assert.equal(answer.json.details.used_today.tasks, 10);
	}
	assert.deepEqual(await balance(agent), [1000 - 10 * COST, 10 * COST]);
	await booksAgree();
});

test('simulated creates at once stay within $10 a day', async () => {
	const agent = await s.agent();
	const body = await task({ reward_usd: 3 });
	assert.deepEqual(tally(await times(20, () => create(agent, body))), { 201: 3, 403: 17 });
	await booksAgree();
});

test('creates at once with a key of a $55 budget spend $55', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	const { json: key } = await s.call('POST', '/agents/keys', { key: agent.key, body: { name: 'small', max_daily_spend_usd: 55 } });
	const body = await task();
	const answers = await times(24, () => create(agent, body, randomUUID(), key.api_key));
	assert.deepEqual(tally(answers), { 201: 5, 403: 19 });
	assert.ok(answers.filter((a) => a.status === 403).every((a) => a.json.code === 'key_budget_exceeded'));
	assert.deepEqual(await balance(agent), [1000 - 55, 55]);
	await booksAgree();
});

test('two sign-ups at once with one e-mail address make one agent, 50 times', async () => {
	const [{ count: before }] = await s.sql('select count(*) from agents');
	for (let round = 0; round < 50; round++) {
		const emails = [`Twin${round}@example.com`, `twin${round}@EXAMPLE.com`];
		const answers = await times(2, (i) => s.call('POST', '/agents/register', { body: { name: 'twin', email: emails[i] } }));
		assert.deepEqual(tally(answers), { 201: 1, 409: 1 });
		assert.equal(answers.find((a) => a.status === 409).json.code, 'email_taken');
	}
	const [{ count }] = await s.sql('select count(*) from agents');
	assert.equal(count - before, 50);
});

test('a verification token used by 20 at once works for one', async () => {
	for (let round = 0; round < 5; round++) {
		const agent = await s.agent();
		const answers = await times(20, () => s.call('POST', '/agents/verify-email', { body: { token: agent.token } }));
		assert.deepEqual(tally(answers), { 200: 1, 409: 19 });
		assert.ok(answers.filter((a) => a.status === 409).every((a) => a.json.code === 'token_used'));
		const { json } = await s.call('GET', '/agents/me', { key: agent.key });
		assert.equal(json.tier, 'VERIFIED');
	}
});

test('of cancels at once one works and refunds, 20 times', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 100 });
	for (let round = 0; round < 20; round++) {
		const { json } = await create(agent, await task());
		const answers = await times(4, () => cancel(agent, json.task_id));
		assert.deepEqual(tally(answers), { 200: 1, 409: 3 });
		assert.equal(answers.find((a) => a.status === 200).json.refunded_usd, COST);
		assert.ok(answers.filter((a) => a.status === 409).every((a) => a.json.code === 'task_state_conflict'));
		assert.deepEqual(await balance(agent), [100, 0]);
	}
	await booksAgree();
});

test('cancels and creates at once never refund or hold more than there is', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 5 * COST + 50 - 5 });
	const body = await task();
	const first = await times(5, () => create(agent, body));
	const [cancelled, created] = await Promise.all([times(5, (i) => cancel(agent, first[i].json.task_id)),
		times(20, () => create(agent, body))]);
	assert.deepEqual(tally(cancelled), { 200: 5 });
	const made = created.filter((a) => a.status === 201).length;
	assert.ok(created.every((a) => a.status === 201 || a.status === 402));
	assert.ok(made >= 4 && made <= 9, `${made} tasks with money for 4, or 9 after the refunds`);
	assert.deepEqual(await balance(agent), [100 - made * COST, made * COST]);
	await booksAgree();
});

test('a cancel and the simulation at once: either one has the task', async (t) => {
	const seen = {};
	for (let round = 0; round < 12; round++) {
		const agent = await s.agent();
		const body = await task({ reward_usd: 1 });
		const ends = await times(5, async (i) => {
			const { json } = await create(agent, body);
			await sleep(round * 4 + i * 7);
			const answer = await cancel(agent, json.task_id);
			return { id: json.task_id, answer };
		});
		for (const { id, answer } of ends) {
			const done = await s.until(async () => {
				const { json } = await s.call('GET', `/tasks/${id}`, { key: agent.key });
				return ['COMPLETED', 'CANCELLED'].includes(json.status) && json;
			});
			assert.ok(answer.status === 200 || answer.json.code === 'task_state_conflict', answer.text);
			assert.equal(done.status, answer.status === 200 ? 'CANCELLED' : 'COMPLETED');
			assert.equal(done.events.at(-1).to, done.status, 'nothing came after the end');
			assert.equal(done.events.filter((e) => ['CANCELLED', 'COMPLETED'].includes(e.to)).length, 1);
			seen[done.status] = (seen[done.status] ?? 0) + 1;
		}
	}
	t.diagnostic(JSON.stringify(seen));
	assert.ok(seen.CANCELLED > 0);
	await s.until(async () => (await s.sql("select count(*) from jobs where kind = 'sandbox'"))[0].count === 0);
	assert.deepEqual(await s.sql("select * from jobs where is_dead"), []);
	await booksAgree();
});

test('a cancel and the end of the deadline at once: one refund', async (t) => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	const reasons = {};
	for (let round = 0; round < 8; round++) {
		const body = await task();
		const made = await times(10, () => create(agent, body));
		assert.deepEqual(tally(made), { 201: 10 });
		await s.advance(3601);
		const [answers] = await Promise.all([times(10, async (i) => {
			await sleep(i * 12);
			return cancel(agent, made[i].json.task_id);
		}), s.sweep()]);
		assert.ok(answers.every((a) => a.status === 200 || a.json.code === 'task_state_conflict'));
		const rows = await s.sql(`select cancel_reason, count(*) from tasks where status = 'CANCELLED' and agent_id = '${agent.uuid}'
			and deadline = '${body.deadline}' group by 1`);
		const count = Object.fromEntries(rows.map((row) => [row.cancel_reason, row.count]));
		assert.equal(count.agent ?? 0, answers.filter((a) => a.status === 200).length);
		assert.equal((count.agent ?? 0) + (count.expired ?? 0), 10);
		assert.deepEqual(await balance(agent), [1000, 0]);
		for (const row of rows)
			reasons[row.cancel_reason] = (reasons[row.cancel_reason] ?? 0) + row.count;
	}
	t.diagnostic(JSON.stringify(reasons));
	await booksAgree();
});

test('four sweepers at once refund each overdue task once', async () => {
	const agents = await times(5, () => s.agent({ tier: 'STANDARD', deposit: 200 }));
	const body = await task();
	for (const agent of agents)
		assert.deepEqual(tally(await times(10, () => create(agent, body))), { 201: 10 });
	await s.advance(7 * 86400);
	await times(4, () => s.sweep());
	for (const agent of agents)
		assert.deepEqual(await balance(agent), [200, 0]);
	assert.deepEqual(await s.sql("select count(*) from tasks where status = 'PENDING' and not is_sandbox"), [{ count: 0 }]);
	await booksAgree();
});
