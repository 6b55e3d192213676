/*
 * Processes of an instance: who they are, whether they live, and how PostgreSQL crashes.  s: the instance, as stack() gives it.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

const PGBIN = '/usr/lib/postgresql/15/bin';

/* The process that a program of the instance was started as. */
export const supervisorOf = (s, name) => Number(readFileSync(path.join(s.settings.RUN_DIR, `${name}.pid`), 'utf8').split('\n')[0]);

export function children(parent) {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      const [state, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
      return Number(ppid) === parent && state !== 'Z';
    } catch {
      return false;
    }
  }).map(Number);
}

export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/* Runs a command as the instance's user, with its settings. */
export function spawnAs(s, command, args) {
  const asUser = s.user === null ? [] : ['setpriv', `--reuid=${s.user}`, `--regid=${s.user}`, '--init-groups', '--'];
  const [file, ...rest] = [...asUser, command, ...args];
  return execFile(file, rest, { cwd: '/', env: { PATH: process.env.PATH, HUMANOPS_CONF: path.join(s.settings.STATE_DIR, 'humanops.conf') },
    maxBuffer: 64 << 20 });
}

const dataOf = (s) => path.join(s.settings.STATE_DIR, 'postgres');
const exited = (child) => new Promise((done) => child.on('exit', done));

/* A crash: nothing is flushed, sessions break off.  Gives what startDatabase needs. */
export async function crashDatabase(s) {
  const opts = readFileSync(path.join(dataOf(s), 'postmaster.opts'), 'utf8').match(/"-D" "[^"]*" (.*)/s)[1].trim();
  await exited(spawnAs(s, `${PGBIN}/pg_ctl`, ['-D', dataOf(s), '-s', '-w', '-m', 'immediate', 'stop']));
  return opts;
}

/* Its output goes to the log, or this process would wait for the server to close it. */
export async function startDatabase(s, opts) {
  const log = path.join(s.logs, 'postgres.log');
  const code = await exited(spawnAs(s, `${PGBIN}/pg_ctl`, ['-D', dataOf(s), '-s', '-w', '-t', '30', '-l', log, '-o', opts, 'start']));
  assert.equal(code, 0, 'PostgreSQL starts again after its crash');
}
