/* What the agents' console decides by itself; pure. */
import { DAY, fromMicros, micros, parseMoney } from '../shared/format.mjs';

/* What an agent can do with a task now: names of wishes. */
export function actionsOf(task) {
  const can = {
    PENDING: ['cancel'],
    ESTIMATE_PENDING: ['approve', 'reject', 'cancel'],
    ACCEPTED: ['cancel'],
    SUBMITTED: ['verify'],
    VERIFIED: ['verify'],
    COMPLETED: [
      'receipt',
      ...(task.rating === undefined ? ['rate'] : []),
      ...(task.dispute?.resolution ? [] : ['dispute']),
    ],
  };
  return Object.hasOwn(can, task.status) ? can[task.status] : [];
}

/* What waits for the agent, in a sentence; null if nothing does. */
export function needOf(task) {
  if (task.status === 'ESTIMATE_PENDING') return 'An operator waits for your answer to the estimate.';
  if (task.status === 'SUBMITTED' && task.guardian_result?.decision === 'MANUAL_REVIEW')
    return 'The Guardian is not sure: look at the proof and decide. Without an answer it counts as approved.';
  return null;
}

export const isFinal = (status) => status === 'COMPLETED' || status === 'CANCELLED';

/* Milliseconds until it is worth asking again how a task stands; null if nothing will move by itself. */
export function pollAfter(task) {
  if (isFinal(task.status)) return null;
  if (task.sandbox) return 1500;
  return task.status === 'DISPUTED' ? 15_000 : 2500;
}

/* posting */

const text = (value) => {
  const bare = (value ?? '').trim();
  return bare === '' ? undefined : bare;
};
const numberOf = (value) => {
  const bare = (value ?? '').trim();
  return /^[+-]?\d{1,3}(\.\d+)?$/.test(bare) ? Number(bare) : undefined;
};

/* A moment typed into a datetime-local field, in the typist's zone, as the API takes it; undefined if it is none. */
export function deadlineOf(value) {
  const at = new Date(value ?? '');
  return value && !Number.isNaN(at.getTime()) ? at.toISOString() : undefined;
}

/*
 * The body of POST /tasks from a form's texts; what is empty is left out, so that the service says what is missing.
 * category: the row of GET /tasks/categories, or null.
 */
export function taskBody(form, category) {
  const isPhysical = category?.task_domain === 'PHYSICAL',
    hasPlace = isPhysical || text(form.address) !== undefined;
  const reward = parseMoney(form.reward_usd ?? '');
  const isSandbox = form.sandbox === true;
  const body = {
    title: text(form.title),
    description: text(form.description),
    location: hasPlace
      ? { lat: numberOf(form.lat), lng: numberOf(form.lng), address: text(form.address) }
      : undefined,
    reward_usd: reward ?? undefined,
    deadline: deadlineOf(form.deadline),
    proof_requirements: (form.proof_requirements ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean),
    task_type: text(form.task_type),
    proof_type: text(form.proof_type),
    digital_instructions: isPhysical ? undefined : text(form.digital_instructions),
    callback_url: text(form.callback_url),
    callback_secret: text(form.callback_url) === undefined ? undefined : text(form.callback_secret),
    agent_public_key: category?.requires_agent_public_key ? form.agent_public_key : undefined,
    sandbox: isSandbox && form.isRealTier ? true : undefined,
    sandbox_scenario:
      isSandbox && text(form.sandbox_scenario) !== 'approve' ? text(form.sandbox_scenario) : undefined,
  };
  return JSON.parse(JSON.stringify(body)); /* without what is undefined */
}

/* The platform fee of a reward at a rate in percent: half a cent goes up, a dollar is the least (spec 4). */
export function feeOf(reward, percent, minimum = 1) {
  const tenThousandths = Math.round(percent * 100);
  const cents = Math.floor((Math.round(reward * 100) * tenThousandths + 5000) / 10_000);
  return Math.max(minimum, cents / 100);
}

/* curl */

/* A word for a POSIX shell, whatever stands in it. */
export const quote = (word) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/* A body as people read it; the page and the command send the same bytes. */
export const bodyText = (body) => JSON.stringify(body, null, 2);

/* The same call for a shell.  The key is a variable: a secret has no place in what one copies about. */
export function curlOf({ method, url, body, idempotencyKey }) {
  const lines = [`curl -X ${method} ${quote(url)}`, '-H "X-API-Key: $HUMANOPS_API_KEY"'];
  if (body !== undefined) lines.push("-H 'Content-Type: application/json'");
  if (idempotencyKey) lines.push(`-H ${quote(`Idempotency-Key: ${idempotencyKey}`)}`);
  if (body !== undefined) lines.push(`-d ${quote(bodyText(body))}`);
  return lines.join(' \\\n  ');
}

