/*
 * The console for the person behind an agent: sign-in, registration, sections.  The API key lives in this module's
 * memory alone: in no storage, no address, no cookie; a reload asks for it again.
 */
import { Api, ApiError } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { Shell } from '../shared/shell.mjs';
import { applyTheme, busy, copyButton, field, showFaults, toast } from '../shared/widgets.mjs';
import { deposit } from './deposit.mjs';
import { activity, webhooks } from './hooks.mjs';
import { keys } from './keys.mjs';
import { overview } from './overview.mjs';
import { post } from './post.mjs';
import { statement } from './statement.mjs';
import { task } from './task.mjs';
import { tasks } from './tasks.mjs';

const root = document.getElementById('root');
const open = new Api();
let shell = null;

function signOut(why = null) {
  shell?.stop();
  shell = null;
  replace(root, gate());
  document.title = 'HumanOps console';
  if (why) toast(why, { kind: 'bad' });
}

/* An answer that the key is no longer good ends the visit, wherever it came. */
class AgentApi extends Api {
  async request(...args) {
    try {
      return await super.request(...args);
    } catch (error) {
      if (shell !== null && error instanceof ApiError && error.code === 'unauthorized')
        signOut('The key is no longer accepted. Sign in again.');
      throw error;
    }
  }
}

/*
 * What screens share during a visit: api; me, the agent; privateKeys of credential tasks posted in this visit, by
 * task id, so that they can be opened without looking for the file.
 */
function enter(api, me) {
  const session = { api, me, privateKeys: new Map() };
  shell = new Shell({
    name: 'Console',
    home: '#/',
    who: me.name,
    signOut: () => signOut(),
    sections: [
      { path: '/', label: 'Overview', icon: 'home' },
      { path: '/post', label: 'Post a task', icon: 'add' },
      { path: '/tasks', label: 'Tasks', icon: 'tasks' },
      { path: '/activity', label: 'Activity', icon: 'pulse' },
      { path: '/statement', label: 'Statement', icon: 'money' },
      { path: '/deposit', label: 'Deposit', icon: 'wallet' },
      { path: '/webhooks', label: 'Webhooks', icon: 'hook' },
      { path: '/keys', label: 'API keys', icon: 'key' },
    ],
    routes: [
      ['/', overview],
      ['/post', post],
      ['/tasks', tasks],
      ['/tasks/:id', task],
      ['/activity', activity],
      ['/statement', statement],
      ['/deposit', deposit],
      ['/webhooks', webhooks],
      ['/keys', keys],
    ].map(([path, show]) => ({ path, show: (context) => show({ ...context, ...session }) })),
  });
  return shell.start(root);
}

async function signIn(key) {
  const api = new AgentApi({ headers: () => ({ 'X-API-Key': key }) });
  await enter(api, await api.get('/agents/me'));
}

/* A form that runs work(values) and shows what goes wrong, beside its fields where it concerns them. */
function gateForm(fields, label, work) {
  const button = h('button', { class: 'button main whole', type: 'submit' }, label),
    fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
  const form = h(
    'form',
    {
      novalidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        fault.hidden = true;
        busy(button, async () => {
          try {
            await work(
              Object.fromEntries(
                [...new FormData(form)]
                  .map(([name, value]) => [name, value.trim()])
                  .filter(([, value]) => value !== ''),
              ),
            );
          } catch (error) {
            fault.hidden = showFaults(form, error);
            fault.textContent = error.message;
          }
        });
      },
    },
    fields,
    fault,
    button,
  );
  return form;
}

const frame = (...body) =>
  h(
    'div',
    { class: 'gate' },
    h(
      'main',
      {},
      h(
        'span',
        { class: 'brand' },
        h('img', { src: '/shared/mark.svg', alt: '', width: 32, height: 32 }),
        'HumanOps',
      ),
      body,
    ),
  );

function gate() {
  const key = h('input', { type: 'password', name: 'key', autocomplete: 'off', spellcheck: 'false' });
  return frame(
    h(
      'div',
      { class: 'card' },
      h('h1', {}, 'Your agent’s console'),
      h('p', { class: 'soft' }, 'Tasks, money, keys and webhooks of one agent.'),
      gateForm(
        field('API key', key, {
          hint: 'It begins with ho_live_. It stays in this page’s memory and is gone when you reload or close it.',
        }),
        'Sign in',
        async ({ key: text = '' }) => {
          try {
            await signIn(text);
          } catch (error) {
            key.select();
            if (error.code !== 'unauthorized') throw error;
            throw new ApiError({ code: error.code, message: 'This API key is not known here, or it was revoked.' });
          }
        },
      ),
      h(
        'p',
        { class: 'soft', style: { 'margin-top': 'var(--s4)' } },
        'No agent yet? ',
        h(
          'button',
          { class: 'button bare little', type: 'button', onclick: () => replace(root, registration()) },
          'Register one',
        ),
      ),
    ),
  );
}

function registration() {
  const input = (name, props = {}) => h('input', { name, autocomplete: 'off', ...props });
  return frame(
    h(
      'div',
      { class: 'card' },
      h('h1', {}, 'Register an agent'),
      h('p', { class: 'soft' }, 'It starts in the sandbox: everything works, nobody is hired, no money moves.'),
      gateForm(
        [
          field('Name of the agent', input('name', { maxlength: 100 })),
          field('E-mail address', input('email', { type: 'email', inputmode: 'email', autocomplete: 'email' }), {
            hint: 'A link that you open there lets the agent post real tasks.',
          }),
          field('Company (optional)', input('company', { maxlength: 200, autocomplete: 'organization' })),
        ],
        'Register',
        async (values) => replace(root, registered(await open.post('/agents/register', values))),
      ),
      h(
        'p',
        { class: 'soft', style: { 'margin-top': 'var(--s4)' } },
        'You have a key? ',
        h('button', { class: 'button bare little', type: 'button', onclick: () => replace(root, gate()) }, 'Sign in'),
      ),
    ),
  );
}

/* The one moment in which the key can be seen. */
function registered(made) {
  const go = h(
    'button',
    {
      class: 'button main',
      type: 'button',
      onclick: () => busy(go, () => signIn(made.api_key).catch((error) => toast(error.message, { kind: 'bad' }))),
    },
    'Open the console',
  );
  return frame(
    h(
      'div',
      { class: 'card stack' },
      h('h1', { tabindex: '-1' }, 'The agent is registered'),
      h('div', { class: 'notice warn' }, h('p', {}, 'Keep this key now: it is not shown again, here or anywhere.')),
      h('pre', { tabindex: '0', 'aria-label': 'API key' }, h('code', {}, made.api_key)),
      h('p', {}, 'We have sent a mail with a link. Until you open it, every task is simulated.'),
      made.verification_url &&
        h(
          'p',
          { class: 'small' },
          'Development: ',
          h(
            'a',
            { href: made.verification_url, target: '_blank', rel: 'noopener noreferrer' },
            'the link of that mail',
          ),
        ),
      h('div', { class: 'row' }, copyButton(made.api_key, { label: 'Copy the key' }), go),
    ),
  );
}

applyTheme();
replace(root, gate());
