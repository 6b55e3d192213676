/* tasks.fcgi over HTTPS: what may be posted, lists, cancelling, limits, fees, money, idempotency. */
import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import test from 'node:test';
import { stack } from '../stack.mjs';
import { TIME, assertFaults, assertRefused, balance, changed, post, refusal, show, taskBody } from './forms.mjs';

const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=3600'] });
const agents = {
	SANDBOX: await s.agent(),
	VERIFIED: await s.agent({ tier: 'VERIFIED', deposit: 1000 }),
	STANDARD: await s.agent({ tier: 'STANDARD', deposit: 1_000_000 }),
};
const rich = () => s.agent({ tier: 'STANDARD', deposit: 1_000_000 });
const create = async (agent, change = {}, more = {}) =>
	s.call('POST', '/tasks', { key: agent.key, body: await taskBody(s, change), ...more });
const send = (agent, raw, more = {}) => s.call('POST', '/tasks', { key: agent.key, raw, ...more });
const cancel = (agent, id) => s.call('POST', `/tasks/${id}/cancel`, { key: agent.key });
const list = async (agent, query = '') => (await s.call('GET', `/tasks${query}`, { key: agent.key })).json;

const point = (namedCurve) => generateKeyPairSync('ec', { namedCurve }).publicKey;
const spki = (namedCurve) => point(namedCurve).export({ type: 'spki', format: 'der' });
const raw65 = () => spki('prime256v1').subarray(-65);
const offCurve = () => {
	const bytes = Buffer.from(raw65());
	bytes[64] ^= 1;
	return bytes;
};
const credential = {
	task_type: 'API_KEY_PROCUREMENT',
	location: undefined,
	agent_public_key: raw65().toString('base64'),
};

/* creation */

test('a real task is answered with the fields of the reference, and its money is held', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 }),
		answer = await create(agent, { reward_usd: 25 });
	assert.equal(answer.status, 201);
	assert.deepEqual(Object.keys(answer.json), [
		'task_id',
		'status',
		'reward_usd',
		'platform_fee',
		'total_escrow',
		'deadline',
		'created_at',
	]);
	assert.match(answer.json.task_id, /^task_[0-9a-z]{26}$/);
	assert.deepEqual(
		[answer.json.status, answer.json.reward_usd, answer.json.platform_fee, answer.json.total_escrow],
		['PENDING', 25, 2.5, 27.5],
	);
	assert.match(answer.json.deadline, TIME);
	assert.deepEqual(await balance(s, agent), [72.5, 27.5]);
	const shown = await show(s, agent, answer.json.task_id);
	assert.deepEqual(shown.location, { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' });
	assert.deepEqual(
		[shown.platform_fee_usd, shown.operator, shown.proof, shown.guardian_result],
		[2.5, null, null, null],
	);
	assert.equal('sandbox' in shown, false);
});

test('a task keeps what it was posted with, in any letters', async () => {
	const body = {
		title: 'Ω «q» \\ / 🦉',
		description: 'a\nb\tc "quoted" é e\u0301',
		digital_instructions: '1. one\r\n2. two',
		location: { lat: -90, lng: 180, address: '日本 1-2' },
		proof_requirements: ['é'],
		callback_url: 'https://example.com/h?a=1&b=2',
		callback_secret: ' spaces kept ',
		reward_usd: 10.01,
	};
	const task = await post(s, agents.STANDARD, body),
		shown = await show(s, agents.STANDARD, task.task_id);
	for (const name of ['title', 'location', 'proof_requirements', 'callback_url', 'reward_usd', 'description'])
		assert.deepEqual(shown[name], body[name], name);
	assert.equal('callback_secret' in shown, false);
	assert.equal(JSON.stringify(shown).includes('spaces kept'), false);
});

test('text is trimmed before it is measured', async () => {
	const task = await post(s, agents.SANDBOX, { title: `  ${'x'.repeat(200)}  `, reward_usd: 0.01 });
	assert.equal((await show(s, agents.SANDBOX, task.task_id)).title.length, 200);
});

const now = await s.now(),
	at = (seconds) => new Date(now + seconds * 1000).toISOString();
