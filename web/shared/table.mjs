/*
 * Tables that become lists of small cards on a phone.  Roles are written out because a table that is laid out as
 * blocks is no table any more to some screen readers.
 */
import { h } from './dom.mjs';

/* columns: [{ label, cell(row), isHead?, isNumber? }]; the caption is for screen readers. */
export function table(caption, columns, rows = []) {
  const body = h('tbody', { role: 'rowgroup' });
  const node = h(
    'table',
    { class: 'folds', role: 'table' },
    h('caption', { class: 'hidden-visually' }, caption),
    h(
      'thead',
      { role: 'rowgroup' },
      h(
        'tr',
        { role: 'row' },
        columns.map((c) => h('th', { role: 'columnheader', scope: 'col', class: c.isNumber && 'number' }, c.label)),
      ),
    ),
    body,
  );
  node.addRows = (more) =>
    body.append(
      ...more.map((row) =>
        h(
          'tr',
          { role: 'row' },
          columns.map((c) =>
            h(
              'td',
              { role: 'cell', dataset: { label: c.label }, class: [c.isNumber && 'number', c.isHead && 'head'] },
              c.cell(row),
            ),
          ),
        ),
      ),
    );
  node.addRows(rows);
  return node;
}

export const facts = (entries) =>
  h(
    'dl',
    { class: 'facts' },
    entries
      .filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]),
  );
