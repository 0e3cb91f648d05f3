import { randomBytes, randomUUID } from 'node:crypto';
import type { UploadedMedia } from '@wafleet/contract';
import { WafleetError } from '@wafleet/contract';
import { waitFor } from '@wafleet/testkit';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { there } from '../testing/cluster-fixture.js';
import { type Answer, errorAnswer } from '../testing/raw-request.js';
import { useSending } from '../testing/sending-fixture.js';

const fixture = useSending();

const to = '15551230001';
const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
  .jpeg()
  .toBuffer();

const pictureOf = (file: unknown, more: object = {}) => ({ to, content: { type: 'image', file, ...more } });

/** The file of the last message that the worker got. */
function sentFile(): UploadedMedia {
  const { content } = there(fixture.sent.at(-1));
  if (content.type === 'album' || !('directPath' in content.file)) throw new Error('another content');
  return content.file;
}

/** A request of several parts: texts, and files. */
function form(parts: readonly (readonly [string, string | Uint8Array<ArrayBuffer>])[]): FormData {
  const data = new FormData();
  for (const [name, value] of parts) {
    data.append(name, typeof value === 'string' ? value : new Blob([value]));
  }
  return data;
}

const bytes = (buffer: Buffer) => new Uint8Array(buffer);
const message = JSON.stringify({ to, content: { type: 'image', caption: 'look' } });

