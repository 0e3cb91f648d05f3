import { describe, expect, it } from 'vitest';
import { messageContentSchema } from './message-content.js';
import { messageCommands } from './messages.js';

const { body } = messageCommands['send-message'].rest;
const to = '15550001001';

const jpeg = '/9j/4AAQSkZJRgABAQ==';
const vCard = 'BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD';
const options = ['tea', 'coffee'];
const event = { type: 'event', name: 'Lunch', start: '2027-01-01T12:00:00Z' };
const invitation = {
  type: 'group-invitation',
  groupId: '120363000000000000@g.us',
  groupName: 'Team',
  code: 'AbCdEfGhIjKlMnOpQrStUv',
  expiresAt: '2027-01-01T12:00:00Z',
};

/** Where the schema finds a fault in a content; undefined if it takes it. */
function faultOf(content: object): string | undefined {
  return messageContentSchema.safeParse(content).error?.issues[0]?.path.join('.');
}

describe('a content', () => {
  it.each<object>([
    { type: 'text', text: 'hi @4915100000001', mentions: ['4915100000001', '1@lid'.padStart(9, '1')] },
    {
      type: 'text',
      text: 'see https://a.example/b',
      linkPreview: { url: 'https://a.example/b', title: 'A' },
    },
    {
      type: 'text',
      text: 'see https://a.example',
      linkPreview: { url: 'https://a.example', title: 'A', thumbnail: jpeg },
    },
    { type: 'text', text: 'see https://a.example', linkPreview: true },
    { type: 'text', text: 'see https://a.example', linkPreview: { url: 'https://a.example' } },
    { type: 'location', latitude: -90, longitude: 180, url: 'https://maps.example/1' },
    {
      type: 'contacts',
      contacts: [
        { name: 'Ann', phone: '+15550001001' },
        { name: 'Ben', vCard },
      ],
    },
    { type: 'poll', question: 'Drink?', options, selectable: 2 },
    { ...event, end: '2027-01-01T13:00:00Z', location: { latitude: 1, longitude: 2, name: 'Here' } },
    ...['👍', '❤️', '❤', '👨‍👩‍👧', '🇩🇪', '1️⃣', ''].map((emoji) => ({
      type: 'reaction',
      messageId: 'M',
      emoji,
    })),
    { type: 'forward', messageId: 'M' },
    invitation,
  ])('takes %j', (content) => {
    expect(messageContentSchema.parse(content)).toEqual(content);
  });

  it.each<[object, string]>([
    [{ type: 'buttons', text: 'hi' }, 'type'],
    [{ type: 'text', text: '' }, 'text'],
    [{ type: 'text', text: 'x'.repeat(65_537) }, 'text'],
    [{ type: 'text', text: 'hi', mentions: ['120363000000000000@g.us'] }, 'mentions.0'],
    [{ type: 'text', text: 'hi', linkPreview: { url: 'https://a.example', title: 'A' } }, 'linkPreview.url'],
    [
      { type: 'text', text: 'javascript:1', linkPreview: { url: 'javascript:1', title: 'A' } },
      'linkPreview.url',
    ],
    [
      {
        type: 'text',
        text: 'https://a.example',
        linkPreview: { url: 'https://a.example', title: 'A', thumbnail: 'iVBORw0KGgo=' },
      },
      'linkPreview.thumbnail',
    ],
    [{ type: 'text', text: 'https://a.example', linkPreview: false }, 'linkPreview'],
    [{ type: 'text', text: 'hi', linkPreview: { url: 'https://a.example' } }, 'linkPreview.url'],
    [
      {
        type: 'text',
        text: 'https://a.example',
        linkPreview: { url: 'https://a.example', description: 'a' },
      },
      'linkPreview.title',
    ],
    [{ type: 'location', latitude: 91, longitude: 0 }, 'latitude'],
    [{ type: 'location', latitude: 0, longitude: -181 }, 'longitude'],
    [{ type: 'contacts', contacts: [] }, 'contacts'],
    [{ type: 'contacts', contacts: Array(101).fill({ name: 'A', phone: '15550001001' }) }, 'contacts'],
    [{ type: 'contacts', contacts: [{ name: 'Ann', vCard: 'FN:Ann' }] }, 'contacts.0.vCard'],
    [
      { type: 'contacts', contacts: [{ name: 'Ann', vCard: vCard.replace('Ann', 'x'.repeat(16_384)) }] },
      'contacts.0.vCard',
    ],
    [{ type: 'poll', question: 'Drink?', options: ['tea'] }, 'options'],
    [{ type: 'poll', question: 'Drink?', options: ['tea', ' tea'] }, 'options'],
    [{ type: 'poll', question: 'Drink?', options: Array.from({ length: 13 }, String) }, 'options'],
    [{ type: 'poll', question: 'Drink?', options: ['tea', 'x'.repeat(101)] }, 'options.1'],
    [{ type: 'poll', question: 'x'.repeat(256), options }, 'question'],
    [{ type: 'poll', question: 'Drink?', options, selectable: 3 }, 'selectable'],
    [{ ...event, end: '2027-01-01T12:00:00Z' }, 'end'],
    [{ ...event, start: 'tomorrow' }, 'start'],
    ...['x', '1', '👍👍', 'ok 👍'].map((emoji): [object, string] => [
      { type: 'reaction', messageId: 'M', emoji },
      'emoji',
    ]),
    [{ type: 'forward', messageId: '' }, 'messageId'],
    [{ ...invitation, groupId: '15550001001' }, 'groupId'],
    [{ ...invitation, code: 'a b c d e f g' }, 'code'],
    [{ type: 'text', text: 'hi', more: 1 }, ''],
  ])('refuses %#', (content, path) => {
    expect(faultOf(content)).toBe(path);
  });
});

describe('a message to send', () => {
  const content = { type: 'text', text: 'hi' };

  it.each<[object, string]>([
    [{ to }, 'text'],
    [{ to, text: 'hi', content }, 'text'],
    [{ to, content: { type: 'reaction', messageId: 'M', emoji: '👍' }, quote: { messageId: 'N' } }, 'quote'],
    [{ to, content: { ...content, mentionAll: true } }, 'content.mentionAll'],
    [{ to, text: 'hi', disappearing: 5 }, 'disappearing'],
    [{ to, text: 'hi', typing: 10_001 }, 'typing'],
    [{ to, text: 'hi', typing: 0 }, 'typing'],
  ])('is refused: %j', (message, path) => {
    expect(body?.safeParse(message).error?.issues[0]?.path.join('.')).toBe(path);
  });

  it.each<[object, string]>([
    [{ to, text: 'hi' }, 'send-text'],
    [{ to, text: 'hi', messageId: 'M' }, 'send-text'],
    [{ to, text: 'hi', typing: 100 }, 'send-message'],
    [{ to, content }, 'send-message'],
  ])(
    'as %j goes to the worker as %s, which workers of earlier releases know if it is a text alone',
    (fields, kind) => {
      expect(messageCommands['send-message'].kindOf?.({ ...fields })).toBe(kind);
    },
  );
});
