/* scripts/migrate against databases of its own, beside that of a running instance. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { root, stack } from '../stack.mjs';

const s = await stack();
const host = s.settings.RUN_DIR;
const folders = [];
let databases = 0;
after(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function run(file, args) {
	return new Promise((done) => {
		execFile(file, args, { timeout: 60_000 }, (error, stdout, stderr) => done({ status: error ? error.code : 0, stdout, stderr }));
	});
}

/* An empty database and a copy of the SQL folder. */
async function fresh() {
	const database = `fresh_${++databases}`;
	const sql = mkdtempSync(path.join(tmpdir(), 'migrate-'));
	folders.push(sql);
	cpSync(path.join(root, 'sql'), sql, { recursive: true });
	await s.sql(`create database ${database}`);
	const ask = async (text) => {
		const { status, stdout, stderr } = await run('psql', ['-XAtq', '-v', 'ON_ERROR_STOP=1', '-h', host, '-U', 'postgres', '-d', database, '-c', text]);
		assert.equal(status, 0, stderr);
		return stdout.trim();
	};
	const migrate = (...args) =>
		run(path.join(root, 'scripts/migrate'), ['--url', `host=${host} user=postgres dbname=${database}`, '--sql', sql, ...args]);
	const file = (name) => path.join(sql, name);
	return { ask, migrate, sql, file };
}

const newest = 'select max(number) from schema_migrations';

test('a second run finds nothing to do, and --check tells before and after', async () => {
	const db = await fresh();
	const before = await db.migrate('--check');
	assert.equal(before.status, 1);
	assert.match(before.stdout, /001_reference/);
	assert.match((await db.migrate()).stdout, /applied 001_reference/);
	const again = await db.migrate();
	assert.deepEqual([again.status, again.stdout], [0, '']);
	assert.equal((await db.migrate('--check')).status, 0);
	assert.equal(await db.ask('select count(distinct checksum) = count(*) from schema_migrations where length(checksum) = 64'), 't');
});

test('of two at once one waits and then finds nothing to do', async () => {
	const db = await fresh();
	const both = await Promise.all([db.migrate(), db.migrate()]);
	assert.deepEqual(both.map((r) => r.status), [0, 0], both.map((r) => r.stderr).join());
	assert.deepEqual(both.map((r) => /applied/.test(r.stdout)).sort(), [false, true]);
});

test('an altered or a missing old migration is refused by name before anything runs', async () => {
	const db = await fresh();
	assert.equal((await db.migrate()).status, 0);
	const old = readFileSync(db.file('migrations/003_ledger.sql'));
	const number = String(Number(await db.ask(newest)) + 1).padStart(3, '0');
	writeFileSync(db.file(`migrations/${number}_more.sql`), 'create table more (bucket int);\n');
	writeFileSync(db.file('migrations/003_ledger.sql'), `${old}\n-- altered`);
	const altered = await db.migrate();
	assert.notEqual(altered.status, 0);
	assert.match(altered.stderr, /003_ledger/);
	assert.equal(await db.ask("select to_regclass('more') is null"), 't');
	writeFileSync(db.file('migrations/003_ledger.sql'), old);
	rmSync(db.file(`migrations/${number}_more.sql`));
	rmSync(db.file(`migrations/${String(number - 1).padStart(3, '0')}_${(await db.ask(`select substr(name, 5) from schema_migrations where number = ${number - 1}`))}.sql`));
	assert.notEqual((await db.migrate()).status, 0, 'one that is gone');
});

test('a migration that fails leaves nothing of itself, and those before it stay', async () => {
	const db = await fresh();
	assert.equal((await db.migrate()).status, 0);
	const last = Number(await db.ask(newest));
	const name = (n) => db.file(`migrations/${String(n).padStart(3, '0')}_step.sql`);
	writeFileSync(name(last + 1), 'create table good (bucket int);\n');
	writeFileSync(name(last + 2), 'create table half (bucket int);\nselect 1 / 0;\n');
	assert.notEqual((await db.migrate()).status, 0);
	assert.deepEqual(await db.ask("select to_regclass('good') is null, to_regclass('half') is null"), 'f|t');
	assert.equal(await db.ask(newest), String(last + 1));
	writeFileSync(name(last + 2), 'create table half (bucket int);\n');
	assert.equal((await db.migrate()).status, 0, 'and goes on from there');
});

test('a gap in the numbers is refused', async () => {
	const db = await fresh();
	writeFileSync(db.file('migrations/099_far.sql'), 'select 1;\n');
	const { status, stderr } = await db.migrate();
	assert.notEqual(status, 0);
	assert.match(stderr, /099_far/);
});

