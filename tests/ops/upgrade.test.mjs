/* Upgrades from the previous release, where it can be had. */
import { test } from 'node:test';
import { whyMissing } from './previous.mjs';

const missing = whyMissing();
if (missing !== null) test('from the previous release to this one', { skip: missing }, () => {});
else await import('./upgrade.mjs');
