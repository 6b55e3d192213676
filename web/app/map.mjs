/*
 * The open tasks on a map.  Leaflet is loaded only now.  Tiles come from where the settings say; without them the places still
 * lie as they do on the ground, around the operator, with rings for the distance.  The list below the map says all that it does.
 */
import { h, replace } from '../shared/dom.mjs';
import { money } from '../shared/format.mjs';
import { placeLine } from './parts.mjs';

const LIBRARY = '/vendor/leaflet/leaflet.js',
  STYLE = '/vendor/leaflet/leaflet.css';
const RINGS_KM = [1, 2, 5, 10, 25, 50],
  ZOOM_MAX = 17,
  ZOOM_ALONE = 13;

/* Once for the page.  Leaflet is a classic script that leaves its name in the global object. */
async function library() {
  if (globalThis.L) return globalThis.L;
  const style = h('link', { rel: 'stylesheet', href: STYLE });
  await Promise.all([
    new Promise((done, fail) => {
      style.onload = done;
      style.onerror = () => fail(new Error(STYLE));
      document.head.append(style);
    }),
    import(LIBRARY),
  ]);
  return globalThis.L;
}

const isPlaced = (task) => typeof task.location?.lat === 'number' && typeof task.location?.lng === 'number';

/* { node, show(tasks), stop() } */
export async function mapView(app, tasks) {
  const { t } = app,
    L = await library(),
    box = h('div', { class: 'map', role: 'region', 'aria-label': t('map.label') }),
    note = h('p', { class: 'soft small' });
  const node = h('div', { class: 'map-frame' }, box, note);
  let map = null,
    markers = null;
  const self = app.place ?? (typeof app.me.location?.lat === 'number' ? app.me.location : null);

  function start() {
    map = L.map(box, {
      zoomControl: false,
      attributionControl: false,
      maxZoom: ZOOM_MAX,
      zoomSnap: 0.5,
      worldCopyJump: true,
    });
    L.control.zoom({ zoomInTitle: t('map.in'), zoomOutTitle: t('map.out') }).addTo(map);
    L.control.scale({ imperial: false }).addTo(map);
    if (app.settings.map) L.tileLayer(app.settings.map.tile_url, { maxZoom: ZOOM_MAX + 2 }).addTo(map);
    else if (self)
      RINGS_KM.forEach((km) =>
        L.circle([self.lat, self.lng], {
          radius: km * 1000,
          fill: false,
          weight: 1,
          className: 'map-ring',
          interactive: false,
        }).addTo(map),
      );
    if (self)
      L.marker([self.lat, self.lng], {
        icon: mark('map-self', ''),
        keyboard: false,
        title: t('map.you'),
        alt: t('map.you'),
      }).addTo(map);
    markers = L.layerGroup().addTo(map);
  }

  function mark(name, text) {
    return L.divIcon({ className: 'map-mark', html: h('span', { class: name }, text), iconSize: null });
  }

  function show(list) {
    const placed = list.filter(isPlaced);
    markers.clearLayers();
    placed.forEach((task) =>
      L.marker([task.location.lat, task.location.lng], {
        icon: mark('map-task', money(task.reward_usd).replace(/\.00$/, '')),
        title: task.title,
        alt: `${task.title}, ${money(task.reward_usd)}`,
      })
        .bindPopup(() =>
          h(
            'div',
            { class: 'map-popup' },
            h('strong', {}, task.title),
            h('span', {}, placeLine(app, task)),
            h('a', { class: 'button little main', href: `#/tasks/${task.task_id}` }, t('map.open')),
          ),
        )
        .addTo(markers),
    );
    replace(
      note,
      placed.length < list.length ? t('map.elsewhere', { n: list.length - placed.length }) : null,
      ' ',
      app.settings.map?.attribution,
      !app.settings.map && t('map.no_tiles'),
    );
    const points = [
      ...placed.map((task) => [task.location.lat, task.location.lng]),
      ...(self ? [[self.lat, self.lng]] : []),
    ];
    if (points.length > 1) map.fitBounds(points, { padding: [36, 36], maxZoom: ZOOM_MAX - 2, animate: false });
    else map.setView(points[0] ?? [20, 0], points.length === 1 ? ZOOM_ALONE : 2);
  }

  /* It measures its box, so it begins when that lies in the page. */
  const wait = new ResizeObserver(() => {
    if (box.clientWidth === 0) return;
    if (map === null) {
      start();
      show(shown);
    } else {
      map.invalidateSize();
    }
  });
  let shown = tasks;
  wait.observe(box);
  return {
    node,
    show: (list) => {
      shown = list;
      if (map) show(list);
    },
    stop: () => {
      wait.disconnect();
      map?.remove();
      map = null;
    },
  };
}
