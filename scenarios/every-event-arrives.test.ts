import { EVENT_NAMES } from '@wafleet/contract';
import {
  type Cluster,
  collectEvents,
  type EventCollector,
  startCluster,
  type TestTenant,
} from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

/**
 * Triggers each of the contract's seventeen events by what a person does with a phone, and receives it in a Socket.IO
 * client, through real processes. The collector checks every payload against the contract's schema.
 */
let cluster: Cluster;
let tenant: TestTenant;
let events: EventCollector;

beforeAll(async () => {
  cluster = await startCluster({ workers: 1, edges: 1, placers: 1 });
  tenant = await cluster.addTenant('acme');
  const [edge] = cluster.edges;
  events = await collectEvents(edge?.url ?? '', tenant.apiKey, ['*']);
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
});

test('a client subscribed to * receives every event of the contract, each with a valid payload', async () => {
  const { simulator } = cluster;
  const anna = simulator.addPhone({ name: 'Anna' });
  const carl = simulator.addPhone({ name: 'Carl' });
  const dora = simulator.addPhone({ name: 'Dora' });

  // Link by pairing code. A session shows a QR code first.
  await tenant.client.call('create-session', { body: { id: 'anna' } });
  await events.waitForEvent('auth.qr', ({ sessionId, qr }) => sessionId === 'anna' && qr.length > 100);
  await cluster.linkByCode(tenant.client, 'anna', anna);
  await events.waitForEvent(
    'auth.pairing-code',
    ({ code, phone }) => code.length === 8 && phone === anna.number,
  );
  await events.waitForEvent('connection.update', ({ connection }) => connection === 'connecting');
  await events.waitForEvent(
    'connection.update',
    ({ connection, status }) => connection === 'open' && status === 'open',
  );
  await events.waitForEvent('creds.update', ({ me }) => me?.id.startsWith(anna.number) === true);

  // Messages, and everything that can happen to one.
  const hello = await carl.send(anna, { text: 'hello' });
  await events.waitForEvent('messages.upsert', ({ messages, type }) =>
    messages.some(
      ({ key, message }) => key.id === hello.id && message?.conversation === 'hello' && type === 'notify',
    ),
  );
  await events.waitForEvent('chats.update', ({ chats }) => chats.some(({ id }) => id === carl.lid));
  await events.waitForEvent('contacts.update', ({ contacts }) => contacts.some(({ id }) => id === carl.lid));
  await carl.react(hello, '👍');
  await events.waitForEvent('messages.reaction', ({ reactions }) =>
    reactions.some(({ key, reaction }) => key.id === hello.id && reaction.text === '👍'),
  );
  await carl.edit(hello, { text: 'hello again' });
  await events.waitForEvent('messages.update', ({ updates }) =>
    updates.some(({ key, update }) => key.id === hello.id && JSON.stringify(update).includes('hello again')),
  );
  await carl.revoke(hello);
  await events.waitForEvent(
    'messages.delete',
    (deleted) => 'keys' in deleted && deleted.keys.some(({ id }) => id === hello.id),
  );

  // Contacts and groups.
  await anna.settings.saveContact(dora, 'Dora from work');
  await events.waitForEvent('contacts.upsert', ({ contacts }) =>
    contacts.some((contact) => contact.name === 'Dora from work'),
  );
  const group = carl.createGroup('Picnic', [anna]);
  await events.waitForEvent('groups.upsert', ({ groups }) =>
    groups.some(({ id, subject }) => id === group.jid && subject === 'Picnic'),
  );
  await events.waitForEvent('chats.upsert', ({ chats }) => chats.some(({ id }) => id === group.jid));
  group.setSubject(carl, 'Picnic on Sunday');
  await events.waitForEvent('groups.update', ({ groups }) =>
    groups.some(({ id, subject }) => id === group.jid && subject === 'Picnic on Sunday'),
  );
  group.add(carl, [dora]);
  await events.waitForEvent(
    'group-participants.update',
    ({ id, action, participants }) =>
      id === group.jid && action === 'add' && participants.some((participant) => participant.id === dora.lid),
  );

  // Presence and calls.
  carl.showState(anna, 'composing');
  await events.waitForEvent(
    'presence.update',
    ({ id, presences }) => presences[id]?.lastKnownPresence === 'composing',
  );
  carl.call(anna);
  await events.waitForEvent('call', ({ calls }) => calls.some(({ status }) => status === 'offer'));

  for (const name of EVENT_NAMES) {
    const payloads = events.payloads(name);
    expect(payloads.length, name).toBeGreaterThan(0);
    expect(payloads.every(({ sessionId }) => sessionId === 'anna')).toBe(true);
  }
  expect(events.strays).toEqual([]);

  const ids = events.events.map(({ payload }) => (payload as { eventId: string }).eventId);
  expect(new Set(ids).size, 'every eventId is another one').toBe(ids.length);
});