describe('a picture is uploaded to WhatsApp', () => {
  it.each<[string, () => Promise<Answer>]>([
    ['from a URL', () => fixture.post('messages', pictureOf({ url: fixture.page('/a.jpg', picture) }))],
    ['from base64', () => fixture.post('messages', pictureOf({ base64: picture.toString('base64') }))],
    [
      'from a part of the request',
      () =>
        fixture.postAs(
          'messages',
          form([
            ['message', message],
            ['file', bytes(picture)],
          ]),
        ),
    ],
  ])('%s', async (_, send) => {
    const { status, body } = await send();
    expect(body).toEqual({ messageId: expect.stringMatching(/^3EB0/) });
    expect(status).toBe(200);
    const file = sentFile();
    expect(file).toMatchObject({ mimetype: 'image/jpeg', width: 64, height: 48, length: picture.length });
    expect(there(file.thumbnail)).toMatch(/^\/9j\//);
    expect(await fixture.open('image', file)).toEqual(picture);
  });

  it('as a document of any kind', async () => {
    const page = Buffer.from('<html>');
    const content = { type: 'document', file: { base64: page.toString('base64') }, fileName: 'a.html' };
    expect(await fixture.post('messages', { to, content })).toMatchObject({ status: 200 });
    expect(fixture.sent[0]?.content).toMatchObject({ fileName: 'a.html' });
    expect(await fixture.open('document', sentFile())).toEqual(page);
  });

  it('with the caption and the options of the request', async () => {
    const more = { caption: 'look', viewOnce: true, mentions: [to] };
    const body = pictureOf({ base64: picture.toString('base64') }, more);
    await fixture.post('messages', { ...body, disappearing: 86_400, quote: { messageId: 'Q' } });
    expect(fixture.sent[0]).toMatchObject({ disappearing: 86_400, quote: { messageId: 'Q' }, content: more });
  });

  it('again when the media host fails, and with another token when it refuses one', async () => {
    fixture.host.uploadFaults.push(503, 401);
    const body = pictureOf({ base64: picture.toString('base64') });
    expect(await fixture.post('messages', body)).toMatchObject({ status: 200 });
    fixture.host.uploadFaults.push(503, 503, 503);
    expect(await fixture.post('messages', body)).toMatchObject(errorAnswer(502, 'UPLOAD_FAILED'));
    expect(fixture.sent).toHaveLength(1);
  });
});

describe('a file is refused', () => {
  const html = Buffer.from('<html><body>not a picture</body></html>');

  it.each<[string, () => unknown, number, string]>([
    ['that is not a picture', () => ({ base64: html.toString('base64') }), 422, 'FILE_UNREADABLE'],
    ['whose URL is missing', () => ({ url: `${fixture.page('/b', picture)}x` }), 422, 'FILE_NOT_FETCHED'],
    ['at a private address', () => ({ url: 'http://169.254.169.254/' }), 422, 'FILE_NOT_FETCHED'],
    ['that is not base64', () => ({ base64: 'ab!=' }), 400, 'VALIDATION_FAILED'],
    ['that did not come', () => ({ part: 'file' }), 400, 'VALIDATION_FAILED'],
    ['that was not uploaded', () => ({ uploadId: `upl_${'a'.repeat(24)}` }), 404, 'UPLOAD_NOT_FOUND'],
  ])('%s', async (_, file, status, code) => {
    const answer = await fixture.post('messages', pictureOf(file()));
    expect(answer).toMatchObject({ status, body: { error: { code } } });
    expect(fixture.sent).toHaveLength(0);
  });

  it('of a session that does not exist, before it is read', async () => {
    const answer = await fixture.postAs(
      '../shop-2/messages',
      form([
        ['message', message],
        ['file', bytes(picture)],
      ]),
    );
    expect(answer).toMatchObject(errorAnswer(404, 'SESSION_NOT_FOUND'));
  });
});

describe('a request of several parts is refused', () => {
  const file = bytes(picture);
  it.each<[string, FormData]>([
    ['without a message', form([['file', file]])],
    ['without a file', form([['message', message]])],
    [
      'with the file first',
      form([
        ['file', file],
        ['message', message],
      ]),
    ],
    [
      'with two files',
      form([
        ['message', message],
        ['file', file],
        ['file', file],
      ]),
    ],
    [
      'with two messages',
      form([
        ['message', message],
        ['message', message],
        ['file', file],
      ]),
    ],
    [
      'with something after the file',
      form([
        ['message', message],
        ['file', file],
        ['more', 'x'],
      ]),
    ],
    [
      'with another part',
      form([
        ['message', message],
        ['other', 'x'],
        ['file', file],
      ]),
    ],
    [
      'whose message is not JSON',
      form([
        ['message', '{'],
        ['file', file],
      ]),
    ],
    [
      'whose message is a list',
      form([
        ['message', '[]'],
        ['file', file],
      ]),
    ],
    [
      'whose message has no file',
      form([
        ['message', JSON.stringify({ to, text: 'hi' })],
        ['file', file],
      ]),
    ],
    [
      'whose message has another file',
      form([
        ['message', JSON.stringify(pictureOf({ url: 'https://example.com' }))],
        ['file', file],
      ]),
    ],
    [
      'whose message is not valid',
      form([
        ['message', JSON.stringify({ content: { type: 'image' } })],
        ['file', file],
      ]),
    ],
  ])('%s', async (_, body) => {
    expect(await fixture.postAs('messages', body)).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED'));
    expect(fixture.sent).toHaveLength(0);
  });

  it('with a message that is too large', async () => {
    const large = form([
      ['message', JSON.stringify({ to, text: 'x'.repeat(600_000) })],
      ['file', file],
    ]);
    expect(await fixture.postAs('messages', large)).toMatchObject(errorAnswer(413, 'PAYLOAD_TOO_LARGE'));
  });

  it.each([
    ['no boundary', 'multipart/form-data', 'x'],
    ['another boundary', 'multipart/form-data; boundary=a', '--b\r\n\r\n'],
    ['no end', 'multipart/form-data; boundary=a', '--a\r\ncontent-disposition: form-data; name="mess'],
    [
      'no end of the file',
      'multipart/form-data; boundary=a',
      `--a\r\ncontent-disposition: form-data; name="message"\r\n\r\n${message}\r\n--a\r\n` +
        'content-disposition: form-data; name="file"; filename="f"\r\n\r\nabc',
    ],
    ['another type', 'text/plain', 'hello'],
  ])('with %s', async (_, type, body) => {
    const answer = await fixture.postAs('messages', body, { 'content-type': type });
    expect(answer).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED'));
  });
});

describe('an Idempotency-Key', () => {
  it('stands for the message and the bytes of its file', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const other = await sharp(picture).resize(10).jpeg().toBuffer();
    const send = (file: Buffer) =>
      fixture.postAs(
        'messages',
        form([
          ['message', message],
          ['file', bytes(file)],
        ]),
        headers,
      );
    const first = await send(picture);
    const { length } = [...fixture.host.uploaded];
    const again = await send(picture);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
    expect(await send(other)).toMatchObject(errorAnswer(422, 'IDEMPOTENCY_KEY_REUSED'));
    expect(fixture.sent).toHaveLength(1);
    expect(fixture.host.uploaded.size).toBe(length);
  });

  it('gives a retry the same id when the outcome is unknown', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const send = () => fixture.post('messages', pictureOf({ base64: picture.toString('base64') }), headers);
    fixture.onSend = () => {
      throw new WafleetError('OUTCOME_UNKNOWN', 'It failed.');
    };
    expect(await send()).toMatchObject(errorAnswer(504, 'OUTCOME_UNKNOWN'));
    fixture.onSend = ({ messageId }) => ({ messageId });
    const [{ messageId } = { messageId: '' }] = fixture.sent;
    expect(await send()).toMatchObject({ status: 200, body: { messageId } });
  });
});

