import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { WafleetError } from '@wafleet/contract';
import { ApiKeys } from '@wafleet/store';
import { waitFor } from '@wafleet/testkit';
import { describe, expect, it } from 'vitest';
import { useMedia } from '../testing/media-fixture.js';
import { ADMIN_TOKEN } from '../testing/test-edge.js';

const media = useMedia();

const refused = (status: number, code: string) => ({ status, error: { code } });
const HALF = { stallAfter: 500_000 };

const metrics = async () => (await fetch(`${media.edge.url}/metrics`)).text();

/** How many downloads ended with an outcome, as the edge reports it. */
async function downloads(outcome: string): Promise<number> {
  const [, count] =
    (await metrics()).match(new RegExp(`media_downloads_total{outcome="${outcome}"} (\\d+)`)) ?? [];
  return Number(count);
}

describe('bounds', () => {
  it('refuse a file that is too large, with and without a length', async () => {
    const { url } = await media.edgeWith({ maxBytes: 200_000 });
    media.receive(Buffer.alloc(200_000, 1));
    expect((await (await media.get(url)).arrayBuffer()).byteLength).toBe(200_000);
    media.receive(Buffer.alloc(200_016, 1));
    expect(await media.refusal(url)).toMatchObject(refused(413, 'MEDIA_TOO_LARGE'));
    media.receive(Buffer.alloc(1_000_000, 1), {}, { headers: { 'transfer-encoding': 'chunked' } });
    await expect(media.get(url).then((response) => response.arrayBuffer())).rejects.toThrow();
    await media.nothingOpen();
  });

  it('refuse what is too many at a time, for a tenant and for the edge', async () => {
    const { url } = await media.edgeWith({ downloads: 3 }, { mediaDownloads: 2 });
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const stalled = [await media.open(url), await media.open(url)];
    const { headers, ...answer } = await media.refusal(url);
    expect(answer).toMatchObject(refused(429, 'TOO_MANY_DOWNLOADS'));
    expect(answer.error.details).toMatchObject({ resource: 'mediaDownloads', limit: 2 });
    expect(headers.get('retry-after')).toBe('1');
    const exceeded = async (limit: string) => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return new RegExp(`limits_exceeded_total{limit="${limit}"} (\\d+)`).exec(text)?.[1];
    };
    expect(await exceeded('media_downloads')).toBe('1');

    await media.nextTenant();
    stalled.push(await media.open(url));
    expect((await media.refusal(url)).error.details).toMatchObject({
      resource: 'media_downloads_per_edge',
      limit: 3,
    });
    expect(await exceeded('media_downloads_per_edge')).toBe('1');
    expect(await exceeded('media_downloads')).toBe('1');

    for (const response of stalled) response.destroy();
    await media.nothingOpen();
    media.receive(Buffer.from('a file'));
    await waitFor(async () => (await media.get(url)).ok, { what: 'there is room again' });
  });

  it('hold for all edges together', async () => {
    const startEdge = () =>
      media.cluster.startEdge({ media: { url: media.host.url }, tenantLimits: { mediaDownloads: 1 } });
    const [first, second] = [await startEdge(), await startEdge()];
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const stalled = await media.open(first.url);
    const { headers, ...answer } = await media.refusal(second.url);
    expect(answer).toMatchObject(refused(429, 'TOO_MANY_DOWNLOADS'));
    expect(answer.error.details).toMatchObject({ resource: 'mediaDownloads', limit: 1, used: 1 });
    expect(headers.get('retry-after')).toBe('1');
    stalled.destroy();
    media.receive(Buffer.from('a file'));
    await waitFor(async () => (await media.get(second.url)).ok, { what: 'there is room again' });
  });

  it('end what stands still', async () => {
    const { url } = await media.edgeWith({ stallMs: 2_000 });
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const begun = await media.get(url);
    expect(begun.status).toBe(200);
    media.receive(Buffer.alloc(1_000, 1), {}, { stallAfter: 0 });
    const notBegun = media.refusal(url);
    await expect(begun.arrayBuffer()).rejects.toThrow();
    expect(await notBegun).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
    await media.nothingOpen();
  });

  it('end what its client does not read, without having taken it all', async () => {
    const { url } = await media.edgeWith({ stallMs: 2_000 });
    const { directPath } = media.receive(Buffer.alloc(60_000_000, 1));
    const response = await media.open(url);
    await waitFor(() => media.host.cutOff.includes(directPath), { what: 'the request is cut off' });
    response.destroy();
  });
});

