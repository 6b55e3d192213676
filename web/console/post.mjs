/* A form that posts a task, with what it costs and the same call for a shell beside it. */
import { h, replace } from '../shared/dom.mjs';
import { DAY, money, parseMoney, sum, words } from '../shared/format.mjs';
import { heading } from '../shared/shell.mjs';
import { facts } from '../shared/table.mjs';
import { busy, copyButton, field, showFaults, toast } from '../shared/widgets.mjs';
import { keyFile, newKeyPair } from './credential.mjs';
import { save } from './files.mjs';
import { bodyText, curlOf, feeOf, taskBody } from './rules.mjs';

const SCENARIOS = [
  ['approve', 'Approved by the Guardian'],
  ['manual_review', 'Waits for your decision on the proof'],
  ['reject', 'Rejected by the Guardian, disputed'],
  ['estimate', 'Waits for your answer to the estimate'],
  ['no_operator', 'Nobody claims it; it expires'],
];
const PROOFS = ['PHOTO', 'SCREENSHOT', 'CONFIRMATION', 'ARTIFACT'];

const options = (entries) => entries.map(([value, label]) => h('option', { value }, label));
const localTime = (at) => new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

/* The form's controls by the API's names. */
function controlsOf(categories, isRealTier) {
  const domain = (name) =>
    categories.filter((c) => c.task_domain === name).map((c) => [c.task_type, words(c.task_type)]);
  return {
    task_type: h(
      'select',
      { name: 'task_type' },
      h('optgroup', { label: 'At a place' }, options(domain('PHYSICAL'))),
      h('optgroup', { label: 'From anywhere' }, options(domain('DIGITAL'))),
    ),
    title: h('input', { name: 'title', maxlength: 200, autocomplete: 'off' }),
    description: h('textarea', { name: 'description', maxlength: 10_000, rows: 4 }),
    address: h('input', { name: 'location.address', maxlength: 500, autocomplete: 'off' }),
    lat: h('input', { name: 'location.lat', inputmode: 'decimal', autocomplete: 'off', placeholder: '40.7128' }),
    lng: h('input', { name: 'location.lng', inputmode: 'decimal', autocomplete: 'off', placeholder: '-74.0060' }),
    reward_usd: h('input', {
      name: 'reward_usd',
      inputmode: 'decimal',
      autocomplete: 'off',
      value: isRealTier ? '25.00' : '5.00',
    }),
    deadline: h('input', {
      name: 'deadline',
      type: 'datetime-local',
      value: localTime(Math.ceil((Date.now() + DAY) / 3_600_000) * 3_600_000),
    }),
    proof_requirements: h('textarea', { name: 'proof_requirements', rows: 3 }),
    proof_type: h('select', { name: 'proof_type' }, options(PROOFS.map((p) => [p, words(p)]))),
    digital_instructions: h('textarea', { name: 'digital_instructions', maxlength: 10_000, rows: 4 }),
    callback_url: h('input', {
      name: 'callback_url',
      type: 'url',
      maxlength: 2048,
      autocomplete: 'off',
      placeholder: 'https://…',
    }),
    callback_secret: h('input', {
      name: 'callback_secret',
      maxlength: 256,
      autocomplete: 'off',
      spellcheck: 'false',
    }),
    sandbox: h('input', { type: 'checkbox', name: 'sandbox', checked: !isRealTier, disabled: !isRealTier }),
    sandbox_scenario: h('select', { name: 'sandbox_scenario' }, options(SCENARIOS)),
  };
}

/* What stands in the form. */
const valuesOf = (controls) =>
  Object.fromEntries(
    Object.entries(controls).map(([name, control]) => [
      name,
      control.type === 'checkbox' ? control.checked : control.value,
    ]),
  );

function costs(reward, me, isSandbox) {
  if (reward === null) return h('p', { class: 'soft' }, 'Name a reward to see what the task costs.');
  const fee = feeOf(reward, me.fee.percent, me.fee.minimum_usd);
  return h(
    'div',
    { class: 'stack tight' },
    facts([
      ['Reward', money(reward)],
      [`Fee (${me.fee.percent} %)`, money(fee)],
      ['Set aside', h('strong', {}, money(sum([reward, fee])))],
    ]),
    h(
      'p',
      { class: 'soft small' },
      isSandbox ? 'Simulated: nothing is really set aside.' : 'Returned in full if nobody does the task.',
    ),
  );
}

