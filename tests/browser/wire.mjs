/*
 * A wire between the browser and an instance that a test can cut: TCP alone, so that what both say to each other stays sealed
 * between them, and nothing is left to a browser's own idea of being offline.
 */
import net from 'node:net';
import { after } from 'node:test';

class Wire {
  #server;
  #target;
  #sockets = new Set();
  #left = Infinity;
  #isCut = false;
  #isDeaf = false;
  sent = 0; /* bytes that went from browser to instance in the whole time */

  constructor(port) {
    this.#target = port;
    this.#server = net.createServer((near) => this.#join(near));
  }

  async open() {
    await new Promise((done) => this.#server.listen(0, '127.0.0.1', done));
    after(() => {
      this.#server.close();
      this.cut();
    });
  }

  /* Chromium's flag: what is meant for the instance goes through here. */
  get flag() {
    return `--host-resolver-rules=MAP localhost:${this.#target} 127.0.0.1:${this.#server.address().port},MAP localhost 127.0.0.1`;
  }

  #join(near) {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = net.connect(this.#target, '127.0.0.1');
    const pair = [near, far];
    for (const [n, socket] of pair.entries()) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        pair[1 - n].destroy();
      });
    }
    near.on('data', (bytes) => {
      this.sent += bytes.length;
      this.#left -= bytes.length;
      if (this.#left <= 0) this.cut();
      else if (!far.write(bytes)) near.pause();
    });
    far.on('drain', () => near.resume());
    far.on('data', (bytes) => {
      if (!this.#isDeaf) near.write(bytes);
    });
    near.on('end', () => far.end());
    far.on('end', () => near.end());
  }

  /* Every connection ends at once, and no other comes about. */
  cut() {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /* So many more bytes may leave the browser; with the last of them it is cut. */
  cutAfter(bytes) {
    this.#left = bytes;
  }

  /* From now on nothing that the instance says arrives. */
  deafen() {
    this.#isDeaf = true;
  }

  get isCut() {
    return this.#isCut;
  }

  mend() {
    this.#isCut = this.#isDeaf = false;
    this.#left = Infinity;
  }
}

/* wire(s): one for an instance; it ends with the test file. */
export async function wire(s) {
  const made = new Wire(s.port);
  await made.open();
  return made;
}
