import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, expect, it } from 'vitest';
import { LoadBalancer } from './load-balancer.js';
import { waitFor } from './wait-for.js';

class Backend {
  isReady = true;
  readonly #server: Server;

  static async start(name: string): Promise<Backend> {
    const backend = new Backend(name);
    backend.#server.listen(0, '127.0.0.1');
    await once(backend.#server, 'listening');
    return backend;
  }

  private constructor(name: string) {
    this.#server = createServer((request, response) => {
      response.statusCode = request.url === '/readyz' && !this.isReady ? 503 : 200;
      response.setHeader('Connection', 'close').end(name);
    });
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

const opened: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
});

async function start({ affinity }: { affinity: boolean }) {
  const backends = [await Backend.start('a'), await Backend.start('b')] as const;
  // Read now, because the port of a closed server cannot be read.
  const targets = backends.map((backend) => ({ url: backend.url, port: backend.port }));
  const balancer = await LoadBalancer.open(() => targets, { affinity });
  opened.push(...backends, balancer);
  const ask = async () => (await fetch(balancer.url)).text();
  return { backends, balancer, ask };
}

it('sends connections to the ready targets, in turns', async () => {
  const { backends, ask } = await start({ affinity: false });
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual(['a', 'b', 'a', 'b']);
  backends[0].isReady = false;
  await waitFor(async () => [await ask(), await ask()].join('') === 'bb', { what: 'only b' });
  backends[0].isReady = true;
  await waitFor(async () => [await ask(), await ask()].sort().join('') === 'ab', { what: 'both' });
});

it('with affinity, stays with one target while it is ready', async () => {
  const { backends, balancer, ask } = await start({ affinity: true });
  expect([await ask(), await ask(), await ask()]).toEqual(['a', 'a', 'a']);
  expect(balancer.latest.port).toBe(backends[0].port);
  backends[0].isReady = false;
  await waitFor(async () => (await ask()) === 'b', { what: 'the other one' });
  backends[0].isReady = true;
  expect([await ask(), await ask()]).toEqual(['b', 'b']);
});

it('tries the next target if one refuses, and refuses when none is left', async () => {
  const { backends, ask } = await start({ affinity: false });
  await backends[0].close();
  expect([await ask(), await ask()]).toEqual(['b', 'b']);
  await backends[1].close();
  await expect(ask()).rejects.toThrow();
});
