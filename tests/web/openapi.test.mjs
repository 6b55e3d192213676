/* web/openapi.json against the sources, both ways: routes, who may call them, fields with their limits, errors; and by itself. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { document, faults, operations } from '../openapi.mjs';
import { errors, healthRoutes, readings, root, routes } from '../source.mjs';

const { schemas } = document.components;
const all = [...routes(), ...healthRoutes()];
const nameOf = ({ method, path: name }) => `${method} ${name.replace(/\{(\w+)\}/g, ':$1')}`;
const byName = new Map(operations.map((o) => [nameOf(o), o]));
const resolve = (value) =>
  value?.$ref
    ? value.$ref
        .slice(2)
        .split('/')
        .reduce((node, name) => node[name], document)
    : value;
const camel = (words) => words.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const pascal = (words) => camel(`_${words}`);

/* The routes of our own tables, each with its operation. */
const served = all.map((route) => ({ ...route, operation: byName.get(route.name)?.operation }));

test('the file and the programs know the same calls', () => {
  assert.deepEqual([...byName.keys()].sort(), all.map((r) => r.name).sort());
});

test("an operation bears its handler's name", () => {
  const names = served.map((r) => r.operation.operationId);
  assert.equal(new Set(names).size, names.length);
  for (const { handler, operation, name } of served) {
    const wanted = camel(handler.replace(/^api_/, '')),
      isShared = all.filter((r) => r.handler === handler).length > 1;
    assert.ok(
      operation.operationId === wanted || (isShared && operation.operationId.startsWith(wanted)),
      `${name} is ${operation.operationId}, its handler ${wanted}`,
    );
  }
});

test('who may call what is said as the routes say it', () => {
  const said = {
    PUBLIC: [],
    AGENT: ['ApiKey', 'ApiKeyBearer'],
    OPERATOR: ['OperatorToken', 'DevOperatorId'],
    PERSON: ['OperatorToken', undefined],
    STAFF: ['AdminKey'],
  };
  for (const { principal, scope, operation, name, pattern } of served) {
    const security = operation.security.flatMap((one) => (Object.keys(one).length ? Object.keys(one) : [undefined]));
    const own =
      pattern === '/mcp'
        ? ['ApiKey', 'ApiKeyBearer', 'OperatorToken', undefined]
        : pattern.startsWith('/webhooks/')
          ? ['ProviderSignature']
          : null;
    assert.deepEqual(security, own ?? said[principal], name);
    assert.deepEqual(
      [...new Set(operation.security.flatMap((one) => Object.values(one).flat()))],
      scope ? [scope] : [],
      `${name}: the key's scope`,
    );
    assert.equal(
      /Scope of the key: `(\w+)`/.exec(operation.description ?? '')?.[1],
      scope,
      `${name}: the scope in words`,
    );
  }
});

test('what takes an Idempotency-Key is said to, and what is counted otherwise than usual', () => {
  for (const { flags, window, operation, name } of served) {
    const parameters = (operation.parameters ?? []).map(resolve),
      success = Object.entries(operation.responses).find(([status]) => status < 300)[1];
    assert.equal(
      parameters.some((p) => p.name === 'Idempotency-Key'),
      flags.includes('MONEY'),
      name,
    );
    /* An upload's own bytes are its key. */
    const isReplayed = flags.includes('MONEY') || flags.includes('STREAMED');
    assert.equal('Idempotent-Replayed' in success.headers, isReplayed, name);
    assert.equal('RateLimit-Limit' in success.headers, !flags.includes('UNCOUNTED'), name);
    const words = window && `${window.count} ${{ 60: 'a minute', 3600: 'an hour' }[window.seconds]}`;
    assert.equal(
      /Rate limit: (.*?) for each address/.exec(operation.description ?? '')?.[1],
      words,
      `${name}: its rate limit`,
    );
  }
});

test('parameters of a path are its own', () => {
  for (const { path: name, operation } of operations)
    assert.deepEqual(
      (operation.parameters ?? []).filter((p) => p.in === 'path').map((p) => p.name),
      [...name.matchAll(/\{(\w+)\}/g)].map(([, one]) => one),
      name,
    );
});

