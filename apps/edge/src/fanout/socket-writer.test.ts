import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CONNECTION_CLOSING_EVENT, describeClosing, SUBSCRIPTION_ERROR_EVENT } from '@wafleet/contract';
import { RawConnection, startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { waitingPackets } from '../engine/write-buffer.js';
import { closeConnection } from '../sockets/close-connection.js';
import { FanoutServer, type Served } from '../testing/fanout-server.js';
import { EncodedEvent } from './encoded-event.js';

let redis: TestRedis;
let server: FanoutServer;
const clients: { close(): void }[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
beforeEach(async () => {
  server = await FanoutServer.start(redis.url);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
});
afterAll(() => redis.stop());

interface Client {
  readonly socket: Socket;
  /** The arguments of each event. */
  readonly received: unknown[][];
}

function open(options: Partial<ManagerOptions> = {}, namespace = '/'): Client {
  const socket = io(server.url + namespace, { forceNew: true, reconnection: false, ...options });
  const received: unknown[][] = [];
  socket.on('presence.update', (...args: unknown[]) => received.push(args));
  clients.push(socket);
  return { socket, received };
}

/** Resolves once the client gets events. */
async function connect(options?: Partial<ManagerOptions>, namespace?: string): Promise<Client> {
  const client = open(options, namespace);
  await served(client);
  return client;
}

async function served({ socket }: Client): Promise<Served> {
  const found = await waitFor(() => server.served.find((one) => one.socket.id === socket.id), {
    what: 'the server has the socket',
  });
  await waitFor(() => socket.connected, { what: 'the client is connected' });
  return found;
}

async function connectRaw(): Promise<RawConnection> {
  const raw = await RawConnection.open(server.url);
  clients.push(raw);
  await raw.join('/');
  raw.forget();
  return raw;
}

function theServed(index: number): Served {
  const found = server.served.at(index);
  if (found === undefined) throw new Error('the server does not have this socket');
  return found;
}

const numbers = (client: Client) => client.received.map(([payload]) => (payload as { n: number }).n);
const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, i) => first + i);
const transportOf = ({ socket }: Client) => socket.io.engine.transport.name;

describe.each([
  ['websocket', '/'],
  ['websocket', '/api/events'],
  ['polling', '/'],
  ['polling', '/api/events'],
])('over %s, on %s', (transport, namespace) => {
  it('a client gets every event once, in order, as exactly one argument', async () => {
    const client = await connect({ transports: [transport] }, namespace);
    for (let burst = 0; burst < 20; burst += 1) {
      for (let event = 0; event < 15; event += 1) server.publish('🎉 “é” \u2028'.repeat(burst));
      await nextTurn();
    }
    await waitFor(() => client.received.length >= 300, { what: 'all events arrive' });
    expect(numbers(client)).toEqual(upTo(300));
    expect(client.received.every((args) => args.length === 1)).toBe(true);
    expect(client.received.at(-1)).toEqual([{ n: 300, text: '🎉 “é” \u2028'.repeat(19) }]);
  });

  it('what Socket.IO sends itself keeps its place between the events', async () => {
    const client = await connect({ transports: [transport] }, namespace);
    const { socket } = await served(client);
    const order: unknown[] = [];
    client.socket.onAny((event: string, payload: { n?: number }) => order.push(payload.n ?? event));
    for (let round = 0; round < 50; round += 1) {
      server.publish();
      server.publish();
      socket.emit(SUBSCRIPTION_ERROR_EVENT, { code: 'INTERNAL', message: 'in between' });
      if (round % 3 === 0) await nextTurn();
    }
    await waitFor(() => order.length >= 150, { what: 'all arrives' });
    expect(order).toEqual(
      Array.from({ length: 50 }, (_, round) => [
        2 * round + 1,
        2 * round + 2,
        SUBSCRIPTION_ERROR_EVENT,
      ]).flat(),
    );
  });
});

describe('an upgrade under traffic', () => {
  it.each([1, 2, 3])('loses nothing, repeats nothing and keeps the order (%i)', async () => {
    const opened = Array.from({ length: 5 }, (_, index) => open({}, index % 2 === 0 ? '/' : '/api/events'));
    let last = 0;
    const upgraded = () => opened.every((client) => transportOf(client) === 'websocket');
    await waitFor(
      async () => {
        for (let event = 0; event < 5; event += 1) last = server.publish('👍');
        await nextTurn();
        return server.served.length === 5 && upgraded();
      },
      { what: 'all are upgraded', intervalMs: 0 },
    );
    for (let event = 0; event < 100; event += 1) last = server.publish();
    for (const client of opened) {
      await waitFor(() => numbers(client).at(-1) === last, { what: 'the last event arrives' });
      const [first = 0] = numbers(client);
      expect(numbers(client)).toEqual(upTo(last, first));
    }
    expect(server.served.every(({ writer }) => writer.handed?.seq === last)).toBe(true);
  });
});

