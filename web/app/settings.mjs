/*
 * What the server says before anybody signs in.  As it said last time, if there was one: it hardly ever changes, and nobody is to
 * wait for it on a bad line.  Should it have changed after all, the app begins anew.
 */
import { Api } from '../shared/api.mjs';

const KEPT = 'humanops.settings',
  ANEW = 'humanops.anew',
  ANEW_MS = 60_000;

export async function loadSettings() {
  const kept = stored();
  const news = new Api().get('/operator/settings').then((settings) => {
    try {
      localStorage.setItem(KEPT, JSON.stringify(settings));
    } catch {
      /* then it is asked each time */
    }
    return settings;
  });
  if (kept === null) return news;
  news.then(
    (settings) => {
      if (JSON.stringify(settings) !== JSON.stringify(kept)) beginAnew();
    },
    () => {},
  );
  return kept;
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? 'null');
  } catch {
    return null;
  }
}

/* Once in a while at most, so that two servers that disagree make no circle of it, and never while somebody types. */
function beginAnew() {
  const last = Number(sessionStorage.getItem(ANEW) ?? 0),
    now = Date.now();
  if (now - last < ANEW_MS || document.activeElement?.matches('input, textarea, select')) return;
  sessionStorage.setItem(ANEW, String(now));
  location.reload();
}
