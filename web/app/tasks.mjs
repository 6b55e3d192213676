/* What is open: a list first, filtered and in the order that the operator likes; the same on a map. */
import { h, replace } from '../shared/dom.mjs';
import { link } from '../shared/route.mjs';
import { busy, empty, errorState, toast } from '../shared/widgets.mjs';
import { icon } from '../shared/icons.mjs';
import { card, explain, formats, heading, line, locate, placeLine, typeIcon, typeName } from './parts.mjs';
import { kycCard } from './onboarding.mjs';
import { claimBar, feedQuery, orders, sortFeed } from './rules.mjs';

const PAGE = 50,
  RADII = ['5', '10', '25', '50', '100'];

const placeOf = (app) => app.place ?? (typeof app.me.location?.lat === 'number' ? app.me.location : null);

export async function show(app, { query, signal }, isMap = false) {
  const { t } = app,
    filter = {
      type: query.type ?? '',
      domain: query.domain ?? '',
      radius: query.radius ?? '',
      order: query.order ?? 'near',
    };
  const results = h('div', { class: 'results' });
  const feed = { tasks: [], total: 0 };
  await loadMore(app, feed, filter, signal);
  const view = isMap ? await (await import('./map.mjs')).mapView(app, feed.tasks, signal) : null;
  draw(app, results, feed, filter, view);
  return {
    title: t('tasks.title'),
    stop: () => view?.stop(),
    body: [
      heading(t('tasks.title'), toggle(app, query, isMap)),
      claimBar(app.me) !== null && kycCard(app),
      filters(app, filter, isMap),
      results,
    ],
  };
}

export const showMap = (app, context) => show(app, context, true);

async function loadMore(app, feed, filter, signal) {
  const got = await app.api.get('/operator/tasks', {
    signal,
    query: { ...feedQuery(filter, placeOf(app)), limit: PAGE, offset: feed.tasks.length || null },
  });
  /* The list may have moved on between two pages: nothing twice. */
  const seen = new Set(feed.tasks.map((task) => task.task_id));
  feed.tasks.push(...got.data.filter((task) => !seen.has(task.task_id)));
  feed.total = got.data.length === 0 ? feed.tasks.length : got.pagination.total;
}

function toggle(app, query, isMap) {
  const { t } = app,
    choice = (path, name, text, isHere) =>
      h(
        'a',
        { class: 'button little', href: link(path, query), 'aria-current': isHere ? 'page' : null },
        icon(name, 18),
        text,
      );
  return h(
    'div',
    { class: 'switch', role: 'group', 'aria-label': t('tasks.view') },
    choice('/tasks', 'tasks', t('tasks.list'), !isMap),
    choice('/map', 'map', t('tasks.map'), isMap),
  );
}

function filters(app, filter, isMap) {
  const { t } = app,
    path = isMap ? '/map' : '/tasks';
  const to = (change) => {
    const { order, ...rest } = { ...filter, ...change };
    return link(path, { ...rest, order: order === 'near' ? '' : order });
  };
  const select = (name, label, options) =>
    h(
      'label',
      { class: 'pick' },
      h('span', {}, label),
      h(
        'select',
        { name, value: filter[name], onchange: (event) => app.go(to({ [name]: event.target.value })) },
        options.map(([value, text]) => h('option', { value }, text)),
      ),
    );
  const here = h(
    'button',
    {
      class: 'button little',
      type: 'button',
      onclick: () =>
        busy(here, async () => {
          try {
            app.place = await locate();
            await app.refresh();
          } catch (error) {
            toast(explain(app, error), { kind: 'bad' });
          }
        }),
    },
    icon('pin', 18),
    t('tasks.near_me'),
  );
  const domains = [
    ['', t('tasks.all')],
    ['PHYSICAL', t('tasks.on_site')],
    ['DIGITAL', t('tasks.remote')],
  ];
  return h(
    'div',
    { class: 'filters', role: 'search', 'aria-label': t('tasks.filter') },
    h(
      'div',
      { class: 'chips' },
      domains.map(([value, text]) =>
        h(
          'a',
          { class: 'chip', href: to({ domain: value }), 'aria-current': filter.domain === value ? 'true' : null },
          text,
        ),
      ),
      here,
    ),
    h(
      'div',
      { class: 'picks-row' },
      select('type', t('tasks.type'), [
        ['', t('tasks.any_type')],
        ...app.settings.task_types.map((type) => [type, typeName(app, type)]),
      ]),
      select('radius', t('tasks.radius'), [
        ['', t('tasks.any_radius')],
        ...(placeOf(app) ? RADII.map((km) => [km, t('tasks.km', { n: km })]) : []),
      ]),
      select(
        'order',
        t('tasks.order'),
        orders.map((order) => [order, t(`order.${order}`)]),
      ),
    ),
  );
}

function draw(app, results, feed, filter, view) {
  const { t } = app,
    rest = feed.total - feed.tasks.length;
  const more = h(
    'button',
    {
      class: 'button whole',
      type: 'button',
      onclick: () =>
        busy(more, async () => {
          try {
            await loadMore(app, feed, filter);
            draw(app, results, feed, filter, view);
            view?.show(feed.tasks);
          } catch (error) {
            replace(
              results,
              errorState(error, () => app.refresh()),
            );
          }
        }),
    },
    t('tasks.more', { n: rest }),
  );
  if (feed.tasks.length === 0)
    return replace(
      results,
      view?.node,
      empty(
        t('tasks.none'),
        filter.type || filter.domain || filter.radius ? t('tasks.none_filter') : t('tasks.none_text'),
        filter.type || filter.domain || filter.radius
          ? h('a', { class: 'button', href: '#/tasks' }, t('tasks.clear'))
          : null,
      ),
    );
  return replace(
    results,
    view?.node,
    h('p', { class: 'soft small', role: 'status' }, t('tasks.count', { n: feed.total })),
    h(
      'ul',
      { class: 'cards' },
      sortFeed(feed.tasks, filter.order).map((task) => feedCard(app, task)),
    ),
    rest > 0 && more,
  );
}

function feedCard(app, task) {
  const { t } = app,
    f = formats(app);
  return card({
    href: `#/tasks/${task.task_id}`,
    title: task.title,
    usd: task.reward_usd,
    level: 'h2',
    lines: [
      line(task.task_domain === 'DIGITAL' ? 'screen' : 'pin', placeLine(app, task)),
      line(typeIcon(task), typeName(app, task.task_type)),
      line(
        'clock',
        h(
          'time',
          { datetime: task.deadline, title: f.time(task.deadline) },
          t('task.due', { when: f.relative(task.deadline) }),
        ),
      ),
      task.safety_stops > 0 && line('shield', h('span', { class: 'warn-text' }, t('task.unsafe', { n: task.safety_stops }))),
    ],
  });
}
