/*
 * An instance with a chain: anvil, a proxy for each endpoint that the instance calls, the key of its payouts, wallets of agents; and the
 * calls that money takes in and out.  Everybody's money here comes over the chain, so that the reserves must come out even.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { tmpdir } from 'node:os';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { children, isAlive, spawnAs, supervisorOf } from '../processes.mjs';
import { stack, until } from '../stack.mjs';
import { HOLD, newOperator, prepare } from '../work.mjs';
import { anvil, at, micros, wallet } from './anvil.mjs';
import { proxy } from './proxy.mjs';

export const CONFIRMATIONS = 12;
const REWARD = 25; /* dollars, of each task that work.mjs makes */
const user = process.getuid() === 0 ? 'humanops' : null;

/* A file that the instance's user alone can read. */
function keyFile(key) {
  const folder = mkdtempSync(path.join(tmpdir(), 'humanops-key-')), file = path.join(folder, 'key');
  writeFileSync(file, `${key}\n`);
  chmodSync(file, 0o600);
  if (user !== null) {
    /* scripts/start makes the user, but needs the file. */
    try {
      execFileSync('id', ['-u', user], { stdio: 'ignore' });
    } catch {
      execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--home-dir', '/nonexistent', '--shell', '/usr/sbin/nologin',
        user]);
    }
    const [uid, gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, user])));
    [file, folder].forEach((name) => chownSync(name, uid, gid));
  }
  after(() => rmSync(folder, { recursive: true, force: true }));
  return file;
}

class World {
  constructor(s, chain, proxies, payer, deposit) {
    Object.assign(this, { s, chain, proxies, proxy: proxies[0], payer, deposit });
  }

  /* A wallet's signature under a challenge; both can be given otherwise. */
  async bind(agent, owner, { challenge, signature } = {}) {
    const asked = challenge ?? (await this.s.call('POST', '/agents/wallet/challenge', { key: agent.key })).json;
    return this.s.call('PUT', '/agents/wallet', { key: agent.key, body: { wallet_address: owner.address, nonce: asked.nonce,
      signature: signature ?? owner.sign(asked.message), chain: 'base' } });
  }

  claim(agent, hash, amount = 100, headers = {}) {
    const body = { tx_hash: hash, amount_usdc: amount, chain: 'base' };
    return this.s.call('POST', '/agents/deposit/usdc', { key: agent.key, body, headers });
  }

  /* A verified agent with a bound wallet that holds so many dollars; nothing is deposited yet. */
  async agent({ holds = 1000, key } = {}) {
    const agent = await this.s.agent({ tier: 'VERIFIED' });
    agent.wallet = await this.chain.wallet(holds, key);
    await this.chain.mine();
    const bound = await this.bind(agent, agent.wallet);
    assert.equal(bound.status, 200, bound.text);
    return agent;
  }

  /* Sends so many dollars from the agent's wallet and has them credited; gives the hash. */
  async fund(agent, dollars) {
    const hash = await this.chain.transfer(agent.wallet, this.deposit.address, dollars);
    await this.chain.confirm(hash, CONFIRMATIONS);
    const done = await this.claim(agent, hash, dollars);
    assert.equal(done.status, 200, done.text);
    assert.equal(done.json.status, 'confirmed');
    return hash;
  }

  /* An operator who has earned at least so many dollars, and waited for them, in the service of this agent. */
  async operator(agent, dollars) {
    const operator = await newOperator(this.s);
    if (dollars > 0) {
      await prepare(this.s, { agent, operator, status: 'COMPLETED', count: Math.ceil(dollars / REWARD) });
      await this.s.advance(HOLD + 60);
      await this.s.sweep();
    }
    return operator;
  }

  /* From the deposit address to the one that payouts leave from, as the service's owner does it. */
  async provide(dollars) {
    const hash = await this.chain.transfer(this.deposit, this.payer.address, dollars);
    await this.chain.mine();
    assert.equal((await this.chain.receipt(hash)).status, '0x1');
  }

  /* Has so many dollars, and the fee, set aside for a task. */
  async task(agent, dollars) {
    const made = await this.s.call('POST', '/tasks', { key: agent.key, body: { title: 'Check the sign',
      description: 'Is it lit after dark?', reward_usd: dollars, deadline: await this.s.time(86_400), task_type: 'DATA_VALIDATION', proof_requirements: ['What you saw'],
      proof_type: 'CONFIRMATION' } });
    assert.equal(made.status, 201, made.text);
    return made.json.task_id;
  }

  async payout(operator, dollars, to, { key = randomUUID(), ...body } = {}) {
    return this.s.call('POST', '/operator/payout', { headers: { 'X-Operator-Id': operator.id, 'Idempotency-Key': key },
      body: { amount_usd: dollars, method: 'usdc', wallet_address: to, chain: 'base', ...body } });
  }

  /* The same; waits while the quote of the fee is too old because a test has moved the clock.  Gives the answer's body. */
  async paid(operator, dollars, to) {
    const key = randomUUID();
    return until(async () => {
      const answer = await this.payout(operator, dollars, to, { key });
      if (answer.status === 503 && answer.json.code === 'chain_unavailable')
        return null;
      assert.equal(answer.status, 201, answer.text);
      return answer.json;
    }, 30_000);
  }

