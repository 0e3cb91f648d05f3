import { EVENT_NAMES, type EventName, KEY_SCOPES, LINKING_EVENTS, NAMESPACES } from '@wafleet/contract';
import { ApiKeys, type Fence, type NewApiKey } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { FanoutServer } from '../testing/fanout-server.js';
import { SocketClient } from '../testing/socket-client.js';

const fixture = useEdges();

async function clientWith(limits: NewApiKey, namespace = '/api/events', claims = {}): Promise<SocketClient> {
  const { key } = await new ApiKeys(fixture.cluster.connection).create(fixture.tenant.tenantId, limits);
  const auth = { ...claims, token: key };
  return fixture.keep(new SocketClient(fixture.edge.url + namespace, { auth, transports: ['websocket'] }));
}

const connect = async (limits: NewApiKey) => (await clientWith(limits)).connected();

/** Publishes a QR code of the session, then an event that every client gets. */
async function publish(fence: Fence, id: string): Promise<void> {
  await fixture.worker.publish(fence, 'auth.qr', {
    qr: 'a secret',
    expiresAt: new Date(Date.now() + 60_000).toISOString(),
  });
  await fixture.worker.publish(fence, 'presence.update', { id, presences: {} });
}

/** The events that a client received, with their sessions, once it has the presence of `id`. */
async function heard(client: SocketClient, id: string): Promise<string[]> {
  const reported = () =>
    client.received.map(({ event, args: [payload] }) => ({ event, ...(payload as { id?: string }) }));
  await waitFor(() => reported().some((payload) => payload.id === id), { what: `${id} is heard` });
  return client.received
    .filter(({ event }) => event === 'auth.qr' || event === 'presence.update')
    .map(({ event, args: [payload] }) => `${event} of ${(payload as { sessionId: string }).sessionId}`);
}

describe.each(NAMESPACES)('connecting to %s', (namespace) => {
  it('needs events:read', async () => {
    const without = await clientWith(
      { scopes: KEY_SCOPES.filter((scope) => scope !== 'events:read') },
      namespace,
    );
    const error = await without.refused();
    expect(error.message).toMatch(/events:read/);
    expect(error.data).toEqual({
      code: 'FORBIDDEN',
      message: error.message,
      details: { scope: 'events:read' },
    });
    await (await clientWith({ scopes: ['events:read'] }, namespace)).connected();
  });
});

describe('a handshake', () => {
  it('widens nothing by what it claims', async () => {
    const other = await fixture.cluster.createTenant();
    const theirs = await fixture.worker.own(other.tenantId, 'theirs');
    const claims = { scopes: [...KEY_SCOPES], sessions: ['theirs'], tenantId: other.tenantId, admin: true };
    const client = await clientWith({ scopes: ['events:read'], sessions: ['shop-1'] }, '/api/events', claims);
    await client.connected();
    expect(await client.subscribe(['auth.qr'])).toMatchObject({ ok: false, error: { code: 'FORBIDDEN' } });
    expect(await client.subscribe(['*'])).toMatchObject({ ok: true, sessions: ['shop-1'] });
    await publish(theirs, 'theirs@lid');
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['presence.update of shop-1']);
  });

  it.each([
    [{ events: ['auth.qr'] }, 'FORBIDDEN'],
    [{ events: ['call'], sessions: ['shop-2'] }, 'SESSION_NOT_FOUND'],
  ])('that asks for %j gets no more than a subscribe', async (claims, code) => {
    await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const client = await clientWith({ scopes: ['events:read'], sessions: ['shop-1'] }, '/api/events', claims);
    await waitFor(() => client.errors.length > 0, { what: 'it is refused' });
    expect(client.errors).toMatchObject([{ code }]);
  });
});

describe('the linking events', () => {
  const others = EVENT_NAMES.filter((event: EventName) => !LINKING_EVENTS.has(event));

  it('come to a key with sessions:write', async () => {
    const client = await connect({ scopes: ['events:read', 'sessions:write'] });
    expect(await client.subscribe(['*'])).toMatchObject({ ok: true, events: EVENT_NAMES });
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['auth.qr of shop-1', 'presence.update of shop-1']);
  });

  it('are left out of wildcards for another key', async () => {
    const client = await connect({ scopes: ['events:read', 'sessions:read', 'messages:write'] });
    expect(await client.subscribe(['*'])).toMatchObject({ ok: true, events: others, sessions: '*' });
    expect(await client.subscribe({ events: ['auth.*', 'call'], sessions: ['shop-1'] })).toMatchObject({
      ok: true,
      events: ['call'],
    });
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['presence.update of shop-1']);
  });

  it.each([[['auth.qr']], [['auth.*']], [['*', 'auth.qr']], [{ events: ['auth.qr'], sessions: ['shop-1'] }]])(
    'are refused to it when it asks for %j',
    async (request) => {
      const client = await connect({ scopes: ['events:read'] });
      expect(await client.subscribe(request)).toMatchObject({
        ok: false,
        error: {
          code: 'FORBIDDEN',
          details: { scope: 'sessions:write', events: expect.arrayContaining(['auth.qr']) },
        },
      });
      await client.subscribe(['presence.update']);
      await publish(fixture.shop, 'end@lid');
      expect(await heard(client, 'end@lid')).toEqual(['presence.update of shop-1']);
    },
  );
});

