import { setTimeout as delay } from 'node:timers/promises';
import { SUBSCRIPTION_RESET_EVENT, type SubscriptionReset } from '@wafleet/contract';
import { SeverablePort, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';

const fixture = useEdges(2);

type Options = ConstructorParameters<typeof SocketClient>[1] & { url?: string };

function connect({ url = fixture.edge.url, auth = {}, ...options }: Options = {}): Promise<SocketClient> {
  const client = new SocketClient(`${url}/api/events`, {
    auth: { token: fixture.tenant.key, ...auth },
    transports: ['websocket'],
    reconnectionDelay: 20,
    reconnectionDelayMax: 50,
    ...options,
  });
  return fixture.keep(client).connected();
}

/** A port that leads to the first edge, for clients that are to be moved to the second one. */
async function balancer(): Promise<SeverablePort> {
  return fixture.keep(await SeverablePort.open(Number(new URL(fixture.edge.url).port)));
}

const payloadsOf = (client: SocketClient) =>
  client.received.map(({ args }) => args[0] as { id: string; eventId: string; sessionId: string });
const ids = (client: SocketClient) => payloadsOf(client).map(({ id }) => id);
/** Each value once, in the order of first occurrence. */
const distinct = (values: readonly string[]) => [...new Set(values)];

function resets(client: SocketClient): SubscriptionReset[] {
  const seen: SubscriptionReset[] = [];
  client.socket.on(SUBSCRIPTION_RESET_EVENT, (reset: SubscriptionReset) => seen.push(reset));
  return seen;
}

async function received(client: SocketClient, expected: readonly string[]): Promise<void> {
  await client.payloads(expected.length);
  expect(ids(client)).toEqual(expected);
}

describe('since', () => {
  it('brings what came after an event, then what comes, each once and in order', async () => {
    const first = await connect();
    await first.subscribe(['presence.update']);
    const seen = await fixture.publish(3);
    await received(first, seen);
    const since = payloadsOf(first)[1]?.eventId;
    first.close();
    const missed = await fixture.publish(1_500);

    const second = await connect({ url: fixture.otherEdge.url });
    const lost = resets(second);
    const ack = await second.subscribe({ events: ['presence.update'], since });
    expect(ack).toMatchObject({ ok: true, recovered: true, position: since });
    await received(second, [...seen.slice(2), ...missed, ...(await fixture.publish(2))]);
    expect(lost).toEqual([]);
  });

  it('loses and repeats nothing while events go on coming', async () => {
    const position = await (await connect()).subscribe(['call']);
    const since = 'position' in position ? position.position : undefined;
    const missed = await fixture.publish(2_000);
    const client = await connect();
    let goesOn = true;
    const live: string[] = [];
    const publishing = (async () => {
      while (goesOn) live.push(...(await fixture.publish()));
    })();
    await client.subscribe({ events: ['*'], since });
    await client.payloads(missed.length + 50);
    goesOn = false;
    await publishing;
    await received(client, [...missed, ...live]);
  });

  it('takes the position of an acknowledgement, of a log without events too', async () => {
    const ack = await (await connect()).subscribe(['*']);
    expect(ack).toMatchObject({ ok: true, position: expect.any(String) });
    expect(ack).not.toHaveProperty('recovered');
    const missed = await fixture.publish(2);
    const client = await connect();
    const since = 'position' in ack ? ack.position : undefined;
    expect(await client.subscribe({ events: ['presence.update'], since })).toMatchObject({ recovered: true });
    await received(client, missed);
  });

  it('brings only what is subscribed to, and what was subscribed to before goes on without a gap', async () => {
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const client = await connect();
    const ack = await client.subscribe({ events: ['presence.update'], sessions: ['shop-1'] });
    const here = await fixture.publish(2);
    const there = await fixture.publish(2, other);
    await received(client, here);
    const since = 'position' in ack ? ack.position : undefined;
    const again = client.subscribe({ events: ['presence.update'], sessions: ['shop-2'], since });
    const later = await fixture.publish(3);
    expect(await again).toMatchObject({ recovered: true });
    await client.payloads(7);
    const of = (session: string) =>
      payloadsOf(client).flatMap(({ sessionId, id }) => (sessionId === session ? [id] : []));
    expect(of('shop-1')).toEqual([...here, ...later]);
    expect(of('shop-2')).toEqual(there);
  });

  it('that the log has lost gets a report of the lost range, and what is left comes', async () => {
    const client = await connect();
    await client.subscribe(['presence.update']);
    const ids = await fixture.publish(10);
    await received(client, ids);
    const eventIds = payloadsOf(client).map(({ eventId }) => eventId);
    await fixture.cluster.connection.xtrim(`wf:{${fixture.tenant.tenantId}}:log`, 'MAXLEN', 4);

    const late = await connect();
    const lost = resets(late);
    const ack = await late.subscribe({ events: ['presence.update'], since: eventIds[1] });
    expect(ack).toMatchObject({ ok: true, recovered: false });
    await received(late, ids.slice(6));
    expect(lost).toEqual([{ lost: { after: eventIds[1], before: eventIds[6] } }]);
  });

  it.each(['1-5', '999999999999999-5', '1795326841000-1', 'zzz-9'])(
    'that is not a position of this log (%s) gets a report of a loss',
    async (since) => {
      await fixture.publish(2);
      const client = await connect();
      const lost = resets(client);
      expect(await client.subscribe({ events: ['*'], since })).toMatchObject({ ok: true, recovered: false });
      const [next] = await fixture.publish();
      await waitFor(() => ids(client).at(-1) === next, { what: 'the next event comes' });
      expect(lost).toHaveLength(1);
    },
  );

  it.each(['', '5', 'a-b', '1-2-3', 7, null, '1'.repeat(1_000), ['1-2'], '1-99999999999999999999'])(
    'that is not an eventId (%j) is refused',
    async (since) => {
      const client = await connect();
      const ack = await client.subscribe({ events: ['*'], since });
      expect(ack).toMatchObject({ ok: false, error: { code: 'VALIDATION_FAILED' } });
    },
  );
});

describe('a handshake with events', () => {
  it('subscribes', async () => {
    const client = await connect({
      auth: { events: ['presence.update', 'connection.update'], sessions: ['shop-1'] },
    });
    await waitFor(() => client.reported.length > 0, { what: 'the snapshot of the session arrives' });
    await received(client, await fixture.publish(2));
  });

  it('goes on after a position', async () => {
    const ack = await (await connect()).subscribe(['presence.update']);
    const since = 'position' in ack ? ack.position : undefined;
    const missed = await fixture.publish(2);
    await received(await connect({ auth: { events: ['presence.update'], since } }), missed);
  });

  it('gets an event that reports a mistake', async () => {
    const client = await connect({ auth: { events: ['no.such'] } });
    await waitFor(() => client.errors.length > 0, { what: 'the error arrives' });
    expect(client.errors).toMatchObject([{ code: 'UNKNOWN_EVENT' }]);
  });
});

describe('a JavaScript client that reconnects', () => {
  it.each(['websocket', 'polling'])(
    'to another edge over %s finds its subscription, and what it missed',
    async (transport) => {
      const port = await balancer();
      const client = await connect({
        url: `http://127.0.0.1:${port.port}`,
        reconnection: true,
        transports: [transport],
      });
      const lost = resets(client);
      await client.subscribe(['presence.update']);
      const before = await fixture.publish(5);
      await received(client, before);
      port.sever();
      await waitFor(() => !client.socket.connected, { what: 'it is cut off' });
      const missed = await fixture.publish(700);
      port.moveTo(Number(new URL(fixture.otherEdge.url).port));
      port.restore();
      const after = await fixture.publish(5);
      const all = [...before, ...missed, ...after];
      await waitFor(() => distinct(ids(client)).length >= all.length, { what: 'it has everything' });
      expect(distinct(ids(client))).toEqual(all);
      expect(lost).toEqual([]);
    },
  );

  it('gets again what was under way when the network broke in silence', async () => {
    const port = await balancer();
    const client = await connect({ url: `http://127.0.0.1:${port.port}`, reconnection: true });
    await client.subscribe(['presence.update']);
    const before = await fixture.publish(3);
    await received(client, before);
    port.freeze();
    const vanished = await fixture.publish(20);
    await delay(50);
    expect(ids(client)).toEqual(before);
    port.sever();
    port.restore();
    const all = [...before, ...vanished, ...(await fixture.publish(1))];
    await waitFor(() => distinct(ids(client)).length >= all.length, { what: 'it has everything' });
    expect(distinct(ids(client))).toEqual(all);
  });

  it('does not get again, after a second loss, what it got after the first', async () => {
    const port = await balancer();
    const client = await connect({ url: `http://127.0.0.1:${port.port}`, reconnection: true });
    await client.subscribe(['presence.update']);
    port.sever();
    const missed = await fixture.publish(50);
    port.restore();
    await received(client, missed);
    const [recordKey = ''] = await fixture.cluster.connection.keys(
      `wf:{${fixture.tenant.tenantId}}:resume:*`,
    );
    const last = payloadsOf(client).at(-1)?.eventId;
    await waitFor(async () => (await fixture.cluster.connection.hget(recordKey, 'position')) === last, {
      what: 'what it got is known',
    });
    port.sever();
    await waitFor(() => !client.socket.connected, { what: 'it is cut off' });
    const later = await fixture.publish(3);
    port.restore();
    await received(client, [...missed, ...later]);
  });

  it('goes on after it unsubscribed from some', async () => {
    const port = await balancer();
    const client = await connect({ url: `http://127.0.0.1:${port.port}`, reconnection: true });
    await client.subscribe(['presence.update', 'messages.delete']);
    await client.unsubscribe(['presence.update']);
    port.moveTo(Number(new URL(fixture.otherEdge.url).port));
    await waitFor(() => client.socket.connected, { what: 'it is back' });
    await fixture.publish(2);
    await fixture.worker.publish(fixture.shop, 'messages.delete', { jid: 'a@lid', all: true });
    await waitFor(() => client.received.length > 0, { what: 'the event comes' });
    expect(client.received.map(({ event }) => event)).toEqual(['messages.delete']);
  });

  it('goes on with all sessions of its key’s list, and with no others', async () => {
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId, {
      sessions: ['shop-1', 'later'],
    });
    const port = await balancer();
    const url = `http://127.0.0.1:${port.port}`;
    const client = await connect({ url, auth: { token: key }, reconnection: true });
    await client.subscribe(['presence.update']);
    port.sever();
    await waitFor(() => !client.socket.connected, { what: 'it is cut off' });
    const later = await fixture.worker.own(fixture.tenant.tenantId, 'later');
    await fixture.publish(2, other);
    const missed = [...(await fixture.publish(2)), ...(await fixture.publish(1, later))];
    port.moveTo(Number(new URL(fixture.otherEdge.url).port));
    port.restore();
    await received(client, missed);
    await fixture.publish(1, other);
    await received(client, [...missed, ...(await fixture.publish(1, later))]);
  });

  it('begins again after it disconnected of its own accord', async () => {
    const client = await connect();
    await client.subscribe(['presence.update']);
    client.socket.disconnect();
    const resumeKeys = () => fixture.cluster.connection.keys(`wf:{${fixture.tenant.tenantId}}:resume:*`);
    await waitFor(async () => (await resumeKeys()).length === 0, { what: 'its record is gone' });
    client.socket.connect();
    await client.connected();
    await waitFor(() => client.errors.length > 0, { what: 'the error arrives' });
    expect(client.errors).toMatchObject([{ code: 'SUBSCRIPTION_LOST' }]);
  });
});

