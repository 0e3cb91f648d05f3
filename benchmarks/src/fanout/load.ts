import { z } from 'zod';
import { Program } from '../harness/program.js';
import { RECORDED_EVENTS } from './payloads.js';
import {
  type Audience,
  type ContenderName,
  type Published,
  prepareReply,
  publishReply,
  resumeReply,
  type resumeRequest,
  type Tally,
  tally,
} from './protocol.js';
import type { ServerUnderTest } from './server-under-test.js';

const nothing = z.null();

/** The clients of one server under test, in a separate process. */
export class Clients {
  readonly count: number;
  readonly #program: Program;

  /** Connects and subscribes one client for each audience given. */
  static async connect(server: ServerUnderTest, audiences: readonly Audience[]): Promise<Clients> {
    const clients = new Clients(server.name, audiences.length);
    await clients.add(server, audiences);
    return clients;
  }

  private constructor(name: string, count: number) {
    this.count = count;
    this.#program = new Program(
      `load generator of the ${name}`,
      new URL('programs/load-generator.js', import.meta.url),
      [],
    );
  }

  async add({ port, protocol, auth }: ServerUnderTest, audiences: readonly Audience[]): Promise<void> {
    const request = { port, protocol, clients: audiences.map(auth), events: RECORDED_EVENTS };
    await this.#program.call('connect', request, nothing);
  }

  /** Starts a new count. */
  async expect(deliveries: number, options: { timed: boolean }): Promise<void> {
    await this.#program.call('expect', { deliveries, ...options }, nothing);
  }

  /** Resolves when the expected number of deliveries has arrived. Rejects if they stop arriving before. */
  async arrived(): Promise<void> {
    await this.#program.call('arrived', { stallMs: 15_000 }, nothing);
  }

  tally(): Promise<Tally> {
    return this.#program.call('tally', {}, tally);
  }

  resume(request: Omit<z.input<typeof resumeRequest>, 'events'>): Promise<z.infer<typeof resumeReply>> {
    return this.#program.call('resume', { ...request, events: RECORDED_EVENTS }, resumeReply);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}

/** Publishes for every contender, in a separate process. */
export class Publisher {
  readonly #program: Program;

  constructor(redisUrl: string) {
    this.#program = new Program('publisher', new URL('programs/publisher.js', import.meta.url), [redisUrl]);
  }

  /** Creates tenants, each with a session and an API key. */
  prepare(tenants: number): Promise<Audience[]> {
    return this.#program.call('prepare', { tenants }, prepareReply);
  }

  /** Publishes events for the audiences in turns. Resolves when Redis has them all. */
  publish(request: {
    contender: ContenderName;
    audiences: readonly Audience[];
    events: number;
    perSecond?: number | undefined;
    kept?: boolean;
  }): Promise<Published> {
    const { audiences, ...rest } = request;
    const tenants = audiences.map(({ tenantId }) => tenantId);
    return this.#program.call('publish', { ...rest, tenants }, publishReply);
  }

  stop(): Promise<void> {
    return this.#program.stop();
  }
}
