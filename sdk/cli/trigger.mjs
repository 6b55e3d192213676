/* humanops trigger: a simulated task that ends in the event that a developer wants to see. */
import { HumanOpsError } from '../src/errors.mjs';
import { pause } from '../src/transport.mjs';

/* Which simulation comes to each event (sandbox_scenario). */
export const SCENARIOS = {
  'task.created': 'no_operator',
  'task.claimed': 'estimate',
  'task.estimate_approved': 'approve',
  'task.started': 'approve',
  'task.submitted': 'approve',
  'task.verified': 'approve',
  'task.completed': 'approve',
  'task.manual_review': 'manual_review',
  'task.disputed': 'reject',
  'task.cancelled': 'no_operator',
};

const DAY_MS = 86_400_000,
  STEP_MS = 500;

/* The task's id, once the event has happened.  Throws HumanOpsError `timeout`. */
export async function trigger({ client, event, callbackUrl, callbackSecret, timeout = 60_000, signal }) {
  if (!Object.hasOwn(SCENARIOS, event))
    throw new TypeError(`${event} cannot be simulated; these can: ${Object.keys(SCENARIOS).join(', ')}`);
  const { task_id: id } = await client.createTask(
    {
      title: `Simulation: ${event}`,
      description: 'A simulated task, made by humanops trigger.',
      task_type: 'DATA_VALIDATION',
      reward_usd: 0.01,
      deadline: new Date(Date.now() + DAY_MS).toISOString(),
      proof_requirements: ['Result for each item'],
      sandbox: true,
      sandbox_scenario: SCENARIOS[event],
      ...(callbackUrl === undefined ? {} : { callback_url: callbackUrl }),
      ...(callbackSecret === undefined ? {} : { callback_secret: callbackSecret }),
    },
    { signal },
  );
  for (const end = Date.now() + timeout; ;) {
    const task = await client.task(id, { signal });
    if (task.events.some(({ type }) => type === event)) return task;
    if (Date.now() > end)
      throw new HumanOpsError({ code: 'timeout', message: `${id} is ${task.status}; ${event} has not come.` });
    await pause(STEP_MS, signal);
  }
}
