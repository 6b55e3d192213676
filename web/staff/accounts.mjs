/* Suspending an agent or an operator by id, and lifting it. */
import { h } from '../shared/dom.mjs';
import { heading, onWish, wish } from '../shared/shell.mjs';
import { card } from '../shared/taskview.mjs';
import { field, showFaults } from '../shared/widgets.mjs';
import { askSuspend } from './operators.mjs';
import { accountOf } from './rules.mjs';

export function accounts({ api, query }) {
  const id = h('input', { name: 'id', value: query.id ?? '', autocomplete: 'off', spellcheck: 'false', class: 'code' });
  const ask = (suspended) => (event) => {
    const account = accountOf(id.value);
    showFaults(form, { fields: account ? {} : { id: 'An agent’s id begins with agent_, an operator’s with op_.' } });
    if (account) wish(event.currentTarget, 'suspend', { ...account, suspended });
  };
  const form = h('form', { class: 'stack', onsubmit: (event) => event.preventDefault() },
    field('Account', id, { hint: 'agent_… or op_…, as it stands in tasks, disputes and the log' }),
    h('div', { class: 'row' }, h('button', { type: 'button', class: 'button danger', onclick: ask(true) }, 'Suspend…'), h('button', { type: 'button', class: 'button', onclick: ask(false) }, 'Lift suspension…')));
  const body = h('div', { class: 'stack' }, heading('Suspending'),
    h('p', { class: 'soft' }, 'A suspended account can make no call. Its tasks, proof and money stay as they are, and time goes on for them.'), card('One account', form));
  onWish(body, { suspend: async ({ path, id: who, suspended }) => await askSuspend(api, { path, name: who, suspended }) &&
    (suspended ? `${who} is suspended` : `${who} works again`) });
  return { title: 'Suspending', body };
}
