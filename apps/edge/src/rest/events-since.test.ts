import { waitFor } from '@wafleet/testkit';
import { EventSource } from 'eventsource';
import { describe, expect, it } from 'vitest';
import { useEdges } from '../testing/edge-fixture.js';
import { EventStreams, idsOf, named, received } from '../testing/event-streams.js';

const fixture = useEdges(2);
const streams = new EventStreams(fixture);

describe('Last-Event-ID', () => {
  it('brings what came since on another edge, each once and in order, while events go on coming', async () => {
    const first = await streams.follow('?events=presence.update');
    const seen = await fixture.publish(3);
    await received(first, seen);
    first.close();
    const missed = await fixture.publish(1_200);
    let goesOn = true;
    const live: string[] = [];
    const publishing = (async () => {
      while (goesOn) live.push(...(await fixture.publish()));
    })();
    const headers = { 'last-event-id': first.lastId ?? '' };
    const second = await streams.open('?events=presence.update', { url: fixture.otherEdge.url, headers });
    await waitFor(() => idsOf(second).length > missed.length + 50, { what: 'it is live again' });
    goesOn = false;
    await publishing;
    await received(second, [...missed, ...live]);
    expect(named(second, 'subscription.reset')).toEqual([]);
  });

  it('wins over since, which does the same', async () => {
    const first = await streams.follow('?events=presence.update');
    const ids = await fixture.publish(4);
    await received(first, ids);
    const [a, , c] = named(first, 'presence.update').map(({ id }) => id ?? '');
    await received(await streams.open(`?events=presence.update&since=${a}`), ids.slice(1));
    await received(
      await streams.open(`?events=presence.update&since=${a}`, { headers: { 'last-event-id': c ?? '' } }),
      ids.slice(3),
    );
    const headers = { 'last-event-id': '' };
    await received(await streams.open(`?events=presence.update&since=${a}`, { headers }), ids.slice(1));
  });

  it('goes on from the position that was sent, even if no event had come', async () => {
    const first = await streams.follow('?events=presence.update');
    expect(first.events).toHaveLength(1);
    first.close();
    const missed = await fixture.publish(2);
    const headers = { 'last-event-id': first.lastId ?? '' };
    await received(await streams.open('?events=presence.update', { headers }), missed);
  });

  it('of a snapshot brings the snapshots again, since some may not have come, and what came since', async () => {
    const other = await fixture.worker.own(fixture.tenant.tenantId, 'shop-2');
    const first = await streams.follow('?events=*');
    const [snapshot] = named(first, 'connection.update');
    const missed = await fixture.publish(2, other);
    const second = await streams.follow('?events=*', { headers: { 'last-event-id': snapshot?.id ?? '' } });
    expect(second.payloads).toMatchObject([
      { sessionId: 'shop-1', snapshot: true },
      { sessionId: 'shop-2', snapshot: true },
      ...missed.map((id) => ({ id })),
    ]);
    const third = await streams.follow('?events=*', { headers: { 'last-event-id': second.lastId ?? '' } });
    expect(third.payloads).toEqual([]);
  });

  it('that the log has lost gets a report of the lost range, and what is left comes', async () => {
    const first = await streams.follow('?events=presence.update');
    const ids = await fixture.publish(10);
    await received(first, ids);
    const eventIds = first.payloads.map(({ eventId }) => eventId);
    await fixture.cluster.connection.xtrim(`wf:{${fixture.tenant.tenantId}}:log`, 'MAXLEN', 4);

    const late = await streams.open('?events=presence.update', {
      headers: { 'last-event-id': eventIds[1] ?? '' },
    });
    await received(late, ids.slice(6));
    const [reset, ...others] = named(late, 'subscription.reset');
    expect(others).toEqual([]);
    expect(JSON.parse(reset?.data ?? '')).toEqual({ lost: { after: eventIds[1], before: eventIds[6] } });
    expect(late.events[0]).toBe(reset);

    const again = await streams.open('?events=presence.update', {
      headers: { 'last-event-id': reset?.id ?? '' },
    });
    await received(again, ids.slice(6));
    expect(named(again, 'subscription.reset')).toEqual([]);
  });
});

describe('an EventSource', () => {
  it('that loses its edge goes on where it was on another one', async () => {
    const doomed = await fixture.cluster.startEdge();
    let url = doomed.url;
    const source = new EventSource(`${url}/api/events?events=presence.update`, {
      fetch: (_url, init) =>
        fetch(`${url}/api/events?events=presence.update`, {
          ...init,
          headers: { ...init.headers, 'X-Api-Key': fixture.tenant.key },
        }),
    });
    fixture.keep(source);
    const ids: string[] = [];
    let isLive = false;
    source.addEventListener('subscription.position', () => {
      isLive = true;
    });
    source.addEventListener('presence.update', ({ data }) => ids.push(JSON.parse(data).id));
    await waitFor(() => isLive, { what: 'it is live' });
    url = fixture.otherEdge.url;
    await doomed.stop();
    const missed = await fixture.publish(20);
    await waitFor(() => ids.length >= missed.length, { what: 'it has what it missed' });
    const live = await fixture.publish(2);
    await waitFor(() => ids.length >= missed.length + 2, { what: 'it is live again' });
    expect(ids).toEqual([...missed, ...live]);
  });
});
