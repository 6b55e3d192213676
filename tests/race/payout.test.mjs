/*
 * Money that comes and goes at the same instant: payouts of one balance, a payout and the settlement that it needs, a deposit that
 * vanishes and the task that it pays for, wallets that several want.  In test mode; what the chain adds is tests/chain's.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { addr, eip191Signer } from 'micro-eth-signer';
import { abreast, later, sessions, together } from '../abreast.mjs';
import { stack } from '../stack.mjs';
import { HOLD, booksAgree, newOperator, prepare } from '../work.mjs';

const ROUNDS = 200, LANES = 4;
const PAY = 25; /* of each task that is prepared */
const COST = 11; /* a task of $10 and the least fee */
const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
const run = sessions(s, 2 * LANES);
/* What a tier allows a day is not what is raced for. */
await s.sql('update tiers set max_daily_tasks = 1000000, max_daily_spend = 1000000000000000');
const rounds = Array.from({ length: ROUNDS / LANES }, (_, i) => i);
const hash = () => `0x${randomBytes(32).toString('hex')}`;

function newWallet() {
  const key = `0x${randomBytes(32).toString('hex')}`, address = addr.fromPrivateKey(key);
  return { address, lower: address.toLowerCase(), sign: (text) => eip191Signer.sign(text, key, false) };
}

const { address } = newWallet();

const tally = (answers) => answers.map((a) => `${a.status} ${a.json.code ?? a.json.status ?? ''}`.trim()).sort();
const outcomes = (results) => [...new Set(results.flat())].sort();

/* One lane for each party; lane(party) plays all of its rounds, one after the other. */
const inLanes = (parties, lane) => abreast(LANES, parties, lane);

function payout(operator, dollars) {
  const body = { amount_usd: dollars, method: 'usdc', wallet_address: address, chain: 'base' };
  return s.call('POST', '/operator/payout', { body, headers: { 'X-Operator-Id': operator.id } });
}

/* Operators, each in a bucket of its own, with so many earnings whose hold is about to end; settle() ends one. */
async function earners(count) {
  const agent = await s.agent({ tier: 'STANDARD', deposit: 1_000_000 }), operators = [];
  while (operators.length < LANES) {
    const operator = await newOperator(s);
    if (operators.some((o) => o.bucket === operator.bucket))
      continue;
    await prepare(s, { agent, operator, status: 'COMPLETED', count });
    operators.push(operator);
  }
  const end = await s.time(HOLD);
  return operators.map((operator) => ({ ...operator,
    settle: async () => Number(await run(`select earning_settle(${operator.bucket}, '${end}', 1)`)) }));
}

/* Credits the cost of a task in USDC; final unless it lies in a block that may vanish.  Gives the deposit's id. */
async function credit(agent, now, block = null) {
  const of = `${agent.bucket}, '${agent.uuid}'`, where = block === null ? 'null, null' : `100, '${block}'`, at = block === null ? 'null' : `'${block}'`;
  const id = await run(`select id from usdc_seen(${of}, id_new(${agent.bucket}, '${now}'), 8453, '${hash()}', 0, null, ${COST * 1e6}, ${where}, '${now}')`);
  assert.equal(await run(`select status from usdc_confirm(${of}, '${id}', ${at}, '${now}')`), 'confirmed');
  return id;
}

/* What an account holds, in millionths of a dollar. */
async function accounts(party) {
  return JSON.parse(await run(`select jsonb_object_agg(kind, balance) from accounts where bucket = ${party.bucket} and party_id = '${party.uuid}'`));
}

test(`${ROUNDS} times two payouts of one balance: one is paid, the other refused`, async () => {
  const operators = await earners(rounds.length);
  await inLanes(operators, (operator) => abreast(1, rounds, async (i) => {
    assert.equal(await operator.settle(), 1);
    const answers = await together([later(() => payout(operator, PAY), i), later(() => payout(operator, PAY), 3 * i)]);
    assert.deepEqual(tally(answers), ['201 COMPLETED', '402 payout_balance'], `round ${i}`);
  }));
  for (const operator of operators) {
    const { available, in_flight: inFlight, usdc_custody: custody, gas } = await accounts(operator);
    assert.deepEqual([available, inFlight, custody + gas], [0, 0, rounds.length * PAY * 1e6]);
    const [{ count }] = await s.sql(`select count(*) from payouts where bucket = ${operator.bucket} and party_id = '${operator.uuid}'`);
    assert.equal(count, rounds.length);
  }
  await booksAgree(s);
});

