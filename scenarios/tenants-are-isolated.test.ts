import {
  type Cluster,
  collectEvents,
  type EventCollector,
  listSessions,
  startCluster,
  type TestTenant,
  waitFor,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const TENANTS = 10;
const SESSIONS_PER_TENANT = 5;

interface Watched {
  readonly tenant: TestTenant;
  readonly events: EventCollector;
  readonly sessionIds: readonly string[];
}

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ workers: 2, edges: 2, placers: 1 });
});

afterAll(async () => {
  await cluster?.stop();
});

test('50 sessions of 10 tenants on 2 workers: each tenant gets all of its own events and none of another’s', async () => {
  const { simulator } = cluster;
  const carl = simulator.addPhone({ name: 'Carl' });

  const watched: Watched[] = await Promise.all(
    Array.from({ length: TENANTS }, async (_, index) => {
      const tenant = await cluster.addTenant(`tenant ${index}`);
      const edge = cluster.edges[index % cluster.edges.length];
      const events = await collectEvents(edge?.url ?? '', tenant.apiKey, ['*']);
      // All tenants use the same ids for their sessions: a leak cannot hide behind a name.
      const sessionIds = Array.from({ length: SESSIONS_PER_TENANT }, (__, session) => `session-${session}`);
      return { tenant, events, sessionIds };
    }),
  );

  const phones = new Map<string, { number: string; messageId: string }>();
  await Promise.all(
    watched.map(async ({ tenant, sessionIds }) => {
      for (const sessionId of sessionIds) {
        const phone = simulator.addPhone({ name: `${tenant.id} ${sessionId}` });
        await tenant.client.call('create-session', { body: { id: sessionId } });
        await cluster.linkByQr(tenant.client, sessionId, phone);
        const { id } = await carl.send(phone, { text: `for ${tenant.id} ${sessionId}` });
        phones.set(`${tenant.id} ${sessionId}`, { number: phone.number, messageId: id });
      }
    }),
  );

  for (const { tenant, events, sessionIds } of watched) {
    for (const sessionId of sessionIds) {
      const expected = phones.get(`${tenant.id} ${sessionId}`);
      await events.waitForEvent(
        'messages.upsert',
        (payload) =>
          payload.sessionId === sessionId &&
          payload.messages.some(({ key }) => key.id === expected?.messageId),
        { timeoutMs: 30_000, what: `for ${tenant.id} ${sessionId}` },
      );
    }
  }

  // Every message and account that a client received belongs to its own tenant.
  for (const { tenant, events } of watched) {
    const texts = events
      .payloads('messages.upsert')
      .flatMap(({ messages }) => messages.map(({ message }) => message?.conversation))
      .filter((text): text is string => typeof text === 'string');
    expect(texts.filter((text) => !text.startsWith(`for ${tenant.id} `))).toEqual([]);
    const accounts = events.payloads('creds.update').flatMap(({ me }) => me?.id.split(/[:@]/)[0] ?? []);
    const own = [...phones]
      .filter(([name]) => name.startsWith(`${tenant.id} `))
      .map(([, { number }]) => number);
    expect(new Set(accounts)).toEqual(new Set(own));
    expect(events.strays).toEqual([]);
  }

  // Each tenant's log numbers its own events without gaps, so an event of another tenant would leave a gap.
  for (const { tenant, events } of watched) {
    const sequence = () =>
      events.events.map(({ payload }) => Number((payload as { eventId: string }).eventId.split('-')[1]));
    await waitFor(
      () => sequence().every((seq, index, all) => index === 0 || seq === (all[index - 1] ?? 0) + 1),
      {
        what: `an unbroken sequence for ${tenant.id}`,
      },
    );
    expect((await listSessions(tenant.client)).map(({ id, status }) => [id, status])).toEqual(
      expect.arrayContaining([['session-0', 'open']]),
    );
    expect(await listSessions(tenant.client)).toHaveLength(SESSIONS_PER_TENANT);
  }

  const placedOn = await Promise.all(watched.map(({ tenant }) => listSessions(tenant.client)));
  const workers = new Set(placedOn.flat().map(({ worker }) => worker));
  expect(workers.size, 'both workers own sessions').toBe(2);
  for (const { events } of watched) events.close();
});

test('a tenant cannot reach a session of another tenant by its id', async () => {
  const owner = await cluster.addTenant('owner');
  const stranger = await cluster.addTenant('stranger');
  await owner.client.call('create-session', { body: { id: 'private' } });

  const notFound = expect.objectContaining({ code: 'SESSION_NOT_FOUND' });
  await expect(stranger.client.call('get-session', { params: { id: 'private' } })).rejects.toThrow(notFound);
  await expect(stranger.client.call('get-qr', { params: { id: 'private' } })).rejects.toThrow(notFound);
  await expect(
    stranger.client.call('pairing-code', { params: { id: 'private' }, body: { phone: '15551234567' } }),
  ).rejects.toThrow(notFound);
  await expect(
    stranger.client.call('send-message', {
      params: { id: 'private' },
      body: { to: '15551234567', text: 'hi' },
    }),
  ).rejects.toThrow(notFound);
  await expect(stranger.client.call('remove-session', { params: { id: 'private' } })).rejects.toThrow(
    notFound,
  );
  const [edge] = cluster.edges;
  await expect(
    collectEvents(edge?.url ?? '', stranger.apiKey, { events: ['*'], sessions: ['private'] }),
  ).rejects.toThrow(/SESSION_NOT_FOUND/);
  expect((await owner.client.call('get-session', { params: { id: 'private' } })).id).toBe('private');
});
