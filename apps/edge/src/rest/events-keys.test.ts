import { ApiKeys } from '@wafleet/store';
import { metricOf, waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { EventStreams, named, received } from '../testing/event-streams.js';
import { sendRequest } from '../testing/raw-request.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const fixture = useEdges(2);
const streams = new EventStreams(fixture);

describe('an API key', () => {
  it.each(['key', 'token', 'api_key', 'apiKey', 'X-Api-Key', 'access_token', 'auth', 'authorization'])(
    'in the URL as %s is refused, even beside one in the headers',
    async (name) => {
      for (const key of [undefined, fixture.tenant.key]) {
        const answer = await sendRequest(
          fixture.edge.url,
          `GET /api/events?events=*&${name}=${fixture.tenant.key}`,
          { key },
        );
        expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED' } } });
        const text = JSON.stringify(answer.body);
        expect(text).toContain('X-Api-Key');
        expect(text).not.toContain(fixture.tenant.key);
      }
    },
  );

  it('that is missing, unknown, the administrator’s or without the scope is refused', async () => {
    const { key: narrow } = await new ApiKeys(fixture.cluster.connection).create(fixture.tenant.tenantId, {
      scopes: ['sessions:read', 'sessions:write', 'messages:write'],
    });
    const ask = (key?: string) => sendRequest(fixture.edge.url, 'GET /api/events?events=*', { key });
    expect(await ask()).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(await ask('unknown')).toMatchObject({ status: 401, body: { error: { code: 'UNAUTHORIZED' } } });
    expect(await ask(ADMIN_TOKEN)).toMatchObject({ status: 403 });
    expect(await ask(narrow)).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN', details: { scope: 'events:read' } } },
    });
  });

  it('gets no more than it may see', async () => {
    const keys = new ApiKeys(fixture.cluster.connection);
    const { key: reader } = await keys.create(fixture.tenant.tenantId, {
      scopes: ['events:read'],
      sessions: ['shop-2'],
    });
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const ask = (query: string) => sendRequest(fixture.edge.url, `GET /api/events?${query}`, { key: reader });
    expect(await ask('events=auth.qr')).toMatchObject({
      status: 403,
      body: { error: { code: 'FORBIDDEN' } },
    });
    expect(await ask('events=call&sessions=shop-1')).toMatchObject({ status: 404 });
    const stream = await streams.follow('?events=*', { key: reader });
    await fixture.publish(1);
    await fixture.worker.publish(other, 'auth.qr', {
      qr: '2@abc',
      expiresAt: new Date(Date.now() + 60_000).toISOString(),
    });
    const seen = await fixture.publish(1, other);
    await received(stream, seen);
    expect(named(stream, 'auth.qr')).toEqual([]);
    expect(stream.payloads.map(({ sessionId }) => sessionId)).toEqual(['shop-2', 'shop-2']);
  });

  it('with a list of sessions gets those, past and to come, each event once', async () => {
    const { key } = await fixture.cluster.createKey(fixture.tenant.tenantId, {
      sessions: ['shop-1', 'shop-9'],
    });
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const later = await fixture.worker.own(fixture.tenant.tenantId, 'shop-9');
    await fixture.publish(1, other);
    const past = [...(await fixture.publish(1)), ...(await fixture.publish(1, later))];
    const all = await streams.follow('?events=presence.update&since=0-0', { key });
    const one = await streams.follow('?events=presence.update&sessions=shop-9', { key });
    await received(all, past);
    await fixture.publish(1, other);
    const [here, there] = [await fixture.publish(1), await fixture.publish(1, later)];
    await received(all, [...past, ...here, ...there]);
    await received(one, there);
    const states = await streams.follow('?events=connection.update', { key });
    expect(states.payloads.map(({ sessionId }) => sessionId)).toEqual(['shop-1', 'shop-9']);
  });

  it('that is revoked loses its streams on every edge, with KEY_REVOKED as the reason', async () => {
    const revoked = await fixture.cluster.createKey(fixture.tenant.tenantId);
    const losing = await Promise.all(
      fixture.edges.map(({ url }) => streams.follow('?events=presence.update', { url, key: revoked.key })),
    );
    const keeping = await streams.follow('?events=presence.update', { url: fixture.otherEdge.url });
    await fixture.edge.admin.call('revoke-key', { params: { id: revoked.keyId } });
    for (const stream of losing) {
      await waitFor(() => stream.end === 'ended', { what: 'its stream ends' });
      const last = stream.events.at(-1);
      expect(last).toMatchObject({ event: 'connection.closing', id: undefined });
      expect(JSON.parse(last?.data ?? '')).toMatchObject({ code: 'KEY_REVOKED' });
    }
    await received(keeping, await fixture.publish(1));
    expect((await streams.open('?events=*', { key: revoked.key })).response.status).toBe(401);
  });

  it('that expires loses its streams, with KEY_EXPIRED as the reason', async () => {
    const { key } = await new ApiKeys(fixture.cluster.connection).create(fixture.tenant.tenantId, {
      expiresAt: Date.now() + 3_000,
    });
    const stream = await streams.follow('?events=presence.update', { key });
    await waitFor(() => stream.end === 'ended', { what: 'its stream ends' });
    expect(JSON.parse(stream.events.at(-1)?.data ?? '')).toMatchObject({ code: 'KEY_EXPIRED' });
    expect(await metricOf(fixture.edge, 'wafleet_edge_connections_closed_total{reason="KEY_EXPIRED"}')).toBe(
      1,
    );
  });
});
