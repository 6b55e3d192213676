/*
 * The release before this one, as a checkout with its programs built: tests/ops/previous-release names it by tag and commit; it is
 * taken from the repository's history and built in build/.  HUMANOPS_PREVIOUS=FOLDER: a checkout of it, where there is no history.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../source.mjs';

const [tag, commit] = readFileSync(path.join(root, 'tests/ops/previous-release'), 'utf8').split(/\s+/);
const folder = path.join(root, 'build', `previous-${commit.slice(0, 12)}`);
const isBuilt = () => existsSync(path.join(folder, 'complete'));

/* Why there is none: the sources came without their history, or with a part of it; null where there is one. */
export function whyMissing() {
  const hasHistory = () => spawnSync('git', ['-C', root, 'cat-file', '-e', `${commit}^{tree}`]).status === 0;
  return process.env.HUMANOPS_PREVIOUS || isBuilt() || hasHistory()
    ? null
    : `${tag} (${commit}) is not in the history of these sources; HUMANOPS_PREVIOUS names a checkout of it`;
}

/* The folder. */
export function previousRelease() {
  if (process.env.HUMANOPS_PREVIOUS) return path.resolve(process.env.HUMANOPS_PREVIOUS);
  if (isBuilt()) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const archive = execFileSync('git', ['-C', root, 'archive', commit], { maxBuffer: 1 << 28 });
  execFileSync('tar', ['-C', folder, '-xf', '-'], { input: archive });
  execFileSync('make', ['-C', folder, '-s', '-j2', 'CFLAGS=-O0', 'all'], { stdio: ['ignore', 'ignore', 'inherit'] });
  writeFileSync(path.join(folder, 'complete'), '');
  return folder;
}
