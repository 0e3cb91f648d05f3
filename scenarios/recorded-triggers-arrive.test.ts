import { type Cluster, collectEvents, type EventCollector, startCluster, waitFor } from '@wafleet/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DrivenWorker } from './support/driven-worker.js';
import type { Published } from './support/published.js';
import { itemsOf, RecordedComparison, recordedItems, TRIGGERS } from './support/recorded-payloads.js';
import { addCast, peopleOf, type RecordedTriggers, recordedTriggers } from './support/triggers.js';

/**
 * Repeats everything that was recorded of Baileys, from what a person or the account does to the payload that a
 * Socket.IO client gets, through real processes. Compares each payload in full. As in the recording, one account does
 * these things one after the other.
 */
let cluster: Cluster;
let events: EventCollector;
let triggers: RecordedTriggers;
let comparison: RecordedComparison;
const worker = new DrivenWorker();
let device: () => { readonly pendingCount: number };
/** How many of the events that came have been compared. */
let compared = 0;

const SESSION = 'alice';

/** Triggers whose events have times of earlier actions. */
const TELL_OF_BEFORE: ReadonlySet<string> = new Set(['groupFetchAllParticipating', 'dirty groups']);
/** Triggers whose items have no fixed order. */
const IN_ANY_ORDER: ReadonlySet<string> = new Set([
  // Several people report it.
  'we send to group (sender key)',
  // Baileys buffers the contact but never the pair of ids. If the buffer is idle, the contact comes first.
  'contact saved on phone (PN index)',
]);

const begin = Date.now();

/** The items since the last comparison, without those about the state of the connection. */
function news(): Published[] {
  return events.events
    .slice(compared)
    .filter(({ event }) => event !== 'connection.update')
    .map(({ event, payload }) => {
      const { eventId: _, sessionId: __, timestamp: ___, ...own } = payload as Record<string, unknown>;
      return { event, payload: own };
    })
    .flatMap(itemsOf);
}

beforeAll(async () => {
  cluster = await startCluster({ workers: 0 });
  await worker.join(cluster);
  const tenant = await cluster.addTenant('acme');
  events = await collectEvents(cluster.edges[0]?.url ?? '', tenant.apiKey, ['*']);
  const cast = addCast(cluster);
  const { alice, carl, dora } = cast;
  comparison = new RecordedComparison(peopleOf(cast));
  triggers = recordedTriggers({ cluster, cast, tenant, sessionId: SESSION, worker, comparison });
  await tenant.client.call('create-session', { body: { id: SESSION } });
  await cluster.linkByQr(tenant.client, SESSION, alice);
  const [linked] = alice.devices.values();
  device = () => linked ?? { pendingCount: Number.NaN };
  await worker.call('presenceSubscribe', carl.lid);
  await carl.send(alice, 'before the first trigger');
  await dora.send(alice, 'before the first trigger');
  // The push name of the sender is the last event of a message.
  const namedBy = ({ name }: { name: string }) =>
    news().some(
      ({ event, payload }) => event === 'contacts.update' && JSON.stringify(payload).includes(name),
    );
  await waitFor(() => namedBy(carl) && namedBy(dora), { what: 'the first messages' });
  compared = events.events.length;
});

afterAll(async () => {
  events?.close();
  await cluster?.stop();
  worker.close();
});

/** Waits up to 30 s until `items` items have come and the session has acknowledged everything. Never rejects. */
async function settle(items: number): Promise<void> {
  const isSettled = () => news().length >= items && device().pendingCount === 0;
  await waitFor(isSettled, { what: `${items} items`, timeoutMs: 30_000 }).catch(() => {});
}

test.each(TRIGGERS)('%s', async (trigger) => {
  const preparation = await triggers.prepare[trigger]?.();
  if (preparation !== undefined) {
    await settle(preparation);
    compared = events.events.length;
  }
  const expected = recordedItems(trigger);
  const from = Date.now();
  await triggers.drive[trigger]?.();
  await settle(expected.length);
  const period = { from: TELL_OF_BEFORE.has(trigger) ? begin : from, to: Date.now() };
  const came = IN_ANY_ORDER.has(trigger) ? comparison.inOrder(expected, news(), period) : news();
  compared = events.events.length;
  expect(came).toEqual(expected.map((each, index) => comparison.expected(each, came[index], period)));
});

test('every trigger of the recording was driven, and caused no further event', async () => {
  expect(Object.keys(triggers.drive)).toEqual(TRIGGERS);
  await settle(0);
  expect(news()).toEqual([]);
  expect(events.strays).toEqual([]);
});

test('none of it holds a key but those of media', () => {
  const text = JSON.stringify(events.events);
  expect(text).not.toMatch(
    /senderKeyDistribution|messageSecret|KeyShare|InlinePayload|tcToken|advSecret|noiseKey|signedPreKey|peerData/i,
  );
  expect(text).toContain('"mediaKey"');
});
