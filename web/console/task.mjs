/*
 * One task: what it asks for, how it stands, its proof, what the agent can do now, messages, webhooks, the credential.
 */
import { part } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { cancelText, estimateText, safetyText } from '../shared/facts.mjs';
import { money, relative } from '../shared/format.mjs';
import { heading, onWish, wishButton } from '../shared/shell.mjs';
import {
  card,
  guardianView,
  messageList,
  outside,
  proofView,
  requirementsView,
  stamp,
  taskFacts,
  textBlock,
  timeline,
} from '../shared/taskview.mjs';
import { badge, busy, confirm, dialog, field, toast } from '../shared/widgets.mjs';
import { credentialCard } from './credential-card.mjs';
import { save } from './files.mjs';
import { deliveryList } from './hooks.mjs';
import { actionsOf, isFinal, needOf, pollAfter } from './rules.mjs';

const LABELS = {
  approve: ['Approve the estimate', 'main'],
  reject: ['Reject the estimate', ''],
  verify: null,
  cancel: ['Cancel the task', 'danger'],
  receipt: ['Download the receipt', ''],
  rate: ['Rate the work', ''],
  dispute: ['Dispute', 'danger'],
};

/* What can be done now; wishes bear the actions' names. */
function actions(task) {
  const names = actionsOf(task);
  const buttons = names
    .filter((name) => LABELS[name])
    .map((name) => wishButton(LABELS[name][0], name, { task }, LABELS[name][1]));
  if (names.includes('verify'))
    buttons.unshift(
      wishButton('Approve the proof', 'verify', { task, decision: 'APPROVE' }, 'main'),
      wishButton('Reject the proof', 'verify', { task, decision: 'REJECT' }, 'danger'),
    );
  return buttons.length > 0 && h('div', { class: 'row' }, buttons);
}

function standing(task) {
  const need = needOf(task);
  return h(
    'div',
    { class: 'stack' },
    task.sandbox && h('div', { class: 'notice quiet' }, h('p', {}, task.sandbox_notice)),
    need &&
      h(
        'div',
        { class: 'notice warn' },
        h(
          'p',
          {},
          need,
          task.estimate &&
            ` ${estimateText(task.estimate)} are estimated${task.estimate.estimate_note ? `: “${task.estimate.estimate_note}”` : ''}. The offer stands until ${relative(task.estimate.approval_deadline)}.`,
        ),
      ),
    task.safety_stops > 0 &&
      task.status !== 'CANCELLED' &&
      h('div', { class: 'notice warn' }, h('p', {}, safetyText(task.safety_stops))),
    task.status === 'CANCELLED' &&
      h(
        'div',
        { class: 'notice quiet' },
        h(
          'p',
          {},
          `Cancelled${task.cancel_reason ? ` (${cancelText(task.cancel_reason)})` : ''}; what was set aside is back in the deposit.`,
        ),
      ),
    task.dispute &&
      h(
        'div',
        { class: 'notice warn' },
        h(
          'p',
          { class: 'lines' },
          task.dispute.resolution
            ? `Staff has decided: the operator keeps ${money(task.dispute.resolution.operator_usd)}.${task.dispute.resolution.note ? ` ${task.dispute.resolution.note}` : ''}`
            : `In dispute: ${task.dispute.reason ?? 'the proof was rejected'}. Staff will decide what becomes of the money.`,
        ),
      ),
    actions(task),
  );
}

/* The parts that change while one looks on. */
const live = (task) => [
  standing(task),
  h(
    'div',
    { class: 'halves' },
    h(
      'div',
      { class: 'stack' },
      card('Proof', proofView(task.proof)),
      task.guardian_result && card('Guardian’s verdict', guardianView(task.guardian_result)),
    ),
    h(
      'div',
      { class: 'stack' },
      card('Timeline', timeline(task.events)),
      card(
        'Details',
        taskFacts(task, [
          ['Reward', `${money(task.reward_usd)} + ${money(task.platform_fee_usd)} fee`],
          ['Callback', task.callback_url && outside(task.callback_url)],
          ['Rating', task.rating && `${task.rating} of 5`],
          ['Your comment', task.rating_comment && h('span', { class: 'lines' }, task.rating_comment)],
        ]),
      ),
    ),
  ),
];

