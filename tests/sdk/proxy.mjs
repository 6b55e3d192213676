/*
 * A way to an instance over plain HTTP on loopback, for clients that do not know its certificate, and one that can misbehave: each
 * request comes from a client's address of its own unless told otherwise, and `trouble` may spoil it.
 */
import http from 'node:http';

/*
 * proxy(s): url, close, requests (method, path, headers, body of each, as sent) and trouble, a function of the nth request (from 1) that
 * gives nothing, or
 *   { status, headers, body }   answered without asking the service
 *   { drop: 'before' | 'after' } the connection ends without an answer, before or after the service did its work
 *   { cut: n }                  the service's answer ends after n bytes
 *   { delay: ms }               the answer comes so much later
 */
export async function proxy(s, { ip } = {}) {
  const requests = [],
    own = { requests, trouble: () => undefined };
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      return;
    }
    const body = Buffer.concat(chunks),
      record = { method: request.method, path: request.url, headers: request.headers, body: body.toString() };
    const trouble = own.trouble(requests.push(record), record) ?? {};
    if (trouble.status) return response.writeHead(trouble.status, trouble.headers).end(trouble.body);
    if (trouble.drop === 'before') return request.socket.destroy();
    const { host: _, connection: _c, 'transfer-encoding': _t, ...headers } = request.headers;
    const answer = await s
      .call(request.method, request.url, { whole: true, raw: body.length > 0 ? body : undefined, ip, headers })
      .catch((error) => error);
    if (answer instanceof Error || trouble.drop === 'after') return request.socket.destroy();
    if (trouble.delay) await new Promise((done) => setTimeout(done, trouble.delay));
    const { 'transfer-encoding': _e, connection: _n, ...back } = answer.headers;
    const bytes = Buffer.from(answer.text);
    response.writeHead(answer.status, { ...back, 'content-length': bytes.length });
    if (trouble.cut === undefined) return response.end(bytes);
    response.write(bytes.subarray(0, trouble.cut), () => setTimeout(() => request.socket.destroy(), 20));
  });
  /* Longer than any pause between attempts: a connection that ends at that very moment is a trouble of its own. */
  server.keepAliveTimeout = 60_000;
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  own.close = () => {
    server.closeAllConnections();
    server.close();
  };
  own.url = `http://127.0.0.1:${server.address().port}`;
  return own;
}
