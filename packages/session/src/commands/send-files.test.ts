import { randomBytes } from 'node:crypto';
import type { CommandFields, SentFileContent, UploadedMedia } from '@wafleet/contract';
import type { MediaKind, Phone, ReceivedMessage } from '@wafleet/simulator';
import { ReplyBox } from '@wafleet/store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestOfAuth } from '../media/media-connections.js';
import { Harness, type TestSession } from '../testing/harness.js';
import { uploadedFile } from '../testing/uploaded-file.js';

let harness: Harness;
let test: TestSession;
let alice: Phone;
let bob: Phone;

beforeAll(async () => {
  harness = await Harness.start();
  alice = harness.simulator.addPhone({ number: '4915100000001', name: 'Alice' });
  bob = harness.simulator.addPhone({ number: '4915200000001', name: 'Bob' });
  test = await harness.newSession();
  await test.link(alice);
});
afterAll(() => harness.stop());

const newId = () => `3EB0${randomBytes(9).toString('hex').toUpperCase()}`;
const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

const uploaded = (data: Buffer, kind: MediaKind, about: Partial<UploadedMedia> = {}) =>
  uploadedFile(harness.simulator, data, kind, about);

type Options = Partial<Omit<CommandFields<'send-file-message'>, 'content'>>;

/** Sends a content to Bob, and returns what his phone has decrypted. */
async function arrives(content: SentFileContent, options: Options = {}): Promise<ReceivedMessage> {
  const messageId = newId();
  const fields = { to: bob.jid, content, messageId, ...options };
  await expect(test.session.execute('send-file-message', fields)).resolves.toMatchObject({ messageId });
  return bob.waitForMessage(({ id }) => id === messageId);
}

const data = randomBytes(5_000);

describe('a content with a file reaches the phone as', () => {
  it('an image with a caption, a thumbnail and mentions', async () => {
    const thumbnail = base64(Buffer.from('a thumbnail'));
    const file = await uploaded(data, 'image', { width: 640, height: 480, thumbnail });
    const received = await arrives({
      ...{ type: 'image', file, caption: 'hi @4915200000001', mentions: ['+4915200000001'] },
    });
    expect(received.message.imageMessage).toMatchObject({
      caption: 'hi @4915200000001',
      mimetype: 'image/jpeg',
      width: 640,
      height: 480,
      contextInfo: { mentionedJid: ['4915200000001@s.whatsapp.net'] },
    });
    expect(base64(received.message.imageMessage?.jpegThumbnail ?? Buffer.alloc(0))).toBe(thumbnail);
    expect(await bob.openMedia(received)).toEqual(data);
  });

  it.each([
    ['video', 'video', 'videoMessage', { seconds: 7 }],
    ['gif', 'video', 'videoMessage', { gifPlayback: true }],
    ['video-note', 'video', 'ptvMessage', { seconds: 7 }],
    ['audio', 'audio', 'audioMessage', { ptt: false, seconds: 7 }],
    ['voice', 'audio', 'audioMessage', { ptt: true, seconds: 7 }],
    ['sticker', 'sticker', 'stickerMessage', { isAnimated: true }],
  ] as const)('a file of the type %s', async (type, kind, field, expected) => {
    const waveform = base64(Buffer.alloc(64, 50));
    const file = await uploaded(data, kind, { seconds: 7, isAnimated: true, waveform });
    const received = await arrives({ type, file });
    expect(received.message[field]).toMatchObject(expected);
    expect(await bob.openMedia(received)).toEqual(data);
    const waves = received.message.audioMessage?.waveform;
    expect(waves === undefined || waves === null ? 0 : waves.length).toBe(type === 'voice' ? 64 : 0);
  });

  it('a document, which is wrapped if it has a caption', async () => {
    const file = await uploaded(data, 'document', { mimetype: 'application/pdf' });
    const plain = await arrives({ type: 'document', file, fileName: 'März.pdf' });
    expect(plain.message.documentMessage).toMatchObject({
      ...{ fileName: 'März.pdf', mimetype: 'application/pdf' },
    });
    const { message } = await arrives({ type: 'document', file, caption: 'read it', mimetype: 'text/x' });
    expect(message.documentWithCaptionMessage?.message?.documentMessage).toMatchObject({
      ...{ fileName: 'file', mimetype: 'text/x', caption: 'read it' },
    });
  });

  it.each([
    ['image', 'image', 'viewOnceMessageV2', 'imageMessage'],
    ['video', 'video', 'viewOnceMessageV2', 'videoMessage'],
    ['voice', 'audio', 'viewOnceMessageV2Extension', 'audioMessage'],
  ] as const)('a file of the type %s to be seen once, which answers another one', async (...kinds) => {
    const [type, kind, wrapper, field] = kinds;
    const question = await bob.send(alice, 'show me');
    await test.event('messages.upsert', question.id);
    const file = await uploaded(data, kind);
    const options = { quote: { messageId: question.id }, disappearing: 86_400 as const };
    const { message } = await arrives({ type, file, viewOnce: true }, options);
    expect(message[wrapper]?.message?.[field]).toMatchObject({
      viewOnce: true,
      contextInfo: { stanzaId: question.id, expiration: 86_400 },
    });
  });

  it('an album, whose items have the same ids whenever it is sent', async () => {
    const [first, second] = [randomBytes(1_000), randomBytes(2_000)];
    const content: SentFileContent = {
      type: 'album',
      items: [
        { type: 'image', file: await uploaded(first, 'image'), caption: 'one' },
        { type: 'video', file: await uploaded(second, 'video') },
      ],
    };
    const messageId = newId();
    const fields = { to: bob.jid, content, messageId };
    const sent = await test.session.execute('send-file-message', fields);
    expect(sent).toEqual({ messageId, itemIds: [expect.any(String), expect.any(String)] });
    expect(await test.session.execute('send-file-message', fields)).toEqual(sent);
    const album = await bob.waitForMessage(({ id }) => id === messageId);
    expect(album.message.albumMessage).toMatchObject({ expectedImageCount: 1, expectedVideoCount: 1 });
    const items = await Promise.all(
      (sent.itemIds ?? []).map((itemId) => bob.waitForMessage(({ id }) => id === itemId)),
    );
    for (const { message } of items) {
      expect(message.messageContextInfo?.messageAssociation).toMatchObject({
        associationType: 1,
        parentMessageKey: { id: messageId, fromMe: true },
      });
    }
    expect(items[0]?.message.imageMessage?.caption).toBe('one');
    expect(await Promise.all(items.map((item) => bob.openMedia(item)))).toEqual([first, second]);
  });
});