/* dialogs */

/*
 * Asks for a reason and sends it from within the dialog, so that what is wrong with it is told beside it; null if
 * called off.
 */
const withReason = ({ title, text, ok, label, isRequired = false, isDangerous = true }, send) => {
  const reason = h('textarea', { name: 'reason', maxlength: 2000, rows: 3 });
  return dialog({
    title,
    ok,
    isDangerous,
    body: [h('p', {}, text), field(label, reason)],
    onsubmit: () => send(reason.value.trim() || isRequired ? { reason: reason.value.trim() } : {}),
  });
};

function askRating(send) {
  const comment = h('textarea', { name: 'comment', maxlength: 2000, rows: 3 });
  const stars = [5, 4, 3, 2, 1].map((n) =>
    h(
      'label',
      { class: 'check' },
      h('input', { type: 'radio', name: 'rating', value: n, checked: n === 5 }),
      `${'★'.repeat(n)}${'☆'.repeat(5 - n)}`,
      h('span', { class: 'hidden-visually' }, `${n} of 5`),
    ),
  );
  return dialog({
    title: 'How was the work?',
    ok: 'Rate',
    body: [h('fieldset', { class: 'field' }, h('legend', {}, 'Rating'), stars), field('Comment (optional)', comment)],
    onsubmit: (form) =>
      send({
        rating: Number(form.elements.rating.value),
        ...(comment.value.trim() ? { comment: comment.value.trim() } : {}),
      }),
  });
}

/* Calls and what is asked before them; each gives a sentence, or null if it was called off. */
function acts(api, id, redraw) {
  const path = `/tasks/${part(id)}`,
    once = () => ({ idempotencyKey: crypto.randomUUID() });
  const send = async (what, body, options) => {
    const answer = await api.post(`${path}/${what}`, body, options);
    await redraw();
    return answer;
  };
  return {
    approve: async () => (await send('estimate/approve', {}, once()), 'Approved; the operator is told to begin.'),
    reject: async () =>
      (await withReason(
        {
          title: 'Reject this estimate?',
          text: 'The task is open to other operators again.',
          ok: 'Reject',
          label: 'Reason, for the operator (optional)',
        },
        (body) => send('estimate/reject', body),
      ))
        ? 'Rejected; the task is open again.'
        : null,
    cancel: async () =>
      (await confirm({
        title: 'Cancel this task?',
        text: 'Reward and fee go back to your deposit.',
        ok: 'Cancel the task',
        cancel: 'Keep it',
        isDangerous: true,
      }))
        ? (await send('cancel', {}, once()), 'Cancelled; the money is back in your deposit.')
        : null,
    verify: async ({ decision }) => {
      const isGood = decision === 'APPROVE';
      return (await withReason(
        {
          title: isGood ? 'Approve the proof?' : 'Reject the proof?',
          ok: isGood ? 'Approve' : 'Reject',
          isDangerous: !isGood,
          label: 'Reason (optional)',
          text: isGood
            ? 'The task is completed and the operator paid.'
            : 'The task goes into dispute and staff decides what becomes of the money.',
        },
        (body) => send('verify', { decision, ...body }, once()),
      ))
        ? isGood
          ? 'Approved; the task is completed.'
          : 'Rejected; staff will decide.'
        : null;
    },
    dispute: async () =>
      (await withReason(
        {
          title: 'Dispute this work?',
          text: 'The operator’s pay is frozen until staff has decided. This is possible until the hold is over.',
          ok: 'Dispute',
          label: 'What is wrong',
          isRequired: true,
        },
        (body) => send('dispute', body, once()),
      ))
        ? 'In dispute; staff will decide.'
        : null,
    rate: async () => ((await askRating((body) => send('rate', body))) ? 'Thank you.' : null),
    receipt: async () => {
      const { receipt, jwks_url: keysUrl } = await api.get(`${path}/receipt`);
      save(`humanops-receipt-${id}.jws`, receipt, 'application/jose');
      return `Saved. Anyone can check it with the keys at ${keysUrl}.`;
    },
  };
}

