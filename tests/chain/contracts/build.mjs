/*
 * Compiles the contracts beside this file into contracts.json: each one's interface and runtime code.
 *   npm install --prefix FOLDER --ignore-scripts solc@0.8.37 @openzeppelin/contracts@5.7.0
 *   node tests/chain/contracts/build.mjs FOLDER           writes contracts.json
 *   node tests/chain/contracts/build.mjs FOLDER --check   says whether contracts.json is what the sources give
 * The tests read contracts.json alone, so that they need no compiler.  TestUsd's code contains OpenZeppelin's ERC20 (MIT licence).
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url)), target = path.join(here, 'contracts.json');
const [folder, option] = process.argv.slice(2);
const require = createRequire(path.resolve(folder ?? '.', 'package.json'));
const read = (file) => readFileSync(file, 'utf8');

const input = {
  language: 'Solidity',
  sources: Object.fromEntries(readdirSync(here).filter((name) => name.endsWith('.sol'))
    .map((name) => [name, { content: read(path.join(here, name)) }])),
  settings: {
    evmVersion: 'cancun',
    optimizer: { enabled: true, runs: 200 },
    metadata: { bytecodeHash: 'none', appendCBOR: false },
    outputSelection: { '*': { '*': ['evm.deployedBytecode.object', 'abi'] } },
  },
};
const find = (name) => ({ contents: read(require.resolve(name)) });
const output = JSON.parse(require('solc').compile(JSON.stringify(input), { import: find }));
if (output.errors?.length > 0)
  throw new Error(output.errors.map((error) => error.formattedMessage).join('\n'));
const made = {};
for (const name of Object.keys(input.sources))
  for (const [contract, { evm, abi }] of Object.entries(output.contracts[name]))
    made[contract] = { code: `0x${evm.deployedBytecode.object}`, abi };
const text = `${JSON.stringify(made)}\n`.replaceAll(/("\w+":\{"code")/g, '\n$1');
if (option === '--check') {
  const isSame = text === read(target);
  console.log(isSame ? 'contracts.json is what the sources give' : 'contracts.json is not what the sources give');
  process.exitCode = isSame ? 0 : 1;
} else {
  writeFileSync(target, text);
}
