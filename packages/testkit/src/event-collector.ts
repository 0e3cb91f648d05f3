import {
  type ClientToServerEvents,
  type EventName,
  type EventPayload,
  isEventName,
  payloadSchemas,
  type ServerToClientEvents,
  type SubscribeAck,
} from '@wafleet/contract';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';
import { waitFor } from './wait-for.js';

/** An event as received over the wire. */
export interface CollectedEvent {
  event: EventName;
  payload: unknown;
  /** Time of arrival here, in milliseconds since 1970. */
  at: number;
}

export interface SubscribeRequest {
  events: readonly string[];
  sessions?: readonly string[];
}

type EventSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/**
 * Connects a Socket.IO client to an edge's `/api/events`, subscribes, and collects what arrives.
 *
 * Resolves when the edge has acknowledged the subscription: all events published from then on are collected. Rejects
 * if the connection or the subscription is refused.
 */
export async function collectEvents(
  edgeUrl: string,
  apiKey: string,
  request: readonly string[] | SubscribeRequest,
  options: Partial<ManagerOptions & SocketOptions> = {},
): Promise<EventCollector> {
  const socket: EventSocket = io(`${edgeUrl}/api/events`, {
    auth: { token: apiKey },
    forceNew: true,
    ...options,
  });
  const collector = new EventCollector(socket);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('connect_error', reject);
    });
    const ack: SubscribeAck = await socket.timeout(10_000).emitWithAck('subscribe', request);
    if (!ack.ok) throw new Error(`subscribe was refused with ${ack.error.code}: ${ack.error.message}`);
    return collector;
  } catch (error) {
    collector.close();
    throw error;
  }
}

export class EventCollector {
  /** For operations that the collector does not offer, such as a disconnect. */
  readonly socket: EventSocket;
  /** All events so far, in the order of their arrival. */
  readonly events: CollectedEvent[] = [];
  /** Anything else received: not an event of the contract with exactly one argument. Empty with a correct edge. */
  readonly strays: { event: string; args: unknown[] }[] = [];

  constructor(socket: EventSocket) {
    this.socket = socket;
    socket.onAny((event: string, ...args: unknown[]) => {
      if (isEventName(event) && args.length === 1) {
        this.events.push({ event, payload: args[0], at: Date.now() });
      } else {
        this.strays.push({ event, args });
      }
    });
  }

  /** The payloads of one event so far, each checked against the contract. Throws if one is invalid. */
  payloads<N extends EventName>(event: N): EventPayload<N>[] {
    return this.events
      .filter((collected) => collected.event === event)
      .map(({ payload }) => payloadSchemas[event].parse(payload) as EventPayload<N>);
  }

  /** The first payload of an event, past or to come, that `matches`. */
  waitForEvent<N extends EventName>(
    event: N,
    matches: (payload: EventPayload<N>) => boolean = () => true,
    { timeoutMs = 30_000, what = 'that fits' }: { timeoutMs?: number; what?: string } = {},
  ): Promise<EventPayload<N>> {
    return waitFor(() => this.payloads(event).find(matches), { what: `${event} ${what}`, timeoutMs }).catch(
      (error: Error) => {
        throw new Error(`${error.message}; ${this.#summary()}`, { cause: error });
      },
    );
  }

  close(): void {
    this.socket.disconnect();
  }

  #summary(): string {
    const counts = new Map<string, number>();
    for (const { event } of this.events) counts.set(event, (counts.get(event) ?? 0) + 1);
    const list = [...counts].map(([event, count]) => `${count} ${event}`).join(', ');
    return `collected so far: ${list || 'nothing'}${this.socket.connected ? '' : ' (not connected)'}`;
  }
}
