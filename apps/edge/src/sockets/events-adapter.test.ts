import { eventRoom } from '@wafleet/contract';
import { startRedis, type TestRedis, waitFor } from '@wafleet/testkit';
import { io, type Socket } from 'socket.io-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { EncodedEvent } from '../fanout/encoded-event.js';
import { FanoutServer } from '../testing/fanout-server.js';

let redis: TestRedis;
let edges: FanoutServer[];
const clients: Socket[] = [];

beforeAll(async () => {
  redis = await startRedis();
  edges = [await FanoutServer.start(redis.url), await FanoutServer.start(redis.url)];
  for (const [index, { url }] of edges.entries()) {
    clients.push(
      io(url + (index === 0 ? '/' : '/api/events'), { forceNew: true, transports: ['websocket'] }),
    );
    clients.push(io(`${url}/api/events`, { forceNew: true, transports: ['websocket'] }));
  }
  await waitFor(() => clients.every((client) => client.connected), { what: 'all are connected' });
});
afterAll(async () => {
  for (const client of clients) client.close();
  for (const edge of edges) await edge.stop();
  await redis.stop();
});

it('gives an event to the sockets of this edge alone, in all namespaces, once', async () => {
  const [one, other] = edges;
  if (one === undefined || other === undefined) throw new Error('there are two edges');
  for (const { socket } of one.served) await socket.join(eventRoom('tnt_test', 'shop-1', 'presence.update'));
  const heard: unknown[][] = clients.map(() => []);
  clients.forEach((client, index) => {
    client.on('presence.update', (...args) => heard[index]?.push(args));
  });
  one.publish();
  one.publish();
  expect(one.fanout.delivered).toBe(4);
  await waitFor(() => heard[0]?.length === 2 && heard[1]?.length === 2, { what: 'both have the events' });
  other.publish('the end');
  await waitFor(() => heard[2]?.length === 1 && heard[3]?.length === 1, { what: 'the others have theirs' });
  expect(heard[0]).toEqual([[{ n: 1, text: '' }], [{ n: 2, text: '' }]]);
  expect(heard[1]).toEqual(heard[0]);
});

it('gives nothing to other tenants, sessions or events', () => {
  const [one] = edges;
  if (one === undefined) throw new Error('there are two edges');
  const before = one.fanout.delivered;
  one.fanout.deliver('tnt_other', one.next());
  one.fanout.deliver('tnt_test', { ...one.next(), event: 'call' });
  expect(one.fanout.delivered).toBe(before);
});

it('leaves operations on the whole cluster to the Redis adapter', async () => {
  const [one] = edges;
  const seen = await one?.io.of('/api/events').fetchSockets();
  expect(seen?.map(({ id }) => id).sort()).toEqual(
    clients
      .slice(1)
      .map(({ id }) => id)
      .sort(),
  );

  const left = new Promise((resolve) => clients[3]?.once('disconnect', resolve));
  one?.io.of('/api/events').in(String(clients[3]?.id)).disconnectSockets(true);
  expect(await left).toBe('io server disconnect');
  const [gone] = edges[1]?.served.filter(({ socket }) => !socket.connected) ?? [];
  gone?.writer.write(
    new EncodedEvent({
      event: 'call',
      sessionId: 's',
      position: { epoch: '1', seq: 1 },
      body: Buffer.from('{}'),
    }),
  );
  expect(gone?.writer.backlog.packets).toBe(0);
});
