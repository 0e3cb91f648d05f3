import {
  type ClientToServerEvents,
  CONNECTION_CLOSING_EVENT,
  type ConnectionClosing,
  EVENT_NAMES,
  isEventName,
  isSnapshotId,
  payloadSchemas,
  type ServerToClientEvents,
  SUBSCRIPTION_ERROR_EVENT,
  SUBSCRIPTION_RESET_EVENT,
  type SubscribeAck,
  type SubscriptionReset,
} from '@wafleet/contract';
import { type Cluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { expect } from 'vitest';
import { type Entry, isAfter, readEntries } from './event-log.js';

/** All events except QR codes and pairing codes: a replay correctly omits those that have expired. */
const SUBSCRIBED = EVENT_NAMES.filter((name) => !name.startsWith('auth.'));
const CATCH_UP_MS = 60_000;
const TOLD_AT_MOST = 10;

/** An event that the client got for the first time. */
interface Receipt extends Entry {
  /** When it arrived, and its `timestamp`; ms since 1970. */
  readonly at: number;
  readonly publishedAt: number;
}

/** A `subscription.reset` that the client got. */
interface Reset extends SubscriptionReset {
  /** How many events the client had by then. */
  readonly receivedBefore: number;
}

/** How a client's events differ from the log. */
interface Differences {
  /** Events in the log that never arrived. */
  readonly missing: readonly string[];
  /** Events that arrived but are not in the log. */
  readonly unknown: readonly string[];
  /** Events that first arrived after a later event of the same session. */
  readonly disordered: readonly string[];
}

const NO_DIFFERENCES: Differences = { missing: [], unknown: [], disordered: [] };

/**
 * A typical client: Socket.IO's own with its defaults, which subscribes once and listens. It does not handle positions.
 * If its connection breaks, Socket.IO reconnects and the edges send what it missed.
 */
export class SequenceClient {
  readonly socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  /** Each event once, in the order of the first receipt, without snapshots. */
  readonly received: Receipt[] = [];
  /** Violations of the contract: payloads, numbers of arguments, events without a subscription. */
  readonly faults: string[] = [];
  readonly connectErrors: string[] = [];
  /** Why its connections ended. */
  readonly disconnects: string[] = [];
  readonly resets: Reset[] = [];
  readonly closings: ConnectionClosing[] = [];
  duplicates = 0;
  /**
   * Events that came again although the client had answered two pings of the same connection after it got them. The
   * edge sends the second ping long after it noted the answer to the first one.
   */
  repeatedAfterProof = 0;
  #subscribedAt: string | undefined;
  /** The position of each event in `received`. */
  readonly #places = new Map<string, number>();
  #latestPing: number | undefined;
  #proven = 0;

  /** Resolves when its subscription is acknowledged. Close it in the end. */
  static async start(options: {
    url: string;
    apiKey: string;
    options?: Partial<ManagerOptions & SocketOptions>;
  }): Promise<SequenceClient> {
    const client = new SequenceClient(options);
    try {
      await waitFor(() => client.#subscribedAt, { what: 'a subscription', timeoutMs: CATCH_UP_MS });
      return client;
    } catch (error) {
      client.close();
      const seen = [...client.connectErrors, ...client.disconnects, ...client.faults].join('; ');
      throw new Error(`a client could not subscribe: ${seen || 'no answer'}`, { cause: error });
    }
  }

  private constructor({
    url,
    apiKey,
    options = {},
  }: {
    url: string;
    apiKey: string;
    options?: Partial<ManagerOptions & SocketOptions>;
  }) {
    this.socket = io(`${url}/api/events`, { auth: { token: apiKey }, ...options });
    this.socket.emit('subscribe', SUBSCRIBED, (ack: SubscribeAck) => {
      if (ack.ok) this.#subscribedAt = ack.position;
      else this.faults.push(`subscribe was refused: ${ack.error.code}`);
    });
    this.socket.on('connect_error', ({ message }) => this.connectErrors.push(message));
    this.socket.on('disconnect', (reason) => {
      this.#latestPing = undefined;
      this.disconnects.push(reason);
    });
    this.socket.on(SUBSCRIPTION_RESET_EVENT, (reset) => {
      this.resets.push({ ...reset, receivedBefore: this.received.length });
    });
    this.socket.on(SUBSCRIPTION_ERROR_EVENT, ({ code }) => this.faults.push(`subscription.error ${code}`));
    this.socket.on(CONNECTION_CLOSING_EVENT, (closing) => this.closings.push(closing));
    this.socket.onAny((event: string, ...args: unknown[]) => this.#take(event, args));
    this.socket.io.on('ping', () => {
      this.#proven = this.#latestPing ?? this.#proven;
      this.#latestPing = this.received.length;
    });
  }

  /** The position after which its subscription began. */
  get subscribedAt(): string | undefined {
    return this.#subscribedAt;
  }

  /** The number of its events that must not come again. See `repeatedAfterProof`. */
  get proven(): number {
    return this.#proven;
  }

  /** Whether its events come by WebSocket, which begins a moment after it connects. */
  get isUpgraded(): boolean {
    return this.socket.connected && this.socket.io.engine.transport.name === 'websocket';
  }

  /** The arrival of the first event that was published and arrived after `since`; both in ms since 1970. */
  async liveSince(since: number): Promise<number> {
    const isLive = ({ at, publishedAt }: Receipt) => at >= since && publishedAt >= since;
    return waitFor(() => this.received.find(isLive)?.at, {
      what: 'an event that is newer',
      timeoutMs: CATCH_UP_MS,
    });
  }

  /**
   * Expects that it gets everything that the log now has since it subscribed, in the order of each session, and that it
   * got nothing else except what the contract allows.
   */
  async expectEverythingOf(cluster: Cluster, tenant: TestTenant): Promise<void> {
    const entries = await readEntries(cluster, tenant.id, this.#subscribedAt);
    expect(await this.differencesFrom(entries)).toEqual(NO_DIFFERENCES);
    expect(this.faults, 'what is not as the contract says').toEqual([]);
    expect(this.resets, 'events that were lost to it').toEqual([]);
  }

  /**
   * Waits until all entries have arrived. Resolves to the differences from the client's events, from the first entry to
   * the last one. Entries that it is not subscribed to do not count.
   * @param entries a part of the log without gaps.
   */
  async differencesFrom(entries: readonly Entry[]): Promise<Differences> {
    const wanted = entries.filter(({ event }) => SUBSCRIBED.includes(event));
    const missing = () => wanted.filter(({ eventId }) => !this.#places.has(eventId));
    const hasAll = waitFor(() => missing().length === 0, { what: 'all events', timeoutMs: CATCH_UP_MS });
    // The result below has what is missing.
    await hasAll.catch(() => {});
    const [first] = wanted;
    const last = wanted.at(-1);
    if (first === undefined || last === undefined) throw new Error('there is nothing to compare with');
    const ids = new Set(wanted.map(({ eventId }) => eventId));
    const received = this.received.filter(({ eventId }) => !isAfter(first.eventId, eventId));
    const inRange = received.filter(({ eventId }) => !isAfter(eventId, last.eventId));
    return {
      missing: inShort(missing().map(({ eventId }) => eventId)),
      unknown: inShort(inRange.filter(({ eventId }) => !ids.has(eventId)).map(({ eventId }) => eventId)),
      disordered: inShort(disordered(received)),
    };
  }

  close(): void {
    this.socket.disconnect();
  }

  #take(event: string, args: readonly unknown[]): void {
    const at = Date.now();
    if (!isEventName(event)) return;
    const parsed = payloadSchemas[event].safeParse(args[0]);
    if (args.length !== 1 || !parsed.success || !SUBSCRIBED.includes(event)) {
      this.faults.push(`${event} ${JSON.stringify(args)}`);
      return;
    }
    const { eventId, sessionId, timestamp } = parsed.data;
    if (isSnapshotId(eventId)) return;
    const place = this.#places.get(eventId);
    if (place === undefined) {
      this.#places.set(eventId, this.received.length);
      this.received.push({ event, eventId, sessionId, at, publishedAt: Date.parse(timestamp) });
    } else {
      this.duplicates += 1;
      if (place < this.#proven) this.repeatedAfterProof += 1;
    }
  }
}

/** The first ones, and the number of the rest. */
function inShort(list: readonly string[]): string[] {
  const [reported, more] = [list.slice(0, TOLD_AT_MOST), list.length - TOLD_AT_MOST];
  return more > 0 ? [...reported, `and ${more} more`] : reported;
}

function disordered(receipts: readonly Receipt[]): string[] {
  const latest = new Map<string, string>();
  return receipts.flatMap(({ sessionId, eventId }) => {
    const before = latest.get(sessionId);
    if (before !== undefined && isAfter(before, eventId)) return [`${eventId} after ${before}`];
    latest.set(sessionId, eventId);
    return [];
  });
}
