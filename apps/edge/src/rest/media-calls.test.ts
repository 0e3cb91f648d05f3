import { randomBytes } from 'node:crypto';
import { WafleetError } from '@wafleet/contract';
import { describe, expect, it } from 'vitest';
import { useMedia } from '../testing/media-fixture.js';

const media = useMedia();

const refused = (status: number, code: string) => ({ status, error: { code } });

describe('a file', () => {
  it('comes decrypted, with its type, name and length', async () => {
    const data = randomBytes(300_000);
    const described = { kind: 'document', mimetype: 'application/pdf', fileName: 'März.pdf' } as const;
    const file = media.receive(data, described);
    const response = await media.get();
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(data)).toBe(true);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': `attachment; filename="M_rz.pdf"; filename*=UTF-8''M%C3%A4rz.pdf`,
      'content-length': '300000',
      'accept-ranges': 'none',
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      etag: `"${file.sha256}"`,
    });
  });

  it('may be empty', async () => {
    media.receive(Buffer.alloc(0));
    const response = await media.get();
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('is not fetched where the client has it, or asks for the headers', async () => {
    const { sha256 } = media.receive(Buffer.from('a file'));
    const { length: before } = media.host.asked;
    const same = await media.get(undefined, { headers: { 'if-none-match': `"${sha256}"` } });
    expect([same.status, await same.text(), same.headers.get('etag')]).toEqual([304, '', `"${sha256}"`]);
    const head = await media.get(undefined, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect(head.headers.get('content-type')).toBe('image/png');
    expect(head.headers.get('content-length')).toBeNull();
    expect(media.host.asked).toHaveLength(before);
    const other = await media.get(undefined, { headers: { 'if-none-match': '"another"' } });
    expect(await other.text()).toBe('a file');
  });

  it.each([1, 5, 1e9])('comes without a length where its sender lies: %i', async (length) => {
    media.receive(Buffer.alloc(100_000, 1), { length });
    const response = await media.get();
    expect(response.headers.get('content-length')).toBeNull();
    expect((await response.arrayBuffer()).byteLength).toBe(100_000);
  });

  it('comes without a length where the host tells none', async () => {
    media.receive(Buffer.alloc(100_000, 1), {}, { headers: { 'transfer-encoding': 'chunked' } });
    const response = await media.get();
    expect(response.headers.get('content-length')).toBeNull();
    expect((await response.arrayBuffer()).byteLength).toBe(100_000);
  });

  it('is its tenant’s alone', async () => {
    media.receive(Buffer.from('a file'));
    await media.strangeTenant();
    expect(await media.refusal()).toMatchObject(refused(404, 'SESSION_NOT_FOUND'));
  });

  it('is found by its message’s id, whatever that is', async () => {
    media.receive(Buffer.from('a file'));
    for (const id of ['unknown', '..%2F..%2Fetc', 'a%00b', '%F0%9F%8E%89', '__proto__']) {
      const response = await fetch(media.address(undefined, id), { headers: media.headers() });
      expect(await response.json()).toMatchObject({ error: { code: 'MEDIA_NOT_FOUND' } });
    }
    const endless = media.address(undefined, 'A'.repeat(256));
    expect((await fetch(endless, { headers: media.headers() })).status).toBe(400);
  });
});

describe('a file that is not what its message says', () => {
  const wrong = { sha256: Buffer.alloc(32).toString('base64') };

  it('is an error when it is small', async () => {
    media.receive(randomBytes(1_000), wrong);
    const { headers, ...answer } = await media.refusal();
    expect(answer).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(headers.get('content-disposition')).toBeNull();
  });

  it('breaks off when it is large, with a length and without one', async () => {
    for (const length of [500_000, 7]) {
      media.receive(randomBytes(500_000), { ...wrong, length });
      const response = await media.get();
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe(length === 7 ? null : '500000');
      await expect(response.arrayBuffer()).rejects.toThrow();
    }
    await media.nothingOpen();
  });
});

describe('the media host', () => {
  it.each(['//127.0.0.1:1/v/a', '/\\127.0.0.1:1/a', '@127.0.0.1:1/a', 'http://127.0.0.1:1/a', '/v/../a'])(
    'is not left for %s',
    async (directPath) => {
      media.receive(Buffer.from('a file'), { directPath });
      const { length: before } = media.host.asked;
      expect(await media.refusal()).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
      expect(media.host.asked).toHaveLength(before);
    },
  );

  it.each([301, 302, 307])('is not left for a redirect: %i', async (status) => {
    const other = media.receive(Buffer.from('another file'));
    media.receive(Buffer.from('a file'), {}, { status, headers: { location: other.directPath } });
    const { length: before } = media.host.asked;
    expect(await media.refusal()).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
    expect(media.host.asked).toHaveLength(before + 1);
  });

  it.each([500, 206, 416])('may fail: %i', async (status) => {
    media.receive(Buffer.from('a file'), {}, { status });
    expect(await media.refusal()).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
  });

  it('may be out of reach', async () => {
    const { url } = await media.edgeWith({ url: 'http://127.0.0.1:1' });
    media.receive(Buffer.from('a file'));
    expect(await media.refusal(url)).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
  });
});

describe('a file that the media host has no longer', () => {
  it.each([403, 404, 410])('is asked of the phone, until it answers: %i', async (status) => {
    const moved = media.receive(Buffer.from('a file'));
    const gone = media.receive(Buffer.from('a file'), {}, { status });
    media.tell({ mediaKey: moved.mediaKey, directPath: gone.directPath });
    let looks = 0;
    media.onRefresh = () => {
      looks += 1;
      return looks < 2 ? {} : { file: moved };
    };
    expect(await (await media.get()).text()).toBe('a file');
    expect(looks).toBe(2);
  });

  it('may be gone for good', async () => {
    media.receive(Buffer.from('a file'), {}, { status: 404 });
    media.onRefresh = () => {
      throw new WafleetError('MEDIA_GONE', 'The phone does not have it.');
    };
    expect(await media.refusal()).toMatchObject(refused(410, 'MEDIA_GONE'));
  });

  it('is tried once more only', async () => {
    const file = media.receive(Buffer.from('a file'), {}, { status: 404 });
    media.onRefresh = () => ({ file });
    const { length: before } = media.host.asked;
    expect(await media.refusal()).toMatchObject(refused(502, 'MEDIA_UNAVAILABLE'));
    expect(media.host.asked).toHaveLength(before + 2);
  });

  it('is not waited for longer than a phone may take', async () => {
    const { url } = await media.edgeWith({ phoneMs: 100 });
    media.receive(Buffer.from('a file'), {}, { status: 404 });
    const { headers, ...answer } = await media.refusal(url);
    expect(answer).toMatchObject(refused(503, 'UNAVAILABLE'));
    expect(headers.get('retry-after')).toBe('5');
  });
});
