/*
 * A chain of our own: anvil with Base's chain id, whose first block holds a six-decimal dollar at the address of the real USDC and
 * the other contracts of contracts/.  A block is made only when a test says so.  Holds what tests need of a chain and of
 * wallets on it; ends with the file's last test.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Transaction, addr, eip191Signer } from 'micro-eth-signer';
import { createContract } from 'micro-eth-signer/abi.js';

const here = path.dirname(fileURLToPath(import.meta.url));
const contracts = JSON.parse(readFileSync(path.join(here, 'contracts/contracts.json'), 'utf8'));
export const CHAIN_ID = 8453;
export const at = {
  usdc: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
  gasPriceOracle: '0x420000000000000000000000000000000000000F',
  priceFeed: '0x71041dddad3595F9CEd3DcCFBe3D1F4b0a16Bb70',
  lookAlike: '0x833589fcD6EdB6e08f4C7C32d4F71b54BdA02914',
  forger: '0x00000000000000000000000000000000000f0a6e',
  router: '0x0000000000000000000000000000000000f00007',
};
const codes = { usdc: 'TestUsd', lookAlike: 'TestUsd', gasPriceOracle: 'GasPriceOracle', priceFeed: 'PriceFeed', forger: 'Forger',
  router: 'Router' };
const abi = Object.fromEntries(Object.entries(contracts).map(([name, { abi }]) => [name, createContract(abi)]));
const GWEI = 10n ** 9n, ETHER = 10n ** 18n;

const hex = (number) => `0x${BigInt(number).toString(16)}`;
export const micros = (dollars) => BigInt(Math.round(dollars * 1e6));

/* A storage slot that holds a text of at most 31 bytes, as Solidity keeps it. */
const shortText = (text) => `0x${Buffer.from(text).toString('hex').padEnd(62, '0')}${hex(2 * text.length).slice(2).padStart(2, '0')}`;
const slot = (number) => hex(number).slice(2).padStart(64, '0').replace(/^/, '0x');

/* A call of a contract's function, as `part('usdc', 'transfer', { to, value })`, for the router; one argument stands alone. */
export const part = (place, name, input) => ({ to: at[place], data: abi[codes[place]][name].encodeInput(input) });
/* Its data, as JSON-RPC has them. */
export const data = (place, name, input) => `0x${Buffer.from(part(place, name, input).data).toString('hex')}`;

/* A wallet: its key, its address (EIP-55), and what it signs. */
export function wallet(key = `0x${randomBytes(32).toString('hex')}`) {
  const address = addr.fromPrivateKey(key);
  return { key, address, lower: address.toLowerCase(), sign: (message) => eip191Signer.sign(message, key, false) };
}

function genesis() {
  const alloc = Object.fromEntries(Object.entries(codes).map(([place, name]) => [at[place], { balance: '0x0', code: contracts[name].code,
    storage: name === 'TestUsd' ? { [slot(3)]: shortText('USD Coin'), [slot(4)]: shortText('USDC') } : {} }]));
  const timestamp = hex(Math.floor(Date.now() / 1000) - 3600);
  return { config: { chainId: CHAIN_ID }, timestamp, gasLimit: hex(30_000_000), difficulty: '0x0', alloc };
}

function binary() {
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;
  return path.join(path.dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)), 'bin/anvil');
}

class Chain {
  #calls = 0;
  #process;
  #home;

  constructor(url, child, home) {
    this.url = url;
    this.#process = child;
    this.#home = home;
  }

