import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type EventName, formatEventId, parseEventId, WafleetError } from '@wafleet/contract';
import { createLogger } from '@wafleet/runtime';
import {
  ApiKeys,
  connectRedis,
  EventChannel,
  EventLog,
  type Fence,
  LinkOffers,
  type RedisConnection,
  SessionDirectory,
  SessionPages,
  TenantLeases,
  TenantLimitTable,
  TenantRates,
  WorkerRegistry,
} from '@wafleet/store';
import type { TestWorker } from '@wafleet/store/testing';
import { waitFor } from '@wafleet/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Identity } from '../access/identity.js';
import { KeyAuthenticator } from '../auth/key-authenticator.js';
import { KeyConnections } from '../auth/key-connections.js';
import { toWafleetError } from '../errors/to-wafleet-error.js';
import { BufferBudget } from '../fanout/buffer-budget.js';
import { EventFanout } from '../fanout/event-fanout.js';
import { ReplayGate } from '../streams/replay-gate.js';
import { ReplayRates } from '../streams/replay-rates.js';
import { Snapshots } from '../streams/snapshots.js';
import { SubscriptionSet } from '../streams/subscription-set.js';
import { TenantStreams } from '../streams/tenant-streams.js';
import { SseStream } from '../testing/sse-stream.js';
import { TestCluster } from '../testing/test-cluster.js';
import { BUFFER_LIMITS, REPLAY_LIMITS } from '../testing/test-edge.js';
import { EdgeCounters } from '../wiring/metrics.js';
import { SseClients } from './sse-clients.js';

const logger = createLogger({ app: 'test', level: 'silent' });
const limits = { maxUnsentBytes: 1024 * 1024, maxUnsentPackets: 1_000 };

let cluster: TestCluster;
let worker: TestWorker;
let redis: RedisConnection;
let subscriber: RedisConnection;
let http: Server;
let url: string;
let identity: Identity;
let fence: Fence;
let fanout: EventFanout;
let tally: EdgeCounters;
let keys: KeyAuthenticator;
let connections: KeyConnections;
let clients: SseClients;
let buffers: BufferBudget;
let leases: TenantLeases;
let streams: TenantStreams;
/** How many connections count towards the limits. */
let admitted: number;
/** What requests ask for. */
let wanted: { events: readonly EventName[]; since?: string };
/** The errors of the refused requests. */
let refusals: unknown[];
const opened: { close(): void }[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  worker = await cluster.startWorker();
});
beforeEach(async () => {
  const { tenantId, keyId } = await cluster.createTenant();
  fence = await worker.own(tenantId, 'shop-1');
  redis = connectRedis({ url: cluster.redis.url, role: 'command', name: 'sse', logger });
  subscriber = connectRedis({ url: cluster.redis.url, role: 'subscriber', name: 'sse', logger });
  identity = { keyId, tenantId, scopes: new Set(['events:read']), sessions: undefined, expiresAt: undefined };
  wanted = { events: ['presence.update'] };
  refusals = [];
  await serve();
});
afterEach(async () => {
  for (const each of opened.splice(0)) each.close();
  stop();
  await leases.close();
  redis.disconnect();
  subscriber.disconnect();
});
afterAll(() => cluster.stop());

function stop(): void {
  buffers.close();
  clients.close();
  streams.close();
  http.closeAllConnections();
  http.close();
}

