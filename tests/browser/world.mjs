/*
 * People and tasks for the pages to show, made by the calls that they would make themselves.  The Guardian's model is
 * a fake that answers with the confidence that is asked for; everything else is the service.
 */
import assert from 'node:assert/strict';
import { exif, jpeg, shades } from '../pictures.mjs';

export const place = { lat: 40.7128, lng: -74.006, address: '123 Main St, New York, NY' };
export const settings = (m) => [
  'ALLOW_DEV_OPERATOR_ID_HEADER=true',
  'GUARDIAN_PROVIDER=openai',
  'GUARDIAN_MODEL=m',
  `GUARDIAN_URL=${m.url}`,
];

export async function ok(answer, status = null) {
  const got = await answer;
  assert.ok(status === null ? got.status < 300 : got.status === status, `${got.status} ${got.text}`);
  return got.json;
}

/* m: the fake model (tests/model.mjs). */
export class World {
  constructor(s, m) {
    this.s = s;
    this.m = m;
    m.screen({});
  }

  staff(method, where, body) {
    return this.s.call(method, `/admin${where}`, { body, headers: { 'X-Admin-Key': this.s.settings.ADMIN_API_KEY } });
  }

  agent(options) {
    return this.s.agent({ tier: 'STANDARD', deposit: 2500, ...options });
  }

  asAgent(agent, method, where, body) {
    return ok(this.s.call(method, where, { key: agent.key, body }));
  }

  async operator({ name = 'Jane Doe', email = 'jane@example.com', city = 'New York', country = 'US', ...more } = {}) {
    const { operator_id: id } = await ok(
      this.s.call('POST', '/operator/register', {
        body: {
          name,
          email,
          phone: '+12125550123',
          location: { city, country, lat: place.lat, lng: place.lng },
          skills: ['VERIFICATION', 'PHOTO'],
          ...more,
        },
      }),
    );
    return { id };
  }

  asOperator(op, method, where, more = {}) {
    return ok(
      this.s.call(method, `/operator${where}`, { ...more, headers: { 'X-Operator-Id': op.id, ...more.headers } }),
    );
  }

  async post(agent, change = {}) {
    const body = {
      title: 'Verify storefront signage',
      description: 'Take a clear photo of the sign at 123 Main St.\nThe whole sign must be legible.',
      location: place,
      reward_usd: 25,
      deadline: await this.s.time(3 * 86_400),
      proof_requirements: ['Photo of the storefront sign', 'GPS-stamped image'],
      task_type: 'VERIFICATION',
      ...change,
    };
    return (await this.asAgent(agent, 'POST', '/tasks', body)).task_id;
  }

  async claimed(agent, op, change, note = 'I work two streets away.') {
    const task = await this.post(agent, change);
    await this.asOperator(op, 'POST', `/tasks/${task}/accept`, {
      body: { estimate_hours: 2, estimate_minutes: 30, estimate_note: note },
    });
    return task;
  }

  async accepted(agent, op, change, note) {
    const task = await this.claimed(agent, op, change, note);
    await this.asAgent(agent, 'POST', `/tasks/${task}/estimate/approve`);
    return task;
  }

  async photo(op, task, { offset = 0.0004, columns = 16, rows = 12 } = {}) {
    const bytes = jpeg({
      columns,
      blocks: shades(columns, rows),
      exif: exif({ lat: place.lat + offset, lng: place.lng, at: await this.s.now() }),
    });
    return this.asOperator(op, 'POST', `/upload?task_id=${task}&lat=${place.lat}&lng=${place.lng}&accuracy_m=12`, {
      raw: bytes,
      headers: { 'Content-Type': 'image/jpeg' },
    });
  }

  /* Accepted, photographed and submitted; the Guardian then says what its confidence means. */
  async submitted(
    agent,
    op,
    { confidence = 95, change = {}, notes = 'Sign confirmed at the location; the door was open.', photos = 2 } = {},
  ) {
    this.m.verify(confidence);
    const task = await this.accepted(agent, op, change);
    await this.asOperator(op, 'POST', `/tasks/${task}/start`);
    const files = [];
    for (let i = 0; i < photos; i++)
      files.push((await this.photo(op, task, { offset: 0.0004 * (i + 1), columns: 16 + i })).url);
    await this.asOperator(op, 'POST', `/tasks/${task}/submit`, { body: { photos: files, notes } });
    return task;
  }

  async becomes(agent, task, status) {
    await this.s.until(async () => (await this.asAgent(agent, 'GET', `/tasks/${task}`)).status === status);
    return task;
  }

  async judged(agent, task) {
    await this.s.until(async () => (await this.asAgent(agent, 'GET', `/tasks/${task}`)).guardian_result);
    return task;
  }

  async completed(agent, op, more) {
    return this.becomes(agent, await this.submitted(agent, op, more), 'COMPLETED');
  }

  async disputed(agent, op, more) {
    const task = await this.becomes(agent, await this.submitted(agent, op, { confidence: 20, ...more }), 'DISPUTED');
    return task;
  }

  message(agent, task, text) {
    return this.asAgent(agent, 'POST', `/tasks/${task}/messages`, { message: text });
  }
}
