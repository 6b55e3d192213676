/*
 * A small HTTP proxy before a chain's node, which does to single calls what networks and bad nodes do.  A test says for a method
 * what is to happen; without a word every call passes.
 *
 * rule(method, fn): fn(call) is asked at each call, { method, params, n } with n from 1; what it gives is one of
 *   undefined                         the call passes
 *   { status, headers, body }         an answer of its own, never forwarded; a function of the call's id for body
 *   { result: fn(result, call) }      forwarded, then the result is another (a lie); may be asynchronous
 *   { error: { code, message } }      the node refuses
 *   { drop: 'before' | 'after' }      the connection breaks, before or after the node has had the call
 *   { wait: promise, then: action }   nothing happens until the promise is kept, then the action
 *   { late: promise }                 forwarded at once, answered when the promise is kept
 * '*' stands for every method that has no rule of its own.  clear() forgets all rules.
 */
import http from 'node:http';
import { after } from 'node:test';

/* A point at which calls are held: reached is kept when the first one arrives, all go on at release(action). */
export function gate() {
  const g = {};
  g.reached = new Promise((done) => { g.arrive = done; });
  const released = new Promise((done) => { g.release = (action = {}) => done(action); });
  g.released = released;
  return g;
}

class Proxy {
  #rules = new Map();
  #target;
  #server;
  #agent = new http.Agent({ keepAlive: true });
  calls = []; /* every call that came, as { method, params, at } */

  constructor(target) {
    this.#target = new URL(target);
    this.#server = http.createServer((request, response) => {
      this.#take(request, response).catch(() => response.destroy());
    });
    this.#server.on('clientError', (error, socket) => socket.destroy());
  }

  async open() {
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    this.url = `http://127.0.0.1:${this.#server.address().port}`;
  }

  rule(method, fn) {
    this.#rules.set(method, { fn, n: 0 });
  }

  clear(method) {
    if (method === undefined)
      this.#rules.clear();
    else
      this.#rules.delete(method);
  }

  /* While the function runs, the method is treated so. */
  async during(method, fn, work) {
    this.rule(method, fn);
    try {
      return await work();
    } finally {
      this.clear(method);
    }
  }

  /*
   * Holds calls of the method for which when(call) is true: before the node has had them, or with isLate, afterwards.  The gate's
   * release({ drop: true }) breaks the connection instead, and what was held before then never reaches the node.
   */
  hold(method, { when = () => true, isLate = false } = {}) {
    const g = gate();
    let isOpen = false;
    g.released.then(() => { isOpen = true; });
    this.rule(method, (call) => {
      if (isOpen || !when(call))
        return undefined;
      g.arrive(call);
      const end = g.released.then(({ drop }) => drop ? { drop: isLate ? 'after' : 'before' } : undefined);
      return isLate ? { late: end } : { wait: end };
    });
    return g;
  }

  count(method) {
    return this.calls.filter((call) => call.method === method).length;
  }

  async #take(request, response) {
    const chunks = [];
    for await (const chunk of request)
      chunks.push(chunk);
    const raw = Buffer.concat(chunks), call = JSON.parse(raw);
    response.on('error', () => {});
    this.calls.push({ method: call.method, params: call.params, at: Date.now() });
    const rule = this.#rules.get(call.method) ?? this.#rules.get('*');
    let action = rule?.fn({ method: call.method, params: call.params, n: ++rule.n });
    while (action?.wait)
      action = await action.wait ?? action.then;
    await this.#act(action ?? {}, call, raw, response);
  }

  async #act(action, call, raw, response) {
    if (action.status !== undefined)
      return this.#answer(response, action.status, typeof action.body === 'function' ? action.body(call.id) : action.body, action.headers);
    if (action.error)
      return this.#answer(response, 200, JSON.stringify({ jsonrpc: '2.0', id: call.id, error: action.error }));
    if (action.drop === 'before')
      return response.destroy();
    const answer = await this.#forward(raw);
    const late = await action.late;
    if (action.drop === 'after' || late?.drop)
      return response.destroy();
    if (!action.result)
      return this.#answer(response, answer.status, answer.body);
    const value = JSON.parse(answer.body);
    const result = await action.result(value.result, call);
    this.#answer(response, 200, JSON.stringify({ jsonrpc: '2.0', id: call.id, result }));
  }

  #answer(response, status, body, headers = { 'Content-Type': 'application/json' }) {
    response.writeHead(status, headers);
    response.end(body);
  }

  #forward(raw) {
    return new Promise((done, fail) => {
      const headers = { 'Content-Type': 'application/json', 'Content-Length': raw.length };
      const request = http.request(this.#target, { method: 'POST', agent: this.#agent, headers }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', fail);
        response.on('end', () => done({ status: response.statusCode, body: Buffer.concat(chunks) }));
      });
      request.on('error', fail);
      request.end(raw);
    });
  }

  /* Nothing answers at its address any more, until listen(). */
  async close() {
    const closed = new Promise((done) => this.#server.close(done));
    this.#server.closeAllConnections();
    await closed;
  }

  async reopen() {
    await new Promise((done) => this.#server.listen(Number(new URL(this.url).port), '127.0.0.1', done));
  }

  end() {
    this.#agent.destroy();
    return this.close();
  }
}

/* A proxy before the node at this address; ends with the file's last test. */
export async function proxy(target) {
  const made = new Proxy(target);
  await made.open();
  after(() => made.end());
  return made;
}

/* Bodies that are no answer. */
export const nonsense = {
  html: { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html><body>502 Bad Gateway</body></html>' },
  'too many': { status: 429, headers: { 'Retry-After': '60' }, body: '' },
  'server error': { status: 500, body: '{"error":"out of order"}' },
  empty: { status: 200, body: '' },
  'half of it': { status: 200, body: (id) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"status":"0x1",` },
  'another id': { status: 200, body: '{"jsonrpc":"2.0","id":"somebody else\'s","result":"0x1"}' },
  'another type': { status: 200, body: (id) => JSON.stringify({ jsonrpc: '2.0', id, result: [[[[{}]]]] }) },
  '50 MB': { status: 200, body: (id) => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":"${'0'.repeat(50 << 20)}"}` },
};