test(`${ROUNDS} times a payout meets the settlement that it needs: paid from it, or refused without it`, async () => {
  const operators = await earners(rounds.length);
  const results = await inLanes(operators, (operator) => abreast(1, rounds, async (i) => {
    const [settled, answer] = await together([later(operator.settle, i * 3), later(() => payout(operator, PAY), i)]);
    assert.equal(settled, 1, 'whatever the payout does, the hold ends');
    const [outcome] = tally([answer]);
    assert.ok(['201 COMPLETED', '402 payout_balance'].includes(outcome), answer.text);
    /* What was refused is there afterwards, and no more than that. */
    if (outcome !== '201 COMPLETED')
      assert.deepEqual(tally([await payout(operator, PAY)]), ['201 COMPLETED']);
    assert.deepEqual(tally([await payout(operator, 10)]), ['402 payout_balance']);
    return outcome;
  }));
  assert.equal(outcomes(results).length, 2, 'each is first at times');
  await booksAgree(s);
});

test(`${ROUNDS} times an agent takes out what a task wants: one of the two has it`, async () => {
  const agents = await abreast(1, rounds.slice(0, LANES), () => s.agent({ tier: 'STANDARD', deposit: 50 }));
  const now = await s.time();
  for (const agent of agents) {
    assert.equal(await bind(agent, newWallet()), 200);
    assert.deepEqual(tally([await withdraw(agent, 50)]), ['201 COMPLETED']);
  }
  const results = await inLanes(agents, (agent) => abreast(1, rounds, async (i) => {
    await credit(agent, now);
    const answers = await together([later(() => withdraw(agent, COST), i), later(() => post(agent), i * 3)]);
    const won = answers.findIndex((a) => a.status === 201);
    assert.deepEqual(tally(answers), won === 0 ? ['201 COMPLETED', '402 insufficient_balance'] : ['201 PENDING', '402 payout_balance'], `round ${i}`);
    if (won === 1) {
      await cancel(agent, answers[1]);
      assert.deepEqual(tally([await withdraw(agent, COST)]), ['201 COMPLETED']);
    }
    return won;
  }));
  assert.deepEqual(outcomes(results), [0, 1], 'each is first at times');
  for (const agent of agents)
    assert.deepEqual([(await accounts(agent)).deposit, (await accounts(agent)).escrow], [0, 0]);
  await booksAgree(s);
});

async function post(agent) {
  return s.call('POST', '/tasks', { key: agent.key, body: { title: 'Verify storefront signage', description: 'Take a photo of the sign', reward_usd: 10,
    task_type: 'VERIFICATION', location: { lat: 40.7128, lng: -74.006, address: '123 Main St, NY' }, proof_requirements: ['Photo of the sign'],
    deadline: await s.time(3600) } });
}

async function cancel(agent, made) {
  const answer = await s.call('POST', `/tasks/${made.json.task_id}/cancel`, { key: agent.key });
  assert.equal(answer.status, 200, answer.text);
}

const withdraw = (agent, dollars) => s.call('POST', '/agents/withdraw', { key: agent.key, body: { amount_usd: dollars } });

test(`${ROUNDS} times a deposit vanishes while a task is paid with it: taken back, or owed`, async () => {
  const agents = await abreast(1, rounds.slice(0, LANES), () => s.agent({ tier: 'STANDARD', deposit: 0 }));
  const now = await s.time();
  const results = await inLanes(agents, (agent) => abreast(1, rounds, async (i) => {
    const block = hash(), id = await credit(agent, now, block);
    const reverse = () => run(`select status from usdc_reverse(${agent.bucket}, '${agent.uuid}', '${id}', '${block}', '${now}')`);
    const [reversed, again, made] = await together([later(reverse, i * 3), later(reverse, i * 5), later(() => post(agent), i)]);
    assert.deepEqual([reversed, again], ['reversed', 'reversed']);
    const isMade = made.status === 201;
    assert.deepEqual(tally([made]), [isMade ? '201 PENDING' : '402 insufficient_balance'], made.text);
    const { deposit, escrow, receivable, usdc_custody: custody } = await accounts(agent);
    assert.deepEqual([deposit + receivable, escrow, custody], isMade ? [-COST * 1e6, COST * 1e6, 0] : [0, 0, 0], `round ${i}`);
    assert.deepEqual(tally([await post(agent)]), ['402 insufficient_balance'], 'what came back pays the debt and no second task');
    if (isMade)
      await cancel(agent, made);
    return isMade;
  }));
  assert.deepEqual(outcomes(results), [false, true], 'each is first at times');
  for (const agent of agents) {
    const { deposit, escrow, receivable, usdc_custody: custody } = await accounts(agent);
    assert.deepEqual([deposit + receivable, escrow, custody], [0, 0, 0]);
    const acts = await s.sql(`select 1 from staff_acts where bucket = ${agent.bucket} and target = '${agent.id}' and act = 'deposit.reversed'`);
    assert.equal(acts.length, rounds.length, 'staff is told of each once');
  }
  await booksAgree(s);
});

