/* Drawing a screen anew without disturbing whoever is at it. */
import { replace } from '../shared/dom.mjs';

const CONTROLS = 'a, button, input, select, textarea, summary';

/* What a screen looks like, but for the seconds of its clocks and the signatures of its pictures. */
export function lookOf(body) {
  const box = replace(document.createElement('div'), body),
    text = box.innerHTML;
  replace(box);
  return text.replace(/(data-until="\d+">)[^<]*/g, '$1').replace(/(\/files\/[\w.-]+)\?[^"]*/g, '$1');
}

/*
 * Where the focus is, to find it again in a screen that was drawn anew: by the same link or words, else at the same place among
 * the controls.  null if it is elsewhere; else a function that puts it there.
 */
export function focusOf(root) {
  const node = document.activeElement;
  if (node === root || !root.contains(node)) return null;
  const index = [...root.querySelectorAll(CONTROLS)].indexOf(node);
  const isLike = (other) =>
    other.tagName === node.tagName &&
    other.getAttribute('href') === node.getAttribute('href') &&
    other.textContent === node.textContent;
  return () => {
    const now = [...root.querySelectorAll(CONTROLS)];
    (now.find(isLike) ?? now[index])?.focus({ preventScroll: true });
  };
}