describe('an upload', () => {
  it.each<[string, () => Promise<Answer>]>([
    [
      'of a URL',
      () => fixture.post('uploads', { type: 'image', file: { url: fixture.page('/a', picture) } }),
    ],
    [
      'as the body',
      () => fixture.postAs('uploads?type=image', bytes(picture), { 'content-type': 'image/jpeg' }),
    ],
    [
      'as the body, of text',
      () => fixture.postAs('uploads?type=image', bytes(picture), { 'content-type': 'text/plain' }),
    ],
    [
      'as the body, of a form',
      () =>
        fixture.postAs('uploads?type=image', bytes(picture), {
          'content-type': 'application/x-www-form-urlencoded',
        }),
    ],
    [
      'as a part',
      () =>
        fixture.postAs(
          'uploads',
          form([
            ['upload', '{"type":"image"}'],
            ['file', bytes(picture)],
          ]),
        ),
    ],
  ])('%s is sent many times, by one upload', async (_, upload) => {
    const { status, body } = await upload();
    expect([status, body]).toEqual([
      201,
      {
        ...{ uploadId: expect.stringMatching(/^upl_/), type: 'image', mimetype: 'image/jpeg' },
        ...{ bytes: picture.length, width: 64, height: 48, expiresAt: expect.stringMatching(/Z$/) },
      },
    ]);
    const { uploadId } = body as { uploadId: string };
    const before = fixture.host.uploaded.size;
    for (const number of [to, '15551230002']) {
      const answer = await fixture.post('messages', { ...pictureOf({ uploadId }), to: number });
      expect(answer).toMatchObject({ status: 200 });
    }
    expect(fixture.host.uploaded.size).toBe(before);
    const { content } = there(fixture.sent[0]);
    if (content.type === 'album' || !('sealed' in content.file)) throw new Error('another content');
    expect(await fixture.open('image', fixture.openUpload(uploadId, content.file.sealed))).toEqual(picture);
    expect(JSON.stringify(await fixture.cluster.connection.hgetall(uploadsKey()))).not.toContain('mediaKey');
  });

  it('is shown, sent as its own type alone, and forgotten', async () => {
    const client = fixture.edge.client(fixture.tenant.key);
    const params = { id: 'shop-1' };
    const file = { base64: picture.toString('base64') };
    const upload = await client.call('upload-file', { params, body: { type: 'image', file } });
    const { uploadId } = upload;
    expect(await client.call('get-upload', { params: { ...params, uploadId } })).toEqual(upload);
    const sticker = { to, content: { type: 'sticker', file: { uploadId } } };
    expect(await fixture.post('messages', sticker)).toMatchObject(errorAnswer(404, 'UPLOAD_NOT_FOUND'));
    await client.call('delete-upload', { params: { ...params, uploadId } });
    await expect(client.call('get-upload', { params: { ...params, uploadId } })).rejects.toMatchObject({
      code: 'UPLOAD_NOT_FOUND',
    });
  });

  it('makes an album', async () => {
    const body = { type: 'image', file: { base64: picture.toString('base64') } };
    const { uploadId } = (await fixture.post('uploads', body)).body as { uploadId: string };
    const items = [
      { type: 'image', file: { uploadId }, caption: 'one' },
      { type: 'image', file: { url: fixture.page('/a.jpg', picture) } },
    ];
    expect(await fixture.post('messages', { to, content: { type: 'album', items } })).toMatchObject({
      status: 200,
    });
    expect(fixture.sent[0]?.content).toMatchObject({
      type: 'album',
      items: [{ caption: 'one', file: { uploadId } }, { file: { width: 64 } }],
    });
  });
});

function uploadsKey(): string {
  return `wf:{${fixture.tenant.tenantId}}:uploads:shop-1`;
}

describe('bounds', () => {
  it('of size, of places, and of clients that send nothing or go', async () => {
    const edge = await fixture.cluster.startEdge({
      ...{ media: { url: fixture.host.url, stallMs: 300 } },
      ...{ uploads: { maxBytes: 50_000, atOnce: 1 }, tenantLimits: { mediaUploads: 5 } },
    });
    const url = `${edge.url}/api/sessions/shop-1/uploads?type=document`;
    const headers = { authorization: `Bearer ${fixture.tenant.key}`, 'content-type': 'application/pdf' };
    const post = async (body: NonNullable<RequestInit['body']>, signal?: AbortSignal) => {
      const response = await fetch(url, {
        method: 'POST',
        headers,
        body,
        duplex: 'half',
        ...(signal && { signal }),
      });
      return [response.status, ((await response.json()) as { error?: { code: string } }).error?.code];
    };
    expect(await post(new Uint8Array(randomBytes(50_001)))).toEqual([413, 'MEDIA_TOO_LARGE']);
    expect(await post(new Uint8Array(randomBytes(50_000)))).toEqual([201, undefined]);

    const unfinished = () =>
      new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(100)) });
    const [stalled, refused] = await Promise.all([
      post(unfinished()),
      waitFor(
        async () => {
          const answer = await post(new Uint8Array(10));
          return answer[1] === 'TOO_MANY_UPLOADS' ? answer : undefined;
        },
        { what: 'the place is taken' },
      ),
    ]);
    expect([stalled, refused]).toEqual([
      [408, 'REQUEST_TIMEOUT'],
      [429, 'TOO_MANY_UPLOADS'],
    ]);

    const client = new AbortController();
    const left = post(unfinished(), client.signal).catch(() => 'gone');
    const gauge = 'wafleet_edge_media_uploads';
    const taken = async (count: number) =>
      waitFor(async () => (await edge.metrics.text()).includes(`${gauge} ${count}\n`), {
        what: `${count} taken`,
      });
    await taken(1);
    client.abort();
    expect(await left).toBe('gone');
    await taken(0);
  });
});
