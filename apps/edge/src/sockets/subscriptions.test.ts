import { type ERRORS, EVENT_NAMES, NAMESPACES, type SubscribeAck } from '@wafleet/contract';
import type { Fence } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { SocketClient } from '../testing/socket-client.js';
import type { TestTenant } from '../testing/test-cluster.js';

const fixture = useEdges();

function connect(options: { namespace?: string; of?: TestTenant; transports?: string[] } = {}) {
  const { namespace = '/api/events', of = fixture.tenant, transports = ['websocket'] } = options;
  return fixture
    .keep(new SocketClient(fixture.edge.url + namespace, { auth: { token: of.key }, transports }))
    .connected();
}

const presence = (fence: Fence, id: string) =>
  fixture.worker.publish(fence, 'presence.update', { id, presences: {} });
const ids = (client: SocketClient) => client.received.map(({ args }) => (args[0] as { id?: string }).id);

describe.each(NAMESPACES)('events on %s', (namespace) => {
  it.each(['websocket', 'polling'])(
    'reach a subscriber over %s as exactly one argument',
    async (transport) => {
      const client = await connect({ namespace, transports: [transport] });
      await client.subscribe(['call', 'presence.update']);
      await presence(fixture.shop, 'a@lid');

      await client.payloads(1);
      expect(client.received).toEqual([
        {
          event: 'presence.update',
          args: [
            {
              eventId: expect.stringMatching(/^[0-9a-z]+-[0-9]+$/),
              sessionId: 'shop-1',
              timestamp: expect.any(String),
              id: 'a@lid',
              presences: {},
            },
          ],
        },
      ]);
    },
  );

  it('come in their order, none lost after the acknowledgement', async () => {
    const client = await connect({ namespace });
    await client.subscribe(['*']);
    const sent = Array.from({ length: 200 }, (_, index) => `${index}@lid`);
    for (const id of sent) await presence(fixture.shop, id);
    await client.payloads(sent.length);
    expect(ids(client)).toEqual(sent);
  });

  it('come only where they were subscribed', async () => {
    const all = await connect({ namespace });
    const one = await connect({ namespace });
    const none = await connect({ namespace });
    await all.subscribe(['*']);
    await one.subscribe({ events: ['presence.update'], sessions: ['shop-1'] });
    await none.subscribe(['messages.*']);
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');

    await presence(other, 'b@lid');
    await presence(fixture.shop, 'a@lid');
    await fixture.worker.publish(fixture.shop, 'call', {
      calls: [
        {
          id: 'C',
          chatId: 'a@lid',
          from: 'a@lid',
          date: '2026-11-22T05:54:34Z',
          status: 'offer',
          offline: false,
        },
      ],
    });
    await fixture.worker.publish(other, 'messages.delete', { jid: 'end@lid', all: true });

    await all.payloads(4);
    await none.payloads(1);
    expect(ids(all).slice(0, 2)).toEqual(['b@lid', 'a@lid']);
    expect(ids(one)).toEqual(['a@lid']);
    expect(none.received.map(({ event }) => event)).toEqual(['messages.delete']);
  });
});

describe('the acknowledgement of subscribe', () => {
  it('comes only once the edge receives the events, even when it has just lost its connection to Redis', async () => {
    const client = await connect();
    await fixture.cluster.connection.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    expect(await client.subscribe(['presence.update'])).toMatchObject({ ok: true });
    await presence(fixture.shop, 'a@lid');
    await client.payloads(1);
  });
});

