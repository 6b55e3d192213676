/*
 * humanops listen: webhooks for a developer whose machine the service cannot reach.  Asks for events and posts each to a local
 * address in the form, and with the signatures, of the service's own webhooks.
 */
import { randomBytes } from 'node:crypto';
import { signWebhook } from '../src/webhook.mjs';
import { pause } from '../src/transport.mjs';

/* What the service sends to a callback_url; other events of the feed only if asked for by name. */
export const WEBHOOK_EVENTS = [
  'task.claimed',
  'task.aborted',
  'task.submitted',
  'task.verified',
  'task.manual_review',
  'task.disputed',
  'task.completed',
  'task.cancelled',
  'task.message',
];

const INTERVAL_MS = 2000; /* 30 of the 100 calls a minute that are allowed */
const TIMEOUT_MS = 10_000,
  TRIES = 3,
  PAUSE_MS = 1000;
const PAGE = 500;

export const newSecret = () => `whsec_${randomBytes(24).toString('base64')}`;

/* The body of the webhook that the service would send. */
export function bodyOf(event) {
  const { event_id: id, event: type, task_id: task, to, guardian_result: verdict, message, abort_reason, timestamp } = event;
  return JSON.stringify({
    event: type,
    ...(task === null ? {} : { task_id: task }),
    status: to,
    ...(verdict === undefined ? {} : { guardian_result: verdict }),
    ...(message === undefined ? {} : { message }),
    ...(abort_reason === undefined ? {} : { abort_reason }),
    timestamp,
    id,
  });
}

/* One attempt: what to print of it, and whether it is done with. */
async function post(url, event, secret, signal) {
  const body = bodyOf(event),
    began = Date.now();
  try {
    const answer = await fetch(url, {
      method: 'POST',
      body,
      redirect: 'manual',
      signal: AbortSignal.any?.([signal, AbortSignal.timeout(TIMEOUT_MS)]) ?? AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        'Content-Type': 'application/json',
        ...(await signWebhook({ id: event.event_id, payload: body, secret })),
      },
    });
    await answer.body?.cancel();
    return { isDone: answer.status >= 200 && answer.status < 300, said: `${answer.status} (${Date.now() - began} ms)` };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return { isDone: false, said: error.cause?.code ?? error.name };
  }
}

async function deliver(event, { forward, secret, signal, print }) {
  for (let attempt = 1; ; attempt++) {
    const { isDone, said } = await post(forward, event, secret, signal);
    print(`${event.timestamp.slice(11, 19)} ${event.event} ${event.task_id ?? ''} → ${said}`);
    if (isDone) return;
    if (attempt >= TRIES) return print(`  not delivered in ${TRIES} attempts; going on with the next`);
    await pause(PAUSE_MS * 2 ** (attempt - 1), signal);
  }
}

/* The cursor behind all there is. */
async function endOf(client, signal) {
  const list = client.events({ limit: PAGE }, { signal });
  for await (const _ of list.pages());
  return list.cursor;
}

/*
 * Runs until the signal.  cursor: where to begin (undefined: now; '': at the beginning); keep: called with the cursor behind
 * each page that is done with, so that the next start goes on there and an event comes at least once.
 */
export async function listen({
  client,
  forward,
  events = WEBHOOK_EVENTS,
  secret,
  cursor,
  keep,
  signal,
  print,
  interval = INTERVAL_MS,
}) {
  const wanted = new Set(events),
    first = cursor === undefined ? await endOf(client, signal) : cursor || undefined;
  const list = client.events({ cursor: first, limit: 100, follow: true, interval }, { signal });
  let kept = first;
  print('ready');
  for await (const page of list.pages()) {
    for (const event of page.data)
      if (wanted.has(event.event)) await deliver(event, { forward, secret, signal, print });
    const next = page.pagination.next_cursor;
    if (typeof next === 'string' && next !== kept) await keep((kept = next));
  }
}
