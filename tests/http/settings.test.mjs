/* What the web app is told before anybody has signed in, by what the instance is set to, and that no secret is among it. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { startIssuer } from '../issuer.mjs';
import { stack } from '../stack.mjs';

const members = ['dev_sign_in', 'estimate', 'is_development', 'map', 'message_max_chars', 'payout', 'push_key', 'sign_in', 'task_types', 'upload', 'version'];

async function settings(s) {
	const got = await s.call('GET', '/operator/settings');
	assert.equal(got.status, 200, got.text);
	assert.deepEqual(Object.keys(got.json).sort(), members);
	for (const name of ['SECRET_KEY', 'ADMIN_API_KEY', 'DATABASE_URL'])
		assert.ok(!got.text.includes(s.settings[name]), name);
	return got.json;
}

test('limits, types and keys are those that the other calls hold to', async () => {
	const s = await stack({ settings: ['ALLOW_DEV_OPERATOR_ID_HEADER=true'] });
	const got = await settings(s);
	assert.deepEqual([got.is_development, got.dev_sign_in, got.sign_in, got.map], [true, true, null, null]);
	assert.deepEqual(got.payout, { min_usd: 10, chain: 'base', chain_id: 8453, token: 'USDC' });
	assert.deepEqual(got.estimate, { min_minutes: 5, max_minutes: 43200 });
	assert.deepEqual(got.upload, { max_bytes: 15 * 1024 * 1024, max_photos: 20,
		media_types: ['image/jpeg', 'image/png', 'image/webp', 'image/heic', 'application/pdf'] });
	const types = await s.call('GET', '/tasks/categories');
	assert.deepEqual(got.task_types, types.json.data.map((c) => c.task_type));
	assert.match(got.version, /^\d+\.\d+\.\d+/);
	const made = await s.call('POST', '/operator/register', { body: { name: 'Jane D.', email: 'jane@example.com' } });
	const key = await s.call('GET', '/operator/push/key', { headers: { 'X-Operator-Id': made.json.operator_id } });
	assert.equal(got.push_key, key.json.public_key);
	assert.equal((await s.call('GET', '/operator/settings?a=1')).status, 400);
	assert.equal((await s.call('POST', '/operator/settings')).status, 405);
	await s.stop();
});

test('an issuer and a map are told as they are set', async () => {
	const issuer = await startIssuer();
	after(() => issuer.stop());
	const tiles = 'https://tile.example/{z}/{x}/{y}.png?key=a&style=b';
	const s = await stack({ settings: [...issuer.settings, 'OPERATOR_JWT_AUDIENCE=api', 'OPERATOR_OIDC_CLIENT_ID=app',
		`MAP_TILE_URL=${tiles}`, 'MAP_TILE_ATTRIBUTION=© Somebody <b>&amp;</b>'] });
	const got = await settings(s);
	assert.equal(got.dev_sign_in, false);
	assert.deepEqual(got.sign_in, { issuer: issuer.url, client_id: 'app', scope: 'openid profile email offline_access', audience: 'api' });
	assert.deepEqual(got.map, { tile_url: tiles, attribution: '© Somebody <b>&amp;</b>' });
	await s.stop();
});