describe('isolation', () => {
  it('gives a wildcard its own tenant’s events only, whatever sessions are called', async () => {
    const other = await fixture.cluster.createTenant();
    const theirs = await fixture.worker.own(other.tenantId, 'shop-1');
    const mine = await connect();
    const foreign = await connect({ of: other });
    await mine.subscribe(['*']);
    await mine.subscribe({ events: ['*'], sessions: ['shop-1'] });
    await foreign.subscribe(['*']);

    await presence(theirs, 'theirs@lid');
    await presence(fixture.shop, 'mine@lid');
    await mine.payloads(1);
    await foreign.payloads(1);
    expect(ids(mine)).toEqual(['mine@lid']);
    expect(ids(foreign)).toEqual(['theirs@lid']);
  });

  it('answers for foreign sessions as for unknown ones', async () => {
    const other = await fixture.cluster.createTenant();
    await fixture.worker.own(other.tenantId, 'theirs');
    const client = await connect();
    const answers = [];
    for (const session of ['theirs', 'unknown']) {
      const ack = await client.subscribe({ events: ['*'], sessions: ['shop-1', session] });
      answers.push(JSON.stringify(ack).replaceAll(session, '…'));
    }
    expect(answers[0]).toContain('SESSION_NOT_FOUND');
    expect(answers[0]).toBe(answers[1]);

    await presence(fixture.shop, 'a@lid');
    await client.subscribe(['presence.update']);
    await presence(fixture.shop, 'b@lid');
    await client.payloads(1);
    expect(ids(client)).toEqual(['b@lid']);
  });
});

describe('a wildcard subscription', () => {
  it('has the events of a session that is made later', async () => {
    const client = await connect();
    expect(await client.subscribe(['*'])).toMatchObject({
      ok: true,
      events: [...EVENT_NAMES],
      sessions: '*',
    });
    const later = await fixture.worker.own(fixture.tenant.tenantId, 'later');
    await presence(later, 'a@lid');
    expect(await client.payloads(1)).toMatchObject([{ sessionId: 'later' }]);
  });

  it('names a family of events', async () => {
    const client = await connect();
    expect(await client.subscribe(['messages.*', 'messages.update', 'call'])).toMatchObject({
      events: ['messages.upsert', 'messages.update', 'messages.reaction', 'messages.delete', 'call'],
    });
  });
});

describe('an event that is subscribed twice', () => {
  it('comes once', async () => {
    const client = await connect();
    await client.subscribe(['*']);
    await client.subscribe({ events: ['presence.update'], sessions: ['shop-1'] });
    await client.subscribe(['presence.update']);
    await presence(fixture.shop, 'a@lid');
    await presence(fixture.shop, 'b@lid');
    await client.payloads(2);
    expect(ids(client)).toEqual(['a@lid', 'b@lid']);
  });
});

describe('unsubscribe', () => {
  /** Publishes an event of the session and one that the client gets for sure. Returns what the client got. */
  async function heard(client: SocketClient): Promise<(string | undefined)[]> {
    client.received.length = 0;
    await client.subscribe(['contacts.update']);
    await presence(fixture.shop, 'a@lid');
    await fixture.worker.publish(fixture.shop, 'contacts.update', { contacts: [{ id: 'end@lid' }] });
    await waitFor(() => client.received.some(({ event }) => event === 'contacts.update'), {
      what: 'the end',
    });
    return client.received.map(({ event }) => event);
  }

  it('ends the events for all sessions, subscribed by name or not', async () => {
    const client = await connect();
    await client.subscribe(['presence.update']);
    await client.subscribe({ events: ['presence.update'], sessions: ['shop-1'] });
    expect(await heard(client)).toEqual(['presence.update', 'contacts.update']);
    expect(await client.unsubscribe(['presence.*', 'call'])).toEqual({
      ok: true,
      events: ['presence.update', 'call'],
      sessions: '*',
    });
    expect(await heard(client)).toEqual(['contacts.update']);
  });

  it('with sessions ends what was subscribed by name, and nothing else', async () => {
    const client = await connect();
    const byName = { events: ['presence.update'], sessions: ['shop-1'] };
    await client.subscribe(byName);
    expect(await client.unsubscribe(byName)).toEqual({ ok: true, ...byName });
    expect(await heard(client)).toEqual(['contacts.update']);

    await client.subscribe(['presence.update']);
    await client.unsubscribe(byName);
    expect(await heard(client)).toEqual(['presence.update', 'contacts.update']);
  });

  it('ends what a subscribe sent just before began', async () => {
    const client = await connect();
    client.socket.emit('subscribe', { events: ['presence.update'], sessions: ['shop-1'] });
    await client.unsubscribe(['presence.update']);
    expect(await heard(client)).toEqual(['contacts.update']);
  });
});

