/* What the API's words and figures mean to a person; pure, for the staff console and the agents'. */
import { distance, duration, money, sum } from './format.mjs';

const EVENTS = {
  'task.created': 'Posted',
  'task.claimed': 'Claimed with an estimate',
  'task.estimate_approved': 'Estimate approved',
  'task.estimate_rejected': 'Estimate rejected',
  'task.claim_withdrawn': 'Claim withdrawn',
  'task.estimate_expired': 'Estimate went unanswered',
  'task.started': 'Work started',
  'task.aborted': 'Operator stopped',
  'task.submitted': 'Proof submitted',
  'task.verified': 'Guardian approved the proof',
  'task.manual_review': 'Guardian asks for a person’s decision',
  'task.disputed': 'Disputed',
  'task.completed': 'Completed',
  'task.cancelled': 'Cancelled',
  'task.message': 'Message',
  'deposit.completed': 'Deposit credited',
  'deposit.pending': 'Deposit announced',
  'deposit.confirmed': 'Deposit confirmed',
  'deposit.reversed': 'Deposit reversed',
  'payout.pending': 'Payout on its way',
  'payout.completed': 'Payout arrived',
  'payout.failed': 'Payout failed',
  'payout.stuck': 'Payout delayed',
  'deposit.failed': 'Deposit failed',
};
const ACTORS = {
  agent: 'agent',
  operator: 'operator',
  guardian: 'Guardian',
  staff: 'staff',
  sweeper: 'by time',
  sandbox: 'simulated',
  system: 'by itself',
};
const ABORTS = { unsafe: 'did not feel safe', cannot_complete: 'could not complete it' };
const CANCELS = {
  agent: 'by the agent',
  expired: 'its time was over',
  dispute: 'refunded after a dispute',
  unsafe: 'operators did not feel safe',
};
const ENTRIES = {
  deposit_usdc: 'USDC deposit',
  deposit_fiat: 'Card or bank deposit',
  escrow_hold: 'Set aside for a task',
  escrow_release: 'Paid for a task',
  escrow_refund: 'Returned from a task',
  dispute_resolution: 'Dispute resolved',
  dispute_refund: 'Returned by a dispute',
  withdrawal: 'Withdrawal',
};

const plain = (name) => {
  const text = String(name ?? '')
    .replace(/^task\./, '')
    .replaceAll(/[._]/g, ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};
/* Names from outside are looked up as own properties alone: "constructor" is no event of ours. */
const named = (names, name, other = plain) => (Object.hasOwn(names, name ?? '') ? names[name] : other(name));

export const eventName = (type) => named(EVENTS, type);
/* An event of a task's trail, with the reason of one who stopped. */
export const eventText = ({ type, abort_reason: reason }) =>
  reason ? `${eventName(type)}: ${named(ABORTS, reason, (text) => String(text))}` : eventName(type);
export const cancelText = (reason) => named(CANCELS, reason, (text) => String(text ?? ''));
/* What stops for safety mean; '' if there was none. */
export const safetyText = (stops) =>
  stops > 0
    ? `${stops === 1 ? 'An operator' : `${stops} operators`} stopped here and did not feel safe. Others see that before they claim; the third ends the task.`
    : '';
export const owedText = (usd) =>
  `A deposit vanished from the chain after it was spent: ${money(usd)} are owed. As much of the deposit cannot be spent, and the next deposits pay it first.`;
export const actorName = (actor) => named(ACTORS, actor, (name) => String(name ?? ''));
export const entryName = (type) => named(ENTRIES, type);

/*
 * What is known of a proof file: [{ kind, text }], kind 'good', 'warn', 'bad' or ''.  Distances are metres, near is
 * 250 of them.
 */
export function evidenceLines(evidence, { near = 250 } = {}) {
  const e = evidence ?? {},
    lines = [];
  const place = (metres, what) => {
    if (typeof metres === 'number')
      lines.push({ kind: metres <= near ? 'good' : 'bad', text: `${what} ${distance(metres / 1000)} from the task` });
  };
  place(e.exif_distance_m, 'Camera’s position:');
  place(e.reported_distance_m, 'Device’s position:');
  if (e.exif_distance_m === undefined && e.reported_distance_m === undefined)
    lines.push({ kind: 'warn', text: 'No position known' });
  if (e.is_reused) lines.push({ kind: 'bad', text: 'The same picture was used before' });
  else if (e.is_similar) lines.push({ kind: 'bad', text: 'Resembles an earlier picture' });
  if (e.camera) lines.push({ kind: '', text: `Camera: ${e.camera}` });
  return lines;
}

/* When the picture was taken, as far as anything says so: [what, time] or null. */
export function takenAt(evidence) {
  const e = evidence ?? {};
  if (e.exif_taken_at) return ['Taken', e.exif_taken_at];
  return e.captured_at ? ['Captured', e.captured_at] : null;
}

/* A resolution in words: what the operator keeps and what goes back, fee included (spec 4, 5). */
export function resolutionText(resolution, { reward, fee, operatorUsd = null }) {
  if (resolution === 'PAY_OPERATOR')
    return `The operator receives ${money(reward)}; the fee of ${money(fee)} stays with us.`;
  if (resolution === 'REFUND_AGENT')
    return `The agent gets back ${money(sum([reward, fee]))}: the reward and the fee. The operator receives nothing.`;
  if (operatorUsd === null || !(operatorUsd > 0 && operatorUsd < reward))
    return `Name the operator’s part, more than nothing and less than ${money(reward)}.`;
  return `The operator receives ${money(operatorUsd)}, the agent gets back ${money(sum([reward, -operatorUsd]))}; the fee of ${money(fee)} stays with us.`;
}

export const estimateText = (estimate) => (estimate ? duration(estimate.estimate_minutes) : '');

/* Is it a link one may offer?  Strangers write addresses too. */
export const isWebAddress = (text) => /^https?:\/\/[^\s]+$/i.test(String(text ?? ''));
