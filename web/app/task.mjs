/* One open task, and claiming it with an estimate of the time it takes. */
import { h } from '../shared/dom.mjs';
import { duration } from '../shared/format.mjs';
import { busy, clearFaults, field, showFaults, toast } from '../shared/widgets.mjs';
import {
  back,
  explain,
  formats,
  heading,
  line,
  placeLine,
  requirements,
  reward,
  typeIcon,
  typeName,
} from './parts.mjs';
import { kycCard } from './onboarding.mjs';
import { claimBar, estimateOf } from './rules.mjs';

const QUICK = [30, 60, 120, 240, 1440];

export async function show(app, { params, signal }) {
  const { t } = app,
    task = await app.api.get(`/operator/tasks/${encodeURIComponent(params.id)}`, { signal });
  /* One's own has a screen of its own. */
  if (task.status !== 'PENDING') return { goTo: `#/mine/${task.task_id}` };
  return {
    title: task.title,
    body: [
      back('#/tasks', t('tasks.title')),
      heading(task.title, reward(task.reward_usd)),
      h(
        'div',
        { class: 'halves' },
        h('div', { class: 'stack' }, about(app, task)),
        h('div', { class: 'stack' }, claimBar(app.me) === null ? claim(app, task) : kycCard(app)),
      ),
    ],
  };
}

/* What a task asks for; also on the screen of one's own. */
export function about(app, task) {
  const { t } = app,
    f = formats(app);
  return [
    task.safety_stops > 0 && h('p', { class: 'notice warn' }, t('task.unsafe', { n: task.safety_stops })),
    h(
      'section',
      { class: 'card stack' },
      h(
        'div',
        { class: 'lines-of' },
        line(task.task_domain === 'DIGITAL' ? 'screen' : 'pin', placeLine(app, task)),
        line(typeIcon(task), typeName(app, task.task_type)),
        line('clock', h('time', { datetime: task.deadline }, t('task.due_at', { when: f.time(task.deadline) }))),
      ),
      h('h2', {}, t('task.what')),
      h('p', { class: 'lines' }, task.description),
      task.digital_instructions && [
        h('h3', {}, t('task.instructions')),
        h('p', { class: 'lines' }, task.digital_instructions),
      ],
    ),
    h(
      'section',
      { class: 'card stack' },
      h('h2', {}, t('task.proof')),
      h('p', { class: 'soft' }, t(`proof.${proofKind(task)}`)),
      requirements(task.proof_requirements),
    ),
  ];
}

const proofKind = (task) =>
  task.proof_type === 'ARTIFACT' ? (task.agent_public_key ? 'CREDENTIAL' : 'FILE') : task.proof_type;

function claim(app, task) {
  const { t, settings } = app;
  const box = (name) =>
    h('input', {
      name: `estimate_${name}`,
      type: 'text',
      inputmode: 'numeric',
      maxlength: 5,
      autocomplete: 'off',
      placeholder: '0',
    });
  const days = box('days'),
    hours = box('hours'),
    minutes = box('minutes'),
    total = h('p', { class: 'soft small', role: 'status' });
  const note = h('textarea', { name: 'estimate_note', maxlength: 1000, rows: 3 }),
    fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
  const read = () =>
    estimateOf(
      { days: days.value, hours: hours.value, minutes: minutes.value },
      {
        min: settings.estimate.min_minutes,
        max: settings.estimate.max_minutes,
        deadline: task.deadline,
        now: Date.now(),
      },
    );
  const tell = () => {
    const { minutes: sum, fault: wrong } = read();
    total.textContent =
      sum === 0 ? t('claim.hint') : wrong ? t(`estimate.${wrong}`) : t('claim.total', { time: duration(sum) });
    total.className = sum > 0 && wrong ? 'small bad-text' : 'soft small';
  };
  const quick = (n) =>
    h(
      'button',
      {
        class: 'chip',
        type: 'button',
        onclick: () => {
          [days.value, hours.value, minutes.value] = [
            Math.floor(n / 1440) || '',
            Math.floor((n % 1440) / 60) || '',
            n % 60 || '',
          ];
          tell();
        },
      },
      duration(n),
    );
  const button = h('button', { class: 'button main whole', type: 'submit' }, t('claim.go'));
  const say = (text) => {
    fault.textContent = text;
    fault.hidden = false;
  };
  const form = h(
    'form',
    {
      class: 'card stack',
      novalidate: true,
      oninput: tell,
      onsubmit: (event) => {
        event.preventDefault();
        const { minutes: sum, fault: wrong } = read();
        fault.hidden = true;
        clearFaults(form);
        if (wrong !== null && wrong !== 'deadline') return say(t(`estimate.${wrong}`));
        return busy(button, async () => {
          try {
            await app.api.post(`/operator/tasks/${task.task_id}/accept`, {
              estimate_minutes: sum,
              ...(note.value.trim() ? { estimate_note: note.value.trim() } : {}),
            });
            toast(t('claim.done'));
            app.go(`#/mine/${task.task_id}`);
          } catch (error) {
            if (!showFaults(form, error))
              say(error.code === 'task_state_conflict' ? t('claim.taken') : explain(app, error));
          }
        });
      },
    },
    h('h2', {}, t('claim.title')),
    h('p', { class: 'soft' }, t('claim.text')),
    h('div', { class: 'chips', role: 'group', 'aria-label': t('claim.quick') }, QUICK.map(quick)),
    h(
      'div',
      { class: 'thirds' },
      field(t('claim.days'), days),
      field(t('claim.hours'), hours),
      field(t('claim.minutes'), minutes),
    ),
    total,
    field(t('claim.note'), note, { hint: t('claim.note_hint') }),
    fault,
    button,
  );
  tell();
  return form;
}
