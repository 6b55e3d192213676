/*
 * Backup and restore as docs/backup.md has them: a drill under load with the data folder lost, a time in between, encryption,
 * damage, holes, two at once, kills, and what stays and goes.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { jpeg } from '../pictures.mjs';
import { isAlive, spawnAs } from '../processes.mjs';
import { root, stack, until } from '../stack.mjs';

const run = promisify(execFile);
const isRoot = process.getuid() === 0;
const REWARD = 10, FEE = 1, DEPOSIT = 200_000, CLIENTS = 4;

const work = mkdtempSync(path.join(tmpdir(), 'humanops-backup-')); /* the checkout may be closed to the instance's user */
after(() => rmSync(work, { recursive: true, force: true }));
chmodSync(work, 0o755);
const kept = path.join(work, 'kept'), identity = path.join(work, 'identity'), stranger = path.join(work, 'stranger');
for (const file of [identity, stranger]) execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' });
const publicKey = (file) => /age1[0-9a-z]+/.exec(readFileSync(file, 'utf8'))[0];

/* The instance runs as a user of its own when root starts it; scripts/start makes that user. */
if (isRoot) execFileSync('sh', ['-c', 'id -u humanops >/dev/null 2>&1 || useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin humanops']);
const owned = (...files) => isRoot && execFileSync('chown', ['-R', 'humanops:', ...files]);
owned(identity, stranger);
const users = isRoot ? ['--database-user', 'humanops', '--files-user', 'humanops'] : [];
const made = execFileSync(path.join(root, 'scripts/backup'), ['init', '--to', kept, '--age', publicKey(identity), ...users], { encoding: 'utf8' });
const options = ['--backup', kept];
const s = await stack({ isDurable: true, settings: [...options, 'ALLOW_DEV_OPERATOR_ID_HEADER=true', 'SANDBOX_STEP_SECONDS=0'] });
const data = path.join(s.settings.STATE_DIR, 'postgres'), uploads = path.join(s.settings.STATE_DIR, 'uploads');
const url = `host=${s.settings.RUN_DIR} user=postgres dbname=humanops`;
const space = path.join(work, 'space'); // where the instance's user may write
mkdirSync(space);
owned(space);

/* A program of the instance's user: { code, out } with both of its outputs. */
function call(program, args) {
	const child = spawnAs(s, program, args);
	let out = '';
	child.stdout.on('data', (text) => { out += text; });
	child.stderr.on('data', (text) => { out += text; });
	return new Promise((done) => { child.on('close', (code) => done({ code, out })); });
}
const backup = (...args) => call(path.join(s.lib, 'backup'), args);
const restore = (...args) => call(path.join(s.lib, 'restore'), args);
const base = (...more) => backup('base', '--to', kept, '--url', url, ...more);
const files = (...more) => backup('files', '--to', kept, '--uploads', uploads, ...more);
const names = (folder) => readdirSync(path.join(kept, folder)).filter((name) => !name.startsWith('.') && name !== 'system');

async function right(answer) {
	const got = await answer;
	assert.equal(got.code, 0, got.out);
	return got.out;
}

/* Fails with these words, and leaves no target behind. */
async function refused(answer, words, target) {
	const got = await answer;
	assert.ok(got.code !== 0 && got.code !== 3, got.out);
	assert.match(got.out, words);
	if (target) assert.ok(!existsSync(target) && !existsSync(`${target}.restoring`), 'nothing is left of it');
}

/* A task posted for the agent; noted when it was acknowledged, by the database's clock, which is this machine's. */
async function post(agent, acknowledged) {
	const body = { title: randomUUID(), description: 'Take a photo of the sign', reward_usd: REWARD, task_type: 'VERIFICATION',
		location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' }, proof_requirements: ['Photo of the sign'],
		deadline: await s.time(86_400) };
	const answer = await s.call('POST', '/tasks', { key: agent.key, body, headers: { 'Idempotency-Key': body.title } });
	assert.equal(answer.status, 201, answer.text);
	acknowledged.push({ id: answer.json.task_id, title: body.title, agent, at: Date.now() });
}