/* One field of a table against its schema. */
function compare(field, given, isRequired, name) {
  const schema = resolve(given),
    type = Array.isArray(schema.type) ? schema.type[0] : schema.type,
    where = `${name}: ${field.name}`;
  assert.equal(isRequired, field.isRequired, `${where} is required`);
  const types = {
    TEXT: 'string',
    SECRET: 'string',
    TIME: 'string',
    CHOICE: 'string',
    MONEY: 'number',
    NUMBER: 'number',
    INT: 'integer',
    BOOL: 'boolean',
    CHOICES: 'array',
    TEXTS: 'array',
    OBJECT: 'object',
  };
  assert.ok(type === types[field.type] || schema.const !== undefined, `${where}: type ${type} for ${field.type}`);
  if (field.type === 'TIME') assert.equal(schema.format, 'date-time', where);
  if (field.type === 'OBJECT') compareAll(field.sub, schema.properties, schema.required ?? [], where);
  const item = type === 'array' ? resolve(schema.items) : schema;
  if (field.choices) assert.deepEqual([...(item.enum ?? [item.const])].sort(), [...field.choices].sort(), where);
  if (type === 'array') assert.deepEqual([schema.minItems, schema.maxItems], [1, field.items], `${where}: how many`);
  if (field.max === undefined || field.choices || field.type === 'CHOICES') return;
  /* An id is described by its pattern, which says more. */
  if (['TEXT', 'SECRET', 'TEXTS'].includes(field.type) && !/^\^\w+_\[/.test(item.pattern ?? ''))
    assert.deepEqual([item.minLength ?? 0, item.maxLength], [field.min, field.max], `${where}: length`);
  else if (['MONEY', 'NUMBER', 'INT'].includes(field.type))
    assert.deepEqual([schema.minimum, schema.maximum], [field.min, field.max], `${where}: limits`);
}

function compareAll(fields, properties, required, name) {
  assert.deepEqual(Object.keys(properties).sort(), fields.map((f) => f.name).sort(), `${name}: the fields`);
  fields.forEach((field) => compare(field, properties[field.name], required.includes(field.name), name));
}

/* Bodies whose form others decide: a payment provider, and JSON-RPC. */
const FOREIGN = ['api_webhooks_dlocal', 'api_mcp'];

test('bodies and queries have the fields that the handlers read, with their limits', () => {
  let compared = 0;
  for (const { handler, method, operation, name } of served.filter(
    (r) => r.handler.startsWith('api_') && !r.flags.includes('STREAMED'),
  )) {
    const found = readings(handler),
      body = operation.requestBody?.content['application/json'];
    const bodyFields = method === 'GET' ? [] : (found.find((r) => r.in === 'body')?.fields ?? []);
    const queryFields =
      method === 'GET' || !found.some((r) => r.in === 'body')
        ? (found.find((r) => r.in === 'query')?.fields ?? [])
        : [];
    const parameters = (operation.parameters ?? []).map(resolve).filter((p) => p.in === 'query');
    compareAll(
      queryFields,
      Object.fromEntries(parameters.map((p) => [p.name, p.schema])),
      parameters.filter((p) => p.required).map((p) => p.name),
      `${name} (query)`,
    );
    const schema = FOREIGN.includes(handler) ? {} : (resolve(body?.schema) ?? {});
    compareAll(bodyFields, schema.properties ?? {}, schema.required ?? [], `${name} (body)`);
    assert.equal(
      FOREIGN.includes(handler) || schema.additionalProperties === (bodyFields.length ? false : undefined),
      true,
      `${name}: no other fields`,
    );
    compared += bodyFields.length + queryFields.length;
  }
  assert.ok(compared > 100);
});

/* The codes that a response may bear. */
function codesOf(response) {
  const schema = resolve(response).content?.['application/json']?.schema ?? {};
  return (schema.oneOf ?? [schema])
    .map((one) => resolve(one).properties?.code)
    .flatMap((code) => code?.enum ?? (code ? [code.const] : []));
}

test('what a query leaves out is what the handler begins with', () => {
  let compared = 0;
  for (const { handler, method, operation, name } of served.filter(
    (r) => r.method === 'GET' && r.handler.startsWith('api_'),
  )) {
    const { usual, fields } = readings(handler).find((r) => r.in === 'query') ?? { usual: {}, fields: [] };
    const parameters = (operation.parameters ?? []).map(resolve).filter((p) => p.in === 'query');
    for (const parameter of parameters.filter((p) => p.name in usual || 'default' in p.schema)) {
      const { type } = fields.find((f) => f.name === parameter.name);
      if (type === 'CHOICE') continue;
      assert.equal(parameter.schema.default, usual[parameter.name] ?? 0, `${name} (${method}): ${parameter.name}`);
      compared++;
    }
  }
  assert.ok(compared >= 15);
});

test('errors are those of errors.def, each at its status, and each is met somewhere', () => {
  const known = errors(),
    met = new Set();
  for (const { name, sentence } of known) {
    const schema = schemas[pascal(name)];
    assert.deepEqual([schema?.title, schema?.description, schema?.properties.code.const], [name, sentence, name]);
  }
  assert.deepEqual(
    Object.values(schemas)
      .filter((s) => s.properties?.code?.const)
      .map((s) => s.title)
      .sort(),
    known.map((e) => e.name).sort(),
  );
  for (const { operation, path: where, method } of operations) {
    for (const [status, response] of Object.entries(operation.responses).filter(([s]) => s >= 400)) {
      const codes = codesOf(response);
      codes.forEach((code) => met.add(code));
      for (const code of codes)
        assert.equal(known.find((e) => e.name === code).status, Number(status), `${method} ${where}: ${code}`);
    }
    codesOf(operation.responses.default).forEach((code) => met.add(code));
  }
  assert.deepEqual(
    known.map((e) => e.name).filter((name) => !met.has(name)),
    [],
    'errors that no call is said to answer',
  );
});

test('what holds for every call of a kind is said of each', () => {
  for (const { operation, principal, flags, name } of served) {
    const codes = Object.entries(operation.responses)
      .filter(([status]) => status >= 400)
      .flatMap(([, response]) => codesOf(response));
    const wanted = [
      'internal',
      'unavailable',
      ...(flags.includes('UNCOUNTED') ? [] : ['rate_limited']),
      ...{
        PUBLIC: [],
        AGENT: ['unauthorized', 'agent_suspended', 'scope_missing'],
        PERSON: ['unauthorized'],
        OPERATOR: ['unauthorized', 'operator_required', 'operator_suspended'],
        STAFF: ['staff_only'],
      }[principal],
      ...(flags.includes('MONEY') ? ['idempotency_in_progress', 'idempotency_mismatch', 'header_invalid'] : []),
    ];
    assert.deepEqual(
      wanted.filter((code) => !codes.includes(code)),
      [],
      name,
    );
  }
});

test('events are those that the lifecycle gives', () => {
  const text = ['001_reference', '013_aborts']
    .map((name) => readFileSync(path.join(root, `sql/migrations/${name}.sql`), 'utf8'))
    .map((file) => file.split('insert into task_moves values')[1].split(';')[0])
    .join('\n');
  const moves = [...text.matchAll(/\('(\w+)', '(\w+)', '(\w+)', '(\w+)', '([\w.]+)', (true|false)\)/g)];
  assert.ok(moves.length >= 31);
  assert.deepEqual(
    [...schemas.TaskEventType.enum].sort(),
    [...new Set([...moves.map((m) => m[5]), 'task.created', 'task.message'])].sort(),
  );
  assert.deepEqual(
    [...schemas.WebhookEventType.enum].sort(),
    [...new Set([...moves.filter((m) => m[6] === 'true').map((m) => m[5]), 'task.message'])].sort(),
  );
});

/* Every example of the file: where it stands, its schema, its value. */
function* examples(node, pointer = '') {
  if (node === null || typeof node !== 'object') return;
  if (node.schema && 'example' in node) yield [`${pointer}/schema`, node.example];
  for (const [name, { value }] of Object.entries((node.schema && node.examples) || {}))
    yield [`${pointer}/schema`, value, name];
  for (const [name, child] of Object.entries(node))
    yield* examples(child, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
}

test('examples are examples of what they stand beside', () => {
  let count = 0;
  for (const [pointer, value] of examples({
    paths: document.paths,
    webhooks: document.webhooks,
    components: document.components,
  })) {
    assert.equal(faults(pointer, value), '', `the example at ${pointer}`);
    count++;
  }
  for (const [name, { examples: values = [] }] of Object.entries(schemas))
    values.forEach((value) => assert.equal(faults(`/components/schemas/${name}`, value), '', `an example of ${name}`));
  assert.ok(count > 80);
  const silent = operations.filter(
    ({ operation }) =>
      operation.requestBody?.content['application/json'] &&
      !('example' in operation.requestBody.content['application/json']) &&
      !operation.requestBody.content['application/json'].examples,
  );
  assert.deepEqual(
    silent.map((o) => o.path),
    [],
    'bodies without an example',
  );
});

test('an answer may hold nothing that is not described', () => {
  /* Every object of a success has its members named and admits no other. */
  const open = [];
  const look = (node, pointer) => {
    if (node === null || typeof node !== 'object' || node.$ref) return;
    if (
      node.type === 'object' &&
      node.properties &&
      !('additionalProperties' in node) &&
      !('unevaluatedProperties' in node)
    )
      open.push(pointer);
    for (const [name, child] of Object.entries(node)) look(child, `${pointer}/${name}`);
  };
  Object.entries(schemas).forEach(([name, schema]) => look(schema, name));
  /* Bases that others close, what providers send, and the claims of a receipt, which may grow. */
  assert.deepEqual(
    open.filter(
      (pointer) =>
        !/^(?:Error|\w+Fields|Payment|JsonRpcRequest|ReceiptClaims)$|^Receipt\/properties\/receipt\//.test(pointer),
    ),
    [],
  );
});

test('the version is that of the programs', () => {
  assert.equal(document.info.version, readFileSync(path.join(root, 'VERSION'), 'utf8').trim());
});

test('the file is good OpenAPI by an independent judge', () => {
  const cli = path.join(root, 'tests/node_modules/@redocly/cli/bin/cli.js');
  /* The one rule left out asks for a 4xx of calls that cannot be called wrongly. */
  const run = spawnSync(
    process.execPath,
    [cli, 'lint', path.join(root, 'web/openapi.json'), '--format=json', '--skip-rule=operation-4xx-response'],
    {
      encoding: 'utf8',
      cwd: path.join(root, 'tests'),
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    },
  );
  assert.equal(run.status, 0, run.stdout + run.stderr);
  assert.deepEqual(
    JSON.parse(run.stdout).problems.map((p) => `${p.ruleId}: ${p.message} ${p.location[0].pointer}`),
    [],
  );
});
