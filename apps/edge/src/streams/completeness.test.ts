import {
  type EventName,
  formatEventId,
  parseEventId,
  SUBSCRIPTION_ERROR_EVENT,
  SUBSCRIPTION_RESET_EVENT,
  type SubscribeAck,
  type SubscriptionReset,
} from '@wafleet/contract';
import { EventLog, type Fence } from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { SeverablePort, waitFor } from '@wafleet/testkit';
import fc from 'fast-check';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DeliveryModel, type Published, type Wanted } from '../testing/delivery-model.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import type { TestEdge } from '../testing/test-edge.js';

const SESSIONS = ['shop-1', 'shop-2', 'shop-3'];
const EVENTS = ['presence.update', 'contacts.update'] as const satisfies readonly EventName[];
/** Shows that everything before it has been delivered: only the end of a schedule subscribes to it. */
const LAST = 'call' satisfies EventName;

const some = <T>(all: readonly T[]) => fc.subarray([...all], { minLength: 1 });
const wanted = fc.record({ events: some(EVENTS), sessions: some(SESSIONS) }, { requiredKeys: ['events'] });
const burst = {
  session: fc.constantFrom(...SESSIONS),
  event: fc.constantFrom(...EVENTS),
  count: fc.integer({ min: 1, max: 8 }),
};
/** The possible steps. `awaited`: the next step waits until this one is in the log. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ is: fc.constant('publish'), ...burst, awaited: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('publish unheard'), ...burst, trims: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ is: fc.constant('subscribe'), wanted }) },
  {
    weight: 2,
    arbitrary: fc.record({
      is: fc.constant('subscribe since'),
      wanted,
      back: fc.integer({ min: 0, max: 20 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('unsubscribe'), wanted }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('cut the client') }) },
  { weight: 2, arbitrary: fc.record({ is: fc.constant('move the client') }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('cut the edges') }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('trim'), keep: fc.integer({ min: 0, max: 5 }) }) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant('let it arrive') }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** The list of the client's API key; undefined for a key without a list. */
const list = fc.option(some(SESSIONS), { nil: undefined });

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];
let worker: TestWorker;
let log: EventLog;

beforeAll(async () => {
  cluster = await TestCluster.start();
  edges = [await cluster.startEdge(), await cluster.startEdge()];
  worker = await cluster.startWorker();
  log = new EventLog(cluster.connection);
});
afterAll(() => cluster.stop());

/** One client, and what happens to it. */
class Schedule {
  readonly #model: DeliveryModel;
  readonly #published: Published[] = [];
  readonly #errors: unknown[] = [];
  readonly #tenant: TestTenant;
  readonly #list: readonly string[] | undefined;
  readonly #fences: ReadonlyMap<string, Fence>;
  readonly #port: SeverablePort;
  readonly #socket: Socket;
  #edge = 0;
  #hasSubscribed = false;
  #wasTrimmed = false;
  #pending: Promise<void>[] = [];

  /** @param sessions the list of the client's API key, if it is to have one. */
  static async begin(sessions: readonly string[] | undefined): Promise<Schedule> {
    const { tenantId } = await cluster.createTenant();
    const tenant = await cluster.createKey(tenantId, { sessions });
    const owned = SESSIONS.map(async (id) => [id, await worker.own(tenant.tenantId, id)] as const);
    const port = await SeverablePort.open(portOf(edges[0]));
    return new Schedule(tenant, sessions, new Map(await Promise.all(owned)), port);
  }