const DAY = 86_400;
const faults = [
	[{ title: undefined }, ['title']],
	[{ title: null }, ['title']],
	[{ title: '' }, ['title']],
	[{ title: '  ' }, ['title']],
	[{ title: 5 }, ['title']],
	[{ title: {} }, ['title']],
	[{ title: 'x'.repeat(201) }, ['title']],
	[{ title: 'a\nb' }, ['title']],
	[{ title: 'a\u0000b' }, ['title']],
	[{ title: 'a\u007fb' }, ['title']],
	[{ title: 'a\u2028b' }, ['title']],
	[{ description: undefined }, ['description']],
	[{ description: '' }, ['description']],
	[{ description: 'x'.repeat(10_001) }, ['description']],
	[{ description: 'a\u0007b' }, ['description']],
	[{ description: false }, ['description']],
	[{ location: undefined }, ['location']],
	[{ location: null }, ['location']],
	[{ location: 'NY' }, ['location']],
	[{ location: [] }, ['location']],
	[{ location: {} }, ['location.lat', 'location.lng', 'location.address']],
	[{ 'location.lat': undefined }, ['location.lat']],
	[{ 'location.lng': undefined }, ['location.lng']],
	[{ 'location.address': undefined }, ['location.address']],
	[{ 'location.address': '' }, ['location.address']],
	[{ 'location.address': 'x'.repeat(501) }, ['location.address']],
	[{ 'location.lat': '40.7' }, ['location.lat']],
	[{ 'location.lat': 90.0001 }, ['location.lat']],
	[{ 'location.lat': -91 }, ['location.lat']],
	[{ 'location.lng': 180.1 }, ['location.lng']],
	[{ 'location.lng': -181 }, ['location.lng']],
	[{ 'location.city': 'NY' }, ['location.city']],
	[{ task_type: 'FORM_FILLING', location: { lat: 1 } }, ['location.lng']],
	[{ task_type: 'FORM_FILLING', location: { lng: 1 } }, ['location.lat']],
	[{ reward_usd: undefined }, ['reward_usd']],
	[{ reward_usd: null }, ['reward_usd']],
	[{ reward_usd: '25' }, ['reward_usd']],
	[{ reward_usd: true }, ['reward_usd']],
	[{ reward_usd: 10.005 }, ['reward_usd']],
	[{ reward_usd: 0 }, ['reward_usd']],
	[{ reward_usd: -1 }, ['reward_usd']],
	[{ reward_usd: 9.99 }, ['reward_usd']],
	[{ reward_usd: 10_000.01 }, ['reward_usd']],
	[{ reward_usd: 1e-7 }, ['reward_usd']],
	[{ reward_usd: 1e20 }, ['reward_usd']],
	[{ deadline: undefined }, ['deadline']],
	[{ deadline: null }, ['deadline']],
	[{ deadline: 'tomorrow' }, ['deadline']],
	[{ deadline: 1_900_000_000 }, ['deadline']],
	[{ deadline: '' }, ['deadline']],
	[{ deadline: at(-1) }, ['deadline']],
	[{ deadline: at(0) }, ['deadline']],
	[{ deadline: at(366 * DAY + 60) }, ['deadline']],
	[{ deadline: '2199-01-01T00:00:00Z' }, ['deadline']],
	[{ deadline: '1969-12-31T23:59:59Z' }, ['deadline']],
	[{ deadline: '1970-01-01T00:00:00Z' }, ['deadline']],
	[{ deadline: at(DAY).slice(0, 10) }, ['deadline']],
	[{ deadline: at(DAY).slice(0, 19) }, ['deadline']],
	[{ deadline: `${at(DAY).slice(0, 4)}-02-30T00:00:00Z` }, ['deadline']],
	[{ deadline: `${at(DAY).slice(0, 4)}-13-01T00:00:00Z` }, ['deadline']],
	[{ deadline: at(DAY).replace('Z', '+25:00') }, ['deadline']],
	[{ deadline: `${at(DAY)} ` + 'x' }, ['deadline']],
	[{ proof_requirements: undefined }, ['proof_requirements']],
	[{ proof_requirements: [] }, ['proof_requirements']],
	[{ proof_requirements: 'Photo' }, ['proof_requirements']],
	[{ proof_requirements: Array(21).fill('x') }, ['proof_requirements']],
	[{ proof_requirements: ['x', ''] }, ['proof_requirements[1]']],
	[{ proof_requirements: ['x', 5, 'y', null] }, ['proof_requirements[1]', 'proof_requirements[3]']],
	[{ proof_requirements: ['x'.repeat(501)] }, ['proof_requirements[0]']],
	[{ task_type: undefined }, ['task_type']],
	[{ task_type: 'photo' }, ['task_type']],
	[{ task_type: 'CLEANING' }, ['task_type']],
	[{ task_type: 1 }, ['task_type']],
	[{ task_domain: 'DIGITAL' }, ['task_domain']],
	[{ task_domain: 'physical' }, ['task_domain']],
	[{ task_type: 'FORM_FILLING', task_domain: 'PHYSICAL' }, ['task_domain']],
	[{ proof_type: 'VIDEO' }, ['proof_type']],
	[{ ...credential, proof_type: 'PHOTO' }, ['proof_type']],
	[{ proof_type: '' }, ['proof_type']],
	[{ digital_instructions: 'x'.repeat(10_001) }, ['digital_instructions']],
	[{ digital_instructions: '' }, ['digital_instructions']],
	[{ digital_instructions: 5 }, ['digital_instructions']],
	[{ callback_url: 'example.com' }, ['callback_url']],
	[{ callback_url: 'ftp://example.com/' }, ['callback_url']],
	[{ callback_url: 'https://' }, ['callback_url']],
	[{ callback_url: 'https://user:pw@example.com/' }, ['callback_url']],
	[{ callback_url: 'javascript:alert(1)' }, ['callback_url']],
	[{ callback_url: 'https://example.com/\r\nX: y' }, ['callback_url']],
	[{ callback_url: 'https://example.com/a b' }, ['callback_url']],
	[{ callback_url: 'https://example.com:99999/' }, ['callback_url']],
	[{ callback_url: `https://example.com/${'x'.repeat(2048)}` }, ['callback_url']],
	[{ callback_url: 'file:///etc/passwd' }, ['callback_url']],
	[{ callback_url: 5 }, ['callback_url']],
	[{ callback_secret: 'alone' }, ['callback_secret']],
	[{ callback_url: 'https://example.com/', callback_secret: '' }, ['callback_secret']],
	[{ callback_url: 'https://example.com/', callback_secret: 'x'.repeat(257) }, ['callback_secret']],
	[{ ...credential, agent_public_key: undefined }, ['agent_public_key']],
	[{ ...credential, agent_public_key: 'garbage' }, ['agent_public_key']],
	[{ ...credential, agent_public_key: offCurve().toString('base64') }, ['agent_public_key']],
	[{ ...credential, agent_public_key: spki('secp384r1').toString('base64') }, ['agent_public_key']],
	[{ ...credential, agent_public_key: spki('secp256k1').toString('base64') }, ['agent_public_key']],
	[{ ...credential, agent_public_key: raw65().toString('hex') }, ['agent_public_key']],
	[{ ...credential, agent_public_key: raw65().subarray(0, 64).toString('base64') }, ['agent_public_key']],
	[
		{ ...credential, agent_public_key: Buffer.concat([raw65(), Buffer.alloc(1)]).toString('base64') },
		['agent_public_key'],
	],
	[{ ...credential, agent_public_key: Buffer.alloc(65, 4).toString('base64') }, ['agent_public_key']],
	[{ ...credential, agent_public_key: Buffer.alloc(1).toString('base64') }, ['agent_public_key']],
	[{ sandbox: 'yes' }, ['sandbox']],
	[{ sandbox: 1 }, ['sandbox']],
	[{ sandbox_scenario: 'approve' }, ['sandbox_scenario']],
	[{ sandbox: true, sandbox_scenario: 'lottery' }, ['sandbox_scenario']],
	[{ reward: 5 }, ['reward']],
	[{ Title: 'x' }, ['Title']],
	[{ '': 1 }, ['']],
	[
		{
			title: '',
			description: 5,
			'location.lat': 99,
			reward_usd: 10.005,
			deadline: 'x',
			proof_requirements: [],
			task_domain: 'DIGITAL',
			callback_url: 'x',
			sandbox: 1,
			colour: 'red',
		},
		[
			'title',
			'description',
			'location.lat',
			'reward_usd',
			'deadline',
			'proof_requirements',
			'task_domain',
			'callback_url',
			'sandbox',
			'colour',
		],
	],
];

