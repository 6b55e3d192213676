/* Webhooks out: what is sent and how it is signed, when it is tried again, what a receiver can do, where none goes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { stack } from '../stack.mjs';
import { TIME, assertRefused, post, show } from './forms.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });

/* A simulated task whose webhooks go to the url, and its agent; without a scenario one webhook alone is sent, for its end. */
async function simulate(url, { scenario = 'no_operator', secret, from = s } = {}) {
	const agent = await from.agent();
	const task = await post(from, agent, {
		reward_usd: 0.01,
		callback_url: url,
		callback_secret: secret,
		sandbox_scenario: scenario,
	});
	return { agent, id: task.task_id };
}

async function log({ agent, id }, from = s) {
	const answer = await from.call('GET', `/tasks/${id}/webhooks`, { key: agent.key });
	assert.equal(answer.status, 200, answer.text);
	return answer.json.data;
}

/* The only delivery of a task, once it has had so many attempts. */
const tried = (task, attempts, from = s, ms = 15_000) =>
	from.until(async () => {
		const [delivery] = await log(task, from);
		return delivery?.attempts.length >= attempts && delivery;
	}, ms);

const redeliver = ({ agent, id }, delivery) =>
	s.call('POST', `/tasks/${id}/webhooks/${delivery}/redeliver`, { key: agent.key });
const gap = async (delivery) =>
	(Date.parse(delivery.next_attempt_at) - Date.parse(delivery.attempts.at(-1).at)) / 1000;

test('each event of a simulated task arrives once, in the form of the reference', async () => {
	const receiver = await s.receiver(),
		task = await simulate(receiver.url, { scenario: 'approve' });
	await s.until(() => receiver.requests.length >= 4);
	const bodies = receiver.requests.map((r) => JSON.parse(r.raw));
	assert.deepEqual(bodies.map((b) => b.event).sort(), [
		'task.claimed',
		'task.completed',
		'task.submitted',
		'task.verified',
	]);
	for (const [i, request] of receiver.requests.entries()) {
		assert.deepEqual(
			[request.method, request.url, request.headers['content-type']],
			['POST', '/hook', 'application/json'],
		);
		assert.equal(bodies[i].task_id, task.id);
		assert.equal(bodies[i].sandbox, true);
		assert.match(bodies[i].timestamp, TIME);
		assert.equal(request.headers['webhook-id'], bodies[i].id);
		assert.ok(Math.abs(request.headers['webhook-timestamp'] - Date.now() / 1000) < 60);
		for (const name of [
			'x-humanops-signature',
			'webhook-signature',
			'x-api-key',
			'authorization',
			'cookie',
			'expect',
		])
			assert.equal(name in request.headers, false, `no ${name} without a secret`);
	}
	const verified = bodies.find((b) => b.event === 'task.verified');
	assert.equal(verified.guardian_result.decision, 'APPROVE');
	const events = (await show(s, task.agent, task.id)).events;
	assert.ok(
		bodies.every((b) =>
			events.some((e) => e.event_id === b.id && e.type === b.event && e.at === b.timestamp),
		),
	);
	await sleep(700);
	assert.equal(receiver.requests.length, 4);
	const deliveries = await log(task);
	assert.ok(
		deliveries.every(
			(d) => d.state === 'delivered' && d.attempts.length === 1 && d.attempts[0].status === 204,
		),
	);
});

for (const [scenario, event] of [
	['manual_review', 'task.manual_review'],
	['reject', 'task.disputed'],
	['no_operator', 'task.cancelled'],
])
	test(`scenario ${scenario} sends ${event} last`, async () => {
		const receiver = await s.receiver();
		await simulate(receiver.url, { scenario });
		await s.until(() => receiver.requests.some((r) => JSON.parse(r.raw).event === event));
	});

