import { SUBSCRIPTION_LIMITS } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { EventStreams, received } from '../testing/event-streams.js';
import { sendRequest } from '../testing/raw-request.js';

const fixture = useEdges();
const streams = new EventStreams(fixture);

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
    const answer = await sendRequest(fixture.edge.url, `GET /api/events${query}`, {
      key: fixture.tenant.key,
    });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it('without events gets an error that names what to give', async () => {
    const answer = await sendRequest(fixture.edge.url, 'GET /api/events', { key: fixture.tenant.key });
    expect(JSON.stringify(answer.body)).toContain('querystring.events: must be given');
  });

  it.each([
    ['events', `events=${Array(SUBSCRIPTION_LIMITS.events + 1).fill('call')}`, 400, 'TOO_MANY_ITEMS'],
    ['sessions', `events=call&sessions=${many(SUBSCRIPTION_LIMITS.sessions + 1)}`, 400, 'TOO_MANY_ITEMS'],
    ['sessions for a URL', `events=call&sessions=${many(4_000)}`, 413, 'PAYLOAD_TOO_LARGE'],
  ])('with too many %s is refused', async (_what, query, status, code) => {
    const answer = await sendRequest(fixture.edge.url, `GET /api/events?${query}`, {
      key: fixture.tenant.key,
    });
    expect(answer).toMatchObject({ status, body: { error: { code } } });
  });

  it.each(['yesterday', '1', '1-2-3', '1-2, 1-3', '\u00e9'])(
    'Last-Event-ID %j is refused',
    async (lastEventId) => {
      const headers = { 'last-event-id': lastEventId };
      const answer = await sendRequest(fixture.edge.url, 'GET /api/events?events=call', {
        key: fixture.tenant.key,
        headers,
      });
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'VALIDATION_FAILED' } } });
      expect(JSON.stringify(answer.body)).toContain('headers.last-event-id');
    },
  );

  it('gets nothing of another tenant’s sessions', async () => {
    const other = await fixture.cluster.createTenant('another');
    await fixture.worker.own(other.tenantId, 'theirs');
    const ask = (session: string) =>
      sendRequest(fixture.edge.url, `GET /api/events?events=*&sessions=${session}`, {
        key: fixture.tenant.key,
        headers: { 'request-id': 'same' },
      });
    const foreign = await ask('theirs');
    expect(foreign.status).toBe(404);
    expect(JSON.stringify(foreign.body).replaceAll('theirs', 'missing')).toBe(
      JSON.stringify((await ask('missing')).body),
    );
    const theirs = await streams.follow('?events=presence.update', { key: other.key });
    const ours = await streams.follow('?events=presence.update');
    await received(ours, await fixture.publish(2));
    expect(theirs.payloads).toEqual([]);
  });
});
