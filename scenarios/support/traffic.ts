import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type EventPayload, payloadSchemas } from '@wafleet/contract';
import { type Cluster, collectEvents, type EventCollector, type TestTenant, waitFor } from '@wafleet/testkit';
import type { LinkedSession, Phone } from './linked-sessions.js';

export interface TrafficOptions {
  readonly cluster: Cluster;
  readonly tenant: TestTenant;
  readonly sessions: readonly LinkedSession[];
  /** Milliseconds between two messages to one session. Default: 500. */
  readonly everyMs?: number;
  /** The number of people who write. Each writes to some of the sessions. Default: 4. */
  readonly senders?: number;
  /** The URL to which the client connects. Default: the first edge. */
  readonly url?: string;
}

/** The messages of one session, in the order of arrival. */
interface Lane {
  sent: number;
  /** The numbers as they arrived, without repeated ones. */
  readonly numbers: number[];
  /** Their arrival times, ms since 1970. */
  readonly times: number[];
  readonly seen: Set<number>;
  duplicates: number;
}

export interface TrafficSummary {
  readonly sent: number;
  /** Messages that arrived a second time. Delivery is at least once. */
  readonly duplicates: number;
  /** For each session the longest time between two arrivals, ms. Includes the interval of sending. */
  readonly gaps: readonly number[];
}

const TEXT = /^number (\d+)$/;

/**
 * People who write numbered messages to sessions, and a Socket.IO client that should receive all of them.
 *
 * Numbers begin at 1 for each session. The next message is sent when the simulator has queued the one before, so
 * messages must arrive in the order of their numbers.
 */
export class Traffic {
  /** The events that the client received: messages, status changes and QR codes of the tenant. */
  readonly events: EventCollector;
  readonly #lanes: ReadonlyMap<string, Lane>;
  readonly #sending: Promise<unknown>;
  readonly #abort = new AbortController();
  #read = 0;

