/* The command humanops: reads the command line, finds key and address, and says what happened. */
import process from 'node:process';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { HumanOpsClient } from '../src/client.mjs';
import { HumanOpsError } from '../src/errors.mjs';
import { VERSION } from '../src/version.mjs';
import { State } from '../mcp/state.mjs';
import { listen, newSecret, WEBHOOK_EVENTS } from './listen.mjs';
import { SCENARIOS, trigger } from './trigger.mjs';

const USAGE = `humanops ${VERSION}

  humanops login                      keep an API key, read from standard input, for this address
  humanops whoami                     the account, its limits and balance
  humanops tasks [--status S]         the newest tasks
  humanops listen --forward URL       post events to a local address, signed as webhooks are
           [--events a,b] [--secret whsec_…] [--from-start]
  humanops trigger EVENT              a simulated task that comes to an event
           [--callback-url URL [--callback-secret S]]

HUMANOPS_API_URL names the service, HUMANOPS_API_KEY the key; without it the one of login or of humanops-mcp is used.
Events: ${WEBHOOK_EVENTS.join(', ')}.
To trigger: ${Object.keys(SCENARIOS).join(', ')}.
`;

/* A fault of the command line. */
class UsageError extends Error {}

const text = { type: 'string' };
const commands = {
  login: { run: login, options: {} },
  whoami: { run: whoami, options: {} },
  tasks: { run: tasks, options: { status: text } },
  listen: { run: runListen, options: { forward: text, events: text, secret: text, 'from-start': { type: 'boolean' } } },
  trigger: { run: runTrigger, options: { 'callback-url': text, 'callback-secret': text }, takes: 1 },
};

/* The client with the key to use: the environment's, or the kept one of this address. */
async function connect({ state, env }) {
  const client = new HumanOpsClient();
  if (env.HUMANOPS_API_KEY) return client;
  const account = await state.account(client.baseUrl);
  if (account === null) throw new UsageError('there is no API key: set HUMANOPS_API_KEY, or run humanops login');
  return client.withKey(account.api_key);
}

async function login({ state, input, print }) {
  const reader = createInterface({ input });
  const { value = '' } = await reader[Symbol.asyncIterator]().next();
  reader.close();
  const key = value.trim();
  if (key === '') throw new UsageError('standard input has no key: humanops login < file');
  const client = new HumanOpsClient().withKey(key),
    { agent_id: id, name } = await client.me();
  print(
    `${name} (${id}): the key is kept in ${await state.keepAccount(client.baseUrl, { api_key: key, agent_id: id })}`,
  );
}

async function whoami(context) {
  const client = await connect(context),
    [me, balance] = await Promise.all([client.me(), client.balance()]);
  context.print(
    `${me.name} (${me.agent_id}) at ${client.baseUrl}\n  tier ${me.tier}, ${me.used_today.tasks} of ${me.limits.max_daily_tasks} tasks today\n` +
      `  deposit $${balance.deposit_balance.toFixed(2)}, in escrow $${balance.escrow_balance.toFixed(2)}${balance.owed_usd ? `, owed $${balance.owed_usd.toFixed(2)}` : ''}`,
  );
}

async function tasks(context) {
  const { data } = await (await connect(context)).tasks({ limit: 20, status: context.values.status });
  for (const task of data)
    context.print(
      `${task.task_id} ${task.status.padEnd(16)} $${task.reward_usd.toFixed(2).padStart(8)} ${printable(task.title)}`,
    );
}

/* Titles are the account's own words, but a terminal obeys more than words. */
const printable = (title) => title.replace(/\p{C}/gu, '�');

function readForward(value) {
  try {
    const url = new URL(value);
    if (url.protocol === 'http:' || url.protocol === 'https:') return url.href;
  } catch {
    /* below */
  }
  throw new UsageError('--forward takes the address that events are posted to, as http://localhost:3000/hook');
}

async function runListen(context) {
  const { values, state, env, print, signal } = context,
    forward = readForward(values.forward);
  const client = await connect(context),
    { agent_id: id } = await client.me({ signal });
  const secret = values.secret ?? env.HUMANOPS_WEBHOOK_SECRET ?? newSecret(),
    name = `listen ${client.baseUrl} ${id} ${forward}`;
  print(`signed with ${secret}`);
  await listen({
    client,
    forward,
    secret,
    signal,
    print,
    events:
      values.events === undefined
        ? WEBHOOK_EVENTS
        : values.events
            .split(',')
            .map((one) => one.trim())
            .filter(Boolean),
    cursor: values['from-start'] ? '' : (await state.note(name))?.cursor,
    keep: (cursor) => state.keepNote(name, { cursor }),
  });
}

async function runTrigger(context) {
  const {
    values,
    positionals: [event],
    signal,
    print,
  } = context;
  if (!Object.hasOwn(SCENARIOS, event))
    throw new UsageError(`${printable(event)} cannot be simulated; these can: ${Object.keys(SCENARIOS).join(', ')}`);
  const task = await trigger({
    client: await connect(context),
    event,
    callbackUrl: values['callback-url'],
    callbackSecret: values['callback-secret'],
    signal,
  });
  print(`${event} ${task.task_id} ${task.status}`);
}

function read(argv) {
  const [name, ...rest] = argv,
    command = Object.hasOwn(commands, name ?? '') ? commands[name] : undefined;
  if (command === undefined)
    throw new UsageError(name === undefined ? 'a command is needed' : `there is no command ${printable(name)}`);
  try {
    const { values, positionals } = parseArgs({ args: rest, options: command.options, allowPositionals: true });
    if (positionals.length !== (command.takes ?? 0))
      throw new UsageError(`${name} takes ${command.takes ?? 'no'} argument${command.takes === 1 ? '' : 's'}`);
    return { run: command.run, values, positionals };
  } catch (error) {
    throw new UsageError(error.message);
  }
}

/* The exit status: 0, 1 for what failed, 2 for a command line that is none. */
export async function main(argv = process.argv.slice(2), env = process.env) {
  const stop = new AbortController(),
    ended = new Error('ended');
  const print = (line) => process.stdout.write(`${line}\n`),
    tell = (line) => process.stderr.write(`humanops: ${line}\n`);
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => stop.abort(ended));
  if (argv.length === 0 || argv.includes('--help') || argv.includes('-h')) {
    print(USAGE);
    return argv.length === 0 ? 2 : 0;
  }
  try {
    const { run, ...rest } = read(argv);
    await run({ ...rest, state: new State(), env, input: process.stdin, print, signal: stop.signal });
    return 0;
  } catch (error) {
    if (error === ended) return 0;
    tell(
      error instanceof HumanOpsError
        ? `${error.message} [${error.code}${error.requestId === null ? '' : `, ${error.requestId}`}]${Object.entries(
            error.fields,
          )
            .map(([field, fault]) => `\n  ${field} ${fault}`)
            .join('')}`
        : error.message,
    );
    return error instanceof UsageError || error instanceof TypeError ? 2 : 1;
  }
}
