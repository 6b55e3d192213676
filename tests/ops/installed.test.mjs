// What `make install-system` puts on a machine of one's own: settings that explain themselves, units that forbid, users, manual pages.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

const ROOT = new URL('../..', import.meta.url).pathname.replace(/\/$/, '');
const SERVERS = ['agents', 'tasks', 'operator', 'webhooks', 'admin', 'mcp'];
const read = (path) => readFileSync(join(ROOT, path), 'utf8');
let prefix, etc;

// The rows of config.c's table: name, fallback, and the programs that are told the value (none: all of them).
function table() {
	const source = read('lib/base/config.c'), rows = source.slice(source.indexOf('settings[] = {'), source.indexOf('#undef AT'));
	const usdc = /#define USDC_ON_BASE "(\w+)"/.exec(source)[1];
	return [...rows.matchAll(/\{ "([A-Z0-9_]+)", \w+, (?:0|AT\(\w+\)), (NULL|USDC_ON_BASE|"[^"]*"),([^}]*?)\}/gs)].map(([, name, fallback, rest]) => ({
		name,
		fallback: fallback === 'NULL' ? null : fallback === 'USDC_ON_BASE' ? usdc : fallback.slice(1, -1),
		programs: /"([a-z ]+)"\s*$/.exec(rest)?.[1].split(' ').sort() ?? null,
	}));
}

// The settings' file: each KEY=VALUE, commented out or not, with the words above it.
function documented() {
	const names = new Set(table().map((row) => row.name));
	let words = [];
	return read('scripts/humanops.conf').split('\n').flatMap((line) => {
		const [, mark, key, value] = /^(#?)([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
		if (key === undefined) {
			words = line.startsWith('# ') ? [...words, line.slice(2)] : [];
			return [];
		}
		const entry = { key, name: names.has(key) ? key : key.replace(/_FILE$/, ''), value, isSet: mark === '', words: words.join(' ') };
		words = [];
		return [entry];
	});
}

// user: its groups, as sysusers.d makes them.
function groups() {
	const found = {};
	for (const [, user, group] of read('scripts/systemd/sysusers.conf').matchAll(/^m (\w+) (\w+)$/gm))
		(found[user] ??= [user]).push(group);
	return found;
}

const usersOf = (group) => Object.entries(groups()).filter(([, its]) => its.includes(group)).map(([user]) => user.replace('humanops_', '')).sort();

const unit = (name) => readFileSync(join(prefix, 'lib/systemd/system', name), 'utf8');

before(() => {
	prefix = join(mkdtempSync(join(tmpdir(), 'humanops-installed-')), 'usr');
	etc = join(prefix, '../etc');
	mkdirSync(join(ROOT, 'build'), { recursive: true });
	execFileSync('flock', ['build', 'make', '-s', '-j2', 'install-system', `PREFIX=${prefix}`, 'DESTDIR=', `SYSCONFDIR=${etc}`],
		{ cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] });
});

after(() => rmSync(join(prefix, '..'), { recursive: true }));

test('every setting is explained once, with its default, and nothing else is', () => {
	const rows = table(), entries = documented();
	assert.ok(rows.length > 50, `only ${rows.length} settings were found`);
	assert.deepEqual(entries.map((entry) => entry.name).sort(), rows.map((row) => row.name).sort());
	for (const { name, fallback, programs } of rows) {
		const entry = entries.find((one) => one.name === name);
		assert.match(entry.words, /^\S.{10,}\.$/s, `${name} has no sentence`);
		if (fallback !== null && !entry.isSet)
			assert.equal(entry.value, fallback, `the default of ${name}`);
		if (programs?.length === 1)
			assert.match(entry.words, new RegExp(`\\b${programs[0]}\\b`), `${name} does not tell who reads it`);
		else if (programs !== null)
			for (const program of programs)
				assert.match(entry.words, new RegExp(`[Rr]ead by[^.;]*\\b${program}\\b`), `${name} is read by ${program}`);
	}
});

