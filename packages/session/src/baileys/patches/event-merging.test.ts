import { createLogger } from '@wafleet/runtime';
import {
  type BaileysEvent,
  type BaileysEventMap,
  makeEventBuffer,
  type WAMessage,
  type WAMessageKey,
} from '@whiskeysockets/baileys';
import { describe, expect, it } from 'vitest';
import { baileysLogger } from '../logger.js';
import { keepEventsApart } from './event-merging.js';

type Buffer = ReturnType<typeof makeEventBuffer>;

const logger = baileysLogger(createLogger({ app: 'test', level: 'silent' }));

/** Returns the output of Baileys' own buffer in one window, as event and data, with and without `keepEventsApart`. */
function handedOut({ isKeptApart }: { isKeptApart: boolean }, act: (ev: Buffer) => void) {
  const ev = makeEventBuffer(logger);
  if (isKeptApart) keepEventsApart(ev);
  const out: [BaileysEvent, unknown][] = [];
  ev.process((events) => {
    for (const [event, data] of Object.entries(events))
      out.push([event as BaileysEvent, structuredClone(data)]);
  });
  ev.buffer();
  act(ev);
  ev.flush();
  ev.destroy();
  return out;
}

const key: WAMessageKey = { remoteJid: '1@lid', id: 'M', fromMe: false };
const revokeKey: WAMessageKey = { ...key, id: 'R' };

function text(content: string, messageKey = key): WAMessage {
  return { key: { ...messageKey }, message: { conversation: content }, messageTimestamp: 1 };
}

function upsert(...messages: WAMessage[]): BaileysEventMap['messages.upsert'] {
  return { messages, type: 'notify' };
}

const revoked = { message: null, messageStubType: 1, key: revokeKey };
const like = { key: { ...key, id: 'E' }, text: '👍' };
const history = {
  chats: [],
  contacts: [],
  messages: [],
  lidPnMappings: [{ lid: '1@lid', pn: '15@s.whatsapp.net' }],
  isLatest: true,
};

const LOST: readonly [string, (ev: Buffer) => void, readonly [BaileysEvent, unknown][]][] = [
  [
    'the second update of a group',
    (ev) => {
      ev.emit('groups.update', [{ id: 'g', subject: 'one' }]);
      ev.emit('groups.update', [{ id: 'g', announce: true }]);
    },
    [
      ['groups.update', [{ id: 'g', subject: 'one' }]],
      ['groups.update', [{ id: 'g', announce: true }]],
    ],
  ],
  [
    'the content and the key of a message that is revoked at once',
    (ev) => {
      ev.emit('messages.upsert', upsert(text('hi')));
      ev.emit('messages.update', [{ key, update: revoked }]);
    },
    [
      ['messages.upsert', upsert(text('hi'))],
      ['messages.update', [{ key, update: revoked }]],
    ],
  ],
  [
    'the state before the last of a message',
    (ev) => {
      ev.emit('messages.update', [{ key, update: { status: 2 } }]);
      ev.emit('messages.update', [{ key, update: { status: 0, messageStubParameters: ['463'] } }]);
    },
    [
      ['messages.update', [{ key, update: { status: 2 } }]],
      ['messages.update', [{ key, update: { status: 0, messageStubParameters: ['463'] } }]],
    ],
  ],
  [
    'a reaction to a message that came just now',
    (ev) => {
      ev.emit('messages.upsert', upsert(text('hi')));
      ev.emit('messages.reaction', [{ key, reaction: { ...like } }]);
    },
    [
      ['messages.upsert', upsert(text('hi'))],
      ['messages.reaction', [{ key, reaction: like }]],
    ],
  ],
  [
    'a reaction that is taken back',
    (ev) => {
      ev.emit('messages.reaction', [{ key, reaction: { ...like } }]);
      ev.emit('messages.reaction', [{ key, reaction: { ...like, text: '' } }]);
    },
    [
      ['messages.reaction', [{ key, reaction: like }]],
      ['messages.reaction', [{ key, reaction: { ...like, text: '' } }]],
    ],
  ],
  [
    'a message that is deleted at once',
    (ev) => {
      ev.emit('messages.upsert', upsert(text('hi')));
      ev.emit('messages.delete', { keys: [key] });
    },
    [
      ['messages.upsert', upsert(text('hi'))],
      ['messages.delete', { keys: [key] }],
    ],
  ],
  [
    'the deletion of all messages of a chat',
    (ev) => void ev.emit('messages.delete', { jid: '1@lid', all: true }),
    [['messages.delete', { jid: '1@lid', all: true }]],
  ],
  [
    'which request a message answers',
    (ev) => void ev.emit('messages.upsert', { ...upsert(text('hi')), requestId: 'Q' }),
    [['messages.upsert', { ...upsert(text('hi')), requestId: 'Q' }]],
  ],
  [
    'that two ids of the history are one person’s',
    (ev) => void ev.emit('messaging-history.set', history),
    [['messaging-history.set', history]],
  ],
  [
    'what a chat was before it was deleted',
    (ev) => {
      ev.emit('chats.update', [{ id: '1@lid', unreadCount: 1 }]);
      ev.emit('chats.delete', ['1@lid']);
      ev.emit('chats.upsert', [{ id: '1@lid', name: 'again' }]);
    },
    [
      ['chats.update', [{ id: '1@lid', unreadCount: 1 }]],
      ['chats.delete', ['1@lid']],
      ['chats.upsert', [{ id: '1@lid', name: 'again' }]],
    ],
  ],
  [
    'the name that a contact gave itself before it was saved',
    (ev) => {
      ev.emit('contacts.update', [{ id: '1@lid', notify: 'Carl' }]);
      ev.emit('contacts.upsert', [{ id: '1@lid', name: 'Carl C' }]);
    },
    [
      ['contacts.update', [{ id: '1@lid', notify: 'Carl' }]],
      ['contacts.upsert', [{ id: '1@lid', name: 'Carl C' }]],
    ],
  ],
  [
    'a change of a chat whose history was handed out before',
    (ev) => {
      ev.flush();
      ev.buffer();
      ev.emit('chats.update', [{ id: '1@lid', archived: true, conditional: () => undefined }]);
    },
    [['chats.update', [{ id: '1@lid', archived: true }]]],
  ],
];

