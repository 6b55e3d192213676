/*
 * What the C sources say in their constant tables, read as text: routes, errors, and the fields that a handler takes.  For tests
 * that hold something else against them, so that neither changes alone.  A row that is not understood is a fault, never left out.
 */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const read = (...names) => readFileSync(path.join(root, ...names), 'utf8');
const sources = (folder, ending) =>
  readdirSync(path.join(root, folder))
    .filter((name) => name.endsWith(ending))
    .sort();

const ROUTE =
  /\{\s*"([A-Z]+)",\s*"([^"]+)",\s*(\w+),\s*([A-Z]+),\s*(?:NULL|"(\w+)"),\s*([\w\s|]+?)(?:,\s*(?:\{\s*(\d+),\s*(\d+)\s*\}|\{\s*0\s*\}|HOUR\((\d+)\)))?\s*\}/g;

/* The rows of one file: method, pattern, handler, principal, scope, flags, and the window where it is not the usual one. */
function rowsOf(file) {
  const text = file.text.split(/const struct route \w+\[\] = \{/)[1]?.split('\n};')[0] ?? '';
  const rows = [...text.matchAll(ROUTE)].map(
    ([, method, pattern, handler, principal, scope, flags, count, seconds, hourly]) => ({
      program: file.program,
      method,
      pattern,
      handler,
      principal,
      scope,
      flags: flags
        .split('|')
        .map((flag) => flag.trim())
        .filter((flag) => flag !== '0'),
      window: hourly
        ? { count: Number(hourly), seconds: 3600 }
        : count
          ? { count: Number(count), seconds: Number(seconds) }
          : undefined,
      name: `${method} ${pattern}`,
    }),
  );
  assert.equal(rows.length, (text.match(/^\t\{ "/gm) ?? []).length, `every route of ${file.program} is understood`);
  return rows;
}

/* Every route of every program's own table. */
export const routes = () =>
  sources('fcgi', '.c').flatMap((name) => rowsOf({ program: name.slice(0, -2), text: read('fcgi', name) }));

/* The routes that every program has besides. */
export const healthRoutes = () =>
  rowsOf({ program: 'health', text: read('lib/http/health.c').replaceAll('HEALTH,', 'WHOLE | UNCOUNTED | DIRECT,') });

/* errors.def: name, status, sentence. */
export function errors() {
  const text = read('lib/base/errors.def');
  const rows = [...text.matchAll(/^ERROR\((\w+),\s*(\d+), "(.*)"\)$/gm)].map(([, name, status, sentence]) => ({
    name,
    status: Number(status),
    sentence,
  }));
  assert.equal(rows.length, text.match(/^ERROR/gm).length, 'every error is understood');
  return rows;
}

/* The calls of handlers and of what they share: text without comments. */
const api = sources('lib/api', '.c').map((name) => read('lib/api', name).replace(/\/\*[^]*?\*\//g, ''));
const elsewhere = readdirSync(path.join(root, 'lib'))
  .map((name) => `lib/${name}`)
  .flatMap((folder) => [...sources(folder, '.h'), ...sources(folder, '.c')].map((name) => read(folder, name)));

/* What a name stands for, in the same file or in any: the text behind #define, or a constant of an enum. */
function meaningOf(name, file) {
  for (const source of [file, ...api, ...elsewhere]) {
    const found =
      new RegExp(`^#define ${name} (.*?)(?:\\s*/\\*.*)?$`, 'm').exec(source) ??
      new RegExp(`\\b${name} = ([^,}/]+?)\\s*[,}/]`).exec(source);
    if (found) return found[1];
  }
  throw new Error(`what ${name} stands for is not found`);
}

/* The value of a limit: a sum or product of numbers, USD(n), USD_CENT and constants; or a power of two. */
function valueOf(text, file) {
  const power = /^INT64_C\(1\) << (\d+)$/.exec(text.trim());
  if (power) return 2 ** power[1];
  const product = (part) => part.split('*').reduce((value, factor) => value * factorOf(factor.trim(), file), 1);
  return text
    .trim()
    .split(/ (?=[-+] )/)
    .reduce(
      (sum, part) => (part.startsWith('- ') ? sum - product(part.slice(2)) : sum + product(part.replace(/^\+ /, ''))),
      0,
    );
}

function factorOf(text, file) {
  const usd = /^USD\((\d+)\)$/.exec(text);
  if (/^-?\d+$/.test(text) || usd) return Number(usd ? usd[1] : text);
  return text === 'USD_CENT' ? 0.01 : valueOf(meaningOf(text, file), file);
}

/* A table's text, with what macros of its file stand for in their places. */
function tableText(name, file) {
  const found = new RegExp(`const struct field ${name}\\[\\] = \\{([^]*?)\\};`).exec(file);
  assert.ok(found, `the table ${name} is found`);
  const macros = [...file.matchAll(/^#define ([A-Z]+)(\(\w+\))? \\\n((?:.*\\\n)*.*)$/gm)].map(([, macro, , text]) => [
    macro,
    text.replaceAll('\\\n', ' '),
  ]);
  return macros.reduce(
    (text, [macro, stands]) =>
      text.replace(new RegExp(`\\b${macro}\\b(?:\\(([^()]*)\\))?(?=\\s*[,}]|\\s*$)`, 'g'), (_, flags) =>
        flags === undefined ? stands : stands.replace('(flags)', flags),
      ),
    found[1],
  );
}

const FIELD = /\{\s*"(\w+)",\s*FIELD_(\w+),\s*([\w|\s]+?),\s*((?:[^{}]|\{[^{}]*\})*?)\}/g;

/* The fields of a table: name, type, whether required, limits, the list of choices, the table below. */
function fieldsOf(name, file) {
  const text = tableText(name, file);
  const rows = [...text.matchAll(FIELD)].map(([, field, type, flags, rest]) => {
    const limit = (which) => new RegExp(`\\.${which} = ([^,]+?)\\s*(?:,|$)`).exec(rest)?.[1];
    const value = (which) => (limit(which) === undefined ? undefined : valueOf(limit(which), file));
    const min = value('min'),
      max = value('max'),
      sub = limit('sub');
    return {
      name: field,
      type,
      isRequired: /FIELD_REQUIRED/.test(flags),
      min: max === undefined ? undefined : (min ?? 0),
      max,
      items: value('max_items'),
      choices: limit('choices') && choicesOf(limit('choices'), file),
      sub: sub && fieldsOf(sub, file),
    };
  });
  assert.equal(rows.length, (text.match(/\{\s*"\w+",\s*FIELD_/g) ?? []).length, `every field of ${name} is understood`);
  return rows;
}

function choicesOf(name, file) {
  for (const source of [file, ...elsewhere]) {
    const found = new RegExp(`\\b${name}\\[[^\\]]*\\] = \\{([^]*?)\\};`).exec(source);
    if (found)
      return found[1]
        .split(',')
        .map((choice) => choice.trim())
        .filter((choice) => choice !== '' && choice !== 'NULL')
        .map((choice) => (choice[0] === '"' ? choice : meaningOf(choice, source)).replaceAll('"', ''));
  }
  throw new Error(`the choices ${name} are not found`);
}

/*
 * What a handler reads: { in: 'body' or 'query', fields, usual } for each of its readings; none: it reads neither.  usual: values
 * that the input begins with, by name.  A reading in a
 * static function that the handler calls counts too, with the table that is handed to it if it takes one.
 */
export function readings(handler) {
  const file = api.find((text) => new RegExp(`^${handler}\\(`, 'm').test(text));
  assert.ok(file, `${handler} is found`);
  const functions = new Map(
    file
      .split(/\n(?=(?:static )?[\w *]+\n\w+\()/)
      .map((text) => [/^(?:static )?[\w *]+\n(\w+)\(/.exec(text)?.[1], text]),
  );
  const seen = new Set(),
    found = [];
  const look = (name, handed) => {
    const text = functions.get(name);
    if (text === undefined || seen.has(name)) return;
    seen.add(name);
    const code = text.slice(text.indexOf('{'));
    const usual = Object.fromEntries(
      [...(/ (?:in|query) = \{ (.*?) \};/.exec(code)?.[1] ?? '').matchAll(/\.(\w+) = (\w+)(?:,|$)/g)].map(
        ([, field, value]) => [field, valueOf(value, file)],
      ),
    );
    for (const [, kind, table, from] of code.matchAll(/request_(read|query)\(\s*rq,\s*(\w+)( \+ 1)?,/g))
      found.push({
        in: kind === 'read' ? 'body' : 'query',
        fields: table === 'NULL' ? [] : fieldsOf(table === 'fields' ? handed : table, file).slice(from ? 1 : 0),
        usual,
      });
    for (const [, called, table] of code.matchAll(/\b(\w+)\((?:rq, (\w+_fields),)?/g)) look(called, table ?? handed);
    if (/\bapi_message_add\(/.test(code) && !functions.has('api_message_add'))
      found.push(...readings('api_message_add'));
  };
  look(handler);
  return found;
}
