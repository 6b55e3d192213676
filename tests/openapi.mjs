/*
 * web/openapi.json as a judge: whether an answer of the API is one that the file describes, and whether a request that was taken
 * is one that it allows.  Checkers are compiled when they are first needed; after that a check costs some microseconds.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import addFormats from 'ajv-formats';
import Ajv2020 from 'ajv/dist/2020.js';
import { root } from './source.mjs';

export const document = JSON.parse(readFileSync(path.join(root, 'web/openapi.json'), 'utf8'));
const BASE = document.servers[0].url;

const ajv = addFormats(
  new Ajv2020({ strict: false, allErrors: true, allowUnionTypes: true, formats: { binary: true } }),
);
ajv.addSchema(document, 'api', undefined, false);
const checkers = new Map();

/* Resolves what stands at a place, through a reference if it is one.  Gives [pointer, value]. */
function at(pointer, value) {
  return value?.$ref
    ? [
        value.$ref.slice(1),
        value.$ref
          .slice(2)
          .split('/')
          .reduce((node, name) => node[unescape(name)], document),
      ]
    : [pointer, value];
}
const unescape = (name) => name.replaceAll('~1', '/').replaceAll('~0', '~');
const escape = (name) => name.replaceAll('~', '~0').replaceAll('/', '~1');

/* Gives what is wrong with a value by the schema at a pointer of the file, as a text; empty: nothing. */
export function faults(pointer, value) {
  if (!checkers.has(pointer)) checkers.set(pointer, ajv.compile({ $ref: `api#${encodeURI(pointer)}` }));
  const check = checkers.get(pointer);
  return check(value)
    ? ''
    : check.errors
        .filter((e) => e.keyword !== 'oneOf' || check.errors.length === 1)
        .map((e) => `${e.instancePath || '(whole)'} ${e.message} ${JSON.stringify(e.params)}`)
        .join('; ');
}

/* Every operation of the file: { path, method, where, pointer, operation, pattern }; where is the path as clients ask for it. */
export const operations = Object.entries(document.paths).flatMap(([name, item]) =>
  Object.entries(item)
    .filter(([method]) => method !== 'servers')
    .map(([method, operation]) => ({
      path: name,
      method: method.toUpperCase(),
      operation,
      pointer: `/paths/${escape(name)}/${method}`,
      where: `${item.servers ? '' : BASE}${name}`,
    })),
);

/* First those without parameters: /tasks/categories is no task. */
const matchers = operations
  .map((o) => ({ ...o, parts: o.where.split('/') }))
  .sort((a, b) => a.path.split('{').length - b.path.split('{').length);

/* The operation that serves a method and a path; HEAD is served as GET. */
export function find(method, where) {
  const parts = where.split('?')[0].split('/'),
    asked = method === 'HEAD' ? 'GET' : method;
  return matchers.find(
    (m) =>
      m.method === asked &&
      m.parts.length === parts.length &&
      m.parts.every((part, i) => (part[0] === '{' ? parts[i] !== '' : part === parts[i])),
  );
}

const mediaType = (headers) => (headers['content-type'] ?? '').split(';')[0].trim().toLowerCase();
const OUTSIDE = '/components/responses/Outside';
const CODES_OUTSIDE = new Set([
  'not_found',
  'method_not_allowed',
  ...document.components.schemas.EdgeError.properties.code.enum,
]);

/* What is wrong with an answer by one response of the file. */
function responseFaults(pointer, response, answer, isBodiless) {
  for (const [name, header] of Object.entries(response.headers ?? {})) {
    const [headerPointer, described] = at(`${pointer}/headers/${name}`, header),
      text = answer.headers[name.toLowerCase()];
    if (text === undefined && described.required) return `the header ${name} is missing`;
    const wrong =
      text === undefined
        ? ''
        : faults(`${headerPointer}/schema`, described.schema.type === 'integer' ? Number(text) : text);
    if (wrong !== '') return `the header ${name}: ${wrong}`;
  }
  if (response.content === undefined) return answer.text === '' ? '' : 'a body is not described';
  const type = mediaType(answer.headers),
    content = response.content[type];
  if (content === undefined) return `the media type ${type} is not described`;
  return isBodiless || !/json/.test(type) ? '' : faults(`${pointer}/content/${escape(type)}/schema`, answer.json);
}