test('every rule of a new task names the faulty field', async (t) => {
	const before = await balance(s, agents.STANDARD);
	for (const [change, paths] of faults)
		await t.test(
			JSON.stringify(change, (name, value) => (value === undefined ? '(missing)' : value)).slice(
				0,
				90,
			),
			async () => assertFaults(await create(agents.STANDARD, change), paths),
		);
	assert.deepEqual(await balance(s, agents.STANDARD), before, 'no money moved');
});

test('an empty object names every required field', async () => {
	assertFaults(await s.call('POST', '/tasks', { key: agents.STANDARD.key, body: {} }), [
		'title',
		'description',
		'reward_usd',
		'deadline',
		'proof_requirements',
		'task_type',
	]);
});

test('what lies at the limit is accepted', async () => {
	const agent = await rich(),
		year = 366 * DAY - 60,
		rows = [
			{ title: 'x' },
			{ title: '🦉'.repeat(200) },
			{ description: 'é'.repeat(10_000) },
			{ 'location.address': 'x'.repeat(500) },
			{ 'location.lat': 90, 'location.lng': -180 },
			{ 'location.lat': 0, 'location.lng': 0 },
			{ reward_usd: 10 },
			{ reward_usd: 10_000 },
			{ deadline: await s.time(year) },
			{ deadline: await s.time(5) },
			{ proof_requirements: Array(20).fill('x'.repeat(500)) },
			{ proof_type: 'SCREENSHOT' },
			{ task_domain: 'PHYSICAL' },
			{ digital_instructions: 'x'.repeat(10_000) },
			{ callback_url: 'https://example.com' },
			{ callback_url: 'http://example.com:8080/' },
			{ callback_url: 'https://example.com/', callback_secret: '🦉'.repeat(256) },
			{ company: undefined, callback_url: null, proof_type: null, sandbox: null },
			credential,
			{ ...credential, agent_public_key: spki('prime256v1').toString('base64') },
			{ ...credential, proof_type: 'ARTIFACT' },
			{ task_type: 'FORM_FILLING', location: undefined },
			{ task_type: 'FORM_FILLING', location: { lat: 1, lng: 2 } },
			{ task_type: 'FORM_FILLING', location: { address: 'Remote' } },
			{ agent_public_key: raw65().toString('base64') },
		];
	for (const change of rows) {
		const answer = await create(agent, change);
		assert.equal(answer.status, 201, `${JSON.stringify(change).slice(0, 100)}: ${answer.text}`);
	}
});

test('deadlines are taken with any offset and given back in UTC', async () => {
	const base = Date.parse(`${(await s.time(2 * DAY)).slice(0, 10)}T12:00:00Z`),
		day = new Date(base).toISOString().slice(0, 10);
	for (const text of [
		`${day}T12:00:00Z`,
		`${day}T12:00:00.000Z`,
		`${day}T14:00:00+02:00`,
		`${day}T06:30:00-05:30`,
		`${day}t12:00:00z`,
		`${day}T12:00:00.0009Z`,
	]) {
		const task = await post(s, agents.STANDARD, { deadline: text });
		assert.equal(task.deadline, `${day}T12:00:00.000Z`, text);
	}
});

/* money as text: JavaScript would have changed these numbers */
const moneyTexts = [
	['25', 25],
	['25.0', 25],
	['25.00', 25],
	['1e1', 10],
	['2.5E+1', 25],
	['1000e-2', 10],
	['10.10', 10.1],
	['10.000000', 10],
	['10.005', null],
	['10.0000001', null],
	['"25"', null],
	['1e400', null],
	['-1', null],
	['-0', null],
	['0', null],
	['0.0', null],
	['null', null],
	['1e-7', null],
	['9.999999999999999999', null],
	['10000.000001', null],
	['1e309', null],
	['99999999999999999999', null],
	['9223372036854775808', null],
	['18446744073709551626', null],
	['[25]', null],
	['{"usd":25}', null],
	['true', null],
];
test('money is read as it is written', async () => {
	const text = JSON.stringify(await taskBody(s, { reward_usd: 'REWARD' }));
	for (const [money, want] of moneyTexts) {
		const answer = await send(agents.STANDARD, text.replace('"REWARD"', money));
		if (want === null) assertFaults(answer, ['reward_usd'], money);
		else
			assert.deepEqual(
				[answer.status, answer.json.reward_usd],
				[201, want],
				`${money} ${answer.text}`,
			);
	}
	for (const money of [
		'025',
		'+25',
		'.5',
		'25.',
		'0x19',
		'NaN',
		'Infinity',
		'-Infinity',
		'1e',
		'2 5',
		'25,00',
		'',
	])
		assertRefused(
			await send(agents.STANDARD, text.replace('"REWARD"', money)),
			400,
			'body_invalid',
			money,
		);
});

test('an amount comes back with the digits that it has', async () => {
	const answer = await create(agents.STANDARD, { reward_usd: 19.99 });
	assert.match(answer.text, /"reward_usd":19\.99,"platform_fee":2,"total_escrow":21\.99,/);
});

/* types and their maxima */

