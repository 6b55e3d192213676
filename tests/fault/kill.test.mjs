/*
 * Killed between any two steps: workers, jobs and PostgreSQL die without warning while tasks are posted, programs are renewed
 * and stopped under load.  What was acknowledged is there once, the books agree, nothing hangs.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { children, crashDatabase, isAlive, spawnAs, startDatabase, supervisorOf } from '../processes.mjs';
import { root, stack } from '../stack.mjs';

const TASKS_A_DAY = 100;
const PATIENCE_MS = 15_000; /* no request may take longer, whatever dies */
const settings = ['SANDBOX_STEP_SECONDS=0'];
const s = await stack({ settings });
const run = promisify(execFile);

const times = (count, fn) => Promise.all(Array.from({ length: count }, (_, i) => fn(i)));

/* Processes */

const supervisor = (name) => supervisorOf(s, name);
const asUser = (command, args) => spawnAs(s, command, args);

/* Kills one child after another, without warning, until the time is over; gives how many. */
async function killChildren(name, ms, everyMs) {
	const end = Date.now() + ms;
	let killed = 0;
	while (Date.now() < end) {
		const pids = children(supervisor(name));
		if (pids.length > 0) {
			process.kill(pids[Math.floor(Math.random() * pids.length)], 'SIGKILL');
			killed++;
		}
		await sleep(everyMs);
	}
	return killed;
}

/* scripts/start once more: what is missing is started, the rest is left alone. */
async function startAgain() {
	const flags = (process.env.HUMANOPS_TEST_START_FLAGS ?? '').split(' ').filter(Boolean);
	await run(path.join(root, 'scripts/start'), ['--no-demo', '--port', String(s.port), '--state', s.state, ...flags, 'FLOOD_LIMITS=off',
		'TRUSTED_PROXIES=127.0.0.1', ...settings], { timeout: 120_000 });
}

/* Posting tasks */

async function task(title) {
	return { title, description: 'Take a photo of the sign', reward_usd: 10, task_type: 'VERIFICATION',
		location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' }, proof_requirements: ['Photo of the sign'],
		deadline: await s.time(86_400) };
}

/* One task, its title its key; the same request again until it is acknowledged.  Notes every answer. */
async function createPatiently(agent, seen) {
	const key = randomUUID(), body = await task(key);
	for (let tries = 1; tries <= 200; tries++) {
		const began = Date.now();
		let answer;
		try {
			answer = await s.call('POST', '/tasks', { key: agent.key, body, headers: { 'Idempotency-Key': key } });
		} catch (error) {
			answer = { status: error.code ?? error.message, headers: {} };
		}
		seen.counts[answer.status] = (seen.counts[answer.status] ?? 0) + 1;
		seen.slowest = Math.max(seen.slowest, Date.now() - began);
		if (answer.status === 201) {
			assert.ok(!seen.acknowledged.has(key));
			seen.acknowledged.set(key, answer.json.task_id);
			seen.lastAt = Date.now();
			return;
		}
		/* 503 is nginx's for a worker that died, or the program's for a database that did. */
		const isPassing = answer.status === 503 || answer.json?.code === 'idempotency_in_progress';
		assert.ok(isPassing && Number(answer.headers['retry-after']) >= 1, `${answer.status} ${answer.text}`);
		assert.ok(answer.status !== 503 || answer.json.code === 'unavailable', answer.text);
		await sleep(100);
	}
	throw new Error(`no answer to ${key}`);
}

/* A steady run of creates by eight clients until stop() is called, which gives what was seen. */
async function steadyCreates() {
	const agents = await times(30, () => s.agent({ tier: 'STANDARD', deposit: 2000 }));
	const seen = { counts: {}, slowest: 0, acknowledged: new Map(), lastAt: 0 };
	let begun = 0, isOver = false;
	const clients = times(8, async () => {
		while (!isOver && begun < agents.length * TASKS_A_DAY) {
			await createPatiently(agents[Math.floor(begun++ / TASKS_A_DAY)], seen);
			await sleep(20);
		}
	});
	/* Its failure is told when it is waited for. */
	clients.catch(() => {});
	return { seen, async stop() {
		isOver = true;
		await clients;
		return seen;
	} };
}

async function booksAgree() {
	assert.deepEqual(await s.audit(), []);
	const [books] = await s.sql(`select (select coalesce(sum(amount), 0) from postings) as sum,
		(select count(*) from ledger_transactions where kind = 'escrow_hold') as holds,
		(select count(*) from tasks where not is_sandbox) as tasks`);
	assert.equal(books.sum, 0);
	assert.equal(books.holds, books.tasks, 'one hold for each task');
}

/* Each key made one task, the one that was told; what was never acknowledged is there whole or not at all. */
async function acknowledgedOnce(seen) {
	const tasks = await s.sql('select title, count(*) from tasks where not is_sandbox group by title');
	const kept = new Map((await s.sql("select key, body::json ->> 'task_id' as task from idempotency_keys")).map((row) => [row.key, row.task]));
	assert.deepEqual(tasks.filter((row) => row.count !== 1), [], 'no key made two tasks');
	assert.deepEqual(tasks.map((row) => row.title).sort(), [...kept.keys()].sort(), 'tasks and kept answers are the same ones');
	for (const [key, task] of seen.acknowledged)
		assert.equal(kept.get(key), task, `the task of ${key} is the one that was told`);
	await booksAgree();
}

