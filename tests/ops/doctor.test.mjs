/*
 * The doctor against a running instance and real peers, each of which has each of its faults once: what it finds, what its exit
 * status is, and that it shows no secret and changes nothing.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { SMTPServer } from 'smtp-server';
import { anvil, at, wallet } from '../chain/anvil.mjs';
import { proxy } from '../chain/proxy.mjs';
import { startIssuer } from '../issuer.mjs';
import { model } from '../model.mjs';
import { jpeg } from '../pictures.mjs';
import { startS3 } from '../s3.mjs';
import { freePort, root, stack, until } from '../stack.mjs';

const isRoot = process.getuid() === 0;
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
const work = mkdtempSync(path.join(tmpdir(), 'humanops-doctor-')); /* the checkout may be closed to the instance's user */
after(() => rmSync(work, { recursive: true, force: true }));
chmodSync(work, 0o755);
const SECRET = 'hunter2-do-not-print'; // stands in every password, key and path that must not be seen
const printed = [];
const owned = (...files) => isRoot && execFileSync('chown', ['-R', 'humanops:', ...files]);

/* Settings over those of the instance, in a file that only its user and root can read. */
let confs = 0;
function confOf(change) {
	const file = path.join(work, `conf-${++confs}`);
	const settings = { ...s.settings, ...change };
	writeFileSync(file, Object.entries(settings).filter(([, value]) => value !== null).map(([key, value]) => `${key}=${value}\n`).join(''), { mode: 0o600 });
	owned(file);
	return file;
}

/* The doctor's word: { status, findings, stdout, stderr }. */
async function ask(change, ...args) {
	const answer = await s.program('doctor', ['--json', ...args], { env: { HUMANOPS_CONF: confOf(change) } });
	printed.push(answer.stdout, answer.stderr);
	const json = JSON.parse(answer.stdout);
	const worst = json.findings.some((f) => f.level === 'error') ? 2 : json.findings.some((f) => f.level === 'warning') ? 1 : 0;
	assert.equal(answer.status, worst, answer.stdout);
	assert.equal(json.status, ['ok', 'warning', 'error'][worst]);
	for (const { level, text, advice } of json.findings) {
		assert.ok(text.length > 0);
		assert.equal(advice !== null, level === 'warning' || level === 'error', `${text}: says what to do`);
	}
	return { ...json, exit: answer.status };
}

/* One check finds this, at this level. */
async function finds(change, check, level, text, ...options) {
	const { findings } = await ask(change, ...options, check);
	assert.ok(findings.every((one) => one.check === check), 'no other check is made');
	assert.ok(findings.some((one) => one.level === level && text.test(one.text)), `${level} ${text}:\n${JSON.stringify(findings, null, 1)}`);
	return findings;
}

/* A server on loopback, closed at the end. */
async function serve(server) {
	await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
	after(() => { server.close(); server.closeAllConnections?.(); });
	return server.address().port;
}

/* Never answers, and is there. */
const hole = await serve(net.createServer((socket) => socket.on('error', () => {})));
const closed = await freePort();

test('an instance at work is well, but for what development leaves out', async () => {
	const registered = await s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com' } });
	const photo = await s.call('POST', '/operator/upload', { raw: jpeg(), headers: { 'X-Operator-Id': registered.json.operator_id, 'Content-Type': 'image/jpeg' } });
	assert.equal(photo.status, 201, photo.text);
	await s.sweep();
	await until(async () => (await s.sql("select count(*)::int n from heartbeats where name in ('worker', 'ledger_audit') and at is not null"))[0].n === 2);
	const { findings, exit } = await ask({});
	assert.equal(exit, 1);
	const bad = findings.filter(({ level }) => level === 'warning' || level === 'error').map(({ check, level }) => `${level} ${check}`);
	assert.deepEqual(bad, ['warning settings', 'warning backup']);
	assert.deepEqual((await ask({}, 'database', 'roles', 'cron', 'queue', 'ledger', 'storage', 'guardian', 'clock', 'secrets')).exit, 0);

	const text = await s.program('doctor');
	assert.equal(text.status, 1);
	assert.match(text.stdout, /^ok +database +All \d+ migrations are applied\.$/m);
	assert.match(text.stdout, /^warning +backup +.*\n +> Set up backups: docs\/backup\.md\.$/m);
	assert.match(text.stdout, /^0 errors, 2 warnings\n$/m);
	assert.equal(text.stderr, '');
});

