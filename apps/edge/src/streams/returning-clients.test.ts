import { SUBSCRIPTION_RESET_EVENT } from '@wafleet/contract';
import { RawConnection, SeverablePort, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';

const NAMESPACE = '/api/events';
const fixture = useEdges();

/** A JavaScript client that reconnects, and the port between it and the edge. */
async function connect(): Promise<{ client: SocketClient; port: SeverablePort }> {
  const port = fixture.keep(await SeverablePort.open(Number(new URL(fixture.edge.url).port)));
  const client = fixture.keep(
    new SocketClient(`http://127.0.0.1:${port.port}${NAMESPACE}`, {
      auth: { token: fixture.tenant.key },
      transports: ['websocket'],
      reconnection: true,
      reconnectionDelay: 20,
      reconnectionDelayMax: 50,
    }),
  );
  return { client: await client.connected(), port };
}

async function cutOff({ client, port }: { client: SocketClient; port: SeverablePort }): Promise<void> {
  port.sever();
  await waitFor(() => !client.socket.connected, { what: 'it is cut off' });
}

async function comeBack({ client, port }: { client: SocketClient; port: SeverablePort }): Promise<void> {
  port.restore();
  await waitFor(() => client.socket.connected, { what: 'it is back' });
}

const recordKeys = () => fixture.cluster.connection.keys(`wf:{${fixture.tenant.tenantId}}:resume:*`);

/** What the edge knows of the only client. */
async function record(): Promise<Record<string, string>> {
  const [key = ''] = await recordKeys();
  return fixture.cluster.connection.hgetall(key);
}

async function openSockets(): Promise<number> {
  const text = await (await fetch(`${fixture.edge.url}/metrics`)).text();
  const counts = text.matchAll(/^wafleet_edge_sockets\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('a client that comes back', () => {
  it('gets no report of a lost subscription if it had none', async () => {
    const connected = await connect();
    await cutOff(connected);
    await comeBack(connected);
    expect(await connected.client.subscribe(['call'])).toMatchObject({ ok: true });
    expect(connected.client.errors).toEqual([]);
  });

  it.each([
    ['had none', async () => {}],
    [
      'ended it',
      async (client: SocketClient) => {
        await client.subscribe(['call', 'presence.update']);
        await client.unsubscribe(['*']);
      },
    ],
  ])('after it left of its own accord gets no such report either if it %s', async (_what, before) => {
    const { client } = await connect();
    await before(client);
    client.socket.disconnect();
    await waitFor(async () => (await openSockets()) === 0, { what: 'the edge sees that it left' });
    client.socket.connect();
    await client.connected();
    expect(await client.subscribe(['presence.update'])).toMatchObject({ ok: true });
    expect(client.errors).toEqual([]);
    await fixture.publish(1);
    await client.payloads(1);
  });

  it('gets an error if what it had is not known any more', async () => {
    const connected = await connect();
    await connected.client.subscribe(['call']);
    await cutOff(connected);
    await fixture.cluster.connection.del(...(await recordKeys()));
    await comeBack(connected);
    await waitFor(() => connected.client.errors.length > 0, { what: 'the error arrives' });
    expect(connected.client.errors).toMatchObject([{ code: 'SUBSCRIPTION_LOST' }]);
    await cutOff(connected);
    await comeBack(connected);
    await connected.client.subscribe(['call']);
    expect(connected.client.errors).toHaveLength(1);
  });

  it('gets an error if what it had cannot be read', async () => {
    const connected = await connect();
    await connected.client.subscribe(['call']);
    await cutOff(connected);
    const [key = ''] = await recordKeys();
    await fixture.cluster.connection.hset(key, 'subscription', '[["*",["event.of.tomorrow"]]]');
    await comeBack(connected);
    await waitFor(() => connected.client.errors.length > 0, { what: 'the error arrives' });
    expect(connected.client.errors).toMatchObject([{ code: 'SUBSCRIPTION_LOST' }]);
  });
});

describe('a client that is cut off while it receives snapshots of its sessions', () => {
  /** A client that answers pings only when the test makes it, and so proves nothing by itself. */
  async function join(pid?: string): Promise<{ raw: RawConnection; pid: string }> {
    const raw = fixture.keep(await RawConnection.open(fixture.edge.url));
    const answer = await raw.join(NAMESPACE, {
      token: fixture.tenant.key,
      ...(pid === undefined ? {} : { pid }),
    });
    const given = /"pid":"([^"]+)"/.exec(answer)?.[1];
    if (given === undefined) throw new Error(`no pid: ${answer}`);
    return { raw, pid: given };
  }

  const subscribe = (raw: RawConnection) =>
    raw.send(`42${NAMESPACE},["subscribe",["connection.update","presence.update"]]`);
  const SNAPSHOT = /"connection\.update",.*"snapshot":true/;
  const isSubscribed = () =>
    waitFor(async () => (await record()).subscription !== undefined, { what: 'it is known' });
  /** Waits for the snapshots, and proves their arrival by answering a ping. */
  async function introduce(raw: RawConnection): Promise<void> {
    await raw.answer(SNAPSHOT);
    await raw.answer(/^2$/);
    raw.send('3');
    await waitFor(async () => (await record()).introduced === '1', { what: 'it is known to have it' });
  }

  it('gets them again when it comes back, until they have provably arrived', async () => {
    const first = await join();
    first.raw.pause();
    subscribe(first.raw);
    await isSubscribed();
    first.raw.close();

    const second = await join(first.pid);
    expect(second.pid).toBe(first.pid);
    expect(await second.raw.answer(SNAPSHOT)).toContain('"sessionId":"shop-1"');
    second.raw.close();

    const third = await join(first.pid);
    await introduce(third.raw);
    third.raw.close();

    const fourth = await join(first.pid);
    await fixture.publish(1);
    await fourth.raw.answer(/"presence\.update"/);
    expect(fourth.raw.messages.filter((message) => SNAPSHOT.test(message))).toEqual([]);
  });

  it('after a loss gets the report of the loss again as well', async () => {
    const first = await join();
    subscribe(first.raw);
    await introduce(first.raw);
    first.raw.close();
    await fixture.publish(3);
    await fixture.cluster.connection.xtrim(`wf:{${fixture.tenant.tenantId}}:log`, 'MAXLEN', 0);
    for (let time = 1; time <= 2; time += 1) {
      const { raw } = await join(first.pid);
      await raw.answer(new RegExp(SUBSCRIPTION_RESET_EVENT));
      await raw.answer(SNAPSHOT);
      raw.close();
    }
  });

  it('and subscribes to more gets all of them again, as long as it has not got the rest', async () => {
    const first = await join();
    subscribe(first.raw);
    await introduce(first.raw);
    first.raw.send(`42${NAMESPACE},["subscribe",["auth.qr"]]`);
    await waitFor(async () => (await record()).introduced === '0', { what: 'more is on its way' });
    first.raw.close();
    await (await join(first.pid)).raw.answer(SNAPSHOT);
  });
});

describe('a JavaScript client that comes back', () => {
  it('does not get the snapshots of its sessions again', async () => {
    const connected = await connect();
    const { client } = connected;
    await client.subscribe(['connection.update', 'presence.update']);
    await waitFor(async () => (await record()).introduced === '1', { what: 'it is known to have it' });
    expect(client.reported).toHaveLength(1);
    await cutOff(connected);
    await comeBack(connected);
    await fixture.publish(1);
    await client.payloads(1);
    expect(client.reported).toHaveLength(2);
  });
});

describe('a client that is away', () => {
  const HOUR_MS = 60 * 60 * 1000;

  it.each([
    [1 * HOUR_MS, 24 * HOUR_MS],
    [72 * HOUR_MS, 72 * HOUR_MS],
  ])(
    'is remembered as long as the log keeps events (%d ms), and for a day at least',
    async (eventLogMaxAgeMs, lifeMs) => {
      const edge = await fixture.cluster.startEdge({ eventLogMaxAgeMs });
      const client = fixture.keep(
        new SocketClient(`${edge.url}${NAMESPACE}`, { auth: { token: fixture.tenant.key } }),
      );
      await client.connected();
      await client.subscribe(['call']);
      const [key = ''] = await recordKeys();
      const remaining = () => fixture.cluster.connection.pttl(key);
      await waitFor(async () => (await remaining()) > lifeMs - HOUR_MS, {
        what: 'the client has answered a ping',
      });
      expect(await remaining()).toBeLessThanOrEqual(lifeMs);
    },
  );
});