describe('what Baileys’ buffer would lose', () => {
  it.each(LOST)('%s', (_what, act, expected) => {
    expect(handedOut({ isKeptApart: true }, act)).toEqual(expected);
    // If this fails, Baileys has fixed the case, and its part of `keepEventsApart` can be removed.
    expect(handedOut({ isKeptApart: false }, act)).not.toEqual(expected);
  });
});

it('events that complete each other are still merged, and one message’s events leave together', () => {
  const act = (ev: Buffer) => {
    ev.emit('messages.upsert', upsert(text('hi')));
    ev.emit('chats.update', [{ id: '1@lid', unreadCount: 1 }]);
    ev.emit('contacts.update', [{ id: '1@lid', notify: 'Carl' }]);
    ev.emit('chats.update', [{ id: '1@lid', conversationTimestamp: 5 }]);
    expect(ev.isBuffering()).toBe(true);
  };
  expect(handedOut({ isKeptApart: true }, act)).toEqual(handedOut({ isKeptApart: false }, act));
  expect(handedOut({ isKeptApart: true }, act)).toHaveLength(3);
});

it('what waits is forgotten with each flush', () => {
  const act = (ev: Buffer) => {
    ev.emit('groups.update', [{ id: 'g', subject: 'one' }]);
    ev.flush();
    ev.buffer();
    ev.emit('groups.update', [{ id: 'g', subject: 'two' }]);
    expect(ev.isBuffering()).toBe(true);
  };
  expect(handedOut({ isKeptApart: true }, act)).toHaveLength(2);
});

it('an archived chat stays out of the archive when the history has newer messages of it', () => {
  const act = (ev: Buffer) => {
    ev.emit('messaging-history.set', {
      chats: [
        { id: 'old', lastMessageRecvTimestamp: 5 },
        { id: 'new', lastMessageRecvTimestamp: 50 },
      ],
      contacts: [],
      messages: [],
    });
    for (const id of ['old', 'new', 'unknown']) {
      const conditional: NonNullable<BaileysEventMap['chats.update'][number]['conditional']> = (data) => {
        const chat = data.historySets.chats[id];
        return chat && Number(chat.lastMessageRecvTimestamp) <= 10;
      };
      ev.emit('chats.update', [{ id, archived: true, conditional }]);
    }
  };
  const updates = handedOut({ isKeptApart: true }, act).filter(([event]) => event === 'chats.update');
  expect(updates.flatMap(([, data]) => data)).toEqual([
    { id: 'old', archived: true },
    { id: 'unknown', archived: true },
  ]);
});
