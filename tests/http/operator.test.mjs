/*
 * Operators over HTTPS: signing in by an issuer's tokens, profile, what is open and what is theirs, and handing in each kind
 * of proof.  No operator is let in by a header here; what a forged token looks like in detail is tested with token.c.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { newKey, startIssuer } from '../issuer.mjs';
import { form, jpeg, pdf, png } from '../pictures.mjs';
import { keyPair, seal, unseal } from '../sealed.mjs';
import { stack } from '../stack.mjs';
import { assertFaults, assertRefused } from './forms.mjs';

let s = null;
const issuer = await startIssuer({ now: () => (s ? Date.now() + clock : Date.now()) });
let clock = 0, people = 0;
after(() => issuer.stop());
s = await stack({ settings: issuer.settings });

async function advance(seconds) {
  clock = (await s.advance(seconds)) - Date.now();
}

async function ok(answer, status = 200) {
  const got = await answer;
  assert.equal(got.status, status, got.text);
  return got.json;
}

/* Somebody with a token; each call of `call` bears a fresh one. */
function person(sub = `user_${++people}`, claims = {}) {
  const call = (method, where, body, more = {}) => s.call(method, `/operator${where}`, { ...more, body,
    headers: { Authorization: `Bearer ${issuer.token({ sub, ...claims })}`, ...more.headers } });
  const upload = async (bytes, query = '', type = 'image/jpeg') => ok(call('POST', `/upload${query}`, undefined,
    { raw: bytes, headers: { 'Content-Type': type } }), 201);
  return { sub, call, upload };
}

const profile = { name: 'Jane D.', email: 'jane@example.com', phone: '+1 234 567-890' };

async function operator(change = {}) {
  const who = person(), made = await ok(who.call('POST', '/register', { ...profile, ...change }), 201);
  return { ...who, id: made.operator_id };
}

const newAgent = () => s.agent({ tier: 'STANDARD', deposit: 2000 });

async function posted(agent, change = {}) {
  return (await ok(s.call('POST', '/tasks', { key: agent.key, body: { title: 'Check the data', description: 'Compare list and window.',
    reward_usd: 20, deadline: await s.time(3 * 86400), proof_requirements: ['Result for each item, with the source'],
    task_type: 'DATA_VALIDATION', proof_type: 'CONFIRMATION', ...change } }), 201)).task_id;
}

async function accepted(agent, op, change) {
  const task = await posted(agent, change);
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }));
  await ok(s.call('POST', `/tasks/${task}/estimate/approve`, { key: agent.key }));
  return task;
}

const place = { lat: 48.2, lng: 16.37, address: 'Vienna' };
const photoTask = { task_type: 'PHOTO', proof_type: 'PHOTO', location: place, proof_requirements: ['A photo of the door'] };

test('somebody with a token registers once, and is that operator from then on', async () => {
  const who = person();
  assertRefused(await who.call('GET', '/me'), 403, 'operator_required');
  const made = await ok(who.call('POST', '/register', { ...profile, location: { city: 'Vienna', country: 'AT', lat: 48.2, lng: 16.4 },
    skills: ['PHOTO', 'DELIVERY'] }), 201);
  assert.deepEqual([Object.keys(made), made.kyc_status], [['operator_id', 'name', 'kyc_status'], 'VERIFIED']);
  const me = await ok(who.call('GET', '/me'));
  assert.deepEqual([me.operator_id, me.location, me.skills, me.rating, me.rating_count],
    [made.operator_id, { city: 'Vienna', country: 'AT', lat: 48.2, lng: 16.4 }, ['PHOTO', 'DELIVERY'], null, 0]);
  assertRefused(await who.call('POST', '/register', profile), 409, 'operator_exists');
  assert.notEqual((await operator()).id, made.operator_id);
  assert.equal((await ok(who.call('GET', '/me'))).operator_id, made.operator_id);
});

test('two registrations of one person at once make one operator', async () => {
  const who = person();
  const answers = await Promise.all(Array.from({ length: 8 }, () => who.call('POST', '/register', profile)));
  assert.deepEqual(answers.map((a) => a.status).sort(), [201, ...Array(7).fill(409)]);
  assert.equal((await s.sql(`select 1 from operators where subject = '${issuer.url} ${who.sub}'`)).length, 1);
});