const types = [
	['VERIFICATION', 10_000],
	['PHOTO', 10_000],
	['DELIVERY', 10_000],
	['INSPECTION', 10_000],
	['CAPTCHA_SOLVING', 10],
	['FORM_FILLING', 50],
	['BROWSER_INTERACTION', 100],
	['CONTENT_REVIEW', 25],
	['DATA_VALIDATION', 50],
	['ACCOUNT_CREATION', 100],
	['API_KEY_PROCUREMENT', 200],
	['PHONE_VERIFICATION', 25],
	['SUBSCRIPTION_SETUP', 500],
];

test('each task type pays from ten dollars to its maximum, and not a cent beyond', async () => {
	const agent = await rich();
	for (const [type, maximum] of types) {
		const change = { ...credential, task_type: type, location: { lat: 1, lng: 2, address: 'x' } };
		for (const [reward, isGood] of [
			[9.99, false],
			[10, true],
			[maximum, true],
			[maximum + 0.01, false],
		]) {
			const answer = await create(agent, { ...change, reward_usd: reward }),
				what = `${type} ${reward}`;
			if (isGood) assert.equal(answer.status, 201, `${what} ${answer.text}`);
			else assertFaults(answer, ['reward_usd'], what);
		}
	}
});

test('a simulated task pays from one cent', async () => {
	const agent = await s.agent();
	for (const reward of [0, 0.001, 0.009])
		assertFaults(await create(agent, { reward_usd: reward }), ['reward_usd'], String(reward));
	assert.equal((await post(s, agent, { reward_usd: 0.01 })).reward_usd, 0.01);
});

test('categories tell every type with its defaults', async () => {
	const { status, json } = await s.call('GET', '/tasks/categories');
	assert.equal(status, 200);
	assert.deepEqual(
		json.data.map((c) => [c.task_type, c.max_reward_usd]),
		types,
	);
	for (const category of json.data) {
		const isDigital = types.findIndex(([type]) => type === category.task_type) >= 4;
		assert.equal(category.task_domain, isDigital ? 'DIGITAL' : 'PHYSICAL');
		assert.ok(
			['PHOTO', 'SCREENSHOT', 'CONFIRMATION', 'ARTIFACT'].includes(category.default_proof_type),
		);
	}
});

test('type decides domain, proof and, without a place, the address', async () => {
	for (const [type, domain, proof] of [
		['PHOTO', 'PHYSICAL', 'PHOTO'],
		['CAPTCHA_SOLVING', 'DIGITAL', 'SCREENSHOT'],
		['CONTENT_REVIEW', 'DIGITAL', 'CONFIRMATION'],
		['PHONE_VERIFICATION', 'DIGITAL', 'ARTIFACT'],
	]) {
		const isDigital = domain === 'DIGITAL';
		const task = await post(s, agents.STANDARD, {
			...credential,
			task_type: type,
			location: isDigital ? undefined : { lat: 1, lng: 2, address: 'x' },
		});
		const shown = await show(s, agents.STANDARD, task.task_id);
		assert.deepEqual([shown.task_domain, shown.proof_type], [domain, proof], type);
		if (isDigital)
			assert.deepEqual(shown.location, { lat: null, lng: null, address: 'Remote/Digital' });
	}
});

/* bodies */

const nested = (depth) => '['.repeat(depth) + ']'.repeat(depth);
const bodies = [
	['', [400, 'validation_failed']],
	['{', [400, 'body_invalid']],
	['{"title":"a"', [400, 'body_invalid']],
	['[]', [400, 'body_invalid']],
	['"text"', [400, 'body_invalid']],
	['null', [400, 'body_invalid']],
	['{}{}', [400, 'body_invalid']],
	['{"a":1,}', [400, 'body_invalid']],
	["{'title':'a'}", [400, 'body_invalid']],
	['{"title":"a" /* b */}', [400, 'body_invalid']],
	['{title:"a"}', [400, 'body_invalid']],
	['\ufeff{}', [400, 'body_invalid']],
	['{"title":"\\ud800"}', [400, 'body_invalid']],
	['{"title":"\\udc00\\ud800"}', [400, 'body_invalid']],
	['{"title":"\\x41"}', [400, 'body_invalid']],
	['{"title":"a\nb"}', [400, 'body_invalid']],
	['{"title":"a\u0000b"}', [400, 'body_invalid']],
	[Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]), [400, 'body_invalid']],
	[Buffer.from('{"a":"\xc0\xaf"}', 'latin1'), [400, 'body_invalid']],
	[Buffer.from('{"a":"\xed\xa0\x80"}', 'latin1'), [400, 'body_invalid']],
	[`{"title":${nested(20)}}`, [400, 'body_invalid']],
	[`{"title":${nested(100_000)}}`, [400, 'body_invalid']],
	[`{"title":${nested(10)}}`, [400, 'validation_failed']],
];
test('hostile bodies are refused', async () => {
	for (const [raw, want] of bodies) {
		const answer = await send(agents.STANDARD, raw);
		assert.deepEqual(
			refusal(answer).slice(0, 2),
			want,
			`${String(raw).slice(0, 60)} ${answer.text.slice(0, 200)}`,
		);
	}
});

test('a name that stands twice is named, at any depth', async () => {
	const text = JSON.stringify(await taskBody(s));
	const rows = [
		[text.replace('{', '{"title":"other",'), 'title'],
		[text.replace('"lat":', '"lat":1,"lat":'), 'location.lat'],
		[text.replace('{', '{"\\u0074itle":"other",'), 'title'],
	];
	for (const [raw, field] of rows) assertFaults(await send(agents.STANDARD, raw), [field], raw.slice(0, 50));
});

test('a body of 256 KiB is read, one byte more is too large', async () => {
	const body = JSON.stringify(await taskBody(s)),
		LIMIT = 256 * 1024;
	assert.equal((await send(agents.STANDARD, body.padEnd(LIMIT, ' '))).status, 201);
	assertRefused(await send(agents.STANDARD, body.padEnd(LIMIT + 1, ' ')), 413, 'body_too_large');
});

