/*
 * Shared hosting: a user without root, a database of the host's with one role, Apache that may be told things by .htaccess alone
 * (mod_cgi; mod_fcgid) or nginx with fcgiwrap, and cron.  shared/setup makes it of an installation; each server runs as that user
 * on a high port with TLS.  What pages and errors are like is compared with the nginx of a whole instance.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { jpegOfSize } from '../pictures.mjs';
import { healthRoutes, root, routes } from '../source.mjs';
import { freePort, stack, until } from '../stack.mjs';

const s = await stack();
const home = path.join(s.settings.STATE_DIR, 'home');
const prefix = path.join(home, 'humanops'), docroot = path.join(home, 'public_html');
const certificate = path.join(s.settings.STATE_DIR, 'tls/certificate.pem'), key = path.join(s.settings.STATE_DIR, 'tls/key.pem');
const database = `host=${s.settings.RUN_DIR} user=host_u123 dbname=host_u123`;
const modules = '/usr/lib/apache2/modules';

/* A command as the user of the host. */
const asUser = (command) => (s.user === null ? command : ['setpriv', `--reuid=${s.user}`, `--regid=${s.user}`, '--init-groups', '--', ...command]);
const clean = { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', HOME: home };

function run(...command) {
  const [file, ...args] = asUser(command);
  return execFileSync(file, args, { encoding: 'utf8', env: clean, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
}

function refused(...command) {
  const [file, ...args] = asUser(command);
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8', env: clean, cwd: '/' });
  assert.notEqual(status, 0);
  return stderr;
}

/* A process that lives until the end of the tests around it; its group goes with it. */
function serve(command, log) {
  const [file, ...args] = asUser(command);
  const child = spawn(file, args, { env: clean, cwd: '/', detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise((done) => child.once('exit', done));
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => appendFileSync(log, text));
  return async () => {
    try {
      process.kill(-child.pid, 'SIGTERM');
    } catch {
      /* it has ended by itself */
    }
    await ended;
  };
}

const setup = (...more) => [path.join(prefix, 'share/humanops/shared/setup'), '--docroot', docroot, '--database', database, ...more];

await s.sql('create role host_u123 login');
await s.sql('create database host_u123 owner host_u123');
run('mkdir', '-p', docroot);
run('cp', '-R', path.join(s.settings.STATE_DIR, 'install'), prefix);

/* One request to a server of these tests; from: the client's own address. */
function call(port, method, where, { body, raw, headers = {}, from = '127.0.0.1', scheme = https } = {}) {
  const bytes = raw ?? (body === undefined ? null : Buffer.from(JSON.stringify(body)));
  const sent = { Host: `localhost:${port}`, ...(bytes ? { 'Content-Type': 'application/json', 'Content-Length': bytes.length } : {}), ...headers };
  return new Promise((done, fail) => {
    const request = scheme.request({ host: '127.0.0.1', port, method, path: where, headers: sent, agent: false, localAddress: from,
      ca: s.ca, servername: 'localhost' }, (response) => {
      const chunks = [];
      response.on('data', (chunk) => chunks.push(chunk)).on('error', fail).on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8'), type = response.headers['content-type'] ?? '';
        done({ status: response.statusCode, headers: response.headers, text, json: /json/.test(type) && text ? JSON.parse(text) : undefined });
      });
    });
    request.setTimeout(30_000, () => request.destroy(new Error(`${method} ${where}: no answer`)));
    request.on('error', fail);
    request.end(bytes ?? undefined);
  });
}

const asKey = (key) => ({ headers: { 'X-API-Key': key } });

/* Apache as Debian's package has it, with nothing of ours but the .htaccess in the user's own folder. */
function apacheConf(folder, port, plain, mpm, loaded) {
  const names = [`mpm_${mpm}`, 'authz_core', 'dir', 'mime', 'env', 'setenvif', 'rewrite', 'headers', 'filter', 'deflate', 'socache_shmcb', 'ssl', 'alias', ...loaded];
  return `ServerRoot "${folder}"
DefaultRuntimeDir "${folder}"
PidFile "${folder}/httpd.pid"
Mutex file:${folder} default
ErrorLog "${folder}/error.log"
ServerName localhost
${names.map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so`).join('\n')}
TypesConfig /dev/null
Listen 127.0.0.1:${port} https
Listen 127.0.0.1:${plain} http
<IfModule mod_fcgid.c>
  FcgidIPCDir "${folder}/fcgid"
  FcgidProcessTableFile "${folder}/fcgid_shm"
</IfModule>
<IfModule mod_cgid.c>
  ScriptSock "${folder}/cgid.sock"
</IfModule>
DocumentRoot "${docroot}"
<Directory "/">
  AllowOverride None
  Require all denied
</Directory>
<Directory "${docroot}">
  AllowOverride All
  Require all granted
</Directory>
<VirtualHost 127.0.0.1:${port}>
  SSLEngine on
  SSLCertificateFile "${certificate}"
  SSLCertificateKeyFile "${key}"
</VirtualHost>
`;
}

function startApache(name, mpm, ...loaded) {
  return async (port) => {
    const folder = path.join(home, name), conf = path.join(folder, 'httpd.conf'), plain = await freePort();
    run('mkdir', '-p', folder);
    writeFileSync(conf, apacheConf(folder, port, plain, mpm, loaded));
    return { end: serve(['/usr/sbin/apache2', '-D', 'FOREGROUND', '-f', conf], path.join(folder, 'out.log')), plain, log: path.join(folder, 'error.log') };
  };
}

/* nginx with what scripts/site prints for such a host. */
async function startNginx(port) {
  const folder = path.join(home, 'nginx'), socket = path.join(s.settings.RUN_DIR, 'fcgiwrap.sock'), conf = path.join(folder, 'nginx.conf');
  const log = path.join(folder, 'out.log');
  run('mkdir', '-p', folder);
  const site = execFileSync(path.join(root, 'scripts/site'), ['--certificate', certificate, '--key', key, '--listen', `127.0.0.1:${port}`,
    '--server-name', 'localhost', '--log-dir', folder, '--share-dir', path.join(prefix, 'share/humanops'), '--fcgiwrap', socket,
    '--lib-dir', path.join(prefix, 'lib/humanops'), '--conf', path.join(prefix, 'etc/humanops.conf')], { encoding: 'utf8' });
  const places = ['client_body', 'fastcgi', 'proxy', 'scgi', 'uwsgi'].map((name) => `${name}_temp_path "${folder}/${name}";`).join(' ');
  writeFileSync(conf, `daemon off; pid "${folder}/pid"; error_log "${folder}/error.log"; events {} http { ${places} access_log off;\n${site}}\n`);
  const ends = [serve(['fcgiwrap', '-c', '4', '-s', `unix:${socket}`], log), serve(['nginx', '-p', folder, '-c', conf, '-e', path.join(folder, 'error.log')], log)];
  return { end: () => Promise.all(ends.map((end) => end())), log: path.join(folder, 'error.log') };
}

/* Cron with a shorter minute: runs every line that is due each minute as cron does, again and again. */
function startCron() {
  const lines = readFileSync(path.join(prefix, 'etc/crontab'), 'utf8').split('\n').filter((line) => line.startsWith('* * * * * '));
  assert.deepEqual(lines.map((line) => /lib\/humanops\/(\w+)/.exec(line)[1]), ['sweeper', 'worker']);
  const running = new Set();
  const tick = () => {
    for (const line of lines) {
      const end = serve(['/bin/sh', '-c', line.slice(10)], path.join(home, 'cron.log'));
      running.add(end);
    }
  };
  tick();
  const timer = setInterval(tick, 1000);
  return async () => {
    clearInterval(timer);
    await Promise.all([...running].map((end) => end()));
  };
}

/* The running processes of one of our programs. */
const processes = (name) => readdirSync('/proc').filter((pid) => {
  try {
    return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] === path.join(prefix, 'lib/humanops', name);
  } catch {
    return false;
  }
});

test('setup refuses what would end badly, and leaves nothing behind', () => {
  const program = setup()[0];
  assert.match(refused(program, '--docroot', docroot), /--docroot and --url are needed/);
  assert.match(refused(...setup('--url', 'http://localhost')), /--url is the site's address/);
  assert.match(refused(...setup('--url', 'https://localhost/path')), /--url is the site's address/);
  assert.match(refused(...setup('--url', 'https://localhost', '--drain-seconds', '60')), /--drain-seconds is 0 to 55/);
  assert.match(refused(program, '--docroot', home, '--url', 'https://localhost', '--database', database), /where everybody could read its secrets/);
  run('mkdir', path.join(home, 'other'));
  run('touch', path.join(home, 'other/.htaccess'));
  assert.match(refused(program, '--docroot', path.join(home, 'other'), '--url', 'https://localhost', '--database', database), /is not ours/);
  run('mv', path.join(home, 'other/.htaccess'), path.join(home, 'other/index.php'));
  assert.match(refused(program, '--docroot', path.join(home, 'other'), '--url', 'https://localhost', '--database', database), /holds other things/);
  assert.match(refused(...setup('--url', 'https://localhost', 'NO_SUCH_SETTING=1')), /there is no setting NO_SUCH_SETTING/);
  assert.deepEqual([readdirSync(docroot), readdirSync(path.join(prefix, 'etc'))], [[], []]);
});

test('setup makes the place, with secrets that are its own and nobody else’s to read', async () => {
  const settings = ['HUMANOPS_ENV=development', 'WEBHOOK_ALLOW_PRIVATE=true', 'ALLOW_DEV_OPERATOR_ID_HEADER=true'];
  const said = run(...setup('--url', 'https://localhost:1', '--proxies', '127.0.0.1', '--drain-seconds', '0', ...settings));
  assert.match(said, /applied 001_reference[^]*crontab .*etc\/crontab/);
  const conf = path.join(prefix, 'etc/humanops.conf'), text = readFileSync(conf, 'utf8');
  assert.equal(statSync(conf).mode & 0o777, 0o600);
  for (const folder of ['etc', 'state', 'run', 'log']) assert.equal(statSync(path.join(prefix, folder)).mode & 0o777, 0o700, folder);
  assert.match(text, /^SECRET_KEY=[A-Za-z0-9+/]{43}=$/m);
  assert.match(text, /^TRUSTED_PROXIES=127\.0\.0\.1$/m);
  const [owner] = await s.sql("select rolcreaterole or rolsuper as is_mighty from pg_roles where rolname = 'host_u123'");
  assert.equal(owner.is_mighty, false);
});

test('setup again keeps secrets and lines of one’s own, and changes what is given', () => {
  const conf = path.join(prefix, 'etc/humanops.conf');
  const secret = (name) => new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(conf, 'utf8'))[1];
  const before = [secret('SECRET_KEY'), secret('ADMIN_API_KEY')];
  appendFileSync(conf, '# a line of my own\n');
  const said = run(...setup('--url', 'https://localhost:2', 'SANDBOX_STEP_SECONDS=0'));
  assert.match(said, /^database +up to date$/m);
  assert.deepEqual([secret('SECRET_KEY'), secret('ADMIN_API_KEY')], before);
  assert.match(readFileSync(conf, 'utf8'), /^# a line of my own$/m);
  assert.equal(readFileSync(conf, 'utf8').match(/^PUBLIC_BASE_URL=(.*)$/gm).join(), 'PUBLIC_BASE_URL=https://localhost:2');
  assert.match(readFileSync(path.join(prefix, 'etc/crontab'), 'utf8'), /worker' --drain --seconds 50 /);
});

/* Which program a path goes to by the rules of .htaccess, read as Apache reads those of this file. */
function programOf(where) {
  const rules = [...readFileSync(path.join(docroot, '.htaccess'), 'utf8').matchAll(/^RewriteRule (\S+) +humanops-bin\/(\S+) \[END\]$/gm)];
  assert.ok(rules.length > 10);
  for (const [, pattern, target] of rules) {
    const found = new RegExp(pattern).exec(where.slice(1));
    if (found && pattern !== '^humanops-bin/') return target.replace('$1', found[1]).replace(/\.f?cgi$/, '').replace('upload', 'operator');
  }
}

test('.htaccess sends every route of every program to that program', () => {
  const whole = routes().filter((route) => route.program !== 'mcp' && route.pattern !== '/metrics');
  assert.ok(whole.length > 70);
  for (const { program, pattern, flags } of whole) {
    const where = (flags.includes('WHOLE') ? '' : '/api/v1') + pattern.replace(/:\w+/g, 'x_0');
    assert.equal(programOf(where), program, where);
  }
  assert.equal(programOf('/mcp'), 'mcp');
  for (const program of ['agents', 'tasks', 'operator', 'webhooks', 'admin', 'mcp'])
    for (const { pattern } of healthRoutes().filter((route) => /^\/(?:healthz|readyz)$/.test(route.pattern)))
      assert.equal(programOf(`${pattern}/${program}`), program);
});

test('a certificate that names an OCSP server is stapled, and only such a one', () => {
  const folder = path.join(home, 'ocsp'), [cert, secret] = ['c.pem', 'k.pem'].map((name) => path.join(folder, name));
  run('mkdir', folder);
  run('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost',
    '-addext', 'authorityInfoAccess=OCSP;URI:http://ocsp.example', '-keyout', secret, '-out', cert);
  const site = (...args) => execFileSync(path.join(root, 'scripts/site'), ['--key', secret, ...args], { encoding: 'utf8' });
  const stapled = site('--certificate', cert, '--resolver', '2001:db8::53');
  assert.match(stapled, /ssl_stapling +on;\n\tssl_stapling_verify +on;\n[^]*\n\tresolver +\[2001:db8::53\];/);
  assert.doesNotMatch(site('--certificate', certificate), /stapling/);
  assert.throws(() => site('--certificate', cert, '--resolver', 'x; evil'), /takes a name server/);
});

const servers = [
  { name: 'Apache with mod_cgi', start: startApache('cgi', 'prefork', 'cgi'), isApache: true, seconds: 0, last: 2 },
  { name: 'Apache with mod_fcgid', start: startApache('fcgid', 'event', 'cgid', 'fcgid'), isApache: true, seconds: 5, last: 3 },
  { name: 'nginx with fcgiwrap', start: startNginx, isApache: false, seconds: 5, last: 4 },
];

const pages = ['/', '/index.html', '/landing.css', '/openapi.json', '/app/', '/app/index.html', '/app/sw.mjs', '/docs/', '/docs/reference/', '/console/', '/staff/',
  '/vendor/redoc/LICENSE', '/vendor/leaflet/leaflet.js'];
const kept = ['content-type', 'content-security-policy', 'permissions-policy', 'x-frame-options', 'x-content-type-options', 'referrer-policy',
  'cache-control', 'cross-origin-opener-policy'];
const seen = ({ status, headers, text }) => ({ status, text, ...Object.fromEntries(kept.map((name) => [name, headers[name]?.toLowerCase().replace(/\s+/g, ' ').replaceAll(' ;', ';')])) });

for (const { name, start, isApache, seconds, last } of servers)
  describe(name, () => {
    const from = `127.0.0.${last}`;
    let port, server;
    before(async () => {
      port = await freePort();
      run(...setup('--url', `https://localhost:${port}`, '--drain-seconds', String(seconds), 'SANDBOX_STEP_SECONDS=1'));
      server = await start(port);
      await until(() => call(port, 'GET', '/readyz').then((answer) => answer.status === 200, () => false)).catch((error) => {
        throw new Error(`${error.message}\n${existsSync(server.log) ? readFileSync(server.log, 'utf8') : ''}`);
      });
    });
    after(() => server?.end(), { timeout: 30_000 });
    const email = () => `${randomUUID()}@example.com`;
    const register = async (more) => (await call(port, 'POST', '/api/v1/agents/register', { body: { name: 'shared', email: email() }, ...more })).json;

    test('the quick start, with cron for its jobs', async () => {
      const endCron = startCron();
      try {
        const demo = spawn(path.join(root, 'scripts/demo'), ['--url', `https://localhost:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] });
        let said = '';
        for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (text) => (said += text));
        const status = await new Promise((done) => demo.once('exit', done));
        assert.equal(status, 0, said.slice(-3000));
        assert.match(said, /== It works\./);
      } finally {
        await endCron();
      }
      const looked = run('env', `HUMANOPS_CONF=${prefix}/etc/humanops.conf`, path.join(prefix, 'lib/humanops/doctor'), '--offline', 'database', 'cron', 'queue', 'secrets');
      assert.doesNotMatch(looked, /^(?:warning|error)/m);
    });

    test('keys arrive in either header', async () => {
      const agent = await register({ headers: { 'X-Forwarded-For': '192.0.2.1' } });
      for (const headers of [{ 'X-API-Key': agent.api_key }, { Authorization: `Bearer ${agent.api_key}` }]) {
        const answer = await call(port, 'GET', '/api/v1/agents/me', { headers: { 'X-Forwarded-For': '192.0.2.1', ...headers } });
        assert.deepEqual([answer.status, answer.json?.agent_id], [200, agent.agent_id], answer.text);
      }
      for (const headers of [{}, { Authorization: 'Bearer ho_live_none' }, { Authorization: '' }])
        assert.equal((await call(port, 'GET', '/api/v1/agents/me', { headers: { 'X-Forwarded-For': '192.0.2.1', ...headers } })).status, 401);
    });

    test('limits hold across processes, for the address that the proxy tells and for no other', async () => {
      const resend = (forwarded, own = '127.0.0.1') => call(port, 'POST', '/api/v1/agents/resend-verification', { from: own, headers: { 'X-Forwarded-For': forwarded } });
      const statuses = [];
      for (let i = 0; i < 4; i++) statuses.push(await resend(`203.0.113.66, 198.51.100.${last}`));
      assert.deepEqual(statuses.map((answer) => answer.status), [401, 401, 401, 429]);
      assert.deepEqual(statuses.map((answer) => answer.headers['ratelimit-remaining']), ['2', '1', '0', '0']);
      assert.equal(statuses[3].json.code, 'rate_limited');
      assert.ok(Number(statuses[3].headers['retry-after']) > 0);
      assert.equal((await resend(`198.51.100.1${last}`)).status, 401);
      /* Not the proxy: whatever it says of others, it counts for itself. */
      const own = [];
      for (let i = 0; i < 4; i++) own.push((await resend(`203.0.113.${i}`, from)).status);
      assert.deepEqual(own, [401, 401, 401, 429]);
    });

    test('a proof file that is larger than most hosts’ usual limit is taken in and looked at', async () => {
      const headers = { 'X-Forwarded-For': '192.0.2.2' };
      const operator = (await call(port, 'POST', '/api/v1/operator/register', { headers, body: { name: 'Jane D.', email: 'jane@example.com' } })).json;
      headers['X-Operator-Id'] = operator.operator_id;
      const answer = await call(port, 'POST', '/api/v1/operator/upload', { raw: jpegOfSize(3 << 20), headers: { ...headers, 'Content-Type': 'image/jpeg' } });
      assert.equal(answer.status, 201, answer.text);
      assert.match(answer.json.sha256, /^[0-9a-f]{64}$/);
      const { pathname, search } = new URL(answer.json.url);
      const shown = await call(port, 'GET', pathname + search, { headers });
      assert.deepEqual([shown.status, shown.headers['content-type'], shown.headers['content-security-policy']], [200, 'image/jpeg', "default-src 'none'; sandbox"]);
    });

    test('a client of models is answered', async () => {
      const answer = await call(port, 'POST', '/mcp', { headers: { Accept: 'application/json, text/event-stream', 'X-Forwarded-For': '192.0.2.3' },
        body: { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } } } });
      assert.deepEqual([answer.status, answer.json?.result?.protocolVersion], [200, '2025-06-18'], answer.text);
    });

    test('what is not there, or nobody’s business, is JSON as everywhere', async () => {
      const paths = ['/nothing', '/.htaccess', '/humanops-bin/', '/humanops-bin/agents.fcgi', '/humanops-bin/agents.fcgi/api/v1/agents/me', '/sandbox/', '/app/nothing.mjs', '/app/.git/config',
        '/api/v1', '/api/v1/nothing', '/vendor/', '/api/v1//agents/me', '/index.php', '/.well-known/x'];
      for (const where of paths) {
        const answer = await call(port, 'GET', where, { headers: { 'X-Forwarded-For': '192.0.2.4' } });
        assert.deepEqual([answer.status, answer.json?.code], [404, 'not_found'], `${where}: ${answer.text.slice(0, 200)}`);
        assert.equal(answer.json.request_id, answer.headers['x-request-id'], where);
        assert.deepEqual(['strict-transport-security', 'x-content-type-options', 'content-security-policy', 'cache-control'].map((header) => answer.headers[header]),
          ['max-age=63072000', 'nosniff', "default-src 'none'; frame-ancestors 'none'", 'no-store'], where);
      }
      /* An encoded slash ends in Apache before it has read .htaccess. */
      for (const where of ['/api/v1/agents%2fme', '/docs/..%2f.htaccess']) assert.equal((await call(port, 'GET', where)).status, 404, where);
      const wrong = await call(port, 'PUT', '/api/v1/agents/keys', { headers: { 'X-Forwarded-For': '192.0.2.4' } });
      assert.deepEqual([wrong.status, wrong.json.code, wrong.headers.allow], [405, 'method_not_allowed', 'POST, GET, HEAD']);
      const large = await call(port, 'POST', '/api/v1/tasks', { raw: Buffer.alloc(2 << 20, 32), headers: { 'X-Forwarded-For': '192.0.2.4' } }).catch((error) => error);
      /* The server may close before all is sent. */
      assert.ok(large.json?.code === 'body_too_large' || ['EPIPE', 'ECONNRESET'].includes(large.code), large.text ?? large);
      const next = await call(port, 'GET', '/healthz', { headers: { 'X-Forwarded-For': '192.0.2.4' } });
      assert.equal(next.status, 200, 'it goes on after that');
    });

    test('pages have the same bytes and headers as behind nginx', async () => {
      for (const where of pages) {
        const [ours, theirs] = [await call(port, 'GET', where, { headers: { 'X-Forwarded-For': '192.0.2.5' } }), await call(s.port, 'GET', where)];
        assert.equal(theirs.status, 200, where);
        assert.deepEqual(seen(ours), seen(theirs), where);
      }
      const moved = await call(port, 'GET', '/app');
      assert.deepEqual([moved.status, new URL(moved.headers.location, `https://localhost:${port}/`).href], [301, `https://localhost:${port}/app/`]);
    });

    if (isApache)
      test('without TLS pages are sent on and calls find nothing', async () => {
        const page = await call(server.plain, 'GET', '/docs/?a=b', { scheme: http });
        assert.deepEqual([page.status, page.headers.location], [308, `https://localhost:${port}/docs/?a=b`]);
        for (const where of ['/api/v1/agents/me', '/mcp', '/healthz']) {
          const answer = await call(server.plain, 'GET', where, { scheme: http, headers: { 'X-API-Key': 'ho_live_x', 'X-Forwarded-For': '192.0.2.6' } });
          assert.deepEqual([answer.status, answer.json?.code], [404, 'not_found'], where);
        }
        /* A proxy that has taken off TLS says so. */
        const proxied = await call(server.plain, 'GET', '/healthz', { scheme: http, headers: { 'X-Forwarded-Proto': 'https' } });
        assert.equal(proxied.status, 200, proxied.text);
      });

    test('processes stay where the server keeps them, and only there', async () => {
      if (name.includes('mod_fcgid')) assert.ok(processes('agents.fcgi').length > 0);
      else await until(() => processes('agents.fcgi').length === 0);
    });
  });
