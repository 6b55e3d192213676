/* The simulated lifecycle at its usual pace: the reference's quick start, and where each scenario ends. */
import assert from 'node:assert/strict';
import { createDecipheriv, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync } from 'node:crypto';
import test from 'node:test';
import { stack } from '../stack.mjs';
import { TIME, balance, post, show } from './forms.mjs';

const s = await stack();
const agent = await s.agent();

/* Every answer about a simulated task says so. */
function assertSandbox(object) {
	assert.equal(object.sandbox, true);
	assert.match(object.sandbox_notice, /simulated/);
}

async function ends(id, status, ms) {
	return s.until(async () => {
		const task = await show(s, agent, id);
		assertSandbox(task);
		return task.status === status && task;
	}, ms);
}

const moves = (task) => task.events.map((event) => [event.from, event.to]);

test('the quick start of the reference completes within fifteen seconds', async () => {
	const began = Date.now(),
		email = `agent-${began}@example.com`;
	const registered = await s.call('POST', '/agents/register', { body: { name: 'my-agent', email } });
	assert.equal(registered.status, 201);
	const body = {
		title: 'Verify storefront signage',
		description: 'Take a photo of the signage at 123 Main St',
		location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' },
		reward_usd: 10,
		deadline: `${(await s.time(5 * 86_400)).slice(0, 10)}T00:00:00Z`,
		proof_requirements: ['Photo of storefront sign', 'GPS-stamped image'],
		task_type: 'VERIFICATION',
	};
	const key = registered.json.api_key,
		posted = await s.call('POST', '/tasks', { key, body });
	assert.equal(posted.status, 201);
	assert.deepEqual(Object.keys(posted.json), [
		'task_id',
		'status',
		'reward_usd',
		'platform_fee',
		'total_escrow',
		'deadline',
		'created_at',
		'sandbox',
		'sandbox_notice',
	]);
	assert.deepEqual(
		[posted.json.status, posted.json.reward_usd, posted.json.platform_fee, posted.json.total_escrow],
		['PENDING', 10, 1, 11],
	);
	assertSandbox(posted.json);

	const done = await s.until(async () => {
		const { json } = await s.call('GET', `/tasks/${posted.json.task_id}`, { key });
		assertSandbox(json);
		return json.status === 'COMPLETED' && json;
	});
	assert.ok(Date.now() - began < 15_000);
	for (const name of [
		'task_id',
		'title',
		'description',
		'status',
		'task_type',
		'location',
		'reward_usd',
		'platform_fee_usd',
		'deadline',
		'proof_requirements',
		'proof',
		'guardian_result',
		'operator',
		'callback_url',
		'accepted_at',
		'submitted_at',
		'verified_at',
		'completed_at',
		'created_at',
	])
		assert.ok(name in done, name);
	assert.ok(done.proof.photos.length > 0 && done.proof.notes);
	assert.match(done.proof.submittedAt, TIME);
	const picture = await s.call('GET', new URL(done.proof.photos[0]).pathname, { whole: true });
	assert.deepEqual(
		[new URL(done.proof.photos[0]).origin, picture.status, picture.headers['content-type']],
		[s.base, 200, 'image/png'],
	);
	assert.equal(done.guardian_result.decision, 'APPROVE');
	assert.ok(done.guardian_result.confidence >= 90 && done.guardian_result.reasoning);
	assert.match(done.operator.id, /^op_[0-9a-z]{26}$/);
	assert.ok(done.operator.name && done.operator.rating >= 1 && done.operator.rating <= 5);
	const { json: money } = await s.call('GET', '/agents/balance', { key });
	assert.deepEqual([money.deposit_balance, money.escrow_balance], [0, 0], 'no money moved');
});

const first = [[null, 'PENDING']],
	claimed = [...first, ['PENDING', 'ESTIMATE_PENDING']];