test('the settings as shown, examples and all, are good', () => {
	const folder = join(prefix, '../check'), secret = join(folder, 'secret');
	mkdirSync(folder);
	writeFileSync(secret, `${Buffer.alloc(32, 7).toString('base64')}\n`);
	// One place for proof files; the last group is for development.
	const lines = documented().filter(({ name }) => name !== 'UPLOAD_DIR')
		.map(({ key, value }) => (value.startsWith('/etc/humanops/secrets/') && key !== 'PAYOUT_PRIVATE_KEY_FILE' ? `${key}=${secret}` : `${key}=${value}`));
	const check = (text, program = 'tasks.fcgi') => {
		writeFileSync(join(folder, 'conf'), text);
		return spawnSync(join(prefix, 'lib/humanops', program), ['--check'], { env: { HUMANOPS_CONF: join(folder, 'conf'), RUN_DIR: folder }, encoding: 'utf8' });
	};
	for (const program of SERVERS) {
		const done = check(`${lines.join('\n')}\n`, `${program}.fcgi`);
		assert.equal(done.status, 0, `${program}: ${done.stderr}`);
	}
	const bare = check(read('scripts/humanops.conf').replaceAll(/\/etc\/humanops\/secrets\/\w+/g, secret), 'worker');
	assert.equal(bare.status, 78);
	assert.deepEqual(bare.stderr.match(/[A-Z_]+(?= is required)/g).sort(), ['PUBLIC_BASE_URL', 'SMTP_URL']);
});

test('each secret is readable by the users of the programs that are told it, and by no other', () => {
	const files = Object.fromEntries([...read('scripts/systemd/prepare').matchAll(/^secret (\w+) (\w+) \d+$/gm)].map(([, file, group]) => [file, group]));
	assert.deepEqual(Object.keys(files).sort(), ['admin_api_key', 'link_key', 'mail_key', 'push_key', 'secret_key']);
	for (const [file, group] of Object.entries(files)) {
		const { programs } = table().find((row) => row.name === file.toUpperCase());
		assert.deepEqual(usersOf(group), programs, file);
		assert.ok(read('docs/privileges.md').includes(`| \`/etc/humanops/secrets/${file}\` | \`root:${group}\` 0640 |`), `privileges.md on ${file}`);
		assert.ok(read('scripts/humanops.conf').includes(`\n${file.toUpperCase()}_FILE=/etc/humanops/secrets/${file}\n`), `humanops.conf on ${file}`);
	}
	for (const name of ['R2_ACCESS_KEY_ID', 'R2_SECRET_ACCESS_KEY'])
		assert.deepEqual(usersOf('humanops_push'), table().find((row) => row.name === name).programs, name);
});

test('the page on privileges names the users and groups that are made', () => {
	const rows = Object.fromEntries([...read('docs/privileges.md').matchAll(/^\|[^|]*\| `(humanops_\w+)` \| (`[^|]*`) \|$/gm)]
		.map(([, user, its]) => [user, its.match(/\w+/g).sort()]));
	assert.deepEqual(rows, Object.fromEntries(Object.entries(groups()).map(([user, its]) => [user, its.slice(1).sort()])));
});

test('each program has a unit that the service manager takes, with an exposure of at most 2.0', () => {
	const folder = join(prefix, 'lib/systemd/system'), files = readdirSync(folder).map((name) => join(folder, name));
	const verify = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
	assert.equal(`${verify.status} ${verify.stdout}${verify.stderr}`, '0 ');
	for (const name of [...SERVERS, 'worker', 'sweeper']) {
		const text = unit(`humanops-${name}.service`);
		assert.match(text, new RegExp(`^ExecStart=${prefix}/lib/humanops/${name}`, 'm'));
		assert.match(text, new RegExp(`^User=humanops_${name}$`, 'm'));
		const done = spawnSync('systemd-analyze', ['security', '--offline=true', '--no-pager', '--threshold=20', join(folder, `humanops-${name}.service`)],
			{ encoding: 'utf8' });
		assert.equal(done.status, 0, `${name}: ${done.stdout.split('\n').at(-2)}`);
	}
	const wants = /^Wants=(.*)$/m.exec(unit('humanops.target'))[1].split(' ').sort();
	assert.deepEqual(wants, readdirSync(folder).filter((name) => name !== 'humanops.target' && name !== 'humanops-sweeper.service').sort());
});