test('registration names every faulty field', async () => {
  const who = person();
  assertFaults(await who.call('POST', '/register', {}), ['name', 'email']);
  for (const [change, fields] of [[{ name: '' }, ['name']], [{ email: 'jane' }, ['email']], [{ phone: 'call me' }, ['phone']],
    [{ location: { lat: 48 } }, ['location.lng']], [{ location: { lat: 91, lng: 0 } }, ['location.lat']], [{ skills: ['JUGGLING'] }, ['skills[0]']],
    [{ kyc_status: 'VERIFIED' }, ['kyc_status']], [{ name: 'x'.repeat(101), email: 'x', phone: 'x' }, ['name', 'email', 'phone']]])
    assertFaults(await who.call('POST', '/register', { ...profile, ...change }), fields, JSON.stringify(change));
  assertRefused(await who.call('GET', '/me'), 403, 'operator_required');
});

test('the issuer may change its keys', async () => {
  const op = await operator();
  for (const alg of ['ES256', 'RS256']) {
    const old = issuer.key();
    issuer.rotate(alg);
    await advance(61);
    /* Each process finds out by itself. */
    for (let i = 0; i < 16; i++)
      await ok(op.call('GET', '/me'));
    assertRefused(await s.call('GET', '/operator/me', { headers: { Authorization: `Bearer ${issuer.token({ sub: op.sub }, old)}` } }), 401, 'unauthorized');
  }
});

test('no forged token is let in, and none of them says why', async () => {
  const op = await operator(), count = (await s.sql('select 1 from operators')).length;
  for (const [what, token] of Object.entries(issuer.forgeries())) {
    const headers = { Authorization: `Bearer ${token}` };
    for (const [method, where, body] of [['GET', '/operator/me'], ['POST', '/operator/register', profile], ['GET', '/operator/tasks']]) {
      const answer = await s.call(method, where, { body, headers });
      assertRefused(answer, 401, 'unauthorized', what);
      assert.deepEqual(answer.json.details, {}, what);
    }
  }
  for (const headers of [{}, { Authorization: '' }, { Authorization: 'Bearer' }, { Authorization: 'Bearer ' }, { Authorization: `Basic ${issuer.token()}` },
    { Authorization: issuer.token() }, { 'X-API-Key': issuer.token() }, { Cookie: `__session=${issuer.token()}` }])
    assertRefused(await s.call('GET', '/operator/me', { headers }), 401, 'unauthorized', JSON.stringify(headers));
  assert.equal((await s.sql('select 1 from operators')).length, count);
  await ok(op.call('GET', '/me'));
});

test('the header of development is nothing where it was not allowed', async () => {
  const op = await operator();
  const headers = { 'X-Operator-Id': op.id };
  for (const [method, where, body] of [['GET', '/operator/me'], ['POST', '/operator/register', profile], ['PATCH', '/operator/me', { name: 'Eve' }],
    ['GET', '/operator/earnings']])
    assertRefused(await s.call(method, where, { body, headers }), 401, 'unauthorized');
  const other = await operator();
  assert.equal((await ok(other.call('GET', '/me', undefined, { headers }))).operator_id, other.id, 'nor does it change whose token it is');
});

test('tokens are checked while the issuer is down', async () => {
  const op = await operator();
  for (let i = 0; i < 16; i++)
    await ok(op.call('GET', '/me'));
  await issuer.down();
  await advance(11 * 60);
  for (let i = 0; i < 8; i++)
    await ok(op.call('GET', '/me'));
  assertRefused(await s.call('GET', '/operator/me', { headers: { Authorization: `Bearer ${issuer.token({ sub: op.sub }, newKey())}` } }), 401, 'unauthorized');
  await issuer.up();
});

test('a profile changes in what is given alone', async () => {
  const op = await operator({ location: { city: 'Vienna', lat: 48.2, lng: 16.4 }, skills: ['PHOTO'] });
  const before = await ok(op.call('GET', '/me'));
  assert.deepEqual(await ok(op.call('PATCH', '/me', {})), before);
  assert.deepEqual(await ok(op.call('PATCH', '/me', { name: 'Jane E.', location: { city: 'Graz' } })),
    { ...before, name: 'Jane E.', location: { ...before.location, city: 'Graz' } });
  assert.deepEqual((await ok(op.call('PATCH', '/me', { skills: ['DELIVERY'] }))).skills, ['DELIVERY']);
  assert.deepEqual((await ok(op.call('PATCH', '/me', { location: { lat: -33.9, lng: 151.2 } }))).location.lat, -33.9);
  for (const [body, fields] of [[{ email: 'new@example.com' }, ['email']], [{ kyc_status: 'VERIFIED' }, ['kyc_status']], [{ rating: 5 }, ['rating']],
    [{ location: { lng: 5 } }, ['location.lat']], [{ phone: 'x' }, ['phone']], [{ name: 7 }, ['name']]])
    assertFaults(await op.call('PATCH', '/me', body), fields, JSON.stringify(body));
  assert.equal((await ok(op.call('GET', '/me'))).name, 'Jane E.');
});

