/*
 * A language model for tests, on loopback: speaks Anthropic's Messages API (POST …/v1/messages) and chat completions
 * (POST …/chat/completions), says what a test tells it to, and records what it was asked.
 *
 *	const m = await model();
 *	stack({ settings: [`GUARDIAN_PROVIDER=openai`, `GUARDIAN_URL=${m.url}`, 'GUARDIAN_MODEL=m', 'GUARDIAN_API_KEY=k'] });
 *	m.verify(95);				every proof from now on: confidence 95, all requirements met
 *	m.screen({ category: 'FRAUD' });	every task: not allowed
 *	m.next({ status: 529 }, { text: '…' });	the next answers, one each; then the standing ones again
 *	m.requests				[{ provider, path, headers, body, question, data, pictures, nonce }]
 *
 * An answer is { text } (the model's words), { body } (the whole HTTP body), { status, headers }, { hang: true },
 * { cut: true }, { flood: bytes }, { refuse: true }, { delay: ms }, or a function of the request that gives one.
 */
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

const DATA = /^-{5} ([0-9a-f]{16}) -{5}\n(.*)\n-{5} \1 -{5}$/m;

/* The words of a verdict over the requirements of a request; met: one for all, or one each. */
export function verdict(request, confidence, { met = true, reasoning = 'Judged by a test.', note = 'Seen.' } = {}) {
	const wanted = request.data?.task?.requirements ?? [];
	const results = wanted.map(({ number }, i) => ({ number, met: Array.isArray(met) ? met[i] : met, note }));
	return { text: JSON.stringify({ confidence, reasoning, results }) };
}

/* The words of a screening; without a category the task is allowed. */
export function screening({ category = 'NONE', reason = 'Judged by a test.' } = {}) {
	return { text: JSON.stringify({ allowed: category === 'NONE', category, reason }) };
}

function envelope(provider, { text = '', refuse, stop }) {
	if (provider === 'anthropic')
		return { id: 'msg_test', type: 'message', role: 'assistant', model: 'test', content: [{ type: 'text', text }],
			stop_reason: stop ?? (refuse ? 'refusal' : 'end_turn'), stop_sequence: null, usage: { input_tokens: 1, output_tokens: 1 } };
	return { id: 'chatcmpl-test', object: 'chat.completion', created: 0, model: 'test',
		choices: [{ index: 0, finish_reason: stop ?? 'stop',
			message: { role: 'assistant', content: refuse ? null : text, refusal: refuse ? 'I will not.' : null } }],
		usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } };
}

/* What was asked, whichever API it came through. */
function read(path, headers, raw) {
	const provider = path.endsWith('/messages') ? 'anthropic' : 'openai';
	const body = JSON.parse(raw);
	const content = body.messages.at(-1).content;
	const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
	const [, nonce, json] = DATA.exec(parts[0].text) ?? [];
	const system = provider === 'anthropic' ? body.system : body.messages[0].content;
	return { provider, path, headers, body, nonce, data: json ? JSON.parse(json) : null,
		question: system.includes('"confidence"') ? 'verify' : 'screen',
		pictures: parts.filter(({ type }) => type === 'image' || type === 'image_url')
			.map((part) => part.source?.data ?? part.image_url.url.split(',')[1]) };
}

async function answer(res, provider, plan) {
	if (plan.delay)
		await sleep(plan.delay);
	if (plan.hang)
		return;
	if (plan.flood) {
		const blanks = Array.from({ length: Math.ceil(plan.flood / 65536) }, () => ' '.repeat(65536));
		return void pipeline(Readable.from(blanks), res.writeHead(200)).catch(() => {});	/* whoever hangs up has enough */
	}
	const body = plan.body ?? (plan.status >= 400 ? '{"error":{"message":"not now"}}' : JSON.stringify(envelope(provider, plan)));
	res.writeHead(plan.status ?? 200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...plan.headers });
	if (!plan.cut)
		return void res.end(body);
	res.write(body.slice(0, body.length / 2), () => res.destroy());
}

export async function model() {
	const queue = [];
	const sockets = new Set();
	const self = {
		requests: [],
		onVerify: (request) => verdict(request, 95),
		onScreen: () => screening(),
		verify: (confidence, how) => { self.onVerify = (request) => verdict(request, confidence, how); },
		screen: (how) => { self.onScreen = () => screening(how); },
		next: (...plans) => { queue.push(...plans); },
		reset: () => { queue.length = 0; self.requests.length = 0; self.verify(95); self.screen(); },
		close: () => { sockets.forEach((socket) => socket.destroy()); server.close(); },
	};
	const server = http.createServer(async (req, res) => {
		const chunks = [];
		try {
			for await (const chunk of req)
				chunks.push(chunk);
		} catch {
			return;		/* the caller hung up */
		}
		if (req.method !== 'POST' || !/\/(messages|chat\/completions)$/.test(req.url))
			return void res.writeHead(404).end();
		try {
			const request = read(req.url, req.headers, Buffer.concat(chunks).toString());
			self.requests.push(request);
			let plan = queue.shift() ?? (request.question === 'verify' ? self.onVerify : self.onScreen);
			if (typeof plan === 'function')
				plan = plan(request);
			await answer(res, request.provider, plan);
		} catch (error) {
			res.writeHead(400).end(JSON.stringify({ error: { message: String(error) } }));
		}
	});
	server.on('connection', (socket) => { sockets.add(socket); socket.on('close', () => sockets.delete(socket)); });
	await new Promise((done, fail) => server.once('error', fail).listen(0, '127.0.0.1', done));
	self.url = `http://127.0.0.1:${server.address().port}`;
	after(self.close);
	return self;
}