/* messages */

function composer(api, id, redraw) {
  const input = h('textarea', { name: 'message', rows: 2, maxlength: 4000 });
  const button = h('button', { class: 'button main', type: 'submit' }, 'Send');
  const form = h(
    'form',
    {
      class: 'stack tight',
      onsubmit: (event) => {
        event.preventDefault();
        busy(button, async () => {
          try {
            await api.post(`/tasks/${part(id)}/messages`, { message: input.value });
            input.value = '';
            await redraw();
          } catch (error) {
            toast(error.fields.message ? `The message ${error.fields.message}.` : error.message, { kind: 'bad' });
          }
        });
      },
    },
    field('Message to the operator', input),
    h('div', {}, button),
  );
  return form;
}

/* The screen */

export async function task({ api, params, signal, privateKeys }) {
  const path = `/tasks/${part(params.id)}`;
  let seen = await api.get(path, { signal }),
    timer = null;
  const head = h('div', {}),
    now = h('div', { class: 'stack' }),
    talk = h('div', {}),
    asked = h('div', {}),
    hooks = h('div', {}),
    credential = h('div', {});
  const redraw = async () => draw(await api.get(path, { signal }));
  const write = composer(api, params.id, redraw);

  /* Only what has changed is drawn anew, so that whoever reads or plays a message is not thrown out of place. */
  function draw(next, isFirst = false) {
    const changed =
      isFirst ||
      next.events.length !== seen.events.length ||
      next.status !== seen.status ||
      next.rating !== seen.rating ||
      JSON.stringify(next.guardian_result) !== JSON.stringify(seen.guardian_result) ||
      JSON.stringify(next.dispute) !== JSON.stringify(seen.dispute);
    const hadFocus = now.contains(document.activeElement);
    if (changed) {
      replace(head, heading(next.title, badge(next.status), h('strong', {}, money(next.reward_usd))));
      replace(now, live(next));
      if (hadFocus) head.querySelector('h1').focus({ preventScroll: true });
      replace(talk, messageList(next.messages, 'agent'));
      write.hidden = !next.operator || (next.sandbox === true && isFinal(next.status));
      if (next.agent_public_key && (isFirst || next.status !== seen.status))
        replace(credential, credentialCard(api, next, privateKeys));
      if (next.callback_url)
        deliveryList(api, next.task_id, signal).then(
          (list) => replace(hooks, card('Webhooks', list)),
          () => {},
        );
    }
    seen = next;
    clearTimeout(timer);
    const wait = pollAfter(next);
    if (wait !== null && !signal.aborted) timer = setTimeout(poll, wait);
  }

  /* A look that fails is repeated; what is shown stays true as of then. */
  async function poll() {
    if (signal.aborted) return;
    if (document.visibilityState !== 'visible') {
      document.addEventListener('visibilitychange', poll, { once: true, signal });
      return;
    }
    await redraw().catch((error) => {
      if (error.code !== 'aborted') timer = setTimeout(poll, 10_000);
    });
  }

  draw(seen, true);
  signal.addEventListener('abort', () => clearTimeout(timer));
  replace(
    asked,
    card(
      'What was asked',
      h(
        'div',
        { class: 'stack' },
        h('p', { class: 'lines' }, seen.description),
        textBlock('Instructions', seen.digital_instructions),
        h('div', {}, h('h3', {}, 'Required proof'), requirementsView(seen.proof_requirements)),
        h('p', { class: 'soft small' }, 'Deadline ', stamp(seen.deadline)),
      ),
    ),
  );
  const body = h(
    'div',
    { class: 'stack' },
    h('p', {}, h('a', { href: '#/tasks' }, '← All tasks')),
    head,
    now,
    h('div', { class: 'halves' }, asked, card('Messages', h('div', { class: 'stack' }, talk, write))),
    credential,
    hooks,
  );
  onWish(body, acts(api, params.id, redraw));
  return { title: seen.title, body };
}