test('functions are replaced whole: one that is gone, or took other arguments before, is no longer there', async () => {
	const db = await fresh();
	assert.equal((await db.migrate()).status, 0);
	await db.ask('set role humanops_owner; create function task_show(p_bucket int) returns int language plpgsql as $$begin return 1; end$$');
	await db.ask('set role humanops_owner; create function forgotten(p_bucket int) returns int language plpgsql as $$begin return 1; end$$');
	assert.equal((await db.migrate()).status, 0);
	assert.equal(await db.ask("select count(*) filter (where proname = 'task_show'), count(*) filter (where proname = 'forgotten') from pg_proc"), '1|0');
	assert.equal(await db.ask("select has_function_privilege('humanops_app', 'task_show(int, uuid, uuid)', 'execute')"), 't');
});

test('a function that fails leaves the old ones in place', async () => {
	const db = await fresh();
	assert.equal((await db.migrate()).status, 0);
	writeFileSync(db.file('functions/zzz_bad.sql'), 'create or replace function bad() returns int language sql as $$ select nothing from nowhere $$;\n');
	assert.notEqual((await db.migrate()).status, 0);
	assert.equal(await db.ask("select count(*) from pg_proc where proname = 'task_show'"), '1');
});

/* A database as it was before a migration, with what the statements put there, brought up to date. */
async function upgraded(migration, statements) {
	const db = await fresh(), folder = path.join(db.sql, 'migrations');
	const later = readdirSync(folder).sort().filter((name, i, all) => i >= all.findIndex((n) => n.endsWith(`_${migration}.sql`)));
	const texts = later.map((name) => readFileSync(path.join(folder, name)));
	later.forEach((name) => rmSync(path.join(folder, name)));
	assert.equal((await db.migrate()).status, 0);
	await db.ask(`set session_replication_role = replica; ${statements}`);
	later.forEach((name, i) => writeFileSync(path.join(folder, name), texts[i]));
	const { status, stderr } = await db.migrate();
	assert.equal(status, 0, stderr);
	return db;
}

test('messages from before each operator had a conversation of its own are given to the operator of their time', async () => {
	const id = (n) => `00000000-0000-7000-8000-00000000000${n}`, agent = id(1), first = id(2), second = id(3), task = id(4);
	const claimed = (at, who) => `insert into events (bucket, at, id, agent_id, task_id, type, actor, actor_id) values
		(7, '${at}', gen_random_uuid(), '${agent}', '${task}', 'task.claimed', 'operator', '${who}')`;
	const said = (at, sender, who, text) => `insert into messages (bucket, at, id, task_id, sender, sender_id, text) values
		(7, '${at}', gen_random_uuid(), '${task}', '${sender}', '${who}', '${text}')`;
	const db = await upgraded('aborts', [claimed('2026-01-01', first), said('2026-01-02', 'agent', agent, 'to the first'), said('2026-01-03', 'operator', first, 'by the first'),
		claimed('2026-01-04', second), said('2026-01-05', 'agent', agent, 'to the second'), said('2026-01-06', 'operator', second, 'by the second'),
		said('2025-12-31', 'agent', agent, 'to nobody')].join(';\n'));
	assert.equal(await db.ask('select text, operator_id from messages order by at'),
		`to nobody|\nto the first|${first}\nby the first|${first}\nto the second|${second}\nby the second|${second}`);
});

test('uploads from before there were orphans: what is in a proof stays, the rest is due a week after it came', async () => {
	const db = await upgraded('orphans', `
		insert into operators (bucket, id, name, email, kyc_status, created_at) values (9, gen_random_uuid(), 'o', 'o', 'VERIFIED', '2026-01-01');
		insert into uploads (bucket, id, operator_id, stored, original, media_type, size, sha256, created_at)
		select 9, gen_random_uuid(), (select id from operators), name, name || ' as sent', 'image/jpeg', 1, '', '2026-01-01' from unnest(array['proved', 'left', 'also proved']) name;
		insert into tasks (bucket, id, agent_id, key_id, status, is_sandbox, scenario, title, description, address, reward, fee, deadline, late_at,
			proof_requirements, task_type, task_domain, proof_type, proof, created_at)
		select 7, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'COMPLETED', false, null, 't', 'd', 'a', 1, 1, '2026-01-01', '2026-01-01',
			'[]', 'PHOTO', 'PHYSICAL', 'PHOTO', proof::jsonb, '2026-01-01'
		from unnest(array[null, '{}', '{"files": null}', '{"files": []}', '{"files": [{"stored": "proved"}, {"stored": "also proved"}, {"url": "x"}]}']) proof`);
	assert.equal(await db.ask("select stored, due_at - created_at, stored_at - created_at from uploads order by stored"),
		'also proved||00:00:00\nleft|7 days|00:00:00\nproved||00:00:00');
});