/* Files of the pages are no part of the API; all else is. */
const isPage = (where, answer) =>
  !/^\/(?:api|\.well-known|healthz|readyz|metrics|mcp)(?:\/|$)/.test(where.split('?')[0]) &&
  !(answer.status >= 400 && answer.json);

/*
 * Fails if an answer { status, headers, json } to a request is not one that the file describes: an unknown path or status, another
 * media type, a header or a field that is missing, wrong or not described.
 */
export function checkAnswer(method, where, answer) {
  if (isPage(where, answer)) return;
  const found = find(method, where),
    isBodiless = method === 'HEAD',
    responses = found?.operation.responses;
  let wrong = found ? `the status ${answer.status} is not described` : 'nothing is described at this address';
  if (responses?.[answer.status]) {
    const [pointer, response] = at(`${found.pointer}/responses/${answer.status}`, responses[answer.status]);
    wrong = responseFaults(pointer, response, answer, isBodiless);
  }
  if (wrong !== '' && answer.status >= 400 && (isBodiless || CODES_OUTSIDE.has(answer.json?.code)))
    wrong = responseFaults(OUTSIDE, document.components.responses.Outside, answer, isBodiless);
  assert.equal(
    wrong,
    '',
    `${method} ${where} answers ${answer.status} otherwise than web/openapi.json says: ${(answer.text ?? '').slice(0, 600)}`,
  );
}

/* A body as the API reads it: members that are null are absent, and texts count without the blanks around them. */
function asRead(value) {
  if (typeof value === 'string') return value.trim();
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, v]) => v !== null)
      .map(([k, v]) => [k, asRead(v)]),
  );
}

/* A text of the query as its schema's type would have it in JSON. */
function queryValue(text, schema) {
  const { type } = at('', schema)[1];
  return (type === 'integer' || type === 'number') && text.trim() !== '' ? Number(text) : text;
}

/* Fails if a request that was carried out (2xx) is one that the file does not allow.  json: its body, undefined if it had none. */
export function checkRequest(method, where, json) {
  const found = find(method, where);
  if (!found || method === 'HEAD') return;
  const { operation, pointer } = found,
    parameters = (operation.parameters ?? []).map((p, i) => at(`${pointer}/parameters/${i}`, p));
  for (const [name, text] of new URLSearchParams(where.split('?')[1] ?? '')) {
    const entry = parameters.find(([, p]) => p.in === 'query' && p.name === name);
    assert.ok(entry || method !== 'GET', `${method} ${where}: takes ${name}, which web/openapi.json does not name`);
    assert.equal(
      entry ? faults(`${entry[0]}/schema`, queryValue(text, entry[1].schema)) : '',
      '',
      `${method} ${where}: takes a value of ${name} that web/openapi.json does not allow`,
    );
  }
  const isEmpty = json === undefined || (typeof json === 'object' && json !== null && Object.keys(json).length === 0);
  if (operation.requestBody === undefined || isEmpty) {
    assert.ok(
      isEmpty && !operation.requestBody?.required,
      `${method} ${where}: takes ${JSON.stringify(json)}, other than web/openapi.json says`,
    );
    return;
  }
  assert.equal(
    faults(`${pointer}/requestBody/content/application~1json/schema`, asRead(json)),
    '',
    `${method} ${where}: takes a body that web/openapi.json does not allow: ${JSON.stringify(json)}`,
  );
}

/* Fails if a webhook { headers, raw } is not as the file describes it. */
export function checkWebhook({ headers, raw }) {
  const { parameters } = document.webhooks.taskEvent.post,
    pointer = '/webhooks/taskEvent/post';
  for (const [i, { name, required }] of parameters.entries()) {
    const text = headers[name.toLowerCase()];
    assert.ok(text !== undefined || !required, `a webhook without ${name}`);
    assert.equal(
      text === undefined ? '' : faults(`${pointer}/parameters/${i}/schema`, text),
      '',
      `the header ${name} of a webhook`,
    );
  }
  assert.equal(
    faults(`${pointer}/requestBody/content/application~1json/schema`, JSON.parse(raw.toString('utf8'))),
    '',
    `a webhook: ${raw}`,
  );
}