test('only JSON is read', async () => {
	const body = JSON.stringify(await taskBody(s));
	for (const type of [
		'text/plain',
		'application/x-www-form-urlencoded',
		'application/jsonp',
		'application/json; charset=latin1',
		'multipart/form-data; boundary=x',
		'',
		null,
	])
		assertRefused(
			await send(agents.STANDARD, body, { headers: { 'Content-Type': type } }),
			415,
			'media_type_unsupported',
			String(type),
		);
	for (const type of [
		'application/json',
		'application/json; charset=utf-8',
		'Application/JSON;charset="UTF-8"',
	])
		assert.equal(
			(await send(agents.STANDARD, body, { headers: { 'Content-Type': type } })).status,
			201,
			type,
		);
});

test('hundreds of faults at once are an answer of sane size', async () => {
	const answer = await s.call('POST', '/tasks', {
		key: agents.STANDARD.key,
		body: Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`f${i}`, 1])),
	});
	assert.deepEqual([answer.status, answer.json.code], [400, 'validation_failed']);
	assert.ok(answer.text.length < 65_536);
});

/* list and show */

test('the list filters by status and pages by limit, offset and cursor', async () => {
	const agent = await rich(),
		ids = [];
	for (let i = 0; i < 25; i++) ids.unshift((await post(s, agent, { title: `n${i}` })).task_id);
	for (const id of ids.slice(0, 3)) await cancel(agent, id);
	const first = await list(agent);
	assert.deepEqual(Object.keys(first.data[0]), [
		'task_id',
		'title',
		'status',
		'task_type',
		'reward_usd',
		'operator',
		'created_at',
		'deadline',
	]);
	assert.deepEqual([first.pagination.limit, first.pagination.offset, first.pagination.total], [20, 0, 25]);
	assert.deepEqual(
		first.data.map((t) => t.task_id),
		ids.slice(0, 20),
	);
	assert.deepEqual(
		(await list(agent, '?limit=10&offset=20')).data.map((t) => t.task_id),
		ids.slice(20),
	);
	assert.deepEqual((await list(agent, '?offset=25')).data, []);
	assert.deepEqual(
		(await list(agent, '?status=CANCELLED')).data.map((t) => t.task_id),
		ids.slice(0, 3),
	);
	assert.equal((await list(agent, '?status=CANCELLED')).pagination.total, 3);
	const paged = [];
	for (let cursor = ''; cursor !== null;) {
		const page = await list(agent, `?limit=7${cursor && `&cursor=${cursor}`}`);
		paged.push(...page.data.map((t) => t.task_id));
		cursor = page.pagination.next_cursor;
	}
	assert.deepEqual(paged, ids);
	assert.equal(
		(await list(agents.SANDBOX, '?limit=100')).data.some((t) => ids.includes(t.task_id)),
		false,
	);
});

test('the list refuses what it does not know', async () => {
	const foreign = (await post(s, agents.VERIFIED)).task_id;
	const rows = [
		['status=pending', ['status']],
		['status=', ['status']],
		['limit=0', ['limit']],
		['limit=101', ['limit']],
		['limit=abc', ['limit']],
		['limit=1e9', ['limit']],
		['offset=-1', ['offset']],
		['offset=1000001', ['offset']],
		['sort=asc', ['sort']],
		['limit=5&limit=5', ['limit']],
		['limit=0&offset=x&page=1', ['limit', 'offset', 'page']],
		[`offset=5&cursor=${foreign}`, ['offset']],
	];
	for (const [query, paths] of rows)
		assertFaults(await s.call('GET', `/tasks?${query}`, { key: agents.STANDARD.key }), paths, query);
	for (const cursor of ['x', foreign, `${foreign}0`])
		assertRefused(
			await s.call('GET', `/tasks?cursor=${cursor}`, { key: agents.STANDARD.key }),
			400,
			'cursor_invalid',
			cursor,
		);
});

test("another agent's task and a malformed id are not found", async () => {
	const mine = (await post(s, agents.VERIFIED)).task_id,
		last = mine.at(-1) === '0' ? '1' : '0';
	for (const id of [
		mine,
		'x',
		'task_',
		mine.replace('task_', 'key_'),
		mine.slice(0, -1) + last,
		mine.toUpperCase(),
		randomUUID(),
		'..%2f',
		"'--",
	])
		for (const [method, where] of [
			['GET', ''],
			['POST', '/cancel'],
			['GET', '/webhooks'],
		]) {
			const answer = await s.call(method, `/tasks/${id}${where}`, { key: agents.STANDARD.key });
			assert.equal(answer.status, 404, `${method} ${id}${where} ${answer.text}`);
		}
	assert.equal((await show(s, agents.VERIFIED, mine)).status, 'PENDING');
});

/* cancel */

test('a cancelled task gives all of its money back, once', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 50 }),
		task = await post(s, agent, { reward_usd: 33.33 });
	assert.deepEqual(await balance(s, agent), [13.34, 36.66]);
	const done = await cancel(agent, task.task_id);
	assert.deepEqual(
		[done.status, done.json],
		[200, { task_id: task.task_id, status: 'CANCELLED', refunded_usd: 36.66 }],
	);
	assert.deepEqual(await balance(s, agent), [50, 0]);
	const again = await cancel(agent, task.task_id);
	assertRefused(again, 409, 'task_state_conflict');
	assert.deepEqual([again.json.details.status, again.json.details.allowed], ['CANCELLED', []]);
	const shown = await show(s, agent, task.task_id);
	assert.deepEqual(
		[shown.status, shown.cancel_reason, shown.events.map((e) => e.to)],
		['CANCELLED', 'agent', ['PENDING', 'CANCELLED']],
	);
});

test('many at once cancel a task once', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 50 }),
		task = await post(s, agent);
	const statuses = (await Promise.all(Array.from({ length: 8 }, () => cancel(agent, task.task_id)))).map(
		(a) => a.status,
	);
	assert.deepEqual(statuses.sort(), [200, ...Array(7).fill(409)]);
	assert.deepEqual(await balance(s, agent), [50, 0]);
});

