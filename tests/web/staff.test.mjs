/* What the staff console decides by itself, and what both consoles say of facts, by Node alone. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actorName,
  cancelText,
  entryName,
  eventName,
  eventText,
  evidenceLines,
  isWebAddress,
  resolutionText,
  safetyText,
  takenAt,
} from '../../web/shared/facts.mjs';
import * as staff from '../../web/staff/rules.mjs';

test('a resolution’s form', () => {
  assert.deepEqual(staff.resolveBody({ resolution: 'PAY_OPERATOR', note: ' ' }, 25), {
    body: { resolution: 'PAY_OPERATOR' },
    fields: {},
  });
  assert.deepEqual(staff.resolveBody({ resolution: 'SPLIT', operatorUsd: '10.50', note: 'n' }, 25), {
    body: { resolution: 'SPLIT', operator_usd: 10.5, note: 'n' },
    fields: {},
  });
  for (const amount of ['', '0', '25', '25.01', '-1', 'x', '0.001'])
    assert.deepEqual(
      Object.keys(staff.resolveBody({ resolution: 'SPLIT', operatorUsd: amount }, 25).fields),
      ['operator_usd'],
      amount,
    );
  for (const resolution of ['', undefined, 'toString'])
    assert.deepEqual(Object.keys(staff.resolveBody({ resolution }, 25).fields), ['resolution']);
});

test('what a resolution does with the money, in words that add up', () => {
  const money = { reward: 25, fee: 2.5 };
  assert.equal(
    resolutionText('PAY_OPERATOR', money),
    'The operator receives $25.00; the fee of $2.50 stays with us.',
  );
  assert.match(resolutionText('REFUND_AGENT', money), /\$27\.50/);
  assert.match(resolutionText('SPLIT', { ...money, operatorUsd: 10.1 }), /\$10\.10, the agent gets back \$14\.90/);
  for (const operatorUsd of [null, 0, 25, 30])
    assert.match(resolutionText('SPLIT', { ...money, operatorUsd }), /less than \$25\.00/);
});

test('accounts, lists and names', () => {
  const id = '01m84g2539fyt8dddyswqw0y2e';
  assert.deepEqual(staff.accountOf(` op_${id} `), {
    kind: 'operator',
    id: `op_${id}`,
    path: `/admin/operators/op_${id}/suspend`,
  });
  assert.equal(staff.accountOf(`agent_${id}`).path, `/admin/agents/agent_${id}/suspend`);
  for (const none of ['', 'op_', `task_${id}`, `op_${id}/../x`, `op_${id}x`, 'op_../../..'])
    assert.equal(staff.accountOf(none), null, none);
  assert.deepEqual([staff.count(null, 5), staff.count([], 5), staff.count([1, 2, 3, 4, 5], 5)], ['–', '0', '5+']);
  for (const name of ['constructor', '__proto__', 'something.new', '', undefined])
    for (const fn of [eventName, actorName, entryName, cancelText, staff.accountName, staff.findingName])
      assert.equal(typeof fn(name), 'string');
  assert.deepEqual(
    [eventName('task.something_new'), entryName('escrow_hold')],
    ['Something new', 'Set aside for a task'],
  );
  assert.deepEqual(
    ['unsafe', 'x', undefined].map((reason) => eventText({ type: 'task.aborted', abort_reason: reason })),
    ['Operator stopped: did not feel safe', 'Operator stopped: x', 'Operator stopped'],
  );
  assert.equal(cancelText('unsafe'), 'operators did not feel safe');
  assert.deepEqual(
    [0, undefined, 1, 2].map((stops) => safetyText(stops).split(' stopped')[0]),
    ['', '', 'An operator', '2 operators'],
  );
  assert.deepEqual(staff.otherFigures({ balanced: true, x: 1, y: { z: 1 }, z: null }, ['balanced']), [['x', 1]]);
});

test('evidence says what is known and what is wrong', () => {
  const kinds = (e) => evidenceLines(e).map((line) => line.kind);
  assert.deepEqual(kinds({ exif_distance_m: 44, reported_distance_m: 0, camera: 'x' }), ['good', 'good', '']);
  assert.deepEqual(kinds({ exif_distance_m: 2200 }), ['bad']);
  assert.deepEqual(
    [kinds({}), kinds(null), kinds({ is_reused: true, is_similar: true })],
    [['warn'], ['warn'], ['warn', 'bad']],
  );
  assert.deepEqual(
    [takenAt({ exif_taken_at: 'a', captured_at: 'b' }), takenAt({ captured_at: 'b' }), takenAt(null)],
    [['Taken', 'a'], ['Captured', 'b'], null],
  );
  assert.deepEqual(
    ['https://a/b', 'http://a', 'javascript:x', 'https://a b', '', null, ' https://a'].map(isWebAddress),
    [true, true, false, false, false, false, false],
  );
});

test('the log is read to its end, acts of the same millisecond included, each once', () => {
  const acts = Array.from({ length: 10 }, (_, i) => ({
    act: 'kyc',
    target: `op_${i}`,
    at: `2026-01-01T00:00:00.00${i < 5 ? 2 : 1}Z`,
  }));
  const ask = (before, limit) => acts.filter((a) => before === null || a.at < before).slice(0, limit);
  for (const limit of [6, 7, 20]) {
    const seen = new Set(),
      read = [];
    for (let before = null, n = 0; n < 10; n++) {
      const page = staff.logPage(ask(before, limit), seen, limit);
      read.push(...page.items);
      before = page.next;
      if (before === null) break;
    }
    assert.deepEqual(read, acts, String(limit));
  }
  assert.deepEqual(staff.logPage([], new Set(), 5), { items: [], next: null });
});
