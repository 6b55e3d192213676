/* What tests of the API send and look for again and again. */
import assert from 'node:assert/strict';

/* An object with some of its members changed; undefined takes a member away, and "a.b" reaches into another object. */
export function changed(object, change) {
	const copy = structuredClone(object);
	for (const [where, value] of Object.entries(change)) {
		const names = where.split('.'),
			last = names.pop();
		const inner = names.reduce((at, name) => at[name], copy);
		if (value === undefined) delete inner[last];
		else inner[last] = value;
	}
	return copy;
}

/* A task that every tier may post, an hour and more ahead on the service's clock. */
export async function taskBody(s, change = {}) {
	return changed(
		{
			title: 'Verify storefront signage',
			description: 'Take a photo of the signage at 123 Main St',
			location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' },
			reward_usd: 10,
			deadline: await s.time(86_400),
			proof_requirements: ['Photo of storefront sign', 'GPS-stamped image'],
			task_type: 'VERIFICATION',
		},
		change,
	);
}

/* Posts such a task, which must succeed, and gives the answer's body. */
export async function post(s, agent, change = {}, more = {}) {
	const answer = await s.call('POST', '/tasks', { key: agent.key, body: await taskBody(s, change), ...more });
	assert.equal(answer.status, 201, answer.text);
	return answer.json;
}

export async function show(s, agent, id) {
	const answer = await s.call('GET', `/tasks/${id}`, { key: agent.key });
	assert.equal(answer.status, 200, answer.text);
	return answer.json;
}

/* An answer's status and error code, and the faulty fields if it names any. */
export function refusal(answer) {
	const fields = answer.json?.details?.fields;
	return [answer.status, answer.json?.code, ...(fields ? [Object.keys(fields).sort()] : [])];
}

export function assertRefused(answer, status, code, what = '') {
	assert.deepEqual([answer.status, answer.json?.code], [status, code], `${what} ${answer.text}`);
}

/* Exactly these fields are named as faulty, each with a sentence. */
export function assertFaults(answer, paths, what = '') {
	assert.deepEqual(refusal(answer), [400, 'validation_failed', [...paths].sort()], `${what}: ${answer.text}`);
	for (const sentence of Object.values(answer.json.details.fields)) assert.match(sentence, /^[a-z].{3,}/);
}

export async function balance(s, agent) {
	const { json } = await s.call('GET', '/agents/balance', { key: agent.key });
	return [json.deposit_balance, json.escrow_balance];
}

export const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
