/* The site in front of the programs: TLS, headers, nginx's own errors, the client's address, the published limits, the logs. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import path from 'node:path';
import test, { after } from 'node:test';
import tls from 'node:tls';
import { stack } from '../stack.mjs';
import { assertRefused, post, taskBody } from './forms.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });
const agent = await s.agent();
const secrets = new Set([agent.key, agent.token, s.settings.ADMIN_API_KEY, s.settings.SECRET_KEY]);

/* A TLS connection to the site, and what it answers to these bytes until it closes. */
function talk(bytes, options = {}) {
	return new Promise((done, fail) => {
		const socket = tls.connect({
			host: '127.0.0.1',
			port: s.port,
			servername: 'localhost',
			ca: s.ca,
			...options,
		});
		const chunks = [];
		let protocol;
		socket.on('secureConnect', () => {
			protocol = socket.getProtocol();
			bytes === null ? socket.end() : socket.write(bytes);
		});
		socket.on('data', (chunk) => chunks.push(chunk));
		socket.on('error', fail);
		socket.on('close', () => done({ text: Buffer.concat(chunks).toString('latin1'), protocol }));
		socket.setTimeout(15_000, () => socket.destroy(new Error('no answer')));
	});
}

function assertError(answer, status, code) {
	assertRefused(answer, status, code);
	assert.equal(answer.headers['content-type'], 'application/json; charset=utf-8');
	assert.ok(answer.json.error.length > 10);
	assert.deepEqual(answer.json.details, {});
}

/* A raw answer in the same form as those of call(). */
function parse(text) {
	const [head, body] = text.split('\r\n\r\n'),
		[line, ...fields] = head.split('\r\n');
	const headers = Object.fromEntries(
		fields.map((f) => [f.slice(0, f.indexOf(':')).toLowerCase(), f.slice(f.indexOf(':') + 1).trim()]),
	);
	return {
		status: Number(line.split(' ')[1]),
		headers,
		text: body,
		json: body ? JSON.parse(body) : undefined,
	};
}

/* The number that stands in a program's pid file; the program is stopped and gone when this returns. */
async function stopProgram(name) {
	const pid = Number(readFileSync(path.join(s.settings.RUN_DIR, `${name}.pid`), 'utf8'));
	process.kill(pid, 'SIGTERM');
	await s.until(() => {
		try {
			return !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(name);
		} catch {
			return true;
		}
	});
}

/* A FastCGI program in place of a stopped one: answer gets the request's variables and what to write to (nothing: silence). */
async function standIn(name, answer) {
	const socketPath = path.join(s.settings.RUN_DIR, `${name}.sock`);
	const server = net.createServer((socket) => {
		let input = Buffer.alloc(0),
			params = Buffer.alloc(0);
		socket.on('error', () => {});
		socket.on('data', (chunk) => {
			input = Buffer.concat([input, chunk]);
			while (input.length >= 8 && input.length >= 8 + input.readUInt16BE(4) + input[6]) {
				const type = input[1],
					length = input.readUInt16BE(4),
					content = input.subarray(8, 8 + length);
				input = input.subarray(8 + length + input[6]);
				if (type === 4) params = Buffer.concat([params, content]);
				if (type === 5 && length === 0) reply(socket, answer(readParams(params)));
			}
		});
	});
	rmSync(socketPath, { force: true });
	await new Promise((done) => server.listen(socketPath, done));
	chmodSync(socketPath, 0o777);
	after(() => server.close());
}

function readParams(bytes) {
	const params = {};
	let at = 0;
	const length = () => (bytes[at] < 128 ? bytes[at++] : ((at += 4), bytes.readUInt32BE(at - 4) & 0x7fffffff));
	while (at < bytes.length) {
		const name = length(),
			value = length();
		params[bytes.toString('latin1', at, at + name)] = bytes.toString(
			'utf8',
			at + name,
			at + name + value,
		);
		at += name + value;
	}
	return params;
}

function reply(socket, text) {
	if (text === undefined) return;
	const body = Buffer.from(text),
		head = (type, length) => Buffer.from([1, type, 0, 1, length >> 8, length & 255, 0, 0]);
	socket.end(Buffer.concat([head(6, body.length), body, head(6, 0), head(3, 8), Buffer.alloc(8)]));
}

