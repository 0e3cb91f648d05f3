import type { BaileysEventMap } from '@whiskeysockets/baileys';
import { expect, test } from 'vitest';
import { mapPresence } from './presence.js';

const ANNA = '106825993066104@lid';

/** The contract's example, as its clients write it. */
function describePresence({ presences }: { presences: Record<string, unknown> }): string {
  return presences.available ? 'online' : 'offline';
}

test.each([
  ['available', 'online'],
  ['composing', 'online'],
  ['recording', 'online'],
  ['paused', 'online'],
  ['unavailable', 'offline'],
] as const)('a person who is %s is %s to the contract’s example', (lastKnownPresence, described) => {
  const [mapped] = mapPresence({ id: ANNA, presences: { [ANNA]: { lastKnownPresence } } });
  const payload = mapped?.payload as { presences: Record<string, unknown> };
  expect(payload.presences[ANNA]).toEqual({ lastKnownPresence });
  expect(describePresence(payload)).toBe(described);
});

test('in a group one person online is enough', () => {
  const [mapped] = mapPresence({
    id: '1203630@g.us',
    presences: { [ANNA]: { lastKnownPresence: 'unavailable' }, b: { lastKnownPresence: 'available' } },
  });
  expect(mapped?.payload).toMatchObject({ presences: { available: { lastKnownPresence: 'available' } } });
});

test('a state that the contract does not have, or of no chat, is left out', () => {
  const thinking: object = { lastKnownPresence: 'thinking' };
  const presences: BaileysEventMap['presence.update']['presences'] = {
    [ANNA]: { lastKnownPresence: 'available' },
  };
  Object.assign(presences, { b: thinking });
  expect(mapPresence({ id: ANNA, presences })[0]?.payload).toEqual({
    id: ANNA,
    presences: { [ANNA]: presences[ANNA], available: presences[ANNA] },
  });
  delete presences[ANNA];
  expect(mapPresence({ id: ANNA, presences })).toEqual([]);
  expect(mapPresence({ id: '', presences: { [ANNA]: { lastKnownPresence: 'available' } } })).toEqual([]);
});
