import { DEFAULT_SETTINGS } from '@wafleet/contract';
import { expect, it } from 'vitest';
import { holdUpOf } from './hold-up.js';

const person = '15551230001@s.whatsapp.net';
const settings = (changed: Partial<typeof DEFAULT_SETTINGS.pacing>) => ({
  ...DEFAULT_SETTINGS.pacing,
  ...changed,
});
const text = (length: number) => ({
  jid: person,
  content: { extendedTextMessage: { text: 'x'.repeat(length) } },
});

it('is nothing by default, and what a client wants', () => {
  expect(holdUpOf(text(100), settings({}))).toEqual({ delayMs: 0, typingMs: 0, state: 'composing' });
  expect(holdUpOf({ ...text(100), typing: 700 }, settings({ typing: true }))).toEqual({
    delayMs: 0,
    typingMs: 700,
    state: 'composing',
  });
});

it.each([
  [1, 500],
  [40, 2_000],
  [65_536, 5_000],
])('shows typing before a text of %i characters for %i ms', (length, typingMs) => {
  expect(holdUpOf(text(length), settings({ typing: true }))).toMatchObject({ delayMs: 0, typingMs });
});

it.each([
  ['a location', { jid: person, content: { locationMessage: { degreesLatitude: 1 } } }],
  ['a status', { ...text(40), jid: 'status@broadcast' }],
  ['a message of a channel', { ...text(40), jid: '120363000000000001@newsletter' }],
])('shows no typing before %s', (_of, send) => {
  expect(holdUpOf(send, settings({ typing: true }))).toMatchObject({ typingMs: 0 });
});

it('waits for a random time within the bounds, and for the shortest one if they are the wrong way round', () => {
  const delays = Array.from(
    { length: 200 },
    () => holdUpOf(text(1), settings({ minDelayMs: 10, maxDelayMs: 14 })).delayMs,
  );
  expect([...new Set(delays)].sort()).toEqual([10, 11, 12, 13, 14]);
  expect(holdUpOf(text(1), settings({ minDelayMs: 3_000, maxDelayMs: 100 })).delayMs).toBe(3_000);
});

it('never waits for more than 8 s by the settings', () => {
  const slow = settings({ minDelayMs: 5_000, maxDelayMs: 5_000, typing: true });
  expect(holdUpOf(text(10_000), slow)).toMatchObject({ delayMs: 3_000, typingMs: 5_000 });
  expect(holdUpOf({ ...text(1), typing: 10_000 }, slow)).toMatchObject({ delayMs: 0, typingMs: 10_000 });
});

it.each([
  ['a voice note', { audioMessage: { ptt: true } }],
  ['one that is seen once', { viewOnceMessageV2Extension: { message: { audioMessage: { ptt: true } } } }],
])('shows that the account records before %s', (_of, content) => {
  const send = { jid: person, content, typing: 700 };
  expect(holdUpOf(send, settings({}))).toEqual({ delayMs: 0, typingMs: 700, state: 'recording' });
});