describe('an answer to a poll', () => {
  it('holds no more packets than python-engineio takes', async () => {
    const base = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(base)).text();
    const session = `${base}&sid=${(JSON.parse(opened.slice(1)) as { sid: string }).sid}`;
    await fetch(session, { method: 'POST', body: '40' });
    await waitFor(() => server.served.length === 1, { what: 'the server has the socket' });
    for (let event = 0; event < 200; event += 1) server.publish();

    const packets: string[] = [];
    while (packets.length < 201) {
      const answer = (await (await fetch(session)).text()).split('\x1e');
      expect(answer.length).toBeLessThanOrEqual(16);
      packets.push(...answer);
    }
    expect(packets.slice(1)).toEqual(upTo(200).map((n) => `42["presence.update",{"n":${n},"text":""}]`));
  });
});

describe('events that come together', () => {
  it('are the same bytes on the wire as one by one, in fewer writes', async () => {
    const together = await connectRaw();
    const lists = [upTo(30).map(() => server.next('é')), upTo(3).map(() => server.next('x'.repeat(70_000)))];
    for (const list of lists) {
      for (const event of list) server.deliver(event);
      await nextTurn();
    }
    await waitFor(() => together.messages.length === 33, { what: 'all arrive together' });
    expect(server.tally).toMatchObject({ events: 33, writes: 2, bytes: together.bytes.length });
    together.close();
    await waitFor(() => theServed(0).writer.isClosed, { what: 'it has left' });

    const apart = await connectRaw();
    for (const event of lists.flat()) {
      server.deliver(event);
      await waitFor(() => theServed(1).writer.backlog.bytes === 0, { what: 'it is written' });
    }
    await waitFor(() => apart.messages.length === 33, { what: 'all arrive one by one' });
    expect(apart.bytes.equals(together.bytes)).toBe(true);
  });
});

describe('a client that stops reading', () => {
  const limits = { maxUnsentBytes: 1024 * 1024, maxUnsentPackets: 10_000 };
  const text = 'x'.repeat(10_000);

  beforeEach(async () => {
    await server.stop();
    server = await FanoutServer.start(redis.url, { limits });
  });

  /** Publishes until a client is closed. The client's bound is far above what the system's buffers take. */
  async function publishUntilClosed(others: readonly Client[] = []): Promise<number> {
    let last = 0;
    await waitFor(
      async () => {
        last = server.publish(text);
        if (last % 20 === 0) {
          await waitFor(() => others.every((other) => other.received.length === last), {
            what: 'the others keep up',
          });
        }
        return server.overflows.length > 0;
      },
      { what: 'it is closed', intervalMs: 0, timeoutMs: 30_000 },
    );
    return last;
  }

  it('is closed within its bound and gets the reason; the others miss nothing', async () => {
    const stalled = await connectRaw();
    const others = await Promise.all(upTo(10).map(() => connect({ transports: ['websocket'] })));
    stalled.pause();
    const last = await publishUntilClosed(others);

    const [backlog] = server.overflows;
    expect(server.overflows).toHaveLength(1);
    expect(backlog?.bytes).toBeGreaterThan(limits.maxUnsentBytes);
    expect(backlog?.bytes).toBeLessThan(limits.maxUnsentBytes + 2 * text.length);
    const { socket, writer } = theServed(0);
    expect(writer.isClosed).toBe(true);
    expect(socket.connected).toBe(false);

    for (const other of others) {
      await waitFor(() => other.received.length === last, { what: 'the others have everything' });
      expect(numbers(other)).toEqual(upTo(last));
    }

    stalled.resume();
    await waitFor(() => stalled.closeFrame !== undefined, { what: 'it reads the close frame' });
    expect(stalled.closeFrame).toEqual({ code: 4008, reason: 'SLOW_CLIENT' });
    const said = JSON.stringify([CONNECTION_CLOSING_EVENT, describeClosing('SLOW_CLIENT')]);
    expect(stalled.messages.at(-1)).toBe(`42${said}`);
    const got = stalled.messages.slice(0, -1).map((message) => Number(/"n":(\d+)/.exec(message)?.[1]));
    expect(got).toEqual(upTo(got.length));
    expect(writer.handed?.seq).toBe(got.length);
  });

  it('has what waited for it dropped at once', async () => {
    const stalled = await connectRaw();
    stalled.pause();
    await publishUntilClosed();
    const { socket, writer } = theServed(0);
    // The WebSocket holds what was handed over last; everything else is gone.
    expect(writer.backlog.bytes).toBeLessThanOrEqual(256 * 1024 + 2 * text.length);
    expect(waitingPackets(socket.conn)).toEqual([]);
  });

  it('leaves no event behind in memory', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: unknown = runInNewContext('gc');
    if (typeof collectGarbage !== 'function') throw new Error('there is no gc');
    const stalled = await connectRaw();
    stalled.pause();
    const waiting: WeakRef<EncodedEvent>[] = [];
    const { writer } = theServed(0);
    await waitFor(
      () => {
        const event = new EncodedEvent(server.next(text));
        waiting.push(new WeakRef(event));
        writer.write(event);
        return server.overflows.length > 0;
      },
      { what: 'it is closed', intervalMs: 0 },
    );
    await waitFor(
      async () => {
        await nextTurn();
        collectGarbage();
        return waiting.every((reference) => reference.deref() === undefined);
      },
      { what: 'all events are collected' },
    );
  });

  it('is cut off when it never reads', async () => {
    const stalled = await connectRaw();
    stalled.pause();
    await publishUntilClosed();
    const open = () =>
      new Promise<number>((resolve, reject) => {
        server.http.getConnections((error, count) => (error ? reject(error) : resolve(count)));
      });
    await waitFor(async () => (await open()) === 0, { what: 'the connection is gone', timeoutMs: 20_000 });
  });

  it('is closed for too many events as well, however small', async () => {
    await server.stop();
    server = await FanoutServer.start(redis.url, {
      limits: { maxUnsentBytes: 64 * 1024 * 1024, maxUnsentPackets: 100 },
    });
    const stalled = await connectRaw();
    stalled.pause();
    await publishUntilClosed();
    expect(server.overflows).toMatchObject([{ packets: 101 }]);
  });

  it('over polling gets the reason with its next polls', async () => {
    const base = `${server.url}/socket.io/?EIO=4&transport=polling`;
    const opened = await (await fetch(base)).text();
    const session = `${base}&sid=${(JSON.parse(opened.slice(1)) as { sid: string }).sid}`;
    await fetch(session, { method: 'POST', body: '40' });
    await waitFor(() => server.served.length === 1, { what: 'the server has the socket' });
    await publishUntilClosed();

    const said = JSON.stringify([CONNECTION_CLOSING_EVENT, describeClosing('SLOW_CLIENT')]);
    expect(await (await fetch(session)).text()).toBe(`42${said}`);
    expect((await (await fetch(session)).text()).split('\x1e')).toContain('1');
    await waitFor(() => !theServed(0).socket.connected, { what: 'its socket is gone' });
  });
});

