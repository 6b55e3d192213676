/*
 * What the app decides by itself: what comes next on a task, which claims and payouts are worth sending, in which order things
 * are shown.  Pure: tasks and the present moment are arguments.  The server has the last word on all of it.
 */

export const MINUTE = 60_000;
const FRESH_MS = 2 * MINUTE; /* a file younger than this was just taken, here */

const at = (time) => (time ? Date.parse(time) : null);

/* Work: the step an operator is at */

/* step: [group, tone].  Groups in the order of the list: what waits for the operator, for others, for nobody. */
export const steps = {
  attention: ['now', 'bad'],
  start: ['now', 'info'],
  prove: ['now', 'info'],
  stopped: ['waiting', 'warn'],
  sending: ['waiting', 'warn'],
  late: ['waiting', 'bad'],
  wait_approval: ['waiting', 'warn'],
  checking: ['waiting', 'info'],
  review: ['waiting', 'warn'],
  disputed: ['waiting', 'bad'],
  done: ['done', 'good'],
  cancelled: ['done', ''],
  gone: ['done', ''],
};
export const groups = ['now', 'waiting', 'done'];

/*
 * The step of a task (of GET /operator/tasks/:id): { step, group, tone, until }, until in milliseconds or null.  proof: its
 * entry in the outbox, if there is one; isStopped: the operator has stopped, which the server does not know yet.
 */
export function stepOf(task, { now, proof = null, isStopped = false }) {
  const [step, until] = stepAndTime(task, now, proof, isStopped),
    [group, tone] = steps[step];
  return { step, group, tone, until };
}

function stepAndTime(task, now, proof, isStopped) {
  const last = at(task.submit_until) ?? at(task.deadline);
  switch (task.status) {
    case 'PENDING':
      return ['gone', null];
    case 'ESTIMATE_PENDING':
      return ['wait_approval', at(task.estimate?.approval_deadline)];
    case 'ACCEPTED':
    case 'IN_PROGRESS':
      if (isStopped) return ['stopped', null];
      if (proof?.state === 'refused' || proof?.error === 'photo_refused') return ['attention', last];
      if (proof?.state === 'queued') return ['sending', last];
      if (last !== null && last <= now) return ['late', null];
      return [task.status === 'ACCEPTED' ? 'start' : 'prove', last];
    case 'SUBMITTED':
      return [task.guardian_result?.decision === 'MANUAL_REVIEW' ? 'review' : 'checking', null];
    case 'VERIFIED':
      return ['checking', null];
    case 'COMPLETED':
      return ['done', null];
    case 'DISPUTED':
      return ['disputed', null];
    default:
      return ['cancelled', null];
  }
}

/* Tasks by group, each with its step; what ends first comes first, what is over newest first. */
export function arrangeWork(tasks, { now, proofs = new Map(), stopped = new Set() }) {
  const items = tasks
    .map((task) => ({
      task,
      ...stepOf(task, { now, proof: proofs.get(task.task_id), isStopped: stopped.has(task.task_id) }),
    }))
    .filter((item) => item.step !== 'gone');
  const soonest = (a, b) =>
    (a.until ?? Infinity) - (b.until ?? Infinity) || at(a.task.created_at) - at(b.task.created_at);
  const newest = (a, b) => at(b.task.completed_at ?? b.task.created_at) - at(a.task.completed_at ?? a.task.created_at);
  return groups
    .map((group) => ({
      group,
      items: items.filter((item) => item.group === group).sort(group === 'done' ? newest : soonest),
    }))
    .filter(({ items: found }) => found.length > 0);
}

/* What may be done on a task, as the lifecycle has it. */
export function actionsOf(task, now, isStopped = false) {
  const isBegun = task.status === 'ACCEPTED' || task.status === 'IN_PROGRESS',
    isOpen = isBegun && !isStopped,
    last = at(task.submit_until) ?? at(task.deadline);
  const isInTime = last === null || last > now;
  return {
    withdraw: task.status === 'ESTIMATE_PENDING',
    start: isOpen && task.status === 'ACCEPTED' && isInTime,
    prove: isOpen && isInTime,
    stop: isOpen,
    resume: isBegun && isStopped,
    message: !['PENDING', 'CANCELLED'].includes(task.status),
  };
}

/* Proof */

/* What a task's proof consists of: how many photos at least, which other parts. */
export function proofForm(task) {
  const isCredential = task.proof_type === 'ARTIFACT' && Boolean(task.agent_public_key);
  const isConfirmation = task.proof_type === 'CONFIRMATION';
  return {
    isCredential,
    isConfirmation,
    minPhotos: isCredential || isConfirmation ? 0 : 1,
    isFile: task.proof_type === 'ARTIFACT' && !isCredential,
    hasCamera: task.proof_type === 'PHOTO' || isConfirmation,
  };
}

