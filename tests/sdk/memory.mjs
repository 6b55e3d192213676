/* Where a secret could have come to lie on the service's side: its database, its files, the memory of its programs. */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import path from 'node:path';

const STEP = 16 << 20;

export function* processes() {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const [, parent] = /^\d+ \(.*\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      let exe = '';
      try {
        exe = readlinkSync(`/proc/${pid}/exe`);
      } catch {
        /* a zombie, or not ours to see */
      }
      yield { pid, parent, exe, line: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
    } catch {
      /* gone meanwhile */
    }
}

/* The instance's programs: ours, nginx and PostgreSQL, which name its folders, and their children. */
function programsOf(s) {
  const all = [...processes()],
    folders = [s.lib, s.settings.STATE_DIR, s.settings.RUN_DIR, s.state];
  const own = new Set(
    all
      .filter(
        ({ exe, line, pid }) =>
          pid !== String(process.pid) &&
          /(?:\.fcgi|worker|imager|nginx|postgres)/.test(exe) &&
          folders.some((folder) => exe.startsWith(folder) || line.includes(folder)),
      )
      .map(({ pid }) => pid),
  );
  for (let size = -1; size !== own.size;) {
    size = own.size;
    for (const { pid, parent } of all) if (own.has(parent)) own.add(pid);
  }
  return all.filter(({ pid }) => own.has(pid));
}

/* The readable parts of a process's memory, a piece at a time; pieces overlap, so that nothing is cut in two. */
export function* memoryOf(pid, overlap) {
  let mem, maps;
  try {
    mem = openSync(`/proc/${pid}/mem`, 'r');
    maps = readFileSync(`/proc/${pid}/maps`, 'utf8');
  } catch {
    return;
  }
  const buffer = Buffer.alloc(STEP);
  for (const line of maps.split('\n')) {
    const [, from, to, mode, what] = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)$/.exec(line) ?? [];
    if (from === undefined || mode[0] !== 'r' || what.startsWith('[v') || /\.so|locale/.test(what)) continue;
    for (let at = BigInt(`0x${from}`); at < BigInt(`0x${to}`); at += BigInt(STEP - overlap)) {
      const left = BigInt(`0x${to}`) - at,
        length = left < BigInt(STEP) ? Number(left) : STEP;
      try {
        yield buffer.subarray(0, readSync(mem, buffer, 0, length, at));
      } catch {
        /* a page that is not there */
      }
      if (left <= BigInt(STEP)) break;
    }
  }
  closeSync(mem);
}

function* filesBelow(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const where = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(where);
    else if (entry.isFile()) yield where;
  }
}

/*
 * { found: places in which one of the secrets lies, programs: how many were looked into, witnessed: in how many places there was
 * what must be there }, so that a search that sees nothing cannot pass.
 */
export async function memoryHolds(s, { secrets, witness }) {
  const found = [],
    overlap = Math.max(...secrets.map((one) => one.length), witness.length);
  let programs = 0,
    witnessed = 0;
  const look = (bytes, where) => {
    if (secrets.some((one) => bytes.includes(one))) found.push(where);
    return bytes.includes(witness);
  };
  for (const { pid, exe } of programsOf(s)) {
    let has = false,
      any = false;
    for (const piece of memoryOf(pid, overlap)) {
      any = true;
      if (look(piece, `${path.basename(exe)} ${pid}`)) has = true;
    }
    programs += any ? 1 : 0;
    witnessed += has ? 1 : 0;
  }
  const dump = execFileSync('pg_dump', ['-h', s.settings.RUN_DIR, '-U', 'postgres', 'humanops'], {
    maxBuffer: 256 << 20,
  });
  if (!look(dump, 'pg_dump')) found.push('the dump has not even the public key');
  for (const file of filesBelow(s.settings.STATE_DIR)) {
    const bytes = readFileSync(file);
    look(bytes, file);
  }
  return { found, programs, witnessed };
}
