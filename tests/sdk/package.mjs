/* The package as its users get it: what is in it, the README's and the reference's examples, the declarations for their compiler. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';
import { encryptCredential, VERSION } from '../../sdk/src/index.mjs';
import { root } from '../stack.mjs';
import { newPerson } from './people.mjs';
import { execute, installed, pack } from './project.mjs';

/* The two examples of the API reference, to the letter. */
const examples = {
  digital: `import { HumanOpsClient } from "@humanops/sdk";
const client = new HumanOpsClient({ apiKey: "ho_..." });
const task = await client.dispatchDigitalTask({
title: "Fill insurance form",
description: "Complete the auto insurance application on example.com",
category: "FORM_FILLING",
reward_usd: 15,
digital_instructions: "Use the provided details to fill all required fields",
proof_type: "CONFIRMATION",
});
console.log(task.task_id, task.status);`,
  credential: `import { HumanOpsClient } from "@humanops/sdk";
const client = new HumanOpsClient({ apiKey: "ho_..." });
// Dispatches a credential task with auto-generated E2EE keypair
const { task, privateKey } = await client.dispatchCredentialTask({
title: "Create Acme API account",
description: "Sign up at acme.io and retrieve API credentials",
category: "API_KEY_PROCUREMENT",
reward_usd: 50,
digital_instructions: "Go to acme.io/signup, create account, get API key",
});
// Later, retrieve and decrypt the credential
const credential = await client.retrieveCredential(task.task_id, privateKey);
console.log(credential); // { api_key: "sk_...", dashboard_url: "..." }`,
};

/* With the name and the key that are real, and the "later" of the second. */
const real = (example, key) =>
  example
    .replace('"@humanops/sdk"', '"humanops"')
    .replace('"ho_..."', JSON.stringify(key))
    .replace('// Later,', 'await client.waitForTask(task.task_id);\n// Later,');

const readme = readFileSync(path.join(root, 'sdk/README.md'), 'utf8');
/* Blocks of the README by their language, each behind a comment <!-- name -->. */
const blocks = Object.fromEntries(
  [...readme.matchAll(/<!-- ([\w-]+) -->\n```(\w+)\n([^]*?)```/g)].map(([, name, language, text]) => [
    name,
    { language, text },
  ]),
);

export function run(s) {
  let project;

  before(async () => {
    project = await installed(s);
  });

  test('what is packed: programs, declarations, README and licence, and no more; small, and without dependencies', async () => {
    const { files, unpackedSize } = await pack(),
      manifest = project.manifest();
    assert.deepEqual(
      files.filter(
        (name) =>
          !/^(?:bin|cli|mcp|src)\/[\w-]+\.mjs$|^types\/[\w.]+\.ts$|^types\/\w+\.d\.mts$|^(?:README\.md|LICENSE|package\.json)$/.test(
            name,
          ),
      ),
      [],
    );
    for (const name of [
      'README.md',
      'LICENSE',
      'types/api.d.ts',
      'types/index.d.mts',
      'bin/humanops.mjs',
      'bin/humanops-mcp.mjs',
    ])
      assert.ok(files.includes(name), name);
    assert.ok(unpackedSize < 200_000, `${unpackedSize} bytes`);
    assert.deepEqual([manifest.name, manifest.version, manifest.dependencies], ['humanops', VERSION, undefined]);
    assert.equal(VERSION, readFileSync(path.join(root, 'VERSION'), 'utf8').trim());
    assert.equal(manifest.peerDependenciesMeta['@modelcontextprotocol/server'].optional, true);
    assert.equal(
      readFileSync(path.join(root, 'sdk/LICENSE'), 'utf8'),
      readFileSync(path.join(root, 'LICENSE'), 'utf8'),
    );
  });

  test("the reference's first example", async () => {
    const agent = await s.agent({ tier: 'STANDARD', deposit: 100 });
    project.write('digital.mjs', real(examples.digital, agent.key));
    assert.match(await project.run('digital.mjs'), /^task_\w+ PENDING\n$/);
  });

  test("the reference's second example, with a person who does the work", async () => {
    const agent = await s.agent({ tier: 'STANDARD', deposit: 100 }),
      person = await newPerson(s);
    project.write('credential.mjs', real(examples.credential, agent.key));
    const printed = project.run('credential.mjs');
    const answer = (method, where, body) => s.call(method, where, { key: agent.key, body });
    const id = await s.until(async () => (await answer('GET', '/tasks')).json.data[0]?.task_id);
    await person.claim(id);
    await answer('POST', `/tasks/${id}/estimate/approve`);
    await person.start(id);
    const { agent_public_key: key } = (await answer('GET', `/tasks/${id}`)).json;
    await person.submit(id, {
      encrypted_credential: await encryptCredential(key, id, {
        api_key: 'sk_example',
        dashboard_url: 'https://acme.io/dashboard',
      }),
    });
    await s.until(async () => {
      const { status, guardian_result: verdict } = (await answer('GET', `/tasks/${id}`)).json;
      if (status === 'SUBMITTED' && verdict !== null)
        await answer('POST', `/tasks/${id}/verify`, { decision: 'APPROVE' });
      return status === 'COMPLETED';
    });
    assert.match(await printed, /api_key: 'sk_example'/);
  });

  test("the README's quick start", async () => {
    project.write(
      'quick.mjs',
      blocks['quick-start'].text.replace('agent@example.com', `readme-${Date.now()}@example.com`),
    );
    assert.match(await project.run('quick.mjs'), /COMPLETED/);
  });

  test('every example of the README is good TypeScript by the declarations, and a wrong one is not', async () => {
    const code = Object.entries(blocks).filter(([, { language }]) => /^(?:js|ts)$/.test(language));
    assert.ok(code.length >= 5);
    for (const [name, { text }] of code) project.write(`check/${name}.mts`, text);
    project.write(
      'check/globals.d.ts',
      'declare const process: { env: Record<string, string | undefined> };\ndeclare const request: Request;\ndeclare function handle(event: unknown): Promise<void>;\ndeclare function load(): Promise<string | undefined>;\ndeclare function save(text: string | undefined): Promise<void>;\n',
    );
    project.write(
      'check/wrong.mts',
      `import { HumanOpsClient } from 'humanops';
const client = new HumanOpsClient();
// @ts-expect-error
await client.createTask({ title: 'x' });
// @ts-expect-error
await client.verifyTask('task_x', { decision: 'MAYBE' });
// @ts-expect-error
(await client.task('task_x')).stauts;
// @ts-expect-error
new HumanOpsClient({ apikey: 'x' });
for await (const task of client.tasks({ status: 'PENDING' })) task.reward_usd.toFixed(2);
const { data } = await client.tasks();
data[0].task_id.length;
import type { Task } from 'humanops/types';
export const f = (task: Task) => task.guardian_result?.decision === 'APPROVE';
`,
    );
    project.write(
      'tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          strict: true,
          noEmit: true,
          module: 'NodeNext',
          moduleResolution: 'NodeNext',
          target: 'ES2022',
          lib: ['ES2023', 'DOM', 'DOM.Iterable'],
          types: [],
          skipLibCheck: true,
        },
        include: ['check'],
      }),
    );
    await execute(process.execPath, [
      path.join(root, 'tests/node_modules/typescript/bin/tsc'),
      '-p',
      project.folder,
    ]).catch((error) => assert.fail(error.stdout));
  });
}
