import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { metricOf, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { EventStreams, named, received } from '../testing/event-streams.js';
import { sendRequest } from '../testing/raw-request.js';
import { SseStream } from '../testing/sse-stream.js';

const fixture = useEdges();
const streams = new EventStreams(fixture);

describe('GET /api/events', () => {
  it('streams events with their id, name and payload, unbuffered and uncached', async () => {
    const stream = await streams.follow('?events=presence.update,call', {
      headers: { origin: 'https://a.example' },
    });
    const { headers } = stream.response;
    expect(headers.get('content-type')).toBe('text/event-stream');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-accel-buffering')).toBe('no');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(stream.retry).toBe('1000');

    const text = 'Grüße, 👋🏽 \u2028 "\\n"\n';
    await fixture.worker.publish(fixture.shop, 'presence.update', { id: text, presences: {} });
    await received(stream, [text]);
    const [event] = named(stream, 'presence.update');
    const [payload] = stream.payloads;
    expect(event?.id).toBe(payload?.eventId);
    expect(payload).toMatchObject({ sessionId: 'shop-1', timestamp: expect.any(String), presences: {} });
  });

  it('sends what is subscribed to, of the sessions named, and nothing else', async () => {
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    await fixture.worker.own(fixture.tenant.tenantId, 'shop-3');
    const some = await streams.follow('?events=presence.update&sessions=shop-2,shop-3');
    const all = await streams.follow('?events=presence.*&events=messages.*');
    const none = await streams.follow('?events=call');
    const here = await fixture.publish(2);
    const there = await fixture.publish(2, other);
    const later = await fixture.worker.own(fixture.tenant.tenantId, 'later');
    const last = await fixture.publish(1, later);
    await received(all, [...here, ...there, ...last]);
    await received(some, there);
    expect(none.payloads).toEqual([]);
  });

  it('takes a key from either header', async () => {
    const headers = { authorization: `Bearer ${fixture.tenant.key}` };
    const stream = await SseStream.open(fixture.edge.url, '?events=presence.update', { headers });
    fixture.keep(stream);
    await stream.live();
    await received(stream, await fixture.publish());
  });

  it('first tells how the sessions are', async () => {
    await fixture.worker.sessions.setStatus(fixture.shop, { status: 'awaiting_link' });
    await fixture.worker.offers.putQr(fixture.shop, { qr: '2@abc', expiresAt: Date.now() + 60_000 });
    const stream = await streams.follow('?events=*');
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
    const response = await fetch(`${fixture.edge.url}/api/events`, {
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
    expect(
      await sendRequest(fixture.edge.url, 'HEAD /api/events?events=*', { key: fixture.tenant.key }),
    ).toMatchObject({
      status: 404,
    });
  });
});

describe('an edge with streams', () => {
  it('counts its streams and what it gives to them', async () => {
    const edge = await fixture.cluster.startEdge();
    const open = () => metricOf(edge, 'wafleet_edge_sse_streams');
    const both = await Promise.all([1, 2].map(() => streams.follow('?events=presence.update', edge)));
    expect(await open()).toBe(2);
    const ids = await fixture.publish(3);
    for (const stream of both) await received(stream, ids);
    expect(await metricOf(edge, 'wafleet_edge_sse_events_total')).toBe(6);
    for (const stream of both) stream.close();
    await waitFor(async () => (await open()) === 0, { what: 'the streams are gone' });
  });

  it('that stops ends its streams', async () => {
    const edge = await fixture.cluster.startEdge();
    const stream = await streams.follow('?events=presence.update', edge);
    await edge.stop();
    await waitFor(() => stream.end !== undefined, { what: 'the stream ends' });
    expect(stream.end).toBe('ended');
  });

  it('is left with nothing by requests that are aborted at any moment', async () => {
    const edge = await fixture.cluster.startEdge();
    const headers = { 'x-api-key': fixture.tenant.key };
    for (let afterMs = 0; afterMs < 30; afterMs += 1) {
      // Not fetch, whose pool would keep a connection on which no request was ever sent.
      const request = get(`${edge.url}/api/events?events=*&since=1-1`, { headers, agent: false });
      request.on('error', () => {});
      await delay(afterMs);
      request.destroy();
    }
    await waitFor(async () => (await metricOf(edge, 'wafleet_edge_sse_streams')) === 0, {
      what: 'the streams are gone',
    });
    const stream = await streams.follow('?events=presence.update', edge);
    await received(stream, await fixture.publish(2));
    expect(await metricOf(edge, 'wafleet_edge_sse_streams')).toBe(1);
  });
});
