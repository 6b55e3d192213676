/* The SDK, the bridge and the CLI against one running instance.  HUMANOPS_TEST_PARTS=client,bridge: only these parts. */
import test, { describe } from 'node:test';
import { stack } from '../stack.mjs';

const names = (process.env.HUMANOPS_TEST_PARTS ?? 'client,trouble,browser,package,bridge,cli').split(',');
/* The browser's driver ends the process on an older Node; the SDK itself is tried there all the same. */
const isOld = Number(process.versions.node.split('.')[0]) < 20;
const left = names.filter((name) => isOld && name === 'browser');
const parts = await Promise.all(
  names
    .filter((name) => !left.includes(name))
    .map(async (name) => ({ name, run: (await import(`./${name}.mjs`)).run })),
);
const s = await stack({ settings: ['SANDBOX_STEP_SECONDS=0', 'ALLOW_DEV_OPERATOR_ID_HEADER=true'] });

/* Most of the time is spent waiting. */
describe('sdk', { concurrency: 3 }, () => {
  for (const { name, run } of parts) describe(name, { concurrency: 1, timeout: 240_000 }, () => run(s));
  for (const name of left) test(name, { skip: 'its driver needs Node 20' });
});
