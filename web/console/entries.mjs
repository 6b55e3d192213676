/* The statement's entries as the overview and the statement need them. */

const PAGE = 100,
  PAGES = 20;

/* All entries since a moment (ms), newest first, and whether that is all of them: nobody waits for more than 2000. */
export async function entriesSince(api, since, { signal } = {}) {
  const entries = [];
  let cursor = null;
  for (let n = 0; n < PAGES; n++) {
    const page = await api.get('/agents/transactions', { signal, query: { cursor, limit: PAGE } });
    entries.push(...page.data.filter((entry) => Date.parse(entry.created_at) >= since));
    cursor = page.pagination.next_cursor;
    if (cursor === null || Date.parse(page.data.at(-1).created_at) < since) return { entries, isWhole: true };
  }
  return { entries, isWhole: false };
}
