/* The operator's own tasks: what waits for them first, then what waits for others, then what is over. */
import { h } from '../shared/dom.mjs';
import { empty } from '../shared/widgets.mjs';
import { card, formats, heading, line, placeLine, timer } from './parts.mjs';
import { arrangeWork } from './rules.mjs';

export async function show(app, { signal }) {
  const { t } = app,
    [{ tasks, at, isStale }, proofs, stopped] = await Promise.all([
      app.work.list(signal),
      app.outbox.proofs(),
      app.stops.tasks(),
    ]);
  const found = arrangeWork(tasks, {
    now: Date.now(),
    proofs: new Map(proofs.map((proof) => [proof.task_id, proof])),
    stopped,
  });
  return {
    title: t('work.title'),
    live: true,
    body: [
      heading(t('work.title')),
      isStale && staleNotice(app, at),
      found.length === 0
        ? empty(t('work.none'), t('work.none_text'), h('a', { class: 'button main', href: '#/tasks' }, t('work.find')))
        : found.map(({ group, items }) =>
            h(
              'section',
              { 'aria-labelledby': `group-${group}` },
              h(
                'h2',
                { class: 'group-title', id: `group-${group}` },
                t(`group.${group}`),
                ' ',
                h('span', { class: 'count' }, String(items.length)),
              ),
              h(
                'ul',
                { class: 'cards' },
                items.map((item) => workCard(app, item)),
              ),
            ),
          ),
    ],
  };
}

export const staleNotice = (app, at) =>
  h(
    'p',
    { class: 'notice warn' },
    at ? app.t('work.stale', { when: formats(app).relative(at) }) : app.t('work.stale_one'),
  );

/* "Send proof · 4 h 05 min left" */
export const stepLine = (app, { step, tone, until }) =>
  h(
    'p',
    { class: 'step-line' },
    h('span', { class: ['badge', tone] }, app.t(`step.${step}`)),
    until !== null && h('span', { class: 'soft small' }, timer(until), ' ', app.t('work.left')),
  );

function workCard(app, item) {
  return card({
    href: `#/mine/${item.task.task_id}`,
    title: item.task.title,
    usd: item.task.reward_usd,
    badge: stepLine(app, item),
    lines:
      item.group === 'done'
        ? []
        : [line(item.task.task_domain === 'DIGITAL' ? 'screen' : 'pin', placeLine(app, item.task))],
  });
}
