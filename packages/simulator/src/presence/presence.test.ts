import { beforeAll, expect, test } from 'vitest';
import { Client } from '../testing/client.js';
import { useLinkedClient } from '../testing/linked-client.js';
import { expectTrigger } from '../testing/recorded.js';
import { until } from '../testing/until.js';

const { simulator, client, alice, carl } = useLinkedClient();

beforeAll(async () => {
  await client.sock.presenceSubscribe(carl.lid);
  await until('the subscription', () => client.events.some(({ event }) => event === 'presence.update'));
});

const triggers: Readonly<Record<string, () => unknown>> = {
  'presence available': () => {
    carl.setPresence({ type: 'available' });
    carl.setPresence({ type: 'unavailable', lastSeen: simulator.now() });
  },
  'presence unavailable + last': () => carl.setPresence({ type: 'unavailable', lastSeen: 1_700_000_000 }),
  typing: () => carl.showState(alice, 'composing'),
  recording: () => carl.showState(alice, 'recording'),
  paused: () => carl.showState(alice, 'paused'),
};

test.each(Object.entries(triggers))('%s', async (trigger, act) => {
  await expectTrigger(trigger, client, act);
});

test('two clients see each other come, type and go', async () => {
  const bob = simulator.addPhone({ name: 'Bob' });
  const other = await Client.linked(simulator, bob);
  const seen = () =>
    client.events.flatMap(({ event, data }) => (event === 'presence.update' ? [JSON.stringify(data)] : []));
  const presence = (lastKnownPresence: string) =>
    expect.stringContaining(`{"lastKnownPresence":"${lastKnownPresence}"`);
  await client.sock.presenceSubscribe(bob.lid);
  await other.sock.sendPresenceUpdate('available');
  await other.sock.sendPresenceUpdate('composing', alice.lid);
  await until('composing', () =>
    seen().some((event) => event.includes('composing') && event.includes(bob.lid)),
  );
  expect(seen()).toContainEqual(presence('available'));
  await other.end();
  const gone = `{"id":"${bob.lid}","presences":{"${bob.lid}":{"lastKnownPresence":"unavailable","lastSeen"`;
  await until('the end', () => seen().at(-1)?.startsWith(gone));
});
