/* A bar chart of spend by day as SVG.  The drawing is one picture to a screen reader, and its figures are a table beside it. */
import { h, s } from '../shared/dom.mjs';
import { day, money, sum } from '../shared/format.mjs';
import { barsOf } from './rules.mjs';

const WIDTH = 720, HEIGHT = 200;

const shortMoney = (usd) => usd >= 1000 ? `$${(usd / 1000).toLocaleString('en-US')}k` : `$${usd.toLocaleString('en-US')}`;

export function spendChart(series) {
  const { bars, lines, base } = barsOf(series, { width: WIDTH, height: HEIGHT });
  const total = sum(series.map((point) => point.usd)), label = (at) => new Date(`${at}T12:00:00Z`).toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });
  const drawing = s('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `Spend by day over the last ${series.length} days, ${money(total)} in all` },
    lines.map((line, i) => [s('line', { class: i === 0 ? 'base-line' : 'grid-line', x1: 44, x2: WIDTH, y1: line.y, y2: line.y }), s('text', { x: 38, y: line.y + 4, 'text-anchor': 'end' }, shortMoney(line.usd))]),
    bars.map((bar) => s('rect', { class: 'bar-shape', x: bar.x, y: bar.y, width: bar.width, height: bar.height, rx: Math.min(3, bar.height) }, s('title', {}, `${label(bar.day)}: ${money(bar.usd)}`))),
    bars.filter((_, i) => i % 7 === (bars.length - 1) % 7).map((bar) => s('text', { x: bar.x + bar.width / 2, y: base + 16, 'text-anchor': 'middle' }, label(bar.day))));
  return h('figure', { class: 'stack tight' }, drawing, h('details', {}, h('summary', { class: 'small soft' }, 'The figures'),
    h('ul', { class: 'small' }, series.filter((point) => point.usd !== 0).map((point) => h('li', {}, `${day(point.day, { timeZone: 'UTC' })}: ${money(point.usd)}`)),
      total === 0 && series.every((point) => point.usd === 0) && h('li', {}, 'Nothing was spent.'))));
}
