import { randomBytes } from 'node:crypto';
import { AddressRules } from '@wafleet/egress';
import { proxyForTest } from '@wafleet/egress/testing';
import { type ProxyFault, type TestProxy, waitFor } from '@wafleet/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { useMedia } from '../testing/media-fixture.js';
import type { TestEdge } from '../testing/test-edge.js';

const FROM = '127.0.0.2';
const CREDENTIALS = { username: 'customer', password: 'topsecret' };
const media = useMedia();
const refused = { status: 502, error: { code: 'MEDIA_UNAVAILABLE' } };

let edge: TestEdge;

beforeAll(async () => {
  edge = await media.edgeWith({ proxyRules: AddressRules.parse('127.0.0.1'), stallMs: 1_000 });
});

async function nothingIsOpen(proxy: TestProxy): Promise<void> {
  await waitFor(() => proxy.connections === 0, { what: 'no connection to the proxy' });
}

describe.each(['http', 'socks5'] as const)('a file of a session with a proxy (%s)', (kind) => {
  it('is fetched through the proxy', async () => {
    const proxy = await proxyForTest({ kind, credentials: CREDENTIALS });
    media.proxy = proxy.url();
    const data = randomBytes(2_000_000);
    media.receive(data);
    const begun = media.host.origins.length;
    const response = await media.get(edge.url);
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
    expect(media.host.origins.slice(begun)).toEqual([FROM]);
    expect(proxy.targets).toEqual([new URL(media.host.url).host]);
    await nothingIsOpen(proxy);
  });

  it('is uploaded again and then fetched through the proxy', async () => {
    const proxy = await proxyForTest({ kind });
    media.proxy = proxy.url();
    const moved = media.receive(Buffer.from('a file'));
    media.host.put('/v/gone.enc', { status: 410 });
    media.tell({ directPath: '/v/gone.enc' });
    media.onRefresh = () => ({ file: moved });
    const begun = media.host.origins.length;
    expect(await (await media.get(edge.url)).text()).toBe('a file');
    expect(media.host.origins.slice(begun)).toEqual([FROM, FROM]);
    await nothingIsOpen(proxy);
  });

  it.each<ProxyFault>([407, 403, 502, 'rst', 'garbage'])(
    'is not fetched in another way when the proxy has the fault %s',
    async (fault) => {
      const proxy = await proxyForTest({ kind, fault, credentials: CREDENTIALS });
      media.proxy = proxy.url();
      media.receive(Buffer.from('a file'));
      const begun = media.host.asked.length;
      const refusal = await media.refusal(edge.url);
      expect(refusal).toMatchObject(refused);
      expect(JSON.stringify(refusal.error)).not.toMatch(/topsecret|customer/);
      expect(media.host.asked).toHaveLength(begun);
      await nothingIsOpen(proxy);
    },
  );

  it('ends when the tunnel breaks or stands still', async () => {
    const proxy = await proxyForTest({ kind, fault: { freezeAfterMs: 30 } });
    media.proxy = proxy.url();
    media.receive(randomBytes(1_000_000), {}, { stallAfter: 200_000 });
    const frozen = await media.get(edge.url);
    await expect(frozen.arrayBuffer()).rejects.toThrow();
    proxy.setFault({ cutAfterMs: 30 });
    const cut = await media.get(edge.url);
    await expect(cut.arrayBuffer()).rejects.toThrow();
    await nothingIsOpen(proxy);
  });

  it('leaves nothing open when the client goes', async () => {
    const proxy = await proxyForTest({ kind });
    media.proxy = proxy.url();
    media.receive(randomBytes(5_000_000));
    const response = await media.open(edge.url);
    expect(proxy.connections).toBe(1);
    response.destroy();
    await nothingIsOpen(proxy);
    await media.nothingOpen();
  });
});

it('no file is fetched through a proxy whose address is not allowed', async () => {
  const proxy = await proxyForTest({ kind: 'http' });
  media.proxy = proxy.url();
  media.receive(Buffer.from('a file'));
  const begun = media.host.asked.length;
  // This edge has no PROXY_ALLOW.
  expect(await media.refusal()).toMatchObject(refused);
  expect(proxy.targets).toEqual([]);
  expect(media.host.asked).toHaveLength(begun);
});

it.each(['nonsense', 'ftp://h:1', ''])('no file is fetched if the proxy is %j', async (url) => {
  media.proxy = url;
  media.receive(Buffer.from('a file'));
  const begun = media.host.asked.length;
  expect(await media.refusal(edge.url)).toMatchObject(refused);
  expect(media.host.asked).toHaveLength(begun);
});

it('no file is fetched if the proxy cannot be read', async () => {
  media.sealedProxy = 'sealed for another edge';
  media.receive(Buffer.from('a file'));
  const begun = media.host.asked.length;
  expect(await media.refusal(edge.url)).toMatchObject(refused);
  expect(media.host.asked).toHaveLength(begun);
});

describe('if the worker does not say whether the session has a proxy, as those of earlier releases,', () => {
  it('a file of a session with a proxy is not fetched', async () => {
    await media.setProxy('http://proxy.example:3128');
    media.isSilentOfProxy = true;
    media.receive(Buffer.from('a file'));
    const begun = media.host.asked.length;
    expect(await media.refusal(edge.url)).toMatchObject({ status: 501, error: { code: 'NOT_SUPPORTED' } });
    expect(media.host.asked).toHaveLength(begun);
  });

  it('a file is not fetched if the settings cannot be read', async () => {
    await media.damageSettings();
    media.isSilentOfProxy = true;
    media.receive(Buffer.from('a file'));
    expect(await media.refusal(edge.url)).toMatchObject({ status: 501, error: { code: 'NOT_SUPPORTED' } });
  });

  it('a file of a session without one is fetched', async () => {
    media.isSilentOfProxy = true;
    media.receive(Buffer.from('a file'));
    expect((await media.get(edge.url)).status).toBe(200);
  });
});

it('the headers of a file are answered without the proxy', async () => {
  const proxy = await proxyForTest({ kind: 'http', fault: 'silent' });
  media.proxy = proxy.url();
  media.receive(Buffer.from('a file'));
  expect((await media.get(edge.url, { method: 'HEAD' })).status).toBe(200);
  expect(proxy.connections).toBe(0);
});