  /** Resolves when each session has received its first message, so that the traffic flows. */
  static async start({
    cluster,
    tenant,
    sessions,
    everyMs = 500,
    senders = 4,
    url = cluster.edges[0]?.url,
  }: TrafficOptions): Promise<Traffic> {
    if (url === undefined) throw new Error('no edge runs');
    const events = await collectEvents(url, tenant.apiKey, [
      'messages.upsert',
      'connection.update',
      'auth.qr',
    ]);
    const people = Array.from({ length: senders }, (_, index) =>
      cluster.simulator.addPhone({ name: `Sender ${index + 1}` }),
    );
    const traffic = new Traffic(events, sessions, people, everyMs);
    await waitFor(() => traffic.#all(({ numbers }) => numbers.length > 0), {
      what: 'each session with its first message',
      timeoutMs: 60_000,
      intervalMs: 50,
    });
    return traffic;
  }

  private constructor(
    events: EventCollector,
    sessions: readonly LinkedSession[],
    people: readonly Phone[],
    everyMs: number,
  ) {
    this.events = events;
    setMaxListeners(0, this.#abort.signal);
    this.#lanes = new Map(
      sessions.map(({ id }) => [id, { sent: 0, numbers: [], times: [], seen: new Set(), duplicates: 0 }]),
    );
    const senders = sessions.flatMap(({ id, phone }, index) => {
      const lane = this.#lanes.get(id);
      const sender = people[index % people.length];
      if (lane === undefined || sender === undefined) return [];
      // Spread over the interval, as with real people, rather than all at the same time.
      return [this.#send(lane, sender, phone, everyMs, (index * everyMs) / sessions.length)];
    });
    this.#sending = Promise.all(senders);
  }

  /** Resolves when each session has received `count` more messages than now. */
  async flows(count = 3, timeoutMs = 60_000): Promise<void> {
    this.#readNew();
    const goals = new Map([...this.#lanes].map(([id, { numbers }]) => [id, numbers.length + count]));
    const reached = () => this.#all(({ numbers }, id) => numbers.length >= (goals.get(id) ?? 0));
    await waitFor(reached, { what: `${count} more messages in every session`, timeoutMs, intervalMs: 50 });
  }

  /** The arrival of the first message after `since` (ms since 1970) in each of these sessions; absent if none came. */
  firstArrivals(since: number, sessionIds: readonly string[] = [...this.#lanes.keys()]): Map<string, number> {
    this.#readNew();
    const found = sessionIds.flatMap((id) => {
      const at = this.#lanes.get(id)?.times.find((time) => time >= since);
      return at === undefined ? [] : [[id, at] as const];
    });
    return new Map(found);
  }

  /**
   * Stops sending. Resolves when everything that was sent has arrived. Rejects if something does not arrive or arrived
   * out of order; the error names the sessions and what is missing.
   */
  async finish({ timeoutMs = 60_000 }: { timeoutMs?: number } = {}): Promise<TrafficSummary> {
    this.#abort.abort();
    await this.#sending;
    await waitFor(() => this.#all(({ sent, numbers }) => numbers.length >= sent), {
      what: 'everything that was sent',
      timeoutMs,
      intervalMs: 50,
    }).catch((error: Error) => {
      throw new Error(`${error.message}; missing: ${this.#missing()}`, { cause: error });
    });
    const disordered = [...this.#lanes].filter(([, { numbers }]) =>
      numbers.some((number, index) => number !== index + 1),
    );
    if (disordered.length > 0) {
      const lines = disordered.map(([id, { numbers }]) => `${id}: ${numbers.join(' ')}`);
      throw new Error(`messages arrived out of order:\n${lines.join('\n')}`);
    }
    return this.#summary();
  }

  /** Ends sending and receiving at once, even if messages are under way. */
  async close(): Promise<void> {
    this.#abort.abort();
    await this.#sending;
    this.events.close();
  }

  #summary(): TrafficSummary {
    const lanes = [...this.#lanes.values()];
    return {
      sent: lanes.reduce((sum, { sent }) => sum + sent, 0),
      duplicates: lanes.reduce((sum, { duplicates }) => sum + duplicates, 0),
      gaps: lanes.map(({ times }) =>
        Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at))),
      ),
    };
  }

  async #send(lane: Lane, sender: Phone, to: Phone, everyMs: number, firstInMs: number): Promise<void> {
    const { signal } = this.#abort;
    await delay(firstInMs, undefined, { signal }).catch(() => {});
    while (!signal.aborted) {
      const next = Date.now() + everyMs;
      lane.sent += 1;
      await sender.send(to, { text: `number ${lane.sent}` });
      await delay(Math.max(0, next - Date.now()), undefined, { signal }).catch(() => {});
    }
  }

  #all(holds: (lane: Lane, id: string) => boolean): boolean {
    this.#readNew();
    return [...this.#lanes].every(([id, lane]) => holds(lane, id));
  }

  #readNew(): void {
    const { events } = this.events;
    for (; this.#read < events.length; this.#read += 1) {
      const collected = events[this.#read];
      if (collected?.event !== 'messages.upsert') continue;
      this.#take(payloadSchemas['messages.upsert'].parse(collected.payload), collected.at);
    }
  }

  #take({ sessionId, messages }: EventPayload<'messages.upsert'>, at: number): void {
    const lane = this.#lanes.get(sessionId);
    if (lane === undefined) return;
    for (const { message } of messages) {
      const number = Number(TEXT.exec(String(message?.conversation))?.[1]);
      if (Number.isNaN(number)) continue;
      if (lane.seen.has(number)) {
        lane.duplicates += 1;
      } else {
        lane.seen.add(number);
        lane.numbers.push(number);
        lane.times.push(at);
      }
    }
  }

  #missing(): string {
    const lines = [...this.#lanes].flatMap(([id, { sent, seen }]) => {
      const missing = Array.from({ length: sent }, (_, index) => index + 1).filter(
        (number) => !seen.has(number),
      );
      return missing.length === 0 ? [] : [`${id} lacks ${missing.join(' ')} of ${sent}`];
    });
    return lines.join('; ');
  }
}
