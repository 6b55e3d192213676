/* An operator of an instance, who works as far as a test wants. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

/* A verified operator: call(method, path below /operator, body). */
export async function newPerson(s) {
  const made = await s.call('POST', '/operator/register', {
    body: { name: 'Jane Doe', email: `${randomUUID()}@example.com`, phone: '+1234567890' },
  });
  assert.equal(made.status, 201, made.text);
  const id = made.json.operator_id;
  return {
    id,
    async call(method, path, body) {
      const answer = await s.call(method, `/operator${path}`, { body, headers: { 'X-Operator-Id': id } });
      assert.ok(answer.status < 300, `${method} ${path}: ${answer.text}`);
      return answer.json;
    },
    claim(task) {
      return this.call('POST', `/tasks/${task}/accept`, { estimate_minutes: 30, estimate_note: 'Today' });
    },
    start(task) {
      return this.call('POST', `/tasks/${task}/start`);
    },
    submit(task, proof) {
      return this.call('POST', `/tasks/${task}/submit`, proof);
    },
  };
}

export const confirmation = {
  confirmation_text:
    'All twelve items of the list were compared with the shop window: eleven agree, the ninth is out of stock; seen today.',
};