const submitted = [
	...claimed,
	['ESTIMATE_PENDING', 'ACCEPTED'],
	['ACCEPTED', 'IN_PROGRESS'],
	['IN_PROGRESS', 'SUBMITTED'],
];
const scenarios = [
	['approve', 'COMPLETED', [...submitted, ['SUBMITTED', 'VERIFIED'], ['VERIFIED', 'COMPLETED']]],
	['manual_review', 'SUBMITTED', [...submitted, ['SUBMITTED', 'SUBMITTED']]],
	['reject', 'DISPUTED', [...submitted, ['SUBMITTED', 'DISPUTED']]],
	['estimate', 'ESTIMATE_PENDING', claimed],
	['no_operator', 'CANCELLED', [...first, ['PENDING', 'CANCELLED']]],
];
const running = new Map();

test('the scenarios start side by side', async () => {
	for (const [scenario] of scenarios)
		running.set(scenario, await post(s, agent, { reward_usd: 1, sandbox_scenario: scenario }));
});

for (const [scenario, status, want] of scenarios)
	test(`scenario ${scenario} ends ${status} by legal moves in their order`, async () => {
		const { task_id: id } = running.get(scenario);
		const task = await s.until(async () => {
			const now = await ends(id, status);
			return now.events.length === want.length && now;
		});
		assert.deepEqual(moves(task), want);
		assert.equal(task.sandbox_scenario, scenario);
		const times = task.events.map((event) => event.at);
		assert.deepEqual(times, [...times].sort(), 'oldest first');
		assert.equal(new Set(task.events.map((event) => event.event_id)).size, want.length);
		const legal = await s.sql('select from_status, to_status from task_moves');
		for (const [from, to] of moves(task).slice(1))
			assert.ok(
				legal.some((row) => row.from_status === from && row.to_status === to),
				`${from} to ${to}`,
			);
	});

test('verdicts follow the thresholds of confidence', async () => {
	const results = new Map();
	for (const [scenario] of scenarios)
		results.set(scenario, (await show(s, agent, running.get(scenario).task_id)).guardian_result);
	assert.ok(results.get('approve').decision === 'APPROVE' && results.get('approve').confidence >= 90);
	const doubt = results.get('manual_review');
	assert.ok(doubt.decision === 'MANUAL_REVIEW' && doubt.confidence >= 50 && doubt.confidence < 90);
	assert.ok(results.get('reject').decision === 'REJECT' && results.get('reject').confidence < 50);
	assert.deepEqual([results.get('estimate'), results.get('no_operator')], [null, null]);
});

test('what waits stays there', async () => {
	for (const [scenario, status] of scenarios)
		assert.equal((await show(s, agent, running.get(scenario).task_id)).status, status);
});

test('a pending estimate is shown, and the task can be cancelled with it', async () => {
	const id = running.get('estimate').task_id,
		task = await show(s, agent, id);
	assert.ok(task.estimate.estimate_minutes >= 5);
	assert.ok(task.estimate.approval_deadline > task.estimate.claimed_at);
	const answer = await s.call('POST', `/tasks/${id}/cancel`, { key: agent.key });
	assert.equal(answer.status, 200);
	assert.equal(answer.json.refunded_usd, 0);
	assertSandbox(answer.json);
});

test('a simulated task that is cancelled stays so', async () => {
	const task = await post(s, agent, { reward_usd: 1 });
	const answer = await s.call('POST', `/tasks/${task.task_id}/cancel`, { key: agent.key });
	assert.equal(answer.status, 200, answer.text);
	await s.until(
		async () => (await s.sql("select 1 from jobs where kind = 'sandbox' and not is_dead")).length === 0,
	);
	assert.equal((await show(s, agent, task.task_id)).status, 'CANCELLED');
});

test('the list says what is simulated', async () => {
	const { json } = await s.call('GET', '/tasks', { key: agent.key });
	assert.ok(json.data.length >= scenarios.length);
	json.data.forEach(assertSandbox);
});

test('each kind of proof is simulated', async () => {
	const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const agent_public_key = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
	const kinds = [
		['FORM_FILLING', 'photos'],
		['DATA_VALIDATION', 'confirmation_text'],
		['PHONE_VERIFICATION', 'notes'],
	];
	const tasks = [];
	for (const [task_type] of kinds)
		tasks.push(
			await post(s, agent, {
				task_type,
				reward_usd: 1,
				...(task_type === 'PHONE_VERIFICATION' ? { agent_public_key } : {}),
			}),
		);
	for (const [i, [, name]] of kinds.entries())
		assert.ok((await ends(tasks[i].task_id, 'COMPLETED')).proof[name]);
});