const secrets = [
	['a plain text', 'your-random-secret'],
	['letters of two bytes', 'gehéim-ключ 🔑'],
	['spaces at its ends', '  x  '],
	['whsec_ and a key in base64', `whsec_${randomBytes(24).toString('base64')}`],
];
for (const [what, secret] of secrets)
	test(`openssl and Standard Webhooks agree with the signature under ${what}`, async () => {
		const receiver = await s.receiver();
		await simulate(receiver.url, { secret });
		await s.until(() => receiver.requests.length > 0);
		const [{ raw, headers }] = receiver.requests;
		const openssl = spawnSync('openssl', ['dgst', '-sha256', '-hmac', secret], {
			input: raw,
			encoding: 'utf8',
		});
		assert.equal(headers['x-humanops-signature'], openssl.stdout.trim().split('= ')[1]);
		const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret;
		const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${raw}`;
		assert.equal(
			headers['webhook-signature'],
			`v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
		);
	});

test('a receiver that fails three times gets it on the fourth, the same event each time', async () => {
	const secret = 'again',
		receiver = await s.receiver({ answer: (n) => ({ status: n < 4 ? 500 : 200 }) });
	const task = await simulate(receiver.url, { secret }),
		waits = [5, 300, 1800];
	for (const [i, wait] of waits.entries()) {
		const delivery = await tried(task, i + 1);
		assert.equal(delivery.state, 'pending');
		const seconds = await gap(delivery);
		assert.ok(seconds >= wait - 1 && seconds <= wait * 1.1 + 1, `${seconds} s after attempt ${i + 1}`);
		await s.advance(Math.ceil(wait * 1.1));
	}
	const delivery = await tried(task, 4);
	await s.until(async () => (await log(task))[0].state === 'delivered');
	assert.deepEqual(
		delivery.attempts.map((a) => [a.attempt, a.status]),
		[
			[1, 500],
			[2, 500],
			[3, 500],
			[4, 200],
		],
	);
	const { requests } = receiver;
	assert.equal(requests.length, 4);
	assert.equal(new Set(requests.map((r) => r.headers['webhook-id'])).size, 1);
	assert.equal(new Set(requests.map((r) => r.raw.toString())).size, 1);
	assert.equal(new Set(requests.map((r) => r.headers['x-humanops-signature'])).size, 1);
	assert.equal(
		new Set(requests.map((r) => r.headers['webhook-timestamp'])).size,
		4,
		'the time is that of the attempt',
	);
});

test('410 ends it', async () => {
	const receiver = await s.receiver({ answer: () => ({ status: 410 }) }),
		task = await simulate(receiver.url);
	const delivery = await tried(task, 1);
	assert.deepEqual(
		[delivery.state, delivery.next_attempt_at, delivery.attempts[0].status],
		['failed', null, 410],
	);
	await s.advance(86_400);
	await sleep(700);
	assert.equal(receiver.requests.length, 1);
});

for (const [what, header, seconds] of [
	['seconds', () => '600', 600],
	['a date', () => new Date(Date.now() + 900_000).toUTCString(), 900],
	['a week', () => '604800', 86_400],
	['less than the schedule', () => '1', 5],
	['nonsense', () => 'soon', 5],
	['a negative number', () => '-5', 5],
])
	test(`Retry-After of ${what} is heeded between the schedule and a day`, async () => {
		const receiver = await s.receiver({
			answer: () => ({ status: 503, headers: { 'Retry-After': header() } }),
		});
		const delivery = await tried(await simulate(receiver.url), 1),
			wait = await gap(delivery);
		assert.ok(wait >= seconds - 5 && wait <= seconds * 1.1 + 2, `${wait} s`);
	});

test('a redirect is not followed and counts as a failure', async () => {
	const target = await s.receiver();
	for (const status of [301, 302, 303, 307, 308]) {
		const receiver = await s.receiver({
			answer: () => ({ status, headers: { Location: target.url } }),
		});
		const delivery = await tried(await simulate(receiver.url), 1);
		assert.deepEqual([delivery.state, delivery.attempts[0].status], ['pending', status]);
	}
	assert.equal(target.requests.length, 0);
});

