import type { MediaFile } from '@wafleet/contract';

import { proto, type WAMessage } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { reachableFields } from '../testing/whatsapp-schema.js';
import { receivedFilesIn } from './received-files.js';
import { WRAPPERS } from './unwrap.js';

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
  ['image', { templateMessage: { interactiveMessageTemplate: { header: image } } }],
  ['document', { interactiveMessage: { header: { documentMessage: file } } }],
  ['image', { interactiveMessage: { carouselMessage: { cards: [{ header: {} }, { header: image }] } } }],
  ['image', { productMessage: { product: { productImage: file } } }],
  ['image', { commentMessage: { message: { ephemeralMessage: { message: image } } } }],
  ['sticker', { requestPaymentMessage: { noteMessage: { stickerMessage: file } } }],
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
])('%s is not taken as a file', (_, none) => {
  expect(filesOf(none)).toEqual([]);
});

/** Parts of a message that may hold the files of other messages, or none that a person was sent. */
const ELSEWHERE: ReadonlySet<string> = new Set(['contextInfo', 'messageContextInfo', 'protocolMessage']);
const KINDS: Readonly<Record<string, MediaFile['kind']>> = {
  ImageMessage: 'image',
  VideoMessage: 'video',
  AudioMessage: 'audio',
  DocumentMessage: 'document',
  StickerMessage: 'sticker',
};
const fields = reachableFields('Message').filter(
  ({ path, field }) =>
    field.message && field.message.name in KINDS && !path.some(({ name }) => ELSEWHERE.has(name)),
);

test.each(
  fields.map((found): [string, (typeof fields)[number]] => [
    [...found.path, found.field].map(({ name }) => name).join('.'),
    found,
  ]),
)('a file is found in each field of WhatsApp’s schema that holds one: %s', (_, { path, field }) => {
  const content = path.reduceRight<object>(
    (inner, { name, isList }) => ({ [name]: isList ? [inner] : inner }),
    { [field.name]: field.isList ? [file] : file },
  );
  const kind = KINDS[field.message?.name ?? ''];
  for (const wrapper of WRAPPERS) {
    const inside = proto.Message.fromObject({ [wrapper]: { message: content } });
    for (const each of [proto.Message.fromObject(content), inside]) {
      expect(filesOf(message(each)).map((received) => received.file.kind)).toEqual([kind]);
    }
  }
});

test('nesting is bounded', () => {
  let card: object = { header: image };
  for (let depth = 0; depth < 200; depth += 1) card = { carouselMessage: { cards: [card, {}, {}] } };
  expect(filesOf(message(proto.Message.fromObject({ interactiveMessage: card })))).toEqual([]);
  const cards = [...Array.from({ length: 5_000 }, () => ({})), { header: image }];
  const wide = { interactiveMessage: { carouselMessage: { cards } } };
  expect(filesOf(message(proto.Message.fromObject(wide)))).toEqual([]);
});

test('a file of a message that is quoted is not the message’s', () => {
  const contextInfo = { quotedMessage: image };
  expect(filesOf(message({ extendedTextMessage: { text: 'nice', contextInfo } }))).toEqual([]);
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