test('an approved estimate goes on to its end', async () => {
	const task = await post(s, agent, { reward_usd: 0.5, sandbox_scenario: 'estimate' });
	await ends(task.task_id, 'ESTIMATE_PENDING');
	const approved = await s.call('POST', `/tasks/${task.task_id}/estimate/approve`, { key: agent.key });
	assert.deepEqual([approved.status, approved.json.status, approved.json.sandbox], [200, 'ACCEPTED', true]);
	await ends(task.task_id, 'COMPLETED');
});

/* Spec 9: ECDH, HKDF-SHA-256 over the shared x coordinate, AES-256-GCM with the tag at the ciphertext's end. */
function decrypt(blob, privateKey, taskId) {
	const bytes = (name) => Buffer.from(blob[name], 'base64');
	const point = bytes('ephemeralPublicKey');
	const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
	const shared = diffieHellman({ privateKey, publicKey: createPublicKey({ key: jwk, format: 'jwk' }) });
	const key = Buffer.from(hkdfSync('sha256', shared, Buffer.alloc(0), `humanops/credential/v1/${taskId}`, 32));
	const sealed = bytes('ciphertext');
	const gcm = createDecipheriv('aes-256-gcm', key, bytes('iv')).setAuthTag(sealed.subarray(-16));
	return JSON.parse(Buffer.concat([gcm.update(sealed.subarray(0, -16)), gcm.final()]).toString());
}

test('a simulated credential is really encrypted for the key of the agent', async () => {
	const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
	const { x, y } = publicKey.export({ format: 'jwk' });
	const raw = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString('base64');
	const task = await post(s, agent, { task_type: 'API_KEY_PROCUREMENT', reward_usd: 0.5, agent_public_key: raw });
	const early = await s.call('GET', `/tasks/${task.task_id}/retrieve-credential`, { key: agent.key });
	assert.equal(early.status, 409);
	await ends(task.task_id, 'COMPLETED');
	for (const method of ['GET', 'POST']) {
		const got = await s.call(method, `/tasks/${task.task_id}/retrieve-credential`, { key: agent.key });
		assert.equal(got.status, 200, got.text);
		assert.equal(got.json.encrypted_credential.algorithm, 'ECDH-P256-AES-256-GCM');
		assert.equal(decrypt(got.json.encrypted_credential, privateKey, task.task_id).username, 'sandbox');
		assert.throws(() => decrypt(got.json.encrypted_credential, privateKey, `${task.task_id}x`));
	}
	const plain = await post(s, agent, { reward_usd: 0.5 });
	const none = await s.call('GET', `/tasks/${plain.task_id}/retrieve-credential`, { key: agent.key });
	assert.deepEqual([none.status, none.json.code], [404, 'credential_not_found']);
});

test('waits end by themselves: the estimate lapses, the review counts as approved', async () => {
	const estimate = await post(s, agent, {
		reward_usd: 1,
		sandbox_scenario: 'estimate',
		deadline: await s.time(30 * 86_400),
	});
	await ends(estimate.task_id, 'ESTIMATE_PENDING');
	await s.advance(8 * 86_400);
	await s.sweep();
	const reviewed = await ends(running.get('manual_review').task_id, 'COMPLETED');
	assert.equal(reviewed.events.at(-1).actor, 'sweeper');
	const back = await show(s, agent, estimate.task_id);
	assert.deepEqual([back.status, back.operator], ['PENDING', null]);
	const disputed = await ends(running.get('reject').task_id, 'CANCELLED');
	assert.deepEqual([disputed.cancel_reason, disputed.events.at(-1).actor], ['dispute', 'sandbox']);
});

test('no money has moved', async () => {
	assert.deepEqual(await balance(s, agent), [0, 0]);
	assert.deepEqual(await s.audit(), []);
});
