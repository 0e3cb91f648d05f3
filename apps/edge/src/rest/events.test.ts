import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { SUBSCRIPTION_LIMITS } from '@wafleet/contract';
import { ApiKeys, type Fence } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { EventSource } from 'eventsource';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { call } from '../testing/rest-client.js';
import { SseStream } from '../testing/sse-stream.js';
import { TestCluster, type TestTenant } from '../testing/test-cluster.js';
import { ADMIN_TOKEN, type TestEdge } from '../testing/test-edge.js';
import type { TestWorker } from '../testing/test-worker.js';

let cluster: TestCluster;
let edges: readonly [TestEdge, TestEdge];
let worker: TestWorker;
let tenant: TestTenant;
let shop: Fence;
const opened: { close(): void }[] = [];

beforeAll(async () => {
  cluster = await TestCluster.start();
  edges = [await cluster.startEdge(), await cluster.startEdge()];
  worker = await cluster.startWorker();
});
beforeEach(async () => {
  tenant = await cluster.createTenant();
  shop = await worker.own(tenant.tenantId, 'shop-1');
});
afterEach(() => {
  for (const each of opened.splice(0)) each.close();
});
afterAll(() => cluster.stop());

interface Options {
  readonly url?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function open(
  query: string,
  { url = edges[0].url, key = tenant.key, headers }: Options = {},
): Promise<SseStream> {
  const stream = await SseStream.open(url, query, { key, headers });
  opened.push(stream);
  return stream;
}

/** A stream that is live. */
async function follow(query: string, options?: Options): Promise<SseStream> {
  const stream = await open(query, options);
  expect(stream.response.status).toBe(200);
  return stream.live();
}

let published = 0;

async function publish(count = 1, fence = shop): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    published += 1;
    const id = `${published}@lid`;
    ids.push(id);
    await worker.publish(fence, 'presence.update', { id, presences: {} });
  }
  return ids;
}

const idsOf = (stream: SseStream) => stream.payloads.flatMap(({ id }) => (id === undefined ? [] : [id]));
const named = (stream: SseStream, name: string) => stream.events.filter(({ event }) => event === name);

async function received(stream: SseStream, expected: readonly string[]): Promise<void> {
  await waitFor(() => idsOf(stream).length >= expected.length, { what: `${expected.length} events arrive` });
  expect(idsOf(stream)).toEqual(expected);
}

function metric(url: string, name: string): Promise<number> {
  return fetch(`${url}/metrics`)
    .then((response) => response.text())
    .then((text) => Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(text)?.[1]));
}

describe('GET /api/events', () => {
  it('streams events with their id, name and payload, unbuffered and uncached', async () => {
    const stream = await follow('?events=presence.update,call', { headers: { origin: 'https://a.example' } });
    const { headers } = stream.response;
    expect(headers.get('content-type')).toBe('text/event-stream');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(stream.retry).toBe('1000');

    const text = 'Grüße, 👋🏽 \u2028 "\\n"\n';
    await worker.publish(shop, 'presence.update', { id: text, presences: {} });
    await received(stream, [text]);
    const [event] = named(stream, 'presence.update');
    const [payload] = stream.payloads;
    expect(event?.id).toBe(payload?.eventId);
    expect(payload).toMatchObject({ sessionId: 'shop-1', timestamp: expect.any(String), presences: {} });
  });

  it('sends what is subscribed to, of the sessions named, and nothing else', async () => {
    const other = await worker.own(tenant.tenantId, 'shop-2');
    await worker.own(tenant.tenantId, 'shop-3');
    const some = await follow('?events=presence.update&sessions=shop-2,shop-3');
    const all = await follow('?events=presence.*&events=messages.*');
    const none = await follow('?events=call');
    const here = await publish(2);
    const there = await publish(2, other);
    const later = await worker.own(tenant.tenantId, 'later');
    const last = await publish(1, later);
    await received(all, [...here, ...there, ...last]);
    await received(some, there);
    expect(none.payloads).toEqual([]);
  });

  it('takes a key from either header', async () => {
    const headers = { authorization: `Bearer ${tenant.key}` };
    const stream = await SseStream.open(edges[0].url, '?events=presence.update', { headers });
    opened.push(stream);
    await stream.live();
    await received(stream, await publish());
  });

  it('first tells how the sessions are', async () => {
    await worker.sessions.setStatus(shop, { status: 'awaiting_link' });
    await worker.offers.putQr(shop, { qr: '2@abc', expiresAt: Date.now() + 60_000 });
    const stream = await follow('?events=*');
    expect(stream.events.map(({ event }) => event)).toEqual([
      'connection.update',
      'auth.qr',
      'subscription.position',
    ]);
    expect(stream.payloads).toMatchObject([
      { status: 'awaiting_link', snapshot: true },
      { qr: '2@abc', snapshot: true },
    ]);
    expect(stream.events.slice(0, 2).map(({ id }) => id)).toEqual(
      stream.payloads.map(({ eventId }) => eventId),
    );
    expect(JSON.parse(stream.events[2]?.data ?? '')).toEqual({ position: stream.lastId });
  });

  it('tells a preflight request which headers may be sent', async () => {
    const response = await fetch(`${edges[0].url}/api/events`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://a.example',
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'x-api-key,last-event-id',
      },
    });
    expect(response.headers.get('access-control-allow-headers')).toContain('last-event-id');
  });

  it('is not for HEAD', async () => {
    expect(await call(edges[0].url, 'HEAD /api/events?events=*', { key: tenant.key })).toMatchObject({
      status: 404,
    });
  });
});

