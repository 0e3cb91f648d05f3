import { metricOf, waitFor } from '@wafleet/testkit';
import { Socket as RawSocket } from 'engine.io-client';
import { beforeEach, describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';
import type { TestTenant } from '../testing/test-cluster.js';

const FLOOD = 300;
/** Half of them. Without turns, all would have begun before the last request. */
const FEW = FLOOD / 2;

const fixture = useEdges();
let neighbour: TestTenant;

beforeEach(async () => {
  neighbour = await fixture.cluster.createTenant();
  await fixture.worker.own(neighbour.tenantId, 'shop-1');
});

function connect({ key }: TestTenant): Promise<SocketClient> {
  const address = `${fixture.edge.url}/api/events`;
  const client = new SocketClient(address, { auth: { token: key }, transports: ['websocket'] });
  return fixture.keep(client).connected();
}

/** Has many sockets subscribe, and counts the acknowledgements. */
function subscribeAll(sockets: readonly SocketClient[]) {
  const counted = { acknowledged: 0 };
  const done = Promise.all(
    sockets.map(async (socket) => {
      await socket.subscribe(['call']);
      counted.acknowledged += 1;
    }),
  );
  return { counted, done };
}

/** This request takes more than those of the others, so it does not overtake them on the way. */
const subscribe = (socket: SocketClient) => socket.subscribe({ events: ['call'], since: '0-0' });

describe('what many sockets of a tenant ask for at the same time', () => {
  it('begins in turn with what a socket of another tenant asks for', async () => {
    const greedy = await Promise.all(Array.from({ length: FLOOD }, () => connect(fixture.tenant)));
    const other = await connect(neighbour);
    const { counted, done } = subscribeAll(greedy);
    expect(await subscribe(other)).toMatchObject({ ok: true });
    expect(counted.acknowledged).toBeLessThan(FEW);
    await done;
  });

  it('begins in turn with a REST call of another tenant', async () => {
    const greedy = await Promise.all(Array.from({ length: FLOOD }, () => connect(fixture.tenant)));
    const client = fixture.edge.client(neighbour.key);
    const read = () => client.call('get-session', { params: { id: 'shop-1' } });
    // Opens the connection and makes the edge know the key.
    await read();
    const { counted, done } = subscribeAll(greedy);
    await read();
    expect(counted.acknowledged).toBeLessThan(FEW);
    await done;
  });

  it('begins in turn with what another API key of the tenant asks for', async () => {
    const greedy = await Promise.all(Array.from({ length: FLOOD }, () => connect(fixture.tenant)));
    const other = await connect(await fixture.cluster.createKey(fixture.tenant.tenantId));
    const { counted, done } = subscribeAll(greedy);
    expect(await subscribe(other)).toMatchObject({ ok: true });
    expect(counted.acknowledged).toBeLessThan(FEW);
    await done;
  });
});

it('handshakes of many sockets of a tenant begin in turn with one of another tenant', async () => {
  // The edge knows both keys.
  await Promise.all([connect(fixture.tenant), connect(neighbour)]);
  const connecting = await Promise.all(
    Array.from({ length: FLOOD + 1 }, async () => {
      const socket = fixture.keep(
        new RawSocket(fixture.edge.url, { path: '/socket.io', transports: ['websocket'] }),
      );
      await new Promise((resolve) => socket.once('open', () => resolve(undefined)));
      return socket;
    }),
  );
  const enter = (socket: RawSocket, { key }: TestTenant) => {
    socket.send(`0/api/events,${JSON.stringify({ token: key })}`);
    return new Promise<string>((resolve) => socket.once('message', (frame) => resolve(String(frame))));
  };
  const greedy = connecting.slice(0, FLOOD);
  const [other = expect.fail()] = connecting.slice(FLOOD);
  let entered = 0;
  const done = greedy.map(async (socket) => {
    expect(await enter(socket, fixture.tenant)).toMatch(/^0\/api\/events,\{"sid"/);
    entered += 1;
  });
  expect(await enter(other, neighbour)).toMatch(/^0\/api\/events,\{"sid"/);
  expect(entered).toBeLessThan(FEW);
  await Promise.all(done);
});

it('what a socket asks for does not begin once it is gone', async () => {
  const each = 30;
  const greedy = await Promise.all(Array.from({ length: FLOOD }, () => connect(fixture.tenant)));
  const { connection } = fixture.cluster;
  await connection.config('RESETSTAT');
  for (const { socket } of greedy) {
    for (let count = 0; count < each; count += 1) socket.emit('subscribe', ['call']);
  }
  const waiting = () => metricOf(fixture.edge, 'wafleet_edge_waiting_requests');
  await waitFor(async () => (await waiting()) > FEW, { what: 'most of them wait' });
  for (const client of greedy) client.close();
  const sockets = () => metricOf(fixture.edge, 'wafleet_edge_sockets{namespace="/api/events"}');
  await waitFor(async () => (await sockets()) === 0, { what: 'they are gone' });
  await waitFor(async () => (await waiting()) === 0, { what: 'nothing waits' });
  const scripts = /^cmdstat_evalsha:calls=(\d+)/m.exec(await connection.info('commandstats'))?.[1];
  // One script runs for each subscription that begins.
  expect(Number(scripts)).toBeLessThan((FLOOD * each) / 2);
});