test('the feed is filtered, paged, and never shows what cannot be claimed', async () => {
  const agent = await newAgent(), op = await operator(), other = await operator();
  const list = async (query) => (await ok(op.call('GET', `/tasks?limit=100&${query}`))).data.map((t) => t.task_id);
  const photo = await posted(agent, photoTask), data = await posted(agent), sandbox = await posted(agent, { sandbox: true, reward_usd: 1 });
  const taken = await accepted(agent, other), short = await posted(agent, { deadline: await s.time(7200) });
  const cancelled = await posted(agent);
  await ok(s.call('POST', `/tasks/${cancelled}/cancel`, { key: agent.key }));
  await advance(7300);
  const all = await list('');
  assert.deepEqual([photo, data, sandbox, taken, short, cancelled].map((t) => all.includes(t)), [true, true, false, false, false, false]);
  assert.deepEqual([photo, data].map((t) => t), (await list('')).filter((t) => [photo, data].includes(t)).reverse(), 'newest first');
  assert.ok((await list('task_type=PHOTO')).includes(photo) && !(await list('task_type=PHOTO')).includes(data));
  assert.ok((await list('task_domain=DIGITAL')).includes(data) && !(await list('task_domain=DIGITAL')).includes(photo));
  assert.ok((await list('lat=48.2&lng=16.4&radius_km=5')).includes(photo), 'and digital work is everywhere');
  assert.ok(!(await list('lat=47&lng=16.4&radius_km=5')).includes(photo));
  const first = await ok(op.call('GET', '/tasks?limit=1')), second = await ok(op.call('GET', '/tasks?limit=1&offset=1'));
  assert.deepEqual([first.data.length, first.pagination.limit, first.pagination.offset], [1, 1, 0]);
  assert.ok(first.pagination.total >= 2 && first.data[0].task_id !== second.data[0].task_id);
  for (const [query, fields] of [['limit=0', ['limit']], ['limit=101', ['limit']], ['offset=-1', ['offset']], ['limit=x&offset=y', ['limit', 'offset']],
    ['task_type=NAP', ['task_type']], ['task_domain=SPACE', ['task_domain']], ['lat=48', ['lng']], ['lat=91&lng=0', ['lat']], ['radius_km=5', ['radius_km']],
    ['radius_km=-1&lat=1&lng=1', ['radius_km']], ['status=PENDING', ['status']], ['limit=1&limit=2', ['limit']]])
    assertFaults(await op.call('GET', `/tasks?${query}`), fields, query);
  for (const [query, fields] of [['status=OPEN', ['status']], ['limit=0', ['limit']], ['agent=x', ['agent']]])
    assertFaults(await op.call('GET', `/tasks/mine?${query}`), fields, query);
});

test('an operator sees what is open and what is theirs, and nothing of others', async () => {
  const agent = await newAgent(), op = await operator(), other = await operator();
  const task = await posted(agent, photoTask);
  const open = await ok(op.call('GET', `/tasks/${task}`));
  assert.deepEqual([open.status, open.location.lat, open.proof_requirements], ['PENDING', 48.2, ['A photo of the door']]);
  for (const secret of ['callback_url', 'platform_fee_usd', 'agent_id', 'operator', 'estimate', 'proof', 'callback_secret'])
    assert.ok(!(secret in open), secret);
  await ok(op.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1, estimate_note: 'Soon' }));
  assert.equal((await ok(op.call('GET', `/tasks/${task}`))).estimate.estimate_note, 'Soon');
  assert.deepEqual((await ok(op.call('GET', '/tasks/mine'))).data.map((t) => t.task_id), [task]);
  assert.deepEqual((await ok(op.call('GET', '/tasks/mine?status=COMPLETED'))).data, []);
  assert.deepEqual((await ok(other.call('GET', '/tasks/mine'))).data, []);
  assertRefused(await other.call('GET', `/tasks/${task}`), 404, 'task_not_found');
  assertRefused(await other.call('POST', `/tasks/${task}/accept`, { estimate_hours: 1 }), 409, 'task_state_conflict');
  for (const act of ['withdraw-claim', 'start', 'submit'])
    assertRefused(await other.call('POST', `/tasks/${task}/${act}`, act === 'submit' ? { confirmation_text: 'x' } : undefined), 404, 'task_not_found', act);
  const sandbox = await posted(agent, { sandbox: true, reward_usd: 1, sandbox_scenario: 'no_operator' });
  assertRefused(await op.call('GET', `/tasks/${sandbox}`), 404, 'task_not_found');
  assertRefused(await op.call('POST', `/tasks/${sandbox}/accept`, { estimate_hours: 1 }), 404, 'task_not_found');
  for (const id of ['task_x', op.id, 'task_00000000000000000000000000'])
    assertRefused(await op.call('GET', `/tasks/${id}`), 404, 'task_not_found', id);
});

