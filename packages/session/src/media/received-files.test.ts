import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { receivedFilesIn } from './received-files.js';

const mediaKey = Buffer.alloc(32, 1);
const file = { mediaKey, directPath: '/v/a.enc', mimetype: 'image/png', fileLength: 3 };
const image: proto.IMessage = { imageMessage: { ...file, fileSha256: Buffer.alloc(32, 2), caption: 'hi' } };

function message(content: proto.IMessage, key: Partial<WAMessage['key']> = {}): WAMessage {
  const encoded = proto.WebMessageInfo.encode({
    key: { id: 'A1', remoteJid: '1@lid', fromMe: false, ...key },
    message: content,
  }).finish();
  // As it comes from WhatsApp: an instance, with Longs for numbers.
  const { key: decoded, ...rest } = proto.WebMessageInfo.decode(encoded);
  if (!decoded) throw new Error('a message has a key');
  return { ...rest, key: { ...decoded, ...key } };
}

const filesOf = (...messages: WAMessage[]) =>
  receivedFilesIn({ 'messages.upsert': { messages, type: 'notify' } });

test('a file is known by its message', () => {
  const key = { id: 'A1', remoteJid: 'team@g.us', fromMe: false, participant: '1@lid' };
  expect(filesOf(message(image, key))).toEqual([
    {
      key,
      file: {
        kind: 'image',
        mimetype: 'image/png',
        length: 3,
        directPath: '/v/a.enc',
        mediaKey: mediaKey.toString('base64'),
        sha256: Buffer.alloc(32, 2).toString('base64'),
      },
    },
  ]);
});

test.each<[string, proto.IMessage]>([
  ['image', image],
  ['video', { videoMessage: file }],
  ['video', { ptvMessage: file }],
  ['audio', { audioMessage: file }],
  ['document', { documentMessage: file }],
  ['sticker', { stickerMessage: file }],
  ['sticker', { lottieStickerMessage: { message: { stickerMessage: file } } }],
  ['image', { ephemeralMessage: { message: image } }],
  ['image', { viewOnceMessageV2: { message: image } }],
  ['audio', { viewOnceMessageV2Extension: { message: { audioMessage: file } } }],
  ['document', { documentWithCaptionMessage: { message: { documentMessage: file } } }],
  ['image', { ephemeralMessage: { message: { viewOnceMessage: { message: image } } } }],
  ['image', { associatedChildMessage: { message: image } }],
  ['video', { templateMessage: { hydratedTemplate: { videoMessage: file } } }],
])('a file of kind %s is found in %j', (kind, content) => {
  expect(filesOf(message(content)).map((received) => received.file.kind)).toEqual([kind]);
});

test.each<[string, WAMessage]>([
  ['a text', message({ conversation: 'hi' })],
  ['a caption that is edited', message({ protocolMessage: { type: 14, editedMessage: image } })],
  ['a file of a channel, which is not encrypted', message({ imageMessage: { directPath: '/m1/a' } })],
  ['a key of another length', message({ imageMessage: { ...file, mediaKey: Buffer.alloc(31) } })],
  ['a file that lies nowhere', message({ imageMessage: { ...file, directPath: '' } })],
  ['an endless path', message({ imageMessage: { ...file, directPath: `/v/${'a'.repeat(2_048)}` } })],
  ['an endless id', message(image, { id: 'A'.repeat(256) })],
])('%s is no file', (_, none) => {
  expect(filesOf(none)).toEqual([]);
});

test('names and types are cut, lengths that are none left out', () => {
  const content = { ...file, mimetype: 'm'.repeat(300), fileName: 'n'.repeat(2_000), fileLength: 0 };
  const [received] = filesOf(message({ documentMessage: content }));
  expect(received?.file.mimetype).toHaveLength(255);
  expect(received?.file.fileName).toHaveLength(1_024);
  expect(received?.file).not.toHaveProperty('length');
});

test('files of the history are known too', () => {
  const history = { chats: [], contacts: [], messages: [message(image), message({ conversation: 'hi' })] };
  expect(receivedFilesIn({ 'messaging-history.set': history })).toHaveLength(1);
});