/* All four workers serve again. */
async function isWell(name) {
	await s.until(async () => children(supervisor(name)).length >= 4, 20_000);
}

test('workers of tasks.fcgi killed every 200 ms lose no acknowledged task and double none', async (t) => {
	const load = await steadyCreates();
	const killed = await killChildren('tasks', 15_000, 200);
	const seen = await load.stop();
	t.diagnostic(`${killed} killed; answers ${JSON.stringify(seen.counts)}; slowest ${seen.slowest} ms`);
	assert.ok(killed > 10);
	assert.ok(seen.acknowledged.size > 100, `${seen.acknowledged.size} tasks`);
	assert.ok(seen.slowest < PATIENCE_MS, `slowest ${seen.slowest} ms`);
	await isWell('tasks');
	await acknowledgedOnce(seen);
});

test('PostgreSQL crashing twice is 503 with Retry-After meanwhile, and forgotten seconds later', async (t) => {
	const load = await steadyCreates();
	const outages = [];
	for (let round = 0; round < 2; round++) {
		await sleep(2000);
		const opts = await crashDatabase(s);
		await sleep(200);
		const down = await s.call('GET', '/tasks', { key: anyKey() });
		assert.equal(down.status, 503, down.text);
		assert.equal(down.json.code, 'unavailable');
		assert.ok(Number(down.headers['retry-after']) >= 1);
		assert.equal((await s.call('GET', '/readyz', { whole: true })).status, 503);
		assert.equal((await s.call('GET', '/healthz', { whole: true })).status, 200);
		await sleep(1500);
		await startDatabase(s, opts);
		const began = Date.now();
		await s.until(() => load.seen.lastAt > began, 10_000);
		outages.push(load.seen.lastAt - began);
		/* Whoever was idle meanwhile does not even notice: a connection found closed is opened anew. */
		const idle = await times(8, () => s.call('POST', '/agents/register', { body: { name: 'later', email: `${randomUUID()}@example.com` } }));
		assert.deepEqual(idle.map((answer) => answer.status), Array(8).fill(201));
		await s.until(async () => (await s.call('GET', '/readyz', { whole: true })).status === 200, 10_000);
	}
	await sleep(1500);
	const seen = await load.stop();
	t.diagnostic(`working again after ${outages} ms; answers ${JSON.stringify(seen.counts)}; slowest ${seen.slowest} ms`);
	assert.ok(outages.every((ms) => ms < 5000), `working again after ${outages} ms`);
	assert.ok(seen.counts[503] > 0 && seen.acknowledged.size > 50);
	assert.ok(seen.slowest < PATIENCE_MS, `slowest ${seen.slowest} ms`);
	await acknowledgedOnce(seen);
});

/* Any text of the form of a key asks the database. */
function anyKey() {
	return `ho_live_${'0'.repeat(52)}`;
}

test('worker processes killed in the middle finish every simulation, and every webhook comes', async (t) => {
	const receiver = await s.receiver({ answer: () => ({ status: 200, delay: 30 }) });
	const agents = await times(4, () => s.agent());
	const killing = killChildren('worker', 8000, 200);
	const made = [];
	for (let i = 0; i < 30; i++) {
		made.push(...await times(4, async (a) => {
			const answer = await s.call('POST', '/tasks', { key: agents[a].key,
				body: { ...await task(`simulated ${i}`), reward_usd: 0.1, sandbox: true, callback_url: receiver.url } });
			assert.equal(answer.status, 201, answer.text);
			return answer.json.task_id;
		}));
		await sleep(100);
	}
	const killed = await killing;
	await isWell('worker');
	/* What a dead process held is free again when its lease ends; time is moved there. */
	await s.until(async () => {
		await s.advance(61);
		await sleep(1000);
		return (await s.sql("select count(*) from jobs where kind <> 'mail'"))[0].count === 0;
	}, 60_000);
	const rows = await s.sql('select status, count(*) from tasks where is_sandbox group by status');
	assert.deepEqual(rows, [{ status: 'COMPLETED', count: made.length }]);
	assert.deepEqual(await s.sql("select state, count(*) from deliveries group by state"),
		[{ state: 'delivered', count: 4 * made.length }]);
	const ids = receiver.requests.map((request) => request.headers['webhook-id']);
	assert.equal(new Set(ids).size, 4 * made.length, 'each of four events of each task came');
	t.diagnostic(`${killed} killed; ${ids.length} requests brought ${new Set(ids).size} webhooks`);
	assert.deepEqual(await s.sql('select * from jobs where is_dead'), []);
	const moves = await s.sql(`select task_id, count(*) from events where type <> 'task.created' and task_id in
		(select id from tasks where is_sandbox) group by task_id having count(*) <> 6`);
	assert.deepEqual(moves, [], 'no step of a simulation was made twice');
	await booksAgree();
});