test('ten failures over 75 hours are the end, until it is sent again under the same id', async () => {
	let isUp = false;
	const receiver = await s.receiver({ answer: () => ({ status: isUp ? 200 : 404 }) }),
		task = await simulate(receiver.url),
		began = await s.now();
	for (let attempt = 1; attempt < 10; attempt++) {
		const delivery = await tried(task, attempt);
		assert.equal(delivery.state, 'pending');
		if (attempt === 1)
			assertRefused(await redeliver(task, delivery.delivery_id), 409, 'delivery_in_progress');
		await s.advance(
			Math.ceil(Math.max(1, (Date.parse(delivery.next_attempt_at) - (await s.now())) / 1000)),
		);
	}
	const failed = await tried(task, 10);
	assert.deepEqual([failed.state, failed.next_attempt_at, failed.delivered_at], ['failed', null, null]);
	const hours = ((await s.now()) - began) / 3_600_000;
	assert.ok(hours > 74 && hours < 84, `${hours} hours`);
	await s.advance(86_400);
	await sleep(700);
	assert.equal(receiver.requests.length, 10);

	isUp = true;
	const again = await redeliver(task, failed.delivery_id);
	assert.deepEqual([again.status, again.json], [200, { delivery_id: failed.delivery_id, state: 'pending' }]);
	await s.until(async () => (await log(task))[0].state === 'delivered');
	const ids = new Set(receiver.requests.map((r) => r.headers['webhook-id']));
	assert.deepEqual([receiver.requests.length, [...ids]], [11, [failed.event_id]]);
	assert.match((await log(task))[0].delivered_at, TIME);
});

test('what was delivered can be sent again; what is not there cannot', async () => {
	const receiver = await s.receiver(),
		task = await simulate(receiver.url),
		other = await simulate(receiver.url);
	const { delivery_id: id } = await tried(task, 1),
		{ delivery_id: foreign } = await tried(other, 1);
	await s.until(async () => (await log(task))[0].state === 'delivered');
	assert.equal((await redeliver(task, id)).status, 200);
	await tried(task, 2);
	for (const wrong of [foreign, 'x', id.slice(0, -1), task.id])
		assertRefused(await redeliver(task, wrong), 404, 'delivery_not_found', wrong);
	assert.equal((await redeliver({ agent: task.agent, id: other.id }, foreign)).status, 404);
	assert.equal((await s.call('GET', `/tasks/${other.id}/webhooks`, { key: task.agent.key })).status, 404);
});

test('the log tells every attempt and no secret', async () => {
	const receiver = await s.receiver({
			answer: (n) => ({ status: n === 1 ? 500 : 200, body: 'receiver says' }),
		}),
		secret = randomBytes(12).toString('hex');
	const task = await simulate(receiver.url, { secret });
	const [delivery] = [await tried(task, 1)];
	assert.deepEqual(Object.keys(delivery), [
		'delivery_id',
		'event_id',
		'event',
		'state',
		'created_at',
		'next_attempt_at',
		'delivered_at',
		'attempts',
	]);
	assert.deepEqual(Object.keys(delivery.attempts[0]).sort(), [
		'at',
		'attempt',
		'duration_ms',
		'error',
		'status',
	]);
	assert.equal(delivery.event, 'task.cancelled');
	assert.equal(JSON.stringify(await log(task)).includes(secret), false);
	assert.equal(
		Object.values(s.logFiles()).some((text) => text.includes(secret)),
		false,
	);
});

test('a task without a callback has no deliveries', async () => {
	assert.deepEqual(await log(await simulate(undefined)), []);
});