describe('the end of a download', () => {
  it('is that of the request to the media host, when the client goes', async () => {
    const cancelled = await downloads('cancelled');
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const response = await media.open();
    expect(media.host.open).toBe(1);
    response.destroy();
    await media.nothingOpen();
    await waitFor(async () => (await downloads('cancelled')) === cancelled + 1, { what: 'it is counted' });
  });

  it('comes before it begins when the client went while its key was checked', async () => {
    const cancelled = await downloads('cancelled');
    const { directPath } = media.receive(Buffer.alloc(1_000_000, 1));
    media.cluster.redis.pause();
    try {
      const request = httpRequest(media.address(), { headers: media.headers(), agent: false });
      request.on('error', () => {}).end();
      await once(request, 'finish');
      request.destroy();
      // The edge runs in this process, and learns of it when the event loop turns.
      for (let turns = 0; turns < 50; turns += 1) await nextTurn();
    } finally {
      media.cluster.redis.resume();
    }
    await waitFor(async () => (await downloads('cancelled')) === cancelled + 1, { what: 'it is counted' });
    expect(media.host.asked).not.toContain(directPath);
  });

  it('comes when its API key is revoked, also at another edge', async () => {
    const other = await media.edgeWith({});
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const begun = [await media.get(), await media.get(other.url)];
    // Either may end first: a rejection that is not awaited yet counts as unhandled.
    const ends = begun.map((response) => expect(response.arrayBuffer()).rejects.toThrow());
    const { keyId } = media.tenant;
    await fetch(`${media.edge.url}/api/keys/${keyId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    await Promise.all(ends);
    await media.nothingOpen();
  });

  it('comes when its API key is revoked before the first byte, as an error', async () => {
    media.receive(Buffer.alloc(1_000_000, 1), {}, { stallAfter: 0 });
    const refusal = media.refusal();
    await waitFor(() => media.host.open === 1, { what: 'the media host is asked' });
    await fetch(`${media.edge.url}/api/keys/${media.tenant.keyId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    expect(await refusal).toMatchObject(refused(401, 'UNAUTHORIZED'));
    await media.nothingOpen();
  });

  it('comes when its API key expires', async () => {
    const { tenantId } = media.tenant;
    media.receive(Buffer.alloc(1_000_000, 1), {}, HALF);
    const keys = new ApiKeys(media.cluster.connection);
    const { id: keyId, key } = await keys.create(tenantId, { expiresAt: Date.now() + 5_000 });
    media.useKey({ tenantId, keyId, key });
    const response = await media.get();
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await media.nothingOpen();
  });

  it('comes when the client goes while the phone is asked', async () => {
    const cancelled = await downloads('cancelled');
    let looks = 0;
    media.onRefresh = () => {
      looks += 1;
      return {};
    };
    media.receive(Buffer.from('a file'), {}, { status: 404 });
    const client = new AbortController();
    const sent = fetch(media.address(), { headers: media.headers(), signal: client.signal });
    await waitFor(() => looks > 0, { what: 'the phone is asked' });
    client.abort();
    await expect(sent).rejects.toThrow();
    const isCounted = async () => (await downloads('cancelled')) === cancelled + 1;
    await waitFor(isCounted, { what: 'it has ended' });
    expect(await metrics()).toContain('wafleet_edge_media_downloads 0\n');
  });

  it('is counted', async () => {
    const before = [await downloads('complete'), await downloads('refused'), await downloads('failed')];
    media.receive(Buffer.from('a file'));
    await (await media.get()).text();
    media.receive(Buffer.from('a file'), {}, { status: 500 });
    await media.refusal();
    media.receive(Buffer.from('a file'), { directPath: '/v/a' }, { status: 404 });
    media.onRefresh = () => {
      throw new WafleetError('MEDIA_GONE', 'The phone does not have it.');
    };
    await media.refusal();
    const after = [await downloads('complete'), await downloads('refused'), await downloads('failed')];
    expect(after).toEqual(before.map((count) => count + 1));
  });

  it('is waited for when the edge stops', async () => {
    const stopping = await media.cluster.startEdge({ media: { url: media.host.url } });
    const data = randomBytes(20_000_000);
    media.receive(data);
    const response = await media.open(stopping.url);
    const stopped = stopping.stop();
    const isClosed = () =>
      fetch(`${stopping.url}/readyz`).then(
        () => false,
        () => true,
      );
    await waitFor(isClosed, { what: 'it takes no more connections' });
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(data)).toBe(true);
    await stopped;
  });
});
