/*
 * The staff console: sign-in and sections.  The admin key lives in this module's memory alone: it is in no storage,
 * no address and no form that a browser would keep, and a reload asks for it again.
 */
import { Api, ApiError } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { Shell } from '../shared/shell.mjs';
import { applyTheme, busy, field, toast } from '../shared/widgets.mjs';
import { accounts } from './accounts.mjs';
import { appeals } from './appeals.mjs';
import { dispute, disputes } from './disputes.mjs';
import { failedWebhooks, ledger, log, payouts } from './money.mjs';
import { operators } from './operators.mjs';
import { overview } from './overview.mjs';

const root = document.getElementById('root');
let shell = null;

function signOut(why = null) {
  shell?.stop();
  shell = null;
  replace(root, gate());
  document.title = 'HumanOps staff';
  if (why) toast(why, { kind: 'bad' });
}

/* An answer that the key is no longer good ends the visit, wherever it came. */
class StaffApi extends Api {
  async request(...args) {
    try {
      return await super.request(...args);
    } catch (error) {
      if (shell !== null && error instanceof ApiError && error.code === 'staff_only')
        signOut('The key is no longer accepted. Sign in again.');
      throw error;
    }
  }
}

function enter(api) {
  shell = new Shell({
    name: 'Staff',
    home: '#/',
    signOut: () => signOut(),
    sections: [
      { path: '/', label: 'Overview', icon: 'home' },
      { path: '/operators', label: 'Operators', icon: 'people' },
      { path: '/disputes', label: 'Disputes', icon: 'scale' },
      { path: '/appeals', label: 'Appeals', icon: 'flag' },
      { path: '/payouts', label: 'Payouts', icon: 'wallet' },
      { path: '/webhooks', label: 'Failed webhooks', icon: 'hook' },
      { path: '/ledger', label: 'Ledger audit', icon: 'book' },
      { path: '/accounts', label: 'Suspending', icon: 'ban' },
      { path: '/log', label: 'Audit log', icon: 'log' },
    ],
    routes: [
      ['/', overview],
      ['/operators', operators],
      ['/disputes', disputes],
      ['/disputes/:id', dispute],
      ['/appeals', appeals],
      ['/payouts', payouts],
      ['/webhooks', failedWebhooks],
      ['/ledger', ledger],
      ['/accounts', accounts],
      ['/log', log],
    ].map(([path, show]) => ({ path, show: (context) => show({ ...context, api }) })),
  });
  return shell.start(root);
}

/* The key is proven by the cheapest call that needs it. */
async function signIn(key) {
  const api = new StaffApi({ headers: () => ({ 'X-Admin-Key': key }) });
  await api.get('/admin/log', { query: { limit: 1 } });
  await enter(api);
}

function gate() {
  const key = h('input', { type: 'password', name: 'key', autocomplete: 'off', spellcheck: 'false', required: true });
  const button = h('button', { class: 'button main whole', type: 'submit' }, 'Sign in');
  const fault = h('p', { class: 'notice bad', role: 'alert', hidden: true });
  const form = h(
    'form',
    {
      onsubmit: (event) => {
        event.preventDefault();
        fault.hidden = true;
        busy(button, async () => {
          try {
            await signIn(key.value.trim());
          } catch (error) {
            fault.textContent =
              error.code === 'staff_only' ? 'This is not the admin key of this installation.' : error.message;
            fault.hidden = false;
            key.select();
          }
        });
      },
    },
    field('Admin key', key, {
      hint: 'The setting ADMIN_API_KEY. It stays in this page’s memory and is gone when you reload or close it.',
    }),
    fault,
    button,
  );
  return h(
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
      h(
        'div',
        { class: 'card' },
        h('h1', {}, 'Staff console'),
        h('p', { class: 'soft' }, 'Identities, disputes, payouts and the books.'),
        form,
      ),
    ),
  );
}

applyTheme();
replace(root, gate());
