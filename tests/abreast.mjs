/*
 * Many rounds of a race: a few go on at a time, their contenders start together, and some of these are SQL that a program of the
 * instance would call.
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

/* Runs round(item, i) for each item, as many at a time as there are lanes; gives the results in order. */
export async function abreast(lanes, items, round) {
  const left = items.map((item, i) => [item, i]), results = [];
  const lane = async () => {
    for (let next; (next = left.shift()) !== undefined;)
      results[next[1]] = await round(...next);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/* Starts functions together. */
export const together = (contenders) => Promise.all(contenders.map((start) => start()));

/* Starts a little later, by another delay each round: who is first is not always who has the shorter way. */
export const later = (start, i) => async () => {
  await sleep((i * 7) % 20);
  return start();
};

/* A session of SQL that stays open, since starting one takes longer than a whole round; gives the first line of each answer. */
function session(s) {
  const child = spawn('psql', ['-XAtq', '-h', s.settings.RUN_DIR, '-U', 'postgres', '-d', 'humanops'],
    { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, PGOPTIONS: '-c humanops.bucket=-1' } });
  const waiting = [];
  let lines = [];
  createInterface(child.stdout).on('line', (line) => {
    if (line !== 'END')
      return lines.push(line);
    waiting.shift()(lines[0]);
    lines = [];
  });
  after(() => child.stdin.end());
  return (statement) => new Promise((done) => {
    waiting.push(done);
    child.stdin.write(`${statement};\n\\echo END\n`);
  });
}

/* So many sessions; each statement takes a free one, so no more than so many may run at a time.  Gives the first line of the answer. */
export function sessions(s, count) {
  const free = Array.from({ length: count }, () => session(s));
  return async (statement) => {
    const run = free.shift();
    const line = await run(statement);
    free.push(run);
    return line;
  };
}
