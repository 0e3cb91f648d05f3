import { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { normalise } from './normalise.js';

describe('normalise', () => {
  it('gives a 64-bit integer as a number where that is exact and as a decimal string where not', () => {
    const decoded = proto.Message.decode(
      proto.Message.encode(
        proto.Message.fromObject({
          imageMessage: { fileLength: '10', mediaKeyTimestamp: '9007199254740993' },
        }),
      ).finish(),
    );
    expect(normalise(decoded)).toEqual({
      imageMessage: { fileLength: 10, mediaKeyTimestamp: '9007199254740993' },
    });
  });

  it('reads what is left of a Long that was spread into an object', () => {
    expect(normalise({ senderTimestampMs: { low: 30511813, high: 418, unsigned: false } })).toEqual({
      senderTimestampMs: 1795326841541,
    });
    expect(normalise({ low: -1, high: -1, unsigned: false })).toBe(-1);
    expect(normalise({ low: -1, high: -1, unsigned: true })).toBe('18446744073709551615');
  });

  it('gives bytes as base64 and dates as ISO 8601, at any depth', () => {
    const bytes = new Uint8Array([0, 1, 2, 3]).subarray(1);
    expect(normalise({ list: [{ mediaKey: bytes, thumbnail: Buffer.from('hi') }], at: new Date(0) })).toEqual(
      {
        list: [{ mediaKey: 'AQID', thumbnail: 'aGk=' }],
        at: '1970-01-01T00:00:00.000Z',
      },
    );
  });

  it('keeps enums of a proto instance as numbers and leaves out what was never set', () => {
    const content = proto.Message.fromObject({
      extendedTextMessage: { text: 'hi', previewType: 'VIDEO', contextInfo: { stanzaId: 'A' } },
    });
    expect(normalise(content)).toEqual({
      extendedTextMessage: { text: 'hi', previewType: 1, contextInfo: { stanzaId: 'A' } },
    });
  });

  it('keeps null and empty lists of plain objects, and drops undefined, functions and NaN', () => {
    expect(
      normalise({ message: null, list: [], gone: undefined, call: () => 1, broken: Number.NaN }),
    ).toEqual({ message: null, list: [] });
  });

  it('leaves out key material at any depth but keeps what a client needs to download media', () => {
    const content = proto.Message.fromObject({
      imageMessage: { mediaKey: 'AgIC', url: 'https://media.example/x' },
      senderKeyDistributionMessage: { groupId: 'g', axolotlSenderKeyDistributionMessage: 'AQID' },
      messageContextInfo: { messageSecret: 'AQID', deviceListMetadataVersion: 2 },
    });
    expect(normalise({ quoted: { message: content } })).toEqual({
      quoted: {
        message: {
          imageMessage: { mediaKey: 'AgIC', url: 'https://media.example/x' },
          messageContextInfo: { deviceListMetadataVersion: 2 },
        },
      },
    });
  });

  it('leaves out bytes that are not listed as public', () => {
    const key = new Uint8Array(32);
    expect(normalise({ newSecret: key, list: [{ newSecrets: [key] }], fileSha256: key })).toEqual({
      list: [{}],
      fileSha256: `${'A'.repeat(43)}=`,
    });
  });

  it('leaves out an object that had nothing but secrets, and keeps one that was empty', () => {
    const secret = new Uint8Array(32);
    const content = proto.Message.fromObject({
      conversation: 'hi',
      messageContextInfo: { messageSecret: secret },
      chat: {},
    });
    expect(
      normalise({ content, plain: { messageContextInfo: { messageSecret: secret }, chat: {} } }),
    ).toEqual({
      content: { conversation: 'hi', chat: {} },
      plain: { chat: {} },
    });
  });

  it('leaves out circular references and endless nesting', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle.self = circle;
    circle.list = [circle, { again: circle }];
    expect(normalise(circle)).toEqual({ name: 'circle', list: [null, {}] });

    let bomb: Record<string, unknown> = { text: 'innermost' };
    for (let depth = 0; depth < 10_000; depth += 1) bomb = { quotedMessage: bomb };
    const text = JSON.stringify(normalise({ bomb, twice: [1] }));
    expect(text.length).toBeLessThan(64 * '{"quotedMessage":}'.length + 100);
    expect(text).toContain('"twice":[1]');
  });

  it('gives the same thing twice where it stands twice', () => {
    const shared = { text: 'hi' };
    expect(normalise({ one: shared, other: [shared, shared] })).toEqual({
      one: shared,
      other: [shared, shared],
    });
  });

  it('is not misled by a field named like a prototype', () => {
    const presences: unknown = JSON.parse('{"__proto__": {"polluted": true}, "1@lid": 1}');
    const normalised = normalise(presences);
    expect(normalised).toEqual({ '1@lid': 1 });
    expect(normalised).not.toHaveProperty('polluted');
  });

  it('gives a content that proto.Message.fromObject restores', () => {
    const content = proto.Message.fromObject({
      imageMessage: { mediaKey: 'AgICAg==', fileLength: '123456789', directPath: '/v/x', caption: 'c' },
    });
    const published: unknown = JSON.parse(JSON.stringify(normalise(content)));
    if (typeof published !== 'object' || published === null) throw new Error('expected an object');
    const restored = proto.Message.fromObject(published);
    expect(proto.Message.encode(restored).finish()).toEqual(proto.Message.encode(content).finish());
  });
});
