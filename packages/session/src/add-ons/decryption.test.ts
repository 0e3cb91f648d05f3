import { createCipheriv, createHmac, randomBytes } from 'node:crypto';
import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { decryptAddOn, isWellFormed } from './decryption.js';
import { type AddOnKind, envelopeIn, LABELS } from './envelopes.js';
import { decodeKept, encodeKept, keptWithoutSecret, messageSecretOf } from './message-secret.js';
import { bytesOfField } from './wire-format.js';

const secret = randomBytes(32);
const author = '106825993066104@lid';
const sender = '15551230001@s.whatsapp.net';

/** As WhatsApp's clients derive the key, by two steps of HMAC. */
function sealed(kind: AddOnKind, plain: string, by = { author, sender }) {
  const extracted = createHmac('sha256', Buffer.alloc(32)).update(secret).digest();
  const info = Buffer.concat([Buffer.from(`T${by.author}${by.sender}${LABELS[kind]}`), Buffer.of(1)]);
  const key = createHmac('sha256', extracted).update(info).digest();
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv);
  if (kind === 'vote' || kind === 'event-response') cipher.setAAD(Buffer.from(`T\u0000${by.sender}`));
  const payload = Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  return { kind, target: { id: 'T' }, iv, payload };
}

describe('an add-on', () => {
  it.each(Object.keys(LABELS) as AddOnKind[])('of the kind %s is decrypted for its people alone', (kind) => {
    const envelope = sealed(kind, 'text');
    const attempt = {
      envelope,
      targetId: 'T',
      secret,
      authors: ['x@lid', author],
      senders: [author, sender],
    };
    expect(decryptAddOn(attempt)?.toString()).toBe('text');
    expect(decryptAddOn({ ...attempt, senders: [author] })).toBeUndefined();
    expect(decryptAddOn({ ...attempt, authors: [sender] })).toBeUndefined();
    expect(decryptAddOn({ ...attempt, targetId: 'U' })).toBeUndefined();
    expect(decryptAddOn({ ...attempt, secret: randomBytes(32) })).toBeUndefined();
    const other = kind === 'edit' ? 'comment' : 'edit';
    expect(decryptAddOn({ ...attempt, envelope: { ...envelope, kind: other } })).toBeUndefined();
  });

  it('is not well-formed without its nonce or its tag', () => {
    const envelope = sealed('edit', '');
    expect(isWellFormed(envelope)).toBe(true);
    expect(isWellFormed({ ...envelope, iv: Buffer.alloc(16) })).toBe(false);
    expect(isWellFormed({ ...envelope, payload: Buffer.alloc(15) })).toBe(false);
  });

  it('of a kind that is not known is recognised', () => {
    // `SecretEncryptedMessage { targetMessageKey = 1 { id = 3 }, secretEncType = 4 }` with a type of 99.
    const bytes = Buffer.from([0x0a, 3, 0x1a, 1, 0x54, 0x20, 99]);
    const secretEncryptedMessage = proto.Message.SecretEncryptedMessage.decode(bytes);
    const envelope = envelopeIn({ secretEncryptedMessage });
    expect(envelope?.kind).toBeUndefined();
    expect(envelope?.target).toMatchObject({ id: 'T' });
  });
});

describe('what is kept of a message', () => {
  const messageContextInfo = { messageSecret: secret };
  const key = {
    remoteJid: '1203@g.us',
    fromMe: false,
    id: 'A1',
    participant: author,
    participantAlt: sender,
    addressingMode: 'lid',
  };

  it('is its secret and its key, in about a hundred bytes', () => {
    const kept = messageSecretOf({ key, message: { conversation: 'hi', messageContextInfo } });
    const record = kept && encodeKept(kept);
    expect(record?.length).toBeLessThan(120);
    expect(record && decodeKept(record)).toEqual({ key, secret });
  });

  it.each(['', 'not JSON', '{"id":"A"}', '[7]'])(
    'are undefined where a record has another form: %j',
    (text) => {
      const record = Buffer.concat([randomBytes(32), Buffer.from(text)]);
      expect(decodeKept(record)).toBeUndefined();
    },
  );

  it('comes from inside a wrapper as well as from around it', () => {
    const inside = { ephemeralMessage: { message: { conversation: 'hi', messageContextInfo } } };
    const around = { ephemeralMessage: { message: { conversation: 'hi' } }, messageContextInfo };
    for (const message of [inside, around]) expect(messageSecretOf({ key, message })?.secret).toEqual(secret);
    expect(messageSecretOf({ key, message: { conversation: 'hi' }, messageSecret: secret })?.secret).toEqual(
      secret,
    );
  });

  it('is nothing without a secret of 32 bytes, or with an endless id', () => {
    const short = { messageSecret: secret.subarray(1) };
    expect(
      messageSecretOf({ key, message: { conversation: 'hi', messageContextInfo: short } }),
    ).toBeUndefined();
    const long = { ...key, id: 'A'.repeat(65) };
    expect(
      messageSecretOf({ key: long, message: { conversation: 'hi', messageContextInfo } }),
    ).toBeUndefined();
  });

  it('has its place in the log and its time too, where they are known', () => {
    const kept = { key, secret, after: { epoch: '1763812345678', seq: 12 }, sentAt: 1_763_812_345 };
    expect(decodeKept(encodeKept(kept))).toEqual(kept);
  });

  it('is its key alone if it has no secret', () => {
    const kept = keptWithoutSecret({ key, message: { conversation: 'hi' } });
    expect(kept && decodeKept(encodeKept(kept))).toEqual({ key });
  });

  it.each([
    [{ key, message: { reactionMessage: { text: '👍' } } }],
    [{ key, message: { protocolMessage: {}, messageContextInfo: {} } }],
    [{ key, message: null }],
    [{ key: { ...key, id: 'A'.repeat(65) }, message: { conversation: 'hi' } }],
  ])('is nothing of a message that no call can be about: %#', (message) => {
    expect(keptWithoutSecret(message)).toBeUndefined();
  });

  it('leaves out ids of endless length', () => {
    const record = encodeKept({ key: { ...key, participantAlt: '1'.repeat(10_000) }, secret });
    expect(record.length).toBeLessThan(200);
  });
});

describe('a field of an encoded message', () => {
  const encoded = proto.Message.encode({
    conversation: 'text',
    imageMessage: { mediaKey: secret, fileLength: 5 },
    messageContextInfo: { messageSecret: secret },
  }).finish();

  it('is found among others', () => {
    expect(Buffer.from(bytesOfField(encoded, 1) ?? []).toString()).toBe('text');
    expect(Buffer.from(bytesOfField(bytesOfField(encoded, 35) ?? Buffer.of(), 3) ?? [])).toEqual(secret);
    expect(bytesOfField(encoded, 121)).toBeUndefined();
  });

  it('is not found in bytes that are damaged', () => {
    for (let length = 1; length < encoded.length; length += 1) {
      expect(() => bytesOfField(encoded.subarray(0, length), 121)).not.toThrow();
    }
    expect(bytesOfField(Buffer.from([0xca, 0x07, 0xff, 0xff, 0xff, 0xff, 0x0f, 1]), 121)).toBeUndefined();
    expect(bytesOfField(Buffer.from([0x0b]), 1)).toBeUndefined();
  });
});
