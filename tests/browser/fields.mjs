/*
 * Every text that the API takes, read from web/openapi.json, and what becomes of it: it is shown somewhere, or refused if it is not
 * of its form, or kept where nobody sees it.  A text field that is new has no place here yet, and so fails the test that asks.
 */
import { find, operations, document } from '../openapi.mjs';
import { payloads } from './payloads.mjs';

/* Schemas behind a reference, in a list, or one of several. */
const resolved = (schema) =>
  schema?.$ref ? resolved(schema.$ref.slice(2).split('/').reduce((node, name) => node[name], document)) : schema;

/* Names of the texts in a schema, below a name: "location.city", "photos[]". */
function* textsIn(schema, name = '') {
  const s = resolved(schema);
  for (const kind of ['allOf', 'oneOf', 'anyOf']) for (const one of s[kind] ?? []) yield* textsIn(one, name);
  if ([s.type].flat().includes('string') && !s.enum && s.const === undefined && s.format !== 'binary') yield name;
  for (const [key, value] of Object.entries(s.properties ?? {})) yield* textsIn(value, name ? `${name}.${key}` : key);
  if (s.items) yield* textsIn(s.items, `${name}[]`);
}

/* The tools of MCP are these very routes, with the same fields; its own envelope is JSON that no page shows. */
const ENVELOPES = ['/mcp'];

/* "POST /tasks title" */
export const textFields = [
  ...new Set(
    operations
      .filter(({ path }) => !ENVELOPES.includes(path))
      .flatMap(({ method, path, operation }) =>
        Object.values(resolved(operation.requestBody ?? {}).content ?? {})
          .flatMap(({ schema }) => [...textsIn(schema)])
          .map((name) => `${method} ${path} ${name}`),
      ),
  ),
].sort();

const REFUSED = 'refused: it has a form of its own';
const LOG = 'shown: staff, audit log';
export const places = {
  'DELETE /operator/push endpoint': 'kept nowhere: it names what is to be removed',
  'PATCH /operator/me location.city': 'shown: app, profile; staff, operators',
  'PATCH /operator/me location.country': 'shown: app, profile; staff, operators',
  'PATCH /operator/me name': 'shown: app, profile; wherever a task names its operator',
  'PATCH /operator/me phone': REFUSED,
  'POST /admin/agents/{id}/suspend reason': LOG,
  'POST /admin/agents/{id}/unfreeze reason': LOG,
  'POST /admin/appeals/{id} note': LOG,
  'POST /admin/operators/{id}/kyc note': 'shown: staff, operators and audit log',
  'POST /admin/operators/{id}/suspend reason': LOG,
  'POST /admin/payouts/unfreeze reason': LOG,
  'POST /admin/payouts/{id}/fail reason': LOG,
  'POST /admin/payouts/{id}/retry reason': LOG,
  'POST /admin/tasks/{id}/resolve note': 'shown: console, task',
  'POST /agents/deposit return_url': REFUSED,
  'POST /agents/deposit/status payment_id': REFUSED,
  'POST /agents/deposit/usdc tx_hash': REFUSED,
  'POST /agents/keys expires_at': REFUSED,
  'POST /agents/keys name': 'shown: console, keys',
  'POST /agents/register company': 'shown: console, overview',
  'POST /agents/register email': REFUSED,
  'POST /agents/register name': 'shown: console, everywhere',
  'POST /agents/verify-email token': REFUSED,
  'POST /agents/withdraw wallet_address': REFUSED,
  'POST /operator/payout wallet_address': REFUSED,
  'POST /operator/push endpoint': REFUSED,
  'POST /operator/push keys.auth': REFUSED,
  'POST /operator/push keys.p256dh': REFUSED,
  'POST /operator/register email': REFUSED,
  'POST /operator/register location.city': 'shown: staff, operators',
  'POST /operator/register location.country': 'shown: staff, operators',
  'POST /operator/register name': 'shown: staff, operators',
  'POST /operator/register phone': REFUSED,
  'POST /operator/tasks/{id}/abort note': 'shown: console, task',
  'POST /operator/tasks/{id}/accept estimate_note': 'shown: app, task; console, task',
  'POST /operator/tasks/{id}/messages message': 'shown: app, console, staff',
  'POST /operator/tasks/{id}/submit confirmation_text': 'shown: app, console, staff',
  'POST /operator/tasks/{id}/submit encrypted_credential.ciphertext': REFUSED,
  'POST /operator/tasks/{id}/submit encrypted_credential.createdAt': REFUSED,
  'POST /operator/tasks/{id}/submit encrypted_credential.ephemeralPublicKey': REFUSED,
  'POST /operator/tasks/{id}/submit encrypted_credential.iv': REFUSED,
  'POST /operator/tasks/{id}/submit notes': 'shown: app, console, staff',
  'POST /operator/tasks/{id}/submit photos[]': REFUSED,
  'POST /operator/tasks/{id}/submit reference_url': `${REFUSED}; inside an address: shown: console, staff`,
  'POST /operator/upload captured_at': REFUSED,
  'POST /operator/upload task_id': REFUSED,
  'POST /tasks agent_public_key': REFUSED,
  'POST /tasks callback_secret': 'kept sealed: no answer has it',
  'POST /tasks callback_url': REFUSED,
  'POST /tasks deadline': REFUSED,
  'POST /tasks description': 'shown: app, console, staff',
  'POST /tasks digital_instructions': 'shown: app, console, staff',
  'POST /tasks location.address': 'shown: app, console, staff',
  'POST /tasks proof_requirements[]': 'shown: app, console, staff',
  'POST /tasks title': 'shown: app, console, staff',
  'POST /tasks/appeals reason': 'shown: staff, appeals',
  'POST /tasks/appeals screening_id': REFUSED,
  'POST /tasks/{id}/appeal reason': 'shown: staff, appeals',
  'POST /tasks/{id}/dispute reason': 'shown: app, console, staff',
  'POST /tasks/{id}/estimate/reject reason': 'kept in the trail: no answer has it',
  'POST /tasks/{id}/messages message': 'shown: app, console, staff',
  'POST /tasks/{id}/rate comment': 'shown: app, console',
  'POST /tasks/{id}/verify reason': 'shown: staff, disputes',
  'POST /webhooks/dlocal currency': 'refused: no order of ours',
  'POST /webhooks/dlocal id': 'refused: no order of ours',
  'POST /webhooks/dlocal order_id': REFUSED,
  'POST /webhooks/dlocal status': 'refused: no order of ours',
  'POST /webhooks/kyc note': 'shown: app, profile; staff, operators',
  'POST /webhooks/kyc operator_id': REFUSED,
  'PUT /agents/wallet nonce': REFUSED,
  'PUT /agents/wallet signature': REFUSED,
  'PUT /agents/wallet wallet_address': REFUSED,
};

