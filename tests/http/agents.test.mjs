/* agents.fcgi over HTTPS: sign-up, e-mail verification, keys, balance, the agent itself, its statement, and the mail itself. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { freePort, stack } from '../stack.mjs';
import { TIME, assertFaults, assertRefused, balance, changed, post, taskBody } from './forms.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0'] });
const email = () => `${randomUUID()}@example.com`;
const register = (body, more = {}) => s.call('POST', '/agents/register', { body, ...more });
const verify = (token) => s.call('POST', '/agents/verify-email', { body: { token } });
const me = async (agent) => (await s.call('GET', '/agents/me', { key: agent.key })).json;
const tokenOf = (url) => new URL(url).searchParams.get('token');
const makeKey = (agent, body = {}) => s.call('POST', '/agents/keys', { key: agent.key, body });
const listKeys = async (agent) => (await s.call('GET', '/agents/keys', { key: agent.key })).json.data;

/* register */

test('a new agent gets the fields of the reference, tier SANDBOX and a link', async () => {
	const answer = await register({ name: 'my-agent', email: email(), company: 'Acme Inc' });
	assert.equal(answer.status, 201);
	assert.deepEqual(Object.keys(answer.json), [
		'agent_id',
		'api_key',
		'tier',
		'verification_required',
		'sandbox_info',
		'message',
		'verification_url',
	]);
	assert.match(answer.json.agent_id, /^agent_[0-9a-z]{26}$/);
	assert.match(answer.json.api_key, /^ho_live_[0-9a-z]{40,}$/);
	assert.equal(answer.json.tier, 'SANDBOX');
	assert.equal(answer.json.verification_required, true);
	assert.deepEqual(Object.keys(answer.json.sandbox_info), ['what', 'why', 'how_to_upgrade', 'limits']);
	assert.deepEqual(answer.json.sandbox_info.limits, {
		max_daily_tasks: 50,
		max_task_value_usd: 10,
		max_daily_spend_usd: 10,
	});
	assert.match(
		answer.json.verification_url,
		new RegExp(
			`^${s.base}/api/v1/agents/verify-email\\?token=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
		),
	);
	assert.match(answer.headers['cache-control'], /no-store/);
});

const good = { name: 'my-agent', email: 'a@example.com', company: 'Acme Inc' };
const registerFaults = [
	[{ name: undefined }, ['name']],
	[{ name: null }, ['name']],
	[{ name: '' }, ['name']],
	[{ name: ' \t ' }, ['name']],
	[{ name: 5 }, ['name']],
	[{ name: ['a'] }, ['name']],
	[{ name: 'x'.repeat(101) }, ['name']],
	[{ name: '🦉'.repeat(101) }, ['name']],
	[{ name: 'a\nb' }, ['name']],
	[{ name: 'a\u0000b' }, ['name']],
	[{ name: 'a\u001bb' }, ['name']],
	[{ email: undefined }, ['email']],
	[{ email: null }, ['email']],
	[{ email: '' }, ['email']],
	[{ email: 'a' }, ['email']],
	[{ email: '@example.com' }, ['email']],
	[{ email: 'a@' }, ['email']],
	[{ email: 'a@b@example.com' }, ['email']],
	[{ email: 'a b@example.com' }, ['email']],
	[{ email: 'a\r\nBcc: b@example.com' }, ['email']],
	[{ email: 'ä@example.com' }, ['email']],
	[{ email: '.a@example.com' }, ['email']],
	[{ email: 'a..b@example.com' }, ['email']],
	[{ email: 'a@-example.com' }, ['email']],
	[{ email: 'a@example..com' }, ['email']],
	[{ email: '<a@example.com>' }, ['email']],
	[{ email: '"a"@example.com' }, ['email']],
	[{ email: `${'x'.repeat(65)}@example.com` }, ['email']],
	[{ email: `a@${'x.'.repeat(130)}com` }, ['email']],
	[{ email: true }, ['email']],
	[{ company: '' }, ['company']],
	[{ company: 5 }, ['company']],
	[{ company: 'x'.repeat(201) }, ['company']],
	[{ nickname: 'x' }, ['nickname']],
	[{ Name: 'x' }, ['Name']],
	[{ name: '', email: 'x', company: {}, tier: 'STANDARD' }, ['name', 'email', 'company', 'tier']],
];

for (const [change, paths] of registerFaults)
	test(`register refuses ${JSON.stringify(change).slice(0, 60)}${change.name === undefined && 'name' in change ? ' (missing)' : ''}`, async () =>
		assertFaults(await register(changed(good, change)), paths));

test('a repeated field is named as faulty', async () => {
	const answer = await s.call('POST', '/agents/register', {
		raw: '{"name":"a","email":"a@example.com","name":"b"}',
	});
	assertFaults(answer, ['name']);
});

test('register takes the longest name in any letters, and no company', async () => {
	for (const change of [
		{ name: '🦉'.repeat(100) },
		{ company: null },
		{ company: undefined },
		{ name: '  padded  ' },
	]) {
		const answer = await register(changed({ ...good, email: email() }, change));
		assert.equal(answer.status, 201, answer.text);
	}
});

test('an e-mail address is taken once, in whatever case it is written', async () => {
	const address = email();
	assert.equal((await register({ ...good, email: address })).status, 201);
	for (const again of [address, address.toUpperCase(), ` ${address} `])
		assertRefused(await register({ ...good, email: again }), 409, 'email_taken', again);
});

test('of agents that sign up at the same moment with one address, one succeeds', async () => {
	const address = email();
	const statuses = (
		await Promise.all(Array.from({ length: 8 }, () => register({ ...good, email: address })))
	).map((a) => a.status);
	assert.deepEqual(statuses.sort(), [201, ...Array(7).fill(409)]);
});

/* verify-email */

test('a token posted once verifies, twice says that it was used', async () => {
	const agent = await s.agent();
	const first = await verify(agent.token);
	assert.deepEqual([first.status, first.json.agent_id, first.json.tier], [200, agent.id, 'VERIFIED']);
	assert.deepEqual(Object.keys(first.json), ['agent_id', 'tier', 'message']);
	const second = await verify(agent.token);
	assertRefused(second, 409, 'token_used');
	assert.equal(second.json.details.tier, 'VERIFIED');
	assert.equal((await me(agent)).tier, 'VERIFIED');
});

test('a token is taken in capitals too', async () => {
	const agent = await s.agent();
	assert.equal((await verify(agent.token.toUpperCase())).status, 200);
});

test('HEAD spends nothing, the page verifies, and says so again when opened twice', async () => {
	const agent = await s.agent(),
		link = `/agents/verify-email?token=${agent.token}`;
	const head = await s.call('HEAD', link);
	assert.deepEqual([head.status, head.text], [200, '']);
	assert.equal((await me(agent)).tier, 'SANDBOX');
	for (let i = 0; i < 2; i++) {
		const page = await s.call('GET', link);
		assert.equal(page.status, 200);
		assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
		assert.match(page.text, /<h1>Your address is verified<\/h1>/);
	}
	assert.equal((await me(agent)).tier, 'VERIFIED');
});

const unknown = '00000000-0000-7000-8000-000000000000';
for (const [name, query, status] of [
	['an unknown token', `?token=${unknown}`, 400],
	['garbage', '?token=%3Cscript%3E', 400],
	['no token', '', 400],
	['an empty token', '?token=', 400],
	['two tokens', `?token=${unknown}&token=${unknown}`, 400],
])
	test(`the page for ${name} is HTML with an error status and echoes nothing`, async () => {
		const page = await s.call('GET', `/agents/verify-email${query}`);
		assert.deepEqual([page.status, page.headers['content-type']], [status, 'text/html; charset=utf-8']);
		assert.doesNotMatch(page.text, /script|0000-/);
	});

test('a posted token that is none is refused', async () => {
	assertRefused(await verify(unknown), 400, 'token_invalid');
	assertRefused(await verify('garbage'), 400, 'token_invalid');
	for (const token of [undefined, null, 5, '', 'x'.repeat(101)])
		assertFaults(
			await s.call('POST', '/agents/verify-email', { body: { token } }),
			['token'],
			String(token),
		);
});

test('a token works for 24 hours and no longer; resend replaces it', async () => {
	const [soon, late] = [await s.agent(), await s.agent()];
	await s.advance(86_400 - 60);
	assert.equal((await verify(soon.token)).status, 200);
	await s.advance(61);
	assertRefused(await verify(late.token), 410, 'token_expired');
	const page = await s.call('GET', `/agents/verify-email?token=${late.token}`);
	assert.deepEqual([page.status, page.headers['content-type']], [410, 'text/html; charset=utf-8']);
	const again = await s.call('POST', '/agents/resend-verification', { key: late.key });
	assert.equal(again.status, 200);
	assertRefused(await verify(late.token), 400, 'token_invalid');
	assert.equal((await verify(tokenOf(again.json.verification_url))).status, 200);
	assertRefused(
		await s.call('POST', '/agents/resend-verification', { key: late.key }),
		409,
		'already_verified',
	);
});

test('resend needs a key', async () => {
	assertRefused(await s.call('POST', '/agents/resend-verification'), 401, 'unauthorized');
});

test('resend may be called three times an hour from one address', async () => {
	const agent = await s.agent(),
		ip = s.freshAddress(),
		statuses = [];
	for (let i = 0; i < 4; i++)
		statuses.push((await s.call('POST', '/agents/resend-verification', { key: agent.key, ip })).status);
	/* The window may have turned in between; four in a row then still hold no refusal too many. */
	assert.deepEqual(statuses.slice(0, 3), [200, 200, 200]);
	assert.ok(
		statuses[3] === 429 ||
			Math.floor((await s.now()) / 3_600_000) !==
				Math.floor(((await s.now()) - 5000) / 3_600_000),
	);
});

/* keys */

test('a key is sent as X-API-Key or as a bearer token', async () => {
	const agent = await s.agent();
	for (const headers of [
		{ 'X-API-Key': agent.key },
		{ Authorization: `Bearer ${agent.key}` },
		{ Authorization: `bearer ${agent.key}` },
	])
		assert.equal((await s.call('GET', '/agents/me', { headers })).json.agent_id, agent.id);
});

test('what is no key is 401', async () => {
	const agent = await s.agent(),
		last = agent.key.at(-1) === '0' ? '1' : '0';
	const wrong = [
		'x',
		'ho_live_',
		`${agent.key}0`,
		agent.key.slice(0, -1),
		agent.key.slice(0, -1) + last,
		agent.key.toUpperCase(),
		`ho_test_${agent.key.slice(8)}`,
		'a'.repeat(5000),
		"' or 1=1 --",
	];
	for (const key of wrong)
		assertRefused(await s.call('GET', '/agents/me', { key }), 401, 'unauthorized', key.slice(0, 70));
	for (const headers of [
		{},
		{ 'X-API-Key': '' },
		{ Authorization: 'Bearer ' },
		{ Authorization: `Basic ${agent.key}` },
	])
		assertRefused(
			await s.call('GET', '/agents/me', { headers }),
			401,
			'unauthorized',
			JSON.stringify(headers),
		);
});

test('another key works, is listed by its prefix alone, and ends at once when revoked', async () => {
	const agent = await s.agent(),
		made = await makeKey(agent, { name: 'ci-pipeline' });
	assert.equal(made.status, 201);
	for (const name of ['api_key', 'key_prefix', 'name', 'created_at']) assert.ok(made.json[name], name);
	assert.equal(made.json.key_prefix, `${made.json.api_key.slice(0, 20)}..`);
	assert.match(made.json.created_at, TIME);
	const second = { key: made.json.api_key };
	assert.equal((await me(second)).agent_id, agent.id);

	const keys = await listKeys(agent);
	assert.deepEqual(
		keys.map((k) => k.name),
		['default', 'ci-pipeline'],
	);
	for (const key of keys)
		for (const name of ['id', 'keyPrefix', 'name', 'lastUsed', 'createdAt'])
			assert.ok(name in key, name);
	assert.equal(keys[0].keyPrefix, `${agent.key.slice(0, 20)}..`);
	assert.equal(JSON.stringify(keys).includes(made.json.api_key), false);

	const gone = await s.call('DELETE', `/agents/keys/${keys[1].id}`, { key: agent.key });
	assert.deepEqual([gone.status, gone.json], [200, { revoked: true }]);
	assertRefused(await s.call('GET', '/agents/me', { key: second.key }), 401, 'unauthorized');
	assertRefused(
		await s.call('DELETE', `/agents/keys/${keys[1].id}`, { key: agent.key }),
		404,
		'key_not_found',
	);
	assert.deepEqual(
		(await listKeys(agent)).map((k) => k.name),
		['default'],
	);
});

test('a key without a name or a body is made all the same', async () => {
	const agent = await s.agent();
	assert.equal((await makeKey(agent, {})).status, 201);
	assert.equal((await s.call('POST', '/agents/keys', { key: agent.key })).status, 201);
});

test("someone else's key and a malformed id are not found", async () => {
	const [agent, other] = [await s.agent(), await s.agent()],
		[key] = await listKeys(other);
	for (const id of [key.id, 'key_x', 'x', agent.id, key.id.toUpperCase(), `${key.id}0`])
		assertRefused(
			await s.call('DELETE', `/agents/keys/${id}`, { key: agent.key }),
			404,
			'key_not_found',
			id,
		);
	assert.equal((await me(other)).agent_id, other.id);
});

test('the last use of a key is recorded', async () => {
	const agent = await s.agent();
	await s.until(async () => TIME.test((await listKeys(agent))[0].lastUsed ?? ''));
	const before = (await listKeys(agent))[0].lastUsed;
	await s.advance(120);
	await me(agent);
	await s.until(async () => (await listKeys(agent))[0].lastUsed > before);
});

const now = await s.now(),
	later = (seconds) => new Date(now + seconds * 1000).toISOString();
const keyFaults = [
	[{ name: '' }, ['name']],
	[{ name: 5 }, ['name']],
	[{ name: 'x'.repeat(101) }, ['name']],
	[{ scopes: [] }, ['scopes']],
	[{ scopes: 'read' }, ['scopes']],
	[{ scopes: ['read', 'read'] }, ['scopes']],
	[{ scopes: ['admin'] }, ['scopes[0]']],
	[{ scopes: ['read', 5] }, ['scopes[1]']],
	[{ scopes: ['READ'] }, ['scopes[0]']],
	[{ max_daily_spend_usd: -1 }, ['max_daily_spend_usd']],
	[{ max_daily_spend_usd: '5' }, ['max_daily_spend_usd']],
	[{ max_daily_spend_usd: 0.001 }, ['max_daily_spend_usd']],
	[{ max_daily_spend_usd: 1e9 }, ['max_daily_spend_usd']],
	[{ expires_at: later(-60) }, ['expires_at']],
	[{ expires_at: 'soon' }, ['expires_at']],
	[{ expires_at: '1970-01-01T00:00:00Z' }, ['expires_at']],
	[{ expires_at: 1 }, ['expires_at']],
	[{ expires_at: later(86_400 * 4000) }, ['expires_at']],
	[{ budget: 1 }, ['budget']],
	[{ name: '', scopes: [], expires_at: 'x', budget: 1 }, ['name', 'scopes', 'expires_at', 'budget']],
];
test('every faulty field of a new key is named', async () => {
	const agent = await s.agent();
	for (const [body, paths] of keyFaults)
		assertFaults(await makeKey(agent, body), paths, JSON.stringify(body));
});

test('a key makes only the calls of its scopes', async () => {
	const agent = await s.agent(),
		task = await post(s, agent),
		calls = {
			read: [
				['GET', '/agents/me'],
				['GET', '/agents/balance'],
				['GET', '/agents/transactions'],
				['GET', '/tasks'],
				['GET', `/tasks/${task.task_id}`],
			],
			tasks: [
				['POST', '/tasks'],
				['POST', `/tasks/${task.task_id}/cancel`],
			],
			keys: [
				['GET', '/agents/keys'],
				['POST', '/agents/keys'],
				['POST', '/agents/resend-verification'],
			],
		};
	for (const scope of ['read', 'tasks', 'funds', 'keys']) {
		const { api_key: key } = (await makeKey(agent, { scopes: [scope] })).json;
		for (const [needed, rows] of Object.entries(calls))
			for (const [method, where] of rows) {
				const answer = await s.call(method, where, { key }),
					what = `${scope}: ${method} ${where}`;
				if (scope === needed) assert.notEqual(answer.status, 403, what);
				else {
					assertRefused(answer, 403, 'scope_missing', what);
					assert.equal(answer.json.details.scope, needed);
				}
			}
	}
});

test('a key hands out no more than it holds', async () => {
	const agent = await s.agent(),
		soon = await s.time(3600),
		much = await s.time(7200);
	const rows = [
		[{ scopes: ['keys', 'read'] }, { scopes: ['tasks'] }, 403],
		[{ scopes: ['keys', 'read'] }, { scopes: ['read'] }, 201],
		[{ expires_at: soon }, {}, 403],
		[{ expires_at: soon }, { expires_at: much }, 403],
		[{ expires_at: soon }, { expires_at: soon }, 201],
		[{ max_daily_spend_usd: 5 }, { scopes: ['tasks'] }, 403],
		[{ max_daily_spend_usd: 5 }, { scopes: ['funds'], max_daily_spend_usd: 1 }, 403],
		[{ max_daily_spend_usd: 5 }, { scopes: ['read'] }, 201],
	];
	for (const [held, asked, status] of rows) {
		const maker = await makeKey(agent, held),
			made = await makeKey({ key: maker.json.api_key }, asked);
		assert.equal(made.status, status, `${JSON.stringify([held, asked])} ${made.text}`);
		if (status === 403) assert.equal(made.json.code, 'scope_too_wide');
	}
	const narrow = (await makeKey(agent, { scopes: ['keys', 'read'] })).json.api_key;
	const heir = (await makeKey({ key: narrow })).json.api_key;
	assertRefused(await s.call('POST', '/tasks', { key: heir, body: await taskBody(s) }), 403, 'scope_missing');
});

test('a key ends when it expires', async () => {
	const agent = await s.agent(),
		made = await makeKey(agent, { expires_at: await s.time(600) });
	assert.equal((await me({ key: made.json.api_key })).agent_id, agent.id);
	await s.advance(601);
	assertRefused(await s.call('GET', '/agents/me', { key: made.json.api_key }), 401, 'unauthorized');
	assert.deepEqual(
		(await listKeys(agent)).map((k) => k.name),
		['default'],
	);
});

test('an agent may have a hundred keys', async () => {
	const agent = await s.agent();
	for (let i = 1; i < 100; i++) assert.equal((await makeKey(agent)).status, 201);
	assertRefused(await makeKey(agent), 409, 'key_limit_reached');
});

/* balance, me, transactions */

test('balance shows deposit and escrow', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 75 });
	const before = await s.call('GET', '/agents/balance', { key: agent.key });
	assert.deepEqual(before.json, { deposit_balance: 75, escrow_balance: 0, currency: 'USD' });
	await post(s, agent, { reward_usd: 25.5 });
	assert.deepEqual(await balance(s, agent), [46.95, 28.05]);
});

test('me shows tier, limits, what of them is used today, and the fee', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 });
	await post(s, agent, { reward_usd: 20 });
	await post(s, agent, { reward_usd: 3, sandbox: true });
	const mine = await me(agent);
	assert.equal(mine.email, agent.email);
	assert.deepEqual([mine.agent_id, mine.tier, mine.email_verified], [agent.id, 'VERIFIED', true]);
	assert.deepEqual(mine.limits, { max_daily_tasks: 10, max_task_value_usd: 100, max_daily_spend_usd: 200 });
	assert.deepEqual(mine.used_today, { tasks: 1, spend_usd: 20 });
	assert.deepEqual(mine.sandbox_used_today, { tasks: 1, spend_usd: 3 });
	assert.deepEqual(mine.fee, { tier: 'STANDARD', percent: 10, minimum_usd: 1, spend_30_days_usd: 20 });
	assert.match(mine.created_at, TIME);
});

test('an agent becomes STANDARD with fifty dollars of USDC, by fiat never', async () => {
	const agent = await s.agent({ tier: 'VERIFIED' });
	const rows = [
		['deposit_fiat', 500, 'VERIFIED'],
		['deposit_usdc', 49.99, 'VERIFIED'],
		['deposit_usdc', 0.01, 'STANDARD'],
	];
	for (const [kind, dollars, tier] of rows) {
		await s.deposit(agent, dollars, kind);
		assert.equal((await me(agent)).tier, tier, `${kind} ${dollars}`);
	}
	const early = await s.agent();
	await s.deposit(early, 50, 'deposit_usdc');
	assert.equal((await me(early)).tier, 'SANDBOX', 'not before the address is verified');
	assert.equal((await verify(early.token)).json.tier, 'STANDARD');
});

test('the statement pages through more than forty entries without a gap or a repeat, and as CSV', async () => {
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	for (let i = 0; i < 22; i++) {
		const task = await post(s, agent, { reward_usd: 10 });
		assert.equal(
			(await s.call('POST', `/tasks/${task.task_id}/cancel`, { key: agent.key })).status,
			200,
		);
	}
	const all = (await s.call('GET', '/agents/transactions?limit=100', { key: agent.key })).json;
	assert.deepEqual([all.data.length, all.pagination.next_cursor], [45, null]);
	assert.deepEqual(all.data[44].deposit_balance, 1000);
	assert.deepEqual(
		all.data
			.slice(0, 2)
			.map((e) => [
				e.type,
				e.deposit_change_usd,
				e.escrow_change_usd,
				e.deposit_balance,
				e.escrow_balance,
			]),
		[
			['escrow_refund', 11, -11, 1000, 0],
			['escrow_hold', -11, 11, 989, 11],
		],
	);

	const paged = [],
		lines = [];
	for (let cursor = ''; cursor !== null;) {
		const query = `/agents/transactions?limit=20${cursor && `&cursor=${cursor}`}`;
		const { json } = await s.call('GET', query, { key: agent.key });
		const csv = await s.call('GET', query, { key: agent.key, headers: { Accept: 'text/csv' } });
		assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8');
		assert.equal(csv.headers['next-cursor'] ?? null, json.pagination.next_cursor);
		lines.push(...csv.text.split('\r\n').slice(1, -1));
		paged.push(...json.data);
		cursor = json.pagination.next_cursor;
	}
	assert.deepEqual(paged, all.data);
	assert.deepEqual(
		lines,
		all.data.map((e) =>
			[
				e.transaction_id,
				e.type,
				e.deposit_change_usd,
				e.escrow_change_usd,
				e.task_id ?? '',
				e.created_at,
			].join(','),
		),
	);
});

test('a statement refuses cursors and limits that are none', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 5 }),
		other = await s.agent({ tier: 'VERIFIED', deposit: 5 });
	const foreign = (await s.call('GET', '/agents/transactions', { key: other.key })).json.data[0]
		.transaction_id;
	for (const cursor of ['x', 'txn_x', agent.id, foreign])
		assertRefused(
			await s.call('GET', `/agents/transactions?cursor=${cursor}`, { key: agent.key }),
			400,
			'cursor_invalid',
			cursor,
		);
	for (const query of [
		'limit=0',
		'limit=101',
		'limit=-1',
		'limit=x',
		'limit=1.5',
		'limit=',
		'limit=5&limit=6',
	])
		assertFaults(
			await s.call('GET', `/agents/transactions?${query}`, { key: agent.key }),
			['limit'],
			query,
		);
	assertFaults(await s.call('GET', '/agents/transactions?page=2', { key: agent.key }), ['page']);
});

/* mail */

test('without a mail server each mail is a file that holds the link', async () => {
	const made = await register({ ...good, email: email() }),
		folder = path.join(s.settings.STATE_DIR, 'mail');
	const token = tokenOf(made.json.verification_url);
	const file = await s.until(() =>
		readdirSync(folder).find(
			(name) =>
				name.endsWith('.eml') &&
				readFileSync(path.join(folder, name), 'utf8').includes(token),
		),
	);
	const mail = await simpleParser(readFileSync(path.join(folder, file)));
	assert.ok(
		mail.text.split('\n').includes(made.json.verification_url),
		'the link stands whole on a line of its own',
	);
	assert.match(mail.subject, /Verify/);
});

test('mail goes by SMTP; a temporary refusal is tried again, a lasting one given up', async () => {
	const arrived = [],
		refused = new Map();
	const server = new SMTPServer({
		authOptional: true,
		disabledCommands: ['STARTTLS'],
		logger: false,
		onRcptTo({ address }, session, done) {
			const times = (refused.get(address) ?? 0) + 1,
				temporary = address.startsWith('later') && times === 1;
			refused.set(address, times);
			const code = address.startsWith('never') ? 550 : temporary ? 451 : 0;
			done(code ? Object.assign(new Error('refused'), { responseCode: code }) : null);
		},
		onData(stream, session, done) {
			simpleParser(stream).then((mail) => {
				arrived.push(mail);
				done();
			}, done);
		},
	});
	const port = await freePort();
	await new Promise((done) => server.listen(port, '127.0.0.1', done));
	try {
		const own = await stack({
			settings: [`SMTP_URL=smtp://127.0.0.1:${port}`, 'MAIL_FROM=humanops@example.com'],
		});
		const sign = async (to) =>
			tokenOf(
				(await own.call('POST', '/agents/register', { body: { name: 'a', email: to } }))
					.json.verification_url,
			);
		const here = (to) => arrived.find((mail) => mail.to.value[0].address === to);
		const [atOnce, later, never] = ['at-once', 'later', 'never'].map(
			(name) => `${name}-${randomUUID()}@example.com`,
		);
		const token = await sign(atOnce);
		const mail = await own.until(() => here(atOnce));
		assert.equal(mail.from.value[0].address, 'humanops@example.com');
		assert.ok(mail.text.includes(token));

		const laterToken = await sign(later);
		await sign(never);
		await own.until(() => refused.get(later) === 1 && refused.get(never) === 1);
		await own.until(
			async () =>
				(await own.sql("select 1 from jobs where kind = 'mail' and is_dead")).length === 1,
		);
		await own.advance(7);
		assert.ok((await own.until(() => here(later))).text.includes(laterToken));
		await own.until(
			async () =>
				(await own.sql("select 1 from jobs where kind = 'mail' and not is_dead")).length ===
				0,
		);
		assert.deepEqual([refused.get(atOnce), refused.get(later), refused.get(never)], [1, 2, 1]);
		assert.equal(
			Object.values(own.logFiles()).some((text) => text.includes(token)),
			false,
			'no log holds a token',
		);
		await own.stop();
	} finally {
		await new Promise((done) => server.close(done));
	}
});

test('the ledger balances after all of this', async () => assert.deepEqual(await s.audit(), []));