test('it names its checks, and refuses what it does not know', async () => {
	const help = await s.program('doctor', ['--help']);
	assert.equal(help.status, 0);
	const { findings } = await ask({}, '--offline');
	for (const { check } of findings) assert.match(help.stdout, new RegExp(`^  ${check} `, 'm'));
	assert.equal(new Set(findings.map(({ check }) => check)).size, help.stdout.match(/^  [a-z]+ /gm).length, 'each has a word');
	for (const args of [['nosuch'], ['--nosuch'], ['database', '-x']]) {
		const answer = await s.program('doctor', args);
		assert.equal(answer.status, 64, args.join(' '));
		assert.equal(answer.stdout, '');
	}
});

test('settings that no program starts with are an error, named on standard error', async () => {
	for (const [change, words] of [[{ NO_SUCH_SETTING: SECRET }, /no setting NO_SUCH_SETTING/], [{ SECRET_KEY: SECRET }, /SECRET_KEY/],
		[{ SECRET_KEY: null, SECRET_KEY_FILE: path.join(work, 'none') }, /SECRET_KEY_FILE cannot be read/]]) {
		const answer = await s.program('doctor', ['--json'], { env: { HUMANOPS_CONF: confOf(change) } });
		printed.push(answer.stdout, answer.stderr);
		assert.equal(answer.status, 2);
		assert.equal(JSON.parse(answer.stdout).findings[0].level, 'error');
		assert.match(answer.stderr, words);
	}
	await finds({ ADMIN_API_KEY: null }, 'settings', 'warning', /staff can do nothing/);
	const chain = { BASE_RPC_URL: `http://127.0.0.1:${hole}/${SECRET}`, DEPOSIT_ADDRESS: at.lookAlike, ETH_USD_PRICE: '3000' };
	await finds(chain, 'settings', 'warning', /one server of the chain/);
	await finds(chain, 'settings', 'warning', /nobody is paid/);
	const typo = at.usdc.replace('8335', '8353');
	const wrong = await s.program('doctor', ['--json'], { env: { HUMANOPS_CONF: confOf({ ...chain, USDC_CONTRACT: typo }) } });
	assert.equal(wrong.status, 2);
	assert.match(wrong.stdout, /wrong checksum/);
});

