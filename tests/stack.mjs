/*
 * An instance of the whole service for a test file: started by scripts/start in a fresh folder on a free port, and stopped and
 * removed after the file's last test.  Holds what tests of every kind need (calls, SQL, agents, the clock, a receiver of
 * webhooks); what an answer should be is theirs to say.  HUMANOPS_TEST_START_FLAGS: further arguments for scripts/start, as
 * --sanitize.  HUMANOPS_TEST_TEMPLATE: what scripts/start --prepare made.  HUMANOPS_TEST_KEEP=1: the folder stays.  HUMANOPS_TEST_GUARD=1: under the bucket guard (sql/shared/guard.sql).
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { checkAnswer as checkDescribed, checkRequest, checkWebhook } from './openapi.mjs';
import { root } from './source.mjs';

export { root };
const run = promisify(execFile);
const MICROS = 1_000_000;
const hasGuard = process.env.HUMANOPS_TEST_GUARD === '1';
let stacks = 0;
const running = new Set();

/* Instances outlive this process unless it ends them, so a test run that is broken off does so too. */
process.on('exit', () => running.forEach((s) => s.end()));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/* After the file's last test, or that of the suite in which it is called. */
function atEnd(close) {
	after(close, { timeout: 120_000 });
}

export async function freePort() {
	const server = net.createServer();
	await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
	const { port } = server.address();
	await new Promise((done) => server.close(done));
	return port;
}

/* Calls the function until it gives something true, and gives that. */
export async function until(fn, ms = 15_000) {
	const end = Date.now() + ms;
	for (;;) {
		const value = await fn();
		if (value) return value;
		if (Date.now() > end) throw new Error(`not within ${ms} ms: ${fn}`);
		await sleep(50);
	}
}

/* The environment without the settings of another instance. */
function environment() {
	const { HUMANOPS_CONF: _, ...env } = process.env;
	return env;
}

function readSettings(file) {
	const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
	return Object.fromEntries(
		lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
	);
}

async function start(state, settings, wrap, isDurable, checkout) {
	const flags = (process.env.HUMANOPS_TEST_START_FLAGS ?? '').split(' ').filter(Boolean);
	const template = process.env.HUMANOPS_TEST_TEMPLATE;
	if (template && !isDurable && checkout === root) flags.push('--template', template);
	for (let tries = 1; ; tries++) {
		const port = await freePort();
		try {
			const [file, ...before] = [...wrap, path.join(checkout, 'scripts/start')];
			await run(
				file,
				[
					...before,
					'--no-demo',
					'--port',
					String(port),
					'--state',
					state,
					...flags,
					'FLOOD_LIMITS=off',
					'TRUSTED_PROXIES=127.0.0.1',
					'ALLOW_DEV_OPERATOR_ID_HEADER=false',
					...(hasGuard ? ['DATABASE_BUCKET_GUARD=true'] : []),
					...settings,
				],
				{ env: environment(), timeout: 300_000 },
			);
			return port;
		} catch (error) {
			/* Another program may have taken the port meanwhile. */
			if (tries >= 3 || !/is used by another program/.test(error.stderr ?? ''))
				throw new Error(`scripts/start: ${error.stdout}${error.stderr}${error.message}`);
		}
	}
}

/* Answers of every kind carry a request id, and errors have one shape, whoever makes them. */
function checkAnswer(answer, what) {
	const id = answer.headers['x-request-id'];
	assert.match(id ?? '', /^req_[0-9a-z]+$/, `${what}: X-Request-Id`);
	if (answer.status < 400 || !/json/.test(answer.headers['content-type'] ?? '') || answer.text === '') return;
	if (answer.json.jsonrpc) return; /* MCP has a shape of its own */
	assert.deepEqual(
		Object.keys(answer.json).sort(),
		['code', 'details', 'error', 'request_id'],
		`${what}: error body`,
	);
	assert.equal(answer.json.request_id, id, `${what}: request id in header and body`);
}

/* Each answer is as web/openapi.json describes it, and so is each request that was carried out. */
function checkAgainstFile(answer, { method, path: where, headers }, bytes) {
	checkDescribed(method, where, answer);
	if (answer.status < 300 && isJson(headers, bytes))
		checkRequest(method, where, bytes?.length ? JSON.parse(bytes.toString('utf8')) : undefined);
}

