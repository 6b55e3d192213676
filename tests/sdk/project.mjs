/* A new project with the package in it, packed by `npm pack` and installed by `npm install`, as its users have it. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { root } from '../stack.mjs';

export const execute = promisify(execFile);
let packed, project;

/* { folder: of the tarball, file, files: what is in it }; made once. */
export function pack() {
  return (packed ??= (async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-pack-'));
    process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
    const { stdout } = await execute('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: path.join(root, 'sdk'),
    });
    const [{ filename, files, size, unpackedSize }] = JSON.parse(stdout);
    return { folder, file: path.join(folder, filename), files: files.map((one) => one.path), size, unpackedSize };
  })());
}

/* { folder, run(file, env): runs a module of the project and gives what it printed }. The MCP SDK is that of the tests, so that no network is needed. Made once.
 */
export function installed(s) {
  return (project ??= install(s));
}

async function install(s) {
  const { file } = await pack(),
    folder = mkdtempSync(path.join(os.tmpdir(), 'humanops-project-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }\n');
  await execute(
    'npm',
    ['install', '--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps', file],
    { cwd: folder },
  );
  symlinkSync(
    path.join(root, 'tests/node_modules/@modelcontextprotocol'),
    path.join(folder, 'node_modules/@modelcontextprotocol'),
  );
  return {
    folder,
    write(where, text) {
      mkdirSync(path.dirname(path.join(folder, where)), { recursive: true });
      writeFileSync(path.join(folder, where), text);
    },
    async run(where, env = {}, args = []) {
      const { stdout } = await execute(process.execPath, [path.join(folder, where), ...args], {
        cwd: folder,
        timeout: 60_000,
        env: {
          PATH: process.env.PATH,
          HOME: folder,
          HUMANOPS_API_URL: s.base,
          NODE_EXTRA_CA_CERTS: path.join(s.state, 'tls/certificate.pem'),
          ...env,
        },
      });
      return stdout;
    },
    manifest: () => JSON.parse(readFileSync(path.join(folder, 'node_modules/humanops/package.json'), 'utf8')),
  };
}
