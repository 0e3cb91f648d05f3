import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventRoom, NAMESPACES } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import { connectRedis, type LoggedEvent, type RedisConnection } from '@wafleet/store';
import type { Connection } from '../engine/connection.js';
import type { Backlog } from '../fanout/backlog.js';
import type { WriterLimits } from '../fanout/bounded-writer.js';
import { BufferBudget, type BufferLimits } from '../fanout/buffer-budget.js';
import { EventFanout } from '../fanout/event-fanout.js';
import { SocketWriter } from '../fanout/socket-writer.js';
import { WriteBatcher } from '../fanout/write-batcher.js';
import { closeConnection } from '../sockets/close-connection.js';
import type { EventServer, EventSocket } from '../sockets/event-socket.js';
import { createSocketServer } from '../sockets/socket-server.js';
import { BUFFER_LIMITS, WRITER_LIMITS } from './test-edge.js';

const TENANT = 'tnt_test';
const SESSION = 'shop-1';

/** A socket of a FanoutServer and what writes to it. */
export interface Served {
  readonly socket: EventSocket;
  readonly writer: SocketWriter;
}

/** A Socket.IO server with the fan-out and nothing else. Every client gets all presence.update. */
export class FanoutServer {
  readonly url: string;
  readonly io: EventServer;
  readonly fanout: EventFanout;
  readonly tally = { events: 0, writes: 0, bytes: 0 };
  readonly served: Served[] = [];
  readonly overflows: Backlog[] = [];
  readonly http: HttpServer;
  readonly buffers: BufferBudget;
  readonly #connections: readonly RedisConnection[];
  #seq = 0;

  static async start(
    redisUrl: string,
    {
      limits = WRITER_LIMITS,
      bufferLimits = BUFFER_LIMITS,
    }: { limits?: WriterLimits; bufferLimits?: BufferLimits } = {},
  ): Promise<FanoutServer> {
    const logger = createLogger({ app: 'test', level: 'silent' });
    const publisher = connectRedis({ url: redisUrl, role: 'command', name: 'fanout', logger });
    const subscriber = connectRedis({ url: redisUrl, role: 'subscriber', name: 'fanout', logger });
    const http = createServer();
    const fanout = new EventFanout();
    const io = createSocketServer({ http, publisher, subscriber, fanout, origins: '*', logger });
    // The adapter drops the promises of its subscriptions: they must be settled before the connection ends.
    await subscriber.ping();
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    return new FanoutServer(http, { io, fanout }, [publisher, subscriber], limits, bufferLimits);
  }

  private constructor(
    http: HttpServer,
    { io, fanout }: { io: EventServer; fanout: EventFanout },
    connections: readonly RedisConnection[],
    limits: WriterLimits,
    bufferLimits: BufferLimits,
  ) {
    const logger = createLogger({ app: 'test', level: 'silent' });
    this.buffers = new BufferBudget({
      limits: bufferLimits,
      tenantBytes: () => bufferLimits.maxBytes,
      logger,
    });
    this.http = http;
    this.io = io;
    this.#connections = connections;
    this.url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    this.fanout = fanout;
    const rounds = new WriteBatcher();
    for (const namespace of NAMESPACES) {
      io.of(namespace).on('connection', (socket) => {
        const writing = {
          ...{ namespace, limits, rounds, tally: this.tally },
          onOverflow: (connection: Connection, backlog: Backlog, { isCut }: { isCut: boolean }) => {
            closeConnection(connection, 'SLOW_CLIENT', [namespace], isCut);
            this.overflows.push(backlog);
          },
        };
        const writer = new SocketWriter(socket.conn, writing, this.buffers.of(TENANT));
        socket.data.stream = { deliver: (event) => writer.write(event), toJSON: () => undefined };
        socket.once('disconnect', () => writer.close());
        void socket.join(eventRoom(TENANT, '*', 'presence.update'));
        this.served.push({ socket, writer });
      });
    }
  }

  /** The next event, with its number as `n`. */
  next(text = ''): LoggedEvent {
    this.#seq += 1;
    return {
      event: 'presence.update',
      sessionId: SESSION,
      position: { epoch: '1', seq: this.#seq },
      body: Buffer.from(JSON.stringify({ n: this.#seq, text })),
    };
  }

  /** Delivers the next event to every connected client. */
  publish(text?: string): number {
    this.deliver(this.next(text));
    return this.#seq;
  }

  deliver(event: LoggedEvent): void {
    this.fanout.deliver(TENANT, event);
  }

  async stop(): Promise<void> {
    this.buffers.close();
    await this.io.close();
    this.http.close();
    await Promise.all(this.#connections.map((connection) => connection.ping()));
    for (const connection of this.#connections) connection.disconnect();
  }
}