/* The answer of the screening, and the way to staff. */
function blocked(api, error) {
  const reason = h('textarea', { name: 'reason', maxlength: 2000, rows: 3 }),
    button = h(
      'button',
      {
        class: 'button',
        type: 'button',
        onclick: () =>
          busy(button, async () => {
            try {
              const answer = await api.post('/tasks/appeals', {
                screening_id: error.details.screening_id,
                reason: reason.value,
              });
              replace(node, h('p', {}, answer.message));
            } catch (fault) {
              toast(fault.fields.reason ? `The reason ${fault.fields.reason}.` : fault.message, { kind: 'bad' });
            }
          }),
      },
      'Put it before staff',
    );
  const node = h(
    'div',
    { class: 'notice bad stack', role: 'alert' },
    h('p', {}, h('strong', {}, `${error.message} (${words(error.details.category).toLowerCase()})`)),
    h('p', { class: 'lines' }, error.details.reason),
    error.details.screening_id && [field('Why it should be allowed', reason), h('div', {}, button)],
  );
  return node;
}

export async function post({ api, signal, go, privateKeys }) {
  const [{ data: categories }, fresh] = await Promise.all([
    api.get('/tasks/categories', { signal }),
    api.get('/agents/me', { signal }),
  ]);
  const isRealTier = fresh.tier !== 'SANDBOX',
    c = controlsOf(categories, isRealTier);
  const category = () => categories.find((one) => one.task_type === c.task_type.value) ?? null;
  let pair = null,
    isKept = false,
    idempotencyKey = crypto.randomUUID();
  const price = h('div', {}),
    curl = h('code', {}),
    about = h('p', { class: 'hint soft small' }),
    trouble = h('div', {});
  const url = `${location.origin}/api/v1/tasks`;

  const physical = h(
    'fieldset',
    { class: 'field whole' },
    h('legend', {}, 'Where'),
    h(
      'div',
      { class: 'fields' },
      h('div', { class: 'whole' }, field('Address', c.address)),
      field('Latitude', c.lat),
      field('Longitude', c.lng),
    ),
  );
  const digital = field('Instructions', c.digital_instructions, {
    hint: 'Step by step, for whoever does it',
    isWhole: true,
  });
  const scenario = field('What is to happen', c.sandbox_scenario, { hint: 'Every branch can be rehearsed.' });
  const secret = field('Callback secret (recommended)', c.callback_secret, {
    hint: 'Signs each webhook, so that you can tell ours.',
  });
  const keep = h(
    'button',
    {
      class: 'button',
      type: 'button',
      onclick: () => {
        save(`humanops-key-${pair.publicKey.slice(0, 8).replace(/[^A-Za-z0-9]/g, '')}.json`, keyFile(pair));
        isKept = true;
        keyFault.hidden = true;
      },
    },
    'Save the private key',
  );
  const keyFault = h(
    'p',
    { class: 'bad-text', role: 'alert', hidden: true },
    'Save the private key first: without it nobody can ever open the credential.',
  );
  const publicKey = h('code', {}),
    keyPart = h(
      'fieldset',
      { class: 'field whole' },
      h('legend', {}, 'Key pair'),
      h(
        'div',
        { class: 'notice stack tight' },
        h(
          'p',
          {},
          'The operator encrypts the credential for this key. It was made in this page just now; only the file that you save can open what comes.',
        ),
        h('p', { class: 'small' }, 'Public key ', publicKey),
        h('div', {}, keep),
        keyFault,
      ),
    );

  const body = () => taskBody({ ...valuesOf(c), agent_public_key: pair?.publicKey, isRealTier }, category());
  const textOf = () => curlOf({ method: 'POST', url, body: body(), idempotencyKey });

  function show() {
    const kind = category();
    physical.hidden = kind.task_domain !== 'PHYSICAL';
    digital.hidden = !physical.hidden;
    keyPart.hidden = !kind.requires_agent_public_key;
    scenario.hidden = !c.sandbox.checked;
    secret.hidden = c.callback_url.value.trim() === '';
    about.textContent = `${kind.description} At most ${money(kind.max_reward_usd)}.`;
    publicKey.textContent = pair?.publicKey ?? '';
    replace(price, costs(parseMoney(c.reward_usd.value), fresh, c.sandbox.checked));
    curl.textContent = textOf();
  }

  /* Another type takes another proof; a credential takes a key pair. */
  async function takeType() {
    const kind = category();
    c.proof_type.value = kind.default_proof_type;
    if (c.proof_requirements.value.trim() === '' || c.proof_requirements.dataset.given === c.proof_requirements.value)
      c.proof_requirements.value = kind.default_proof_requirements.join('\n');
    c.proof_requirements.dataset.given = kind.default_proof_requirements.join('\n');
    if (kind.requires_agent_public_key && pair === null) {
      pair = await newKeyPair();
      isKept = false;
    }
    show();
  }

  const button = h('button', { class: 'button main', type: 'submit' }, 'Post the task');
  const form = h(
    'form',
    {
      class: 'stack wide',
      novalidate: true,
      /* Another body is another request. */
      oninput: () => {
        idempotencyKey = crypto.randomUUID();
        show();
      },
      onsubmit: (event) => {
        event.preventDefault();
        busy(button, send);
      },
    },
    h(
      'div',
      { class: 'fields' },
      h('div', { class: 'whole' }, field('Kind of task', c.task_type), about),
      field('Title', c.title, { isWhole: true }),
      field('Description', c.description, { isWhole: true, hint: 'Everything that the operator has to know' }),
      physical,
      digital,
      field('Required proof', c.proof_requirements, { hint: 'One requirement a line', isWhole: true }),
      field('Kind of proof', c.proof_type),
      field('Deadline', c.deadline, { hint: 'in your time zone' }),
      field('Reward in dollars', c.reward_usd),
      keyPart,
      field('Callback address (optional)', c.callback_url, { isWhole: true, hint: 'Webhooks tell it each step.' }),
      secret,
      h(
        'div',
        { class: 'field whole' },
        h(
          'label',
          { class: 'check' },
          c.sandbox,
          isRealTier
            ? 'Simulate it: nobody is hired, no money moves'
            : 'Simulated, as everything before the e-mail address is verified',
        ),
      ),
      scenario,
    ),
    trouble,
    h('div', { class: 'row' }, button),
  );

  async function send() {
    replace(trouble);
    if (category().requires_agent_public_key && !isKept) {
      keyFault.hidden = false;
      keep.focus();
      return;
    }
    try {
      /* To the byte what the command sends: an idempotency key goes with one body. */
      const made = await api.post('/tasks', new Blob([bodyText(body())], { type: 'application/json' }), {
        idempotencyKey,
      });
      if (pair !== null && category().requires_agent_public_key) privateKeys.set(made.task_id, pair.privateKey);
      toast('The task is posted.');
      go(`#/tasks/${made.task_id}`);
    } catch (error) {
      const allPlaced = showFaults(form, error);
      if (error.code === 'policy_violation') replace(trouble, blocked(api, error));
      else if (!allPlaced)
        replace(
          trouble,
          h(
            'div',
            { class: 'notice bad', role: 'alert' },
            h('p', {}, error.message),
            Object.keys(error.fields).length > 0 &&
              h(
                'ul',
                {},
                Object.entries(error.fields).map(([name, sentence]) => h('li', {}, `${name} ${sentence}`)),
              ),
            error.code === 'insufficient_balance' && h('p', {}, h('a', { href: '#/deposit' }, 'Make a deposit')),
          ),
        );
    }
  }

  await takeType();
  c.task_type.addEventListener('change', takeType);
  return {
    title: 'Post a task',
    body: [
      heading('Post a task'),
      h(
        'div',
        { class: 'post' },
        h('section', { class: 'card' }, form),
        h(
          'div',
          { class: 'stack sticky' },
          h('section', { class: 'card' }, h('header', {}, h('h2', {}, 'What it costs')), price),
          h(
            'section',
            { class: 'card' },
            h(
              'header',
              {},
              h('h2', {}, 'The same call'),
              h('span', { class: 'push' }, copyButton(textOf, { name: 'Copy the curl command' })),
            ),
            h('pre', { tabindex: '0', 'aria-label': 'curl command', class: 'curl' }, curl),
            h(
              'p',
              { class: 'soft small' },
              'Set ',
              h('code', {}, 'HUMANOPS_API_KEY'),
              ' first. With the same idempotency key it is one task, however often it is sent.',
            ),
          ),
        ),
      ),
    ],
  };
}
