import { randomUUID } from 'node:crypto';
import sharp from 'sharp';
import { expect, it } from 'vitest';
import { there } from '../testing/cluster-fixture.js';
import { errorAnswer } from '../testing/raw-request.js';
import { useSending } from '../testing/sending-fixture.js';

const fixture = useSending();

const recipients = ['15551230001'];
const picture = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'red' } })
  .jpeg()
  .toBuffer();

const shop = { type: 'image', caption: 'our shop' };

/** A request with the parts `status` and `file`. */
function form(status: unknown): FormData {
  const data = new FormData();
  data.append('status', JSON.stringify(status));
  data.append('file', new Blob([new Uint8Array(picture)]));
  return data;
}

async function opened(): Promise<Buffer> {
  const { content } = there(fixture.posted.at(-1));
  if (!('directPath' in content.file)) throw new Error('another file');
  return fixture.open('image', content.file);
}

it('a picture is posted as a status, from JSON and from a part of the request', async () => {
  const file = { base64: picture.toString('base64') };
  const posted = { status: 200, body: { messageId: expect.stringMatching(/^3EB0/), notOnWhatsApp: [] } };
  const body = { content: { ...shop, file }, recipients };
  expect(await fixture.post('statuses', body)).toMatchObject(posted);
  expect(await opened()).toEqual(picture);
  expect(await fixture.postAs('statuses', form({ content: shop, recipients }))).toMatchObject(posted);
  expect(await opened()).toEqual(picture);
  expect(fixture.posted).toMatchObject([
    { content: shop, recipients },
    { content: shop, recipients },
  ]);
});

it('an upload is posted as its own type alone', async () => {
  const file = { base64: picture.toString('base64') };
  const { uploadId } = (await fixture.post('uploads', { type: 'image', file })).body as { uploadId: string };
  const post = (content: object) =>
    fixture.post('statuses', { content: { ...content, file: { uploadId } }, recipients });
  expect(await post(shop)).toMatchObject({ status: 200 });
  expect(fixture.posted[0]?.content.file).toMatchObject({ uploadId, sealed: expect.any(String) });
  expect(await post({ type: 'video' })).toMatchObject(errorAnswer(404, 'UPLOAD_NOT_FOUND'));
  expect(fixture.posted).toHaveLength(1);
});

it('a retry with the same key and the same file posts nothing', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const post = () => fixture.postAs('statuses', form({ content: shop, recipients }), headers);
  const first = await post();
  const again = await post();
  expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([first.body, 'true']);
  expect(fixture.posted).toHaveLength(1);
});

it.each([
  ['another type', { type: 'sticker', file: { url: 'https://example.com/a' } }],
  ['no file', shop],
  ['a file of the wrong kind', { type: 'voice', caption: 'x', file: { url: 'https://example.com/a' } }],
  ['a text with a file', { type: 'text', text: 'hi', file: { url: 'https://example.com/a' } }],
])('a status with %s is refused', async (_, content) => {
  const answer = await fixture.post('statuses', { content, recipients });
  expect(answer).toMatchObject(errorAnswer(400, 'VALIDATION_FAILED'));
});