/* One program is given up for the tests that need one that is silent, talks nonsense or is not there. */
await stopProgram('webhooks');
const whenStopped = await s.call('GET', '/webhooks/dlocal');
await standIn('webhooks', (params) =>
	params.REQUEST_URI.includes('silent')
		? undefined
		: params.REQUEST_URI.includes('nonsense')
			? 'no header at all'
			: `Content-Type: application/json\r\nX-Request-Id: req_0\r\n\r\n${JSON.stringify(params)}`,
);
const silent = s.call('GET', '/webhooks/silent');

/* TLS and protocols */

for (const version of ['TLSv1', 'TLSv1.1'])
	test(`${version} is refused`, async () => {
		await assert.rejects(
			talk(null, { minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }),
			/protocol version|alert/i,
		);
	});

for (const version of ['TLSv1.2', 'TLSv1.3'])
	test(`${version} is spoken`, async () => {
		const { protocol } = await talk(
			'GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
			{ minVersion: version, maxVersion: version },
		);
		assert.equal(protocol, version);
	});

test('weak ciphers are refused', async () => {
	for (const ciphers of ['AES128-SHA', 'DES-CBC3-SHA', 'AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-SHA'])
		await assert.rejects(
			talk(null, { maxVersion: 'TLSv1.2', ciphers: `${ciphers}:@SECLEVEL=0` }),
			ciphers,
		);
});

test('HTTP/2 is spoken', async () => {
	const session = http2.connect(`https://127.0.0.1:${s.port}`, { ca: s.ca, servername: 'localhost' });
	const [headers, text] = await new Promise((done, fail) => {
		session.on('error', fail);
		const stream = session.request({
			':path': '/api/v1/agents/me',
			'x-api-key': agent.key,
			'x-forwarded-for': s.freshAddress(),
		});
		let head,
			body = '';
		stream.on('response', (h) => {
			head = h;
		});
		stream.on('data', (chunk) => {
			body += chunk;
		});
		stream.on('end', () => done([head, body]));
		stream.end();
	});
	session.close();
	assert.deepEqual([headers[':status'], JSON.parse(text).agent_id], [200, agent.id]);
	assert.match(headers['x-request-id'], /^req_/);
});

/* headers */

test('every answer has the security headers and a request id of its own', async () => {
	const answers = [
		await s.call('GET', '/agents/me', { key: agent.key }),
		await s.call('GET', '/agents/me'),
		await s.call('GET', '/nothing'),
		await s.call('GET', '/app/nothing', { whole: true }),
		await s.call('GET', '/tasks/x', { key: agent.key }),
		await s.call('GET', '/agents/verify-email?token=x'),
		await s.call('POST', '/tasks', { key: agent.key, raw: 'x'.repeat(2 << 20) }),
		await s.call('GET', '/healthz/agents', { whole: true }),
		await s.call('HEAD', '/agents/me', { key: agent.key }),
		whenStopped,
	];
	for (const { headers } of answers) {
		assert.match(headers['strict-transport-security'], /^max-age=\d+$/);
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['x-frame-options'], 'DENY');
		assert.equal(headers['referrer-policy'], 'no-referrer');
		assert.match(headers['content-security-policy'], /^default-src 'none'/);
		assert.match(headers['cache-control'], /no-store/);
		assert.match(headers['server'], /^nginx$/, 'no version');
		assert.equal('x-powered-by' in headers, false);
	}
	assert.equal(new Set(answers.map((a) => a.headers['x-request-id'])).size, answers.length);
});

test("the request id stands in the program's log line and in nginx's, a client's own is not taken", async () => {
	const { headers } = await s.call('GET', '/agents/me', {
			key: agent.key,
			headers: { 'X-Request-Id': 'req_mine' },
		}),
		id = headers['x-request-id'];
	assert.notEqual(id, 'req_mine');
	const line = async (name) =>
		s.until(
			() =>
				s
					.logFiles()
					[name].split('\n')
					.filter((l) => l.includes(id))
					.map((l) => JSON.parse(l))[0],
		);
	const [program, site] = [await line('agents.log'), await line('access.log')];
	assert.deepEqual(
		[program.request_id, program.method, program.route, program.status, program.who],
		[id, 'GET', '/agents/me', 200, agent.id],
	);
	assert.deepEqual([site.request_id, site.status, site.path], [id, 200, '/api/v1/agents/me']);
	assert.ok(site.via && site.via === program.via, 'the two lines can be laid side by side');
});

