/*
 * Operators sign in with a real OpenID provider (oidc-provider) on loopback: authorization code with PKCE, as the web app does
 * it, for an access token that is a JWT (RFC 9068).  Forgeries and outages are tested with an issuer of our own (operator.test.mjs).
 */
import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import http from 'node:http';
import { after, test } from 'node:test';
import { freePort, stack } from '../stack.mjs';

const [major] = process.versions.node.split('.').map(Number);
const skip = major < 20 && 'oidc-provider needs Node 20';
const REDIRECT = 'https://localhost/app/signed-in';

/* The provider with one key, ES256 or RS256; any name signs in. */
async function provider(alg) {
	const { default: Provider } = await import('oidc-provider');
	const port = await freePort();
	const { privateKey } = alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('rsa', { modulusLength: 2048 });
	const issuer = `http://127.0.0.1:${port}`;
	const resource = { scope: 'work', audience: 'humanops', accessTokenFormat: 'jwt', jwt: { sign: { alg } } };
	const made = new Provider(issuer, {
		clients: [{ client_id: 'pwa', redirect_uris: [REDIRECT], token_endpoint_auth_method: 'none', id_token_signed_response_alg: alg }],
		jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', kid: `key-${alg}` }] },
		cookies: { keys: [randomBytes(16).toString('hex')] },
		pkce: { required: () => true },
		features: { resourceIndicators: { enabled: true, defaultResource: () => 'https://localhost/api', useGrantedResource: () => true, getResourceServerInfo: () => resource } },
	});
	made.on('server_error', (context, error) => console.error(error));
	const server = http.createServer(made.callback());
	await new Promise((done) => server.listen(port, '127.0.0.1', done));
	after(() => {
		server.close();
		server.closeAllConnections();
	});
	return { issuer, jwks: `${issuer}/jwks`, alg };
}

/* A browser's part: follows redirects with cookies, fills in the login and the consent form. */
async function signIn(issuer, name) {
	const jar = new Map();
	const go = async (url, form) => {
		const answer = await fetch(new URL(url, issuer), { redirect: 'manual', method: form ? 'POST' : 'GET', body: form && new URLSearchParams(form),
			headers: { cookie: [...jar].map(([k, v]) => `${k}=${v}`).join('; ') } });
		for (const cookie of answer.headers.getSetCookie()) {
			const [pair] = cookie.split(';');
			jar.set(pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1));
		}
		return answer;
	};
	const verifier = randomBytes(32).toString('base64url');
	const challenge = createHash('sha256').update(verifier).digest('base64url');
	let where = `/auth?${new URLSearchParams({ client_id: 'pwa', response_type: 'code', scope: 'openid work', redirect_uri: REDIRECT, state: 's',
		code_challenge: challenge, code_challenge_method: 'S256', resource: 'https://localhost/api' })}`;
	for (let steps = 0; !where.startsWith(REDIRECT); steps++) {
		assert.ok(steps < 12, `no end at ${where}`);
		let answer = await go(where);
		if (answer.status === 200) {
			const prompt = /name="prompt" value="(\w+)"/.exec(await answer.text())?.[1];
			answer = await go(where, { prompt, login: name, password: 'any' });
		}
		where = answer.headers.get('location') ?? assert.fail(`${answer.status} at ${where}`);
	}
	const code = new URL(where).searchParams.get('code') ?? assert.fail(where);
	const token = await go('/token', { grant_type: 'authorization_code', client_id: 'pwa', code, redirect_uri: REDIRECT, code_verifier: verifier });
	assert.equal(token.status, 200);
	return (await token.json()).access_token;
}

for (const alg of ['ES256', 'RS256']) {
	test(`a person signs in at a provider that signs by ${alg}, registers and is known again`, { skip }, async () => {
		const p = await provider(alg);
		const s = await stack({ settings: [`OPERATOR_JWT_ISSUER=${p.issuer}`, `OPERATOR_JWKS_URL=${p.jwks}`, 'OPERATOR_JWT_AUDIENCE=humanops'] });
		const call = (token, method, where, body) => s.call(method, `/operator${where}`, { body, headers: { Authorization: `Bearer ${token}` } });
		const jane = await signIn(p.issuer, 'jane');
		assert.equal(JSON.parse(Buffer.from(jane.split('.')[0], 'base64url')).alg, alg);
		assert.equal((await call(jane, 'GET', '/me')).json.code, 'operator_required');
		const made = await call(jane, 'POST', '/register', { name: 'Jane D.', email: 'jane@example.com' });
		assert.equal(made.status, 201, made.text);
		const again = await signIn(p.issuer, 'jane');
		assert.notEqual(again, jane);
		assert.equal((await call(again, 'GET', '/me')).json.operator_id, made.json.operator_id);
		assert.equal((await call(await signIn(p.issuer, 'joe'), 'GET', '/me')).json.code, 'operator_required');
		assert.equal((await call(`${jane.slice(0, -4)}AAAA`, 'GET', '/me')).status, 401);
		await s.stop();
	});
}

test('a token for another audience is none', { skip }, async () => {
	const p = await provider('ES256');
	const s = await stack({ settings: [`OPERATOR_JWT_ISSUER=${p.issuer}`, `OPERATOR_JWKS_URL=${p.jwks}`, 'OPERATOR_JWT_AUDIENCE=another'] });
	const token = await signIn(p.issuer, 'jane');
	assert.equal((await s.call('GET', '/operator/me', { headers: { Authorization: `Bearer ${token}` } })).status, 401);
});