/* statement */

/* What an entry of the statement spent: money that left deposit and escrow for a task.  A return counts against it. */
export const spentOf = (entry) =>
  entry.task_id ? -micros(entry.deposit_change_usd) - micros(entry.escrow_change_usd) : 0;

/* Spend by UTC day over so many days up to now: [{ day: ISO date, usd }], oldest first, days without any included. */
export function spendByDay(entries, now, days = 30) {
  const today = Math.floor(now / DAY),
    series = new Map();
  for (let n = days - 1; n >= 0; n--) series.set(today - n, 0);
  for (const entry of entries) {
    const at = Math.floor(Date.parse(entry.created_at) / DAY);
    if (series.has(at)) series.set(at, series.get(at) + spentOf(entry));
  }
  return [...series].map(([n, value]) => ({
    day: new Date(n * DAY).toISOString().slice(0, 10),
    usd: fromMicros(value),
  }));
}

/* A round number at or above the greatest value, and three steps to it: 1, 2 or 5 times a power of ten. */
export function scaleOf(greatest, steps = 3) {
  const raw = Math.max(greatest, 0.03) / steps,
    power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= raw * (1 - 1e-9));
  return Array.from({ length: steps + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

/* Bars for such a series in a field of units: [{ x, y, width, height, day, usd }], and the lines of the scale. */
export function barsOf(series, { width, height, left = 44, bottom = 22, top = 8 }) {
  const ticks = scaleOf(Math.max(0, ...series.map((s) => s.usd))),
    most = ticks.at(-1),
    inner = height - bottom - top;
  const slot = (width - left) / Math.max(1, series.length),
    y = (usd) => top + inner * (1 - Math.max(0, usd) / most);
  return {
    bars: series.map((s, i) => ({
      ...s,
      x: left + i * slot + slot * 0.15,
      width: slot * 0.7,
      y: y(s.usd),
      height: top + inner - y(s.usd),
    })),
    lines: ticks.map((usd) => ({ usd, y: y(usd) })),
    base: top + inner,
  };
}

/* keys */

export const SCOPES = [
  ['read', 'Read', 'tasks, balance, statement, events'],
  ['tasks', 'Tasks', 'post, approve, verify, dispute, message'],
  ['funds', 'Funds', 'deposit, wallet, withdraw'],
  ['keys', 'Keys', 'make and revoke keys, verification mail'],
];

/* The body of POST /agents/keys; all scopes are the default and left out.  fields: what is wrong already here. */
export function keyBody({ name, scopes, budget, expires }) {
  const body = {},
    fields = {},
    amount = parseMoney(budget ?? '');
  if (text(name)) body.name = text(name);
  if (scopes.length === 0) fields.scopes = 'A key without a scope can do nothing.';
  else if (scopes.length < SCOPES.length) body.scopes = scopes;
  if (text(budget) !== undefined && amount === null) fields.max_daily_spend_usd = 'An amount in dollars, or nothing.';
  else if (amount !== null) body.max_daily_spend_usd = amount;
  if (text(expires) !== undefined) body.expires_at = deadlineOf(expires);
  return { body, fields };
}

/* the chain */

/*
 * Dollars as the token's smallest units; the text is exact, so this is too.  null for what is no amount of at most
 * six decimals.
 */
export function unitsOf(amount, decimals = 6) {
  const found = /^(\d{1,12})(?:\.(\d+))?$/.exec(String(amount).trim());
  if (found === null || (found[2] ?? '').length > decimals) return null;
  return BigInt(found[1] + (found[2] ?? '').padEnd(decimals, '0'));
}

export const isAddress = (value) => /^0x[0-9a-f]{40}$/i.test(value ?? '');
export const isHash = (value) => /^0x[0-9a-f]{64}$/i.test(value ?? '');

/* The data of transfer(address,uint256) of an ERC-20 token (EIP-20; selector a9059cbb). */
export function transferData(to, units) {
  if (!isAddress(to)) throw new TypeError('this is no address');
  return `0xa9059cbb${to.slice(2).toLowerCase().padStart(64, '0')}${units.toString(16).padStart(64, '0')}`;
}

/*
 * A text as personal_sign takes it: the hex of its UTF-8 bytes (EIP-191; wallets take plain text for hex if it looks
 * like it).
 */
export const hexOf = (message) =>
  `0x${[...new TextEncoder().encode(message)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
