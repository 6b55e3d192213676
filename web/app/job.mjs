/* One of the operator's own tasks: what comes next, the way there, the proof, the other side, and ways out. */
import { h } from '../shared/dom.mjs';
import { busy, confirm, dialog, field, toast } from '../shared/widgets.mjs';
import { duration, money } from '../shared/format.mjs';
import { icon } from '../shared/icons.mjs';
import { back, explain, formats, heading, reward } from './parts.mjs';
import { about } from './task.mjs';
import { actionsOf, stepOf, wayTo } from './rules.mjs';
import { staleNotice, stepLine } from './worklist.mjs';

export async function show(app, { params, signal }) {
  const { t } = app,
    [{ task, isStale }, proof, stopped] = await Promise.all([
      app.work.find(params.id, signal),
      app.outbox.find(params.id),
      app.stops.tasks(),
    ]);
  if (task.status === 'PENDING') return { goTo: `#/tasks/${task.task_id}` };
  const now = Date.now(),
    isStopped = stopped.has(task.task_id),
    state = stepOf(task, { now, proof, isStopped }),
    can = actionsOf(task, now, isStopped);
  return {
    title: task.title,
    live: true,
    body: [
      back('#/mine', t('work.title')),
      heading(task.title, reward(task.reward_usd)),
      isStale && staleNotice(app, null),
      h(
        'div',
        { class: 'halves' },
        h(
          'div',
          { class: 'stack' },
          next(app, task, state, proof, can),
          handedIn(app, task),
          verdict(app, task),
          rating(app, task),
          contact(app, task, can),
          ways(app, task, can),
        ),
        h('div', { class: 'stack' }, about(app, task), estimate(app, task)),
      ),
    ],
  };
}

/* The one card that says where the task is and what to do now. */
function next(app, task, state, proof, can) {
  const { t } = app,
    f = formats(app);
  return h(
    'section',
    { class: ['card', 'next', 'stack'], 'aria-labelledby': 'next-title' },
    stepLine(app, state),
    h('h2', { id: 'next-title' }, t(`next.${state.step}`)),
    h('p', { class: 'soft' }, t(`next.${state.step}_text`, { until: state.until === null ? '' : f.time(state.until) })),
    buttons(app, task, state, proof, can),
  );
}

function buttons(app, task, { step }, proof, can) {
  const { t } = app,
    way = task.task_domain === 'DIGITAL' ? null : wayTo(task.location ?? {}, navigator.userAgent);
  const start = h(
    'button',
    {
      class: 'button main',
      type: 'button',
      onclick: () =>
        busy(start, async () => {
          try {
            await app.api.post(`/operator/tasks/${task.task_id}/start`);
            toast(t('start.done'));
            await app.refresh();
          } catch (error) {
            toast(explain(app, error), { kind: 'bad' });
            await app.refresh();
          }
        }),
    },
    t('start.go'),
  );
  const prove = h(
    'a',
    { class: ['button', step !== 'start' && 'main'], href: `#/mine/${task.task_id}/proof` },
    icon('camera', 18),
    t(proof?.state === 'queued' ? 'proof.see' : proof ? 'proof.go_on' : 'proof.go'),
  );
  const isOpen = ['start', 'prove', 'attention', 'sending'].includes(step);
  if (!isOpen) return null;
  return h(
    'div',
    { class: 'row' },
    step === 'start' && start,
    way && h('a', { class: 'button', href: way, target: '_blank', rel: 'noopener' }, icon('route', 18), t('way.go')),
    can.prove && prove,
  );
}

/* What the server has of the proof. */
function handedIn(app, task) {
  const { t } = app,
    { proof } = task,
    f = formats(app);
  if (!proof?.submittedAt) return null;
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('handed.title')),
    h('p', { class: 'soft' }, t('handed.at', { when: f.time(proof.submittedAt) })),
    (proof.files ?? []).length > 0 &&
      h(
        'ul',
        { class: 'photos' },
        proof.files.map((file, i) =>
          h(
            'li',
            {},
            file.media_type === 'image/jpeg'
              ? h('img', {
                  src: file.url,
                  alt: t('handed.photo', { n: i + 1 }),
                  loading: 'lazy',
                  width: 160,
                  height: 120,
                })
              : h('a', { href: file.url }, t('handed.file', { n: i + 1 })),
          ),
        ),
      ),
    proof.confirmation_text && h('p', { class: 'lines' }, proof.confirmation_text),
    proof.notes && h('p', { class: 'lines soft' }, proof.notes),
    task.agent_public_key && h('p', {}, t('handed.sealed')),
  );
}

/* What the agent thought of the work. */
function rating(app, task) {
  const { t } = app;
  if (!task.rating) return null;
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('rating.title')),
    h('p', {}, t('rating.stars', { stars: '★'.repeat(task.rating) + '☆'.repeat(5 - task.rating), n: task.rating })),
    task.rating_comment && h('p', { class: 'lines' }, task.rating_comment),
  );
}