/* The moves of a real task that have no call yet are made in the database, as the worker makes them. */
test('a task can be cancelled until work has begun', async () => {
	const agent = await rich();
	const move = (id, event, actor) =>
		s.sql(
			`select status from task_move(${agent.bucket}, '${id}', '${event}', '${actor}', null, '{}', '${new Date().toISOString()}')`,
		);
	const uuid = async (title) => (await s.sql(`select id from tasks where title = '${title}'`))[0].id;
	const way = [
		['PENDING', 200, null],
		['ESTIMATE_PENDING', 200, ['accept', 'operator']],
		['ACCEPTED', 200, ['approve', 'agent']],
		['IN_PROGRESS', 409, ['start', 'operator']],
		['SUBMITTED', 409, ['submit', 'operator']],
		['DISPUTED', 409, ['fail', 'guardian']],
	];
	for (let end = 0; end < way.length; end++) {
		const title = randomUUID(),
			task = await post(s, agent, { title });
		for (const [, , step] of way.slice(1, end + 1)) await move(await uuid(title), ...step);
		const [status, want] = way[end],
			answer = await cancel(agent, task.task_id);
		assert.equal(answer.status, want, `${status} ${answer.text}`);
		if (want === 200) assert.equal(answer.json.refunded_usd, 11);
		else assert.equal(answer.json.details.status, status);
	}
	const [, escrow] = await balance(s, agent);
	assert.equal(escrow, 33);
});

test('cancel takes no fields', async () => {
	const task = await post(s, agents.VERIFIED);
	assertFaults(
		await s.call('POST', `/tasks/${task.task_id}/cancel`, {
			key: agents.VERIFIED.key,
			body: { reason: 'x' },
		}),
		['reason'],
	);
	assert.equal(
		(await s.call('POST', `/tasks/${task.task_id}/cancel`, { key: agents.VERIFIED.key, body: {} }))
			.status,
		200,
	);
});

test('a task past its deadline is cancelled by the sweeper and refunded', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 50 }),
		task = await post(s, agent, { deadline: await s.time(600) });
	await s.sweep();
	assert.equal((await show(s, agent, task.task_id)).status, 'PENDING');
	await s.advance(601);
	await s.sweep();
	await s.sweep();
	const shown = await show(s, agent, task.task_id);
	assert.deepEqual([shown.status, shown.cancel_reason], ['CANCELLED', 'expired']);
	assert.deepEqual(await balance(s, agent), [50, 0]);
});

/* tiers */

/* Moves the clock to shortly after the next UTC midnight, so that a test's day does not end within it. */
async function newDay() {
	const at = await s.now();
	await s.advance(Math.ceil((Math.ceil(at / 86_400_000) * 86_400_000 - at) / 1000) + 1);
}

function assertOver(answer, exceeded, limit) {
	assertRefused(answer, 403, 'tier_limit_exceeded');
	assert.equal(answer.json.details.exceeded, exceeded, answer.text);
	assert.equal(answer.json.details.limits[exceeded], limit);
	assert.ok(answer.json.details.how_to_upgrade);
}

/* tier, most tasks a day, highest reward, most spend a day, as the reference's table has them */
for (const [tier, tasks, value, spend] of [
	['SANDBOX', 50, 10, 10],
	['VERIFIED', 10, 100, 200],
	['STANDARD', 100, 10_000, 50_000],
])
	test(`${tier} agents post to the limit of the day and not beyond, and again on the next`, async () => {
		const make = () => s.agent({ tier, deposit: tier === 'SANDBOX' ? 0 : 200_000 }),
			small = tier === 'SANDBOX' ? 0.01 : 10;
		await newDay();
		const counter = await make(),
			spender = await make();
		const ids = await Promise.all(
			Array.from(
				{ length: tasks },
				async () => (await post(s, counter, { reward_usd: small })).task_id,
			),
		);
		assertOver(await create(counter, { reward_usd: small }), 'max_daily_tasks', tasks);
		await cancel(counter, ids[0]);
		assertOver(await create(counter, { reward_usd: small }), 'max_daily_tasks', tasks);

		if (tier !== 'STANDARD')
			/* there the type's maximum comes first */
			assertOver(
				await create(spender, { reward_usd: value + 0.01 }),
				'max_task_value_usd',
				value,
			);
		await post(s, spender, { reward_usd: value });
		for (let spent = value; spent < spend; spent += value)
			await post(s, spender, { reward_usd: value });
		assertOver(await create(spender, { reward_usd: small }), 'max_daily_spend_usd', spend);

		await newDay();
		await post(s, counter, { reward_usd: small });
		await post(s, spender, { reward_usd: value });
	});

test('what was cancelled is no spend of the day; the last cent of a limit can be used', async () => {
	await newDay();
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 1000 }),
		first = await post(s, agent, { reward_usd: 100 });
	await post(s, agent, { reward_usd: 89.99 });
	assertOver(await create(agent, { reward_usd: 10.02 }), 'max_daily_spend_usd', 200);
	await post(s, agent, { reward_usd: 10.01 });
	assertOver(await create(agent, { reward_usd: 10 }), 'max_daily_spend_usd', 200);
	await cancel(agent, first.task_id);
	await post(s, agent, { reward_usd: 100 });
});

test('limits hold against requests at the same moment', async () => {
	await newDay();
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 1000 });
	const statuses = await Promise.all(
		Array.from({ length: 30 }, async () => (await create(agent, { reward_usd: 20 })).status),
	);
	assert.equal(statuses.filter((status) => status === 201).length, 10);
	assert.equal(statuses.filter((status) => status === 403).length, 20);
});

test('verified agents may simulate, within the sandbox limits and beside their own', async () => {
	await newDay();
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 11 }),
		simulated = await post(s, agent, { sandbox: true, reward_usd: 10 });
	assert.equal(simulated.sandbox, true);
	assert.deepEqual(await balance(s, agent), [11, 0]);
	assertOver(await create(agent, { sandbox: true, reward_usd: 0.01 }), 'max_daily_spend_usd', 10);
	assert.equal('sandbox' in (await post(s, agent, { sandbox: false })), false);
	assert.deepEqual(await balance(s, agent), [0, 11]);
	assert.equal(
		(await post(s, agents.SANDBOX, { sandbox: false, reward_usd: 1 })).sandbox,
		true,
		'tier SANDBOX only simulates',
	);
});

