import { encodeWAMessage, proto, unpadRandomMax16 } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { withInnerSecret } from './outer-secrets.js';

const messageSecret = Buffer.alloc(32, 5);
const poll = { pollCreationMessageV3: { name: 'Lunch?' } };
const decode = (padded: Uint8Array) => proto.Message.decode(unpadRandomMax16(padded));

test('a secret beside the copy of a message is put into it', () => {
  const padded = encodeWAMessage({
    deviceSentMessage: { destinationJid: '1@lid', message: poll },
    messageContextInfo: { messageSecret },
  });
  const { deviceSentMessage } = decode(withInnerSecret(padded));
  expect(deviceSentMessage).toMatchObject({ destinationJid: '1@lid', message: poll });
  expect(Buffer.from(deviceSentMessage?.message?.messageContextInfo?.messageSecret ?? [])).toEqual(
    messageSecret,
  );
});

test.each([
  [
    'that has its secret',
    { deviceSentMessage: { message: { ...poll, messageContextInfo: { messageSecret } } } },
  ],
  ['without a secret', { deviceSentMessage: { message: { conversation: 'a text' } } }],
  ['of others', { ...poll, messageContextInfo: { messageSecret } }],
])('a message %s stays unchanged', (_, message) => {
  const padded = encodeWAMessage(message);
  expect(withInnerSecret(padded)).toBe(padded);
});