test('only admin sees other processes, and a unit writes only where its user may', () => {
	const made = Object.fromEntries([...read('scripts/systemd/tmpfiles.conf').matchAll(/^d (\S+) \d+ root (\w+) -$/gm)].map(([, path, group]) => [path, group]));
	for (const name of [...SERVERS, 'worker', 'sweeper']) {
		const text = unit(`humanops-${name}.service`);
		assert.match(text, new RegExp(`^ProtectProc=${name === 'admin' ? 'default' : 'invisible'}$`, 'm'));
		for (const path of /^ReadWritePaths=(.*)$/m.exec(text)[1].split(' '))
			assert.ok(usersOf(made[path]).includes(name), `${name} writes ${path}`);
	}
});

test('manual pages are clean, and there is one for everything that is installed', () => {
	const pages = ['man5', 'man7', 'man8'].flatMap((section) => readdirSync(join(prefix, 'share/man', section)).map((name) => join(prefix, 'share/man', section, name)));
	const lint = spawnSync('mandoc', ['-T', 'lint', '-W', 'warning', ...pages], { encoding: 'utf8' });
	assert.equal(lint.stdout + lint.stderr, '');
	const named = pages.map((path) => path.split('/').at(-1));
	for (const program of readdirSync(join(prefix, 'lib/humanops')))
		assert.ok(named.includes(`humanops-${program.replace('.fcgi', '')}.8`), `there is no page on ${program}`);
	const links = pages.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\.Xr (humanops\S*) (\d)/g)].map(([, name, section]) => `${name}.${section}`));
	for (const link of new Set(links))
		assert.ok(named.includes(link), `pages refer to ${link}`);
	const conf = execFileSync('mandoc', ['-T', 'ascii', join(prefix, 'share/man/man5/humanops.conf.5')], { encoding: 'utf8' }).replaceAll(/.\x08/g, '');
	for (const { key } of documented())
		assert.match(conf, new RegExp(`^ +${key}=`, 'm'), `humanops.conf(5) on ${key}`);
});

test('what is installed finds itself: the site, the line of cron, the settings, which a second installation leaves alone', () => {
	const site = execFileSync(join(prefix, 'lib/humanops/site'), ['--certificate', '/c.pem', '--key', '/k.pem', '--server-name', 'humanops.example'], { encoding: 'utf8' });
	assert.ok(site.includes(`root "${prefix}/share/humanops/web"`) && site.includes('"unix:/run/humanops/tasks.sock"'));
	const cron = readFileSync(join(etc, 'cron.d/humanops'), 'utf8').split('\n').filter((line) => line.startsWith('*'));
	assert.equal(cron.length, 1);
	assert.ok(cron[0].startsWith('* * * * * root ') && cron[0].includes(`${prefix}/lib/humanops/sweeper`) && !cron[0].includes('%'));
	const conf = join(etc, 'humanops/humanops.conf');
	assert.equal(statSync(conf).mode & 0o777, 0o640);
	writeFileSync(conf, 'mine\n');
	execFileSync('flock', ['build', 'make', '-s', 'install-system', `PREFIX=${prefix}`, 'DESTDIR=', `SYSCONFDIR=${etc}`], { cwd: ROOT });
	assert.equal(readFileSync(conf, 'utf8'), 'mine\n');
	assert.ok(existsSync(join(prefix, 'share/doc/humanops/install.md')));
});