test("an error of nginx's own is found in its log by its id", async () => {
	const { headers } = await s.call('GET', '/nothing', { whole: true });
	await s.until(() => s.logFiles()['access.log'].includes(`"request_id":"${headers['x-request-id']}"`));
});

/* errors that nginx makes itself */

test('what no program serves is 404', async () => {
	for (const where of [
		'/nothing.html',
		'/app/nothing.mjs',
		'/sql/',
		'/api',
		'/api/v1',
		'/api/v1/',
		'/api/v1/nothing',
		'/api/v2/tasks',
		'/api/v1/tasksx',
		'/.git/config',
		'/metrics',
		'/sandbox',
		'/sandbox/',
		'/API/v1/tasks',
		'//api/v1/tasks',
	])
		assertError(await s.call('GET', where, { whole: true }), 404, 'not_found');
});

test('what no program knows is 404 too', async () => {
	for (const where of [
		'/agents',
		'/agents/',
		'/agents/me/',
		'/agents//me',
		'/agents/nobody',
		'/tasks/a/b/c/d',
		'/agents/me%2f',
		'/tasks/../agents/me/x',
		'/admin',
	])
		assertError(await s.call('GET', where, { key: agent.key }), 404, 'not_found');
});

test('a body of more than a mebibyte is 413, announced or not', async () => {
	assertError(
		await s.call('POST', '/tasks', { key: agent.key, raw: Buffer.alloc((1 << 20) + 1, ' ') }),
		413,
		'body_too_large',
	);
	const piece = `10000\r\n${' '.repeat(65_536)}\r\n`.repeat(17);
	const { text } = await talk(
		`POST /api/v1/tasks HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${piece}0\r\n\r\n`,
	).catch(() => ({}));
	if (text)
		/* the connection may be reset before the answer is read */
		assertError(parse(text), 413, 'body_too_large');
});