test('photos and screenshots are handed in as uploads of one\'s own, for this task', async () => {
  const agent = await newAgent(), op = await operator(), other = await operator();
  const task = await accepted(agent, op, photoTask), second = await accepted(agent, op, photoTask);
  const screens = await accepted(agent, op, { task_type: 'FORM_FILLING', proof_type: 'SCREENSHOT', proof_requirements: ['Screenshot of the end'] });
  const mine = await op.upload(jpeg(), `?task_id=${task}`), theirs = await other.upload(jpeg()), elsewhere = await op.upload(jpeg(), `?task_id=${second}`);
  const submit = (id, body) => op.call('POST', `/tasks/${id}/submit`, body);
  for (const [body, fields] of [[{}, ['photos']], [{ photos: [] }, ['photos']], [{ notes: 'x' }, ['photos']], [{ confirmation_text: 'Done' }, ['photos']],
    [{ photos: mine.url }, ['photos']], [{ photos: [7] }, ['photos[0]']], [{ photos: Array(21).fill(mine.url) }, ['photos']],
    [{ photos: [mine.url, theirs.url] }, ['photos[1]']], [{ photos: [elsewhere.url] }, ['photos[0]']],
    [{ photos: ['https://example.com/a.jpg', mine.url, 'file:///etc/passwd'] }, ['photos[0]', 'photos[2]']],
    [{ photos: [mine.url], encrypted_credential: seal(keyPair().publicKey, task, {}) }, ['encrypted_credential']],
    [{ photos: [mine.url], reference_url: 'javascript:alert(1)' }, ['reference_url']], [{ photos: [mine.url], proof: 'x' }, ['proof']]])
    assertFaults(await submit(task, body), fields, JSON.stringify(body).slice(0, 200));
  assert.equal((await ok(submit(task, { photos: [mine.url], notes: 'The door, as asked.' }))).status, 'SUBMITTED');
  const seen = (await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).proof;
  assert.deepEqual([seen.photos.length, seen.files[0].sha256, seen.notes], [1, mine.sha256, 'The door, as asked.']);
  assert.ok(!('original' in seen.files[0]) && !('stored' in seen.files[0]));
  const free = await op.upload(png(), '', 'image/png');
  await ok(submit(screens, { photos: [free.url] }));
  assertFaults(await submit(second, { photos: [free.url] }), ['photos[0]'], 'what has proven one task proves no other');
  assertRefused(await submit(task, { photos: [mine.url] }), 409, 'task_state_conflict');
});

test('a confirmation is handed in as text', async () => {
  const agent = await newAgent(), op = await operator(), task = await accepted(agent, op);
  const submit = (body) => op.call('POST', `/tasks/${task}/submit`, body);
  for (const [body, fields] of [[{}, ['confirmation_text']], [{ confirmation_text: '' }, ['confirmation_text']],
    [{ confirmation_text: 'x'.repeat(10001) }, ['confirmation_text']], [{ confirmation_text: 'Done', reference_url: 'ftp://x' }, ['reference_url']],
    [{ confirmation_text: 'Done', encrypted_credential: {} }, ['encrypted_credential.ciphertext', 'encrypted_credential.iv',
      'encrypted_credential.ephemeralPublicKey', 'encrypted_credential.algorithm', 'encrypted_credential']]])
    assertFaults(await submit(body), fields, JSON.stringify(body).slice(0, 200));
  await ok(submit({ confirmation_text: 'Eleven of twelve agree.', reference_url: 'https://example.com/list' }));
});

