/* Suspending an agent or an operator by id, and lifting it. */
import { part } from '../shared/api.mjs';
import { h } from '../shared/dom.mjs';
import { heading, onWish, wish } from '../shared/shell.mjs';
import { card } from '../shared/taskview.mjs';
import { dialog, field, showFaults } from '../shared/widgets.mjs';
import { askSuspend } from './operators.mjs';
import { accountOf } from './rules.mjs';

export function accounts({ api, query }) {
  const id = h('input', {
    name: 'id',
    value: query.id ?? '',
    autocomplete: 'off',
    spellcheck: 'false',
    class: 'code',
  });
  const ask = (suspended) => (event) => {
    const account = accountOf(id.value);
    showFaults(form, { fields: account ? {} : { id: 'An agent’s id begins with agent_, an operator’s with op_.' } });
    if (account) wish(event.currentTarget, 'suspend', { ...account, suspended });
  };
  const unfreeze = (event) => {
    const account = accountOf(id.value);
    showFaults(form, { fields: account?.kind === 'agent' ? {} : { id: 'An agent’s id begins with agent_.' } });
    if (account?.kind === 'agent') wish(event.currentTarget, 'unfreeze', account);
  };
  const form = h(
    'form',
    { class: 'stack', onsubmit: (event) => event.preventDefault() },
    field('Account', id, { hint: 'agent_… or op_…, as it stands in tasks, disputes and the log' }),
    h(
      'div',
      { class: 'row' },
      h('button', { type: 'button', class: 'button danger', onclick: ask(true) }, 'Suspend…'),
      h('button', { type: 'button', class: 'button', onclick: ask(false) }, 'Lift suspension…'),
      h('button', { type: 'button', class: 'button bare', onclick: unfreeze }, 'Let an agent’s withdrawals go on…'),
    ),
  );
  const body = h(
    'div',
    { class: 'stack' },
    heading('Suspending'),
    h(
      'p',
      { class: 'soft' },
      'A suspended account can make no call. Its tasks, proof and money stay as they are, and time goes on for them.',
    ),
    card('One account', form),
  );
  onWish(body, {
    suspend: async ({ path, id: who, suspended }) =>
      (await askSuspend(api, { path, name: who, suspended })) &&
      (suspended ? `${who} is suspended` : `${who} works again`),
    unfreeze: async ({ id: who }) => {
      const reason = h('textarea', { name: 'reason', maxlength: 2000, rows: 3 });
      const done = await dialog({
        title: 'Let withdrawals go on?',
        ok: 'Go on',
        body: [
          h(
            'p',
            {},
            'They were stopped because a credited deposit vanished from the chain. Do this once that is settled.',
          ),
          field('Reason, for the audit log', reason),
        ],
        onsubmit: () => api.post(`/admin/agents/${part(who)}/unfreeze`, { reason: reason.value.trim() }),
      });
      return done && `${who} may withdraw again`;
    },
  });
  return { title: 'Suspending', body };
}
