/*
 * Templates of instances, which make tests fast: what scripts/start --template copies is what the checkout would make, or it is not
 * used.  The checkout is a copy, so that its files can be changed.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readFileSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { freePort, root } from '../stack.mjs';

const checkout = mkdtempSync(path.join(tmpdir(), 'humanops-template-'));
const template = path.join(checkout, 'var/test-template');
const parts = ['Makefile', 'VERSION', 'build', 'fcgi', 'lib', 'nginx', 'scripts', 'sql', 'web'];
parts.forEach((name) => cpSync(path.join(root, name), path.join(checkout, name), { recursive: true, preserveTimestamps: true }));
const file = (name) => path.join(checkout, name);
const { HUMANOPS_CONF: _, ...env } = process.env;

function run(name, ...args) {
	return new Promise((done) => {
		execFile(name, args, { env, timeout: 300_000 }, (error, stdout, stderr) => done({ status: error ? error.code : 0, stdout, stderr }));
	});
}

const start = (...args) => run(file('scripts/start'), ...args);

/* Which folder the instance's sockets lie in; all that a state folder has left elsewhere goes with it. */
async function places(state) {
	const found = await run('bash', '-c', '. "$1"; state_find "$2"; printf "%s\\n" "$RUN" "$STATE"', 'bash', file('scripts/lib.sh'), state);
	return found.stdout.trim().split('\n');
}

async function remove(state) {
	const folders = [...await places(state), state];
	assert.equal((await run(file('scripts/stop'), '--state', state)).status, 0);
	folders.forEach((folder) => rmSync(folder, { recursive: true, force: true }));
}

/* Whether the checkout would begin with the template, by the function that scripts/start asks. */
async function fits(sanitize = '') {
	const script = '. "$1/scripts/lib.sh"; . "$1/scripts/template.sh"; sanitize=$3; state_find "$2"; template_fits "$STATE" && echo fits || echo other';
	const { stdout, stderr } = await run('bash', '-c', script, 'bash', checkout, template, sanitize);
	assert.match(stdout, /^(fits|other)\n$/, stderr);
	return stdout === 'fits\n';
}

after(async () => {
	await remove(template);
	rmSync(checkout, { recursive: true, force: true });
});

test('it is made once, and nothing is left running in it', async () => {
	const made = await start('--prepare', '--state', template);
	assert.equal(made.status, 0, made.stderr);
	assert.match(made.stdout, /applied 001_reference/);
	const [, state] = await places(template);
	assert.throws(() => readFileSync(path.join(state, 'postgres/postmaster.pid')), /ENOENT/);
	const again = await start('--prepare', '--state', template);
	assert.notEqual(again.status, 0);
	assert.match(again.stderr, /has a database already/);
	assert.ok(await fits());
});

test('it fits no checkout whose SQL, programs or way of building are others', async () => {
	assert.equal(await fits('1'), false, 'sanitized programs');
	for (const name of ['sql/functions/task.sql', 'sql/grants.sql', 'scripts/migrate']) {
		const old = file(`${name}.old`);
		cpSync(file(name), old, { preserveTimestamps: true });
		appendFileSync(file(name), '-- more\n');
		utimesSync(file(name), 0, 0);
		assert.equal(await fits(), false, `${name} has other text, and an old time`);
		rmSync(file(name));
		renameSync(old, file(name));
	}
	const now = Date.now() / 1000;
	for (const name of ['lib/base', 'fcgi/tasks.c', 'web/index.html', 'nginx', 'Makefile']) {
		utimesSync(file(name), now, now);
		assert.equal(await fits(), false, `${name} is newer`);
		utimesSync(file(name), 0, 0);
	}
	for (const name of ['sql/functions', 'sql', 'scripts']) utimesSync(file(name), 0, 0);
	assert.ok(await fits());
	const [, state] = await places(template);
	renameSync(path.join(state, 'template.key'), path.join(state, 'kept.key'));
	assert.equal(await fits(), false, 'it was not completed');
	renameSync(path.join(state, 'kept.key'), path.join(state, 'template.key'));
	assert.ok(await fits());
});

test('an instance begins as its copy, and goes on by itself; with other SQL it is made from nothing', async () => {
	const port = String(await freePort());
	for (const [name, isCopy] of [['copy', true], ['own', false]]) {
		const state = file(`var/test-${name}`);
		if (!isCopy) appendFileSync(file('sql/functions/000_common.sql'), "comment on function id_new(int, timestamptz, int) is 'another';\n");
		const began = await start('--no-demo', '--state', state, '--port', port, '--template', template);
		try {
			assert.equal(began.status, 0, began.stderr);
			assert.equal(/database +copied from/.test(began.stdout), isCopy, began.stdout);
			assert.equal(/is not what this checkout would make/.test(began.stdout), !isCopy, began.stdout);
			const [host] = await places(state);
			const asked = await run('psql', '-XAtq', '-h', host, '-U', 'postgres', '-d', 'humanops', '-c',
				"select coalesce(obj_description('id_new(int, timestamptz, int)'::regprocedure), 'none'), current_setting('fsync')");
			assert.equal(asked.stdout.trim(), isCopy ? 'none|off' : 'another|on');
			if (!isCopy) continue;
			const again = await start('--no-demo', '--state', state, '--port', port, '--template', template);
			assert.equal(again.status, 0, again.stderr);
			assert.match(again.stdout, /build +nothing new\n.*\n?database +up to date/);
			assert.match(again.stdout, /programs +running/);
		} finally {
			await remove(state);
		}
	}
});