test('a receiver that is not there, talks nonsense or hangs up is tried again', async () => {
	const gone = await s.receiver();
	await gone.close();
	const rude = net.createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-nonsense\r\n'));
	const silent = http.createServer((request) => request.socket.destroy());
	for (const server of [rude, silent]) await new Promise((done) => server.listen(0, '127.0.0.1', done));
	try {
		for (const url of [
			gone.url,
			`http://127.0.0.1:${rude.address().port}/`,
			`http://127.0.0.1:${silent.address().port}/`,
			'http://no-such-host.invalid/',
		]) {
			const delivery = await tried(await simulate(url), 1);
			assert.deepEqual([delivery.state, delivery.attempts[0].status], ['pending', null]);
			assert.ok(delivery.attempts[0].error, url);
		}
	} finally {
		rude.close();
		silent.close();
	}
});

test('an answer of 50 MB is cut off and counts by its status', async () => {
	const piece = Buffer.alloc(1 << 20, 'x');
	let written = 0;
	const server = http.createServer(async (request, response) => {
		response.on('error', () => {});
		response.writeHead(200, { 'Content-Length': 50 << 20 });
		for (let i = 0; i < 50 && !response.destroyed; i++) {
			written++;
			if (!response.write(piece))
				await Promise.race([
					new Promise((done) => response.once('drain', done)),
					new Promise((done) => response.once('close', done)),
				]);
		}
		response.end();
	});
	await new Promise((done) => server.listen(0, '127.0.0.1', done));
	try {
		const delivery = await tried(await simulate(`http://127.0.0.1:${server.address().port}/`), 1);
		assert.deepEqual([delivery.state, delivery.attempts[0].status], ['delivered', 200]);
		assert.ok(written < 50, `${written} MB were taken`);
	} finally {
		server.closeAllConnections();
		server.close();
	}
});

test('a receiver that hangs is given up after ten seconds, and holds up neither others nor the simulation', async () => {
	const slow = await s.receiver({ answer: () => ({ delay: 60_000 }) }),
		held = [];
	for (let i = 0; i < 6; i++) held.push(await simulate(slow.url));
	await s.until(() => slow.requests.length >= 2);
	const began = Date.now(),
		agent = await s.agent(),
		task = await post(s, agent, { reward_usd: 0.01 });
	await s.until(async () => (await show(s, agent, task.task_id)).status === 'COMPLETED', 5000);
	assert.ok(Date.now() - began < 5000, 'tasks go on');
	const delivery = await tried(held[0], 1, s, 25_000),
		took = delivery.attempts[0].duration_ms;
	assert.ok(took >= 9_500 && took < 12_000, `${took} ms`);
	assert.deepEqual(
		[delivery.state, delivery.attempts[0].status, delivery.attempts[0].error],
		['pending', null, 'timed out'],
	);
	await slow.close();
});

test('nothing goes to a private address where that is not allowed, whatever the task says', async () => {
	const own = await stack({ settings: ['WEBHOOK_ALLOW_PRIVATE=false', 'SANDBOX_STEP_SECONDS=0'] }),
		receiver = await own.receiver();
	/* A task from before the setting changed; its address is not asked again when it is posted. */
	const task = await simulate('https://example.com/', { scenario: 'estimate', from: own });
	await own.until(async () => (await show(own, task.agent, task.id)).status === 'ESTIMATE_PENDING');
	for (const host of ['127.0.0.1', 'localhost', '127.1', '0x7f000001', '[::ffff:127.0.0.1]']) {
		await own.sql(`update tasks set callback_url = '${receiver.url.replace('127.0.0.1', host)}'`);
		await own.sql(`update deliveries set state = 'failed'`);
		await own.sql('delete from jobs');
		const [{ delivery_id: id, attempts }] = await log(task, own);
		assert.equal(
			(
				await own.call('POST', `/tasks/${task.id}/webhooks/${id}/redeliver`, {
					key: task.agent.key,
				})
			).status,
			200,
		);
		const delivery = await tried(task, attempts.length + 1, own),
			last = delivery.attempts.at(-1);
		assert.deepEqual([delivery.state, last.status], ['pending', null], host);
		assert.match(last.error, /address/, host);
	}
	assert.equal(receiver.requests.length, 0);
	await own.stop();
});
