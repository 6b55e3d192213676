// The test store's own check of signatures, by the examples that AWS publishes ("Signature Calculations for the
// Authorization Header", Amazon S3 API reference), and by what it must refuse.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { faultOf, signatureOf } from '../s3.mjs';

const keys = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', region: 'us-east-1' };
const now = Date.UTC(2013, 4, 24);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');

const rows = [
	['GET', '/test.txt', { range: 'bytes=0-9' }, '', 'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41'],
	['PUT', '/test%24file.text', { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
		'Welcome to Amazon S3.', '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd'],
	['GET', '/?lifecycle', {}, '', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
	['GET', '/?max-keys=2&prefix=J', {}, '', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
];

function requestOf([method, url, extra, body, signature], change = {}) {
	const headers = { host: 'examplebucket.s3.amazonaws.com', 'x-amz-date': '20130524T000000Z',
		'x-amz-content-sha256': sha256(body), ...extra };
	const names = Object.keys(headers).sort().join(';');
	headers.authorization = `AWS4-HMAC-SHA256 Credential=${keys.id}/20130524/us-east-1/s3/aws4_request,` +
		`SignedHeaders=${names},Signature=${signature}`;
	return { method, url, headers: { ...headers, ...change } };
}

test('the published examples are right', () => {
	for (const row of rows) {
		const [method, target, , body, signature] = row;
		const { headers } = requestOf(row);
		const signedHeaders = /SignedHeaders=([^,]+)/.exec(headers.authorization)[1].split(';');
		assert.equal(signatureOf({ method, target, headers, signedHeaders, payloadHash: sha256(body), date: '20130524T000000Z',
			...keys }), signature, target);
		assert.equal(faultOf(requestOf(row), body, { ...keys, now }), null, target);
	}
});

test('whatever is changed afterwards is refused', () => {
	const put = rows[1];
	const code = (request, body = put[3], given = { ...keys, now }) => faultOf(request, body, given)?.[1];
	assert.equal(code(requestOf(put), 'Welcome to Amazon S4.'), 'XAmzContentSHA256Mismatch');
	assert.equal(code(requestOf(put, { 'x-amz-content-sha256': sha256('x') })), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put, { 'x-amz-content-sha256': undefined })), 'MissingContentSha256');
	assert.equal(code(requestOf(put, { 'x-amz-acl': 'public-read' })), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put, { host: 'other' })), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put, { authorization: undefined })), 'AccessDenied');
	assert.equal(code({ ...requestOf(put), url: '/other' }), 'SignatureDoesNotMatch');
	assert.equal(code({ ...requestOf(put), url: '/test$file.text' }), 'SignatureDoesNotMatch');
	assert.equal(code({ ...requestOf(put), method: 'GET' }), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put), put[3], { ...keys, secret: 'x', now }), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put), put[3], { ...keys, id: 'x', now }), 'InvalidAccessKeyId');
	assert.equal(code(requestOf(put), put[3], { ...keys, region: 'auto', now }), 'SignatureDoesNotMatch');
	assert.equal(code(requestOf(put), put[3], { ...keys, now: now + 16 * 60 * 1000 }), 'RequestTimeTooSkewed');
});
