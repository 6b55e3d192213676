/* The operators' app's rules: what comes next, what may be claimed, sent and paid out, and where links lead. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  actionsOf,
  arrangeWork,
  claimBar,
  credentialOf,
  earningState,
  estimateOf,
  feedQuery,
  isFresh,
  isPayoutOpen,
  lacks,
  payoutFault,
  payoutStatus,
  proofForm,
  sortFeed,
  stepOf,
  steps,
  wayTo,
} from '../../web/app/rules.mjs';

const NOW = Date.parse('2026-06-01T12:00:00Z'),
  HOUR = 3_600_000;
const at = (hours) => new Date(NOW + hours * HOUR).toISOString();
const task = (change) => ({
  task_id: 't',
  status: 'IN_PROGRESS',
  deadline: at(2),
  submit_until: at(26),
  created_at: at(-1),
  estimate: { approval_deadline: at(5) },
  ...change,
});

test('every status has a step, and a proof on the device comes before it', () => {
  for (const [change, more, step, until] of [
    [{ status: 'PENDING' }, {}, 'gone', null],
    [{ status: 'ESTIMATE_PENDING' }, {}, 'wait_approval', NOW + 5 * HOUR],
    [{ status: 'ACCEPTED' }, {}, 'start', NOW + 26 * HOUR],
    [{}, {}, 'prove', NOW + 26 * HOUR],
    [{ submit_until: null }, {}, 'prove', NOW + 2 * HOUR],
    [{}, { proof: { state: 'draft' } }, 'prove', NOW + 26 * HOUR],
    [{}, { proof: { state: 'draft', error: 'photo_refused' } }, 'attention', NOW + 26 * HOUR],
    [{}, { proof: { state: 'queued' } }, 'sending', NOW + 26 * HOUR],
    [{}, { proof: { state: 'refused' } }, 'attention', NOW + 26 * HOUR],
    [{}, { isStopped: true }, 'stopped', null],
    [{}, { isStopped: true, proof: { state: 'queued' } }, 'stopped', null],
    [{ submit_until: at(0) }, { isStopped: true }, 'stopped', null],
    [{ status: 'SUBMITTED' }, { isStopped: true }, 'checking', null],
    [{ submit_until: at(0) }, {}, 'late', null],
    [{ submit_until: at(0) }, { proof: { state: 'queued' } }, 'sending', NOW],
    [{ status: 'SUBMITTED' }, {}, 'checking', null],
    [{ status: 'SUBMITTED', guardian_result: { decision: 'MANUAL_REVIEW' } }, {}, 'review', null],
    [{ status: 'VERIFIED' }, {}, 'checking', null],
    [{ status: 'COMPLETED' }, {}, 'done', null],
    [{ status: 'DISPUTED' }, {}, 'disputed', null],
    [{ status: 'CANCELLED' }, {}, 'cancelled', null],
    [{ status: 'SOMETHING_NEW' }, {}, 'cancelled', null],
  ]) {
    const got = stepOf(task(change), { now: NOW, ...more });
    assert.deepEqual([got.step, got.until], [step, until], JSON.stringify([change, more]));
    assert.deepEqual([got.group, got.tone], steps[step]);
  }
});

test('work is in groups, what ends first comes first, and what is over newest first', () => {
  const tasks = [
    task({ task_id: 'later', submit_until: at(9) }),
    task({ task_id: 'sooner', submit_until: at(3) }),
    task({ task_id: 'open', status: 'PENDING' }),
    task({ task_id: 'old', status: 'COMPLETED', completed_at: at(-9) }),
    task({ task_id: 'new', status: 'COMPLETED', completed_at: at(-1) }),
    task({ task_id: 'waits', status: 'ESTIMATE_PENDING' }),
    task({ task_id: 'queued' }),
    task({ task_id: 'left' }),
  ];
  const found = arrangeWork(tasks, {
    now: NOW,
    proofs: new Map([['queued', { state: 'queued' }]]),
    stopped: new Set(['left']),
  });
  assert.deepEqual(
    found.map(({ group, items }) => [group, items.map((i) => i.task.task_id)]),
    [
      ['now', ['sooner', 'later']],
      ['waiting', ['waits', 'queued', 'left']],
      ['done', ['new', 'old']],
    ],
  );
  assert.deepEqual(arrangeWork([], { now: NOW }), []);
});

test('what may be done follows the lifecycle', () => {
  const can = (change, isStopped) =>
    Object.entries(actionsOf(task(change), NOW, isStopped))
      .filter(([, is]) => is)
      .map(([name]) => name);
  assert.deepEqual(can({ status: 'PENDING' }), []);
  assert.deepEqual(can({ status: 'ESTIMATE_PENDING' }), ['withdraw', 'message']);
  assert.deepEqual(can({ status: 'ACCEPTED' }), ['start', 'prove', 'stop', 'message']);
  assert.deepEqual(can({}), ['prove', 'stop', 'message']);
  assert.deepEqual(can({ submit_until: at(0) }), ['stop', 'message'], 'too late');
  assert.deepEqual(can({ status: 'ACCEPTED' }, true), ['resume', 'message'], 'stopped, and not told');
  assert.deepEqual(can({ status: 'COMPLETED' }), ['message']);
  assert.deepEqual(can({ status: 'CANCELLED' }), []);
});

test('each kind of proof asks for its parts', () => {
  const photo = task({ proof_type: 'PHOTO' }),
    words = task({ proof_type: 'CONFIRMATION' }),
    file = task({ proof_type: 'ARTIFACT', agent_public_key: null });
  const sealed = task({ proof_type: 'ARTIFACT', agent_public_key: 'k' }),
    screen = task({ proof_type: 'SCREENSHOT' });
  assert.deepEqual(
    [photo, words, file, sealed, screen].map((t) => lacks(t, {})),
    [['photos'], ['confirmation_text'], ['photos'], ['credential'], ['photos']],
  );
  assert.deepEqual(lacks(words, { confirmation_text: ' \n' }), ['confirmation_text']);
  assert.deepEqual(
    [lacks(photo, { photos: 1 }), lacks(words, { confirmation_text: 'x' }), lacks(sealed, { hasCredential: true })],
    [[], [], []],
  );
  assert.deepEqual(
    [photo, words, screen, sealed].map((t) => proofForm(t).hasCamera),
    [true, true, false, false],
  );
  assert.ok(proofForm(file).isFile && !proofForm(sealed).isFile);
});

test('an estimate is whole, neither too short nor too long, and may pass the deadline with a warning', () => {
  const limits = { min: 5, max: 43_200, deadline: at(48), now: NOW };
  for (const [given, minutes, fault] of [
    [{}, 0, 'short'],
    [{ minutes: '4' }, 4, 'short'],
    [{ minutes: '5' }, 5, null],
    [{ hours: '2', minutes: '30' }, 150, null],
    [{ days: ' 2 ' }, 2880, null],
    [{ days: '2', minutes: '1' }, 2881, 'deadline'],
    [{ days: '30' }, 43_200, 'deadline'],
    [{ days: '30', minutes: '1' }, 43_201, 'long'],
    [{ hours: '1.5' }, null, 'number'],
    [{ hours: '-1' }, null, 'number'],
    [{ minutes: '1e2' }, null, 'number'],
    [{ minutes: 'ten' }, null, 'number'],
    [{ minutes: '999999' }, null, 'number'],
  ])
    assert.deepEqual(estimateOf(given, limits), { minutes, fault }, JSON.stringify(given));
  assert.equal(estimateOf({ days: '30' }, { ...limits, deadline: null }).fault, null);
});

test('only a verified identity claims', () => {
  assert.deepEqual(
    ['VERIFIED', 'PENDING', 'REJECTED'].map((kyc_status) => claimBar({ kyc_status })),
    [null, 'kyc_pending', 'kyc_rejected'],
  );
});

test('the feed is asked for and sorted as wished, what has no place last', () => {
  assert.deepEqual(feedQuery({ type: 'PHOTO', domain: '', radius: '5' }, { lat: 1, lng: 2 }), {
    task_type: 'PHOTO',
    task_domain: null,
    lat: 1,
    lng: 2,
    radius_km: 5,
  });
  assert.deepEqual(
    feedQuery({ radius: '5' }, null),
    { task_type: null, task_domain: null, radius_km: null },
    'no radius around nowhere',
  );
  const a = { task_id: 'a', distance_km: 3, reward_usd: 10, deadline: at(5), created_at: at(-1) },
    b = { task_id: 'b', reward_usd: 30, deadline: at(1), created_at: at(-3) };
  const c = { task_id: 'c', distance_km: 0, reward_usd: 20, deadline: at(9), created_at: at(-2) },
    ids = (order) =>
      sortFeed([a, b, c], order)
        .map((t) => t.task_id)
        .join('');
  assert.deepEqual(['near', 'reward', 'deadline', 'new', 'nonsense'].map(ids), ['cab', 'bca', 'bac', 'acb', 'cab']);
});

test('a file taken just now was taken here; an older one, or one from the future, was not', () => {
  assert.deepEqual(
    [0, 119_000, 121_000, -30_000, -120_000].map((age) => isFresh(NOW - age, NOW)),
    [true, true, false, true, false],
  );
});

test('a credential is its filled-in pairs', () => {
  assert.deepEqual(
    credentialOf([
      ['api_key', 'sk_1'],
      [' plan ', 'free '],
      ['', 'x'],
      ['empty', ''],
    ]),
    { api_key: 'sk_1', plan: 'free ' },
  );
  assert.deepEqual(Object.keys(credentialOf([['__proto__', 'x']])), ['__proto__'], 'a name like any other');
});

test('the way there opens what the device has', () => {
  const place = { lat: 40.5, lng: -74, address: '1 A St & B' };
  assert.equal(wayTo(place, 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0)'), 'https://maps.apple.com/?daddr=40.5%2C-74');
  assert.equal(wayTo(place, 'Mozilla/5.0 (Linux; Android 16)'), 'geo:40.5,-74?q=40.5%2C-74(1%20A%20St%20%26%20B)');
  assert.equal(
    wayTo(place, 'Mozilla/5.0 (X11; Linux x86_64)'),
    'https://www.openstreetmap.org/directions?to=40.5%2C-74',
  );
  assert.equal(wayTo({ address: 'x&y#z' }, 'Android'), 'geo:0,0?q=x%26y%23z');
  assert.equal(wayTo({ lat: 0, lng: 0 }, 'Linux'), 'https://www.openstreetmap.org/directions?to=0%2C0');
  assert.equal(wayTo({}, 'Linux'), null);
});

test('money has its time, and a payout its limits', () => {
  assert.deepEqual(earningState({ state: 'pending', available_at: at(1) }, NOW), { key: 'pending', at: NOW + HOUR });
  assert.deepEqual(earningState({ state: 'pending', available_at: at(0) }, NOW), { key: 'settling', at: null });
  assert.deepEqual(earningState({ state: 'frozen', available_at: null }, NOW), { key: 'frozen', at: null });
  const limits = { min: 10, available: 25.3 },
    address = `0x${'aB'.repeat(20)}`;
  for (const [amount, to, fault] of [
    [null, address, 'amount'],
    [9.99, address, 'min'],
    [10, address, null],
    [25.3, address, null],
    [25.31, address, 'available'],
    [10, '0x12', 'address'],
    [10, ` ${address} `, null],
    [10, `${address}0`, 'address'],
    [10, address.replace('a', 'g'), 'address'],
  ])
    assert.equal(payoutFault({ amount, address: to }, limits), fault, `${amount} ${to}`);
  assert.equal(payoutFault({ amount: 10, address }, { min: 10, available: 9.995 }), 'available');
  assert.deepEqual(
    [
      payoutStatus({ status: 'completed' }),
      isPayoutOpen({ status: 'completed' }),
      isPayoutOpen({ status: 'PENDING_ONCHAIN' }),
      isPayoutOpen({}),
    ],
    ['COMPLETED', false, true, true],
  );
});