/* fees */

/* A past task, as if it had been posted so many days ago; it has been paid or cancelled since. */
async function pastTask(agent, dollars, { days = 1, status = 'COMPLETED', is_sandbox = false } = {}) {
	const when = `'${await s.time(-days * DAY)}'::timestamptz`;
	await s.sql(`insert into tasks (bucket, id, agent_id, key_id, status, is_sandbox, scenario, title, description, address, reward, fee, deadline, late_at,
		proof_requirements, task_type, task_domain, proof_type, created_at, completed_at, cancelled_at)
		values (${agent.bucket}, id_new(${agent.bucket}, ${when}), '${agent.uuid}', (select id from api_keys where bucket = ${agent.bucket} and
		agent_id = '${agent.uuid}' limit 1), '${status}', ${is_sandbox}, ${is_sandbox ? "'approve'" : 'null'}, 'past', 'past', 'x', ${Math.round(dollars * 1e6)}, 1000000,
		${when}, ${when}, '["x"]', 'PHOTO', 'PHYSICAL', 'PHOTO', ${when}, ${status === 'COMPLETED' ? when : 'null'}, ${status === 'CANCELLED' ? when : 'null'})`);
}

test('the fee follows the trailing thirty days, to the cent of a boundary', async () => {
	const rows = [
		[0, 10],
		[4999.99, 10],
		[5000, 8],
		[5000.01, 8],
		[24_999.99, 8],
		[25_000, 8],
		[25_000.01, 5],
		[1_000_000, 5],
	];
	for (const [spent, percent] of rows) {
		const agent = await rich();
		if (spent > 0) await pastTask(agent, spent);
		assert.equal(
			(await post(s, agent, { reward_usd: 1000 })).platform_fee,
			10 * percent,
			`after ${spent}`,
		);
	}
});

test('the fee rises and falls by real posts, the present one not counted', async () => {
	const agent = await rich();
	for (const [reward, fee] of [
		[4999.99, 500],
		[100, 10],
		[100, 8],
	])
		assert.equal((await post(s, agent, { reward_usd: reward })).platform_fee, fee);
});

test('cancelled, simulated and old tasks are no spend', async () => {
	const agent = await rich();
	await pastTask(agent, 9000, { status: 'CANCELLED' });
	await pastTask(agent, 9000, { is_sandbox: true });
	await pastTask(agent, 9000, { days: 30.01 });
	assert.equal((await post(s, agent, { reward_usd: 100 })).platform_fee, 10);
	await pastTask(agent, 5000, { days: 29.99 });
	assert.equal((await post(s, agent, { reward_usd: 100 })).platform_fee, 8);
});

test('fees are rounded half up to the cent and never below a dollar', async () => {
	/* spent before, reward, fee: 5 % of 20.10 is 1.005 */
	const rows = [
		[0, 10, 1],
		[0, 10.05, 1.01],
		[0, 10.04, 1],
		[0, 10.15, 1.02],
		[0, 33.33, 3.33],
		[0, 99.95, 10],
		[5000, 12.5, 1],
		[5000, 12.56, 1],
		[5000, 12.57, 1.01],
		[30_000, 20, 1],
		[30_000, 20.1, 1.01],
		[30_000, 20.09, 1],
		[30_000, 10_000, 500],
	];
	const agents = new Map();
	for (const [spent, reward, fee] of rows) {
		if (!agents.has(spent)) {
			agents.set(spent, await rich());
			if (spent > 0) await pastTask(agents.get(spent), spent);
		}
		assert.equal(
			(await post(s, agents.get(spent), { reward_usd: reward })).platform_fee,
			fee,
			`${reward} after ${spent}`,
		);
	}
	assert.equal((await post(s, await s.agent(), { reward_usd: 0.01 })).platform_fee, 1);
});

/* money and idempotency */

test('without enough money a task is 402, tells what is missing and changes nothing', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 10.99 }),
		answer = await create(agent);
	assertRefused(answer, 402, 'insufficient_balance');
	assert.deepEqual(answer.json.details, {
		required_usd: 11,
		reward_usd: 10,
		platform_fee: 1,
		deposit_balance: 10.99,
	});
	assert.deepEqual(await balance(s, agent), [10.99, 0]);
	assert.equal((await list(agent)).pagination.total, 0);
	await s.deposit(agent, 0.01);
	await post(s, agent);
	assert.deepEqual(await balance(s, agent), [0, 11]);
});

const keyed = (agent, body, key) =>
	s.call('POST', '/tasks', { key: agent.key, body, headers: { 'Idempotency-Key': key } });

test('the same key and body get the first answer again, and one task', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 }),
		body = await taskBody(s),
		key = randomUUID();
	const first = await keyed(agent, body, key),
		second = await keyed(agent, body, key);
	assert.deepEqual([first.status, first.headers['idempotent-replayed']], [201, undefined]);
	assert.deepEqual(
		[second.status, second.headers['idempotent-replayed'], second.text],
		[201, 'true', first.text],
	);
	assert.notEqual(first.headers['x-request-id'], second.headers['x-request-id']);
	assertRefused(await keyed(agent, { ...body, title: 'other' }, key), 409, 'idempotency_mismatch');
	assert.equal((await list(agent)).pagination.total, 1);
	assert.deepEqual(await balance(s, agent), [89, 11]);
	const other = await s.agent({ tier: 'VERIFIED', deposit: 100 });
	assert.equal(
		(await keyed(other, body, key)).headers['idempotent-replayed'],
		undefined,
		"another agent's key is another key",
	);
});

