/* Addresses after the # of a page's own; pure. */

/* '#/tasks/task_1?status=PENDING' as its path ('/tasks/task_1') and parameters. */
export function parseHash(hash) {
  const text = hash.replace(/^#/, '') || '/',
    at = text.indexOf('?');
  const path = at < 0 ? text : text.slice(0, at);
  return {
    path: path.startsWith('/') ? path : `/${path}`,
    query: Object.fromEntries(new URLSearchParams(at < 0 ? '' : text.slice(at + 1))),
  };
}

/* The first route whose path fits ('/tasks/:id'), with its parameters decoded; null if there is none. */
export function findRoute(routes, path) {
  const parts = path.split('/').filter(Boolean);
  for (const route of routes) {
    const wanted = route.path.split('/').filter(Boolean);
    if (wanted.length !== parts.length) continue;
    const params = {};
    const fits = wanted.every((name, i) => {
      if (!name.startsWith(':')) return name === parts[i];
      try {
        params[name.slice(1)] = decodeURIComponent(parts[i]);
      } catch {
        return false; /* a broken escape is no address of ours */
      }
      return true;
    });
    if (fits) return { route, params };
  }
  return null;
}

/* An address of a page with its parameters; empty ones are left out. */
export function link(path, query = {}) {
  const entries = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '');
  return `#${path}${entries.length === 0 ? '' : `?${new URLSearchParams(entries)}`}`;
}
