/* The credential of a finished task, opened in the page by the key of this visit or by a key file. */
import { part } from '../shared/api.mjs';
import { h, replace } from '../shared/dom.mjs';
import { card } from '../shared/taskview.mjs';
import { busy, field, toast } from '../shared/widgets.mjs';
import { openCredential, readKeyFile } from './credential.mjs';

/* privateKeys: those of tasks posted in this visit, by task id. */
export function credentialCard(api, task, privateKeys) {
  const out = h('div', { class: 'stack', role: 'status' });
  const show = async (privateKey) => {
    const { encrypted_credential: blob } = await api.get(`/tasks/${part(task.task_id)}/retrieve-credential`);
    const credential = await openCredential(privateKey, task.task_id, blob);
    const entries =
      credential !== null && typeof credential === 'object' && !Array.isArray(credential)
        ? Object.entries(credential)
        : [['credential', credential]];
    replace(
      out,
      h(
        'dl',
        { class: 'facts' },
        entries.map(([name, value]) => [
          h('dt', {}, name),
          h('dd', {}, h('code', { class: 'lines' }, typeof value === 'string' ? value : JSON.stringify(value))),
        ]),
      ),
      h('div', {}, h('button', { class: 'button little', type: 'button', onclick: () => replace(out) }, 'Hide')),
    );
  };
  const file = h('input', {
    type: 'file',
    name: 'key',
    accept: 'application/json,.json',
    onchange: async () => {
      try {
        await show(readKeyFile(await file.files[0].text()).privateKey);
      } catch (error) {
        toast(error.message, { kind: 'bad' });
      }
      file.value = '';
    },
  });
  const known = privateKeys.get(task.task_id);
  return card(
    'Credential',
    h(
      'div',
      { class: 'stack' },
      task.status !== 'COMPLETED'
        ? h('p', { class: 'soft' }, 'It can be opened once the task is completed.')
        : [
            h('p', {}, 'It is opened in this page; the private key is sent nowhere.'),
            known &&
              h(
                'div',
                {},
                h(
                  'button',
                  {
                    class: 'button main',
                    type: 'button',
                    onclick: (event) =>
                      busy(event.currentTarget, () =>
                        show(known).catch((error) => toast(error.message, { kind: 'bad' })),
                      ),
                  },
                  'Open with the key of this visit',
                ),
              ),
            field('Open with a key file', file),
            out,
          ],
    ),
  );
}
