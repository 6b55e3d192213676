/*
 * A bar chart of spend by day as SVG.  The drawing is one picture to a screen reader, and its figures are a table
 * beside it.
 */
import { h, replace, s } from '../shared/dom.mjs';
import { day, money, sum } from '../shared/format.mjs';
import { barsOf } from './rules.mjs';

const HEIGHT = 200,
  LABEL_EVERY_PX = 70;

const shortMoney = (usd) =>
  usd >= 1000 ? `$${(usd / 1000).toLocaleString('en-US')}k` : `$${usd.toLocaleString('en-US')}`;
const label = (at) =>
  new Date(`${at}T12:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/* As wide as it is told, so that its words keep the size of all others. */
function drawing(series, width) {
  const { bars, lines, base } = barsOf(series, { width, height: HEIGHT });
  const total = sum(series.map((point) => point.usd)),
    every = Math.max(1, Math.ceil(LABEL_EVERY_PX / (width / bars.length)));
  return s(
    'svg',
    {
      class: 'chart',
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: 'img',
      'aria-label': `Paid by day over the last ${series.length} days, ${money(total)} in all`,
    },
    lines.map((line, i) => [
      s('line', { class: i === 0 ? 'base-line' : 'grid-line', x1: 44, x2: width, y1: line.y, y2: line.y }),
      s('text', { x: 38, y: line.y + 4, 'text-anchor': 'end' }, shortMoney(line.usd)),
    ]),
    bars.map((bar) =>
      s(
        'rect',
        { class: 'bar-shape', x: bar.x, y: bar.y, width: bar.width, height: bar.height, rx: Math.min(3, bar.height) },
        s('title', {}, `${label(bar.day)}: ${money(bar.usd)}`),
      ),
    ),
    bars.map(
      (bar, i) =>
        (bars.length - 1 - i) % every === 0 &&
        s(
          'text',
          { x: Math.min(bar.x + bar.width / 2, width - 20), y: base + 16, 'text-anchor': 'middle' },
          label(bar.day),
        ),
    ),
  );
}

export function spendChart(series) {
  const place = h('div', {}, drawing(series, 600));
  new ResizeObserver(
    ([
      {
        contentRect: { width },
      },
    ]) => {
      if (width > 0) replace(place, drawing(series, Math.max(240, Math.round(width))));
    },
  ).observe(place);
  return h(
    'figure',
    { class: 'stack tight' },
    place,
    h(
      'details',
      {},
      h('summary', { class: 'small soft' }, 'The figures'),
      h(
        'ul',
        { class: 'small' },
        series
          .filter((point) => point.usd !== 0)
          .map((point) => h('li', {}, `${day(point.day, { timeZone: 'UTC' })}: ${money(point.usd)}`)),
        series.every((point) => point.usd === 0) && h('li', {}, 'Nothing was spent.'),
      ),
    ),
  );
}