describe('Last-Event-ID', () => {
  it('brings what came since on another edge, each once and in order, while events go on coming', async () => {
    const first = await follow('?events=presence.update');
    const seen = await publish(3);
    await received(first, seen);
    first.close();
    const missed = await publish(1_200);
    let goesOn = true;
    const live: string[] = [];
    const publishing = (async () => {
      while (goesOn) live.push(...(await publish()));
    })();
    const headers = { 'last-event-id': first.lastId ?? '' };
    const second = await open('?events=presence.update', { url: edges[1].url, headers });
    await waitFor(() => idsOf(second).length > missed.length + 50, { what: 'it is live again' });
    goesOn = false;
    await publishing;
    await received(second, [...missed, ...live]);
    expect(named(second, 'subscription.reset')).toEqual([]);
  });

  it('wins over since, which does the same', async () => {
    const first = await follow('?events=presence.update');
    const ids = await publish(4);
    await received(first, ids);
    const [a, , c] = named(first, 'presence.update').map(({ id }) => id ?? '');
    await received(await open(`?events=presence.update&since=${a}`), ids.slice(1));
    await received(
      await open(`?events=presence.update&since=${a}`, { headers: { 'last-event-id': c ?? '' } }),
      ids.slice(3),
    );
    const headers = { 'last-event-id': '' };
    await received(await open(`?events=presence.update&since=${a}`, { headers }), ids.slice(1));
  });

  it('goes on from the position that was told, though no event had come', async () => {
    const first = await follow('?events=presence.update');
    expect(first.events).toHaveLength(1);
    first.close();
    const missed = await publish(2);
    const headers = { 'last-event-id': first.lastId ?? '' };
    await received(await open('?events=presence.update', { headers }), missed);
  });

  it('of a snapshot brings the snapshots again, since some may not have come, and what came since', async () => {
    const other = await worker.own(tenant.tenantId, 'shop-2');
    const first = await follow('?events=*');
    const [snapshot] = named(first, 'connection.update');
    const missed = await publish(2, other);
    const second = await follow('?events=*', { headers: { 'last-event-id': snapshot?.id ?? '' } });
    expect(second.payloads).toMatchObject([
      { sessionId: 'shop-1', snapshot: true },
      { sessionId: 'shop-2', snapshot: true },
      ...missed.map((id) => ({ id })),
    ]);
    const third = await follow('?events=*', { headers: { 'last-event-id': second.lastId ?? '' } });
    expect(third.payloads).toEqual([]);
  });

  it('that is in the log no more is told, with the range, and what is left comes', async () => {
    const first = await follow('?events=presence.update');
    const ids = await publish(10);
    await received(first, ids);
    const eventIds = first.payloads.map(({ eventId }) => eventId);
    await cluster.connection.xtrim(`wf:{${tenant.tenantId}}:log`, 'MAXLEN', 4);

    const late = await open('?events=presence.update', { headers: { 'last-event-id': eventIds[1] ?? '' } });
    await received(late, ids.slice(6));
    const [reset, ...others] = named(late, 'subscription.reset');
    expect(others).toEqual([]);
    expect(JSON.parse(reset?.data ?? '')).toEqual({ lost: { after: eventIds[1], before: eventIds[6] } });
    expect(late.events[0]).toBe(reset);

    const again = await open('?events=presence.update', { headers: { 'last-event-id': reset?.id ?? '' } });
    await received(again, ids.slice(6));
    expect(named(again, 'subscription.reset')).toEqual([]);
  });
});

