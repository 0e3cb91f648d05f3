import type { proto } from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { context, groupMessage, map } from '../testing/mapping.js';
import { isSeenByBaileys, unwrap, WRAPPERS } from './unwrap.js';

const own = '107411253299441@lid';
const target = { remoteJid: '1203@g.us', id: 'T', fromMe: false, participant: own };
const upsert = (content: proto.IMessage, wrapper: string) =>
  map('messages.upsert', {
    messages: [groupMessage({ [wrapper]: { message: content } }, { id: 'C' })],
    type: 'notify',
  });
const isSeen = (wrapper: string) =>
  isSeenByBaileys(unwrap({ [wrapper]: { message: { conversation: 'x' } } }));

describe.each(WRAPPERS.filter((wrapper) => !isSeen(wrapper)))(
  'in %s, which Baileys does not open,',
  (wrapper) => {
    it('an edit gives a change of the message', () => {
      const content = { protocolMessage: { type: 14, key: target, editedMessage: { conversation: 'new' } } };
      const [, update] = upsert(content, wrapper);
      expect(update).toMatchObject({
        event: 'messages.update',
        payload: {
          updates: [
            {
              key: { id: 'T', participant: '2@lid', fromMe: false },
              update: { message: { editedMessage: { message: { conversation: 'new' } } } },
            },
          ],
        },
      });
    });

    it('a reaction gives an event, with the message reacted to as this account sees it', () => {
      const [, reaction] = upsert({ reactionMessage: { key: target, text: '🎉' } }, wrapper);
      expect(reaction).toMatchObject({
        event: 'messages.reaction',
        payload: {
          reactions: [
            {
              key: { remoteJid: '1203@g.us', id: 'T', fromMe: true, participant: own },
              reaction: { text: '🎉', key: { id: 'C', participant: '2@lid' } },
            },
          ],
        },
      });
    });

    it('a deletion for everyone gives a change and a deletion', () => {
      const events = upsert(
        { protocolMessage: { type: 0, key: { ...target, participant: '2@lid' } } },
        wrapper,
      );
      const key = { remoteJid: '1203@g.us', id: 'T', fromMe: false, participant: '2@lid' };
      expect(events.slice(1)).toMatchObject([
        {
          event: 'messages.update',
          payload: { updates: [{ key, update: { message: null, messageStubType: 1, key: { id: 'C' } } }] },
        },
        { event: 'messages.delete', payload: { keys: [key] } },
      ]);
    });
  },
);

it('a change in a content that the phone was asked for gives an event', () => {
  const content = { protocolMessage: { type: 14, key: target, editedMessage: { conversation: 'new' } } };
  const messages = [groupMessage(content, { id: 'C' })];
  const events = map('messages.upsert', { messages, type: 'notify', requestId: 'Q' });
  expect(events.map(({ event }) => event)).toEqual(['messages.upsert', 'messages.update']);
});

it('a change that Baileys emits itself gives no second event', () => {
  const content = { protocolMessage: { type: 14, key: target, editedMessage: { conversation: 'new' } } };
  expect(upsert(content, 'ephemeralMessage').map(({ event }) => event)).toEqual(['messages.upsert']);
  expect(context.me?.lid).toContain(own.split('@')[0]);
});
