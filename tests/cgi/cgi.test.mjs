/* Each program as plain CGI: one request by environment and standard input, one answer on standard output, exit.  No web server. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import test from 'node:test';
import { stack } from '../stack.mjs';
import { assertFaults, assertRefused, taskBody } from '../http/forms.mjs';

const s = await stack();

/* Runs a program for one request; env: further variables, or undefined for those that shall be missing. */
async function call(
	program,
	method,
	where,
	{ body, input = body === undefined ? '' : JSON.stringify(body), env = {} } = {},
) {
	const variables = {
		GATEWAY_INTERFACE: 'CGI/1.1',
		SERVER_PROTOCOL: 'HTTP/1.1',
		REQUEST_METHOD: method,
		REQUEST_URI: where,
		SCRIPT_NAME: '',
		PATH_INFO: where.split('?')[0],
		QUERY_STRING: where.split('?')[1] ?? '',
		REMOTE_ADDR: s.freshAddress(),
		CONTENT_TYPE: 'application/json',
		CONTENT_LENGTH: String(Buffer.byteLength(input)),
		...env,
	};
	for (const name of Object.keys(variables).filter((name) => variables[name] === undefined))
		delete variables[name];
	const { status, stdout, stderr } = await s.program(`${program}.fcgi`, [], { env: variables, input });
	return { exit: status, stderr, ...parse(stdout) };
}

/* The answer of a CGI program: Status among the header lines, an empty line, the body. */
function parse(text) {
	if (text === '') return { status: 0, headers: {}, text };
	const end = text.indexOf('\r\n\r\n'),
		headers = {};
	assert.ok(end > 0, text);
	for (const line of text.slice(0, end).split('\r\n')) {
		const [, name, value] = line.match(/^([A-Za-z-]+): (.*)$/) ?? assert.fail(`no header: ${line}`);
		headers[name.toLowerCase()] = value;
	}
	const body = text.slice(end + 4),
		answer = { status: Number(headers.status.slice(0, 3)), headers, text: body };
	if (/json/.test(headers['content-type']) && body !== '') answer.json = JSON.parse(body);
	assert.equal(
		Number(headers['content-length']),
		Buffer.byteLength(body) || Number(headers['content-length']),
	);
	return answer;
}

const register = (more = {}) =>
	call('agents', 'POST', '/api/v1/agents/register', {
		body: { name: 'cgi', email: `${randomUUID()}@example.com` },
		...more,
	});

test('an agent signs up, posts a task and reads it', async () => {
	const made = await register();
	assert.deepEqual([made.exit, made.status], [0, 201], made.stderr);
	assert.match(made.headers.status, /^201/);
	assert.match(made.headers['x-request-id'], /^req_/);
	const env = { HTTP_X_API_KEY: made.json.api_key };
	const task = await call('tasks', 'POST', '/api/v1/tasks', {
		env,
		body: await taskBody(s, { reward_usd: 1 }),
	});
	assert.equal(task.status, 201, task.text);
	const shown = await call('tasks', 'GET', `/api/v1/tasks/${task.json.task_id}`, { env });
	assert.deepEqual([shown.status, shown.json.title], [200, 'Verify storefront signage']);
	const list = await call('tasks', 'GET', '/api/v1/tasks?limit=1', { env });
	assert.deepEqual([list.status, list.json.data.length], [200, 1]);
});

test('a bearer token and an idempotency key arrive', async () => {
	const { api_key: key } = (await register()).json,
		body = await taskBody(s, { reward_usd: 1 });
	const env = { HTTP_AUTHORIZATION: `Bearer ${key}`, HTTP_IDEMPOTENCY_KEY: 'once' };
	const [first, second] = [
		await call('tasks', 'POST', '/api/v1/tasks', { env, body }),
		await call('tasks', 'POST', '/api/v1/tasks', { env, body }),
	];
	assert.deepEqual(
		[first.status, second.status, second.headers['idempotent-replayed'], second.text],
		[201, 201, 'true', first.text],
	);
});

test('staff moves the clock', async () => {
	const env = { HTTP_X_ADMIN_KEY: s.settings.ADMIN_API_KEY },
		body = { advance_seconds: 1 };
	assert.equal((await call('admin', 'POST', '/api/v1/admin/clock', { env, body })).status, 200);
	assertRefused(
		await call('admin', 'POST', '/api/v1/admin/clock', { env: { HTTP_X_ADMIN_KEY: 'x' }, body }),
		403,
		'staff_only',
	);
});