async function challenge(agent, wallet) {
  const { json } = await s.call('POST', '/agents/wallet/challenge', { key: agent.key });
  return { wallet_address: wallet.address, nonce: json.nonce, signature: wallet.sign(json.message), chain: 'base' };
}

const put = (agent, body) => s.call('PUT', '/agents/wallet', { key: agent.key, body });

async function bind(agent, wallet) {
  return (await put(agent, await challenge(agent, wallet))).status;
}

/* Each wallet that is bound is one agent's in the registry too, and there is no other. */
async function walletsAgree() {
  const list = async (columns, from) => JSON.parse(await run(`select coalesce(jsonb_agg(w order by w), '[]') from (select ${columns} from ${from}) w`));
  const bound = await list('wallet, id as party', 'agents where wallet is not null');
  assert.equal(new Set(bound.map((b) => b.wallet)).size, bound.length);
  assert.deepEqual(await list('value as wallet, party_id as party', `registry where kind = 'wallet'`), bound);
}

test('50 binds of one wallet at once by two agents: one of them has it, and no challenge works twice', async () => {
  for (let round = 0; round < 5; round++) {
    const wallet = newWallet(), agents = [await s.agent({ tier: 'VERIFIED' }), await s.agent({ tier: 'VERIFIED' })];
    const proofs = await Promise.all(Array.from({ length: 20 }, (_, i) => challenge(agents[i % 2], wallet)));
    const answers = await together(Array.from({ length: 50 }, (_, i) => () => put(agents[i % 2], proofs[i % 20])));
    const of = [0, 1].map((n) => tally(answers.filter((_, i) => i % 2 === n)));
    const winner = of.findIndex(([first]) => first === '200');
    assert.deepEqual(of[winner], [...Array(10).fill('200'), ...Array(15).fill('400 challenge_invalid')], `round ${round}`);
    assert.deepEqual(of[1 - winner], Array(25).fill('409 wallet_taken'));
    await walletsAgree();
  }
});

test('50 times one agent gives a wallet up while another takes it: nobody has it twice', async () => {
  const agents = [await s.agent({ tier: 'VERIFIED' }), await s.agent({ tier: 'VERIFIED' })];
  let contested = newWallet();
  assert.equal(await bind(agents[0], contested), 200);
  const results = [];
  for (let i = 0; i < 50; i++) {
    const [holder, other] = i % 2 ? [agents[1], agents[0]] : agents, next = newWallet();
    const [give, take] = [await challenge(holder, next), await challenge(other, contested)];
    const [given, taken] = await together([later(() => put(holder, give), i), later(() => put(other, take), 3 * i)]);
    assert.equal(given.status, 200, given.text);
    assert.ok([200, 409].includes(taken.status), taken.text);
    if (taken.status === 409) {
      assert.equal(taken.json.code, 'wallet_taken');
      assert.equal(await bind(other, contested), 200, 'once it is free it can be had');
    }
    results.push(taken.status);
    await walletsAgree();
  }
  assert.deepEqual(outcomes(results), [200, 409], 'each is first at times');
});

test('two agents who want each other\'s wallets at once keep their own', async () => {
  const agents = [await s.agent({ tier: 'VERIFIED' }), await s.agent({ tier: 'VERIFIED' })], wallets = [newWallet(), newWallet()];
  for (let n = 0; n < 2; n++)
    assert.equal(await bind(agents[n], wallets[n]), 200);
  for (let i = 0; i < 25; i++) {
    const proofs = [await challenge(agents[0], wallets[1]), await challenge(agents[1], wallets[0])];
    assert.deepEqual(tally(await together([0, 1].map((n) => () => put(agents[n], proofs[n])))), ['409 wallet_taken', '409 wallet_taken']);
  }
  await walletsAgree();
});