test('an artifact that is no credential is handed in as files', async () => {
  const agent = await newAgent(), op = await operator();
  const task = await accepted(agent, op, { proof_type: 'ARTIFACT', proof_requirements: ['The filled-in list as PDF'] });
  const file = await op.upload(pdf(), `?task_id=${task}`, 'application/pdf');
  assertFaults(await op.call('POST', `/tasks/${task}/submit`, { notes: 'Here it is' }), ['photos']);
  await ok(op.call('POST', `/tasks/${task}/submit`, { photos: [file.url] }));
  assert.equal((await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).proof.files[0].media_type, 'application/pdf');
  assertRefused(await s.call('GET', `/tasks/${task}/retrieve-credential`, { key: agent.key }), 404, 'credential_not_found');
});

test('a credential goes sealed from operator to agent, and nobody between can read it', async () => {
  const agent = await newAgent(), op = await operator(), pair = keyPair(), credential = { username: 'jane', password: 'päß 🔑', url: 'https://example.com' };
  const task = await accepted(agent, op, { title: 'Get a weather API key', description: 'Sign up for the free plan of a weather service in our company\'s name.',
    task_type: 'API_KEY_PROCUREMENT', proof_type: 'ARTIFACT', proof_requirements: ['API key, encrypted'], agent_public_key: pair.publicKey });
  assert.equal((await ok(op.call('GET', `/tasks/${task}`))).agent_public_key, pair.publicKey);
  const submit = (blob, more = {}) => op.call('POST', `/tasks/${task}/submit`, { encrypted_credential: blob, ...more });
  const good = seal(pair.publicKey, task, credential), at = (name) => `encrypted_credential.${name}`;
  assertFaults(await op.call('POST', `/tasks/${task}/submit`, { notes: 'In clear: jane' }), ['encrypted_credential']);
  for (const [change, fields] of [[{ iv: 'AAAA' }, ['iv']], [{ iv: '!'.repeat(16) }, ['iv']], [{ ciphertext: '*'.repeat(40) }, ['ciphertext']],
    [{ ciphertext: Buffer.alloc(16).toString('base64') }, ['ciphertext']], [{ ephemeralPublicKey: Buffer.alloc(65, 4).toString('base64') }, ['ephemeralPublicKey']],
    [{ algorithm: 'none' }, ['algorithm']], [{ ciphertext: undefined, iv: undefined }, ['ciphertext', 'iv']], [{ plaintext: 'x' }, ['plaintext']]])
    assertFaults(await submit({ ...good, ...change }), fields.map(at), JSON.stringify(change));
  assertRefused(await s.call('GET', `/tasks/${task}/retrieve-credential`, { key: agent.key }), 409, 'task_state_conflict');
  await ok(submit(good, { notes: 'Sealed for you.' }));
  await s.until(async () => (await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).guardian_result);
  if ((await ok(s.call('GET', `/tasks/${task}`, { key: agent.key }))).status !== 'COMPLETED')
    await ok(s.call('POST', `/tasks/${task}/verify`, { key: agent.key, body: { decision: 'APPROVE' } }));
  for (const method of ['GET', 'POST']) {
    const got = await ok(s.call(method, `/tasks/${task}/retrieve-credential`, { key: agent.key }));
    assert.deepEqual(unseal(pair, task, got.encrypted_credential ?? got), credential, method);
  }
  const got = await ok(s.call('GET', `/tasks/${task}/retrieve-credential`, { key: agent.key }));
  assert.throws(() => unseal(pair, 'task_other', got.encrypted_credential ?? got), 'tied to its task');
  const stranger = await newAgent();
  assertRefused(await s.call('GET', `/tasks/${task}/retrieve-credential`, { key: stranger.key }), 404, 'task_not_found');
  for (const [name, text] of Object.entries(s.logFiles()))
    assert.ok(!text.includes(good.ciphertext.slice(0, 24)), `${name} holds no ciphertext`);
});

test('an operator whose form was sent as multipart is understood too', async () => {
  const op = await operator(), { raw, type } = form(jpeg(), { fields: { lat: '48.2', lng: '16.37', accuracy_m: '12' } });
  const got = await ok(op.call('POST', '/upload', undefined, { raw, headers: { 'Content-Type': type } }), 201);
  assert.deepEqual([got.media_type, got.evidence.reported_position, got.evidence.accuracy_m], ['image/jpeg', { lat: 48.2, lng: 16.37 }, 12]);
});
