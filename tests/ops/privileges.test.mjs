/*
 * What each program may do and know: its role in the database beside what its binary can call, the secrets in its memory beside
 * the settings' table, and what remains of it after a crash.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { children, isAlive, supervisorOf } from '../processes.mjs';
import { memoryOf } from '../sdk/memory.mjs';
import { stack } from '../stack.mjs';
import { named } from './named.mjs';

const run = promisify(execFile);
const SERVERS = ['agents', 'tasks', 'operator', 'webhooks', 'admin', 'mcp'];
const PROGRAMS = [...SERVERS, 'worker', 'sweeper', 'doctor'];
const isRoot = process.getuid() === 0;
const forRoot = { skip: !isRoot && 'only root may look into the programs' };

const folder = mkdtempSync('/tmp/humanops-privileges-');
after(() => rmSync(folder, { recursive: true, force: true }));
chmodSync(folder, 0o755);

/* A file whose mode says who may read it: closed to all but root, or open to the instance's user too. */
function secretFile(name, text, isOpen = true) {
	const file = path.join(folder, name);
	writeFileSync(file, text, { mode: 0o600 });
	if (isOpen && isRoot)
		chownSync(file, ...['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'humanops'], { encoding: 'utf8' }))));
	return file;
}

const key = (byte) => Buffer.alloc(32, byte);
/* Each secret, how it is set, and who may know it. */
const SECRETS = {
	SECRET_KEY: { bytes: key(0xa1), programs: ['tasks', 'mcp', 'worker'] },
	LINK_KEY: { bytes: key(0xa2), programs: ['tasks', 'operator', 'admin', 'mcp'] },
	MAIL_KEY: { bytes: key(0xa3), programs: ['agents', 'mcp', 'worker'] },
	PUSH_KEY: { bytes: key(0xa4), programs: ['operator', 'worker'] },
	ADMIN_API_KEY: { text: 'admin-key-for-this-test-7f3a91', programs: ['admin'] },
	SMTP_URL: { text: 'smtp://post:letterbox-5521@127.0.0.1:9', programs: ['worker'] },
	R2_ACCESS_KEY_ID: { text: 'R2ID-8c1f40a7', programs: ['operator', 'worker'] },
	R2_SECRET_ACCESS_KEY: { text: 'r2-secret-99b0d1e2', programs: ['operator', 'worker'] },
	GUARDIAN_API_KEY: { text: 'guardian-key-3e77aa', programs: ['tasks', 'mcp', 'worker'] },
	DLOCAL_LOGIN: { text: 'dlocal-login-510c', programs: ['agents', 'worker'] },
	DLOCAL_TRANS_KEY: { text: 'dlocal-trans-1f6e', programs: ['agents', 'worker'] },
	DLOCAL_SECRET: { text: 'dlocal-secret-77d9', programs: ['agents', 'webhooks', 'worker'] },
	KYC_WEBHOOK_SECRET: { text: 'kyc-secret-of-this-test-2b8c', programs: ['webhooks'] },
	PAYOUT_PRIVATE_KEY_FILE: { bytes: key(0x5c), programs: ['worker'] },
};
const textOf = ({ text, bytes }) => text ?? bytes.toString('base64');
const payoutFile = secretFile('payout-key', `0x${SECRETS.PAYOUT_PRIVATE_KEY_FILE.bytes.toString('hex')}\n`);
/* Half of them in files, half in humanops.conf itself, which every program reads. */
const given = Object.entries(SECRETS).filter(([name]) => name !== 'PAYOUT_PRIVATE_KEY_FILE').map(([name, one], i) =>
	i % 2 === 0 ? `${name}_FILE=${secretFile(name, `${textOf(one)}\n`)}` : `${name}=${textOf(one)}`);
const s = await stack({ settings: [...given, `PAYOUT_PRIVATE_KEY_FILE=${payoutFile}`, 'MAIL_FROM=post@example.com',
	'R2_ENDPOINT=http://127.0.0.1:9', 'R2_BUCKET=proof', 'GUARDIAN_PROVIDER=openai', 'GUARDIAN_URL=http://127.0.0.1:9',
	'GUARDIAN_MODEL=m', 'DLOCAL_URL=http://127.0.0.1:9', 'BASE_RPC_URL=http://127.0.0.1:9',
	'DEPOSIT_ADDRESS=0x00000000000000000000000000000000000000aa', 'ETH_USD_PRICE=3000'] });

const fileOf = (name) => path.join(s.lib, SERVERS.includes(name) ? `${name}.fcgi` : name);
const psql = (role, text, database = 'humanops') =>
	run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-v', 'VERBOSITY=sqlstate', '-h', s.settings.RUN_DIR, '-U', role, '-d', database, '-c', text]);

test('each role may execute the functions that its program can call, and no other', async () => {
	const functions = await s.sql(`select proname as name, array(select rolname from pg_roles
		where rolname like 'humanops\\_%' and has_function_privilege(oid, p.oid, 'execute')) as roles
		from pg_proc p where prosecdef and pronamespace = 'public'::regnamespace order by 1`);
	assert.ok(functions.length > 100, 'the catalogue was read');
	for (const program of PROGRAMS) {
		const calls = named(fileOf(program), functions.map((f) => f.name));
		/* Once, though the release before may call another of that name. */
		const may = [...new Set(functions.filter((f) => f.roles.includes(`humanops_${program}`)).map((f) => f.name))];
		assert.ok(calls.size > 2, `${program} was read`);
		assert.deepEqual(may, [...calls].sort(), `humanops_${program}: sql/grants.sql beside what ${program} names`);
	}
	const unused = functions.filter((f) => !PROGRAMS.some((program) => f.roles.includes(`humanops_${program}`)));
	assert.deepEqual(unused.map((f) => f.name), [], 'no function is left to humanops_app alone');
});

test('a text in a program is only named if code or a table points to it', () => {
	const names = named(fileOf('worker'), ['payout_sign', 'payout_sig', 'task_create', 'operator_kyc', 'humanops']);
	assert.deepEqual([...names], ['payout_sign'].concat(names.has('humanops') ? ['humanops'] : []));
	assert.throws(() => named(payoutFile, ['x']), /no program/);
});

test('each program is at the database as itself', async () => {
	for (const name of SERVERS)
		assert.equal((await s.call('GET', `/readyz/${name}`, { whole: true, described: false })).status, 200, name);
	const roles = await s.until(async () => {
		const rows = await s.sql(`select distinct usename as name from pg_stat_activity where usename like 'humanops\\_%' order by 1`);
		return rows.length >= SERVERS.length + 1 && rows.map((row) => row.name);
	});
	assert.deepEqual(roles.filter((role) => role !== 'humanops_sweeper'), [...SERVERS, 'worker'].map((name) => `humanops_${name}`).sort());
	await s.sweep();
});

test('a session of a program cannot leave its role, reach the server or its files', async () => {
	const attempts = {
		'become the superuser': 'set session authorization postgres',
		'become the owner': 'set role humanops_owner',
		'become another program': 'set role humanops_worker',
		'change the server': 'alter system set fsync = off',
		'read a table by copy': 'copy agents to stdout',
		'read a view of the server': 'select * from pg_hba_file_rules',
		'make a database': 'create database mine',
		'make a role': 'create role mine superuser',
		'give itself a password': "alter role humanops_worker password 'x'",
		'see what others ask': "select 1 / count(*) from pg_stat_activity where usename <> current_user and query not like '<insufficient%' and query <> ''",
	};
	for (const role of ['humanops_tasks', 'humanops_webhooks', 'humanops_sweeper'])
		for (const [what, text] of Object.entries(attempts))
			await assert.rejects(psql(role, text), (error) => /42501|22012/.test(error.stderr), `${role}: ${what}`);
	await assert.rejects(psql('humanops_app', 'set role humanops_owner'), /42501/);
	await psql('humanops_tasks', 'select schema_version_everywhere()');
	await assert.rejects(psql('humanops_webhooks', `select * from payout_sign(0, null, null, null, null, null, null, null, now())`), /42501|42883/);
	await s.sql('create role stranger login');
	await assert.rejects(psql('stranger', 'select 1'), /permission denied for database/);
});

/* The supervisor and the first of the processes that it started. */
const processesOf = (name) => [supervisorOf(s, name), ...children(supervisorOf(s, name)).slice(0, 1)];

test('a program holds the secrets that it uses, and no others', forRoot, () => {
	const wanted = Object.entries(SECRETS);
	for (const name of [...SERVERS, 'worker']) {
		const known = new Set();
		for (const pid of processesOf(name))
			for (const piece of memoryOf(pid, 128))
				for (const [secret, one] of wanted)
					if (piece.includes(textOf(one)) || (one.bytes && piece.includes(one.bytes)) || (one.bytes && piece.includes(one.bytes.toString('hex'))))
						known.add(secret);
		const may = wanted.filter(([, one]) => one.programs.includes(name)).map(([secret]) => secret);
		assert.deepEqual([...known].sort(), may.sort(), name);
	}
});

test('a program starts though it may not read the secrets of others, and refuses to without its own', forRoot, async () => {
	const check = async (name, secrets) => {
		const env = Object.fromEntries(secrets.map((secret) => [secret.endsWith('_FILE') ? secret : `${secret}_FILE`,
			secretFile(`closed-${secret}`, `${textOf(SECRETS[secret])}\n`, false)]));
		return s.program(path.basename(fileOf(name)), ['--check'], { env });
	};
	for (const name of [...SERVERS, 'worker', 'sweeper']) {
		const own = Object.keys(SECRETS).filter((secret) => SECRETS[secret].programs.includes(name));
		const others = await check(name, Object.keys(SECRETS).filter((secret) => !own.includes(secret)));
		assert.equal(others.status, 0, `${name} needs something of others: ${others.stderr}`);
		for (const secret of own) {
			const { status, stderr } = await check(name, [secret]);
			assert.equal(status, 78, `${name} without ${secret}`);
			assert.match(stderr, /cannot be read|Permission denied/);
		}
	}
});

test('a lesser key that is not set is the secret key, and then its users read that', forRoot, async () => {
	const file = secretFile('closed', `${textOf(SECRETS.SECRET_KEY)}\n`, false);
	const check = (name, env) => s.program(path.basename(fileOf(name)), ['--check'], { env: { SECRET_KEY_FILE: file, ...env } });
	assert.equal((await check('operator', {})).status, 0);
	assert.equal((await check('operator', { LINK_KEY: '' })).status, 78);
	assert.equal((await check('operator', { PUSH_KEY: '' })).status, 78);
	assert.equal((await check('operator', { MAIL_KEY: '' })).status, 0);
	assert.equal((await check('webhooks', { LINK_KEY: '', PUSH_KEY: '', MAIL_KEY: '' })).status, 0);
});

test('core dumps are off, and nobody of the same user looks into a program', async () => {
	for (const name of [...SERVERS, 'worker'])
		for (const pid of processesOf(name)) {
			assert.match(readFileSync(`/proc/${pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m, name);
			assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^NoNewPrivs:\s+1$/m, name);
			assert.equal(statSync(`/proc/${pid}/mem`).uid, 0, `${name}: its memory is root's`);
		}
	const pid = supervisorOf(s, 'worker'), as = isRoot ? ['setpriv', '--reuid=humanops', '--regid=humanops', '--init-groups', 'cat'] : ['cat'];
	const cat = (file) => run(as[0], [...as.slice(1), `/proc/${pid}/${file}`]);
	assert.match((await cat('status')).stdout, /worker/);
	for (const file of ['environ', 'maps', 'mem'])
		await assert.rejects(cat(file), /Permission denied/, file);
});

/* Perl, since a shell says only in words whether there was a dump.  Its status has bit 128 if there was. */
const CRASH = `my $pid = fork // die; if (!$pid) { chdir $ARGV[0] or die; exec @ARGV[2 .. $#ARGV] or die }
	if ($ARGV[1] ne '') { select undef, undef, undef, 0.05 until -S $ARGV[1]; kill 'SEGV', $pid } waitpid $pid, 0; print $?, "\\n"`;

async function crash(socket, ...command) {
	const where = mkdtempSync(path.join(folder, 'cores-'));
	if (isRoot)
		chmodSync(where, 0o777);
	const as = isRoot ? ['setpriv', '--reuid=humanops', '--regid=humanops', '--init-groups', '--'] : [];
	const { stdout } = await run('bash', ['-c', 'ulimit -c unlimited && exec "$@"', 'bash', ...as,
		'perl', '-e', CRASH, where, socket, ...command],
	{ env: { PATH: process.env.PATH, HUMANOPS_CONF: path.join(s.settings.STATE_DIR, 'humanops.conf') }, timeout: 20_000 });
	return { signal: Number(stdout) & 127, isDumped: (Number(stdout) & 128) !== 0, files: readdirSync(where) };
}

test('a program that crashes leaves no core, where another does', async (t) => {
	const other = await crash('', 'perl', '-e', "kill 'SEGV', $$; sleep 5").catch(() => ({}));
	if (!other.isDumped)
		return t.skip('this machine dumps nobody');
	const socket = path.join(s.settings.RUN_DIR, 'crash.sock');
	const ours = await crash(socket, fileOf('tasks'), '--listen', socket, '--workers', '1');
	assert.deepEqual(ours, { signal: 11, isDumped: false, files: [] });
});

test('a crash of one process of a running program leaves the program serving', async () => {
	const [victim] = children(supervisorOf(s, 'tasks'));
	const asUser = isRoot ? ['setpriv', '--reuid=humanops', '--regid=humanops', '--init-groups', 'kill'] : ['kill'];
	const killer = spawn(asUser[0], [...asUser.slice(1), '-SEGV', String(victim)]);
	assert.deepEqual(await once(killer, 'exit'), [0, null]);
	await s.until(() => !isAlive(victim));
	assert.equal((await s.call('GET', '/tasks/categories')).status, 200);
});
