/*
 * What the programs of this package keep: API keys and private keys of credential tasks, each a file of its own that only the user
 * can read, below $XDG_STATE_HOME/humanops or ~/.local/state/humanops.  A file appears whole or not at all and is never written
 * over, so any number of processes may work at once and a kill leaves nothing half done.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { link, mkdir, open, rename, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

const MODE = 0o600,
  FOLDER_MODE = 0o700,
  SIZE_MAX = 64 * 1024;

/* The XDG specification has relative paths ignored. */
export function stateFolder(env = process.env) {
  const base = path.isAbsolute(env.XDG_STATE_HOME ?? '')
    ? env.XDG_STATE_HOME
    : path.join(os.homedir(), '.local', 'state');
  return path.join(base, 'humanops');
}

const hash = (text) => createHash('sha256').update(text).digest('hex').slice(0, 32);

export class State {
  constructor(folder = stateFolder()) {
    this.folder = folder;
  }

  /* Where the key of an address is kept: one service's key is not another's. */
  accountFile(origin) {
    return path.join(this.folder, `account-${hash(origin)}.json`);
  }

  #keyFile(publicKey) {
    return path.join(this.folder, 'keys', `${hash(publicKey)}.json`);
  }

  /* { api_key, agent_id } or null. */
  async account(origin) {
    const file = await readSecret(this.accountFile(origin));
    return file?.origin === origin && typeof file.api_key === 'string' ? file : null;
  }

  /* Takes the place of an earlier one. */
  async keepAccount(origin, { api_key: key, agent_id: id }) {
    const file = this.accountFile(origin);
    await writeSecret(
      file,
      {
        format: 'humanops-account',
        version: 1,
        origin,
        agent_id: id,
        api_key: key,
        created_at: new Date().toISOString(),
      },
      rename,
    );
    return file;
  }

  /* The file is of the form in which the console saves keys, so that either opens the other's credentials. */
  async keepKey({ publicKey, privateKey }, more = {}) {
    await writeSecret(
      this.#keyFile(publicKey),
      { format: 'humanops-credential-key', version: 1, publicKey, privateKey, ...more },
      linkAnew,
    );
  }

  /* For a key that nothing was encrypted for. */
  forgetKey(publicKey) {
    return rm(this.#keyFile(publicKey), { force: true });
  }

  #noteFile(name) {
    return path.join(this.folder, `note-${hash(name)}.json`);
  }

  /* Small things that a program wants to know the next time, by a name; null if there is none. */
  async note(name) {
    const file = await readSecret(this.#noteFile(name));
    return file?.name === name ? file.value : null;
  }

  async keepNote(name, value) {
    await writeSecret(this.#noteFile(name), { format: 'humanops-note', version: 1, name, value }, rename);
  }

  /* The private key (a JWK) that belongs to a public one, or null. */
  async privateKey(publicKey) {
    const file = await readSecret(this.#keyFile(publicKey));
    return file?.publicKey === publicKey ? file.privateKey : null;
  }
}

async function linkAnew(from, to) {
  await link(from, to);
  await rm(from);
}

/* Writes beside the place, to the disk, and then moves there. */
async function writeSecret(file, value, move) {
  const folder = path.dirname(file),
    draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`;
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const handle = await open(
    draft,
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW,
    MODE,
  );
  try {
    await handle.writeFile(`${JSON.stringify(value, null, 2)}\n`);
    await handle.sync();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
  await move(draft, file);
  const place = await open(folder, constants.O_RDONLY);
  await place.sync().finally(() => place.close());
}

/* The file's content; null if there is none.  One that others could read or have put there is not believed. */
async function readSecret(file) {
  let handle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (error.code === 'ENOENT') return null;
    throw error;
  }
  try {
    const { mode, uid, size } = await handle.stat();
    if (process.getuid !== undefined && ((mode & 0o077) !== 0 || uid !== process.getuid()))
      throw new Error(`${file} must belong to you alone: chmod 600 and chown it`);
    if (size > SIZE_MAX) throw new Error(`${file} is no file of ours`);
    return JSON.parse(await handle.readFile('utf8'));
  } catch (error) {
    throw error instanceof SyntaxError ? new Error(`${file} is damaged`) : error;
  } finally {
    await handle.close();
  }
}
