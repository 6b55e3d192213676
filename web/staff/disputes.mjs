/* The dispute desk: what waits, and one case with everything that bears on it side by side. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { resolutionText } from '../shared/facts.mjs';
import { money, parseMoney, words } from '../shared/format.mjs';
import { link } from '../shared/route.mjs';
import { heading, onWish, wish } from '../shared/shell.mjs';
import { table } from '../shared/table.mjs';
import {
  card,
  copyable,
  guardianView,
  messageList,
  proofView,
  requirementsView,
  taskFacts,
  textBlock,
  timeline,
  when,
} from '../shared/taskview.mjs';
import { badge, confirm, empty, field, pager, showFaults } from '../shared/widgets.mjs';
import { RESOLUTIONS, resolveBody } from './rules.mjs';

const PAGE = 50;

/* Who took the proof for no good: the agent, within the hold or before the verdict, or the Guardian by itself. */
const whyDisputed = (task) =>
  task.dispute?.disputed_at
    ? 'Disputed by the agent'
    : task.guardian_result?.decision === 'REJECT'
      ? 'Rejected by the Guardian'
      : 'Rejected by the agent';

export async function disputes({ api, signal }) {
  const list = table('Open disputes', [
    { label: 'Task', isHead: true, cell: (t) => h('a', { href: `#/disputes/${part(t.task_id)}` }, t.title) },
    { label: 'Reason', cell: (t) => t.dispute?.reason ?? whyDisputed(t) },
    { label: 'Operator', cell: (t) => t.operator?.name ?? '–' },
    { label: 'Reward', isNumber: true, cell: (t) => money(t.reward_usd) },
    { label: 'Disputed', cell: (t) => when(t.dispute?.disputed_at ?? t.submitted_at) },
  ]);
  const pages = pager({
    list: h('div', { class: 'card flush' }, h('div', { class: 'table' }, list)),
    emptyState: empty('No open disputes', 'Proof that is rejected, and work disputed within its hold, comes here.'),
    load: async (offset = 0) => {
      const { data } = await api.get('/admin/disputes', { signal, query: { limit: PAGE, offset } });
      return { items: data, next: data.length === PAGE ? offset + PAGE : null };
    },
    render: (items) => list.addRows(items),
  });
  await pages.ready;
  return { title: 'Disputes', body: [heading('Disputes'), pages] };
}

/* The three resolutions; wishes: resolve, with the body of the call. */
function resolver(task) {
  const consequence = h(
    'p',
    { class: 'notice quiet', 'aria-live': 'polite' },
    'Choose a resolution to see what it does with the money.',
  );
  const amount = h('input', { name: 'operator_usd', inputmode: 'decimal', placeholder: '0.00', autocomplete: 'off' });
  const split = field('The operator’s part in dollars', amount, { hint: `of a reward of ${money(task.reward_usd)}` });
  const note = h('textarea', { name: 'note', maxlength: 2000, rows: 3 });
  const chosen = () => form.elements.resolution.value;
  const show = () => {
    split.hidden = chosen() !== 'SPLIT';
    if (chosen())
      consequence.textContent = resolutionText(chosen(), {
        reward: task.reward_usd,
        fee: task.platform_fee_usd,
        operatorUsd: parseMoney(amount.value),
      });
  };
  const form = h(
    'form',
    {
      class: 'stack',
      novalidate: true,
      oninput: show,
      onsubmit: (event) => {
        event.preventDefault();
        const { body, fields } = resolveBody(
          { resolution: chosen(), operatorUsd: amount.value, note: note.value },
          task.reward_usd,
        );
        showFaults(form, { fields });
        if (fields.resolution) consequence.textContent = fields.resolution;
        if (Object.keys(fields).length === 0)
          wish(form.querySelector('[type="submit"]'), 'resolve', { body, text: consequence.textContent });
      },
    },
    h(
      'fieldset',
      { class: 'field' },
      h('legend', {}, 'Resolution'),
      RESOLUTIONS.map(([value, label, hint]) =>
        h(
          'label',
          { class: 'check' },
          h('input', { type: 'radio', name: 'resolution', value }),
          h('span', {}, label, h('span', { class: 'soft small' }, ` – ${hint}`)),
        ),
      ),
    ),
    split,
    consequence,
    field('Note to both sides (optional)', note),
    h('button', { class: 'button main', type: 'submit' }, 'Resolve'),
  );
  split.hidden = true;
  return form;
}

const account = (id) =>
  h('span', { class: 'row' }, copyable(id), h('a', { href: link('/accounts', { id }) }, 'Suspend…'));

const resolved = (task) =>
  h(
    'div',
    { class: 'stack' },
    h(
      'p',
      {},
      words(task.dispute.resolution.resolution),
      `: the operator received ${money(task.dispute.resolution.operator_usd)}.`,
    ),
    task.dispute.resolution.note && h('p', { class: 'lines' }, task.dispute.resolution.note),
  );

export async function dispute({ api, params, signal, refresh }) {
  const task = await api.get(`/admin/tasks/${part(params.id)}`, { signal });
  const isOpen = task.status === 'DISPUTED';
  const body = h(
    'div',
    { class: 'stack' },
    h('p', {}, h('a', { href: '#/disputes' }, '← All disputes')),
    heading(
      task.title,
      badge(task.status),
      h('strong', {}, money(task.reward_usd)),
      h('span', { class: 'soft' }, `+ ${money(task.platform_fee_usd)} fee`),
    ),
    isOpen &&
      h(
        'div',
        { class: 'notice warn' },
        h(
          'p',
          { class: 'lines' },
          h('strong', {}, `${whyDisputed(task)}: `),
          task.dispute?.reason ?? 'no reason was given.',
        ),
      ),
    h(
      'div',
      { class: 'halves' },
      h(
        'div',
        { class: 'stack' },
        card(
          'What was asked',
          h(
            'div',
            { class: 'stack' },
            h('p', { class: 'lines' }, task.description),
            textBlock('Instructions', task.digital_instructions),
            h('div', {}, h('h3', {}, 'Required proof'), requirementsView(task.proof_requirements)),
          ),
        ),
        card('Messages', messageList(task.messages, 'operator')),
        card('History', timeline(task.events)),
      ),
      h(
        'div',
        { class: 'stack' },
        card('What was delivered', proofView(task.proof)),
        card('Guardian’s verdict', guardianView(task.guardian_result)),
        isOpen ? card('Resolve', resolver(task)) : task.dispute?.resolution && card('Resolution', resolved(task)),
        card(
          'Details',
          taskFacts(task, [
            ['Agent', account(task.agent_id)],
            ['Operator’s id', task.operator && account(task.operator.id)],
          ]),
        ),
      ),
    ),
  );
  onWish(body, {
    resolve: async ({ body: resolution, text }) => {
      if (!(await confirm({ title: 'Resolve this dispute?', text: `${text} This cannot be undone.`, ok: 'Resolve' })))
        return null;
      await api.post(`/admin/tasks/${part(task.task_id)}/resolve`, resolution);
      await refresh();
      return 'The dispute is resolved; both sides are told.';
    },
  });
  return { title: task.title, body };
}