for (const program of ['agents', 'tasks', 'webhooks', 'admin'])
	test(`${program} tells its health, and that of no other`, async () => {
		for (const kind of ['healthz', 'readyz']) {
			assert.equal((await call(program, 'GET', `/${kind}`)).status, 200);
			assert.equal((await call(program, 'GET', `/${kind}/${program}`)).status, 200);
			assertRefused(await call(program, 'GET', `/${kind}/other`), 404, 'not_found');
		}
		assertRefused(await call(program, 'GET', '/api/v1/nothing'), 404, 'not_found');
	});

test('404 and 405 are answered as behind a web server', async () => {
	for (const where of [
		'/',
		'/api/v1',
		'/api/v1/',
		'/api/v2/agents/me',
		'/agents/me',
		'/api/v1/agents/me/',
		'/api/v1//agents/me',
		'/api/v1/agents/%2e%2e',
		'/api/v1/agents%2fme',
		'/api/v1/agents/\xff',
		'/api/v1/agents/me%',
		'/api/v1/agents/me%zz',
		'/api/v1/agents/me%00',
	])
		assertRefused(await call('agents', 'GET', where), 404, 'not_found', where);
	const answer = await call('agents', 'PUT', '/api/v1/agents/keys');
	assertRefused(answer, 405, 'method_not_allowed');
	assert.equal(answer.headers.allow, 'POST, GET, HEAD');
});

test('HEAD has the headers of GET and no body', async () => {
	const [get, head] = [
		await call('tasks', 'GET', '/api/v1/tasks/categories'),
		await call('tasks', 'HEAD', '/api/v1/tasks/categories'),
	];
	assert.deepEqual(
		[head.status, head.text, head.headers['content-length']],
		[200, '', get.headers['content-length']],
	);
});

test('a body that breaks off is dropped: no answer, no agent, and a line in the log', async () => {
	const email = `${randomUUID()}@example.com`,
		input = JSON.stringify({ name: 'cgi', email });
	const answer = await register({ input, env: { CONTENT_LENGTH: String(input.length + 1) } });
	assert.equal(answer.text, '');
	assert.match(answer.stderr, /"code":"body_incomplete"/);
	assert.equal(answer.stderr.includes(email), false);
	assert.deepEqual(await s.sql(`select 1 from agents where email = '${email}'`), []);
});

test('of a body that is longer than announced only the announced part is read', async () => {
	const input = JSON.stringify({ name: 'cgi', email: `${randomUUID()}@example.com` });
	assert.equal(
		(await register({ input: `${input}{"more":1}`, env: { CONTENT_LENGTH: String(input.length) } }))
			.status,
		201,
	);
	assertRefused(
		await register({ input, env: { CONTENT_LENGTH: String(input.length - 1) } }),
		400,
		'body_invalid',
	);
});

test('no length, or one that is none, means no body', async () => {
	for (const length of [undefined, '', '0'])
		assertFaults(
			await register({ env: { CONTENT_LENGTH: length } }),
			['email', 'name'],
			String(length),
		);
});

test('a length that is too large is refused before anything is read', async () => {
	for (const length of ['262145', '999999999999', '18446744073709551616', '99999999999999999999999999'])
		assertRefused(await register({ env: { CONTENT_LENGTH: length } }), 413, 'body_too_large', length);
});

test('a length that is no number makes neither an agent nor a crash', async () => {
	for (const length of ['-1', 'x', '5x', ' 5', '0x20', '1e3', '+5']) {
		const answer = await register({ env: { CONTENT_LENGTH: length } });
		assert.notEqual(answer.status, 201, length);
		assert.notEqual(answer.status, 500, length);
		assert.ok(Number.isInteger(answer.exit), 'no signal ended it');
	}
});

test('without REQUEST_URI the path is SCRIPT_NAME and PATH_INFO', async () => {
	const rows = [
		['', '/api/v1/tasks/categories'],
		['/api/v1/tasks', '/categories'],
		['/api/v1/tasks/categories', ''],
		['/api/v1/tasks/categories', undefined],
	];
	for (const [script, info] of rows)
		for (const uri of [undefined, ''])
			assert.equal(
				(
					await call('tasks', 'GET', '/x', {
						env: { REQUEST_URI: uri, SCRIPT_NAME: script, PATH_INFO: info },
					})
				).status,
				200,
				`${script} ${info}`,
			);
	assertRefused(
		await call('tasks', 'GET', '/x', {
			env: { REQUEST_URI: undefined, SCRIPT_NAME: '', PATH_INFO: '/api/v1/tasks%2fcategories' },
		}),
		404,
		'not_found',
	);
});