describe('an EventSource', () => {
  it('that loses its edge goes on where it was on another one', async () => {
    const doomed = await cluster.startEdge();
    let url = doomed.url;
    const source = new EventSource(`${url}/api/events?events=presence.update`, {
      fetch: (_url, init) =>
        fetch(`${url}/api/events?events=presence.update`, {
          ...init,
          headers: { ...init.headers, 'X-Api-Key': tenant.key },
        }),
    });
    opened.push(source);
    const ids: string[] = [];
    let isLive = false;
    source.addEventListener('subscription.position', () => {
      isLive = true;
    });
    source.addEventListener('presence.update', ({ data }) => ids.push(JSON.parse(data).id));
    await waitFor(() => isLive, { what: 'it is live' });
    url = edges[1].url;
    await doomed.stop();
    const missed = await publish(20);
    await waitFor(() => ids.length >= missed.length, { what: 'it has what it missed' });
    const live = await publish(2);
    await waitFor(() => ids.length >= missed.length + 2, { what: 'it is live again' });
    expect(ids).toEqual([...missed, ...live]);
  });
});

describe('a request that asks for what there is not', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`).join(',');

  it.each([
    ['', 400, 'VALIDATION_FAILED'],
    ['?events=', 400, 'UNKNOWN_EVENT'],
    ['?events=call,', 400, 'UNKNOWN_EVENT'],
    ['?events=calls', 400, 'UNKNOWN_EVENT'],
    ['?events=mess.*', 400, 'UNKNOWN_EVENT'],
    ['?events=subscription.reset', 400, 'UNKNOWN_EVENT'],
    ['?events=__proto__', 400, 'UNKNOWN_EVENT'],
    ['?events=call%0Adata:%20x', 400, 'UNKNOWN_EVENT'],
    ['?events[]=call', 400, 'VALIDATION_FAILED'],
    ['?events=call&event=call', 400, 'VALIDATION_FAILED'],
    ['?events=call&sessions=', 400, 'VALIDATION_FAILED'],
    ['?events=call&sessions=*', 400, 'VALIDATION_FAILED'],
    ['?events=call&sessions=a:b', 400, 'VALIDATION_FAILED'],
    ['?events=call&sessions=shop-1,none', 404, 'SESSION_NOT_FOUND'],
    ['?events=call&sessions=SHOP-1', 404, 'SESSION_NOT_FOUND'],
    ['?events=call&since=', 400, 'VALIDATION_FAILED'],
    ['?events=call&since=yesterday', 400, 'VALIDATION_FAILED'],
    ['?events=call&since=1-1&since=1-2', 400, 'VALIDATION_FAILED'],
  ])('(%s) gets %i %s', async (query, status, code) => {
    const answer = await call(edges[0].url, `GET /api/events${query}`, { key: tenant.key });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it.each([
    ['events', `events=${Array(SUBSCRIPTION_LIMITS.events + 1).fill('call')}`, 400, 'TOO_MANY_ITEMS'],
    ['sessions', `events=call&sessions=${many(SUBSCRIPTION_LIMITS.sessions + 1)}`, 400, 'TOO_MANY_ITEMS'],
    ['sessions for a URL', `events=call&sessions=${many(4_000)}`, 413, 'PAYLOAD_TOO_LARGE'],
  ])('with too many %s is refused', async (_what, query, status, code) => {
    const answer = await call(edges[0].url, `GET /api/events?${query}`, { key: tenant.key });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it.each(['yesterday', '1', '1-2-3', '1-2, 1-3', '\u00e9'])(
    'Last-Event-ID %j is refused',
    async (lastEventId) => {
      const headers = { 'last-event-id': lastEventId };
      const answer = await call(edges[0].url, 'GET /api/events?events=call', { key: tenant.key, headers });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED' } } });
      expect(JSON.stringify(answer.body)).toContain('headers.last-event-id');
    },
  );

  it('gets nothing of another tenant’s sessions', async () => {
    const other = await cluster.createTenant('another');
    await worker.own(other.tenantId, 'theirs');
    const ask = (session: string) =>
      call(edges[0].url, `GET /api/events?events=*&sessions=${session}`, { key: tenant.key });
    const foreign = await ask('theirs');
    expect(foreign.status).toBe(404);
    expect(JSON.stringify(foreign.body).replaceAll('theirs', 'nobody')).toBe(
      JSON.stringify((await ask('nobody')).body),
    );
    const theirs = await follow('?events=presence.update', { key: other.key });
    const ours = await follow('?events=presence.update');
    await received(ours, await publish(2));
    expect(theirs.payloads).toEqual([]);
  });
});

describe('an API key', () => {
  it.each(['key', 'token', 'api_key', 'apiKey', 'X-Api-Key', 'access_token', 'auth', 'authorization'])(
    'in the URL as %s is refused, even beside one in the headers',
    async (name) => {
      for (const key of [undefined, tenant.key]) {
        const answer = await call(edges[0].url, `GET /api/events?events=*&${name}=${tenant.key}`, { key });
        expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED' } } });
        const text = JSON.stringify(answer.body);
        expect(text).toContain('X-Api-Key');
        expect(text).not.toContain(tenant.key);
      }
    },
  );

  it('that is missing, unknown, the administrator’s or without the scope is refused', async () => {
    const { key: narrow } = await new ApiKeys(cluster.connection).create(tenant.tenantId, {
      scopes: ['sessions:read', 'sessions:write', 'messages:write'],
    });
    const ask = (key?: string) => call(edges[0].url, 'GET /api/events?events=*', { key });
    expect(await ask()).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(await ask('unknown')).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(await ask(ADMIN_TOKEN)).toMatchObject({ status: 403 });
    expect(await ask(narrow)).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', details: { scope: 'events:read' } } },
    });
  });

  it('gets no more than it may see', async () => {
    const keys = new ApiKeys(cluster.connection);
    const { key: reader } = await keys.create(tenant.tenantId, {
      scopes: ['events:read'],
      sessions: ['shop-2'],
    });
    const other = await worker.own(tenant.tenantId, 'shop-2');
    const ask = (query: string) => call(edges[0].url, `GET /api/events?${query}`, { key: reader });
    expect(await ask('events=auth.qr')).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
    expect(await ask('events=call&sessions=shop-1')).toMatchObject({ status: 404 });
    const stream = await follow('?events=*', { key: reader });
    await publish(1);
    await worker.publish(other, 'auth.qr', {
      qr: '2@abc',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    const seen = await publish(1, other);
    await received(stream, seen);
    expect(named(stream, 'auth.qr')).toEqual([]);
    expect(stream.payloads.map(({ sessionId }) => sessionId)).toEqual(['shop-2', 'shop-2']);
  });

  it('that is revoked loses its streams on every edge, and is told so', async () => {
    const revoked = await cluster.createKey(tenant.tenantId);
    const losing = await Promise.all(
      edges.map(({ url }) => follow('?events=presence.update', { url, key: revoked.key })),
    );
    const keeping = await follow('?events=presence.update', { url: edges[1].url });
    await call(edges[0].url, `DELETE /api/keys/${revoked.keyId}`, { key: ADMIN_TOKEN });
    for (const stream of losing) {
      await waitFor(() => stream.end === 'ended', { what: 'its stream ends' });
      const last = stream.events.at(-1);
      expect(last).toMatchObject({ event: 'connection.closing', id: undefined });
      expect(JSON.parse(last?.data ?? '')).toMatchObject({ code: 'KEY_REVOKED' });
    }
    await received(keeping, await publish(1));
    expect((await open('?events=*', { key: revoked.key })).response.status).toBe(401);
  });

  it('that expires loses its streams, and is told so', async () => {
    const { key } = await new ApiKeys(cluster.connection).create(tenant.tenantId, {
      expiresAt: Date.now() + 3_000,
    });
    const stream = await follow('?events=presence.update', { key });
    await waitFor(() => stream.end === 'ended', { what: 'its stream ends' });
    expect(JSON.parse(stream.events.at(-1)?.data ?? '')).toMatchObject({ code: 'KEY_EXPIRED' });
    expect(await metric(edges[0].url, 'wafleet_edge_connections_closed_total{reason="KEY_EXPIRED"}')).toBe(1);
  });
});

describe('an edge', () => {
  it('counts its streams and what it gives to them', async () => {
    const edge = await cluster.startEdge();
    const open = () => metric(edge.url, 'wafleet_edge_sse_streams');
    const streams = await Promise.all([1, 2].map(() => follow('?events=presence.update', edge)));
    expect(await open()).toBe(2);
    const ids = await publish(3);
    for (const stream of streams) await received(stream, ids);
    expect(await metric(edge.url, 'wafleet_edge_sse_events_total')).toBe(6);
    for (const stream of streams) stream.close();
    await waitFor(async () => (await open()) === 0, { what: 'the streams are gone' });
  });

  it('that stops ends its streams', async () => {
    const edge = await cluster.startEdge();
    const stream = await follow('?events=presence.update', edge);
    await edge.stop();
    await waitFor(() => stream.end !== undefined, { what: 'the stream ends' });
    expect(stream.end).toBe('ended');
  });

  it('is left with nothing by requests that are aborted at any moment', async () => {
    const edge = await cluster.startEdge();
    const headers = { 'x-api-key': tenant.key };
    for (let afterMs = 0; afterMs < 30; afterMs += 1) {
      // Not fetch, whose pool would keep a connection on which no request was ever sent.
      const request = get(`${edge.url}/api/events?events=*&since=1-1`, { headers, agent: false });
      request.on('error', () => {});
      await delay(afterMs);
      request.destroy();
    }
    await waitFor(async () => (await metric(edge.url, 'wafleet_edge_sse_streams')) === 0, {
      what: 'the streams are gone',
    });
    const stream = await follow('?events=presence.update', edge);
    await received(stream, await publish(2));
    expect(await metric(edge.url, 'wafleet_edge_sse_streams')).toBe(1);
  });
});