test('a database that is away, behind or ahead', async () => {
	const { findings } = await ask({ DATABASE_URL: `host=/nonexistent user=u dbname=d password=${SECRET}` }, '--offline');
	assert.ok(findings.some(({ check, level, text }) => check === 'database' && level === 'error' && /No such file/.test(text)), JSON.stringify(findings));
	for (const check of ['roles', 'backup', 'cron', 'queue', 'ledger', 'reserves'])
		assert.deepEqual(findings.filter((one) => one.check === check).map(({ level }) => level), ['skipped']);
	const odd = await s.program('doctor', ['database'], { env: { HUMANOPS_CONF: confOf({ DATABASE_URL: `host=${s.settings.RUN_DIR} user=postgres dbname='no\u001b[31m\u009b\u007fne'` }) } });
	assert.match(odd.stdout, /^error +database .*no\?\[31m\?\?\?ne.* does not exist/m, 'what a terminal obeys is not handed on');
	const [{ number, name, checksum }] = await s.sql('select number, name, checksum from schema_migrations order by number desc limit 1');
	const restore = `insert into schema_migrations (number, name, checksum) values (${number}, '${name}', '${checksum}')`;
	await s.sql(`delete from schema_migrations where number = ${number}`);
	try {
		await finds({}, 'database', 'error', new RegExp(`up to ${number - 1} of ${number}`));
	} finally {
		await s.sql(restore);
	}
	await s.sql(`insert into schema_migrations (number, name, checksum) values (${number + 1}, 'x', 'x')`);
	try {
		await finds({}, 'database', 'warning', new RegExp(`has migration ${number + 1}`));
	} finally {
		await s.sql(`delete from schema_migrations where number = ${number + 1}`);
	}
	await finds({}, 'database', 'ok', /./);
});

test('roles that could do more than they must', async () => {
	for (const [give, take, words] of [
		['grant select on accounts, postings to humanops_tasks', 'revoke select on accounts, postings from humanops_tasks', /humanops_tasks: may read or write the table accounts and 1 more/],
		['alter role humanops_mcp createdb', 'alter role humanops_mcp nocreatedb', /humanops_mcp: may make roles or databases/],
		['grant create on schema public to humanops_agents', 'revoke create on schema public from humanops_agents', /humanops_agents: may make objects/],
		['grant execute on function custody_everywhere() to public', 'revoke execute on function custody_everywhere() from public', /anybody .* custody_everywhere/],
		['alter role humanops_sweeper superuser', 'alter role humanops_sweeper nosuperuser', /humanops_sweeper: is a superuser/],
		['alter function custody_everywhere() owner to postgres', 'alter function custody_everywhere() owner to humanops_owner', /owns what runs with its rights/],
	]) {
		await s.sql(give);
		try {
			await finds({}, 'roles', 'error', words);
		} finally {
			await s.sql(take);
		}
	}
	await finds({ DATABASE_URL: `host=${s.settings.RUN_DIR} user=postgres dbname=humanops` }, 'roles', 'error', /log in as postgres, a superuser/);
	await finds({}, 'roles', 'ok', /nothing else/);
});

test('programs that are silent, a queue that stands, an audit that found something', async () => {
	await s.sql("update heartbeats set at = at - interval '10 minutes' where name = 'sweeper'");
	await finds({}, 'cron', 'error', /sweeper was last alive 1\d minutes ago/);
	await s.sql("delete from heartbeats where name = 'sweeper'");
	await finds({}, 'cron', 'error', /sweeper has never run/);
	await s.sweep();
	await finds({}, 'cron', 'ok', /sweeper was alive/);

	const job = (kind, minutes, isDead) => s.sql(`insert into jobs (bucket, id, kind, ref, run_at, max_attempts, created_at, is_dead)
		values (3, id_new(3, now()), '${kind}', id_new(3, now()), now() - interval '${minutes} minutes', 1, now(), ${isDead})`);
	await job('unheard_of', 7, false); // which no worker takes
	await finds({}, 'queue', 'warning', /kind unheard_of waits for 7 minutes/);
	await job('unheard_of', 70, false);
	await finds({}, 'queue', 'error', /kind unheard_of waits for 70 minutes/);
	await s.sql("delete from jobs where kind = 'unheard_of'");
	await job('webhook', 0, true);
	await finds({}, 'queue', 'warning', /1 jobs of kind webhook were given up/);
	await s.sql('delete from jobs where is_dead');

	const [{ data }] = await s.sql("select data from heartbeats where name = 'ledger_audit'");
	await s.sql("update heartbeats set data = '{\"findings\": 3}' where name = 'ledger_audit'");
	await finds({}, 'ledger', 'error', /found 3 broken/);
	await s.sql(`update heartbeats set data = '${JSON.stringify(data)}', at = at - interval '5 hours' where name = 'ledger_audit'`);
	await finds({}, 'ledger', 'warning', /no audit of the ledger of the last 3 hours/);
	await s.sql("update heartbeats set at = at + interval '5 hours' where name = 'ledger_audit'");
	await finds({}, 'ledger', 'ok', /nothing/);
});

test('the chain: its servers, the token, the address that pays, reserves', async () => {
	const chain = await anvil();
	after(() => chain.end());
	await chain.mine();
	const first = await proxy(chain.url), second = await proxy(chain.url);
	const secret = (url) => `${url}/v2/${SECRET}`;
	const rich = await chain.wallet(), poor = wallet(), deposit = wallet();
	const keyFile = (key, name) => {
		const file = path.join(work, name);
		writeFileSync(file, `${key}\n`, { mode: 0o600 });
		owned(file);
		return file;
	};
	const settings = { BASE_RPC_URL: `${secret(first.url)} ${secret(second.url)}`, DEPOSIT_ADDRESS: deposit.address, ETH_USD_PRICE: '3000',
		PAYOUT_PRIVATE_KEY_FILE: keyFile(rich.key, 'rich') };
	const now = () => chain.rpc('evm_setNextBlockTimestamp', `0x${Math.floor(Date.now() / 1000).toString(16)}`).then(() => chain.mine());
	await now();

	assert.equal((await finds(settings, 'rpc', 'ok', /first server knows block/)).length, 2);
	second.rule('eth_chainId', () => ({ result: () => '0x1' }));
	await finds(settings, 'rpc', 'error', /second server is of chain 1, not of 8453/);
	second.rule('eth_chainId', () => ({ status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html>no</html>' }));
	await finds(settings, 'rpc', 'error', /second server does not answer/);
	second.clear();
	const age = (seconds) => second.rule('eth_getBlockByNumber', () => ({
		result: (block) => ({ ...block, timestamp: `0x${(Math.floor(Date.now() / 1000) - seconds).toString(16)}` }) }));
	age(600);
	await finds(settings, 'rpc', 'warning', /second server is 6\d\d seconds old/);
	age(-100);
	await finds(settings, 'rpc', 'warning', /ahead of this machine's clock/);
	second.clear();
	await finds({ ...settings, BASE_RPC_URL: `http://127.0.0.1:${closed}/${SECRET}` }, 'rpc', 'error', /first server does not answer/);
	const began = Date.now();
	await finds({ ...settings, BASE_RPC_URL: `http://127.0.0.1:${hole}/${SECRET}` }, 'rpc', 'error', /first server does not answer/);
	assert.ok(Date.now() - began < 15_000, 'a server that hangs is not waited for');

	await finds(settings, 'token', 'ok', /calls itself USDC/);
	await finds(settings, 'token', 'ok', new RegExp(`Deposits go to ${deposit.address}`));
	await finds({ ...settings, USDC_CONTRACT: deposit.address }, 'token', 'error', /no token answers/);
	first.rule('eth_call', () => ({ result: () => `0x${'12'.padStart(64, '0')}` }));
	await finds(settings, 'token', 'error', /not six decimals/);
	await finds(settings, 'token', 'warning', /calls itself ""/);
	first.clear();
	await finds({ ...settings, DEPOSIT_ADDRESS: '0x000000000000000000000000000000000000dEaD' }, 'token', 'error', /is lost/);

	await finds(settings, 'payer', 'ok', new RegExp(`${rich.address} pays`));
	await finds({ ...settings, PAYOUT_PRIVATE_KEY_FILE: keyFile(poor.key, 'poor') }, 'payer', 'error', /enough for 0 payouts/);
	await finds({ ...settings, PAYOUT_PRIVATE_KEY_FILE: keyFile(SECRET, 'broken') }, 'payer', 'error', /cannot be had/);
	const open = keyFile(rich.key, 'open');
	chmodSync(open, 0o644);
	await finds({ ...settings, PAYOUT_PRIVATE_KEY_FILE: open }, 'payer', 'error', /cannot be had/);
	await finds({ ...settings, PAYOUT_PRIVATE_KEY_FILE: open }, 'secrets', 'error', /mode 0644/);

	await s.sql(`select chain_begin(9, 8453, id_new(9, now()), null, now())`);
	const state = async (set = 'scanned_block = 1') => {
		await s.sql(`update chain_states set is_frozen = false, reserves_at = now(), scanned_at = now(), reserves = '{"difference": 0}'`);
		await s.sql(`update chain_states set ${set}`);
	};
	try {
		await state("reserves = '{\"difference\": -1500000}'");
		await finds(settings, 'reserves', 'error', /1\.500000 USDC less/);
		await state("is_frozen = true, frozen_reason = 'x'");
		await finds(settings, 'reserves', 'error', /frozen/);
		await state("reserves_at = now() - interval '1 hour'");
		await finds(settings, 'reserves', 'warning', /not compared/);
		await state("scanned_at = now() - interval '1 hour'");
		await finds(settings, 'reserves', 'warning', /not looked for/);
		await state();
		await finds(settings, 'reserves', 'ok', /payouts go on/);
	} finally {
		await s.sql("delete from chain_states; delete from jobs where kind = 'chain'");
	}

	first.calls.length = second.calls.length = 0;
	const { findings } = await ask(settings, '--offline');
	for (const check of ['rpc', 'token', 'payer', 'issuer', 'mail', 'guardian', 'certificate'])
		assert.deepEqual(findings.filter((one) => one.check === check).map(({ level }) => level), ['skipped'], check);
	assert.equal(first.calls.length + second.calls.length, 0, 'offline, nobody is called');
});

test('the issuer of tokens, and its clock', async () => {
	const issuer = await startIssuer();
	after(() => issuer.stop?.());
	const of = (url) => ({ OPERATOR_JWT_ISSUER: url, OPERATOR_JWT_AZP: 'web' });
	await finds(of(issuer.url), 'issuer', 'ok', /has keys/);
	await finds(of(issuer.url), 'clock', 'ok', /issuer/);
	await finds(of(`http://127.0.0.1:${closed}`), 'issuer', 'error', /jwks\.json/);
	const answers = { '/empty': '{"keys": []}', '/html': '<html></html>' };
	let skew = 0;
	const port = await serve(http.createServer((request, response) => {
		response.sendDate = false;
		if (skew !== null) response.setHeader('Date', new Date(Date.now() + skew * 1000).toUTCString());
		response.end(answers[request.url.split('/.')[0]] ?? '{}');
	}));
	for (const where of Object.keys(answers)) await finds(of(`http://127.0.0.1:${port}${where}`), 'issuer', 'error', /jwks\.json/);
	skew = 10;
	await finds(of(`http://127.0.0.1:${port}`), 'clock', 'warning', /(9|1[01])\.\d seconds behind that of the issuer/);
	skew = -300;
	await finds(of(`http://127.0.0.1:${port}`), 'clock', 'error', /(299|30[0-2]) seconds ahead of that of the issuer/);
	skew = null;
	await finds(of(`http://127.0.0.1:${port}`), 'clock', 'skipped', /tells no time/);
});

test('the mail server: connection, TLS, login', async () => {
	const users = [];
	const start = (options) => {
		const server = new SMTPServer({ logger: false, onAuth: (auth, session, done) => {
			users.push(auth.username);
			done(auth.password === 'right' ? null : new Error('no'), { user: auth.username });
		}, onData: () => assert.fail('no mail is sent'), ...options });
		server.on('error', () => {});
		return serve(server.server).then((port) => port);
	};
	const port = await start({ allowInsecureAuth: true, hideSTARTTLS: true });
	const url = (login, where = port) => ({ SMTP_URL: `smtp://${login}127.0.0.1:${where}`, MAIL_FROM: 'humanops@example.com' });
	await finds(url('jane:right@'), 'mail', 'ok', /takes us/);
	assert.deepEqual(users, ['jane']);
	await finds(url(`jane:${SECRET}@`), 'mail', 'error', /user or password refused/);
	await finds(url('', closed), 'mail', 'error', /no connection/);
	await finds(url('', hole), 'mail', 'error', /timed out/);
	await finds({}, 'mail', 'skipped', /files in/);
});

test('the store of proof files: disk and bucket', async () => {
	const uploads = path.join(s.settings.STATE_DIR, 'uploads'), tree = () => readdirSync(uploads, { recursive: true }).filter((name) => /[0-9a-f]{32}/.test(name)).sort();
	const before = tree();
	await finds({}, 'storage', 'ok', /written, read and deleted/);
	assert.deepEqual(tree(), before, 'nothing stays');
	const shut = path.join(work, 'shut');
	mkdirSync(shut, { mode: 0o500 });
	owned(shut);
	await finds({ UPLOAD_DIR: shut }, 'storage', 'error', /cannot be written/);
	await finds({ UPLOAD_DIR: path.join(work, 'nowhere') }, 'storage', 'skipped', /No such file/);
	const s3 = await startS3({ secret: `${SECRET}/x` });
	after(() => s3.stop());
	const bucket = { R2_ENDPOINT: s3.endpoint, R2_BUCKET: 'proof', R2_ACCESS_KEY_ID: 'AKIDTEST', R2_SECRET_ACCESS_KEY: `${SECRET}/x` };
	await finds(bucket, 'storage', 'ok', /deleted in proof/);
	assert.equal(s3.objects.size, 0);
	await finds({ ...bucket, R2_SECRET_ACCESS_KEY: `${SECRET}/y` }, 'storage', 'error', /cannot be written: .*403/);
	await finds({ ...bucket, R2_ENDPOINT: `http://127.0.0.1:${closed}` }, 'storage', 'error', /cannot be written/);
	const calls = s3.requests.length;
	await finds(bucket, 'storage', 'skipped', /offline/, '--offline');
	assert.equal(s3.requests.length, calls);
});

test('as root it leaves nothing of root behind', { skip: !isRoot }, async () => {
	const uploads = path.join(work, 'uploads');
	mkdirSync(uploads, { mode: 0o700 });
	owned(uploads);
	const run = (folder, ...args) => new Promise((done) => execFile('sh', ['-c', 'umask 077; exec "$0" "$@"', path.join(s.lib, 'doctor'), ...args],
		{ env: { PATH: process.env.PATH, HUMANOPS_CONF: confOf({ UPLOAD_DIR: folder }) } }, (error, stdout) => done({ status: error?.code ?? 0, stdout })));
	const { status, stdout } = await run(uploads, 'storage', 'database', 'secrets');
	assert.equal(status, 0, stdout);
	const owner = statSync(uploads).uid;
	const all = readdirSync(uploads, { recursive: true });
	assert.ok(all.length > 0 && all.every((name) => statSync(path.join(uploads, String(name))).uid === owner));

	/* A folder that programs of a group share: what the trial made there they can go on with. */
	const shared = path.join(work, 'shared');
	mkdirSync(shared);
	execFileSync('chgrp', ['humanops', shared]);
	chmodSync(shared, 0o2770);
	assert.equal((await run(shared, 'storage')).status, 0);
	const made = readdirSync(shared, { recursive: true }).map((name) => statSync(path.join(shared, String(name))));
	assert.ok(made.length > 0 && made.every((one) => (one.mode & 0o770) === 0o770 && one.gid === statSync(shared).gid));
});

test('the model that judges', async () => {
	const m = await model();
	after(() => m.close());
	const settings = { GUARDIAN_PROVIDER: 'openai', GUARDIAN_URL: m.url, GUARDIAN_MODEL: 'judge-1', GUARDIAN_API_KEY: SECRET };
	await finds(settings, 'guardian', 'ok', /judge-1 answers/);
	m.next({ status: 401 });
	await finds(settings, 'guardian', 'error', /does not answer: .*401/);
	m.next({ text: 'Sure! Here you go.' });
	await finds(settings, 'guardian', 'error', /no form that counts/);
	m.screen({ category: 'FRAUD' });
	await finds(settings, 'guardian', 'warning', /would not allow/);
	await finds({ ...settings, GUARDIAN_URL: `http://127.0.0.1:${closed}` }, 'guardian', 'error', /does not answer/);
});

test('the certificate: how long it is good for, and whether it is trusted', async () => {
	const key = path.join(work, 'tls.key'), request = path.join(work, 'tls.csr'), conf = path.join(work, 'ca.conf');
	execFileSync('openssl', ['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost', '-keyout', key,
		'-out', request], { stdio: 'ignore' });
	writeFileSync(conf, `[ca]\ndefault_ca = d\n[d]\ndatabase = ${work}/index\nnew_certs_dir = ${work}\nserial = ${work}/serial\ndefault_md = sha256\npolicy = p\n` +
		'unique_subject = no\n[p]\ncommonName = supplied\n');
	writeFileSync(path.join(work, 'index'), '');
	const date = (days) => `${new Date(Date.now() + days * 86_400_000).toISOString().replace(/[-:T]|\.\d+/g, '')}`;
	const serveWith = async (days) => {
		const cert = path.join(work, `tls${days}.pem`);
		execFileSync('openssl', ['ca', '-batch', '-selfsign', '-create_serial', '-rand_serial', '-notext', '-config', conf, '-keyfile', key, '-in', request, '-out', cert,
			'-startdate', date(-30), '-enddate', date(days)], { stdio: 'ignore' });
		return `https://localhost:${await serve(https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (request, response) => response.end()))}`;
	};
	await finds({}, 'certificate', 'ok', /good for \d+ days, though signed by itself/);
	await finds({ PUBLIC_BASE_URL: await serveWith(15) }, 'certificate', 'warning', /expires in 1[45] days/);
	await finds({ PUBLIC_BASE_URL: await serveWith(3) }, 'certificate', 'error', /expires in [23] days/);
	await finds({ PUBLIC_BASE_URL: await serveWith(-1) }, 'certificate', 'error', /has expired/);
	await finds({ PUBLIC_BASE_URL: `https://localhost:${closed}` }, 'certificate', 'error', /connect/i);
	const production = { HUMANOPS_ENV: 'production', WEBHOOK_ALLOW_PRIVATE: null, ALLOW_DEV_OPERATOR_ID_HEADER: null, DATABASE_BUCKET_GUARD: null,
		SMTP_URL: `smtp://127.0.0.1:${closed}`, MAIL_FROM: 'humanops@example.com' };
	await finds(production, 'certificate', 'error', /not trusted/);
});

test('disks without room, and secrets that others can read', async () => {
	await finds({ STATE_DIR: '/proc' }, 'disk', 'error', /\/proc \(state\) has 0 MiB/);
	await finds({}, 'disk', 'ok', /GiB left/);
	const key = path.join(work, 'secret_key');
	writeFileSync(key, randomBytes(32).toString('base64'), { mode: 0o604 });
	chmodSync(key, 0o604);
	owned(key);
	await finds({ SECRET_KEY: null, SECRET_KEY_FILE: key }, 'secrets', 'error', /SECRET_KEY_FILE\) has mode 0604/);
	chmodSync(key, 0o640);
	await finds({ SECRET_KEY: null, SECRET_KEY_FILE: key }, 'secrets', 'ok', /Nobody but/);
	const conf = confOf({});
	chmodSync(conf, 0o644);
	const answer = await s.program('doctor', ['secrets'], { env: { HUMANOPS_CONF: conf } });
	assert.equal(answer.status, 2);
	assert.match(answer.stdout, /\(settings\) has mode 0644/);
});

test('no secret was shown in all this', () => {
	const all = printed.join('\n');
	for (const secret of [SECRET, s.settings.SECRET_KEY, s.settings.ADMIN_API_KEY]) assert.ok(!all.includes(secret));
});