describe('an upload', () => {
  it('is opened by the worker, for its own session and id alone', async () => {
    const file = await uploaded(data, 'image');
    const uploads = await harness.uploads();
    const uploadId = `upl_${'a'.repeat(24)}`;
    const shown = { uploadId, type: 'image' as const, mimetype: 'image/jpeg', bytes: data.length };
    await uploads.put(test.fence, shown, file);
    const { sealed = '' } = (await uploads.get(test.fence, uploadId)) ?? {};
    const received = await arrives({ type: 'image', file: { uploadId, sealed } });
    expect(await bob.openMedia(received)).toEqual(data);
    const other = { uploadId: `upl_${'b'.repeat(24)}`, sealed };
    const content = { type: 'image' as const, file: other };
    await expect(
      test.session.execute('send-file-message', { to: bob.jid, content, messageId: newId() }),
    ).rejects.toMatchObject({ code: 'UPLOAD_NOT_FOUND' });
  });
});

describe('a file that was sent', () => {
  it('is found by its message, forwarded and quoted', async () => {
    const file = await uploaded(data, 'video', { mimetype: 'video/mp4' });
    const sent = await arrives({ type: 'video-note', file });
    await test.event('messages.upsert', sent.id);
    const { file: found } = await test.session.execute('find-media', { messageId: sent.id });
    expect(found).toMatchObject({ kind: 'video', mediaKey: file.mediaKey, sha256: file.sha256 });
    const messageId = newId();
    const content = { type: 'forward' as const, messageId: sent.id };
    await test.session.execute('send-message', { to: bob.jid, content, messageId });
    const forwarded = await bob.waitForMessage(({ id }) => id === messageId);
    expect(await bob.openMedia(forwarded)).toEqual(data);
    const answer = await arrives({ type: 'audio', file }, { quote: { messageId: sent.id } });
    expect(answer.message.audioMessage?.contextInfo).toMatchObject({
      stanzaId: sent.id,
      quotedMessage: { ptvMessage: { mimetype: 'video/mp4' } },
    });
  });
});

describe('the connection for uploads', () => {
  const box = new ReplyBox();
  const open = async (stale?: string) => {
    const { connection, ...way } = await test.session.execute('open-media-connection', {
      replyKey: box.publicKey,
      stale,
    });
    const { tenantId, sessionId } = test.fence;
    const opened: unknown = JSON.parse(box.open(connection, `media connection ${tenantId}/${sessionId}`));
    return { way, opened };
  };

  it('names the hosts and a token, sealed, and is asked for once', async () => {
    const { auth } = harness.simulator.uploads;
    expect(await open()).toEqual({
      way: { isDirect: true },
      opened: { auth, hosts: [expect.stringContaining('127.0.0.1')] },
    });
    harness.simulator.uploads.revokeAuth();
    expect((await open()).opened).toMatchObject({ auth });
  });

  it('is replaced when its token was refused', async () => {
    const { opened } = await open();
    const { auth } = opened as { auth: string };
    const replaced = await open(digestOfAuth(auth));
    expect(replaced.opened).toMatchObject({ auth: harness.simulator.uploads.auth });
    expect((await open(digestOfAuth(auth))).opened).toEqual(replaced.opened);
  });
});
