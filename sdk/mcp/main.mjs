/* humanops-mcp: the bridge over standard input and output, on the official MCP SDK, which speaks both eras of the protocol. */
import process from 'node:process';
import { VERSION } from '../src/version.mjs';
import { Bridge } from './bridge.mjs';
import { State } from './state.mjs';

const DEFAULT_URL = 'https://api.humanops.io',
  INSTRUCTIONS_MS = 4000;

/* Standard output is the protocol's. */
const tell = (line) => process.stderr.write(`humanops-mcp: ${line}\n`);

async function loadSdk() {
  try {
    return {
      ...(await import('@modelcontextprotocol/server')),
      ...(await import('@modelcontextprotocol/server/stdio')),
    };
  } catch (error) {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new Error(
      'the MCP SDK is missing; it is not installed with the client, which does not need it.\n' +
        'Install it beside:  npm install @modelcontextprotocol/server\n' +
        'or start with:      npx -y -p humanops -p @modelcontextprotocol/server humanops-mcp',
    );
  }
}

function makeServer({ Server, ProtocolError }, bridge, instructions) {
  const server = new Server(
    { name: 'humanops', title: 'HumanOps', version: VERSION },
    {
      capabilities: { tools: { listChanged: true } },
      ...(instructions === undefined ? {} : { instructions }),
    },
  );
  /* What the service says of a call is passed on; other errors get a code of JSON-RPC (5.1). */
  const passing = async (work) => {
    try {
      return await work();
    } catch (error) {
      throw new ProtocolError(
        error.name === 'RpcError' ? error.code : -32603,
        error.message,
        error.data ?? (error.code && { code: error.code }),
      );
    }
  };
  const onKey = () => server.sendToolListChanged().catch((error) => tell(error.message));
  server.setRequestHandler('tools/list', (_, { mcpReq: { signal } }) =>
    passing(async () => ({ tools: await bridge.listTools({ signal }) })),
  );
  server.setRequestHandler('tools/call', ({ params: { name, arguments: args = {} } }, { mcpReq: { signal } }) =>
    passing(() => bridge.callTool(name, args, { signal, onKey })),
  );
  return server;
}

export async function main(env = process.env) {
  try {
    const sdk = await loadSdk();
    const bridge = Bridge.to(env.HUMANOPS_API_URL || DEFAULT_URL, {
      apiKey: env.HUMANOPS_API_KEY || undefined,
      state: new State(),
    });
    const instructions = await bridge.instructions(INSTRUCTIONS_MS);
    sdk.serveStdio(() => makeServer(sdk, bridge, instructions), { onerror: (error) => tell(error.message) });
  } catch (error) {
    tell(error.message);
    process.exitCode = 1;
  }
}