/* Clients that post until they are told to stop. */
function load(agents, acknowledged) {
	let isOver = false;
	const clients = Array.from({ length: CLIENTS }, async (_, i) => {
		while (!isOver) await post(agents[i % agents.length], acknowledged);
	});
	return async () => { isOver = true; await Promise.all(clients); };
}

/* Everything committed up to now lies in the archive when this returns. */
async function archive() {
	const [{ segment }] = await s.sql('select pg_walfile_name(pg_switch_wal()) segment');
	await until(() => names('wal').some((name) => name.slice(0, 24) >= segment), 30_000);
	return segment;
}

async function startAgain() {
	const flags = (process.env.HUMANOPS_TEST_START_FLAGS ?? '').split(' ').filter(Boolean);
	await run(path.join(root, 'scripts/start'), ['--no-demo', '--port', String(s.port), '--state', s.state, ...flags, 'FLOOD_LIMITS=off',
		'TRUSTED_PROXIES=127.0.0.1', ...options, 'ALLOW_DEV_OPERATOR_ID_HEADER=true', 'SANDBOX_STEP_SECONDS=0'], { timeout: 120_000 });
}

/* A photo, and its link's bytes. */
async function upload(operator) {
	const answer = await s.call('POST', '/operator/upload', { raw: jpeg(), headers: { 'X-Operator-Id': operator, 'Content-Type': 'image/jpeg' } });
	assert.equal(answer.status, 201, answer.text);
	return answer.json.url;
}
function fetchFile(link) {
	const { pathname, search } = new URL(link);
	return new Promise((done, fail) => {
		https.get({ host: '127.0.0.1', port: s.port, path: pathname + search, ca: s.ca, servername: 'localhost', agent: false,
			headers: { Host: `localhost:${s.port}` } }, (response) => {
			const chunks = [];
			response.on('data', (chunk) => chunks.push(chunk)).on('end', () => done({ status: response.statusCode, bytes: Buffer.concat(chunks) }));
		}).on('error', fail);
	});
}

/* A data folder served on a socket of its own while fn asks it. */
async function serving(folder, fn) {
	const ctl = '/usr/lib/postgresql/15/bin/pg_ctl', socket = mkdtempSync('/tmp/humanops-test-');
	owned(socket);
	await right(call(ctl, ['-D', folder, '-s', '-w', '-l', path.join(space, 'served.log'), '-o', `-k ${socket} -c listen_addresses=''`, 'start']));
	try {
		const ask = async (text) => JSON.parse((await run('psql', ['-XAtq', '-h', socket, '-U', 'postgres', '-d', 'humanops', '-c',
			`select coalesce(json_agg(r), '[]') from (${text}) r`], { maxBuffer: 64 << 20 })).stdout);
		return await fn(ask);
	} finally {
		await call(ctl, ['-D', folder, '-s', '-w', '-m', 'fast', 'stop']);
		rmSync(socket, { recursive: true, force: true });
	}
}

const posted = "select title from tasks where title ~ '^[0-9a-f-]{36}$'";
const titles = (rows) => rows.map((row) => row.title).sort();
const all = [];    // acknowledged, and their WAL archived
const story = {};  // what later tests go by

test('what `backup init` prints names the lines that a cluster and cron need', () => {
	assert.match(made, /archive_command = '\/\S+\/backup wal --to \S+ %p %f'/);
	assert.match(made, /archive_timeout = 60/);
	assert.match(made, /\/backup base --to /);
	assert.match(made, /\/backup files --to /);
});