describe('closing', () => {
  it('a Socket.IO client sees the code and the reason, and comes back by itself', async () => {
    const client = await connect({
      transports: ['websocket'],
      reconnection: true,
      reconnectionDelay: 10,
    });
    const said: unknown[] = [];
    client.socket.on(CONNECTION_CLOSING_EVENT, (...args: unknown[]) => said.push(args));
    const left = new Promise((resolve) => client.socket.once('disconnect', (...args) => resolve(args)));
    closeConnection(theServed(0).socket.conn, 'SLOW_CLIENT', ['/']);
    expect(await left).toMatchObject(['transport close', { context: { code: 4008, reason: 'SLOW_CLIENT' } }]);
    expect(said).toEqual([[describeClosing('SLOW_CLIENT')]]);
    await waitFor(() => server.served.length === 2, { what: 'it is back' });
  });
});

describe('drained', () => {
  it('resolves once the client has read, and not before', async () => {
    const slow = await connectRaw();
    const { writer } = theServed(0);
    slow.pause();
    let isDrained = false;
    let last = 0;
    await waitFor(
      () => {
        last = server.publish('x'.repeat(10_000));
        return writer.backlog.bytes > 500_000;
      },
      { what: 'much waits', intervalMs: 0 },
    );
    const drained = writer.drained(1000).then(() => {
      isDrained = true;
    });
    await nextTurn();
    expect(isDrained).toBe(false);
    slow.resume();
    await drained;
    expect(writer.backlog).toEqual({ bytes: 0, packets: 0 });
    await waitFor(() => slow.messages.length === last, { what: 'it has read everything' });
    await writer.drained(0);
  });

  it('resolves when the connection ends', async () => {
    const slow = await connectRaw();
    const { writer } = theServed(0);
    slow.pause();
    await waitFor(
      () => {
        server.publish('x'.repeat(10_000));
        return writer.backlog.bytes > 500_000;
      },
      { what: 'much waits', intervalMs: 0 },
    );
    const drained = writer.drained(0);
    slow.close();
    await drained;
    expect(writer.isClosed).toBe(true);
  });
});