function verdict(app, task) {
  const { t } = app,
    result = task.guardian_result;
  if (!result) return null;
  return h(
    'section',
    { class: 'card stack' },
    h('h2', {}, t('verdict.title')),
    h(
      'p',
      {},
      h('strong', {}, t(`verdict.${result.decision}`)),
      ' ',
      t('verdict.confidence', { n: result.confidence }),
    ),
    result.reasoning && h('p', { class: 'soft lines' }, result.reasoning),
    task.dispute && [
      h('h3', {}, t('dispute.title')),
      h('p', { class: 'lines' }, task.dispute.reason ?? t('dispute.no_reason')),
      task.dispute.resolution &&
        h(
          'p',
          {},
          t(`dispute.${task.dispute.resolution.resolution ?? 'decided'}`, {
            amount: money(task.dispute.resolution.operator_usd ?? 0),
          }),
        ),
    ],
  );
}

function contact(app, task, can) {
  const { t } = app;
  return (
    can.message &&
    h(
      'section',
      { class: 'card row' },
      h(
        'div',
        { class: 'grow' },
        h('h2', { class: 'flat' }, t('messages.title')),
        h('p', { class: 'soft small' }, t('messages.hint')),
      ),
      h('a', { class: 'button push', href: `#/mine/${task.task_id}/messages` }, icon('chat', 18), t('messages.open')),
    )
  );
}

function estimate(app, task) {
  const { t } = app;
  return task.estimate?.estimate_minutes
    ? h(
        'section',
        { class: 'card stack tight' },
        h('h2', {}, t('estimate.title')),
        h('p', {}, duration(task.estimate.estimate_minutes)),
        task.estimate.estimate_note && h('p', { class: 'soft lines' }, task.estimate.estimate_note),
      )
    : null;
}

/* Withdrawing a claim, and stopping work. */
function ways(app, task, can) {
  const { t } = app;
  if (!can.withdraw && !can.stop && !can.resume) return null;
  const withdraw = h(
    'button',
    {
      class: 'button',
      type: 'button',
      onclick: async () => {
        if (
          !(await confirm({
            title: t('withdraw.title'),
            text: t('withdraw.text'),
            ok: t('withdraw.go'),
            cancel: t('keep'),
          }))
        )
          return;
        await busy(withdraw, async () => {
          try {
            await app.api.post(`/operator/tasks/${task.task_id}/withdraw-claim`);
            toast(t('withdraw.done'));
            app.go('#/mine');
          } catch (error) {
            toast(explain(app, error), { kind: 'bad' });
            await app.refresh();
          }
        });
      },
    },
    t('withdraw.go'),
  );
  const resume = h(
    'button',
    {
      class: 'button',
      type: 'button',
      onclick: () =>
        busy(resume, async () => {
          try {
            toast(t((await app.stops.undo(task.task_id)) ? 'stop.undone' : 'stop.told'));
          } catch (error) {
            toast(explain(app, error), { kind: 'bad' });
          }
          await app.refresh();
        }),
    },
    t('stop.resume'),
  );
  const stopper = (reason, ...children) =>
    h(
      'button',
      {
        class: ['button', reason === 'unsafe' && 'danger'],
        type: 'button',
        onclick: () => askToStop(app, task, reason),
      },
      children,
    );
  const hint = can.withdraw ? 'withdraw.hint' : can.resume ? 'stop.waits' : 'stop.hint';
  return h(
    'section',
    { class: 'card stack tight' },
    h('h2', {}, t('stop.title')),
    h('p', { class: 'soft' }, t(hint)),
    h(
      'div',
      { class: 'row' },
      can.withdraw && withdraw,
      can.stop && [
        stopper('unsafe', icon('shield', 18), t('stop.go_unsafe')),
        stopper('cannot_complete', t('stop.go_cannot_complete')),
      ],
      can.resume && resume,
    ),
  );
}

/*
 * Stopping: because it is not safe, or for any other reason.  Kept on the device first and told then, so that whoever has to
 * leave need not wait for a network.  A proof that waits to be sent is held back.
 */
async function askToStop(app, task, reason) {
  const { t } = app,
    isUnsafe = reason === 'unsafe',
    note = h('textarea', { name: 'note', maxlength: app.settings.message_max_chars, rows: 4 });
  const isStopped = await dialog({
    title: t(`stop.dialog_${reason}`),
    ok: t(`stop.ok_${reason}`),
    cancel: t(isUnsafe ? 'cancel' : 'keep'),
    isDangerous: isUnsafe,
    body: [
      /* The focus is here: a keyboard would hide the button from who is in a hurry. */
      isUnsafe && h('p', { tabindex: '-1', autofocus: true }, h('strong', {}, t('stop.first'))),
      h('p', {}, t(`stop.then_${reason}`)),
      field(t('stop.note'), note, { hint: t('stop.note_hint') }),
    ],
    onsubmit: async () => {
      await app.stops.add(task, { reason, note: note.value.trim() });
      await app.outbox.recall(task.task_id).catch(() => {});
      return true;
    },
  });
  if (!isStopped) return;
  await app.refresh();
  await app.stops.run({ isNow: true });
}