test('a sweeper killed in the middle leaves the rest to the next one', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 2000 });
	const made = await times(60, async (i) => s.call('POST', '/tasks', { key: agent.key, body: await task(`overdue ${i}`) }));
	assert.ok(made.every((answer) => answer.status === 201));
	await s.advance(2 * 86_400);
	for (let ms = 4; ms < 80; ms += 8) {
		const child = asUser(path.join(s.lib, 'sweeper'), []);
		const ended = new Promise((done) => child.on('exit', done));
		await sleep(ms);
		child.kill('SIGKILL');
		await ended;
	}
	await s.sweep();
	const { json } = await s.call('GET', '/agents/balance', { key: agent.key });
	assert.deepEqual([json.deposit_balance, json.escrow_balance], [2000, 0]);
	await booksAgree();
});

/* Requests without a second try, each on a connection of its own, until stop(); gives [how many, what failed]. */
function steadyRequests(agents) {
	const failed = [];
	let count = 0, isOver = false;
	const clients = times(8, async (client) => {
		const agent = agents[client % agents.length];
		for (let n = 0; !isOver; n++) {
			const isPost = n % 4 === 0 && count / 4 < agents.length * TASKS_A_DAY * 0.8;
			try {
				const answer = await s.call(isPost ? 'POST' : 'GET', '/tasks', { key: agent.key, headers: { Connection: 'close' },
					body: isPost ? { ...await task('steady'), sandbox: true, reward_usd: 0.01 } : undefined });
				if (answer.status !== (isPost ? 201 : 200) && answer.json?.code !== 'tier_limit_exceeded')
					failed.push(`${answer.status} ${answer.text}`);
			} catch (error) {
				failed.push(error.message);
			}
			count++;
		}
	});
	return async () => {
		isOver = true;
		await clients;
		return [count, failed];
	};
}

test('a program renewed under load loses no request', async (t) => {
	const agents = await times(8, () => s.agent());
	const stop = steadyRequests(agents);
	for (let round = 0; round < 6; round++) {
		const pid = supervisor('tasks'), old = children(pid);
		process.kill(pid, 'SIGHUP');
		await s.until(() => children(pid).length >= 4 && !children(pid).some((child) => old.includes(child)), 20_000);
		await sleep(400);
	}
	const [count, failed] = await stop();
	t.diagnostic(`${failed.length} failed of ${count}`);
	assert.deepEqual(failed, []);
	assert.ok(count > 100);
});

test('nginx renewed under load loses no request', async (t) => {
	const agents = await times(8, () => s.agent());
	const stop = steadyRequests(agents);
	for (let round = 0; round < 4; round++) {
		const pid = supervisor('nginx'), old = children(pid);
		process.kill(pid, 'SIGHUP');
		await s.until(() => children(pid).some((child) => !old.includes(child)), 20_000);
		await sleep(600);
	}
	const [count, failed] = await stop();
	t.diagnostic(`${failed.length} failed of ${count}`);
	assert.deepEqual(failed, []);
	assert.ok(count > 100);
});

test('a program told to end finishes the requests in hand', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	/* Their agent's row is held for a while, so that all four workers are in the middle of a request. */
	const holder = run('psql', ['-Xq', '-h', s.settings.RUN_DIR, '-U', 'postgres', '-d', 'humanops', '-c', `begin;
		select 1 from agents where bucket = ${agent.bucket} and id = '${agent.uuid}' for update; select pg_sleep(2); commit`]);
	await s.until(async () => (await s.sql("select count(*) from pg_stat_activity where query like '%pg_sleep(2)%' and wait_event = 'PgSleep'"))[0].count === 1);
	const answers = times(4, async (i) => s.call('POST', '/tasks', { key: agent.key, body: await task(`last ${i}`),
		headers: { 'Idempotency-Key': `last-${i}` } }));
	await s.until(async () => (await s.sql("select count(*) from pg_stat_activity where wait_event_type = 'Lock'"))[0].count === 4);
	const pid = supervisor('tasks');
	process.kill(pid, 'SIGTERM');
	await sleep(300);
	assert.ok(isAlive(pid), 'it waits for them');
	assert.deepEqual((await answers).map((answer) => answer.status), [201, 201, 201, 201]);
	await holder;
	await s.until(() => !isAlive(pid), 5000);
	const gone = await s.call('GET', '/tasks', { key: agent.key });
	assert.equal(gone.status, 503, gone.text);
	assert.equal(gone.headers['retry-after'], '1');
	await startAgain();
	assert.equal((await s.call('GET', '/tasks', { key: agent.key })).json.pagination.total, 4);
	await booksAgree();
});

test('a killed supervisor takes its workers along, and the next start brings all of it back', async () => {
	const agent = await s.agent();
	for (const name of ['tasks', 'worker']) {
		const pid = supervisor(name), old = children(pid);
		assert.ok(old.length >= 4);
		process.kill(pid, 'SIGKILL');
		await s.until(() => !old.some(isAlive), 10_000);
	}
	assert.equal((await s.call('GET', '/tasks', { key: agent.key })).status, 503);
	await startAgain();
	assert.equal((await s.call('GET', '/tasks', { key: agent.key })).status, 200);
});