describe('bad requests', () => {
  const cases: [name: string, args: unknown[], code: keyof typeof ERRORS][] = [
    ['nothing', [], 'VALIDATION_FAILED'],
    ['null', [null], 'VALIDATION_FAILED'],
    ['a number', [7], 'VALIDATION_FAILED'],
    ['a name without a list', ['messages.upsert'], 'VALIDATION_FAILED'],
    ['names as arguments', ['messages.upsert', 'call'], 'VALIDATION_FAILED'],
    ['a second argument that is not a function', [['call'], 'ack'], 'VALIDATION_FAILED'],
    ['a list of numbers', [[1, 2]], 'VALIDATION_FAILED'],
    ['a nested list', [[['call']]], 'VALIDATION_FAILED'],
    ['an unknown field', [{ events: ['call'], tenantId: 'tnt_other' }], 'VALIDATION_FAILED'],
    ['bytes', [Buffer.from('call')], 'VALIDATION_FAILED'],
    ['bytes in a list', [[Buffer.from('call')]], 'VALIDATION_FAILED'],
    ['many bytes', [Buffer.alloc(90_000)], 'VALIDATION_FAILED'],
    ['a wildcard for sessions', [{ events: ['call'], sessions: ['*'] }], 'VALIDATION_FAILED'],
    ['a session of odd letters', [{ events: ['call'], sessions: ['a:b'] }], 'VALIDATION_FAILED'],
    ['an empty list', [[]], 'UNKNOWN_EVENT'],
    ['an unknown event', [['call', 'nope']], 'UNKNOWN_EVENT'],
    ['an empty wildcard', [['nope.*']], 'UNKNOWN_EVENT'],
    ['__proto__', [['__proto__']], 'UNKNOWN_EVENT'],
    ['too many events', [Array.from({ length: 65 }, () => 'call')], 'TOO_MANY_ITEMS'],
    [
      'too many sessions',
      [{ events: ['call'], sessions: Array.from({ length: 1001 }, (_, index) => `s${index}`) }],
      'TOO_MANY_ITEMS',
    ],
    ['an unknown session', [{ events: ['call'], sessions: ['nope'] }], 'SESSION_NOT_FOUND'],
  ];

  it.each(cases)(
    '%s: reported in the acknowledgement, or else as subscription.error',
    async (_name, args, code) => {
      const client = await connect();
      const ack: SubscribeAck = await client.socket.timeout(10_000).emitWithAck('subscribe', ...args);
      expect(ack).toMatchObject({ ok: false, error: { code, message: expect.any(String) } });

      client.socket.emit('subscribe', ...args);
      await waitFor(() => client.errors.length > 0, { what: 'subscription.error comes' });
      expect(client.errors).toEqual(['error' in ack ? ack.error : undefined]);

      expect(await client.subscribe(['call'])).toMatchObject({ ok: true });
    },
  );

  it('are reported for unsubscribe in the same way', async () => {
    const client = await connect();
    expect(await client.unsubscribe(['nope'])).toMatchObject({ ok: false, error: { code: 'UNKNOWN_EVENT' } });
    client.socket.emit('unsubscribe');
    await waitFor(() => client.errors.length > 0, { what: 'subscription.error comes' });
  });

  it('that are larger than a frame may be end the connection, and only that one', async () => {
    const greedy = await connect();
    const other = await connect();
    greedy.socket.emit('subscribe', ['x'.repeat(200_000)]);
    await waitFor(() => greedy.socket.disconnected, { what: 'the connection ends' });
    expect(await other.subscribe(['call'])).toMatchObject({ ok: true });
  });
});
