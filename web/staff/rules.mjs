/* What the staff console decides by itself; pure. */
import { parseMoney } from '../shared/format.mjs';

/* A list's length for people; its longest page means "at least". */
export const count = (list, limit) =>
  list === null ? '–' : list.length >= limit ? `${limit}+` : String(list.length);
export const waiting = (list) => list !== null && list.length > 0;

export const RESOLUTIONS = [
  ['PAY_OPERATOR', 'Pay the operator', 'The proof does what was asked for.'],
  ['REFUND_AGENT', 'Refund the agent', 'The work was not done, or not as asked.'],
  ['SPLIT', 'Split the reward', 'Part of the work was done.'],
];

/* What a form of the dispute desk says, as the call's body; fields: { name: sentence } for what is missing. */
export function resolveBody({ resolution, operatorUsd, note }, reward) {
  const body = { resolution },
    fields = {};
  if (!RESOLUTIONS.some(([name]) => name === resolution)) fields.resolution = 'Choose one of the three.';
  if (resolution === 'SPLIT') {
    const amount = parseMoney(operatorUsd ?? '');
    if (amount === null || amount <= 0 || amount >= reward)
      fields.operator_usd = `An amount between $0.01 and $${(reward - 0.01).toFixed(2)}.`;
    else body.operator_usd = amount;
  }
  if (note?.trim()) body.note = note.trim();
  return { body, fields };
}

/* The id of an account and where it is suspended: { kind, id, path }, or null for a text that is no such id. */
export function accountOf(text) {
  const found = /^(agent|op)_[0-9a-z]{26}$/.exec(text.trim());
  if (found === null) return null;
  const kind = found[1] === 'op' ? 'operator' : 'agent';
  return { kind, id: found[0], path: `/admin/${kind}s/${found[0]}/suspend` };
}

/* An account of the ledger in words. */
const ACCOUNTS = {
  deposit: 'Agents’ deposits',
  escrow: 'Escrow',
  pending: 'Operators’ pay on hold',
  available: 'Operators’ available pay',
  in_flight: 'Payouts in flight',
  receivable: 'Owed to us for deposits that vanished',
  clearing: 'Clearing',
  revenue: 'Fees earned',
  usdc_custody: 'USDC custody',
  fiat_custody: 'Fiat custody',
  gas: 'Gas',
};
export const accountName = (kind) =>
  Object.hasOwn(ACCOUNTS, kind ?? '') ? ACCOUNTS[kind] : String(kind ?? '').replaceAll('_', ' ');

const FINDINGS = {
  unbalanced: 'A transaction’s postings do not add up to zero',
  drift: 'A balance differs from its postings',
  escrow: 'Escrow differs from the open tasks',
  total: 'All accounts together are not zero',
  clearing: 'Money is stranded between two buckets',
  reserves: 'The chain shows other reserves than the books',
};
export const findingName = (broken) =>
  Object.hasOwn(FINDINGS, broken ?? '') ? FINDINGS[broken] : String(broken ?? '').replaceAll('_', ' ');

/*
 * Figures of an answer that this page does not know by name: a later version's are shown too.  [name, value] by its
 * kind.
 */
export function otherFigures(answer, known) {
  return Object.entries(answer).filter(
    ([name, value]) => !known.includes(name) && value !== null && typeof value !== 'object',
  );
}

/*
 * A page of the log, which is read backwards by time alone: acts of the same millisecond as the last are asked for
 * again with the next page, and those that were seen are left out.  seen: a set that lives as long as the list.
 */
export function logPage(data, seen, limit) {
  const items = data.filter((act) => {
    const key = JSON.stringify(act);
    return !seen.has(key) && seen.add(key);
  });
  const isEnd = data.length < limit || items.length === 0;
  return { items, next: isEnd ? null : new Date(Date.parse(data.at(-1).at) + 1).toISOString() };
}
