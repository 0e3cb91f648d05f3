import { proto } from '@whiskeysockets/baileys';
import { expect, it } from 'vitest';
import { canBeReferredTo, stanzaOptions } from './stanza-options.js';

const { REVOKE, MESSAGE_EDIT } = proto.Message.ProtocolMessage.Type;
const group = '120363000000000000@g.us';
const person = '1@lid';

const revoke = (key: proto.IMessageKey): proto.IMessage => ({ protocolMessage: { key, type: REVOKE } });
const edit = (value: string) => ({ additionalAttributes: { edit: value } });
const meta = (attrs: Record<string, string>) => ({ additionalNodes: [{ tag: 'meta', attrs }] });

it.each<[string, proto.IMessage, object, boolean]>([
  ['a text', { extendedTextMessage: { text: 'hi' } }, {}, true],
  ['a location', { locationMessage: {} }, {}, true],
  ['a poll', { pollCreationMessage: {} }, meta({ polltype: 'creation' }), true],
  ['a poll of one choice', { pollCreationMessageV3: {} }, meta({ polltype: 'creation' }), true],
  ['an event', { eventMessage: {} }, meta({ event_type: 'creation' }), true],
  ['a vote', { pollUpdateMessage: {} }, meta({ polltype: 'vote' }), false],
  ['a reaction', { reactionMessage: {} }, {}, false],
  ['a pin', { pinInChatMessage: {} }, edit('2'), false],
  ['an edit', { protocolMessage: { type: MESSAGE_EDIT, editedMessage: {} } }, edit('1'), false],
  ['a deletion', revoke({ remoteJid: person, fromMe: true }), edit('7'), false],
  ['a deletion in a group', revoke({ remoteJid: group, fromMe: true }), edit('7'), false],
  ['an admin’s deletion', revoke({ remoteJid: group, fromMe: false }), edit('8'), false],
])(
  '%s has the stanza that WhatsApp wants, and a secret only if others may refer to it',
  (_, content, options, isTarget) => {
    expect(stanzaOptions(content)).toEqual(options);
    expect(canBeReferredTo(content)).toBe(isTarget);
  },
);