/* What a proof still lacks: 'photos', 'confirmation_text', 'credential'; none if it can be sent. */
export function lacks(task, { photos = 0, confirmation_text = '', hasCredential = false }) {
  const form = proofForm(task),
    missing = [];
  if (photos < form.minPhotos) missing.push('photos');
  if (form.isConfirmation && confirmation_text.trim() === '') missing.push('confirmation_text');
  if (form.isCredential && !hasCredential) missing.push('credential');
  return missing;
}

/* A file that was taken just now was taken here; an older one is not given today's place. */
export const isFresh = (lastModified, now) => now - lastModified >= -MINUTE && now - lastModified <= FRESH_MS;

/* Pairs of name and value as one object; a value may stand under a name of the operator's own.  Empty ones are left out. */
export function credentialOf(pairs) {
  return Object.fromEntries(
    pairs.map(([name, value]) => [name.trim(), value]).filter(([name, value]) => name !== '' && value !== ''),
  );
}

/* Claims */

const whole = (text) => (/^\d{1,5}$/.test(String(text).trim() || '0') ? Number(String(text).trim() || 0) : NaN);

/* An estimate as typed: { minutes, fault }, fault null, 'number', 'short', 'long' or 'deadline'. */
export function estimateOf({ days = '', hours = '', minutes = '' }, { min, max, deadline, now }) {
  const total = whole(days) * 1440 + whole(hours) * 60 + whole(minutes);
  if (Number.isNaN(total)) return { minutes: null, fault: 'number' };
  if (total < min) return { minutes: total, fault: 'short' };
  if (total > max) return { minutes: total, fault: 'long' };
  return { minutes: total, fault: deadline && now + total * MINUTE > Date.parse(deadline) ? 'deadline' : null };
}

/* What hinders a claim: null, or 'kyc_pending', 'kyc_rejected'. */
export function claimBar(me) {
  return me.kyc_status === 'VERIFIED' ? null : me.kyc_status === 'REJECTED' ? 'kyc_rejected' : 'kyc_pending';
}

/* The feed */

export const orders = ['near', 'reward', 'deadline', 'new'];
const far = (task) => task.distance_km ?? Infinity;
const byOrder = {
  near: (a, b) => (far(a) === far(b) ? 0 : far(a) - far(b)),
  reward: (a, b) => b.reward_usd - a.reward_usd,
  deadline: (a, b) => at(a.deadline) - at(b.deadline),
  new: (a, b) => at(b.created_at) - at(a.created_at),
};

export const sortFeed = (tasks, order) => [...tasks].sort(byOrder[order] ?? byOrder.near);

/* The filter as the API takes it; without a place there is no radius. */
export function feedQuery({ type = '', domain = '', radius = '' }, place) {
  return {
    task_type: type || null,
    task_domain: domain || null,
    ...(place ? { lat: place.lat, lng: place.lng } : {}),
    radius_km: place && radius !== '' ? Number(radius) : null,
  };
}

/* Getting there */

/* A link that the device's own map opens: the way there where a map app is known, else a place on a web map. */
export function wayTo({ lat, lng, address }, platform) {
  const has = typeof lat === 'number' && typeof lng === 'number';
  const place = has ? `${lat},${lng}` : address;
  if (!place) return null;
  if (/iphone|ipad|mac/i.test(platform)) return `https://maps.apple.com/?daddr=${encodeURIComponent(place)}`;
  if (/android/i.test(platform))
    return has
      ? `geo:${place}?q=${encodeURIComponent(address ? `${place}(${address})` : place)}`
      : `geo:0,0?q=${encodeURIComponent(place)}`;
  return has
    ? `https://www.openstreetmap.org/directions?to=${encodeURIComponent(place)}`
    : `https://www.openstreetmap.org/search?query=${encodeURIComponent(place)}`;
}

/* Money */

/* When an earning's money can be had: { key, at }. */
export function earningState(earning, now) {
  if (earning.state === 'pending' && at(earning.available_at) <= now) return { key: 'settling', at: null };
  return { key: earning.state, at: at(earning.available_at) };
}

/* A payout as typed: null if it can be asked for, else what is wrong with it. */
export function payoutFault({ amount, address }, { min, available }) {
  if (amount === null) return 'amount';
  if (amount < min) return 'min';
  if (Math.round(amount * 100) > Math.floor(available * 100 + 1e-6)) return 'available';
  return /^0x[0-9a-fA-F]{40}$/.test(address.trim()) ? null : 'address';
}

/* Statuses come in both cases (api-reference). */
export const payoutStatus = (payout) => String(payout.status ?? '').toUpperCase();
export const isPayoutOpen = (payout) => !['COMPLETED', 'FAILED'].includes(payoutStatus(payout));
