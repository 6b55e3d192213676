/* The service's own MCP endpoint, as the bridge uses it: one POST for each call, stateless, always of one revision. */
import { HumanOpsError } from '../src/errors.mjs';
import { Transport } from '../src/transport.mjs';

const REVISION = '2025-11-25';

/* The service answered with a JSON-RPC error: the caller's, to be passed on. */
export class RpcError extends Error {
  constructor({ code, message, data }) {
    super(typeof message === 'string' ? message : 'The service refused the call.');
    this.name = 'RpcError';
    this.code = Number.isInteger(code) ? code : -32603;
    this.data = data;
  }
}

export class Remote {
  #transport;
  #id = 0;

  constructor(transport) {
    this.#transport = transport;
  }

  static to(baseUrl, apiKey, options = {}) {
    return new Remote(new Transport({ baseUrl, ...(apiKey === undefined ? {} : { apiKey }), ...options }));
  }

  get origin() {
    return this.#transport.origin;
  }

  get transport() {
    return this.#transport;
  }

  /* isRepeatable: sending it twice does no harm. */
  async ask(method, params, { signal, isRepeatable = true } = {}) {
    const id = ++this.#id;
    const answer = await this.#transport.request(
      'POST',
      '/mcp',
      {
        whole: true,
        isRepeatable,
        body: { jsonrpc: '2.0', id, method, params },
        accept: 'application/json, text/event-stream',
        headers: { 'MCP-Protocol-Version': REVISION },
      },
      { signal },
    );
    if (answer.error !== undefined && answer.error !== null) throw new RpcError(answer.error);
    if (answer.id !== id || typeof answer.result !== 'object' || answer.result === null)
      throw new HumanOpsError({
        code: 'unreadable',
        message: 'The answer is not one to this call: is this the address of the service?',
      });
    return answer.result;
  }

  async tools(options) {
    const { tools } = await this.ask('tools/list', {}, options);
    if (!Array.isArray(tools))
      throw new HumanOpsError({ code: 'unreadable', message: 'The list of tools cannot be read.' });
    return tools;
  }

  call(name, args, options) {
    return this.ask('tools/call', { name, arguments: args }, options);
  }

  /* How a model is told to use the tools; nothing if the service cannot be asked just now. */
  async instructions(timeout) {
    const params = { protocolVersion: REVISION, capabilities: {}, clientInfo: { name: 'humanops-mcp', version: '1' } };
    const signal = AbortSignal.timeout(timeout);
    return this.ask('initialize', params, { signal }).then(
      ({ instructions }) => instructions,
      () => undefined,
    );
  }
}