  private constructor(
    tenant: TestTenant,
    sessions: readonly string[] | undefined,
    fences: ReadonlyMap<string, Fence>,
    port: SeverablePort,
  ) {
    this.#tenant = tenant;
    this.#list = sessions;
    this.#model = new DeliveryModel(sessions);
    this.#fences = fences;
    this.#port = port;
    this.#socket = io(`http://127.0.0.1:${port.port}/api/events`, {
      auth: { token: tenant.key },
      transports: ['websocket'],
      forceNew: true,
      reconnectionDelay: 10,
      reconnectionDelayMax: 30,
    });
    for (const event of [...EVENTS, LAST]) {
      this.#socket.on(event, (payload: { eventId: string; sessionId: string }) => {
        const { eventId, sessionId } = payload;
        this.#model.received({ seq: seqOf(eventId), sessionId, event, connection: this.#connection });
      });
    }
    this.#socket.on(SUBSCRIPTION_RESET_EVENT, (reset: SubscriptionReset) => this.#model.reset(reset));
    this.#socket.on(SUBSCRIPTION_ERROR_EVENT, (error: unknown) => {
      if (this.#hasSubscribed) this.#errors.push(error);
    });
  }

  async take(next: Step): Promise<void> {
    switch (next.is) {
      case 'publish': {
        const done = this.#publish(next.session, next.event, next.count);
        if (next.awaited) await done;
        else this.#pending.push(done);
        return;
      }
      case 'publish unheard': {
        // In one go on one connection, so that the edges cannot be back before the events are published.
        const killed = this.#cutEdges();
        const done = this.#publish(next.session, next.event, next.count);
        const trimmed = next.trims ? this.#trim(0) : undefined;
        await Promise.all([killed, done, trimmed]);
        return;
      }
      case 'subscribe':
        return this.#subscribe(this.#allowed(next.wanted));
      case 'subscribe since': {
        const { seq } = await log.position(this.#tenant.tenantId);
        return this.#subscribe(this.#allowed(next.wanted), Math.max(0, seq - next.back));
      }
      case 'unsubscribe':
        return this.#unsubscribe(next.wanted);
      case 'cut the client':
        return this.#breakClient(() => this.#port.moveTo(portOf(this.#at(this.#edge))));
      case 'move the client':
        this.#edge = 1 - this.#edge;
        return this.#breakClient(() => this.#port.moveTo(portOf(this.#at(this.#edge))));
      case 'cut the edges':
        return this.#cutEdges();
      case 'trim':
        return this.#trim(next.keep);
      case 'let it arrive':
        return this.#letArrive();
      default:
        throw new Error(`there is no step ${JSON.stringify(next)}`);
    }
  }

  /** The violations, once everything has arrived. */
  async end(): Promise<string[]> {
    await this.#letArrive();
    const violations = this.#model.violations(this.#published, { wasTrimmed: this.#wasTrimmed });
    return [...violations, ...this.#errors.map((error) => `an error was reported: ${JSON.stringify(error)}`)];
  }

  async close(): Promise<void> {
    this.#socket.disconnect();
    await this.#port.close();
  }

  /** Resolves when the client has got an event that was published after all others; its stream keeps their order. */
  async #letArrive(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
    await this.#subscribe({ events: [LAST] });
    let arrived = 0;
    const note = ({ eventId }: { eventId: string }) => {
      arrived = Math.max(arrived, seqOf(eventId));
    };
    this.#socket.on(LAST, note);
    await this.#publish(this.#list?.[0] ?? 'shop-1', LAST, 1);
    const last = this.#published.at(-1)?.seq ?? 0;
    await waitFor(() => arrived >= last, { what: 'the last event arrives' });
    this.#socket.off(LAST, note);
    await this.#unsubscribe({ events: [LAST] });
  }

  /** The wanted sessions that the key may name; all sessions if it may name none of them. */
  #allowed({ events, sessions }: Wanted): Wanted {
    const named = sessions?.filter((session) => this.#list?.includes(session) ?? true) ?? [];
    return named.length === 0 ? { events } : { events, sessions: named };
  }

  async #publish(sessionId: string, event: EventName, count: number): Promise<void> {
    const fence = this.#fences.get(sessionId);
    if (fence === undefined) throw new Error(`no session ${sessionId}`);
    const body = JSON.stringify({ sessionId });
    const positions = await log.append(
      fence,
      Array.from({ length: count }, () => ({ event, body })),
    );
    for (const { seq } of positions) this.#published.push({ seq, sessionId, event });
  }

  async #subscribe(request: Wanted, since?: number): Promise<void> {
    const from = since === undefined ? {} : { since: await this.#idOf(since) };
    await new Promise<void>((resolve, reject) => {
      this.#socket
        .timeout(10_000)
        .emit('subscribe', { ...request, ...from }, (late: unknown, ack: SubscribeAck) => {
          if (late !== null && late !== undefined) reject(new Error('subscribe was not acknowledged'));
          else if (!ack.ok) reject(new Error(`subscribe was refused: ${ack.error.message}`));
          else {
            this.#hasSubscribed = true;
            const options = { connection: this.#connection, isReplay: since !== undefined };
            this.#model.subscribed(request, seqOf(ack.position), options);
            if (ack.recovered === false && !this.#wasTrimmed) this.#errors.push('not recovered');
            resolve();
          }
        });
    });
  }

  async #unsubscribe(request: Wanted): Promise<void> {
    const ack: { ok: boolean } = await this.#socket.timeout(10_000).emitWithAck('unsubscribe', request);
    if (!ack.ok) throw new Error('unsubscribe was refused');
    const { seq } = await log.position(this.#tenant.tenantId);
    this.#model.unsubscribed(request, seq);
  }

  async #breakClient(how: () => void): Promise<void> {
    // A client that is cut off while it connects may see itself connected for a moment, and lose what it sends then.
    await waitFor(() => this.#socket.connected, { what: 'it is connected', intervalMs: 1 });
    how();
    await waitFor(() => !this.#socket.connected, { what: 'it is cut off', intervalMs: 1 });
  }

  async #cutEdges(): Promise<void> {
    await cluster.connection.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  }

  async #trim(keep: number): Promise<void> {
    this.#wasTrimmed = true;
    await cluster.connection.xtrim(`wf:{${this.#tenant.tenantId}}:log`, 'MAXLEN', keep);
  }

  async #idOf(seq: number): Promise<string> {
    const { epoch } = await log.position(this.#tenant.tenantId);
    return formatEventId({ epoch, seq });
  }

  get #connection(): string {
    return this.#socket.id ?? 'none';
  }

  #at(index: number): TestEdge {
    const edge = edges[index];
    if (edge === undefined) throw new Error(`no edge ${index}`);
    return edge;
  }
}

function portOf({ url }: TestEdge): number {
  return Number(new URL(url).port);
}

function seqOf(eventId: string): number {
  return parseEventId(eventId)?.seq ?? 0;
}

it('whatever happens, a client gets what it subscribed to, in order, and nothing else', async () => {
  const schedules = fc.array(step, { minLength: 3, maxLength: 20 });
  const property = fc.asyncProperty(list, schedules, async (sessions, steps) => {
    const schedule = await Schedule.begin(sessions);
    try {
      for (const next of steps) await schedule.take(next);
      expect(await schedule.end()).toEqual([]);
    } finally {
      await schedule.close();
    }
  });
  await fc.assert(property, { numRuns: 40, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false });
}, 120_000);
