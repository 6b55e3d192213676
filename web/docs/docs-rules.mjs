/* What the documentation's pages decide; plain functions. */

const DAY_MS = 86_400_000;

/* A deadline that an example can name: midnight UTC, three to four days on. */
export const deadlineFrom = (nowMs) => `${new Date(nowMs + 4 * DAY_MS).toISOString().slice(0, 10)}T00:00:00Z`;

/* The tab that a key leads to from another, or null if the key is none of the tabs'. */
export function tabAfter(names, name, key) {
  const at = names.indexOf(name);
  if (key === 'ArrowRight') return names[(at + 1) % names.length];
  if (key === 'ArrowLeft') return names[(at + names.length - 1) % names.length];
  if (key === 'Home') return names[0];
  if (key === 'End') return names.at(-1);
  return null;
}
