import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { joinSockets } from './join-sockets.js';

/** A target of a load balancer. */
interface Target {
  readonly url: string;
  readonly port: number;
}

const CHECK_EVERY_MS = 100;
const CHECK_WITHIN_MS = 5_000;

/**
 * A TCP load balancer in front of edges, like a Service of Kubernetes or a proxy. New connections go in turns to the
 * targets whose `/readyz` answers 200, and to the next target if one refuses. Existing connections stay where they are.
 */
export class LoadBalancer<T extends Target> {
  readonly #targets: () => readonly T[];
  readonly #affinity: boolean;
  readonly #server: Server;
  readonly #inner = new Set<Socket>();
  readonly #ready = new Set<number>();
  #latest: T | undefined;
  #checking: NodeJS.Timeout | undefined;
  #turn = 0;

  /**
   * Resolves once it has checked which targets are ready.
   * @param targets called again for each connection and each check.
   * @param options.affinity whether a connection goes to the same target as the previous one while that target is
   * ready, like affinity by client address when all clients share one address. Clients that begin with HTTP
   * long-polling need it.
   */
  static async open<T extends Target>(
    targets: () => readonly T[],
    { affinity = false }: { affinity?: boolean } = {},
  ): Promise<LoadBalancer<T>> {
    const balancer = new LoadBalancer(targets, affinity);
    await balancer.#check();
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    balancer.#checkLater();
    return balancer;
  }

  private constructor(targets: () => readonly T[], affinity: boolean) {
    this.#targets = targets;
    this.#affinity = affinity;
    this.#server = createServer((inner) => {
      this.#inner.add(inner);
      inner.once('close', () => this.#inner.delete(inner));
      inner.on('error', () => inner.destroy());
      this.#lead(inner, this.#candidates());
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the load balancer is not open');
    return address.port;
  }

  /** The target of the latest connection. */
  get latest(): T {
    if (this.#latest === undefined) throw new Error('no client has connected yet');
    return this.#latest;
  }

  async close(): Promise<void> {
    clearTimeout(this.#checking);
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#inner) socket.destroy();
    await closed;
  }

  /** The ready targets, in the order in which to try them. */
  #candidates(): T[] {
    const ready = this.#targets().filter(({ port }) => this.#ready.has(port));
    const stay = this.#affinity ? ready.findIndex(({ port }) => port === this.#latest?.port) : -1;
    const first = stay >= 0 ? stay : this.#turn++ % Math.max(1, ready.length);
    return [...ready.slice(first), ...ready.slice(0, first)];
  }

  #lead(inner: Socket, [target, ...others]: readonly T[]): void {
    if (target === undefined || inner.destroyed) {
      inner.destroy();
      return;
    }
    const outer = connect({ host: '127.0.0.1', port: target.port });
    const onRefused = () => {
      this.#ready.delete(target.port);
      this.#lead(inner, others);
    };
    outer.once('error', onRefused);
    outer.once('connect', () => {
      outer.off('error', onRefused);
      this.#latest = target;
      joinSockets(inner, outer);
    });
  }

  async #check(): Promise<void> {
    const checks = this.#targets().map(async ({ url, port }) => {
      if (await isReady(url)) this.#ready.add(port);
      else this.#ready.delete(port);
    });
    await Promise.all(checks);
  }

  #checkLater(): void {
    this.#checking = setTimeout(async () => {
      await this.#check();
      if (this.#server.listening) this.#checkLater();
    }, CHECK_EVERY_MS);
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(CHECK_WITHIN_MS) });
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