test('what the web server has refused by itself is answered like everything else', async () => {
	const where = '/api/v1/tasks/categories';
	for (const [refused, status, code] of [
		['403', 404, 'not_found'],
		['404', 404, 'not_found'],
		['405', 405, 'method_not_allowed'],
		['413', 413, 'body_too_large'],
		['500', 500, 'internal'],
		['503', 503, 'unavailable'],
		['504', 503, 'unavailable'],
	])
		assertRefused(await call('tasks', 'GET', where, { env: { REDIRECT_STATUS: refused } }), status, code, refused);
	/* A rewritten address is no refusal, and a header of that name is no variable of the server. */
	for (const env of [{ REDIRECT_STATUS: '200' }, { REDIRECT_STATUS: '' }, { HTTP_REDIRECT_STATUS: '404' }])
		assert.equal((await call('tasks', 'GET', where, { env })).status, 200);
});

test('a forwarded address counts where the settings name the proxy, and nowhere else', async () => {
	const address = async (env) => {
		const { stderr } = await call('tasks', 'GET', '/api/v1/tasks/categories', { env });
		return /"address":"([^"]*)"/.exec(stderr)?.[1];
	};
	const forwarded = { REMOTE_ADDR: '10.99.0.1', HTTP_X_FORWARDED_FOR: '203.0.113.1, 198.51.100.77' };
	assert.equal(await address(forwarded), '10.99.0.1');
	assert.equal(await address({ ...forwarded, TRUSTED_PROXIES: '10.99.0.0/16' }), '198.51.100.77');
	assert.equal(await address({ ...forwarded, TRUSTED_PROXIES: '10.98.0.0/16' }), '10.99.0.1');
	assert.equal(await address({ ...forwarded, TRUSTED_PROXIES: '10.99.0.0/16 198.51.100.77' }), '203.0.113.1');
});

test('without a query string, an address, a type or a method there is still an answer', async () => {
	assert.equal(
		(
			await call('tasks', 'GET', '/api/v1/tasks/categories', {
				env: {
					QUERY_STRING: undefined,
					REMOTE_ADDR: undefined,
					SERVER_PROTOCOL: undefined,
				},
			})
		).status,
		200,
	);
	assertRefused(await register({ env: { CONTENT_TYPE: undefined } }), 415, 'media_type_unsupported');
	const answer = await call('tasks', 'GET', '/api/v1/tasks/categories', { env: { REQUEST_METHOD: '' } });
	assertRefused(answer, 405, 'method_not_allowed');
	assertRefused(
		await call('tasks', 'GET', '/api/v1/tasks/categories', {
			env: { REQUEST_URI: undefined, PATH_INFO: undefined, SCRIPT_NAME: undefined },
		}),
		404,
		'not_found',
	);
});

test('windows are shared with the programs behind nginx', async () => {
	const ip = s.freshAddress(),
		env = { REMOTE_ADDR: ip };
	await s.advance(60 - (Math.floor((await s.now()) / 1000) % 60));
	await s.call('GET', '/tasks/categories', { ip });
	assert.equal(
		(await call('tasks', 'GET', '/api/v1/tasks/categories', { env })).headers['ratelimit-remaining'],
		'98',
	);
});

test('a database that is away is 503 with Retry-After', async () => {
	const answer = await call('tasks', 'GET', '/readyz', {
		env: { DATABASE_URL: 'host=/nowhere dbname=humanops user=humanops_app' },
	});
	assertRefused(answer, 503, 'unavailable');
	assert.match(answer.headers['retry-after'], /^\d+$/);
});

test('each program refuses settings that are wrong, naming them and no value', async () => {
	const rows = [
		['HUMANOPS_ENV', 'secret-staging'],
		['PUBLIC_BASE_URL', 'secret-x'],
		['SECRET_KEY', 'secret-short'],
		['SANDBOX_STEP_SECONDS', 'secret-soon'],
		['WEBHOOK_ALLOW_PRIVATE', 'secret-maybe'],
	];
	for (const program of ['agents.fcgi', 'tasks.fcgi', 'webhooks.fcgi', 'admin.fcgi', 'worker', 'sweeper']) {
		assert.equal((await s.program(program, ['--check'])).status, 0, program);
		for (const [name, value] of rows) {
			const { status, stderr } = await s.program(program, ['--check'], {
				env: { [name]: value },
			});
			assert.notEqual(status, 0, `${program} ${name}`);
			assert.ok(stderr.includes(name) && !stderr.includes('secret-'), stderr);
		}
	}
});

test('worker --drain does what is due and exits', async () => {
	const made = await register();
	assert.equal(made.status, 201);
	const { status, stderr } = await s.program('worker', ['--drain']);
	assert.equal(status, 0, stderr);
	assert.deepEqual(await s.sql("select 1 from jobs where kind = 'mail'"), []);
});