test('a key is for its route: cancelling with the key of the creation cancels', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 }),
		key = randomUUID(),
		made = await keyed(agent, await taskBody(s), key);
	const again = () =>
		s.call('POST', `/tasks/${made.json.task_id}/cancel`, {
			key: agent.key,
			headers: { 'Idempotency-Key': key },
		});
	const [first, second] = [await again(), await again()];
	assert.deepEqual([first.status, second.status, second.headers['idempotent-replayed']], [200, 200, 'true']);
	assert.deepEqual(await balance(s, agent), [100, 0]);
});

test('a refusal frees the key: after 402, money and the same key make the task', async () => {
	const agent = await s.agent({ tier: 'VERIFIED' }),
		body = await taskBody(s),
		key = randomUUID();
	assertRefused(await keyed(agent, body, key), 402, 'insufficient_balance');
	assertFaults(await keyed(agent, { ...body, title: '' }, key), ['title']);
	await s.deposit(agent, 11);
	const made = await keyed(agent, body, key);
	assert.deepEqual([made.status, made.headers['idempotent-replayed']], [201, undefined]);
});

test('sixty-four creations with one key at once make one task', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 }),
		body = await taskBody(s),
		key = randomUUID();
	const answers = await Promise.all(Array.from({ length: 64 }, () => keyed(agent, body, key)));
	for (const answer of answers)
		if (answer.status === 409) {
			assert.equal(answer.json.code, 'idempotency_in_progress');
			assert.equal(answer.headers['retry-after'], '1');
		} else assert.equal(answer.status, 201, answer.text);
	assert.equal(new Set(answers.filter((a) => a.status === 201).map((a) => a.json.task_id)).size, 1);
	assert.equal((await list(agent)).pagination.total, 1);
});

test('a key is kept for thirty days', async () => {
	const agent = await s.agent({ tier: 'VERIFIED', deposit: 100 }),
		body = await taskBody(s, { deadline: await s.time(60 * DAY) }),
		key = randomUUID();
	const first = await keyed(agent, body, key);
	await s.advance(30 * DAY - 600);
	await s.sweep();
	assert.equal((await keyed(agent, body, key)).json.task_id, first.json.task_id);
	await s.advance(601);
	assert.notEqual((await keyed(agent, body, key)).json.task_id, first.json.task_id);
});

test('a key is 1 to 255 visible characters', async () => {
	const body = await taskBody(s, { reward_usd: 0.01 }),
		agent = await s.agent();
	for (const key of ['x', '~'.repeat(255), '"quoted"', '../../x'])
		assert.equal((await keyed(agent, body, key)).status, 201, key);
	for (const key of ['', 'x'.repeat(256), 'tab\there', '\u00e9'])
		assertRefused(await keyed(agent, body, key), 400, 'header_invalid', key);
});

test("a key's budget counts reward and fee of its real tasks by the day", async () => {
	await newDay();
	const agent = await s.agent({ tier: 'STANDARD', deposit: 1000 });
	const made = await s.call('POST', '/agents/keys', {
		key: agent.key,
		body: { scopes: ['tasks', 'read'], max_daily_spend_usd: 33 },
	});
	const limited = { ...agent, key: made.json.api_key };
	await post(s, limited, { reward_usd: 10 });
	await post(s, limited, { sandbox: true });
	const over = await create(limited, { reward_usd: 20.01 });
	assertRefused(over, 403, 'key_budget_exceeded');
	assert.deepEqual(over.json.details, { max_daily_spend_usd: 33, spent_today_usd: 11, required_usd: 22.01 });
	await post(s, limited, { reward_usd: 20 });
	assertRefused(await create(limited), 403, 'key_budget_exceeded');
	await post(s, agent, { reward_usd: 100 });
	await newDay();
	await post(s, limited, { reward_usd: 20 });
	const none = await s.call('POST', '/agents/keys', { key: agent.key, body: { max_daily_spend_usd: 0 } });
	assertRefused(await create({ key: none.json.api_key }), 403, 'key_budget_exceeded');
});

test('the ledger balances after all of this', async () => {
	/* Past tasks were written without their money. */
	await s.sql("delete from tasks where title = 'past'");
	assert.deepEqual(await s.audit(), []);
});

/* callbacks where private addresses are not allowed */

const privateUrls = [
	'https://127.0.0.1/',
	'https://localhost/',
	'https://LOCALHOST:8443/',
	'https://localhost./',
	'https://a.localhost/',
	'https://127.1/',
	'https://2130706433/',
	'https://0x7f000001/',
	'https://0x7f.1/',
	'https://0177.0.0.1/',
	'https://017700000001/',
	'https://0/',
	'https://0.0.0.0/',
	'https://10.0.0.1/',
	'https://172.16.0.1/',
	'https://172.31.255.255/',
	'https://192.168.1.1/',
	'https://169.254.169.254/latest/meta-data/',
	'https://100.64.0.1/',
	'https://224.0.0.1/',
	'https://255.255.255.255/',
	'https://[::1]/',
	'https://[::]/',
	'https://[::ffff:127.0.0.1]/',
	'https://[::ffff:7f00:1]/',
	'https://[fc00::1]/',
	'https://[fd00:ec2::254]/',
	'https://[fe80::1]/',
	'https://[64:ff9b::7f00:1]/',
	'https://[2002:7f00:1::]/',
	'https://[::127.0.0.1]/',
	'https://[ff02::1]/',
	'https://%31%32%37.0.0.1/',
	'https://１２７.0.0.1/',
	'http://user@127.0.0.1/',
];
const publicUrls = [
	'https://example.com/',
	'https://8.8.8.8/',
	'https://172.32.0.1/',
	'https://[2606:4700::1111]/',
	'https://localhost.example.com/',
];

test('callbacks to private addresses are refused in every spelling', async () => {
	const own = await stack({ settings: ['WEBHOOK_ALLOW_PRIVATE=false'] }),
		agent = await own.agent();
	const send = async (url) =>
		own.call('POST', '/tasks', {
			key: agent.key,
			body: await taskBody(own, { callback_url: url, reward_usd: 0.01 }),
		});
	for (const url of privateUrls) assertFaults(await send(url), ['callback_url'], url);
	for (const url of publicUrls) assert.equal((await send(url)).status, 201, url);
	await own.stop();
});