/** Serves nothing but streams. */
async function serve(heartbeatMs = 60_000): Promise<void> {
  fanout = new EventFanout();
  tally = new EdgeCounters();
  keys = new KeyAuthenticator(new ApiKeys(redis));
  connections = new KeyConnections();
  admitted = 0;
  const log = new EventLog(redis);
  streams = new TenantStreams({
    channel: new EventChannel(subscriber),
    log,
    deliver: (tenantId, event) => fanout.deliver(tenantId, event),
    onFilled: () => {},
    logger,
    lingerMs: 20,
    readyWithinMs: 500,
  });
  const sessions = new SessionDirectory(redis);
  const snapshots = new Snapshots({
    pages: new SessionPages(redis, sessions),
    offers: new LinkOffers(redis),
    workers: new WorkerRegistry(redis),
  });
  buffers = new BufferBudget({ limits: BUFFER_LIMITS, tenantBytes: () => BUFFER_LIMITS.maxBytes, logger });
  const tenants = new TenantLimitTable(redis);
  leases = new TenantLeases({ redis, limits: tenants, holder: 'edge_test', logger });
  const replays = new ReplayGate(REPLAY_LIMITS, {
    ...{ buffers, leases, onExceeded: () => {} },
    rates: new ReplayRates(new TenantRates(redis, tenants), logger),
  });
  clients = new SseClients({
    ...{ streams, log, snapshots, fanout, keys, connections, limits, tally, logger, heartbeatMs },
    ...{ buffers, replays },
    admit: async () => {
      admitted += 1;
      return () => {
        admitted -= 1;
      };
    },
  });
  http = createServer((_request, response) => {
    const { events, since } = wanted;
    const request = {
      ...{ identity, response, takeOver: () => {} },
      subscription: SubscriptionSet.of({ events, sessions: undefined, sessionsOfKey: identity.sessions }),
      since: since === undefined ? undefined : parseEventId(since),
    };
    clients.serve(request).catch((error: unknown) => {
      refusals.push(error);
      response.writeHead(503).end();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

async function open(): Promise<SseStream> {
  const stream = await SseStream.open(url, '');
  opened.push(stream);
  return stream;
}

/** A client that reads nothing until the test reads its response. */
async function stalled(): Promise<IncomingMessage> {
  const response = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
  response.on('error', () => {});
  opened.push({ close: () => response.destroy() });
  return response;
}

async function publish(count: number, text = ''): Promise<void> {
  const ids = Array.from({ length: count }, (_, index) => `${index}${text}`);
  for (const id of ids) await worker.publish(fence, 'presence.update', { id, presences: {} });
}

async function isEmpty(): Promise<boolean> {
  const channels = await cluster.connection.call('PUBSUB', 'SHARDCHANNELS', `*${identity.tenantId}*`);
  return (
    fanout.size === 0 &&
    tally.sseClients === 0 &&
    admitted === 0 &&
    connections.keyIds().length === 0 &&
    Array.isArray(channels) &&
    channels.length === 0
  );
}

describe('a stream', () => {
  it('leaves nothing behind, whichever side ends it and when', async () => {
    const leaving = await (await open()).live();
    const closed = await (await open()).live();
    expect(fanout.size).toBe(1);
    expect(tally.sseClients).toBe(2);
    leaving.close();
    await waitFor(() => tally.sseClients === 1, { what: 'one is gone' });
    connections.close(identity.keyId, 'KEY_REVOKED');
    await waitFor(() => closed.end === 'ended', { what: 'the other one is closed' });
    await waitFor(isEmpty, { what: 'nothing is left' });
    expect(tally.closed('KEY_REVOKED')).toBe(1);

    wanted = { events: ['presence.update', 'connection.update'], since: '1-1' };
    for (let afterMs = 0; afterMs < 20; afterMs += 1) {
      await fetch(url, { signal: AbortSignal.timeout(afterMs) }).then(
        (response) => response.text().catch(() => {}),
        () => {},
      );
    }
    await waitFor(isEmpty, { what: 'nothing is left' });
  });

  it('that is silent shows that it lives', async () => {
    stop();
    await serve(20);
    const stream = await (await open()).live();
    await waitFor(() => stream.comments.length > 2, { what: 'comments come' });
    expect(stream.events).toHaveLength(1);
  });

  it('tells its position when others’ events have moved it', async () => {
    stop();
    await serve(20);
    const stream = await (await open()).live();
    const before = stream.lastId;
    await worker.publish(fence, 'messages.delete', { jid: 'a@lid', all: true });
    await waitFor(() => stream.lastId !== before, { what: 'the position comes' });
    const head = await new EventLog(redis).position(identity.tenantId);
    expect(stream.lastId).toBe(formatEventId(head));
    expect(stream.events.map(({ event }) => event)).toEqual([
      'subscription.position',
      'subscription.position',
    ]);
    expect(tally.sseEvents).toBe(0);
  });
});

describe('a client that does not read', () => {
  it('is closed within the bound, gets the reason, and misses nothing when it comes back', async () => {
    const reading = await (await open()).live();
    const response = await stalled();
    await waitFor(() => tally.sseClients === 2, { what: 'both are there' });
    const text = 'x'.repeat(50_000);
    await waitFor(
      async () => {
        await publish(20, text);
        return tally.closed('SLOW_CLIENT') > 0;
      },
      { what: 'it is closed' },
    );
    let received = '';
    for await (const chunk of response.setEncoding('utf8')) received += chunk;
    expect(received.slice(received.lastIndexOf('event: '))).toContain('"code":"SLOW_CLIENT"');
    await waitFor(() => tally.sseClients === 1, { what: 'it is gone' });
    expect(tally.closed('SLOW_CLIENT')).toBe(1);

    const all = await new EventLog(redis).read(identity.tenantId, {
      after: undefined,
      count: 10_000,
      maxBytes: 1024 ** 3,
    });
    await waitFor(() => reading.payloads.length === all.events.length, { what: 'the other one has all' });
    const seen = received.match(/^id: .*(?=\nevent: presence)/gm) ?? [];
    wanted = { ...wanted, since: seen.at(-1)?.slice('id: '.length) ?? '' };
    const again = await (await open()).live();
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length + again.payloads.length).toBe(all.events.length);
  });

  it('is cut off when it takes no end either', async () => {
    const response = await stalled();
    await waitFor(() => fanout.size > 0, { what: 'it is live' });
    await waitFor(
      async () => {
        await publish(20, 'x'.repeat(50_000));
        return tally.closed('SLOW_CLIENT') > 0;
      },
      { what: 'it is closed' },
    );
    expect(response.destroyed).toBe(false);
    await waitFor(isEmpty, { what: 'nothing is left' });
  });

  it('is not given more of a replay than it reads', async () => {
    await publish(120, 'x'.repeat(100_000));
    wanted = { ...wanted, since: '1-0' };
    const response = await stalled();
    await waitFor(() => tally.sseEvents > 0, { what: 'the replay has begun' });
    let received = '';
    for await (const chunk of response.setEncoding('utf8')) {
      received += chunk;
      if (received.includes('event: subscription.position')) break;
    }
    expect(received.match(/^event: presence.update$/gm)).toHaveLength(120);
    expect(tally.closed('SLOW_CLIENT')).toBe(0);
  });
});

describe('no stream is begun', () => {
  it('while Redis cannot be subscribed to', async () => {
    subscriber.disconnect();
    expect((await open()).response.status).toBe(503);
    expect(toWafleetError(refusals[0], logger).code).toBe('UNAVAILABLE');
    await waitFor(isEmpty, { what: 'nothing is left' });
  });

  it('for a key that was revoked meanwhile', async () => {
    keys.revoke(identity.keyId);
    expect((await open()).response.status).toBe(503);
    expect(refusals).toEqual([expect.objectContaining({ code: 'UNAUTHORIZED' })]);
    await waitFor(isEmpty, { what: 'nothing is left' });
  });

  it('by an edge that stops, which ends those there are', async () => {
    const stream = await (await open()).live();
    clients.close();
    await waitFor(() => stream.end === 'ended', { what: 'the stream ends' });
    expect((await open()).response.status).toBe(503);
    expect(refusals[0]).toBeInstanceOf(WafleetError);
    await waitFor(isEmpty, { what: 'nothing is left' });
  });
});
