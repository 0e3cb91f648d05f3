import { normalizeMessageContent, proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { fieldsOf, typeOf } from '../testing/whatsapp-schema.js';
import { contentOf, isSeenByBaileys, MAX_WRAPPERS, unwrap, WRAPPERS } from './unwrap.js';

/** As it comes from WhatsApp. */
const received = (content: object) =>
  proto.Message.decode(proto.Message.encode(proto.Message.fromObject(content)).finish());
const nested = (depth: number, content: object): object =>
  depth === 0 ? content : { ephemeralMessage: { message: nested(depth - 1, content) } };

describe('wrappers around a message', () => {
  it('are all fields of the schema whose type holds a message in place of a content', () => {
    const holders = new Set([typeOf('Message.FutureProofMessage'), typeOf('Message.DeviceSentMessage')]);
    const fields = fieldsOf(typeOf('Message')).filter(({ message }) => message && holders.has(message));
    expect([...WRAPPERS].sort()).toEqual(fields.map(({ name }) => name).sort());
  });

  it.each(WRAPPERS)('%s is opened, in any other and around any other', (wrapper) => {
    for (const other of WRAPPERS) {
      const message = received({ [wrapper]: { message: { [other]: { message: { conversation: 'in' } } } } });
      expect(unwrap(message)).toMatchObject({
        content: { conversation: 'in' },
        wrappers: [wrapper, other],
      });
    }
  });

  it.each(WRAPPERS)('%s counts as seen by Baileys if Baileys opens it', (wrapper) => {
    const message = received({ [wrapper]: { message: { conversation: 'in' } } });
    const isOpened = normalizeMessageContent(message)?.conversation === 'in';
    expect(isSeenByBaileys(unwrap(message))).toBe(isOpened);
  });

  it('count as not seen by Baileys beyond the depth that it opens', () => {
    for (const depth of [5, 6]) {
      const message = received(nested(depth, { conversation: 'in' }));
      const isOpened = normalizeMessageContent(message)?.conversation === 'in';
      expect(isSeenByBaileys(unwrap(message))).toBe(isOpened);
    }
  });

  it('are opened up to a bound', () => {
    expect(contentOf(received(nested(MAX_WRAPPERS, { conversation: 'in' })))).toMatchObject({
      conversation: 'in',
    });
    const tooDeep = contentOf(received(nested(MAX_WRAPPERS + 1, { conversation: 'in' })));
    expect(Object.keys(tooDeep)).toEqual(['ephemeralMessage']);
  });

  it('stay where they hold nothing', () => {
    expect(unwrap(received({ ephemeralMessage: {} })).wrappers).toEqual([]);
    expect(unwrap(undefined)).toEqual({ content: {}, wrappers: [], levels: [{}] });
  });
});
