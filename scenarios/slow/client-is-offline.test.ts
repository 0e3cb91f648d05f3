import { setTimeout as delay } from 'node:timers/promises';
import { type Cluster, SeverablePort, startCluster, type TestTenant, waitFor } from '@wafleet/testkit';
import { afterEach, expect, test } from 'vitest';
import { isAfter, readEntries } from '../support/event-log.js';
import { linkSessions } from '../support/linked-sessions.js';
import { Publisher } from '../support/publisher.js';
import { report } from '../support/report.js';
import { SequenceClient } from '../support/sequence-client.js';
import { Traffic } from '../support/traffic.js';

/** Clients lose the network under traffic: once for shorter than the log's retention, once for longer. */
const AWAY_MS = Number(process.env.SCENARIO_AWAY_MS ?? 120_000);
const SESSIONS = 4;

let cluster: Cluster | undefined;
const opened: { close(): unknown }[] = [];

afterEach(async () => {
  for (const each of opened.splice(0).reverse()) await each.close();
  await cluster?.stop();
});

/** A client whose network can be cut. */
async function connect({ edges }: Cluster, { apiKey }: TestTenant) {
  const network = await SeverablePort.open(edges[0]?.port ?? 0);
  opened.push(network);
  const client = await SequenceClient.start({ url: `http://127.0.0.1:${network.port}`, apiKey });
  opened.push(client);
  await waitFor(() => client.isUpgraded, { what: 'events by WebSocket' });
  return { network, client };
}

test('a client that was offline for two minutes gets what it missed, then what comes', async () => {
  const running = await startCluster();
  cluster = running;
  const tenant = await running.addTenant();
  const sessions = await linkSessions(running, tenant, SESSIONS);
  const refused = await connect(running, tenant);
  // This client gets no sign that its network is gone. It finds out when no ping comes.
  const silent = await connect(running, tenant);
  const both = [refused, silent];
  const traffic = await Traffic.start({ cluster: running, tenant, sessions, everyMs: 500 });
  opened.push(traffic);
  await waitFor(() => both.every(({ client }) => client.proven > 0), {
    what: 'proof that events arrived',
    timeoutMs: 60_000,
  });

  const before = both.map(({ client }) => client.received.length);
  refused.network.sever();
  silent.network.freeze();
  await delay(AWAY_MS);
  const had = both.map(({ client }) => client.received.length);
  const backAt = Date.now();
  for (const { network } of both) network.restore();
  const liveAgainMs = await Promise.all(
    both.map(async ({ client }) => (await client.liveSince(backAt)) - backAt),
  );
  await traffic.flows();
  const { sent } = await traffic.finish();

  for (const { client } of both) {
    await client.expectEverythingOf(running, tenant);
    expect(client.disconnects, 'connections that it lost').toHaveLength(1);
    expect(client.repeatedAfterProof, 'events that came again although they were proven').toBe(0);
  }
  report('client-is-offline', {
    awayMs: AWAY_MS,
    sent,
    before,
    had,
    received: both.map(({ client }) => client.received.length),
    liveAgainMs,
    duplicates: both.map(({ client }) => client.duplicates),
  });
});

test('a client that was offline past the retention learns what is lost, and gets all that is left', async () => {
  const logLength = 500;
  const running = await startCluster({ workers: 0, placers: 0 });
  cluster = running;
  const tenant = await running.addTenant();
  const { network, client } = await connect(running, tenant);
  const publisher = await Publisher.start({
    cluster: running,
    tenant,
    sessions: 3,
    perSecond: 40,
    logLength,
  });
  opened.push({ close: () => publisher.stop() });
  await waitFor(() => client.proven > 0, { what: 'proof that events arrived', timeoutMs: 60_000 });
  const proven = client.received[client.proven - 1]?.eventId ?? '';

  network.sever();
  await waitFor(() => !client.socket.connected, { what: 'the loss' });
  const had = client.received.map(({ eventId }) => eventId);
  const latest = had.at(-1) ?? '';
  const oldestKept = async () => (await readEntries(running, tenant.id))[0]?.eventId ?? '';
  const isForgotten = async () => isAfter(await oldestKept(), latest);
  await waitFor(isForgotten, { what: 'a log that begins later', timeoutMs: 60_000 });

  const oldestBefore = await oldestKept();
  network.restore();
  const reset = await waitFor(() => client.resets[0], { what: 'subscription.reset', timeoutMs: 60_000 });
  const oldestAfter = await oldestKept();
  await client.liveSince(Date.now());
  await publisher.stop();

  // The log keeps losing its oldest events meanwhile, so the lost range ends somewhere between the two looks.
  const { after, before: firstKept } = reset.lost;
  expect(isAfter(oldestBefore, firstKept), `the log began with ${oldestBefore} before that`).toBe(false);
  expect(isAfter(firstKept, oldestAfter), `the log began with ${oldestAfter} after that`).toBe(false);
  // Events that were sent to it but not confirmed by a pong count as lost: the edge cannot know whether they came.
  expect(isAfter(proven, after), `that it had ${proven} was known`).toBe(false);
  expect(isAfter(after, latest), `it had ${latest}`).toBe(false);
  // On a slow machine the log also loses events between that look and the next one. Another reset reports those.
  for (const { receivedBefore } of client.resets) {
    expect(receivedBefore, 'events before the reset').toBe(had.length);
  }
  const { before } = client.resets.at(-1)?.lost ?? reset.lost;

  const { published } = publisher;
  const left = published.filter(({ eventId }) => !isAfter(before, eventId));
  expect(client.received.slice(0, had.length).map(({ eventId }) => eventId)).toEqual(
    published.slice(0, had.length).map(({ eventId }) => eventId),
  );
  expect(client.received[had.length]?.eventId, 'the first event after the loss').toBe(before);
  expect(await client.differencesFrom(left)).toEqual({ missing: [], unknown: [], disordered: [] });
  expect(client.faults).toEqual([]);
  report('client-is-offline', {
    published: published.length,
    had: had.length,
    lost: published.length - had.length - left.length,
    toldAsLost: published.filter(({ eventId }) => isAfter(eventId, after) && isAfter(before, eventId)).length,
    left: left.length,
    duplicates: client.duplicates,
  });
});
