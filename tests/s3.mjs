// A small S3-compatible store for tests, strict about what real stores are strict about: each request must carry a right
// AWS Signature Version 4 in its header, over at least host, date and payload hash, the hash must be the body's, the date
// near.  Objects are kept in memory.
//
//     const s3 = await startS3({ bucket: 'proof' });  // s3.endpoint, s3.objects, s3.requests, s3.fail(503, 2), await s3.stop()
//     node tests/s3.mjs                               // prints "port id secret bucket" and serves until its input ends

import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';

const SKEW_MS = 15 * 60 * 1000;

const sha256 = (data) => createHash('sha256').update(data).digest('hex');
const hmac = (key, text) => createHmac('sha256', key).update(text).digest();

// RFC 3986: everything but the unreserved letters, which encodeURIComponent leaves more of.
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

// The query as it is signed: decoded, encoded anew, sorted, "=" on bare names.
function canonicalQuery(query) {
	return query.split('&').filter((pair) => pair !== '').map((pair) => {
		const [name, ...value] = pair.split('=');
		return [encode(decodeURIComponent(name)), encode(decodeURIComponent(value.join('=')))];
	}).sort(([a, x], [b, y]) => (a < b || (a === b && x < y) ? -1 : 1)).map((pair) => pair.join('=')).join('&');
}

export function signatureOf({ method, target, headers, signedHeaders, payloadHash, date, region, secret }) {
	const [path, query = ''] = target.split(/\?(.*)/s);
	const lines = signedHeaders.map((name) => `${name}:${(headers[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('');
	const canonical = [method, path, canonicalQuery(query), lines, signedHeaders.join(';'), payloadHash].join('\n');
	const day = date.slice(0, 8);
	const scope = `${day}/${region}/s3/aws4_request`;
	const key = [region, 's3', 'aws4_request'].reduce(hmac, hmac(`AWS4${secret}`, day));
	return hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n')).toString('hex');
}

const AUTHORIZATION = new RegExp('^AWS4-HMAC-SHA256 Credential=([^/, ]+)/(\\d{8})/([^/, ]+)/s3/aws4_request, ?' +
	'SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})$');

// What is wrong with a request, as [status, code], or null.
export function faultOf(request, body, { id, secret, region, now = Date.now() }) {
	const { method, url, headers } = request;
	const found = AUTHORIZATION.exec(headers.authorization ?? '');
	if (!found)
		return [403, 'AccessDenied'];
	const [, theirId, day, theirRegion, names, theirs] = found;
	const signedHeaders = names.split(';');
	const date = headers['x-amz-date'] ?? '';
	const payloadHash = headers['x-amz-content-sha256'];
	if (theirId !== id)
		return [403, 'InvalidAccessKeyId'];
	if (payloadHash === undefined)
		return [400, 'MissingContentSha256'];
	if (!/^\d{8}T\d{6}Z$/.test(date) || !date.startsWith(day))
		return [403, 'AccessDenied'];
	const [, y, mo, d, h, mi, s] = /^(....)(..)(..)T(..)(..)(..)Z$/.exec(date);
	if (Math.abs(Date.UTC(y, mo - 1, d, h, mi, s) - now) > SKEW_MS)
		return [403, 'RequestTimeTooSkewed'];
	const needed = ['host', ...Object.keys(headers).filter((name) => name.startsWith('x-amz-'))];
	if (theirRegion !== region || !needed.every((name) => signedHeaders.includes(name)) ||
		!signedHeaders.every((name) => headers[name] !== undefined && headers[name] !== '') ||
		signedHeaders.join() !== [...signedHeaders].sort().join())
		return [403, 'SignatureDoesNotMatch'];
	if (/[^A-Za-z0-9\-._~/%]|%(?![0-9A-F]{2})/.test(url.split('?')[0]))
		return [403, 'SignatureDoesNotMatch'];
	const ours = signatureOf({ method, target: url, headers, signedHeaders, payloadHash, date, region, secret });
	if (!timingSafeEqual(Buffer.from(ours), Buffer.from(theirs)))
		return [403, 'SignatureDoesNotMatch'];
	return payloadHash === sha256(body) ? null : [400, 'XAmzContentSHA256Mismatch'];
}

export async function startS3({ id = 'AKIDTEST', secret = 'secret/With+letters=:', bucket = 'proof', region = 'auto', port = 0 } = {}) {
	const objects = new Map();
	const requests = [];
	const failures = [];

	function answer(request, body) {
		const fault = failures.length > 0 ? failures.shift() : faultOf(request, body, { id, secret, region });
		const [, theirBucket, name] = /^\/([^/]+)\/(.+)$/.exec(request.url) ?? [];
		const object = objects.get(name);
		if (fault)
			return fault;
		if (theirBucket !== bucket)
			return [404, 'NoSuchBucket'];
		switch (request.method) {
		case 'PUT':
			objects.set(name, { body, type: request.headers['content-type'] });
			return [200];
		case 'DELETE':
			objects.delete(name);
			return [204];
		case 'GET': case 'HEAD':
			return object ? [200, null, object] : [404, 'NoSuchKey'];
		default:
			return [405, 'MethodNotAllowed'];
		}
	}

	const server = createServer(async (request, response) => {
		const chunks = [];
		try {
			for await (const chunk of request)
				chunks.push(chunk);
		} catch {
			return;
		}
		const body = Buffer.concat(chunks);
		const [status, code, object] = answer(request, body);
		requests.push({ method: request.method, url: request.url, headers: request.headers, status, code, length: body.length });
		if (object)
			response.writeHead(status, { 'content-type': object.type, 'content-length': object.body.length }).end(object.body);
		else if (code)
			response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
		else
			response.writeHead(status).end();
	});
	await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
	return {
		id, secret, bucket, region, objects, requests,
		endpoint: `http://127.0.0.1:${server.address().port}`,
		settings: [`R2_ENDPOINT=http://127.0.0.1:${server.address().port}`, `R2_BUCKET=${bucket}`,
			`R2_ACCESS_KEY_ID=${id}`, `R2_SECRET_ACCESS_KEY=${secret}`],
		// The next calls, so many, get this status instead.
		fail: (status, times = 1) => failures.push(...Array(times).fill([status, 'InternalError'])),
		stop: () => new Promise((resolve) => {
			server.closeAllConnections();
			server.close(resolve);
		}),
	};
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
	const s3 = await startS3();
	console.log(new URL(s3.endpoint).port, s3.id, s3.secret, s3.bucket);
	process.stdin.on('end', () => process.exit()).resume();
}
