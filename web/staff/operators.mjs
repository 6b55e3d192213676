/* Operators by identity status, and the verdict on each. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { words } from '../shared/format.mjs';
import { link } from '../shared/route.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import { facts } from '../shared/table.mjs';
import { copyable, stamp } from '../shared/taskview.mjs';
import { badge, dialog, empty, field, pager } from '../shared/widgets.mjs';

const PAGE = 25;
const FILTERS = [
  ['PENDING', 'To check'],
  ['VERIFIED', 'Verified'],
  ['REJECTED', 'Rejected'],
  ['', 'All'],
];

const city = (place) => [place?.city, place?.country].filter(Boolean).join(', ') || '–';

/* A person's details with the two verdicts; wishes: verify, reject, suspend, restore. */
function person(op) {
  return h(
    'li',
    { class: 'card', dataset: { operator: op.operator_id } },
    h('header', {}, h('h2', {}, op.name), badge(op.kyc_status), op.suspended && badge('SUSPENDED')),
    facts([
      ['Operator', copyable(op.operator_id)],
      ['E-mail', op.email],
      ['Phone', op.phone],
      ['Lives in', city(op.location)],
      ['Skills', (op.skills ?? []).map(words).join(', ')],
      ['Rating', op.rating === null ? null : `★ ${op.rating} (${op.rating_count})`],
      ['Since', stamp(op.created_at)],
      ['Note', op.kyc_note && h('span', { class: 'lines' }, op.kyc_note)],
    ]),
    h(
      'div',
      { class: 'row', style: { 'margin-top': 'var(--s4)' } },
      op.kyc_status !== 'VERIFIED' && wishButton('Verify', 'kyc', { op, status: 'VERIFIED' }, 'main'),
      op.kyc_status !== 'REJECTED' &&
        wishButton(
          op.kyc_status === 'VERIFIED' ? 'Withdraw verification' : 'Reject',
          'kyc',
          { op, status: 'REJECTED' },
          'danger',
        ),
      op.suspended
        ? wishButton('Lift suspension', 'suspend', { op, suspended: false })
        : wishButton('Suspend', 'suspend', { op, suspended: true }, 'bare'),
    ),
  );
}

/* Asks for a note and sends; the operator is told the verdict, and the note stands in their profile. */
export function askKyc(api, op, status) {
  const note = h('textarea', { name: 'note', maxlength: 2000, rows: 3 }),
    isGood = status === 'VERIFIED';
  return dialog({
    title: isGood ? `Verify ${op.name}?` : `Reject ${op.name}?`,
    ok: isGood ? 'Verify' : 'Reject',
    isDangerous: !isGood,
    body: [
      h(
        'p',
        {},
        isGood
          ? 'The operator may claim tasks from now on and is told so by mail.'
          : 'The operator can claim no task. They see the note.',
      ),
      field(isGood ? 'Note (optional)' : 'What is wrong, and what to do about it', note),
    ],
    onsubmit: () =>
      api.post(`/admin/operators/${part(op.operator_id)}/kyc`, {
        status,
        ...(note.value.trim() ? { note: note.value.trim() } : {}),
      }),
  });
}

export function askSuspend(api, { path, name, suspended }) {
  const reason = h('textarea', { name: 'reason', maxlength: 2000, rows: 3 });
  return dialog({
    title: suspended ? `Suspend ${name}?` : `Lift the suspension of ${name}?`,
    ok: suspended ? 'Suspend' : 'Lift',
    isDangerous: suspended,
    body: [
      h(
        'p',
        {},
        suspended
          ? 'Every call of this account is refused until the suspension is lifted. Work and money stay where they are.'
          : 'The account works again at once.',
      ),
      field('Reason, for the audit log', reason),
    ],
    onsubmit: () => api.post(path, { suspended, ...(reason.value.trim() ? { reason: reason.value.trim() } : {}) }),
  });
}

export async function operators({ api, query, signal, refresh }) {
  const asked = query.kyc_status ?? 'PENDING',
    status = asked === 'ALL' ? '' : asked;
  const list = h('ul', { class: 'cards small' });
  const pages = pager({
    list,
    emptyState: empty(
      status === 'PENDING' ? 'Nobody waits for a verdict' : 'Nobody here',
      'New operators appear as soon as they register.',
    ),
    load: async (offset = 0) => {
      const { data } = await api.get('/admin/operators', {
        signal,
        query: { kyc_status: status, limit: PAGE, offset },
      });
      return { items: data, next: data.length === PAGE ? offset + PAGE : null };
    },
    render: (items) => list.append(...items.map(person)),
  });
  await pages.ready;
  const body = [
    heading('Operators'),
    h(
      'nav',
      { class: 'chips', 'aria-label': 'By identity check' },
      FILTERS.map(([value, label]) =>
        h(
          'a',
          {
            class: 'chip',
            'aria-current': value === status ? 'true' : null,
            href: link('/operators', { kyc_status: value || 'ALL' }),
          },
          label,
        ),
      ),
    ),
    pages,
  ];
  onWish(pages, {
    kyc: async ({ op, status: verdict }) =>
      (await askKyc(api, op, verdict)) && (await refresh(), `${op.name}: ${words(verdict).toLowerCase()}`),
    suspend: async ({ op, suspended }) =>
      (await askSuspend(api, {
        path: `/admin/operators/${part(op.operator_id)}/suspend`,
        name: op.name,
        suspended,
      })) && (await refresh(), suspended ? `${op.name} is suspended` : `${op.name} works again`),
  });
  return { title: 'Operators', body };
}