/* The texts in what was sent, as [field, value]. */
function* textsOf(value, name = '') {
  if (typeof value === 'string') yield [name, value];
  else if (Array.isArray(value)) for (const one of value) yield* textsOf(one, `${name}[]`);
  else
    for (const [key, one] of Object.entries(value ?? {})) yield* textsOf(one, name ? `${name}.${key}` : key);
}

const numbers = new Map(payloads.map((text, i) => [text, i]));

/* Looks at each call of an instance from now on: which field was sent which of the texts, alone or as a line, and whether it was taken. */
export class Tried {
  #fields = new Map(textFields.map((name) => [name, { taken: new Set(), refused: new Set() }]));

  constructor(s) {
    const call = s.call.bind(s);
    s.call = async (method, where, more = {}) => {
      const answer = await call(method, where, more);
      this.note(method, where, more.body ?? (more.json ? JSON.parse(more.raw) : {}), answer.status < 400);
      return answer;
    };
  }

  note(method, where, body, isTaken) {
    const [name, query = ''] = where.split('?'),
      operation = find(method, `/api/v1${name}`);
    if (!operation) return;
    for (const [field, value] of [...textsOf(body), ...new URLSearchParams(query)])
      for (const line of value.split('\n')) {
        const found = this.#fields.get(`${method} ${operation.path} ${field}`);
        if (found && numbers.has(line)) found[isTaken ? 'taken' : 'refused'].add(numbers.get(line));
      }
  }

  /* { field: [how many were taken, how many only refused, how many never tried] } */
  get counts() {
    return Object.fromEntries(
      [...this.#fields].map(([name, { taken, refused }]) => {
        const all = new Set([...taken, ...refused]);
        return [name, [taken.size, all.size - taken.size, payloads.length - all.size]];
      }),
    );
  }
}