test('after the loss of the data folder every write acknowledged up to the last archived WAL is there, and the books agree', async (t) => {
	await s.sql('update tiers set max_daily_tasks = 1000000, max_daily_spend = 1000000000000000');
	await s.sql("select chain_begin(5, 8453, id_new(5, now()), null, now())");
	const agents = await Promise.all([1, 2].map(() => s.agent({ tier: 'STANDARD', deposit: DEPOSIT })));
	const operator = (await s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com' } })).json.operator_id;
	const link = await upload(operator), photo = await fetchFile(link);
	assert.equal(photo.status, 200);
	story.agents = agents;

	const stop = load(agents, all);
	const began = Date.now();
	t.diagnostic((await right(base())).trim());
	t.diagnostic((await right(files())).trim());
	assert.equal(names('base').length, 1);
	await sleep(500);
	await stop();
	assert.ok(all.some((row) => row.at < began + 60_000) && all.length >= CLIENTS);
	await sleep(50);
	story.between = new Date().toISOString();
	story.before = all.length;
	await sleep(50);
	const stopAgain = load(agents, all);
	await sleep(800);
	await stopAgain();
	await archive();
	const lost = [];
	await post(agents[0], lost); // its WAL is archived only when its segment is full or a minute old

	const master = Number(readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n')[0]);
	process.kill(master, 'SIGKILL');
	await until(() => !isAlive(master));
	const rescued = path.join(space, 'pg_wal'), whole = path.join(space, 'whole');
	cpSync(path.join(data, 'pg_wal'), rescued, { recursive: true });
	owned(rescued);
	rmSync(data, { recursive: true, force: true });
	rmSync(uploads, { recursive: true, force: true });
	await right(restore('--backup', kept, '--target', whole, '--wal', rescued, '--identity', identity));
	assert.deepEqual(titles(await serving(whole, (ask) => ask(posted))), titles([...all, ...lost]), 'with the pg_wal that outlived it nothing is missing');
	rmSync(whole, { recursive: true });
	const outage = Date.now();
	const told = await right(restore('--backup', kept, '--target', data, '--files', uploads, '--identity', identity));
	t.diagnostic(told.trim());
	const restored = Date.now();
	await startAgain();
	t.diagnostic(`restored in ${restored - outage} ms, serving after ${Date.now() - outage} ms; ${all.length} writes acknowledged, none lost; ` +
		`${lost.length} behind the last archived WAL`);

	const there = await s.sql(posted);
	const lostTitles = new Set(titles(lost));
	assert.deepEqual(titles(there).filter((title) => !lostTitles.has(title)), titles(all), 'each acknowledged task is there once');
	for (const agent of agents) {
		const mine = there.filter((row) => [...all, ...lost].some((one) => one.agent === agent && one.title === row.title)).length;
		const { json } = await s.call('GET', '/agents/balance', { key: agent.key });
		assert.equal(json.deposit_balance, DEPOSIT - mine * (REWARD + FEE), JSON.stringify(json));
	}
	assert.deepEqual(await s.audit(), []);
	assert.match(told, /ledger +0 findings/);
	assert.match(told, /proofs +0 proof files are missing/);
	const again = await fetchFile(link);
	assert.ok(again.status === 200 && again.bytes.equals(photo.bytes), 'the photo is served as before');

	const [chain] = await s.sql('select is_frozen, frozen_reason from chain_states');
	assert.ok(chain.is_frozen && /restored/.test(chain.frozen_reason), 'payouts wait for staff');
	await post(agents[1], all);
	assert.deepEqual(await s.audit(), []);
});

test('the restored service goes on archiving, on a timeline of its own', async () => {
	const segment = await archive();
	assert.ok(segment.startsWith('00000002'), segment);
	await until(() => names('wal').some((name) => name.startsWith('00000002.history.')));
});

test('a restore to a time has what was acknowledged before it and nothing later, from the same backup', async () => {
	const target = path.join(space, 'between');
	await right(restore('--backup', kept, '--target', target, '--to', story.between, '--identity', identity));
	const there = await serving(target, (ask) => ask(posted));
	assert.deepEqual(titles(there), titles(all.slice(0, story.before)));
	rmSync(target, { recursive: true });
});

test('a restore that is killed leaves no target; the next one clears up after it, and follows the new timeline to its end', async () => {
	const target = path.join(space, 'killed'), leftovers = () => readdirSync('/dev/shm').filter((name) => name.startsWith('humanops-restore-'));
	const args = ['--backup', kept, '--target', target, '--identity', identity];
	const child = spawnAs(s, path.join(s.lib, 'restore'), args);
	const over = new Promise((done) => child.on('close', done));
	await until(() => existsSync(path.join(`${target}.restoring`, 'data/postmaster.pid')), 30_000);
	child.kill('SIGKILL');
	child.stdout.destroy();
	child.stderr.destroy();
	await over;
	assert.ok(!existsSync(target));
	assert.equal(leftovers().length, 1);
	const left = Number(readFileSync(path.join(`${target}.restoring`, 'data/postmaster.pid'), 'utf8').split('\n')[0]);
	await right(restore(...args));
	assert.ok(!isAlive(left), 'its PostgreSQL has ended');
	assert.deepEqual(leftovers(), []);
	assert.ok(!existsSync(`${target}.restoring`));
	const there = titles(await serving(target, (ask) => ask(posted)));
	assert.ok(all.every((row) => there.includes(row.title)));
	rmSync(target, { recursive: true });
});

test('nothing in an encrypted backup can be read without the identity', async () => {
	const target = path.join(space, 'stranger');
	const { status } = await run('grep', ['-raqF', '-e', story.agents[0].email, '-e', 'humanops_owner', kept]).then(() => ({ status: 0 }), (e) => ({ status: e.code }));
	assert.equal(status, 1, 'no text of ours lies there in the clear');
	for (const folder of ['base', 'wal', 'files'])
		for (const name of readdirSync(path.join(kept, folder), { recursive: true }).map(String).filter((n) => /\.(gz|tar)|[0-9a-f]{32}/.test(n) && statSync(path.join(kept, folder, n)).isFile()))
			assert.match(name, /\.age$/);
	await refused(restore('--backup', kept, '--target', target, '--identity', stranger), /no identity matched|another identity/, target);
	await refused(restore('--backup', kept, '--target', target), /encrypted: give --identity/, target);
	await refused(restore('--backup', kept, '--files', path.join(space, 'f'), '--identity', stranger), /cannot be decrypted/);
});

test('what cannot be restored is refused with its reason, and nothing is overwritten', async () => {
	const target = path.join(space, 'no'), id = ['--identity', identity];
	const mine = path.join(space, 'mine');
	mkdirSync(mine);
	writeFileSync(path.join(mine, 'precious'), '1');
	owned(mine);
	await refused(restore('--backup', kept, '--target', mine, ...id), /there and not empty; nothing is overwritten/);
	assert.deepEqual(readdirSync(mine), ['precious']);
	await refused(restore('--backup', kept, '--target', data, ...id), /not empty/);
	await refused(restore('--backup', kept, '--target', target, '--to', 'yesterdayish', ...id), /this is no time/, target);
	await refused(restore('--backup', kept, '--target', target, '--to', '2001-01-01', ...id), /no base backup from before/, target);
	await refused(restore('--backup', kept, '--target', target, '--to', '2999-01-01', ...id), /does not lead to 2999-01-01/, target);
	await refused(restore('--backup', kept, '--target', target, '--base', '../..', ...id), /there is no base backup/, target);
	await refused(restore('--backup', path.join(space, 'mine'), '--target', target, ...id), /is no backup folder/, target);
	await refused(restore('--backup', kept), /nothing to do/, target);
});

test('a user who may not read a part of the folder is told so', { skip: !isRoot }, async () => {
	const copy = path.join(space, 'foreign');
	cpSync(kept, copy, { recursive: true });
	execFileSync('chown', ['-R', 'root:', path.join(copy, 'files')]);
	chmodSync(path.join(copy, 'files'), 0o700);
	await refused(restore('--backup', copy, '--files', path.join(space, 'f'), '--identity', identity), /humanops cannot read .*its owner is root/);
	await refused(restore('--backup', kept, '--target', data, '--files', '/', '--identity', path.join(work, 'none')), /cannot be read/);
	rmSync(copy, { recursive: true });
});

test('damage and holes are told, and never taken for the end', async () => {
	const copy = path.join(space, 'copy'), target = path.join(space, 'damaged'), id = ['--identity', identity];
	const fresh = () => { rmSync(copy, { recursive: true, force: true }); cpSync(kept, copy, { recursive: true }); owned(copy); };
	const flip = (file) => { const bytes = readFileSync(file); bytes[bytes.length >> 1] ^= 1; writeFileSync(file, bytes); };
	const [name] = names('base');
	const segments = names('wal').filter((n) => /^00000001[0-9A-F]{16}\.[0-9a-f]{16}\.gz/.test(n)).sort();
	const start = /start_wal=(\w+)/.exec(readFileSync(path.join(kept, 'base', name, 'about'), 'utf8'))[1];
	const later = segments.filter((n) => n.slice(0, 24) > start);
	assert.ok(later.length >= 1, segments.join(' '));

	fresh();
	flip(path.join(copy, 'base', name, 'data.tar.gz.age'));
	await refused(restore('--backup', copy, '--target', target, ...id), /the base backup \w+ is damaged/, target);
	fresh();
	flip(path.join(copy, 'wal', later.at(-1)));
	await refused(restore('--backup', copy, '--target', target, ...id), /damaged|could not restore/, target);
	fresh();
	const last = later.at(-1), next = Number.parseInt(last.slice(16, 24), 16) + 2; // one is missing between
	const far = last.slice(0, 16) + next.toString(16).toUpperCase().padStart(8, '0') + last.slice(24);
	cpSync(path.join(copy, 'wal', last), path.join(copy, 'wal', far));
	owned(copy);
	await refused(restore('--backup', copy, '--target', target, ...id), /WAL is missing before/, target);
	fresh();
	const history = names('wal').find((n) => n.startsWith('00000002.history.'));
	rmSync(path.join(copy, 'wal', history));
	await refused(restore('--backup', copy, '--target', target, ...id), /timeline 00000002 has no 00000002\.history/, target);
	rmSync(copy, { recursive: true });
});

test('WAL is archived once: a repeat is taken, another content or cluster is refused, and a half file is none', async () => {
	const segment = await archive();
	const before = names('wal').sort(), plain = path.join(space, 'plain');
	const stored = before.find((name) => name.startsWith(`${segment}.`));
	const bytes = execFileSync('sh', ['-c', `age -d -i '${identity}' '${path.join(kept, 'wal', stored)}' | gzip -dc`], { maxBuffer: 32 << 20 });
	writeFileSync(plain, bytes);
	owned(plain);
	const wal = (name) => backup('wal', '--to', kept, plain, name);
	await right(wal(segment));
	bytes[4000] ^= 1;
	writeFileSync(plain, bytes);
	await refused(wal(segment), /with another content/);
	bytes.writeBigUInt64LE(7n, 24);
	writeFileSync(plain, bytes);
	await refused(wal('0000000200000000000000FF'), /WAL of another cluster/);
	for (const name of ['../../evil', '00000001', '', 'x'.repeat(24)]) await refused(wal(name), /no WAL file|wal takes/);
	assert.deepEqual(names('wal').sort(), before);
});

test('of two at once one makes the backup; one that is killed leaves nothing that counts', async () => {
	const both = await Promise.all([base(), base()]);
	assert.deepEqual(both.map((one) => one.code).sort(), [0, 1], both.map((one) => one.out).join());
	assert.match(both.find((one) => one.code === 1).out, /is at work/);
	const before = names('base').sort();
	const child = spawnAs(s, 'setsid', [path.join(s.lib, 'backup'), 'base', '--to', kept, '--url', url]);
	const over = new Promise((done) => child.on('close', done));
	const partials = () => readdirSync(path.join(kept, 'base')).filter((name) => name.endsWith('.partial'));
	await until(() => partials().some((name) => existsSync(path.join(kept, 'base', name, 'data'))), 20_000);
	const session = execFileSync('ps', ['-eo', 'pid=,sid=,args='], { encoding: 'utf8' }).split('\n')
		.map((line) => line.trim().split(/\s+/)).filter(([, , ...args]) => args.join(' ').includes(`base --to ${kept}`)).map(([, sid]) => Number(sid));
	process.kill(-session[0], 'SIGKILL');
	await over;
	assert.deepEqual(names('base').sort(), before);
	assert.equal(partials().length, 1);
	await until(async () => (await s.sql("select count(*)::int n from pg_stat_replication"))[0].n === 0);
	await sleep(1000); // a backup is named by its second
	await right(base());
	assert.deepEqual(partials(), []);
	assert.equal(names('base').length, before.length + 1);
});

test('old backups go, with the WAL that only they needed; what stays can be restored', async () => {
	await sleep(1000);
	await right(base('--keep', '1'));
	const [only, ...others] = names('base');
	assert.deepEqual(others, []);
	const start = /start_wal=(\w+)/.exec(readFileSync(path.join(kept, 'base', only, 'about'), 'utf8'))[1];
	const older = names('wal').filter((name) => /^[0-9A-F]{24}\./.test(name) && name.slice(8, 24) < start.slice(8));
	assert.deepEqual(older, []);
	assert.ok(names('wal').some((name) => name.startsWith('00000002.history.')));
	const target = path.join(space, 'kept');
	await right(restore('--backup', kept, '--target', target, '--identity', identity, '--no-freeze'));
	rmSync(target, { recursive: true });
	await refused(restore('--backup', kept, '--target', target, '--to', story.between, '--identity', identity), /no base backup from before/, target);
});

test('proof files: a removed one stays as long as a backup may refer to it, and a loss is not taken for tidying', async () => {
	const count = () => readdirSync(path.join(kept, 'files'), { recursive: true }).filter((name) => /[0-9a-f]{32}\.age$/.test(String(name))).length;
	const operator = (await s.call('POST', '/operator/register', { body: { name: 'Joe D.', email: 'joe@example.com' } })).json.operator_id;
	await upload(operator);
	assert.match(await right(files()), /2 new/);
	const before = count();
	const [first] = readdirSync(uploads, { recursive: true }).map(String).filter((name) => /[0-9a-f]{32}$/.test(name));
	rmSync(path.join(uploads, first));
	assert.match(await right(files()), /0 new/);
	assert.equal(count(), before);
	await sleep(1100);
	await right(base('--keep', '1'));
	assert.match(await right(files()), /removed +1 proof files/);
	assert.equal(count(), before - 1);

	const many = path.join(space, 'many'), other = path.join(space, 'plainly');
	for (let i = 0; i < 30; i++) {
		mkdirSync(path.join(many, '00/00'), { recursive: true });
		writeFileSync(path.join(many, '00/00', i.toString(16).padStart(32, '0')), `file ${i}`);
	}
	owned(many);
	await right(backup('init', '--to', other));
	await right(backup('files', '--to', other, '--uploads', many));
	rmSync(path.join(many, '00'), { recursive: true });
	await refused(backup('files', '--to', other, '--uploads', many), /30 of 30 files are gone/);
	await right(backup('files', '--to', other, '--uploads', many, '--force'));
	await right(restore('--backup', other, '--files', path.join(space, 'back')));
	assert.equal(readFileSync(path.join(space, 'back/00/00', '0'.repeat(32)), 'utf8'), 'file 0');
	const modes = (folder) => ['00', '00/00', `00/00/${'0'.repeat(32)}`].map((name) => statSync(path.join(folder, name)).mode & 0o777);
	assert.deepEqual(modes(path.join(space, 'back')), [0o700, 0o700, 0o600]);
	const shared = path.join(space, 'shared');
	mkdirSync(shared);
	owned(shared);
	chmodSync(shared, 0o2770); // programs of a group share it
	await right(restore('--backup', other, '--files', shared));
	assert.deepEqual(modes(shared), [0o770, 0o770, 0o660]);
});

test('GnuPG serves as well', async () => {
	const home = path.join(space, 'gnupg'), other = path.join(space, 'sealed'), from = path.join(space, 'from/aa/bb');
	mkdirSync(home, { mode: 0o700 });
	mkdirSync(from, { recursive: true });
	writeFileSync(path.join(from, `aabb${'1'.repeat(28)}`), 'a photo');
	const gpg = (...args) => execFileSync('gpg', ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...args],
		{ stdio: ['ignore', 'pipe', 'ignore'] });
	gpg('--quick-generate-key', 'backup@example.com', 'future-default', 'default', 'never');
	writeFileSync(path.join(space, 'public'), gpg('--armor', '--export'));
	writeFileSync(path.join(space, 'secret'), gpg('--armor', '--export-secret-keys'));
	execFileSync('gpgconf', ['--homedir', home, '--kill', 'all']);
	owned(space);
	await right(backup('init', '--to', other, '--gpg', path.join(space, 'public')));
	await right(backup('files', '--to', other, '--uploads', path.join(space, 'from')));
	const sealed = path.join(other, 'files/aa/bb', `aabb${'1'.repeat(28)}.gpg`);
	assert.ok(!readFileSync(sealed).includes('a photo'));
	await right(restore('--backup', other, '--files', path.join(space, 'opened'), '--identity', path.join(space, 'secret')));
	assert.equal(readFileSync(path.join(space, 'opened/aa/bb', `aabb${'1'.repeat(28)}`), 'utf8'), 'a photo');
});