  /* Gives the result; throws what the node refuses, with its code. */
  async rpc(method, ...params) {
    const response = await fetch(this.url, { method: 'POST', headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: ++this.#calls, method, params }) });
    const { result, error } = await response.json();
    if (error)
      throw Object.assign(new Error(`${method}: ${error.message}`), { code: error.code });
    return result;
  }

  async head() {
    return Number(await this.rpc('eth_blockNumber'));
  }

  /* So many blocks, the first of which takes what waits in the pool. */
  async mine(count = 1) {
    await this.rpc('anvil_mine', hex(count), '0x1');
  }

  /* Blocks until the one that holds the transaction has so many confirmations (1: it is the newest). */
  async confirm(hash, confirmations) {
    const receipt = await this.receipt(hash) ?? (await this.mine(), await this.receipt(hash));
    assert.ok(receipt, `${hash} is not mined`);
    const missing = Number(receipt.blockNumber) + confirmations - 1 - await this.head();
    assert.ok(missing >= 0, 'it has more confirmations already');
    if (missing > 0)
      await this.mine(missing);
  }

  /* The last `depth` blocks are replaced by as many others: their transactions are gone, but for [raw, index of a new block]. */
  async reorg(depth, kept = []) {
    await this.rpc('anvil_reorg', depth, kept);
  }

  /* A wallet with ether for fees, and so many dollars of the token once the next block is made. */
  async wallet(dollars = 0, key = undefined) {
    const made = wallet(key);
    await this.rpc('anvil_setBalance', made.address, hex(100n * ETHER));
    if (dollars > 0)
      await this.send(made, 'usdc', 'mint', { to: made.address, value: micros(dollars) });
    return made;
  }

  /* Signs a transaction without sending it; gives its raw bytes and hash. */
  async sign(from, place, name, input, { nonce, gas = 300_000n, tip = GWEI, maxFee = 200n * GWEI, value = 0n } = {}) {
    const next = nonce ?? await this.rpc('eth_getTransactionCount', from.address, 'pending');
    const fields = { type: 'eip1559', chainId: BigInt(CHAIN_ID), nonce: BigInt(next), to: at[place] ?? place, value,
      data: name ? data(place, name, input) : '0x', gasLimit: gas, maxFeePerGas: maxFee, maxPriorityFeePerGas: tip };
    const signed = Transaction.prepare(fields, false).signBy(from.key, false);
    return { raw: signed.toHex(true), hash: `0x${signed.hash.replace(/^0x/, '')}` };
  }

  /* Puts a call of a contract's function into the pool; gives the transaction's hash. */
  async send(from, place, name, input, options) {
    const { raw, hash } = await this.sign(from, place, name, input, options);
    assert.equal(await this.rpc('eth_sendRawTransaction', raw), hash);
    return hash;
  }

  transfer(from, to, dollars) {
    return this.send(from, 'usdc', 'transfer', { to, value: typeof dollars === 'bigint' ? dollars : micros(dollars) });
  }

  receipt(hash) {
    return this.rpc('eth_getTransactionReceipt', hash);
  }

  transaction(hash) {
    return this.rpc('eth_getTransactionByHash', hash);
  }

  /* The raw bytes of a transaction that the node knows. */
  raw(hash) {
    return this.rpc('eth_getRawTransactionByHash', hash);
  }

  /* Micro-dollars. */
  async balance(address, place = 'usdc') {
    return BigInt(await this.rpc('eth_call', { to: at[place], data: data(place, 'balanceOf', address) }, 'latest'));
  }

  /* Transfers of the token in all blocks, as { from, to, value, hash, block }. */
  async transfers(filter = () => true) {
    const logs = await this.rpc('eth_getLogs', { address: at.usdc, fromBlock: '0x0', toBlock: 'latest',
      topics: ['0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef'] });
    return logs.map((log) => ({ from: `0x${log.topics[1].slice(26)}`, to: `0x${log.topics[2].slice(26)}`, value: BigInt(log.data),
      hash: log.transactionHash, block: Number(log.blockNumber) })).filter(filter);
  }

  async end() {
    const ended = new Promise((done) => this.#process.once('exit', done));
    if (this.#process.exitCode === null && this.#process.kill())
      await ended;
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/* A chain that is ready.  It leaves files in its home, which is therefore a folder of its own. */
export async function anvil() {
  const home = mkdtempSync(path.join(tmpdir(), 'humanops-anvil-')), file = path.join(home, 'genesis.json');
  writeFileSync(file, JSON.stringify(genesis()));
  /* A test that is killed takes its chain along. */
  const options = ['--port', '0', '--chain-id', String(CHAIN_ID), '--no-mining', '--accounts', '1', '--init', file];
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', binary(), ...options],
    { env: { ...process.env, HOME: home }, stdio: ['ignore', 'pipe', 'inherit'] });
  process.on('exit', () => child.kill());
  const url = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (status) => fail(new Error(`anvil ended with ${status}`)));
    createInterface(child.stdout).on('line', (line) => {
      const port = /^Listening on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
      if (port)
        done(`http://127.0.0.1:${port}`);
    });
  });
  const chain = new Chain(url, child, home);
  after(() => chain.end());
  return chain;
}