describe('a key with a list of sessions', () => {
  it('hears of those only, of one that is made later too', async () => {
    const client = await connect({ sessions: ['shop-1', 'later'] });
    expect(await client.subscribe(['presence.update'])).toMatchObject({
      ok: true,
      sessions: ['shop-1', 'later'],
    });
    const second = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const later = await fixture.worker.own(fixture.tenant.tenantId, 'later');
    for (const [index, fence] of [second, fixture.shop, later].entries())
      await publish(fence, `${index}@lid`);
    expect(await heard(client, '2@lid')).toEqual(['presence.update of shop-1', 'presence.update of later']);
  });

  it('is answered for others, existing or not, as for those that do not exist', async () => {
    const other = await fixture.cluster.createTenant();
    await fixture.worker.own(other.tenantId, 'theirs');
    await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const unlimited = await connect({});
    const client = await connect({ sessions: ['shop-1', 'theirs', 'later'] });
    const ask = async (asking: SocketClient, name: string) =>
      JSON.stringify(await asking.subscribe({ events: ['*'], sessions: ['shop-1', name] })).replaceAll(
        name,
        '…',
      );
    const expected = await ask(unlimited, 'unknown');
    expect(expected).toContain('SESSION_NOT_FOUND');
    for (const name of ['shop-2', 'theirs', 'unknown', 'later', 'SHOP-1']) {
      expect(await ask(client, name)).toBe(expected);
    }
  });

  it('hears of no session of another tenant, whatever its list says', async () => {
    const other = await fixture.cluster.createTenant();
    const theirs = await fixture.worker.own(other.tenantId, 'theirs');
    const client = await connect({ sessions: ['shop-1', 'theirs'] });
    await client.subscribe(['*']);
    await publish(theirs, 'theirs@lid');
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['auth.qr of shop-1', 'presence.update of shop-1']);
  });

  it('ends its subscription to all as one without a list does', async () => {
    const client = await connect({ sessions: ['shop-1'] });
    await client.subscribe(['auth.qr', 'presence.update']);
    expect(await client.unsubscribe(['auth.*'])).toMatchObject({ ok: true });
    await client.unsubscribe({ events: ['presence.update'], sessions: ['shop-1'] });
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['presence.update of shop-1']);
  });

  it('hears once of what it asks for by name and with all, and ends each by itself', async () => {
    const second = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const client = await connect({ sessions: ['shop-1', 'shop-2'] });
    const byName = { events: ['auth.qr', 'presence.update'], sessions: ['shop-1'] };
    await client.subscribe(['auth.qr', 'presence.update']);
    await client.subscribe(byName);
    await publish(fixture.shop, '1@lid');
    expect(await heard(client, '1@lid')).toEqual(['auth.qr of shop-1', 'presence.update of shop-1']);
    await client.unsubscribe(byName);
    await client.subscribe({ events: ['auth.qr'], sessions: ['shop-2'] });
    await client.unsubscribe(['auth.qr']);
    await publish(second, '2@lid');
    await publish(fixture.shop, '3@lid');
    expect((await heard(client, '3@lid')).slice(2)).toEqual([
      'presence.update of shop-2',
      'presence.update of shop-1',
    ]);
  });

  it('is in a room for each event, however long its list is', async () => {
    const sessions = Array.from({ length: 1_000 }, (_, index) => (index === 0 ? 'shop-1' : `s${index}`));
    const client = await connect({ sessions });
    expect(await client.subscribe(['*'])).toMatchObject({ ok: true, sessions });
    await publish(fixture.shop, 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['auth.qr of shop-1', 'presence.update of shop-1']);
    const server = await FanoutServer.start(fixture.cluster.redis.url);
    fixture.keep({ close: () => server.stop() });
    const sockets = await server.io.of('/api/events').fetchSockets();
    const found = sockets.find(({ id }) => id === client.socket.id);
    // The additional room is that of its own id.
    expect(found?.rooms.size).toBe(EVENT_NAMES.length + 1);
  });

  it('gets the earlier events and the current states of its own sessions, and of no others', async () => {
    const second = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const ack = await (await connect({})).subscribe(['call']);
    const since = 'position' in ack ? ack.position : undefined;
    await publish(second, '1@lid');
    await publish(fixture.shop, '2@lid');
    const late = await connect({ sessions: ['shop-1', 'later'] });
    await late.subscribe({ events: ['auth.qr', 'presence.update'], since });
    expect(await heard(late, '2@lid')).toEqual(['auth.qr of shop-1', 'presence.update of shop-1']);

    const client = await connect({ sessions: ['shop-1', 'later'] });
    await client.subscribe(['connection.update', 'presence.update']);
    await publish(fixture.shop, '3@lid');
    await heard(client, '3@lid');
    const states = client.reported.filter(({ event }) => event === 'connection.update');
    expect(states.map(({ args: [state] }) => (state as { sessionId: string }).sessionId)).toEqual(['shop-1']);
  });
});

describe('a key without limits', () => {
  it('hears of a session that is made later', async () => {
    const client = await connect({});
    await client.subscribe(['*']);
    await publish(await fixture.worker.own(fixture.tenant.tenantId, 'later'), 'end@lid');
    expect(await heard(client, 'end@lid')).toEqual(['auth.qr of later', 'presence.update of later']);
  });
});