  async status(operator, id) {
    const answer = await this.s.call('GET', `/operator/payout/status/${id}`, { headers: { 'X-Operator-Id': operator.id } });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  withdraw(agent, dollars, body = {}, key = randomUUID()) {
    return this.s.call('POST', '/agents/withdraw', { key: agent.key, body: { amount_usd: dollars, ...body },
      headers: { 'Idempotency-Key': key } });
  }

  async withdrawal(agent, id) {
    const answer = await this.s.call('GET', `/agents/withdraw/status/${id}`, { key: agent.key });
    assert.equal(answer.status, 200, answer.text);
    return answer.json;
  }

  staff(method, where, body) {
    return this.s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': this.s.settings.ADMIN_API_KEY } });
  }

  /* Waits for something that the worker does by and by. */
  async soon(fn, ms = 30_000) {
    let next = Date.now() + 300;
    return until(async () => {
      const value = await fn();
      if (!value && Date.now() >= next) {
        await this.s.advance(3);
        next = Date.now() + 600;
      }
      return value;
    }, ms);
  }

  /* The worker has looked at the newest block. */
  async looked() {
    const head = await this.chain.head();
    await this.soon(async () => (await this.rows('chain_states', `scanned_block >= ${head}`)).length === 1);
  }

  /* Waits for something that takes blocks and time: both go by quickly. */
  async hasten(fn, ms = 40_000) {
    let next = 0;
    return until(async () => {
      const value = await fn();
      if (!value && Date.now() >= next) {
        await this.chain.mine(CONFIRMATIONS + 1);
        await this.s.advance(10);
        next = Date.now() + 600;
      }
      return value;
    }, ms);
  }

  /* Micro-dollars of an agent or operator, by kind of account; without empty ones, and those between buckets. */
  async accounts(party) {
    const rows = await this.s.sql(`select kind, balance from accounts where bucket = ${party.bucket} and party_id = '${party.uuid}'
      and balance <> 0 and kind <> 'clearing'`);
    return Object.fromEntries(rows.map((row) => [row.kind, row.balance]));
  }

  /* The same of the whole service. */
  async books() {
    const rows = await this.s.sql('select kind, sum(balance)::bigint as balance from accounts group by kind having sum(balance) <> 0');
    return Object.fromEntries(rows.map((row) => [row.kind, row.balance]));
  }

  async rows(table, where) {
    return this.s.sql(`select * from ${table} where ${where}`);
  }

  async events(agent, type) {
    const answer = await this.s.call('GET', '/events', { key: agent.key });
    return answer.json.data.filter((event) => event.event === type);
  }

  /* The last comparison of the chain with the ledger. */
  async reserves() {
    const answer = await this.staff('GET', '/ledger/audit');
    assert.equal(answer.status, 200, answer.text);
    return answer.json.reserves;
  }

  /* A new one, of now. */
  async newReserves() {
    const before = (await this.reserves())?.checked_at ?? '';
    await this.s.advance(31);
    return until(async () => {
      const now = await this.reserves();
      return now?.checked_at > before && now;
    }, 20_000);
  }

  /* The books agree with themselves, and what the chain shows with the books. */
  async sound() {
    assert.deepEqual(await this.s.audit(), []);
    const [{ total }] = await this.s.sql('select coalesce(sum(amount), 0)::bigint as total from postings');
    assert.equal(total, 0);
  }

  /* What the chain holds for us less what the books say, in micro-dollars, once nothing is on its way. */
  async surplus() {
    const held = await this.chain.balance(this.deposit.address) + await this.chain.balance(this.payer.address);
    return held + BigInt((await this.books()).usdc_custody ?? 0);
  }

  /* The instance's own worker ends; from then on the test starts and kills workers. */
  async takeWorker() {
    const pid = supervisorOf(this.s, 'worker');
    process.kill(pid, 'SIGTERM');
    await until(() => !isAlive(pid), 30_000);
  }

  startWorker(workers = 4) {
    const worker = new Worker(this.s, workers);
    after(() => worker.kill());
    return worker;
  }
}

/* A worker and its processes, which can be killed all at once. */
class Worker {
  constructor(s, workers) {
    this.child = spawnAs(s, path.join(s.lib, 'worker'), ['--workers', String(workers)]);
  }

  /* No chance to finish anything.  The children go with their parent, but are killed first, lest one goes on for a moment. */
  async kill() {
    if (this.child.exitCode !== null || this.child.signalCode !== null)
      return;
    const gone = new Promise((done) => this.child.once('exit', done)), all = children(this.child.pid);
    process.kill(this.child.pid, 'SIGSTOP');
    all.filter(isAlive).forEach((pid) => process.kill(pid, 'SIGKILL'));
    process.kill(this.child.pid, 'SIGKILL');
    await gone;
    await until(() => !all.some(isAlive), 5000);
  }
}

/*
 * endpoints: how many the instance is given, each behind a proxy of its own before the one chain.  settings: further ones; the price
 * of ether is a setting unless they name an oracle.
 */
export async function world({ endpoints = 1, settings = [], isDurable = false } = {}) {
  const chain = await anvil(), payer = await chain.wallet(), deposit = await chain.wallet();
  const proxies = [];
  while (proxies.length < endpoints)
    proxies.push(await proxy(chain.url));
  /* A young chain has no history for fees to be told from. */
  await chain.mine(20);
  const s = await stack({ settings: [`BASE_RPC_URL=${proxies.map((p) => p.url).join(' ')}`, 'BASE_CHAIN_ID=8453',
    `USDC_CONTRACT=${at.usdc}`, `DEPOSIT_ADDRESS=${deposit.address}`, `CONFIRMATIONS_REQUIRED=${CONFIRMATIONS}`,
    `PAYOUT_PRIVATE_KEY_FILE=${keyFile(payer.key)}`, 'ALLOW_DEV_OPERATOR_ID_HEADER=true',
    ...settings.some((line) => line.startsWith('ETH_USD_')) ? [] : ['ETH_USD_PRICE=3000'],
    ...settings], isDurable });
  return new World(s, chain, proxies, payer, deposit);
}

export { at, micros, sleep, until, wallet };
