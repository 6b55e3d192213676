/* Files that a page gives its user. */
import { h } from '../shared/dom.mjs';

/* Offers a text as a file under that name. */
export function save(name, text, type = 'application/json') {
  const url = URL.createObjectURL(new Blob([text], { type })),
    a = h('a', { href: url, download: name, hidden: true });
  document.body.append(a);
  a.click();
  a.remove();
  /* Once the browser has taken it; at once would be too early for some. */
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