test('a chunked body is read like any other', async () => {
	const body = JSON.stringify({ name: 'chunked', email: `${randomUUID()}@example.com` });
	const { text } = await talk(
		'POST /api/v1/agents/register HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n' +
			`X-Forwarded-For: ${s.freshAddress()}\r\nConnection: close\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
	);
	assert.equal(parse(text).status, 201, text);
});

const host = 'Host: localhost\r\nConnection: close\r\n';
const raw = [
	[
		'a header that is too large',
		`GET / HTTP/1.1\r\n${host}X-Big: ${'x'.repeat(10_000)}\r\n\r\n`,
		400,
		'bad_request',
	],
	[
		'headers that are too many',
		`GET / HTTP/1.1\r\n${host}${`X-Big: ${'x'.repeat(7000)}\r\n`.repeat(8)}\r\n`,
		400,
		'bad_request',
	],
	['no host', 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n', 400, 'bad_request'],
	['two hosts', `GET / HTTP/1.1\r\n${host}Host: other\r\n\r\n`, 400, 'bad_request'],
	['a NUL in the path', `GET /api/v1/tasks/%00 HTTP/1.1\r\n${host}\r\n`, 400, 'bad_request'],
	[
		'a length and chunks',
		`POST /api/v1/tasks HTTP/1.1\r\n${host}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
		400,
		'bad_request',
	],
	[
		'two lengths',
		`POST /api/v1/tasks HTTP/1.1\r\n${host}Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345`,
		400,
		'bad_request',
	],
	[
		'a negative length',
		`POST /api/v1/tasks HTTP/1.1\r\n${host}Content-Length: -5\r\n\r\n`,
		400,
		'bad_request',
	],
	['an address that is too long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\n${host}\r\n`, 414, 'uri_too_long'],
	['TRACE', `TRACE /api/v1/tasks HTTP/1.1\r\n${host}\r\n`, 405, 'method_not_allowed'],
	[
		'an encoding that is not known',
		`POST /api/v1/tasks HTTP/1.1\r\n${host}Transfer-Encoding: gzip\r\n\r\n`,
		501,
		'not_implemented',
	],
	['a version to come', `GET / HTTP/3.0\r\n${host}\r\n`, 505, 'http_version_not_supported'],
];
for (const [what, bytes, status, code] of raw)
	test(`${what} is ${status} in JSON`, async () => {
		const answer = parse((await talk(bytes)).text);
		assertError(answer, status, code);
		assert.match(answer.headers['x-request-id'], /^req_/);
		if (status === 405) assert.ok(answer.headers.allow);
	});

test('plain HTTP on the TLS port is 400', async () => {
	const text = await new Promise((done, fail) => {
		const socket = net.connect(s.port, '127.0.0.1', () =>
			socket.write(`GET / HTTP/1.1\r\n${host}\r\n`),
		);
		let all = '';
		socket.on('data', (chunk) => {
			all += chunk;
		})
			.on('error', fail)
			.on('close', () => done(all));
	});
	assertError(parse(text), 400, 'bad_request');
});

test('a program that is stopped is 503 with Retry-After, and the others go on', async () => {
	assertError(whenStopped, 503, 'unavailable');
	assert.match(whenStopped.headers['retry-after'], /^\d+$/);
	assert.equal((await s.call('GET', '/agents/me', { key: agent.key })).status, 200);
});

test('a program that talks nonsense is 503', async () => {
	assertError(await s.call('GET', '/webhooks/nonsense'), 503, 'unavailable');
});

/* what a program is told */

const told = async (more = {}) => (await s.call('POST', '/webhooks/echo?a=1', { body: {}, described: false, ...more })).json;

test('a Proxy header is dropped', async () => {
	assert.equal((await told({ headers: { Proxy: 'http://evil.example' } })).HTTP_PROXY ?? '', '');
});

test('variables of the server cannot be set by headers', async () => {
	const params = await told({
		headers: { 'Remote-Addr': '1.2.3.4', 'Nginx-Request-Id': 'x', X_Api_Key: 'y' },
		ip: '203.0.113.9',
	});
	assert.equal(params.REMOTE_ADDR, '203.0.113.9');
	assert.match(params.NGINX_REQUEST_ID, /^[0-9a-f]{32}$/);
	assert.equal('HTTP_X_API_KEY' in params, false, 'names with an underscore do not pass');
	assert.deepEqual(
		[params.REQUEST_METHOD, params.REQUEST_URI, params.QUERY_STRING, params.HTTPS],
		['POST', '/api/v1/webhooks/echo?a=1', 'a=1', 'on'],
	);
});

test('of forwarded addresses the last that no trusted proxy named counts', async () => {
	for (const [sent, want] of [
		['198.51.100.1', '198.51.100.1'],
		['1.1.1.1, 198.51.100.2', '198.51.100.2'],
		['1.1.1.1, 198.51.100.3, 127.0.0.1', '198.51.100.3'],
		['2001:db8::7', '2001:db8::7'],
		['nonsense', '127.0.0.1'],
		['', '127.0.0.1'],
	])
		assert.equal((await told({ ip: sent })).REMOTE_ADDR, want, sent);
});

/* the published limits; a window begins anew for each of these tests */

async function newWindow(seconds) {
	await s.advance(seconds - (Math.floor((await s.now()) / 1000) % seconds));
}

function assertLimit(answer, limit, remaining, seconds) {
	const { headers } = answer,
		reset = Number(headers['ratelimit-reset']);
	assert.deepEqual(
		[headers['ratelimit-limit'], headers['ratelimit-remaining']],
		[String(limit), String(remaining)],
		answer.text,
	);
	assert.ok(reset > 0 && reset <= seconds && reset > seconds - 30, `resets in ${reset} s`);
}

const limits = [
	['20 sign-ups an hour', 20, 3600, [['POST', '/agents/register', { body: {} }]]],
	[
		'10 verifications an hour, GET, POST and HEAD together',
		10,
		3600,
		[
			['GET', '/agents/verify-email'],
			['POST', '/agents/verify-email', { body: {} }],
			['HEAD', '/agents/verify-email'],
		],
	],
	['3 mails an hour', 3, 3600, [['POST', '/agents/resend-verification', { key: agent.key }]]],
	['100 other calls a minute', 100, 60, [['GET', '/agents/me', { key: agent.key }]]],
	[
		'100 reads and creations together a minute',
		100,
		60,
		[
			['GET', '/tasks', { key: agent.key }],
			['POST', '/tasks', { key: agent.key, body: {} }],
		],
	],
	['100 calls without a key a minute', 100, 60, [['GET', '/agents/balance']]],
	[
		'100 calls to nowhere a minute, whatever the path',
		100,
		60,
		[
			['GET', '/agents/x1'],
			['GET', '/agents/x2'],
			['PUT', '/agents/register'],
		],
	],
];
for (const [what, limit, seconds, calls] of limits)
	test(`${what} from one address and no more`, async () => {
		await newWindow(seconds);
		const ip = s.freshAddress();
		for (let i = 0; i < limit; i++) {
			const [method, where, more] = calls[i % calls.length],
				answer = await s.call(method, where, { ...more, ip });
			assert.notEqual(answer.status, 429);
			assertLimit(answer, limit, limit - 1 - i, seconds);
			assert.equal('retry-after' in answer.headers, false);
		}
		for (const [method, where, more] of calls) {
			const answer = await s.call(method, where, { ...more, ip });
			assert.equal(answer.status, 429);
			assertLimit(answer, limit, 0, seconds);
			assert.equal(answer.headers['retry-after'], answer.headers['ratelimit-reset']);
			if (method !== 'HEAD') assertRefused(answer, 429, 'rate_limited');
		}
		const [method, where, more] = calls[0];
		assert.notEqual(
			(await s.call(method, where, more)).status,
			429,
			'another address is not concerned',
		);
		await newWindow(seconds);
		assertLimit(await s.call(method, where, { ...more, ip }), limit, limit - 1, seconds);
	});

test('paths are counted apart, health is not counted, a network of IPv6 counts as one', async () => {
	await newWindow(60);
	const ip = s.freshAddress();
	await s.call('GET', '/agents/me', { key: agent.key, ip });
	assertLimit(await s.call('GET', '/agents/balance', { key: agent.key, ip }), 100, 99, 60);
	assert.equal(
		'ratelimit-limit' in (await s.call('GET', '/healthz/agents', { whole: true, ip })).headers,
		false,
	);
	await s.call('GET', '/agents/me', { key: agent.key, ip: '2001:db8:1:2::1' });
	assertLimit(await s.call('GET', '/agents/me', { key: agent.key, ip: '2001:db8:1:2:ffff::9' }), 100, 98, 60);
	assertLimit(await s.call('GET', '/agents/me', { key: agent.key, ip: '2001:db8:1:3::1' }), 100, 99, 60);
});

test('of thirty sign-ups at the same moment twenty are served', async () => {
	await newWindow(3600);
	const ip = s.freshAddress();
	const statuses = await Promise.all(
		Array.from(
			{ length: 30 },
			async () => (await s.call('POST', '/agents/register', { body: {}, ip })).status,
		),
	);
	assert.deepEqual(
		[statuses.filter((x) => x === 400).length, statuses.filter((x) => x === 429).length],
		[20, 10],
	);
});

/* methods */

test('405 names the methods that an address takes', async () => {
	const rows = [
		['DELETE', '/agents/me', 'GET, HEAD'],
		['GET', '/agents/register', 'POST'],
		['PUT', '/agents/keys', 'POST, GET, HEAD'],
		['GET', '/agents/keys/x', 'DELETE'],
		['PATCH', '/tasks', 'POST, GET, HEAD'],
		['POST', '/tasks/categories', 'GET, HEAD'],
		['GET', '/tasks/x/cancel', 'POST'],
		['OPTIONS', '/tasks', 'POST, GET, HEAD'],
		['BREW', '/agents/me', 'GET, HEAD'],
	];
	for (const [method, where, allow] of rows) {
		if (method === 'BREW') {
			/* not a method that Node would send */
			const answer = parse(
				(
					await talk(
						`BREW /api/v1${where} HTTP/1.1\r\nX-Forwarded-For: ${s.freshAddress()}\r\n${host}\r\n`,
					)
				).text,
			);
			assert.deepEqual([answer.status, answer.headers.allow], [405, allow]);
			continue;
		}
		const answer = await s.call(method, where, { key: agent.key });
		assertError(answer, 405, 'method_not_allowed');
		assert.equal(answer.headers.allow, allow, `${method} ${where}`);
	}
});

test('HEAD is GET without the body', async () => {
	const task = await post(s, agent, { reward_usd: 0.01, sandbox_scenario: 'estimate' });
	for (const [where, status] of [
		['/agents/balance', 200],
		['/tasks/categories', 200],
		[`/tasks/${task.task_id}`, 200],
		['/tasks/x', 404],
		['/agents/register', 405],
	]) {
		const [get, head] = [
			await s.call('GET', where, { key: agent.key }),
			await s.call('HEAD', where, { key: agent.key }),
		];
		assert.deepEqual([get.status, head.status, head.text], [status, status, ''], where);
		for (const name of ['content-type', 'content-length', 'allow'])
			if (where !== `/tasks/${task.task_id}` || name !== 'content-length')
				/* the simulation changes the task */
				assert.equal(head.headers[name], get.headers[name], `${where} ${name}`);
	}
});

/* without a trusted proxy, with flood protection */

test('without a trusted proxy a forwarded address means nothing, and floods are shed before they reach a program', async () => {
	const own = await stack({ settings: ['TRUSTED_PROXIES=', 'FLOOD_LIMITS=on'] });
	for (let i = 0; i < 3; i++) await own.call('GET', '/tasks/categories', { ip: `198.51.100.${i}` });
	assert.equal(
		(await own.call('GET', '/tasks/categories', { ip: '198.51.100.77' })).headers[
			'ratelimit-remaining'
		],
		'96',
	);
	const lines = own
		.logFiles()
		['tasks.log'].split('\n')
		.filter((line) => line.includes('/tasks/categories'))
		.map((line) => JSON.parse(line).address);
	assert.deepEqual([...new Set(lines)], ['127.0.0.1']);

	const answers = await Promise.all(
		Array.from({ length: 400 }, () => own.call('GET', '/healthz', { whole: true })),
	);
	const shed = answers.filter((a) => a.status !== 200);
	assert.ok(shed.length > 50 && shed.length < 250, `${shed.length} of 400 were shed`);
	for (const answer of shed) {
		assertError(answer, 429, 'rate_limited');
		assert.equal(answer.headers['retry-after'], '1');
	}
	await own.stop();
});

test('a program that never answers is 504 after twenty seconds', async () => {
	assertError(await silent, 504, 'timeout');
});

/* logs: last, so that everything above is in them */

test('no log holds a key, a token, a secret or anything of a body', async () => {
	const mark = randomBytes(12).toString('hex'),
		other = await s.agent({ name: `name-${mark}`, email: `${mark}@example.com` });
	secrets.add(other.key).add(other.token).add(mark);
	const task = await s.call('POST', '/tasks', {
		key: other.key,
		headers: { 'Idempotency-Key': `k-${mark}` },
		body: await taskBody(s, {
			title: mark,
			reward_usd: 0.01,
			callback_url: `http://127.0.0.1:1/${mark}`,
			callback_secret: `s-${mark}`,
		}),
	});
	await s.call('POST', '/tasks', { key: other.key, raw: `{"title":"${mark}"` });
	await s.call('POST', '/tasks', { key: other.key, body: { [mark]: mark } });
	await s.call('GET', `/tasks?status=${mark}`, { key: other.key });
	await s.call('GET', '/agents/me', { headers: { Authorization: `Bearer ${other.key}` } });
	await s.call('GET', '/agents/me', { key: `${other.key}x` });
	await s.call('GET', `/agents/verify-email?token=${other.token}`);
	const made = await s.call('POST', '/agents/keys', { key: other.key, body: { name: mark } });
	secrets.add(made.json.api_key);
	await s.call('POST', '/admin/clock', { body: {}, headers: { 'X-Admin-Key': mark } });
	await s.call('GET', '/agents/me', {
		headers: { Cookie: mark, 'User-Agent': 'tests', Referer: `https://example.com/${mark}` },
	});
	await s.until(
		async () =>
			(await s.call('GET', `/tasks/${task.json.task_id}/webhooks`, { key: other.key })).json
				.data[0]?.attempts.length > 0,
	);
	await stopProgram('agents');
	assertError(await s.call('GET', `/agents/verify-email?token=${mark}`), 503, 'unavailable');
	for (const [name, text] of Object.entries(s.logFiles()))
		for (const secret of secrets)
			assert.equal(
				text.includes(secret),
				false,
				`${name}: ${text.split('\n').find((line) => line.includes(secret))}`,
			);
});
