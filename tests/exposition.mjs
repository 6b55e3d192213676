/*
 * The text format of Prometheus (0.0.4), read strictly: whatever a scraper might take amiss is a fault here.  For tests of
 * /metrics; what the values should be is theirs to say.
 */
import assert from 'node:assert/strict';

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(${LABEL}(?:,${LABEL})*)\\})? (-?[0-9]+(?:\\.[0-9]+)?(?:e[+-]?[0-9]+)?)$`);

/* The metric that a sample belongs to: a histogram's samples have endings of their own. */
function metricOf(name, types) {
  const base = name.replace(/_(?:bucket|sum|count)$/, '');
  return types.get(base) === 'histogram' ? base : name;
}

function readLabels(text) {
  return Object.fromEntries(
    [...(text ?? '').matchAll(/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/g)].map(([, name, value]) => [name, value]),
  );
}

/* Buckets rise, end with +Inf, and agree with the count. */
function checkHistogram(metric, samples) {
  const groups = new Map();
  for (const { name, labels, value } of samples) {
    const { le, ...rest } = labels,
      key = JSON.stringify(rest);
    if (!groups.has(key)) groups.set(key, { buckets: [] });
    if (name.endsWith('_bucket')) groups.get(key).buckets.push([le, value]);
    else groups.get(key)[name.slice(metric.length + 1)] = value;
  }
  for (const [key, { buckets, sum, count }] of groups) {
    const ends = buckets.map(([le]) => (le === '+Inf' ? Infinity : Number(le)));
    assert.ok(
      ends.every((end, i) => i === 0 || end > ends[i - 1]) && ends.at(-1) === Infinity,
      `${metric}${key}: the buckets' ends rise to +Inf`,
    );
    assert.ok(
      buckets.every(([, n], i) => i === 0 || n >= buckets[i - 1][1]),
      `${metric}${key}: the buckets are cumulative`,
    );
    assert.equal(buckets.at(-1)[1], count, `${metric}${key}: the last bucket is the count`);
    assert.ok(sum >= 0, `${metric}${key}: the sum`);
  }
}

/* The text as { types, samples }: a Map of metric to type, and a list of { name, labels, value }. */
export function readMetrics(text) {
  const types = new Map(),
    helps = new Set(),
    samples = [],
    seen = new Set();
  let current;
  assert.ok(text.endsWith('\n'), 'the last line ends');
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, metric, rest] = line.match(/^# (HELP|TYPE) (\S+) (.+)$/) ?? [];
    if (kind === 'HELP') {
      assert.ok(!helps.has(metric), `${metric} has one sentence`);
      helps.add((current = metric));
    } else if (kind === 'TYPE') {
      assert.equal(current, metric, `${metric}: type and sentence stand together`);
      assert.match(rest, /^(?:counter|gauge|histogram)$/);
      types.set(metric, rest);
    } else {
      const [, name, labels, value] = line.match(SAMPLE) ?? assert.fail(`no sample: ${line}`);
      assert.equal(metricOf(name, types), current, `${name} stands among its own`);
      assert.ok(types.has(current), `${name} has a type`);
      assert.ok(!seen.has(`${name}{${labels}}`), `${name}{${labels}} stands there once`);
      seen.add(`${name}{${labels}}`);
      samples.push({ name, labels: readLabels(labels), value: Number(value) });
    }
  }
  for (const [metric, type] of types) {
    assert.equal(metric.endsWith('_total'), type === 'counter', `${metric}: a counter ends in _total`);
    if (type === 'histogram') checkHistogram(metric, samples.filter(({ name }) => metricOf(name, types) === metric));
  }
  return { types, samples };
}

/* The sum of a metric's samples that have these labels; undefined: there is none. */
export function valueOf({ samples }, name, labels = {}) {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}