describe('the secret of a client', () => {
  async function secretOf(client: SocketClient): Promise<string> {
    const secret: unknown = Reflect.get(client.socket, '_pid');
    expect(secret).toMatch(/^[A-Za-z0-9_-]{32}$/);
    return String(secret);
  }

  it('is not stored', async () => {
    const client = await connect();
    await client.subscribe(['*']);
    const secret = await secretOf(client);
    const found = await fixture.cluster.connection.keys('*');
    expect(found.filter((key) => key.includes(secret))).toEqual([]);
  });

  it('opens nothing with another key, of the same tenant or of another one', async () => {
    const victim = await connect();
    await victim.subscribe(['*']);
    const pid = await secretOf(victim);
    const { key: sameTenant } = await fixture.cluster.createKey(fixture.tenant.tenantId);
    const { key: otherTenant } = await fixture.cluster.createTenant('another');
    for (const token of [sameTenant, otherTenant]) {
      const thief = await connect({ auth: { token, pid } });
      await waitFor(() => thief.errors.length > 0, { what: 'the error arrives' });
      expect(thief.errors).toMatchObject([{ code: 'SUBSCRIPTION_LOST' }]);
      await fixture.publish(1);
      await thief.subscribe(['call']);
      expect(thief.received).toEqual([]);
      expect(await secretOf(thief)).not.toBe(pid);
    }
  });

  it.each(['', 'short', 'x'.repeat(100_000).slice(0, 90_000), 7, null, { $ne: '' }, ['a']])(
    'that is none (%j) is passed over',
    async (pid) => {
      const client = await connect({ auth: { pid } });
      await client.subscribe(['presence.update']);
      await received(client, await fixture.publish(1));
    },
  );
});