/* A request's body is JSON, or none. */
function isJson(headers, bytes) {
	const type = Object.entries(headers).find(([name]) => name.toLowerCase() === 'content-type')?.[1];
	return !bytes?.length || /^application\/json/i.test(type ?? '');
}

function remove(folders) {
	if (!process.env.HUMANOPS_TEST_KEEP)
		folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
}

class Stack {
	#offset = 0;
	#address = 0;
	#agent;

	constructor(state, port) {
		this.state = state;
		this.port = port;
		this.base = `https://localhost:${port}`;
		this.settings = readSettings(path.join(state, 'humanops.conf'));
		this.lib = path.join(this.settings.STATE_DIR, 'install/lib/humanops');
		this.user = process.getuid() === 0 ? 'humanops' : null;
		this.ca = readFileSync(path.join(state, 'tls/certificate.pem'));
		this.#agent = new https.Agent({
			keepAlive: true,
			maxSockets: 128,
			timeout: 20_000,
			ca: this.ca,
			servername: 'localhost',
		});
		this.logs = path.join(this.settings.STATE_DIR, 'log');
	}

	/* A client's address that no call has used before. */
	freshAddress() {
		const n = ++this.#address;
		return `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
	}

	/*
	 * One request below /api/v1 (or from the root, with whole).  body: sent as JSON; raw: bytes as they are; key: an agent's;
	 * ip: the client's address, a fresh one if none is given, so that rate windows do not get in the way; described: false where
	 * a program of the test's own answers, of which web/openapi.json knows nothing.
	 */
	call(
		method,
		where,
		{ body, raw, key, headers = {}, ip = this.freshAddress(), whole = false, described = true } = {},
	) {
		const bytes =
			raw !== undefined
				? Buffer.from(raw)
				: body !== undefined
					? Buffer.from(JSON.stringify(body))
					: null;
		const sent = { 'X-Forwarded-For': ip };
		if (key) sent['X-API-Key'] = key;
		if (bytes) {
			sent['Content-Type'] = 'application/json';
			sent['Content-Length'] = bytes.length;
		} else if (method !== 'GET' && method !== 'HEAD') {
			sent['Content-Length'] = 0;
		}
		for (const [name, value] of Object.entries(headers)) {
			Object.keys(sent)
				.filter((n) => n.toLowerCase() === name.toLowerCase())
				.forEach((n) => delete sent[n]);
			if (value !== null) sent[name] = value;
		}
		const options = {
			host: '127.0.0.1',
			port: this.port,
			agent: this.#agent,
			method,
			headers: { Host: `localhost:${this.port}`, ...sent },
			path: whole ? where : `/api/v1${where}`,
		};
		return this.#send(options, bytes, described);
	}

	#send(options, bytes, described) {
		const what = `${options.method} ${options.path}`;
		return new Promise((done, fail) => {
			const request = https.request(options, (response) => {
				const chunks = [];
				response.on('data', (chunk) => chunks.push(chunk));
				response.on('error', fail);
				response.on('end', () => {
					const text = Buffer.concat(chunks).toString('utf8');
					const answer = {
						status: response.statusCode,
						headers: response.headers,
						text,
						json: undefined,
					};
					try {
						if (
							/json/.test(response.headers['content-type'] ?? '') &&
							text !== ''
						)
							answer.json = JSON.parse(text);
						if (described) checkAgainstFile(answer, options, bytes);
						checkAnswer(answer, what);
						done(answer);
					} catch (error) {
						fail(error);
					}
				});
			});
			request.setTimeout(30_000, () =>
				request.destroy(new Error(`${what}: no answer within 30 s`)),
			);
			request.on('error', fail);
			request.end(bytes ?? undefined);
		});
	}

	/* Runs SQL as the superuser.  A select gives its rows as objects; anything else gives no rows. */
	async sql(text) {
		const query = text.trim().replace(/;\s*$/, '');
		const isSelect = /^(select|values)\b/i.test(query);
		const wrapped = isSelect ? `select coalesce(json_agg(r), '[]') from (${query}\n) r` : query;
		const { stdout } = await run(
			'psql',
			[
				'-XAtq',
				'-v',
				'ON_ERROR_STOP=1',
				'-h',
				this.settings.RUN_DIR,
				'-U',
				'postgres',
				'-d',
				'humanops',
				'-c',
				wrapped,
			],
			{ maxBuffer: 64 << 20, env: { ...process.env, PGOPTIONS: '-c humanops.bucket=-1' } },
		);
		return isSelect ? JSON.parse(stdout) : [];
	}

	/* An agent of a tier with a deposit of so many dollars; its e-mail address is new. */
	async agent({
		tier = 'SANDBOX',
		deposit = 0,
		name = 'tester',
		email = `${randomUUID()}@example.com`,
	} = {}) {
		const made = await this.call('POST', '/agents/register', { body: { name, email } });
		assert.equal(made.status, 201, made.text);
		const url = new URL(made.json.verification_url),
			token = url.searchParams.get('token');
		const [row] = await this.sql(`select bucket, id from agents where email = '${email}'`);
		const agent = {
			id: made.json.agent_id,
			key: made.json.api_key,
			email,
			token,
			bucket: row.bucket,
			uuid: row.id,
		};
		if (tier !== 'SANDBOX') {
			const verified = await this.call('POST', '/agents/verify-email', { body: { token } });
			assert.equal(verified.status, 200, verified.text);
		}
		/* USDC lifts a verified agent to STANDARD; fiat leaves the tier as it is. */
		if (deposit > 0)
			await this.deposit(
				agent,
				deposit,
				tier === 'STANDARD' && deposit >= 50 ? 'deposit_usdc' : 'deposit_fiat',
			);
		if (tier === 'STANDARD' && deposit < 50)
			await this.sql(
				`update agents set tier = 'STANDARD' where bucket = ${agent.bucket} and id = '${agent.uuid}'`,
			);
		return agent;
	}

	async deposit(agent, dollars, kind = 'deposit_fiat') {
		const micros = Math.round(dollars * 100) * (MICROS / 100);
		const of = `${agent.bucket}, '${agent.uuid}'`, now = `'${new Date(await this.now()).toISOString()}'`;
		if (kind !== 'deposit_usdc')
			return this.sql(
				`select deposit_credit(${of}, '${kind}', '${randomUUID()}', ${micros}, ${now})`,
			);
		/* As in test mode, where there is no wallet and no block, and a deposit is final at once. */
		const tx = `0x${randomBytes(32).toString('hex')}`;
		return this.sql(`select usdc_confirm(${of}, d.id, null, ${now})
			from usdc_seen(${of}, id_new(${agent.bucket}, ${now}), 8453, '${tx}', 0, null, ${micros}, null, null, ${now}) d`);
	}

	/* Moves the service's clock forward; gives its time. */
	async advance(seconds) {
		const answer = await this.call('POST', '/admin/clock', {
			body: { advance_seconds: seconds },
			headers: { 'X-Admin-Key': this.settings.ADMIN_API_KEY },
		});
		assert.equal(answer.status, 200, answer.text);
		this.#offset = answer.json.offset_seconds * 1000;
		return this.now();
	}

	/* The service's time, milliseconds since 1970. */
	async now() {
		return Date.now() + this.#offset;
	}

	/* The service's time, moved by so many seconds, as texts of the API have it. */
	async time(seconds = 0) {
		return new Date((await this.now()) + seconds * 1000).toISOString();
	}

	/* Runs a program of the instance as its user; gives what it printed. */
	async program(name, args = [], { env = {}, input = '' } = {}) {
		const command = path.join(this.lib, name);
		const prefix =
			this.user === null
				? []
				: [
						'setpriv',
						`--reuid=${this.user}`,
						`--regid=${this.user}`,
						'--init-groups',
						'--',
					];
		const sanitize = {
			ASAN_OPTIONS: `log_path=${this.logs}/sanitizer:exitcode=99`,
			UBSAN_OPTIONS: `log_path=${this.logs}/sanitizer`,
		};
		const variables = {
			PATH: process.env.PATH,
			HUMANOPS_CONF: path.join(this.settings.STATE_DIR, 'humanops.conf'),
			...sanitize,
			...env,
		};
		const [file, ...rest] = [...prefix, command, ...args];
		return new Promise((done) => {
			const child = execFile(
				file,
				rest,
				{ env: variables, cwd: '/', timeout: 60_000, maxBuffer: 64 << 20 },
				(error, stdout, stderr) =>
					done({ status: error ? (error.code ?? 1) : 0, stdout, stderr }),
			);
			child.stdin.on('error', () => {});
			child.stdin.end(input);
		});
	}

	async sweep() {
		const { status, stderr } = await this.program('sweeper');
		assert.equal(status, 0, stderr);
	}

	until(fn, ms) {
		return until(fn, ms);
	}

	/* What the audit of the ledger finds wrong: nothing. */
	async audit() {
		return this.sql(`select * from ledger_audit_everywhere('${await this.time()}')`);
	}

	/*
	 * A server on loopback that records what it is sent.  answer(n, request) tells what it answers to the nth request (from 1):
	 * { status, headers, body, delay } with delay in milliseconds; nothing means 204.
	 */
	async receiver({ answer = () => ({}) } = {}) {
		const requests = [];
		const server = http.createServer((request, response) => {
			const chunks = [];
			request.on('data', (chunk) => chunks.push(chunk));
			request.on('end', async () => {
				const raw = Buffer.concat(chunks);
				const record = {
					method: request.method,
					url: request.url,
					headers: request.headers,
					raw,
					at: Date.now(),
				};
				if (record.headers['webhook-id']) checkWebhook(record);
				const wanted = answer(requests.push(record), record) ?? {};
				if (wanted.delay) await sleep(wanted.delay, undefined, { ref: false });
				response.on('error', () => {});
				response.writeHead(wanted.status ?? 204, wanted.headers ?? {});
				response.end(wanted.body);
			});
		});
		server.on('clientError', (error, socket) => socket.destroy());
		await new Promise((done) => server.listen(0, '127.0.0.1', done));
		const { port } = server.address();
		const close = () =>
			new Promise((done) => {
				server.close(done);
				server.closeAllConnections();
			});
		atEnd(close);
		return { port, url: `http://127.0.0.1:${port}/hook`, requests, close };
	}

	/* Files of the instance's log folder by name, with what stands in them. */
	logFiles() {
		return Object.fromEntries(
			readdirSync(this.logs).map((name) => [
				name,
				readFileSync(path.join(this.logs, name), 'utf8'),
			]),
		);
	}

	/* Stops and removes the instance; once is enough.  Gives reports of the sanitizers, if there are any. */
	end() {
		if (!running.delete(this)) return '';
		this.#agent.destroy();
		const stopped = spawnSync(path.join(root, 'scripts/stop'), ['--state', this.state], {
			env: environment(),
			encoding: 'utf8',
		});
		const reports = existsSync(this.logs)
			? Object.entries(this.logFiles()).filter(([name]) => name.startsWith('sanitizer'))
			: [];
		if (stopped.status === 0) remove([this.settings.RUN_DIR, this.settings.STATE_DIR, this.state]);
		return (
			(stopped.status === 0 ? '' : stopped.stderr) +
			reports.map(([name, text]) => `${name}:\n${text}`).join('\n')
		);
	}

	async stop() {
		assert.equal(this.end(), '', 'the programs end without a complaint');
	}
}

/*
 * A running instance; settings as scripts/start takes them, wrap: a command that scripts/start is called by.  isDurable: its
 * database would survive a power cut, as a copy of the tests' template would not.  checkout: another one than this, to start.
 */
export async function stack({ settings = [], wrap = [], isDurable = false, checkout = root } = {}) {
	const name = path
		.basename(process.argv[1] ?? 'test')
		.replace(/\.test\.mjs$/, '')
		.replace(/[^A-Za-z0-9-]/g, '');
	const suffix = stacks++ === 0 ? '' : `-${randomBytes(2).toString('hex')}`;
	const state = path.join(root, 'var', `test-${name}-${process.pid}${suffix}`);
	let port;
	try {
		port = await start(state, settings, wrap, isDurable, checkout);
	} catch (error) {
		spawnSync(path.join(root, 'scripts/stop'), ['--state', state], { env: environment() });
		remove([state]);
		throw error;
	}
	const s = new Stack(state, port);
	running.add(s);
	atEnd(() => s.stop());
	if (hasGuard) await s.sql(readFileSync(path.join(root, 'tests/sql/shared/guard.sql'), 'utf8'));
	return s;
}
