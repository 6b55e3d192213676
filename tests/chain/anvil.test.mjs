/* What the other tests take for granted of the chain that they run on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { anvil, at, data, micros, part, wallet } from './anvil.mjs';
import { nonsense, proxy } from './proxy.mjs';

const chain = await anvil();

test('the chain is Base by its number, and its dollar has six decimals', async () => {
  assert.equal(await chain.rpc('eth_chainId'), '0x2105');
  assert.equal(BigInt(await chain.rpc('eth_call', { to: at.usdc, data: data('usdc', 'decimals') }, 'latest')), 6n);
});

test('a transfer is mined when told, moves the exact amount and leaves one event', async () => {
  const from = await chain.wallet(100), to = wallet();
  await chain.mine();
  const hash = await chain.transfer(from, to.address, 12.345678);
  assert.equal(await chain.receipt(hash), null);
  assert.equal(await chain.balance(to.address), 0n);
  await chain.confirm(hash, 12);
  const receipt = await chain.receipt(hash);
  assert.equal(receipt.status, '0x1');
  assert.equal(await chain.head() - Number(receipt.blockNumber) + 1, 12);
  assert.equal(await chain.balance(to.address), 12_345_678n);
  assert.equal(await chain.balance(from.address), micros(87.654322));
  const moved = await chain.transfers((t) => t.to === to.lower);
  assert.deepEqual(moved.map((t) => [t.from, t.value, t.hash]), [[from.lower, 12_345_678n, hash]]);
});

test('a reorganisation drops a transfer, or puts it elsewhere', async () => {
  const from = await chain.wallet(100), to = wallet();
  await chain.mine();
  const dropped = await chain.transfer(from, to.address, 10);
  await chain.mine(3);
  const height = await chain.head();
  await chain.reorg(3);
  assert.equal(await chain.head(), height);
  assert.equal(await chain.receipt(dropped), null);
  assert.equal(await chain.balance(to.address), 0n);
  const moved = await chain.transfer(from, to.address, 11), raw = await chain.raw(moved);
  await chain.mine(4);
  const before = await chain.receipt(moved);
  await chain.reorg(4, [[raw, 2]]);
  const now = await chain.receipt(moved);
  assert.equal(Number(now.blockNumber), Number(before.blockNumber) + 2);
  assert.notEqual(now.blockHash, before.blockHash);
  assert.equal(await chain.balance(to.address), 11_000_000n);
});

test('a router forwards calls, or undoes them and succeeds; what is stopped reverts', async () => {
  const from = await chain.wallet(100), to = wallet();
  await chain.mine();
  await chain.send(from, 'usdc', 'approve', { spender: at.router, value: micros(50) });
  const calls = [10, 20].map((dollars) => part('usdc', 'transferFrom', { from: from.address, to: to.address, value: micros(dollars) }));
  const undone = await chain.send(from, 'router', 'undone', calls), all = await chain.send(from, 'router', 'all', calls);
  await chain.mine();
  assert.deepEqual([(await chain.receipt(undone)).status, (await chain.receipt(undone)).logs.length], ['0x1', 0]);
  assert.equal((await chain.receipt(all)).logs.length, 2);
  assert.equal(await chain.balance(to.address), micros(30));
  await chain.send(from, 'usdc', 'setPaused', true);
  const stopped = await chain.transfer(from, to.address, 1);
  await chain.mine();
  assert.deepEqual([(await chain.receipt(stopped)).status, (await chain.receipt(stopped)).logs.length], ['0x0', 0]);
});

test('a proxy passes calls, answers them itself, loses replies, holds and bends them', async () => {
  const p = await proxy(chain.url), ask = (method = 'eth_chainId', params = []) => fetch(p.url, { method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params }), headers: { 'Content-Type': 'application/json' } });
  assert.deepEqual(await (await ask()).json(), { jsonrpc: '2.0', id: 7, result: '0x2105' });
  p.rule('eth_chainId', ({ n }) => n === 1 ? nonsense.html : { result: () => '0x1' });
  assert.match(await (await ask()).text(), /^<html>/);
  assert.equal((await (await ask()).json()).result, '0x1');
  p.rule('anvil_mine', () => ({ drop: 'after' }));
  const before = await chain.head();
  await assert.rejects(ask('anvil_mine', ['0x1']));
  assert.equal(await chain.head(), before + 1);
  const held = p.hold('anvil_mine'), answer = ask('anvil_mine', ['0x1']);
  assert.deepEqual((await held.reached).params, ['0x1']);
  assert.equal(await chain.head(), before + 1);
  held.release();
  await answer;
  assert.equal(await chain.head(), before + 2);
  const lost = p.hold('anvil_mine'), broken = assert.rejects(ask('anvil_mine', ['0x1']));
  await lost.reached;
  lost.release({ drop: true });
  await broken;
  assert.equal(await chain.head(), before + 2);
  assert.equal(p.count('anvil_mine'), 3);
});
