import {
  type ErrorDescription,
  EVENT_NAMES,
  type EventName,
  SUBSCRIPTION_ERROR_EVENT,
  type SubscribeAck,
  type UnsubscribeAck,
} from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client';

/** What a listener was given. */
export interface Received {
  readonly event: EventName;
  readonly args: readonly unknown[];
}

/** A Socket.IO client that records everything it receives. */
export class SocketClient {
  readonly socket: Socket;
  /** All events, in the order of their arrival. */
  readonly reported: Received[] = [];
  /** The events that happened, without the snapshots of current states. */
  readonly received: Received[] = [];
  readonly errors: ErrorDescription[] = [];

  /** @param address an edge's URL with the namespace as its path. */
  constructor(address: string, options: Partial<ManagerOptions & SocketOptions> = {}) {
    this.socket = io(address, { forceNew: true, reconnection: false, ...options });
    for (const event of EVENT_NAMES) {
      this.socket.on(event, (...args: unknown[]) => {
        this.reported.push({ event, args });
        if (!isSnapshot(args[0])) this.received.push({ event, args });
      });
    }
    this.socket.on(SUBSCRIPTION_ERROR_EVENT, (error: ErrorDescription) => this.errors.push(error));
  }

  async connected(): Promise<this> {
    if (this.socket.connected) return this;
    await new Promise<void>((resolve, reject) => {
      this.socket.once('connect', resolve);
      this.socket.once('connect_error', reject);
    });
    return this;
  }

  /** The error that refuses the connection. */
  refused(): Promise<Error & { data?: unknown }> {
    return new Promise((resolve, reject) => {
      this.socket.once('connect', () => reject(new Error('it was let in')));
      this.socket.once('connect_error', resolve);
    });
  }

  subscribe(request: unknown): Promise<SubscribeAck> {
    return this.socket.timeout(10_000).emitWithAck('subscribe', request);
  }

  unsubscribe(request: unknown): Promise<UnsubscribeAck> {
    return this.socket.timeout(10_000).emitWithAck('unsubscribe', request);
  }

  /** The first argument of each event received, once there are `count`. */
  async payloads(count: number): Promise<unknown[]> {
    await waitFor(() => this.received.length >= count, { what: `${count} events arrive` });
    return this.received.map(({ args }) => args[0]);
  }

  close(): void {
    this.socket.disconnect();
  }
}

function isSnapshot(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'snapshot' in payload;
}
