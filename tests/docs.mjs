/* The documentation's pages as tests read them: their frame, their links, and the examples in them. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './source.mjs';

export const folder = path.join(root, 'web/docs');

const plain = (text) =>
  text
    .replace(/<[^>]+>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#x27;', "'")
    .replaceAll('&amp;', '&');
const attributes = (text) =>
  Object.fromEntries([...text.matchAll(/data-(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, plain(value)]));

/*
 * The examples of a page, in their order: { lang, text, title, run, gives, expects, awaits, serves, schema, tab }.  They say
 * themselves how they are tried: run: by what; gives: NAME=member of the answer, for the examples after it; expects: what the output
 * holds; serves: it is a server that listens on the port in this variable; awaits: what that server then prints.
 */
function examplesOf(html) {
  const found = [
    ...html.matchAll(
      /<section data-tab="(\w+)"|<\/section>|<figure class="code"([^>]*)><figcaption>(.*?)<\/figcaption><pre tabindex="0"><code>([^]*?)<\/code><\/pre><\/figure>/g,
    ),
  ];
  const examples = [];
  let tab;
  for (const [all, section, attrs, title, code] of found) {
    if (attrs === undefined) tab = section;
    else
      examples.push({
        ...attributes(attrs),
        title: plain(title),
        tab,
        text: plain(
          code
            .replace(/<span data-origin>[^<]*<\/span>/g, '$ORIGIN$')
            .replace(/<span data-deadline>[^<]*<\/span>/g, '$DEADLINE$'),
        ),
      });
    assert.ok(all);
  }
  assert.equal(examples.length, html.match(/<figure class="code"/g)?.length ?? 0, 'every example is understood');
  return examples;
}

/* Every page: { name, html, examples }. */
export const pages = readdirSync(folder)
  .filter((name) => name.endsWith('.html'))
  .sort()
  .map((name) => {
    const html = readFileSync(path.join(folder, name), 'utf8');
    return { name, html, examples: examplesOf(html) };
  });

export const page = (name) => pages.find((p) => p.name === name).html;

/* An example's text for an installation, with a deadline. */
export const filled = (text, { origin, deadline }) =>
  text.replaceAll('$ORIGIN$', origin).replaceAll('$DEADLINE$', deadline);

/* The cells of a page's table, by its label or id: rows of texts. */
export function table(html, label) {
  const found = new RegExp(`(?:aria-label="${label}"[^>]*>\\s*<table[^>]*|<table id="${label}")>([^]*?)</table>`).exec(
    html,
  );
  assert.ok(found, `the table ${label} is there`);
  return [...found[1].split('<tbody>')[1].matchAll(/<tr>([^]*?)<\/tr>/g)].map(([, row]) =>
    [...row.matchAll(/<td[^>]*>([^]*?)<\/td>/g)].map(([, cell]) => plain(cell).trim()),
  );
}
